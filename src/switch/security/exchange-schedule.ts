import type { Clock } from '#base'
import type { KeyTypeName, ZoneKeyring } from '#hsm'
import type { ExchangeSettings } from './exchange-profile.ts'

type Parts = {
  readonly settings: ExchangeSettings
  readonly keys: ZoneKeyring
  readonly clock: Clock
  /** Agrees a new key, or fails and says so; resolves in either case. */
  renew(type: KeyTypeName): Promise<unknown>
}

/** An exchange that failed is not tried again before this is over. */
const AGAIN_MS = 600_000

/**
 * When keys are due: each is renewed when it has been active for as long as it may, whatever
 * happened meanwhile. So a restart puts nothing off, and a key that was agreed in between (by an
 * operator, by the other side) begins a new span.
 */
export class ExchangeSchedule {
  readonly #parts: Parts
  readonly #failedMs = new Map<KeyTypeName, number>()
  #callOff: (() => void) | undefined
  #running = false
  #startedMs = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** A line that comes and goes changes nothing. */
  start(): void {
    if (this.#running || this.#parts.settings.everyMs === 0) return
    this.#running = true
    this.#startedMs = this.#parts.clock.nowMs()
    this.#arm()
  }

  stop(): void {
    this.#running = false
    this.#callOff?.()
    this.#callOff = undefined
  }

  #arm(): void {
    const { settings, clock } = this.#parts
    const dues = settings.keys.map(type => this.#dueMs(type))
    this.#callOff = clock.at(Math.max(Math.min(...dues), clock.nowMs()), () => void this.#renew())
  }

  async #renew(): Promise<void> {
    const { settings, clock } = this.#parts
    for (const type of settings.keys) {
      if (this.#dueMs(type) > clock.nowMs()) continue
      await this.#parts.renew(type)
      if (this.#dueMs(type) <= clock.nowMs()) this.#failedMs.set(type, clock.nowMs())
    }
    if (this.#running) this.#arm()
  }

  /** One that never was agreed is begun when the line comes up: here only if that failed. */
  #dueMs(type: KeyTypeName): number {
    const { settings, keys } = this.#parts
    const pauseMs = Math.min(AGAIN_MS, settings.everyMs)
    const sinceMs = keys.activeSinceMs(type)
    const dueMs = sinceMs === undefined ? this.#startedMs + pauseMs : sinceMs + settings.everyMs
    const failedMs = this.#failedMs.get(type)
    return failedMs === undefined ? dueMs : Math.max(dueMs, failedMs + pauseMs)
  }
}
