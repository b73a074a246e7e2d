import { type Clock, NadiError } from '#base'
import {
  hsmErrorKind,
  type KeyCause,
  type KeyTypeName,
  type MadeKey,
  type PaymentHsm,
  type ZoneKeyring,
} from '#hsm'
import { type Offered, sameCheckValue } from './exchange-layout.ts'
import type { ExchangeSettings } from './exchange-profile.ts'

type Parts = {
  /** Of the link or listener. */
  readonly name: string
  readonly hsm: PaymentHsm
  readonly keys: ZoneKeyring
  readonly settings: ExchangeSettings
  readonly clock: Clock
}

/** A key, and the same as the counterpart gets it: under the ZMK. */
export type ForThem = { readonly made: MadeKey; readonly out: MadeKey }

/** The keys of an exchange: what of them comes in, what goes out, which is under way. */
export class ExchangeKeys {
  readonly #parts: Parts
  readonly #giving = new Set<KeyTypeName>()
  readonly #arrivals = new Map<KeyTypeName, () => void>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Undefined when the key is active now; else why it is not. Throws when the HSM or the store is away. */
  async takeIn(
    { type, wrapped, checkValue }: Offered,
    cause: KeyCause,
  ): Promise<string | undefined> {
    const { hsm, keys, settings } = this.#parts
    // Two new keys at once would end as the active one of one side each.
    if (this.#giving.has(type)) return 'one of ours is on its way'
    let made: MadeKey
    try {
      made = await hsm.importKey(type, wrapped, this.#zmk(), settings.profile.parity)
    } catch (error) {
      const kind = hsmErrorKind(error)
      if (kind === undefined || kind === 'unavailable') throw error
      return `the HSM does not take it (${kind})`
    }
    if (checkValue !== undefined && !sameCheckValue(made.checkValue, checkValue))
      return 'its check value is another'
    await keys.agree(type, made, cause)
    this.#arrivals.get(type)?.()
    return undefined
  }

  /** While a key of ours is under way, none of theirs is taken. */
  async giving<T>(type: KeyTypeName, step: () => Promise<T>): Promise<T> {
    this.#giving.add(type)
    try {
      return await step()
    } finally {
      this.#giving.delete(type)
    }
  }

  /** The key that was offered and not confirmed, else a new one; on record before it is told. */
  async toOffer(type: KeyTypeName, cause: KeyCause): Promise<ForThem> {
    const { keys } = this.#parts
    const offered = keys.offered(type)
    if (offered) return { made: offered, out: await this.#sealed(offered.key) }
    const fresh = await this.make(type)
    await keys.offer(type, fresh.made, cause)
    return fresh
  }

  agree(type: KeyTypeName, made: MadeKey, cause: KeyCause): Promise<void> {
    return this.#parts.keys.agree(type, made, cause)
  }

  withdraw(type: KeyTypeName, cause: KeyCause): Promise<void> {
    return this.#parts.keys.withdraw(type, cause)
  }

  /** A new key, of the kind of the active one. */
  async make(type: KeyTypeName): Promise<ForThem> {
    const { hsm, keys } = this.#parts
    const before = keys.active(type)
    const kind = before === undefined ? undefined : (await hsm.describeKey(before)).kind
    const made = await hsm.generateKey(type, kind)
    return { made, out: await this.#sealed(made.key) }
  }

  /** True as soon as a new key of this type is active. */
  arrival(type: KeyTypeName, timeoutMs: number): Promise<boolean> {
    const { clock } = this.#parts
    return new Promise(resolve => {
      const callOff = clock.at(clock.nowMs() + timeoutMs, () => {
        if (this.#arrivals.get(type) === arrived) this.#arrivals.delete(type)
        resolve(false)
      })
      const arrived = (): void => {
        this.#arrivals.delete(type)
        callOff()
        resolve(true)
      }
      this.#arrivals.set(type, arrived)
    })
  }

  failed(type: KeyTypeName, hint: string): NadiError {
    return new NadiError('KEY_EXCHANGE', { path: `${this.#parts.name} ${type}`, hint })
  }

  #sealed(key: string): Promise<MadeKey> {
    const { written } = this.#parts.settings.profile
    return this.#parts.hsm.exportKey(key, this.#zmk(), written === 'bare' ? 'X' : written)
  }

  #zmk(): string {
    const zmk = this.#parts.keys.active('ZMK')
    if (zmk === undefined) throw this.failed('ZMK', 'the zone has none')
    return zmk
  }
}
