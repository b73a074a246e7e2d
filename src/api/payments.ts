import { createHash } from 'node:crypto'
import type { TxnId } from '#base'
import {
  type ApiAnswer,
  lookAnswer,
  payerAnswer,
  problemAnswer,
  reverserAnswer,
  stateOf,
} from './answer.ts'
import type { Asker } from './auth.ts'
import { type Ask, exchange } from './exchange.ts'
import { checkedBody, idempotencyKeyOf, idOf, noQuery, waitMsOf } from './input.ts'
import { findInquiry, readInquiryId } from './inquiries.ts'
import { paymentMessage, reversalMessage, type Stamps } from './message.ts'
import type { ApiParts, ApiProduct } from './parts.ts'
import { ApiProblem, problemOfOutcome } from './problem.ts'
import { type PaymentRequest, paymentSchema, reversalSchema } from './schemas.ts'

/**
 * Law 4, twice: an inquiry carries one payment, which the journal keeps, whichever way its requests
 * come; and an Idempotency-Key means one content, which the store of requests keeps. So the same key
 * with the same content is the same message to the switch, and gets the first one's result.
 */
export async function postPayment(parts: ApiParts, ask: Ask): Promise<ApiAnswer> {
  const { partner, request } = ask
  noQuery(request.query)
  const key = idempotencyKeyOf(request.headers)
  const asked = checkedBody(paymentSchema, ask.body)
  const inquiryId = readInquiryId(parts, asked.inquiry)
  const { inquiry, product } = await findInquiry(parts, partner.id, inquiryId)
  await claim(parts, partner, key, asked)
  const message = paymentMessage(partner, asked, inquiry, product)
  const waitMs = waitMsOf(request.headers, parts.answerWaitMs)
  const answer = await exchange(parts, ask, message, waitMs, (told, id) =>
    payerAnswer(told, id, inquiry.id, product),
  )
  return answer ?? notInTime(parts, partner, inquiry.id, product)
}

async function claim(
  { requests, clock }: ApiParts,
  { id: partner }: Asker,
  key: string,
  asked: PaymentRequest,
): Promise<void> {
  const content = createHash('sha256').update(JSON.stringify(asked)).digest('hex')
  const claimed = await requests.claim({ partner, key, content, atMs: clock.nowMs() })
  if (claimed === 'other') throw new ApiProblem('idempotency-key-reused')
}

const GRACE_MS = 1_000
const LOOK_MS = 25

/**
 * A place to look is given only for what can be found there (law 1): whoever would not wait at all
 * waits until the hold is durable, which takes milliseconds.
 */
async function notInTime(
  { switch: { looks }, clock }: ApiParts,
  { id: partner }: Asker,
  inquiryId: TxnId,
  product: ApiProduct,
): Promise<ApiAnswer> {
  for (const untilMs = clock.nowMs() + GRACE_MS; clock.nowMs() < untilMs;) {
    const look = await looks.paymentFor(partner, inquiryId)
    if (look) return payerAnswer(look.answer, look.id, inquiryId, product)
    await new Promise<void>(go => {
      clock.at(clock.nowMs() + LOOK_MS, go)
    })
  }
  const detail = 'not known yet: send the same request with the same Idempotency-Key again'
  throw new ApiProblem('timeout', detail, { headers: { 'retry-after': '2' } })
}

export async function getPayment(parts: ApiParts, { partner, request }: Ask): Promise<ApiAnswer> {
  noQuery(request.query)
  return lookAnswer(await findPayment(parts, partner, request.params))
}

/** Only the partner's own are found; another one's are as if they were not there. */
export async function findPayment(parts: ApiParts, { id }: Asker, params: unknown) {
  const look = await parts.switch.looks.payment(id, idOf(params))
  if (!look) throw new ApiProblem('not-found', 'there is no such payment')
  return look
}

export async function postReversal(parts: ApiParts, stamps: Stamps, ask: Ask): Promise<ApiAnswer> {
  const { partner, request, body } = ask
  noQuery(request.query)
  if (body.length > 0) checkedBody(reversalSchema, body)
  const look = await findPayment(parts, partner, request.params)
  const message = reversalMessage(partner, look, stamps.next())
  const waitMs = waitMsOf(request.headers, parts.answerWaitMs)
  const answer = await exchange(parts, ask, message, waitMs, told => {
    // Request keys reach a few days back; what is older and paid is past every window.
    const forgotten = told.outcome?.meaning === 'nothing' && stateOf(look) === 'paid'
    return forgotten
      ? problemAnswer(problemOfOutcome({ meaning: 'stands', reason: 'too-late-to-reverse' }))
      : reverserAnswer(told, look)
  })
  if (answer) return answer
  const now = await findPayment(parts, partner, request.params)
  const told = { ...now.answer, outcome: { meaning: 'unknown', reason: 'timeout' } } as const
  return reverserAnswer(told, now)
}
