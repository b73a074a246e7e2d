import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Clock, type Random, type Secret, toHex } from '#base'

export const TOKEN_LASTS_MS = 900_000
const NONCE_BYTES = 16
const FORM = /^([0-9a-z]{8,10})\.([0-9a-f]{32})\.([0-9a-f]{64})$/

/**
 * Tokens that are given to banks. A token proves itself:
 *
 *     mi2k4x9c . 5d0c…  . 91ab…
 *     expiry     nonce    HMAC-SHA256 by the listener's key over listener, bank, expiry and nonce
 *     (ms, in base 36)
 *
 * So every node that has the key takes it, a restart forgets none, and a request costs no look-up: kept
 * in the database, each call of a bank would cost one, and none could be let in while it is away, not
 * even to be told so. The price is that a single token cannot be called back before its 15 minutes are
 * over. A token alone does nothing: each request is signed as well, and a bank that is taken out of the
 * configuration is unknown at once; a new key without the old one ends all tokens.
 *
 * The first key makes tokens, all of them are taken: a key is changed by putting the new one before it
 * and taking the old one away 15 minutes later.
 */
export class SnapTokens {
  readonly #listener: string
  readonly #keys: readonly Secret<string>[]
  readonly #clock: Clock
  readonly #random: Random

  constructor(listener: string, keys: readonly Secret<string>[], clock: Clock, random: Random) {
    this.#listener = listener
    this.#keys = keys
    this.#clock = clock
    this.#random = random
  }

  give(bank: string): string {
    const [newest] = this.#keys
    const expiry = (this.#clock.nowMs() + TOKEN_LASTS_MS).toString(36)
    const nonce = toHex(this.#random.bytes(NONCE_BYTES))
    const mac = newest && this.#mac(newest, bank, expiry, nonce).toString('hex')
    return `${expiry}.${nonce}.${mac}`
  }

  /** Whether this bank was given it, and it still lasts. */
  holds(bank: string, text: string): boolean {
    const [, expiry = '', nonce = '', mac = ''] = FORM.exec(text) ?? []
    const given = Buffer.from(mac, 'hex')
    const made = this.#keys.map(key => this.#mac(key, bank, expiry, nonce))
    const ours = made.filter(one => one.length === given.length && timingSafeEqual(one, given))
    return ours.length > 0 && parseInt(expiry, 36) > this.#clock.nowMs()
  }

  #mac(key: Secret<string>, bank: string, expiry: string, nonce: string): Buffer {
    const parts = ['nadi-snap-token-1', this.#listener, bank, expiry, nonce]
    return createHmac('sha256', key.reveal()).update(parts.join('\n')).digest()
  }
}
