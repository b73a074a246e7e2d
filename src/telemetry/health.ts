import { type Clock, errorText } from '#base'

export type HealthReport = { readonly ok: boolean; readonly reasons: readonly string[] }

/** True when all is well; else a sentence about what is not. */
export type HealthCheck = () => true | string

const BEAT_MS = 500
/** An event loop that has not turned for this long serves nobody. */
const STALL_MS = 5000

/**
 * Two questions, kept apart. `healthz`: does the process live and turn? No means restart it.
 * `readyz`: can it serve payments now? No means send partners elsewhere, and wait.
 */
export class Health {
  readonly #clock: Clock
  readonly #checks = new Map<string, HealthCheck>()
  #beatAtMs: number
  #stop: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#beatAtMs = clock.nowMs()
  }

  /** Begins to watch whether the event loop turns. */
  start(): void {
    this.#beatAtMs = this.#clock.nowMs()
    this.#stop = this.#clock.at(this.#beatAtMs + BEAT_MS, () => this.start())
  }

  stop(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  /** Serving payments needs this; a check of the same name takes the place of the one before. */
  needs(name: string, check: HealthCheck): void {
    this.#checks.set(name, check)
  }

  healthz(): HealthReport {
    const lagMs = this.#clock.nowMs() - this.#beatAtMs - BEAT_MS
    if (!this.#stop || lagMs < STALL_MS) return { ok: true, reasons: [] }
    return { ok: false, reasons: [`the event loop has not turned for ${lagMs} ms`] }
  }

  readyz(): HealthReport {
    const reasons = [...this.#checks].flatMap(([name, check]) => {
      const answer = ask(check)
      return answer === true ? [] : [`${name}: ${answer}`]
    })
    return { ok: reasons.length === 0, reasons }
  }
}

function ask(check: HealthCheck): true | string {
  try {
    return check()
  } catch (error) {
    return errorText(error)
  }
}
