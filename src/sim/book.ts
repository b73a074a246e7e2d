import type { AmountMinor } from '#base'

/**
 * One payment as the biller believes it.
 *
 *     ──pay──▶ paid ──reverse──▶ reversed
 *     ──void──▶ void
 *
 * `void` is a payment that was asked about (reversed, advised) before it came. We said that there
 * is none, so it must never be done: should it come later, overtaken on its way, it is refused.
 */
export type Payment = {
  readonly key: string
  /** Product and number: whose bills these are. */
  readonly account: string
  readonly trace: string
  readonly sentAt: string
  readonly bank: string
  readonly terminal: string
  /** Who paid, and at what kind of till, where the dialect tells. */
  readonly partner?: string
  readonly channel?: string
  readonly reference: string
  readonly amountMinor: AmountMinor
  /** The bills that it pays, one bit each. */
  readonly periods: number
  state: PaymentState
  /** When it was paid, or first asked about. */
  readonly atMs: number
  reversedAtMs: number
  /** How often the payment itself came, how often it was asked about since. */
  asked: number
  askedAbout: number
}

export type PaymentState = 'paid' | 'reversed' | 'void'
export type NewPayment = Omit<Payment, 'state' | 'reversedAtMs' | 'asked' | 'askedAbout'>

/** One line of the book's file: a payment as it first stood, or a change of it. */
export type BookLine =
  | { readonly line: 'paid' | 'void'; readonly payment: NewPayment }
  | { readonly line: 'reversed'; readonly key: string; readonly atMs: number }
  | { readonly line: 'asked' | 'asked-about'; readonly key: string }

/** Keeps the lines; they must be out of this process when `flush` returns. */
export interface BookStore {
  append(line: BookLine): void
  flush(): void
  /** The book has forgotten what it was told before the last time that this was called. */
  turnOver(): void
  close(): void
}

export type BookSummary = {
  readonly paid: number
  readonly reversed: number
  readonly void: number
  /** Payments that came more than once. */
  readonly askedTwice: number
  readonly paidMinor: AmountMinor
  /** Entries that left because the book was full. */
  readonly forgotten: number
}

/** Half of the book: all that came in one stretch of time. */
class Generation {
  readonly payments = new Map<string, Payment>()
  readonly paidPeriods = new Map<string, number>()
}

/**
 * What the biller believes. Bounded: entries live in two generations, and when the young one holds
 * half of `entriesMax` the old one is forgotten whole. That costs nothing per payment, and never
 * forgets one of the newest half. A forgotten payment's bills are unpaid again.
 */
export class Book {
  #store: BookStore | undefined
  readonly #halfMax: number
  #young = new Generation()
  #old = new Generation()
  #forgotten = 0

  constructor({ entriesMax = ENTRIES_MAX }: BookOptions = {}) {
    this.#halfMax = Math.max(1, Math.ceil(entriesMax / 2))
  }

  /** From here on every change is kept in a store. */
  keepIn(store: BookStore): void {
    this.#store = store
  }

  /** Does again what a line of the store tells; before `keepIn`. */
  replay(line: BookLine): void {
    if ('payment' in line) {
      this.#add(line.payment, line.line)
      return
    }
    const payment = this.find(line.key)
    if (!payment) return
    if (line.line === 'reversed') this.#reverse(payment, line.atMs)
    else if (line.line === 'asked') payment.asked++
    else payment.askedAbout++
  }

  find(key: string): Payment | undefined {
    return this.#young.payments.get(key) ?? this.#old.payments.get(key)
  }

  /** Which bills of an account are paid, one bit each. */
  paidPeriods(account: string): number {
    const young = this.#young.paidPeriods.get(account) ?? 0
    return young | (this.#old.paidPeriods.get(account) ?? 0)
  }

  pay(payment: NewPayment): Payment {
    this.#store?.append({ line: 'paid', payment })
    return this.#add(payment, 'paid')
  }

  /** Notes that we said there is no such payment. */
  voidPayment(payment: NewPayment): Payment {
    this.#store?.append({ line: 'void', payment })
    return this.#add(payment, 'void')
  }

  reverse(payment: Payment, atMs: number): void {
    this.#store?.append({ line: 'reversed', key: payment.key, atMs })
    this.#reverse(payment, atMs)
  }

  /** The payment came again. */
  ask(payment: Payment): void {
    this.#store?.append({ line: 'asked', key: payment.key })
    payment.asked++
  }

  /** A reversal, advice or status check asked about it. */
  askAbout(payment: Payment): void {
    this.#store?.append({ line: 'asked-about', key: payment.key })
    payment.askedAbout++
  }

  /** What was noted is out of this process; called before the answers leave. */
  flush(): void {
    this.#store?.flush()
  }

  close(): void {
    this.#store?.close()
  }

  get size(): number {
    return this.#young.payments.size + this.#old.payments.size
  }

  *entries(): Iterable<Payment> {
    yield* this.#old.payments.values()
    yield* this.#young.payments.values()
  }

  summary(): BookSummary {
    const count = { paid: 0, reversed: 0, void: 0 }
    let askedTwice = 0
    let paidMinor = 0n
    for (const payment of this.entries()) {
      count[payment.state]++
      if (payment.asked > 1) askedTwice++
      if (payment.state === 'paid') paidMinor += payment.amountMinor
    }
    return {
      ...count,
      askedTwice,
      paidMinor: paidMinor as AmountMinor,
      forgotten: this.#forgotten,
    }
  }

  #add(payment: NewPayment, state: 'paid' | 'void'): Payment {
    const { payments, paidPeriods } = this.#young
    const entry: Payment = {
      ...payment,
      state,
      reversedAtMs: 0,
      asked: state === 'paid' ? 1 : 0,
      askedAbout: 0,
    }
    payments.set(entry.key, entry)
    if (state === 'paid' && entry.periods !== 0) {
      paidPeriods.set(entry.account, (paidPeriods.get(entry.account) ?? 0) | entry.periods)
    }
    if (payments.size >= this.#halfMax) this.#turnOver()
    return entry
  }

  #reverse(payment: Payment, atMs: number): void {
    payment.state = 'reversed'
    payment.reversedAtMs = atMs
    for (const { paidPeriods } of [this.#young, this.#old]) {
      const paid = paidPeriods.get(payment.account)
      if (paid === undefined) continue
      const left = paid & ~payment.periods
      if (left === 0) paidPeriods.delete(payment.account)
      else paidPeriods.set(payment.account, left)
    }
  }

  #turnOver(): void {
    this.#forgotten += this.#old.payments.size
    this.#old = this.#young
    this.#young = new Generation()
    this.#store?.turnOver()
  }
}

const ENTRIES_MAX = 200_000

export type BookOptions = {
  /** How many payments are remembered; at least the newest half of them always. */
  readonly entriesMax?: number
}
