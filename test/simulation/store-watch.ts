import type { TxnId } from '#base'
import type { MemoryStore } from '#journal'
import type { Message } from '#message'

/**
 * Looks into what is durable, independently of the switch: which requests to the biller have a
 * durable intent and hold, and whether the money still adds up.
 */
export class StoreWatch {
  readonly #store: MemoryStore
  /** Txns by the audit number that their payment went out under. */
  readonly #byTrace = new Map<string, TxnId>()
  #seen = 0

  constructor(store: MemoryStore) {
    this.#store = store
  }

  /** What is wrong with a payment request that is about to reach the biller; undefined when nothing. */
  mayLeave(trace: string): string | undefined {
    const id = this.#find(trace)
    const txn = id === undefined ? undefined : this.#store.txns.get(id)
    if (!txn) return `payment ${trace} left without a durable intent`
    const held = txn.postings.flatMap(({ legs }) => legs).filter(leg => leg.account === 'hold')
    if (held.length === 0) return `payment ${trace} left without a durable hold`
    return undefined
  }

  /** Every partner's accounts add up to zero, and no deposit is below it. */
  money(): string | undefined {
    for (const [partner, accounts] of this.#store.balances) {
      let total = 0n
      for (const balance of accounts.values()) total += balance
      if (total !== 0n) return `the accounts of ${partner} add up to ${total}`
      if ((accounts.get('deposit') ?? 0n) < 0n) return `the deposit of ${partner} is below zero`
    }
    return undefined
  }

  #find(trace: string): TxnId | undefined {
    const known = this.#byTrace.get(trace)
    if (known !== undefined) return known
    // Payments are many and stay; only what came since the last look is new, but a route change
    // may add a record to an older one, so those that are open are looked at again.
    let at = 0
    for (const [id, txn] of this.#store.txns) {
      if (at++ < this.#seen && !this.#store.open.has(id)) continue
      for (const { dataText } of txn.records) {
        if (!dataText.includes('"sent"')) continue
        const { sent } = JSON.parse(dataText) as { sent?: Message }
        if (sent) this.#byTrace.set(sent.trace, id)
      }
    }
    this.#seen = Math.max(0, at - 1000)
    return this.#byTrace.get(trace)
  }
}
