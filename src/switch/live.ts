import type { TxnId } from '#base'
import type { StoredTxn } from '#journal'
import { isFinal } from '#txn'
import type { Payment } from './payment.ts'

/** The payments in memory: those that are not final, and those that somebody just asks about. */
export class Live {
  readonly #byId = new Map<TxnId, Payment>()
  readonly #byKey = new Map<string, Payment>()
  readonly #revive: (stored: StoredTxn) => Payment | undefined
  readonly #joined: (payment: Payment, late: Payment) => void

  /**
   * `revive` makes a payment from what is stored; `joined` moves those who ask about `late`, which
   * came second and was never begun, to the payment that came first.
   */
  constructor(
    revive: (stored: StoredTxn) => Payment | undefined,
    joined: (payment: Payment, late: Payment) => void,
  ) {
    this.#revive = revive
    this.#joined = joined
  }

  get size(): number {
    return this.#byId.size
  }

  enter(payment: Payment): void {
    const { id, partner, key } = payment.head
    this.#byId.set(id, payment)
    if (key !== undefined) this.#byKey.set(`${partner} ${key}`, payment)
  }

  byKey(partner: string, key: string): Payment | undefined {
    return this.#byKey.get(`${partner} ${key}`)
  }

  byId(id: TxnId): Payment | undefined {
    return this.#byId.get(id)
  }

  /** The one payment of this id in memory, revived when it is not there yet. */
  of(stored: StoredTxn): Payment | undefined {
    const known = this.#byId.get(stored.id)
    if (known) return known
    const payment = this.#revive(stored)
    if (payment) this.enter(payment)
    return payment
  }

  /**
   * Forgets it when nothing more is to be done here and nobody is on the line: it is final, was
   * never begun, or waits for a person, who will find it in the journal.
   */
  leave(payment: Payment): void {
    if (payment.busy || payment.mailbox.length > 0 || payment.askers.length > 0) return
    const { state } = payment
    if (isFinal(state) || state.tag === 'received' || state.tag === 'suspect') this.forget(payment)
  }

  forget(payment: Payment): void {
    const { id, partner, key } = payment.head
    if (this.#byId.get(id) === payment) this.#byId.delete(id)
    if (key !== undefined && this.byKey(partner, key) === payment)
      this.#byKey.delete(`${partner} ${key}`)
  }

  join(late: Payment, existing: StoredTxn): void {
    this.forget(late)
    const first = this.of(existing)
    if (first) this.#joined(first, late)
  }

  *all(): IterableIterator<Payment> {
    yield* this.#byId.values()
  }
}
