import { addDays, type AmountMinor, type BusinessDate } from '#base'
import { type Message, type Outcome, respond, type References } from '#message'
import { adminOf } from '#pricing'
import type { Product } from './options.ts'

/**
 * How one party's words become another's. The partner sees our reference and our fee; the biller
 * sees its own reference and the fee that it told us; each side sees its own audit number and time.
 */

/** What the biller said that the partner is told again, in the answer to its inquiry. */
export function quoteFor(
  request: Message,
  answer: Message,
  outcome: Outcome,
  reference: string,
  product: Product,
): Message {
  const { customer, registration, bills, billsOutstanding, token } = answer
  const told: Message = {
    ...request,
    direction: 'response',
    outcome,
    ...(answer.amountMinor !== undefined && { amountMinor: answer.amountMinor }),
    ...(customer && { customer: { ...request.customer, ...customer } }),
    ...(registration && { registration: { ...registration } }),
    ...(bills && { bills }),
    ...(billsOutstanding !== undefined && { billsOutstanding }),
    ...(token && { token }),
    ...(answer.infoText !== undefined && { infoText: answer.infoText }),
    reference: { ...answer.reference, switching: reference },
  }
  return { ...told, adminMinor: adminOf(product.fee, told) }
}

/** The request to the biller: its own answer to our inquiry, turned into the payment of it. */
export function paymentFor(request: Message, answer: Message): Message {
  const { outcome: _, settlementDate: __, infoText: ___, ...quoted } = answer
  const { channel, terminal, amountMinor, billsPaid, token } = request
  return {
    ...quoted,
    kind: 'payment',
    direction: 'request',
    repeat: false,
    ...(channel !== undefined && { channel }),
    ...(terminal !== undefined && { terminal }),
    ...(amountMinor !== undefined && { amountMinor }),
    ...(quoted.bills && { billsPaid: billsPaid ?? quoted.bills.length }),
    ...(token?.option !== undefined && { token: { ...quoted.token, option: token.option } }),
  }
}

/** The reversal, advice or status check of a payment as it was sent: the same but for its kind. */
export function recoveryFor(
  sent: Message,
  kind: 'reversal' | 'advice' | 'status',
  repeat: boolean,
  sentAt: Message['sentAt'],
): Message {
  const { trace, bank = '' } = sent
  return {
    ...sent,
    kind,
    repeat,
    sentAt,
    original: { kind: 'payment', trace, sentAt: sent.sentAt, bank },
  }
}

/** The part of the biller's answer that the payment did not have before. Kept in the journal. */
export type Details = {
  readonly reference?: References
  readonly token?: Message['token']
  readonly settlementDate?: string
  readonly infoText?: string
}

export function detailsOf({ reference, token, settlementDate, infoText }: Message): Details {
  return {
    ...(reference && { reference }),
    ...(token && { token }),
    ...(settlementDate !== undefined && { settlementDate }),
    ...(infoText !== undefined && { infoText }),
  }
}

/**
 * The answer to a partner that asks for, about, or against a payment. It settles on the day after,
 * where the biller did not say when (advices and reversals do not).
 */
export function receiptFor(
  request: Message,
  outcome: Outcome,
  sent: Message,
  details: Details,
  adminMinor: AmountMinor,
  businessDate: BusinessDate,
): Message {
  const { customer, bills, billsOutstanding, billsPaid, registration, amountMinor } = sent
  const token = sent.token || details.token ? { ...sent.token, ...details.token } : undefined
  return respond(request, outcome, {
    ...(customer && { customer }),
    ...(bills && { bills }),
    ...(billsOutstanding !== undefined && { billsOutstanding }),
    ...(billsPaid !== undefined && { billsPaid }),
    ...(registration && { registration }),
    ...(amountMinor !== undefined && { amountMinor }),
    ...(token && { token }),
    ...(outcome.meaning === 'approved' && {
      settlementDate: details.settlementDate ?? addDays(businessDate, 1),
    }),
    ...(details.infoText !== undefined && { infoText: details.infoText }),
    reference: {
      ...sent.reference,
      ...details.reference,
      ...(request.reference?.switching !== undefined && { switching: request.reference.switching }),
    },
    adminMinor,
  })
}
