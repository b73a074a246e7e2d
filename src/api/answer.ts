import { formatTxnId, type TxnId } from '#base'
import type { Message } from '#message'
import type { PaymentLook } from '#switch'
import { type ApiProblem, problemBody, problemOfOutcome } from './problem.ts'
import type { ApiProduct } from './parts.ts'
import type { PaymentState } from './schemas.ts'
import { inquiryView, paymentView } from './views.ts'

/**
 * An answer, ready to leave: what is kept as evidence and what is sent are these bytes. A body that is
 * text leaves as UTF-8, in one write with its head.
 */
export type ApiAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

/** How many seconds to wait before looking at a payment that is not known yet. */
const LOOK_AGAIN_S = '2'

export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  const type = 'application/json; charset=utf-8'
  return { status, headers: { 'content-type': type, ...headers }, body: JSON.stringify(body) }
}

export function problemAnswer(problem: ApiProblem): ApiAnswer {
  const { status, extras } = problem
  const headers = { 'content-type': 'application/problem+json', ...extras.headers }
  return { status, headers, body: JSON.stringify(problemBody(problem)) }
}

export function inquiryAnswer(id: TxnId, told: Message, { fee }: ApiProduct): ApiAnswer {
  const location = `/v1/inquiries/${formatTxnId(id)}`
  return jsonAnswer(201, inquiryView(id, told, fee), { location })
}

/** Of a payment as it is told to whoever pays: paid, not known yet, or a problem. */
export function payerAnswer(
  told: Message,
  id: TxnId | undefined,
  inquiryId: TxnId,
  { fee }: ApiProduct,
): ApiAnswer {
  const { outcome = { meaning: 'unknown', reason: 'timeout' } } = told
  if (outcome.meaning === 'approved' && id !== undefined) {
    const view = paymentView({ id, inquiryId, state: 'paid', fee }, told)
    return jsonAnswer(201, view, { location: locationOf(id) })
  }
  if (outcome.meaning === 'unknown' && id !== undefined)
    return pendingAnswer(paymentView({ id, inquiryId, state: 'pending', fee }, told), id)
  return problemAnswer(problemOfOutcome(outcome, paymentExtras(id)))
}

/** Of the partner's own reversal. */
export function reverserAnswer(told: Message, { id, inquiryId, product }: PaymentLook): ApiAnswer {
  const { outcome = { meaning: 'unknown', reason: 'timeout' } } = told
  const { fee } = product
  if (outcome.meaning === 'approved')
    return jsonAnswer(200, paymentView({ id, inquiryId, state: 'reversed', fee }, told))
  if (outcome.meaning === 'unknown')
    return pendingAnswer(paymentView({ id, inquiryId, state: 'reversing', fee }, told), id)
  return problemAnswer(problemOfOutcome(outcome, paymentExtras(id)))
}

/** As it stands, for whoever looks. */
export function lookAnswer(look: PaymentLook): ApiAnswer {
  const state = stateOf(look)
  const { id, inquiryId, answer, product } = look
  const view = paymentView({ id, inquiryId, state, fee: product.fee }, answer)
  const waits = state === 'pending' || state === 'reversing'
  return jsonAnswer(200, view, waits ? { 'retry-after': LOOK_AGAIN_S } : {})
}

export function stateOf({ state }: PaymentLook): PaymentState {
  switch (state.tag) {
    case 'received':
    case 'sending':
    case 'unknown':
    case 'suspect':
      return 'pending'
    case 'paid':
    case 'reversing':
    case 'declined':
    case 'reversed':
      return state.tag
  }
}

function pendingAnswer(view: unknown, id: TxnId): ApiAnswer {
  return jsonAnswer(202, view, { location: locationOf(id), 'retry-after': LOOK_AGAIN_S })
}

function paymentExtras(id: TxnId | undefined) {
  return id === undefined ? {} : { payment: formatTxnId(id), headers: { location: locationOf(id) } }
}

function locationOf(id: TxnId): string {
  return `/v1/payments/${formatTxnId(id)}`
}
