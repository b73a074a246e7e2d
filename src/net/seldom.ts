import type { Clock } from '#base'

/**
 * Says whether a line may be logged: once in a while, however often it happens. A hostile peer
 * must not be able to fill the disk, and the one line that is written tells how many were not.
 */
export class Seldom {
  readonly #clock: Clock
  readonly #everyMs: number
  #nextMs = 0
  #passedOver = 0

  constructor(clock: Clock, everyMs = 1000) {
    this.#clock = clock
    this.#everyMs = everyMs
  }

  /** How many were passed over since the last time, or undefined when this one is, too. */
  take(): number | undefined {
    const nowMs = this.#clock.nowMs()
    if (nowMs < this.#nextMs) {
      this.#passedOver++
      return undefined
    }
    this.#nextMs = nowMs + this.#everyMs
    const count = this.#passedOver
    this.#passedOver = 0
    return count
  }
}
