import { type Clock, localTime, WIB_OFFSET_MS } from '#base'

/** Nodes that may share one database, and numbers that each may give in one millisecond. */
const NODES = 64
const PER_NODE = Math.floor(10_000 / NODES)

/**
 * Our numbers toward counterparts over HTTP, whichever link they go by:
 *
 *     20261125 33300125 0469
 *     ───┬──── ───┬──── ─┬──
 *      date   ms of the  the node's share
 *     (WIB)   day (WIB)  of a counter
 *
 * The last twelve digits are the trace, all twenty the own reference, which never comes again: not
 * on another link of the same biller, not on another node, and not after a restart.
 */
export class OwnNumbers {
  readonly #clock: Clock
  readonly #first: number
  #lastMs = 0
  #count = 0

  /** `node` is 0 to 63. */
  constructor(clock: Clock, node: number) {
    this.#clock = clock
    this.#first = (node % NODES) * PER_NODE
  }

  next(): { readonly trace: string; readonly own: string } {
    const nowMs = this.#clock.nowMs()
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs
      this.#count = 0
    } else if (++this.#count === PER_NODE) {
      this.#lastMs++
      this.#count = 0
    }
    const sinceMidnightMs = (this.#lastMs + WIB_OFFSET_MS) % 86_400_000
    const counter = this.#first + this.#count
    const trace = String(sinceMidnightMs * 10_000 + counter).padStart(12, '0')
    return { trace, own: localTime(this.#lastMs).slice(0, 8) + trace }
  }
}
