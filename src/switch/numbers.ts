import { type Clock, localTime, WIB_OFFSET_MS } from '#base'

const DAY_MS = 86_400_000
/** Numbers in one millisecond, in the last four of a trace's twelve digits. */
const PER_MS = 10_000
/** Nodes that may share one database, and numbers that each may give in one millisecond. */
const NODES = 64
const PER_NODE = Math.floor(PER_MS / NODES)

/** Counts within each millisecond, always on; when one is used up it goes over into the next. */
class Ticks {
  readonly #clock: Clock
  readonly #most: number
  #ms = 0
  #count = 0

  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
  }

  next(): { readonly ms: number; readonly count: number } {
    const nowMs = this.#clock.nowMs()
    if (nowMs > this.#ms) {
      this.#ms = nowMs
      this.#count = 0
    } else if (++this.#count === this.#most) {
      this.#ms++
      this.#count = 0
    }
    return { ms: this.#ms, count: this.#count }
  }
}

/**
 * Audit numbers of 12 digits: milliseconds since midnight WIB (8) and a counter (4). They do not
 * come again on the same day, not after a restart either, and nothing needs to be stored for it.
 */
export class Traces {
  readonly #ticks: Ticks

  constructor(clock: Clock) {
    this.#ticks = new Ticks(clock, PER_MS)
  }

  next(): string {
    const { ms, count } = this.#ticks.next()
    return traceOf(ms, count)
  }
}

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
  readonly #ticks: Ticks
  readonly #first: number

  /** `node` is 0 to 63. */
  constructor(clock: Clock, node: number) {
    this.#ticks = new Ticks(clock, PER_NODE)
    this.#first = (node % NODES) * PER_NODE
  }

  next(): { readonly trace: string; readonly own: string } {
    const { ms, count } = this.#ticks.next()
    const trace = traceOf(ms, this.#first + count)
    return { trace, own: localTime(ms).slice(0, 8) + trace }
  }
}

function traceOf(ms: number, count: number): string {
  return String(((ms + WIB_OFFSET_MS) % DAY_MS) * PER_MS + count).padStart(12, '0')
}
