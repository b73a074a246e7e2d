import { type Clock, isNadiError, NadiError } from '#base'
import type { KeyTypeName, MadeKey, PaymentHsm, ZoneKeyring } from '#hsm'
import { hsmErrorKind } from '#hsm'
import { type IsoCodec, type IsoMessage, isNetwork, isResponse } from '#iso8583'
import type { Log } from '#telemetry'
import {
  type Offered,
  readOffer,
  readWanted,
  sameCheckValue,
  writeOffer,
  writeWanted,
} from './exchange-layout.ts'
import type { ExchangeSettings } from './exchange-profile.ts'

export type KeyExchangeParts = {
  /** Of the link or listener. */
  readonly name: string
  readonly codec: IsoCodec
  readonly hsm: PaymentHsm
  readonly keys: ZoneKeyring
  readonly settings: ExchangeSettings
  readonly clock: Clock
  readonly log: Log
}

/** The way to the other end. */
export type ExchangeLine = {
  /** A message of the line in its dialect (an echo), to be made into one of the exchange. */
  blank(): Uint8Array | undefined
  /** False when there is no line. */
  tell(frame: Uint8Array): boolean
}

/**
 *   asked       we asked for a key and got one
 *   given       we made one and they took it
 *   taken       they made one and we took it
 *   refused     no good key: its check value, its wrapping, its kind; or they refused ours
 *   unanswered  nobody answered; they may have it or not, so the same one is given again
 */
export const EXCHANGE_ENDS = ['asked', 'given', 'taken', 'refused', 'unanswered'] as const

/** Called once for each message of the exchange that comes. */
export type Reply = (answer: Uint8Array | undefined) => void

/**
 * New working keys agreed with the counterpart over the line, under the ZMK of the zone. A new key
 * is active once it is durable and the answer says so; the one before is accepted for the overlap.
 *
 *   we ask    ──asks──▶          ◀─answer with the key─ or ◀─taken─ and ◀──gives──
 *   we give   ──gives key──▶     ◀─taken─      active on both sides
 *   they …    the same from the other side
 *
 * A repeat changes nothing: a key that is active already is only confirmed, and one that was not
 * answered is given again, not replaced by another.
 */
export class KeyExchange {
  readonly counts = Object.fromEntries(EXCHANGE_ENDS.map(end => [end, 0])) as Record<
    (typeof EXCHANGE_ENDS)[number],
    number
  >
  readonly #parts: KeyExchangeParts
  readonly #log: Log
  readonly #waiting = new Map<string, (answer: IsoMessage | undefined) => void>()
  /** Keys that we gave and that were not answered: they may come in already. */
  readonly #given = new Map<KeyTypeName, MadeKey>()
  readonly #giving = new Set<KeyTypeName>()
  readonly #arrivals = new Map<KeyTypeName, () => void>()
  #line: ExchangeLine | undefined
  #incoming: Promise<void> = Promise.resolve()
  #outgoing: Promise<void> = Promise.resolve()
  #changing: Promise<void> | undefined
  #answered: { readonly trace: string; readonly frame: Uint8Array } | undefined
  #traces: number
  /** Of the next exchange that is due; a line that comes and goes does not put it off. */
  #callOff: (() => void) | undefined

  constructor(parts: KeyExchangeParts) {
    this.#parts = parts
    this.#log = parts.log.child({ zone: parts.name })
    this.#traces = Math.floor(parts.clock.nowMs() / 1000) % TRACES
  }

  /** While keys change: resolves when that is over, and what did not fit may be tried once more. */
  get changing(): Promise<void> | undefined {
    return this.#changing
  }

  /** What may come in besides the keys of the ring. */
  pending(type: KeyTypeName): readonly string[] {
    const given = this.#given.get(type)
    return given ? [given.key] : []
  }

  attach(line: ExchangeLine): void {
    this.#line = line
  }

  /** The line is there: what is missing is agreed now, and all of it again when it is due. */
  lineUp(): void {
    const { keys: ring, settings } = this.#parts
    if (settings.by === 'wait') return
    for (const type of settings.keys)
      if (ring.active(type) === undefined) void this.#tried(() => this.rotate(type))
    if (!this.#callOff) this.#schedule()
  }

  stop(): void {
    this.#callOff?.()
    this.#callOff = undefined
  }

  /** Whether this message belongs to the exchange. */
  takes(message: IsoMessage): boolean {
    const { code, asks, gives } = this.#parts.settings.profile
    if (!isNetwork(message.mti)) return false
    const said = message.get(code)
    return said !== undefined && (said === asks || said === gives)
  }

  take(message: IsoMessage, reply: Reply): void {
    if (isResponse(message.mti)) {
      const key = this.#keyOf(message)
      const waiting = this.#waiting.get(key)
      this.#waiting.delete(key)
      reply(undefined)
      return waiting?.(message)
    }
    const { gives, code } = this.#parts.settings.profile
    const offered = message.get(code) === gives
    const step = (): Promise<Uint8Array> =>
      offered ? this.#offered(message) : this.#wanted(message)
    this.#incoming = this.#incoming.then(async () => reply(await this.#tried(step)))
    this.#note(this.#incoming)
  }

  /** An answer to some request says that our session key is stale: a new one is asked for. */
  noteOutcome(code: string | undefined): void {
    const { profile, keys } = this.#parts.settings
    if (code === undefined || code !== profile.outcome.stale || this.#changing) return
    for (const type of keys) void this.#tried(() => this.rotate(type))
  }

  /** Agrees a new key now. Throws KEY_EXCHANGE, and what the HSM throws. */
  rotate(type: KeyTypeName): Promise<void> {
    const { by, profile } = this.#parts.settings
    const asks = profile.gives === undefined || (by === 'ask' && profile.asks !== undefined)
    return this.#next(() => (asks ? this.#ask(type) : this.#give(type)))
  }

  /** One after the other: a second new key must not overtake the first. */
  #next(step: () => Promise<void>): Promise<void> {
    const done = this.#outgoing.then(step)
    this.#outgoing = done.catch(() => {})
    this.#note(this.#outgoing)
    return done
  }

  // ── what they say ──────────────────────────────────────────────────────────────────────────

  async #offered(message: IsoMessage): Promise<Uint8Array> {
    const offer = readOffer(message, this.#parts.settings)
    const why = offer ? await this.#takeIn(offer) : 'no key stands where one should'
    if (why !== undefined) return this.#refused(message, offer?.type, why)
    this.counts.taken++
    return this.#answerTo(message, true)
  }

  async #wanted(message: IsoMessage): Promise<Uint8Array> {
    const { profile } = this.#parts.settings
    const type = readWanted(message, this.#parts.settings)
    if (type === undefined) return this.#refused(message, type, 'no such key is agreed here')
    if (!profile.answersWithKey) {
      void this.#tried(() => this.#next(() => this.#give(type)))
      return this.#answerTo(message, true)
    }
    const trace = message.get(TRACE) ?? ''
    if (this.#answered?.trace === trace) return this.#answered.frame
    const { made, out } = await this.#make(type)
    const draft = this.#draftTo(message, true)
    writeOffer(draft, type, out, profile)
    const frame = Uint8Array.from(draft.build())
    await this.#parts.keys.agree(type, made, 'exchange: given')
    this.#answered = { trace, frame }
    this.counts.given++
    return frame
  }

  /** Undefined when the key is active now; else why it is not. Throws when the HSM or the store is away. */
  async #takeIn({ type, wrapped, checkValue }: Offered): Promise<string | undefined> {
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
    await keys.agree(type, made, 'exchange: taken')
    this.#arrivals.get(type)?.()
    return undefined
  }

  #refused(message: IsoMessage, type: KeyTypeName | undefined, why: string): Uint8Array {
    this.counts.refused++
    this.#log.warn('a key was refused', { type, why })
    return this.#answerTo(message, false)
  }

  #answerTo(message: IsoMessage, taken: boolean): Uint8Array {
    return Uint8Array.from(this.#draftTo(message, taken).build())
  }

  /** As it was asked, but for the key: that is not said twice. */
  #draftTo(message: IsoMessage, taken: boolean) {
    const { places, outcome } = this.#parts.settings.profile
    const spoken = new Set(places.map(({ element }) => element))
    const copied = message.numbers.filter(number => !spoken.has(number))
    return message.answer(copied).set(outcome.field, taken ? outcome.taken : outcome.refused)
  }

  // ── what we say ────────────────────────────────────────────────────────────────────────────

  async #ask(type: KeyTypeName): Promise<void> {
    const { profile, timeoutMs } = this.#parts.settings
    const arrived = this.#arrival(type, timeoutMs)
    const answer = await this.#say(type, profile.asks ?? '', draft =>
      writeWanted(draft, type, profile),
    )
    if (answer.get(profile.outcome.field) !== profile.outcome.taken)
      throw this.#failed(type, 'they do not give one')
    const offer = readOffer(answer, this.#parts.settings)
    const why = offer ? await this.#takeIn(offer) : undefined
    if (why !== undefined) throw this.#failed(type, why)
    if (!(await arrived)) throw this.#failed(type, 'it did not come')
    this.counts.asked++
  }

  async #give(type: KeyTypeName): Promise<void> {
    const { profile } = this.#parts.settings
    this.#giving.add(type)
    try {
      const made = this.#given.get(type) ?? (await this.#make(type)).made
      this.#given.set(type, made)
      const out = await this.#export(made.key)
      const answer = await this.#say(type, profile.gives ?? '', draft =>
        writeOffer(draft, type, out, profile),
      )
      const taken = answer.get(profile.outcome.field) === profile.outcome.taken
      if (taken) await this.#parts.keys.agree(type, made, 'exchange: given')
      this.#given.delete(type)
      if (!taken) throw this.#failed(type, 'they refuse it')
      this.counts.given++
    } finally {
      this.#giving.delete(type)
    }
  }

  async #make(type: KeyTypeName): Promise<{ made: MadeKey; out: MadeKey }> {
    const { hsm, keys } = this.#parts
    const before = keys.active(type)
    const kind = before === undefined ? undefined : (await hsm.describeKey(before)).kind
    const made = await hsm.generateKey(type, kind)
    return { made, out: await this.#export(made.key) }
  }

  #export(key: string): Promise<MadeKey> {
    const { written } = this.#parts.settings.profile
    return this.#parts.hsm.exportKey(key, this.#zmk(), written === 'bare' ? 'X' : written)
  }

  #zmk(): string {
    const zmk = this.#parts.keys.active('ZMK')
    if (zmk === undefined) throw this.#failed('ZMK', 'the zone has none')
    return zmk
  }

  /** Says it until it is answered, each time the same. Throws KEY_EXCHANGE when it never is. */
  async #say(
    type: KeyTypeName,
    code: string,
    fill: (draft: ReturnType<IsoMessage['draft']>) => void,
  ): Promise<IsoMessage> {
    const { codec, settings } = this.#parts
    const blank = this.#line?.blank()
    if (!blank) throw this.#failed(type, 'there is no line')
    const like = codec.parse(blank)
    const trace = String(this.#traces++ % TRACES).padStart((like.get(TRACE) ?? '').length, '0')
    const draft = like.draft().set(TRACE, trace).set(settings.profile.code, code)
    fill(draft)
    const frame = Uint8Array.from(draft.build())
    const key = this.#keyOf(codec.parse(frame))
    for (let attempt = 1; attempt <= settings.attempts; attempt++) {
      const answer = await this.#answer(key, frame)
      if (answer) return answer
    }
    this.counts.unanswered++
    throw this.#failed(type, 'they do not answer')
  }

  #answer(key: string, frame: Uint8Array): Promise<IsoMessage | undefined> {
    const { clock, settings } = this.#parts
    return new Promise(resolve => {
      const callOff = clock.at(clock.nowMs() + settings.timeoutMs, () => {
        this.#waiting.delete(key)
        resolve(undefined)
      })
      this.#waiting.set(key, answer => {
        callOff()
        resolve(answer)
      })
      this.#line?.tell(frame)
    })
  }

  /** True as soon as a new key of this type is active. */
  #arrival(type: KeyTypeName, timeoutMs: number): Promise<boolean> {
    const { clock } = this.#parts
    return new Promise(resolve => {
      const callOff = clock.at(clock.nowMs() + timeoutMs * 2, () => {
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

  #keyOf(message: IsoMessage): string {
    return `${message.get(this.#parts.settings.profile.code)} ${Number(message.get(TRACE))}`
  }

  #schedule(): void {
    const { clock, settings } = this.#parts
    if (settings.everyMs === 0) return
    this.#callOff = clock.at(clock.nowMs() + settings.everyMs, () => {
      for (const type of settings.keys) void this.#tried(() => this.rotate(type))
      this.#schedule()
    })
  }

  #note(step: Promise<void>): void {
    const changing = Promise.all([this.#changing, step]).then(() => {
      if (this.#changing === changing) this.#changing = undefined
    })
    this.#changing = changing
  }

  /** What fails is told to the operators; the keys stay as they are. */
  async #tried<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step()
    } catch (error) {
      if (!isNadiError(error)) throw error
      this.#log.warn('no new key was agreed', { code: error.code, why: error.hint })
      return undefined
    }
  }

  #failed(type: KeyTypeName, hint: string): NadiError {
    return new NadiError('KEY_EXCHANGE', { path: `${this.#parts.name} ${type}`, hint })
  }
}

/** DE11. */
const TRACE = 11
/** Six digits: every dialect has at least so many. */
const TRACES = 1_000_000
