import type { Clock } from '#base'

/** The clock of one process: when the process dies, nothing that it was waiting for happens any more. */
export class MortalClock implements Clock {
  readonly #clock: Clock
  #dead = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  at(atMs: number, run: () => void): () => void {
    return this.#clock.at(atMs, () => {
      if (!this.#dead) run()
    })
  }

  die(): void {
    this.#dead = true
  }
}
