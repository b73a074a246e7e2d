import type { CircuitOptions } from './options.ts'

/**
 * The newest requests of a link, well answered or failed, as a ring: what is older than the window
 * or pushed out by newer ones does not count.
 */
export class FailureRate {
  readonly #options: CircuitOptions
  readonly #atMs: Float64Array
  readonly #failed: Uint8Array
  #oldest = 0
  #count = 0
  #failures = 0

  constructor(options: CircuitOptions) {
    this.#options = options
    this.#atMs = new Float64Array(options.countMax)
    this.#failed = new Uint8Array(options.countMax)
  }

  /** Whether too many have failed, with this one. */
  record(failed: boolean, nowMs: number): boolean {
    const { countMax, windowMs, countMin, failureRate } = this.#options
    while (this.#count > 0 && this.#isPast(nowMs - windowMs)) this.#dropOldest()
    if (this.#count === countMax) this.#dropOldest()
    const at = (this.#oldest + this.#count) % countMax
    this.#atMs[at] = nowMs
    this.#failed[at] = failed ? 1 : 0
    this.#count++
    if (failed) this.#failures++
    return failed && this.#count >= countMin && this.#failures / this.#count >= failureRate
  }

  clear(): void {
    this.#oldest = this.#count = this.#failures = 0
  }

  #isPast(atMs: number): boolean {
    return (this.#atMs[this.#oldest] ?? 0) < atMs
  }

  #dropOldest(): void {
    this.#failures -= this.#failed[this.#oldest] ?? 0
    this.#oldest = (this.#oldest + 1) % this.#options.countMax
    this.#count--
  }
}
