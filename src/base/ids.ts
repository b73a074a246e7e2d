import { assert } from './assert.ts'
import type { Brand } from './brand.ts'
import type { Clock } from './clock.ts'

/**
 * Names one txn, in 60 bits that sort by time:
 *
 *     59            19 18      13 12           0
 *     ┌───────────────┬──────────┬──────────────┐
 *     │ ms since 2026 │ node 0‥63│ sequence     │
 *     └───────────────┴──────────┴──────────────┘
 *        41 bits         6 bits     13 bits
 *
 * Printed as 12 characters of Crockford's base 32 (no I, L, O, U), so that it can be read out
 * on the telephone, and as 15 hexadecimal digits inside references.
 */
export type TxnId = Brand<bigint, 'TxnId'>

const EPOCH_MS = Date.UTC(2026, 0, 1)
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

export class TxnIds {
  readonly #clock: Clock
  readonly #node: bigint
  #lastMs: number
  #sequence = 0

  /** `after` is the newest id the journal holds: ids keep rising even if the clock was set back. */
  constructor(clock: Clock, node: number, after?: TxnId) {
    assert(node >= 0 && node < 64, 'node numbers go from 0 to 63')
    this.#clock = clock
    this.#node = BigInt(node) << 13n
    this.#lastMs = after === undefined ? 0 : txnIdMs(after) + 1
  }

  next(): TxnId {
    const nowMs = this.#clock.nowMs()
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs
      this.#sequence = 0
    } else if (++this.#sequence === 8192) {
      this.#lastMs++ // borrowed from the future, and given back as the clock catches up
      this.#sequence = 0
    }
    return ((BigInt(this.#lastMs - EPOCH_MS) << 19n) | this.#node | BigInt(this.#sequence)) as TxnId
  }
}

/** When the id was given out, in milliseconds since 1970. */
export function txnIdMs(id: TxnId): number {
  return Number(id >> 19n) + EPOCH_MS
}

export function formatTxnId(id: TxnId): string {
  let text = ''
  for (let shift = 55n; shift >= 0n; shift -= 5n) text += ALPHABET[Number((id >> shift) & 31n)]
  return text
}

/** Reads what `formatTxnId` wrote, in either case and with the letters people confuse; else undefined. */
export function parseTxnId(text: string): TxnId | undefined {
  const clean = text.toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1')
  if (clean.length !== 12) return undefined
  let id = 0n
  for (const char of clean) {
    const value = ALPHABET.indexOf(char)
    if (value < 0) return undefined
    id = (id << 5n) | BigInt(value)
  }
  return id as TxnId
}
