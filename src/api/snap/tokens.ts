import { type Clock, type Random, toHex } from '#base'

export const TOKEN_LASTS_MS = 900_000
/** Of one bank; above it its oldest ends early. A bank of many machines has one each. */
const TOKENS_MAX = 64
const TOKEN_BYTES = 32

type Token = { readonly bank: string; readonly untilMs: number }

/** Tokens that were given to banks. In memory: after a restart they are told to fetch a new one. */
export class SnapTokens {
  readonly #clock: Clock
  readonly #random: Random
  /** In the order in which they were given. */
  readonly #tokens = new Map<string, Token>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  give(bank: string): string {
    const nowMs = this.#clock.nowMs()
    const own: string[] = []
    for (const [text, token] of this.#tokens) {
      if (token.untilMs <= nowMs) this.#tokens.delete(text)
      else if (token.bank === bank) own.push(text)
    }
    for (const text of own.slice(0, Math.max(0, own.length - TOKENS_MAX + 1)))
      this.#tokens.delete(text)
    const text = toHex(this.#random.bytes(TOKEN_BYTES))
    this.#tokens.set(text, { bank, untilMs: nowMs + TOKEN_LASTS_MS })
    return text
  }

  /** Whether this bank was given it, and it still lasts. */
  holds(bank: string, text: string): boolean {
    const token = this.#tokens.get(text)
    return token !== undefined && token.bank === bank && token.untilMs > this.#clock.nowMs()
  }
}
