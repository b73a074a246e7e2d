import { type Clock, NadiError, type Random } from '#base'
import type { WaitingActView } from './api.ts'
import type { Act, Doer } from './acts.ts'

type Waiting = WaitingActView & { readonly run: (who: Doer) => Promise<unknown>; readonly of: Act }

/** Whoever was asked has so long to approve. */
const WITHIN_MS = 4 * 3_600_000
const WAITING_MAX = 100
const ID_BYTES = 5

/**
 * Acts that one operator asked for and another one has to approve. They wait in memory: a restart
 * forgets them, and whoever asked asks again.
 */
export class Approvals {
  readonly #clock: Clock
  readonly #random: Random
  readonly #needed: ReadonlySet<string>
  readonly #waiting = new Map<string, Waiting>()

  constructor(needed: ReadonlySet<string>, clock: Clock, random: Random) {
    this.#needed = needed
    this.#clock = clock
    this.#random = random
  }

  /** Whether one of these acts takes two. */
  needs(names: readonly string[]): boolean {
    return names.some(name => this.#needed.has(name))
  }

  get list(): readonly WaitingActView[] {
    this.#dropLate()
    return [...this.#waiting.values()].map(({ run: _run, of: _of, ...view }) => view)
  }

  /** Throws ADMIN_BAD_REQUEST when too many wait. */
  add(of: Act, run: Waiting['run']): WaitingActView {
    this.#dropLate()
    if (this.#waiting.size >= WAITING_MAX)
      throw new NadiError('ADMIN_BAD_REQUEST', { hint: `${WAITING_MAX} acts wait for approval` })
    const id = Buffer.from(this.#random.bytes(ID_BYTES)).toString('hex').toUpperCase()
    const { act, subject, by, reason, detail } = of
    const askedAtMs = this.#clock.nowMs()
    const expiresAtMs = askedAtMs + WITHIN_MS
    const view = { id, act, subject, by, reason, askedAtMs, expiresAtMs, ...(detail && { detail }) }
    this.#waiting.set(id, { ...view, run, of })
    return view
  }

  /**
   * Takes it out, so that it is done once. Throws ADMIN_NO_SUCH_ACT, and KEY_DUAL_CONTROL for the
   * operator who asked.
   */
  take(id: string, by: string): Waiting {
    const waiting = this.#find(id)
    if (waiting.by === by) throw new NadiError('KEY_DUAL_CONTROL', { path: id, actual: by })
    this.#waiting.delete(waiting.id)
    return waiting
  }

  /** Anybody may, also who asked. Throws ADMIN_NO_SUCH_ACT. */
  drop(id: string): Waiting {
    const waiting = this.#find(id)
    this.#waiting.delete(waiting.id)
    return waiting
  }

  #find(id: string): Waiting {
    this.#dropLate()
    const waiting = this.#waiting.get(id.toUpperCase())
    if (waiting) return waiting
    throw new NadiError('ADMIN_NO_SUCH_ACT', { path: id })
  }

  #dropLate(): void {
    const nowMs = this.#clock.nowMs()
    for (const { id, expiresAtMs } of this.#waiting.values())
      if (expiresAtMs <= nowMs) this.#waiting.delete(id)
  }
}
