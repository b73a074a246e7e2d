import type { AmountMinor, BusinessDate } from '#base'
import { dueOfBills, type Message, type Reason } from '#message'

/**
 * May it proceed? Facts are gathered first, then these rules decide without waiting for anything;
 * the first that is broken names the decline. The list is the whole of it, readable in one go.
 */
export type Facts = {
  readonly nowMs: number
  /** Milliseconds since midnight WIB. */
  readonly timeOfDayMs: number
  readonly businessDate: BusinessDate
  /** The partner that the message names, if there is one. */
  readonly partner: PartnerFacts | undefined
  /** The partner that this session signed on for. */
  readonly sessionPartner: string
  readonly product: ProductFacts | undefined
}

export type PartnerFacts = {
  readonly id: string
  readonly blocked: boolean
  readonly banks: ReadonlySet<string>
  readonly switchers: ReadonlySet<string>
  readonly terminals: ReadonlySet<string>
  readonly products: ReadonlySet<string>
}

export type ProductFacts = {
  readonly code: string
  readonly enabled: boolean
  /** Open from, until, in ms after midnight WIB; a window may pass midnight. */
  readonly hours: { readonly fromMs: number; readonly untilMs: number } | undefined
  readonly minMinor: AmountMinor
  readonly maxMinor: AmountMinor
  /** What may be bought, without the fee; undefined where the bill says what is due. */
  readonly denominationsMinor: ReadonlySet<AmountMinor> | undefined
  /** Whether the amount on the wire holds the admin fee. */
  readonly feeInside: boolean
}

/** What the partner was told, and what it may therefore pay. */
export type Quote = {
  readonly partner: string
  readonly businessDate: BusinessDate
  /** The answer to the inquiry as the partner got it. */
  readonly told: Message
}

export type Rule<F> = {
  readonly name: string
  readonly reason: Reason
  breaks(message: Message, facts: F): boolean
}

export const INQUIRY_RULES: readonly Rule<Facts>[] = [
  { name: 'known-partner', reason: 'partner-unknown', breaks: (_, { partner }) => !partner },
  {
    name: 'own-session',
    reason: 'party-mismatch',
    breaks: (_, { partner, sessionPartner }) => partner?.id !== sessionPartner,
  },
  {
    name: 'not-blocked',
    reason: 'partner-blocked',
    breaks: (_, { partner }) => !!partner?.blocked,
  },
  {
    name: 'known-bank',
    reason: 'bank-unknown',
    breaks: ({ bank = '' }, { partner }) => !partner?.banks.has(bank),
  },
  {
    name: 'known-terminal',
    reason: 'partner-unknown',
    breaks: ({ terminal = '' }, { partner }) => !partner?.terminals.has(terminal),
  },
  {
    name: 'known-switcher',
    reason: 'party-mismatch',
    breaks: ({ switcher = '' }, { partner }) => !partner?.switchers.has(switcher),
  },
  {
    name: 'known-product',
    reason: 'product-unknown',
    breaks: (_, { product, partner }) => !product?.enabled || !partner?.products.has(product.code),
  },
  { name: 'open-hours', reason: 'cut-off', breaks: (_, facts) => isClosed(facts) },
]

export type PaymentFacts = Facts & {
  readonly quote: Quote | undefined
  readonly adminMinor: AmountMinor
}

export const PAYMENT_RULES: readonly Rule<PaymentFacts>[] = [
  ...INQUIRY_RULES,
  { name: 'has-inquiry', reason: 'no-inquiry', breaks: (_, { quote }) => !quote },
  {
    name: 'same-business-date',
    reason: 'no-inquiry',
    breaks: (_, { quote, businessDate }) => quote?.businessDate !== businessDate,
  },
  {
    name: 'same-product',
    reason: 'reference-mismatch',
    breaks: ({ product }, { quote }) => product !== quote?.told.product,
  },
  {
    name: 'same-customer',
    reason: 'reference-mismatch',
    breaks: (message, { quote }) => customerOf(message) !== (quote && customerOf(quote.told)),
  },
  {
    name: 'same-parties',
    reason: 'party-mismatch',
    breaks: ({ bank, switcher }, { quote }) =>
      bank !== quote?.told.bank || switcher !== quote?.told.switcher,
  },
  {
    name: 'same-biller-reference',
    reason: 'biller-reference-invalid',
    breaks: ({ reference }, { quote }) => reference?.biller !== quote?.told.reference?.biller,
  },
  {
    name: 'some-amount',
    reason: 'amount-invalid',
    breaks: message => !(message.amountMinor ?? 0n),
  },
  {
    name: 'same-fee',
    reason: 'fee-invalid',
    breaks: ({ adminMinor }, facts) => adminMinor !== undefined && adminMinor !== facts.adminMinor,
  },
  { name: 'amount-as-quoted', reason: 'amount-invalid', breaks: differsFromQuote },
  {
    name: 'not-below-minimum',
    reason: 'below-minimum',
    breaks: ({ amountMinor = 0n }, { product }) => amountMinor < (product?.minMinor ?? 0n),
  },
  {
    name: 'not-above-maximum',
    reason: 'above-maximum',
    breaks: ({ amountMinor = 0n }, { product }) => amountMinor > (product?.maxMinor ?? 0n),
  },
]

export type Decision =
  | { readonly tag: 'proceed' }
  | { readonly tag: 'decline'; readonly reason: Reason; readonly rule: string }

const PROCEED: Decision = { tag: 'proceed' }

export function screenInquiry(message: Message, facts: Facts): Decision {
  return screen(INQUIRY_RULES, message, facts)
}

export function screenPayment(message: Message, facts: PaymentFacts): Decision {
  return screen(PAYMENT_RULES, message, facts)
}

/** The number that the customer gave: of a registration, a meter or a subscriber. */
export function customerOf({ customer, registration }: Message): string {
  if (registration) return registration.number
  const { id, meter, knownBy } = customer ?? {}
  return (knownBy === 'meter' ? (meter ?? id) : (id ?? meter)) ?? ''
}

/**
 * What is due for the bills being paid, oldest first. Undefined when the message pays for none,
 * or for more than were told.
 */
export function dueFor(told: Message, billsPaid: number | undefined): bigint | undefined {
  if (!told.bills) return told.amountMinor
  const count = billsPaid ?? told.bills.length
  if (count < 1 || count > told.bills.length) return undefined
  return dueOfBills(told.bills.slice(0, count))
}

function screen<F>(rules: readonly Rule<F>[], message: Message, facts: F): Decision {
  const broken = rules.find(rule => rule.breaks(message, facts))
  return broken ? { tag: 'decline', reason: broken.reason, rule: broken.name } : PROCEED
}

function isClosed({ product, timeOfDayMs }: Facts): boolean {
  if (!product?.hours) return false
  const { fromMs, untilMs } = product.hours
  return fromMs <= untilMs
    ? timeOfDayMs < fromMs || timeOfDayMs >= untilMs
    : timeOfDayMs < fromMs && timeOfDayMs >= untilMs
}

function differsFromQuote(message: Message, facts: PaymentFacts): boolean {
  const { product, quote, adminMinor } = facts
  if (!product || !quote) return true
  const amountMinor = message.amountMinor ?? (0n as AmountMinor)
  if (!product.denominationsMinor) return amountMinor !== dueFor(quote.told, message.billsPaid)
  const bought = (product.feeInside ? amountMinor - adminMinor : amountMinor) as AmountMinor
  const option = message.token?.option ?? 0
  if (option === 0) return !product.denominationsMinor.has(bought)
  return bought !== quote.told.token?.unsold?.[option - 1]?.amountMinor
}
