import { parseTxnId, type TxnId } from '#base'
import { declined } from '#message'
import { type ApiAnswer, inquiryAnswer, jsonAnswer, problemAnswer } from './answer.ts'
import { type Ask, exchange } from './exchange.ts'
import { checkedBody, idOf, noQuery, waitMsOf } from './input.ts'
import { inquiryMessage, type Stamps } from './message.ts'
import type { ApiParts, ApiProduct } from './parts.ts'
import { ApiProblem, problemOfOutcome } from './problem.ts'
import { inquirySchema } from './schemas.ts'
import { inquiryView } from './views.ts'

export async function postInquiry(parts: ApiParts, stamps: Stamps, ask: Ask): Promise<ApiAnswer> {
  noQuery(ask.request.query)
  const asked = checkedBody(inquirySchema, ask.body)
  const message = inquiryMessage(ask.partner, asked, stamps.next())
  const waitMs = waitMsOf(ask.request.headers, parts.answerWaitMs)
  const answer = await exchange(parts, ask, message, waitMs, told => {
    const { outcome = declined('other-error'), reference } = told
    const id = parts.switch.looks.inquiryOf(reference?.switching ?? '')
    const product = parts.products.get(asked.product)
    return outcome.meaning === 'approved' && id !== undefined && product
      ? inquiryAnswer(id, told, product)
      : problemAnswer(problemOfOutcome(outcome))
  })
  if (answer) return answer
  throw problemOfOutcome({ meaning: 'unknown', reason: 'timeout' })
}

export async function getInquiry(parts: ApiParts, { partner, request }: Ask): Promise<ApiAnswer> {
  noQuery(request.query)
  const { inquiry, product } = await findInquiry(parts, partner.id, idOf(request.params))
  return jsonAnswer(200, inquiryView(inquiry.id, inquiry.told, product.fee))
}

/** Throws `no-inquiry` when this partner has none of that id. */
export async function findInquiry(parts: ApiParts, partner: string, id: TxnId | undefined) {
  const inquiry = id === undefined ? undefined : await parts.switch.looks.inquiry(partner, id)
  const product: ApiProduct | undefined = inquiry && parts.products.get(inquiry.product)
  if (!inquiry || !product) throw new ApiProblem('no-inquiry')
  return { inquiry, product }
}

/** Of an inquiry as a partner may write it: its id, or the reference that its answer told. */
export function readInquiryId(parts: ApiParts, text: string): TxnId | undefined {
  return text.length === 32 ? parts.switch.looks.inquiryOf(text) : parseTxnId(text)
}
