import { AssertionFailed, type Clock, errorText } from '#base'
import type { Caller } from './caller.ts'
import type { ExchangeEnd } from './exchange.ts'
import type { Grant, HttpSessionDialect } from './options.ts'

/** Renewed when a fifth of its life is left, at most a minute before its end. */
const EARLY_PART = 0.2
const EARLY_MS_MAX = 60_000
/** Not used in its last moments: it must still be good when the request arrives. */
const EDGE_MS = 1_000
/** When an early renewal failed, the next one is tried after this long. */
const AGAIN_MS = 5_000

type Held = { readonly token: string; readonly renewAtMs: number; readonly endsAtMs: number }

/**
 * The token of a link: fetched once however many ask for it, renewed in the background before it
 * ends, and fetched anew when the other side does not take it any more.
 */
export class TokenKeeper {
  readonly #fetch: () => Promise<Grant | undefined>
  readonly #clock: Clock
  readonly #told: (granted: boolean) => void
  #held: Held | undefined
  #fetching: Promise<boolean> | undefined
  #notBeforeMs = 0

  /** `told` hears how each fetch ended; false: there is no token that is good. */
  constructor(
    fetch: () => Promise<Grant | undefined>,
    clock: Clock,
    told: (granted: boolean) => void,
  ) {
    this.#fetch = fetch
    this.#clock = clock
    this.#told = told
  }

  get good(): boolean {
    return this.#held !== undefined && this.#clock.nowMs() < this.#held.endsAtMs
  }

  /** A token that is good now; waits for one that is being fetched. Undefined when none is to be had. */
  async take(): Promise<string | undefined> {
    if (this.good) {
      const nowMs = this.#clock.nowMs()
      if (nowMs >= (this.#held?.renewAtMs ?? 0) && nowMs >= this.#notBeforeMs) void this.renew()
      return this.#held?.token
    }
    await this.renew()
    return this.good ? this.#held?.token : undefined
  }

  /** They do not take this one. A newer one that is here by now stays. */
  refuse(token: string | undefined): void {
    if (this.#held?.token === token) this.#held = undefined
  }

  /** Whether there is a good token afterwards. */
  renew(): Promise<boolean> {
    this.#fetching ??= this.#run().finally(() => (this.#fetching = undefined))
    return this.#fetching
  }

  async #run(): Promise<boolean> {
    const granted = await this.#fetch()
    const nowMs = this.#clock.nowMs()
    if (granted) {
      const { token, expiresInMs } = granted
      const earlyMs = Math.min(expiresInMs * EARLY_PART, EARLY_MS_MAX)
      const endsAtMs = nowMs + Math.max(expiresInMs - EDGE_MS, expiresInMs / 2)
      this.#held = { token, renewAtMs: nowMs + expiresInMs - earlyMs, endsAtMs }
    } else this.#notBeforeMs = nowMs + AGAIN_MS
    this.#told(this.good)
    return this.good
  }
}

/** Asks for a token; undefined when it is not given, and `refused` hears why. */
export function fetchToken(
  session: HttpSessionDialect,
  caller: Caller,
  endsAtMs: number,
  refused: (error: string) => void,
): Promise<Grant | undefined> {
  return new Promise(resolve => {
    const no = (error: string): void => {
      refused(error)
      resolve(undefined)
    }
    const onEnd = (end: ExchangeEnd): void => {
      if (end.tag !== 'answered') return no(end.error)
      const grant = session.read(end.frame)
      if (grant) resolve(grant)
      else no(`status ${end.status}`)
    }
    try {
      caller.exchange({ frame: session.request(), endsAtMs, onEnd })?.start()
    } catch (error) {
      if (error instanceof AssertionFailed) throw error
      no(errorText(error))
    }
  })
}
