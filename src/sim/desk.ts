import type { AmountMinor } from '#base'
import type { Message, Reason } from '#message'
import type { Setting } from './customers.ts'
import type { References } from './references.ts'

/**
 * What the biller knows of one product: whose number it is, what is owed, whether a payment is
 * right, what the receipt says. It keeps nothing; the book does. Another biller's products are
 * further desks.
 */
export type Desk = {
  /** A purchase cannot be undone, only asked about. */
  readonly reversible: boolean
  /** The number that the customer is known by; scenarios look at its end. */
  numberOf(message: Message): string
  /** What a payment, and whatever later asks about it, is known by. */
  keyOf(message: Message): string
  /** What is owed, to be put into the answer; or why nothing can be told. */
  quote(number: string, message: Message, at: DeskContext): Partial<Message> | Reason
  /** Which bills the payment pays (one bit each, 0 for none); or why it is refused. */
  check(number: string, message: Message, at: DeskContext): number | Reason
  /** What the answer to a payment that was done says besides the request. */
  receipt(number: string, message: Message, at: DeskContext): Partial<Message>
  /** Why the references are not those of an inquiry of this customer, if they are not. */
  wrongReference(number: string, message: Message): Reason | undefined
}

export type DeskContext = {
  readonly nowMs: number
  /** Bills of this customer that the book says are paid, one bit each. */
  readonly paidPeriods: number
  readonly setting: Setting | undefined
  readonly references: References
}

/** The key of payments that are told apart by trace and time, as reversals name them (DE56). */
export function keyByTime(message: Message): string {
  const { original, terminal = '' } = message
  const { trace, sentAt, bank = '' } = original ?? message
  return `${bank}|${terminal}|${trace}|${sentAt}`
}

/** The key of purchases: an advice has a time of its own, but the references of the inquiry. */
export function keyByReference(number: string, message: Message): string {
  const { bank = '', terminal = '', trace, reference } = message
  return `${bank}|${terminal}|${trace}|${number}|${reference?.switching ?? ''}`
}

/** Bits for paid months: thirty of them, which no customer owes at once. */
export function periodBit(period: string): number {
  const month = Number(period.slice(0, 4)) * 12 + Number(period.slice(4, 6))
  return 1 << (month % 30)
}

export function sameAmount(amount: AmountMinor | undefined, wanted: bigint): boolean {
  return amount !== undefined && amount === wanted
}
