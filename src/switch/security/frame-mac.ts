import { isNadiError, NadiError } from '#base'
import type { KeyTypeName, MacAlgorithm, PaymentHsm, ZoneKeys } from '#hsm'
import { type IsoCodec, type IsoDraft, type IsoMessage, isNetwork } from '#iso8583'

/**
 * How one counterpart protects its messages, as its document says it. A MAC stands in the last
 * element of its bitmap and covers what is before it:
 *
 *     ┌──────┬────────┬─────────────────────────────┬──────────────┐
 *     │ MTI  │ bitmap │ elements                    │ 64 or 128    │
 *     └──────┴────────┴─────────────────────────────┴──────────────┘
 *       covers: message  ◀───────────────────────▶     MAC, filled up with zeros
 *       covers: [2, 3, 4, 11]   the values of these, one after another
 */
export type MacProfile = {
  readonly field: 64 | 128
  readonly algorithm: MacAlgorithm
  readonly padding: 1 | 2 | 3
  /** The leftmost so many bytes of the MAC; the element has eight. */
  readonly macBytes: 4 | 8
  readonly keyType: KeyTypeName
  readonly covers: 'message' | readonly number[]
}

/** Why a frame may not come in. Says nothing of what is in it. */
export type MacProblem = 'missing' | 'wrong' | 'no key' | 'unreadable'

const FIELD_BYTES = 8
/** Room for it, before it is known. */
const NO_MAC = '0'.repeat(FIELD_BYTES * 2)

/** MACs of one link or listener: put on what leaves, checked on what comes. */
export class FrameMac {
  readonly #codec: IsoCodec
  readonly #hsm: PaymentHsm
  readonly #keys: ZoneKeys
  readonly #profile: MacProfile

  constructor(codec: IsoCodec, hsm: PaymentHsm, keys: ZoneKeys, profile: MacProfile) {
    this.#codec = codec
    this.#hsm = hsm
    this.#keys = keys
    this.#profile = profile
  }

  /**
   * The frame with its MAC, under the key that is active now. Messages of the line itself (sign-on,
   * echo, key exchange) go without. Throws HSM_UNAVAILABLE while there is no key, and what the HSM
   * throws.
   */
  async protect(frame: Uint8Array): Promise<Uint8Array> {
    const message = this.#codec.parse(frame)
    return isNetwork(message.mti) ? frame : this.seal(message.draft())
  }

  /** The same for a message that is still being written. */
  async seal(draft: IsoDraft): Promise<Uint8Array> {
    const { field, keyType } = this.#profile
    const key = this.#keys.active(keyType)
    if (key === undefined) throw noKey(keyType)
    const made = this.#codec.parse(draft.set(field, NO_MAC).build())
    const mac = await this.#hsm.generateMac(this.#request(key, made))
    putMac(made.raw(field) as Uint8Array, mac)
    return made.frame
  }

  /** Undefined when it holds, under the active key or the one before it while they overlap. */
  async check(frame: Uint8Array): Promise<MacProblem | undefined> {
    const message = this.#parsed(frame)
    if (!message) return 'unreadable'
    return isNetwork(message.mti) ? undefined : this.verify(message)
  }

  /** The same for a frame that was read. */
  async verify(message: IsoMessage): Promise<Exclude<MacProblem, 'unreadable'> | undefined> {
    const { field, keyType, macBytes } = this.#profile
    const given = message.get(field)
    if (given === undefined) return 'missing'
    const keys = this.#keys.accepted(keyType)
    if (keys.length === 0) return 'no key'
    const mac = Buffer.from(given, 'hex').subarray(0, macBytes)
    for (const key of keys)
      if (await this.#hsm.verifyMac({ ...this.#request(key, message), mac })) return undefined
    return 'wrong'
  }

  #parsed(frame: Uint8Array): IsoMessage | undefined {
    try {
      return this.#codec.parse(frame)
    } catch (error) {
      if (isNadiError(error)) return undefined
      throw error
    }
  }

  #request(key: string, message: IsoMessage) {
    const { algorithm, padding, macBytes } = this.#profile
    return { key, algorithm, padding, macBytes, data: this.#covered(message) }
  }

  #covered(message: IsoMessage): Uint8Array {
    const { covers, field } = this.#profile
    if (covers === 'message') {
      const mac = message.raw(field) as Uint8Array
      return message.frame.subarray(0, mac.byteOffset - message.frame.byteOffset)
    }
    return Buffer.concat(covers.map(number => message.raw(number) ?? new Uint8Array(0)))
  }
}

/** Eight bytes, or sixteen hexadecimal digits, as the dialect writes its binary elements. */
function putMac(place: Uint8Array, mac: Uint8Array): void {
  if (place.length === FIELD_BYTES) return place.set(mac)
  place.set(Buffer.from(Buffer.from(mac).toString('hex').toUpperCase(), 'latin1'))
}

function noKey(type: KeyTypeName): NadiError {
  return new NadiError('HSM_UNAVAILABLE', { path: type, hint: 'no key was agreed yet' })
}
