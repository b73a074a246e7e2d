import { addDays, type AmountMinor, type BusinessDate, minor } from '#base'
import {
  APPROVED,
  type Customer,
  type Message,
  type Outcome,
  type Qr,
  type Reason,
  type References,
  respond,
} from '#message'
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
  const { customer, registration, bills, billsOutstanding, token, transfer, qr } = answer
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
    ...(transfer && { transfer: { ...request.transfer, ...transfer } }),
    ...(qr && { qr: { ...request.qr, ...qr } }),
    ...(answer.details && { details: answer.details }),
    ...(answer.infoText !== undefined && { infoText: answer.infoText }),
    reference: { ...withoutOwn(answer.reference), ...ownOf(request), switching: reference },
  }
  return { ...told, adminMinor: adminOf(product.fee, told) }
}

/** The request to the biller: what the partner asked, but for the partner's own reference of it. */
export function inquiryFor(request: Message): Message {
  const reference = withoutOwn(request.reference)
  return { ...request, kind: 'inquiry', direction: 'request', reference }
}

/**
 * The answer to an inquiry where the biller sells the product unasked: what is asked for, at our own
 * price. Without an amount the payment says which denomination is bought. Or the reason of a no.
 */
export function quoteOf(request: Message, product: Product): Message | Reason {
  const amountMinor = request.amountMinor ?? onlyAmountOf(product)
  if (amountMinor === undefined && !product.denominationsMinor) return 'amount-invalid'
  const reason = amountMinor === undefined ? undefined : refusalOf(amountMinor, product)
  if (reason) return reason
  const { echoed: _, ...asked } = inquiryFor(request)
  return respond(asked, APPROVED, amountMinor === undefined ? {} : { amountMinor })
}

function onlyAmountOf({ denominationsMinor, feeInside, fee }: Product): AmountMinor | undefined {
  const [only, ...others] = denominationsMinor ?? []
  if (only === undefined || others.length > 0) return undefined
  return feeInside ? minor(only + fee.adminPerBillMinor) : only
}

function refusalOf(amountMinor: AmountMinor, product: Product): Reason | undefined {
  const { denominationsMinor, feeInside, fee, minMinor, maxMinor } = product
  const bought = feeInside ? minor(amountMinor - fee.adminPerBillMinor) : amountMinor
  if (denominationsMinor && !denominationsMinor.has(bought)) return 'amount-invalid'
  if (amountMinor < minMinor) return 'below-minimum'
  return amountMinor > maxMinor ? 'above-maximum' : undefined
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

/**
 * The reversal, advice or status check of a payment as it was sent: the same but for its kind, and
 * with what the biller's answer called it.
 */
export function recoveryFor(
  sent: Message,
  { reference, qr }: Details,
  kind: 'reversal' | 'advice' | 'status',
  repeat: boolean,
  sentAt: Message['sentAt'],
): Message {
  const { trace, bank = '' } = sent
  return {
    ...sent,
    ...(reference && { reference: { ...sent.reference, ...reference } }),
    ...(qr && { qr: { ...sent.qr, ...qr } }),
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
  readonly serial?: string
  readonly details?: Message['details']
  /** Where nobody knew before whose number it is. */
  readonly customer?: Customer
  /** By what the other side knows a payment of a code: a refund says it again. */
  readonly qr?: Pick<Qr, 'approval' | 'invoice'>
}

export function detailsOf(sent: Message, answer: Message): Details {
  const { reference, token, settlementDate, infoText, serial, details, customer } = answer
  const { approval, invoice } = answer.qr ?? {}
  const introduced = customer?.name !== undefined && sent.customer?.name === undefined
  return {
    ...(reference && { reference }),
    ...(token && { token }),
    ...(settlementDate !== undefined && { settlementDate }),
    ...(infoText !== undefined && { infoText }),
    ...(serial !== undefined && { serial }),
    ...(details && { details }),
    ...(introduced && { customer }),
    ...((approval ?? invoice) !== undefined && {
      qr: {
        ...(approval !== undefined && { approval }),
        ...(invoice !== undefined && { invoice }),
      },
    }),
  }
}

/**
 * A callback beside the request that it speaks of: what it does not say is taken from there, as with
 * an answer that was read beside its question.
 */
export function beside(asked: Message, told: Message): Message {
  const { customer, reference, token, registration } = told
  return {
    ...asked,
    ...told,
    ...(customer && { customer: { ...asked.customer, ...customer } }),
    ...(reference && { reference: { ...asked.reference, ...reference } }),
    ...(token && { token: { ...asked.token, ...token } }),
    ...(registration && { registration: { ...asked.registration, ...registration } }),
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
  const { bills, billsOutstanding, billsPaid, registration, amountMinor, transfer, qr } = sent
  const customer = details.customer ?? sent.customer
  const token = sent.token || details.token ? { ...sent.token, ...details.token } : undefined
  return respond(request, outcome, {
    ...(customer && { customer }),
    ...(bills && { bills }),
    ...(billsOutstanding !== undefined && { billsOutstanding }),
    ...(billsPaid !== undefined && { billsPaid }),
    ...(registration && { registration }),
    ...(amountMinor !== undefined && { amountMinor }),
    ...(token && { token }),
    ...(transfer && { transfer }),
    ...(qr && { qr: { ...qr, ...details.qr } }),
    ...(outcome.meaning === 'approved' && {
      settlementDate: details.settlementDate ?? addDays(businessDate, 1),
    }),
    ...(details.infoText !== undefined && { infoText: details.infoText }),
    ...(details.serial !== undefined && { serial: details.serial }),
    ...(details.details && { details: details.details }),
    reference: {
      ...withoutOwn({ ...sent.reference, ...details.reference }),
      ...ownOf(request),
      ...(request.reference?.switching !== undefined && { switching: request.reference.switching }),
    },
    adminMinor,
  })
}

/** Each side has a reference of its own, which is nothing to the other. */
function withoutOwn(reference: References | undefined): References {
  const { own: _, ...others } = reference ?? {}
  return others
}

function ownOf({ reference }: Message): Pick<References, 'own'> {
  return reference?.own === undefined ? {} : { own: reference.own }
}
