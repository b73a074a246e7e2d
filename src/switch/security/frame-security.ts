import { AssertionFailed, type Clock, errorText, isNadiError, NadiError } from '#base'
import { hsmErrorKind, type PaymentHsm, type ZoneKeyring, type ZoneKeys } from '#hsm'
import { type IsoCodec, type IsoDraft, type IsoMessage, isNetwork } from '#iso8583'
import { Seldom } from '#net'
import type { Log } from '#telemetry'
import { type Carried, type CarriedPin, secretElements, takeOut } from './carried.ts'
import { exchangeMac } from './exchange-mac.ts'
import type { ExchangeSettings } from './exchange-profile.ts'
import { FrameMac, type MacProblem } from './frame-mac.ts'
import { EXCHANGE_ENDS, KeyExchange, type Reply } from './key-exchange.ts'
import type { SecurityProfile } from './profile.ts'

export type FrameSecurityParts = {
  /** Of the link or listener; its keys have the same name. */
  readonly name: string
  readonly codec: IsoCodec
  readonly hsm: PaymentHsm
  readonly keys: ZoneKeyring
  readonly profile: SecurityProfile
  readonly clock: Clock
  readonly log: Log
}

/** Why a frame was not let in: its MAC, or that nobody can tell now. */
export type FrameProblem = MacProblem | 'unavailable'

/** A frame as the rest of the switch sees it: without what nobody may keep, and without its MAC. */
export type Admitted = {
  readonly frame: Uint8Array
  readonly carried: Carried | undefined
  /** Undefined: it is theirs, and whole. */
  readonly problem: FrameProblem | undefined
}

/** What becomes of frames, counted. */
export const SECURITY_COUNTS = [
  ...(['missing', 'wrong', 'no key', 'unreadable', 'unavailable', 'unsealed', 'pin'] as const),
  ...EXCHANGE_ENDS,
] as const
export type SecurityCount = (typeof SECURITY_COUNTS)[number]

type Then = (admitted: Admitted) => void

/**
 * The cryptography of one link or listener. Frames that come are checked and lose their secrets;
 * frames that leave get theirs (PIN block, track data, proof of the session key) and, last, a MAC.
 * The HSM takes its time, so frames may overtake each other: whoever waits finds its own by key.
 */
export class FrameSecurity {
  readonly exchange: KeyExchange | undefined
  readonly #parts: FrameSecurityParts
  readonly #log: Log
  readonly #refusedLog: Seldom
  readonly #mac: FrameMac | undefined
  readonly #keys: ZoneKeys
  readonly #hidden: readonly number[]
  readonly #counts: Record<Exclude<SecurityCount, (typeof EXCHANGE_ENDS)[number]>, number> = {
    missing: 0,
    wrong: 0,
    'no key': 0,
    unreadable: 0,
    unavailable: 0,
    unsealed: 0,
    pin: 0,
  }

  constructor(parts: FrameSecurityParts) {
    const { name, codec, hsm, keys, profile, clock, log } = parts
    this.#parts = parts
    this.#log = log.child({ zone: name })
    this.#refusedLog = new Seldom(clock)
    this.#keys = {
      active: type => keys.active(type),
      accepted: type => [...keys.accepted(type), ...(this.exchange?.pending(type) ?? [])],
    }
    this.#mac = profile.mac && new FrameMac(codec, hsm, this.#keys, profile.mac)
    this.exchange = profile.exchange && this.#exchangeOf(profile.exchange)
    const own = [profile.pin?.field, profile.session?.field, profile.mac?.field, ...profile.card]
    this.#hidden = [...new Set([...secretElements(codec), ...own.filter(isThere)])]
  }

  get counts(): Readonly<Record<SecurityCount, number>> {
    const none = { asked: 0, given: 0, taken: 0, refused: 0, unanswered: 0 }
    return { ...none, ...this.exchange?.counts, ...this.#counts }
  }

  /** Whether a PIN may go this way. */
  get takesPins(): boolean {
    return this.#parts.profile.pin !== undefined
  }

  /**
   * A frame that came: `then` is called once, at once for messages of the line itself, never for
   * those of the key exchange: they are settled by `reply`, with an answer or without. Without a
   * `reply` there is nobody there whom keys are agreed with.
   */
  admit(frame: Uint8Array, then: Then, reply: Reply | undefined): void {
    const { message, error } = this.#parts.codec.parsePartly(frame)
    // Whoever reads it next says what is wrong with it; without its secrets as far as they were found.
    if (error) return then(this.#refused(frame, 'unreadable'))
    if (isNetwork(message.mti)) {
      if (reply && this.exchange?.takes(message)) return this.exchange.take(message, reply)
      return then({ frame, carried: undefined, problem: undefined })
    }
    this.#noteOutcome(message)
    if (!this.#mac) return then(this.#opened(message, undefined))
    void this.#check(this.#mac, message).then(problem => {
      if (problem) this.#refused(frame, problem)
      then(this.#opened(message, problem))
    })
  }

  /**
   * The frame as it leaves: at once where there is nothing to do. Throws, or rejects with,
   * HSM_PIN_BLOCK when the PIN is none, and HSM_UNAVAILABLE or what else the HSM throws when it
   * cannot be made: then it must not leave.
   */
  protect(frame: Uint8Array, carried?: Carried, pan?: string): Uint8Array | Promise<Uint8Array> {
    const { profile, codec } = this.#parts
    if (!carried && !profile.mac && !profile.session) return frame
    const message = codec.parse(frame)
    return isNetwork(message.mti) ? frame : this.#protected(message, carried, pan)
  }

  /** Counts and notes that something could not be protected, and did not leave. */
  notProtected(error: unknown): 'pin' | 'unsealed' {
    if (error instanceof AssertionFailed || !isNadiError(error)) throw error
    const what = error.code === 'HSM_PIN_BLOCK' ? 'pin' : 'unsealed'
    this.#counts[what]++
    const passedOver = this.#refusedLog.take()
    const { code } = error
    if (passedOver !== undefined)
      this.#log.warn('a frame cannot be protected and did not leave', { what, code, passedOver })
    return what
  }

  stop(): void {
    this.exchange?.stop()
  }

  #exchangeOf(settings: ExchangeSettings): KeyExchange {
    const { mac } = this.#parts.profile
    const made =
      settings.mac && this.#mac && mac ? exchangeMac(this.#mac, this.#keys, mac.keyType) : undefined
    return new KeyExchange({ ...this.#parts, settings }, made)
  }

  async #protected(message: IsoMessage, carried?: Carried, pan?: string): Promise<Uint8Array> {
    const { pin, session, card } = this.#parts.profile
    const draft = message.draft()
    if (carried?.pin && pin) draft.set(pin.field, await this.#translated(carried.pin, pan ?? ''))
    for (const number of card) {
      const value = carried?.card.get(number)
      if (value !== undefined) draft.set(number, value)
    }
    if (session) await this.#prove(draft, message)
    return this.#mac ? this.#mac.seal(draft) : draft.build()
  }

  async #check(mac: FrameMac, message: IsoMessage): Promise<FrameProblem | undefined> {
    try {
      const problem = await mac.verify(message)
      const changing = this.exchange?.changing
      if ((problem !== 'wrong' && problem !== 'no key') || !changing) return problem
      // It may be under a key that is just being agreed.
      await changing
      return await mac.verify(message)
    } catch (error) {
      if (hsmErrorKind(error) === undefined) throw error
      this.#log.debug('a MAC cannot be checked', { error: errorText(error) })
      return 'unavailable'
    }
  }

  #opened(message: IsoMessage, problem: FrameProblem | undefined): Admitted {
    const { frame, values } = takeOut(message, this.#hidden)
    const { profile } = this.#parts
    const { pin } = profile
    const block = pin && values.get(pin.field)
    const card = new Map([...values].filter(([number]) => profile.card.includes(number)))
    if (block === undefined && card.size === 0) return { frame, carried: undefined, problem }
    const carriedPin: CarriedPin | undefined =
      pin && block !== undefined
        ? { block, format: pin.format, keys: () => this.#keys.accepted(pin.keyType) }
        : undefined
    return { frame, carried: { pin: carriedPin, card }, problem }
  }

  #refused(frame: Uint8Array, problem: FrameProblem): Admitted {
    this.#counts[problem]++
    const passedOver = this.#refusedLog.take()
    if (passedOver !== undefined) {
      const { length: bytes } = frame
      this.#log.warn('a frame is not let in', { problem, bytes, passedOver })
    }
    return { frame, carried: undefined, problem }
  }

  async #translated({ block, format, keys }: CarriedPin, pan: string): Promise<string> {
    const { pin } = this.#parts.profile
    if (!pin) throw noKey('pin')
    const intoKey = this.#keys.active(pin.keyType)
    const [first, ...others] = keys()
    if (intoKey === undefined || first === undefined) throw noKey(pin.keyType)
    const from = (key: string): Promise<string> => {
      const intoFormat = pin.format
      const { hsm } = this.#parts
      return hsm.translatePin({ key, pinBlock: block, format, pan, intoKey, intoFormat })
    }
    let refusal: unknown
    for (const key of [first, ...others]) {
      try {
        return await from(key)
      } catch (error) {
        // Under another key it looks like no PIN at all.
        if (!isNadiError(error, 'HSM_PIN_BLOCK')) throw error
        refusal = error
      }
    }
    throw refusal
  }

  /** The audit number and FFFF as eight bytes, under the session key. */
  async #prove(draft: IsoDraft, message: IsoMessage): Promise<void> {
    const { session } = this.#parts.profile
    if (!session) return
    await this.exchange?.changing
    const key = this.#keys.active(session.keyType)
    if (key === undefined) throw noKey(session.keyType)
    const clear = `${(message.get(TRACE) ?? '').padStart(TRACE_DIGITS, '0')}FFFF`
    const data = Uint8Array.from(Buffer.from(clear, 'hex'))
    const proof = await this.#parts.hsm.encrypt({ key, mode: 'ecb', data })
    draft.set(session.field, Buffer.from(proof).toString('hex').toUpperCase())
  }

  #noteOutcome(message: IsoMessage): void {
    const { exchange } = this.#parts.profile
    if (exchange?.profile.outcome.stale === undefined) return
    this.exchange?.noteOutcome(message.get(exchange.profile.outcome.field))
  }
}

const TRACE = 11
const TRACE_DIGITS = 12

function noKey(path: string): NadiError {
  return new NadiError('HSM_UNAVAILABLE', { path, hint: 'no key was agreed yet' })
}

function isThere(number: number | undefined): number is number {
  return number !== undefined
}
