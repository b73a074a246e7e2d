import type { AmountMinor, Currency, LocalTime } from '#base'

/**
 * The normalized message: what every dialect is read into and written from. Packs map fields to the
 * paths of this type (`customer.id`, `bills[].penaltyMinor`); DICTIONARY says what each path means.
 * Nothing in here depends on how any counterpart writes it.
 */
export type Message = {
  kind: MessageKind
  direction: 'request' | 'response'
  /** Sent again because no answer came: 2401, 2221. */
  repeat: boolean
  /** Nadi's product code: `pln-postpaid`. Network messages have none. */
  product?: string
  /** The sender's audit number (DE11), the same in request and response. */
  trace: string
  sentAt: LocalTime
  /** Kind of till, ISO 18245 style: 6021 PC PPOB, 6012 POS, 6017 mobile. */
  channel?: string
  bank?: string
  partner?: string
  terminal?: string
  switcher?: string
  /** Responses only. */
  outcome?: Outcome
  amountMinor?: AmountMinor
  currency?: Currency
  settlementDate?: string
  /** Reversals: the payment that is meant. */
  original?: Original
  customer?: Customer
  reference?: References
  /** Bills told in this message (`bills.length`), of all that the customer owes. */
  billsOutstanding?: number
  /** Payments: how many of `bills`, oldest first, are being paid. */
  billsPaid?: number
  bills?: Bill[]
  /** The admin fee that the customer sees, of all bills together. */
  adminMinor?: AmountMinor
  token?: Token
  registration?: Registration
  /** To be printed under the receipt. */
  infoText?: string
  /** Security data of dialects that have it (DE53). */
  security?: string
}

export type MessageKind =
  'sign-on' | 'sign-off' | 'echo' | 'inquiry' | 'payment' | 'advice' | 'reversal' | 'status'

export type Customer = {
  /** IDPEL, the subscriber's number. */
  id?: string
  meter?: string
  /** Which of the two numbers the customer typed; the other one is then filled in by the biller. */
  knownBy?: 'id' | 'meter'
  name?: string
  address?: string
  /** Tariff class: R1, R1M, B2. */
  tariff?: string
  powerVa?: number
  /** Service unit of the biller and its telephone. */
  unit?: string
  unitPhone?: string
  distribution?: string
}

export type References = {
  /** The switch's own reference (swref). Toward a partner ours, toward a biller theirs. */
  switching?: string
  /** The biller's reference (PLN ref). */
  biller?: string
  /** Vending receipt number. */
  receipt?: string
}

export type Bill = {
  /** YYYYMM */
  period: string
  /** YYYYMMDD; zeros when the biller does not tell. */
  dueDate: string
  readDate: string
  amountMinor: AmountMinor
  /** Negative is a credit to the customer. Already part of `amountMinor`. */
  incentiveMinor: AmountMinor
  vatMinor: AmountMinor
  penaltyMinor: AmountMinor
  /** Meter readings at the beginning and end: off-peak (LWBP), peak (WBP), reactive (kVARh). */
  offPeak: [from: string, to: string]
  peak: [from: string, to: string]
  reactive: [from: string, to: string]
}

export type Token = {
  /** Buying option: 0 a new token, 1 or 2 the first or second unsold one. */
  option?: number
  stampDutyMinor?: AmountMinor
  vatMinor?: AmountMinor
  lightingTaxMinor?: AmountMinor
  installmentMinor?: AmountMinor
  /** What is left for energy: RP STROOM. */
  energyMinor?: AmountMinor
  /** kWh in hundredths: 7044 is 70.44 kWh. */
  kwhHundredths?: number
  /** The 20 digits that the customer types into the meter. */
  number?: string
  kwhMax?: number
  unsold?: { amountMinor: AmountMinor }[]
}

/** A non-taglis bill: connection fees, power changes and the like. */
export type Registration = {
  number: string
  area?: string
  /** Transaction code and name: 001 PASANG BARU. */
  code?: string
  name?: string
  registeredOn?: string
  expiresOn?: string
  totalMinor?: AmountMinor
  billerMinor?: AmountMinor
  components?: { type?: string; amountMinor: AmountMinor }[]
  mutation?: string
}

export type Original = {
  kind: MessageKind
  trace: string
  sentAt: LocalTime
  bank: string
}

/** What a response says, and what that means for the money. */
export type Outcome = {
  meaning: Meaning
  reason: Reason
  /** The code as it stood on the wire, kept as evidence; absent when we made the outcome ourselves. */
  code?: string
}

/**
 *   approved  it was done: paid, purchased, reversed, signed on
 *   declined  it was not done and will not be
 *   unknown   it may or may not have been done
 *   sign-on   it was not done; sign on and send the same again
 *   stands    (reversal) too late to undo: the payment stands
 *   nothing   (reversal, advice, status) there is no such payment
 */
export type Meaning = 'approved' | 'declined' | 'unknown' | 'sign-on' | 'stands' | 'nothing'

/** Why, in words of the trade; each dialect's code table says which code it is (PLN: DE39). */
export const REASONS = {
  approved: 'success',
  'other-error': 'error without further reason',
  'partner-blocked': 'the partner is blocked',
  'window-closed': 'not at this time of day',
  inactive: 'inactive account or wrong meter number',
  'sign-on-required': 'sign on first',
  'too-late-to-reverse': 'past the time limit or settlement is done: the payment stands',
  'amount-invalid': 'the amount differs from the inquiry or is no denomination',
  'customer-unknown': 'unknown subscriber',
  'registration-unknown': 'unknown registration or meter number',
  'customer-blocked': 'blocked subscriber',
  'format-error': 'the message cannot be read',
  'bank-unknown': 'unregistered bank',
  'partner-unknown': 'unregistered partner or terminal',
  'product-unknown': 'unregistered product',
  'below-minimum': 'below the minimum amount',
  'above-maximum': 'above the maximum amount',
  'fee-invalid': 'invalid admin charge',
  'deposit-insufficient': 'the deposit does not cover it',
  'over-quota': 'over the kWh limit',
  'registration-expired': 'the registration has expired',
  'no-payment': 'there is no such payment',
  timeout: 'no answer in time; the outcome is not known yet',
  suspended: 'subscriber suspended',
  'already-paid': 'the bills are already paid',
  'not-available-yet': 'the current bill is not available yet',
  'cut-off': 'cut-off in progress',
  'no-inquiry': 'no inquiry with this reference',
  'reference-mismatch': 'audit number or switcher reference differ from the inquiry',
  'already-reversed': 'the reversal was done already',
  'security-invalid': 'invalid security data',
  'party-mismatch': 'bank or partner differ from inquiry or session',
  'biller-reference-invalid': 'the biller reference is not valid',
  unavailable: 'not possible now; nothing was done',
} as const
export type Reason = keyof typeof REASONS

export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text)
}

export const APPROVED: Outcome = { meaning: 'approved', reason: 'approved' }

/** An outcome of our own making. */
export function declined(reason: Reason): Outcome {
  return { meaning: 'declined', reason }
}

/** The answer to `request`: everything it said, turned round, with the outcome. */
export function respond(request: Message, outcome: Outcome, more: Partial<Message> = {}): Message {
  return { ...request, direction: 'response', ...more, outcome }
}
