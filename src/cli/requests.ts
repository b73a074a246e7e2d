import {
  type AmountMinor,
  type Clock,
  localTime,
  type LocalTime,
  minor,
  type Random,
  WIB_OFFSET_MS,
} from '#base'
import type { Identity } from '#config'
import { dueOfBills, type Message } from '#message'

/** What a partner asks, made from what it was told before. Pure but for the stamps. */

/** Audit number and time of one request. */
export type Stamp = { readonly trace: string; readonly sentAt: LocalTime }

/**
 * Audit numbers of 12 digits that rise with the time of day: milliseconds since midnight (8) and a
 * count (4) that begins anywhere, so that two partners' programs on one machine do not meet.
 */
export class Stamps {
  readonly #clock: Clock
  readonly #start: number
  #last = 0

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#start = Math.floor(random.next() * 5_000)
  }

  next(): Stamp {
    const nowMs = this.#clock.nowMs()
    const first = ((nowMs + WIB_OFFSET_MS) % 86_400_000) * 10_000 + this.#start
    this.#last = Math.max(first, this.#last + 1)
    return { trace: String(this.#last % 1e12).padStart(12, '0'), sentAt: localTime(nowMs) }
  }
}

/** PC of a PPOB counter, ISO 18245 style. */
const CHANNEL = '6021'

/** Which number a product's customer goes by. */
const CUSTOMER: Readonly<Record<string, (number: string) => Partial<Message>>> = {
  'pln-postpaid': id => ({ customer: { id } }),
  'pln-prepaid': number =>
    number.length === 12
      ? { customer: { id: number, knownBy: 'id' } }
      : { customer: { meter: number, knownBy: 'meter' } },
  'pln-nontaglis': number => ({ registration: { number } }),
}

export function inquiryRequest(
  identity: Identity,
  { trace, sentAt }: Stamp,
  product: string,
  customer: string,
): Message {
  return {
    kind: 'inquiry',
    direction: 'request',
    repeat: false,
    product,
    trace,
    sentAt,
    channel: CHANNEL,
    ...identity,
    ...(CUSTOMER[product]?.(customer) ?? { customer: { id: customer } }),
  }
}

export type Choice = {
  /** How many of the bills told, oldest first; all by default. */
  readonly billsPaid?: number
  /** The amount on the wire; what the inquiry told by default. */
  readonly amountMinor?: AmountMinor
  /** Prepaid: 0 a new token, 1 or 2 an unsold one. */
  readonly option?: number
}

/** The answer to an inquiry turned into the payment of it. */
export function paymentRequest(quoted: Message, { trace, sentAt }: Stamp, choice: Choice): Message {
  const { outcome: _, settlementDate: __, infoText: ___, ...told } = quoted
  const { bills, adminMinor, token } = told
  const billsPaid = bills && (choice.billsPaid ?? bills.length)
  const amountMinor = choice.amountMinor ?? dueOf(quoted, billsPaid)
  return {
    ...told,
    kind: 'payment',
    direction: 'request',
    repeat: false,
    trace,
    sentAt,
    ...(amountMinor !== undefined && { amountMinor }),
    ...(billsPaid !== undefined && { billsPaid }),
    ...(adminMinor !== undefined && { adminMinor: adminFor(quoted, billsPaid) }),
    ...(choice.option !== undefined && { token: { ...token, option: choice.option } }),
  }
}

/** What is due for the first `billsPaid` bills, without the fee. */
export function dueOf(quoted: Message, billsPaid?: number): AmountMinor | undefined {
  if (!quoted.bills) return quoted.amountMinor
  return dueOfBills(quoted.bills.slice(0, billsPaid))
}

/** The fee is told for all bills together and is the same for each. */
export function adminFor({ bills, adminMinor }: Message, billsPaid?: number): AmountMinor {
  const told = adminMinor ?? minor(0)
  if (!bills || bills.length === 0 || billsPaid === undefined) return told
  return minor((told * BigInt(billsPaid)) / BigInt(bills.length))
}

/** The reversal or advice of a payment as it was sent: its own audit number, a time of its own. */
export function aboutPayment(
  kind: 'reversal' | 'advice',
  payment: Message,
  sentAt: LocalTime,
  repeat = false,
): Message {
  const { trace, bank = '' } = payment
  const original = { kind: 'payment', trace, sentAt: payment.sentAt, bank } as const
  return { ...payment, kind, repeat, sentAt, original }
}
