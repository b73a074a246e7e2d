import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { assert, type Random, type Secret } from '#base'
import type { Card, Message } from '#message'

/**
 * Card numbers and expiry dates, and PANs of those who pay by a code, inside of the switch. What
 * the journal keeps of a message is text that anyone may read who may read the database, and a reversal needs the number again, days
 * later; so it stands in messages as
 *
 *     sealed:  nonce 12 B ‖ AES-256-GCM ‖ tag 16 B, in base64
 *
 * from the source on, and is opened where a frame is written.
 */
export class CardVault {
  readonly #key: KeyObject
  readonly #random: Random

  /** The key has 32 bytes; without it what is sealed cannot be read any more. */
  constructor(key: Secret<Uint8Array>, random: Random) {
    assert(key.reveal().length === 32, 'the key of the card vault has 32 bytes')
    this.#key = createSecretKey(key.reveal())
    this.#random = random
  }

  /** A copy with those parts sealed; the message itself where it has none. */
  hide(message: Message): Message {
    return changed(message, text => this.#seal(text))
  }

  /** The other way round. */
  show(message: Message): Message {
    return changed(message, text => this.#open(text))
  }

  #seal(text: string): string {
    if (text.startsWith(MARK)) return text
    const nonce = this.#random.bytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce)
    const sealed = [nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]
    return MARK + Buffer.concat(sealed).toString('base64')
  }

  #open(text: string): string {
    if (!text.startsWith(MARK)) return text
    const bytes = Buffer.from(text.slice(MARK.length), 'base64')
    assert(bytes.length >= NONCE_BYTES + TAG_BYTES, 'a sealed card number')
    const nonce = bytes.subarray(0, NONCE_BYTES)
    const options = { authTagLength: TAG_BYTES }
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, options)
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    const clear = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
    return Buffer.concat([clear, decipher.final()]).toString()
  }
}

const MARK = 'sealed:'
const NONCE_BYTES = 12
const TAG_BYTES = 16

function changed(message: Message, change: (text: string) => string): Message {
  const { card, qr } = message
  if (!card && qr?.customerPan === undefined) return message
  return {
    ...message,
    ...(card && { card: each(card, change) }),
    ...(qr?.customerPan !== undefined && { qr: { ...qr, customerPan: change(qr.customerPan) } }),
  }
}

function each(card: Card, change: (text: string) => string): Card {
  const entries = Object.entries(card) as [keyof Card, string][]
  return Object.fromEntries(entries.map(([part, text]) => [part, change(text)]))
}
