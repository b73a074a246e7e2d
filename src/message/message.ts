import { type AmountMinor, type Currency, type LocalTime, minor, ZERO } from '#base'
import type { Path } from './dictionary.ts'

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
  /** open: the payer says how much; what `amountMinor` says then is nothing. */
  amountIs?: 'fixed' | 'open'
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
  /** Months to be paid at once (BPJS). */
  months?: number
  /** What was delivered: voucher, serial number (SN) of a top-up. */
  serial?: string
  /** Lines for the screen or the receipt that no other path carries, in the biller's order. */
  details?: Detail[]
  transfer?: Transfer
  qr?: Qr
  card?: Card
  /** To be printed under the receipt. */
  infoText?: string
  /** Security data of dialects that have it (DE53). */
  security?: string
  /**
   * What a dialect wants back unchanged in the answer, by element, as it stood on the wire. For that
   * dialect's own pack only; nobody else reads a meaning into it, and it is not passed on.
   */
  echoed?: Readonly<Record<string, string>>
}

export type MessageKind =
  'sign-on' | 'sign-off' | 'echo' | 'inquiry' | 'payment' | 'advice' | 'reversal' | 'status'

export type Customer = {
  /** IDPEL, the subscriber's number. */
  id?: string
  meter?: string
  /** Which of the two numbers the customer typed; the other one is then filled in by the biller. */
  knownBy?: 'id' | 'meter'
  /** A second number where the biller asks for one: game zone, tax year, area code. */
  secondId?: string
  /** The payer's own telephone. */
  phone?: string
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
  /** Our own id of this txn toward the biller; the same in its inquiry, payment and status checks. */
  own?: string
}

export type Bill = {
  /** YYYYMM */
  period: string
  /** YYYYMMDD; zeros when the biller does not tell. */
  dueDate?: string
  readDate?: string
  amountMinor: AmountMinor
  /** Negative is a credit to the customer. Already part of `amountMinor`. */
  incentiveMinor?: AmountMinor
  vatMinor?: AmountMinor
  penaltyMinor?: AmountMinor
  /** Retribution, meter fee, waste and the like. Already part of `amountMinor`. */
  miscMinor?: AmountMinor
  /** Meter readings at the beginning and end: off-peak (LWBP), peak (WBP), reactive (kVARh). */
  offPeak?: [from: string, to: string]
  peak?: [from: string, to: string]
  reactive?: [from: string, to: string]
  /** Reading of a water or gas meter. */
  reading?: [from: string, to: string]
}

/** What is collected for one bill: its amount and its late fee. The admin fee is not in it. */
export function dueOfBill({ amountMinor, penaltyMinor = ZERO }: Bill): AmountMinor {
  return minor(amountMinor + penaltyMinor)
}

/** What is collected for so many bills together. */
export function dueOfBills(bills: readonly Bill[]): AmountMinor {
  let due = 0n
  for (const { amountMinor, penaltyMinor = ZERO } of bills) due += amountMinor + penaltyMinor
  return minor(due)
}

export type Detail = { label: string; text: string }

/** Money sent to an account: the beneficiary. */
export type Transfer = {
  /** The bank's code in the clearing (BI: three digits, or the BIC). */
  bank?: string
  account: string
  name?: string
  remark?: string
}

/** A QRIS payment: what the code says and who takes part (EMVCo MPM; QRIS 4.7, 4.8). */
export type Qr = {
  /** The code as it was scanned. */
  content?: string
  merchantPan?: string
  merchantId?: string
  merchantName?: string
  merchantCity?: string
  postalCode?: string
  category?: string
  criteria?: string
  tipMinor?: AmountMinor
  /** National numbering of acquirer and issuer (9360…). */
  acquirer?: string
  issuer?: string
  customerPan?: string
  customerName?: string
  /** What the merchant calls the place where the code hangs (62.07). */
  terminal?: string
  /** Raw objects 61 and 62 of the code, as DE57 carries them. */
  additional?: string
  approval?: string
  invoice?: string
}

/** A card payment's sensitive parts. PIN blocks are hexadecimal, under the zone key of whoever sent them. */
export type Card = {
  pan?: string
  /** YYMM */
  expiry?: string
  track2?: string
  pinBlock?: string
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
  /** The part of the request that is at fault, where it is one: for ways in that can tell it. */
  fault?: Fault
}

/** `path` as the dictionary calls it; `text` holds nothing of what stood there. */
export type Fault = { readonly path: Path; readonly text: string }

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
  'pin-wrong': 'wrong PIN',
  'pin-tries': 'too many wrong PINs',
  'card-unknown': 'no such card',
  'card-expired': 'the card has expired',
  'card-blocked': 'the card is blocked, lost or stolen',
  'funds-insufficient': "the cardholder's account does not cover it",
  'party-mismatch': 'bank or partner differ from inquiry or session',
  'biller-reference-invalid': 'the biller reference is not valid',
  unavailable: 'not possible now; nothing was done',
} as const
export type Reason = keyof typeof REASONS

/** What only banks say; a dialect without a code for one of these says other-error. */
export const CARD_REASONS: ReadonlySet<Reason> = new Set([
  'pin-wrong',
  'pin-tries',
  'card-unknown',
  'card-expired',
  'card-blocked',
  'funds-insufficient',
])

export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text)
}

export const APPROVED: Outcome = { meaning: 'approved', reason: 'approved' }

/** An outcome of our own making. */
export function declined(reason: Reason, fault?: Fault): Outcome {
  return { meaning: 'declined', reason, ...(fault && { fault }) }
}

/** The answer to `request`: everything it said, turned round, with the outcome. */
export function respond(request: Message, outcome: Outcome, more: Partial<Message> = {}): Message {
  return { ...request, direction: 'response', ...more, outcome }
}
