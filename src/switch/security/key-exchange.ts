import { type Clock, isNadiError } from '#base'
import type { KeyCause, KeyTypeName, PaymentHsm, ZoneKeyring } from '#hsm'
import { type IsoCodec, type IsoDraft, type IsoMessage, isNetwork, isResponse } from '#iso8583'
import type { Log } from '#telemetry'
import { ExchangeAnswers } from './exchange-answers.ts'
import { askForKey, giveKey } from './exchange-asking.ts'
import { ExchangeKeys } from './exchange-keys.ts'
import type { ExchangeSettings } from './exchange-profile.ts'
import { ExchangeSchedule } from './exchange-schedule.ts'
import { type ExchangeLine, ExchangeTalk } from './exchange-talk.ts'

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

/** What puts a MAC on messages of the exchange and looks at theirs, where they have one. */
export type ExchangeMac = {
  seal(draft: IsoDraft): Promise<Uint8Array>
  /** Whether it may come in. */
  holds(message: IsoMessage): Promise<boolean>
}

/**
 * New working keys agreed with the counterpart over the line, under the ZMK of the zone. A new key
 * is active once it is durable and the answer says so; the one before is accepted for the overlap.
 *
 *   we ask    ──asks──▶          ◀─answer with the key─ or ◀─taken─ and ◀──gives──
 *   we give   ──gives key──▶     ◀─taken─      active on both sides
 *   they …    the same from the other side
 *
 * A repeat changes nothing: a key that is active already is only confirmed, and one that was not
 * answered is given again, not replaced by another, by whichever daemon comes to it, and after a
 * restart, too.
 */
export class KeyExchange {
  readonly counts = Object.fromEntries(EXCHANGE_ENDS.map(end => [end, 0])) as Record<
    (typeof EXCHANGE_ENDS)[number],
    number
  >
  readonly #parts: KeyExchangeParts
  readonly #log: Log
  readonly #mac: ExchangeMac | undefined
  readonly #talk: ExchangeTalk
  readonly #keys: ExchangeKeys
  readonly #answers: ExchangeAnswers
  readonly #schedule: ExchangeSchedule
  #incoming: Promise<void> = Promise.resolve()
  #outgoing: Promise<void> = Promise.resolve()
  #changing: Promise<void> | undefined

  constructor(parts: KeyExchangeParts, mac?: ExchangeMac) {
    const { settings, keys: ring, clock, log, name } = parts
    this.#parts = parts
    this.#mac = mac
    this.#log = log.child({ zone: name })
    const finish = (draft: IsoDraft): Promise<Uint8Array> => this.#finish(draft)
    this.#talk = new ExchangeTalk({ ...parts, finish })
    this.#keys = new ExchangeKeys(parts)
    this.#answers = new ExchangeAnswers({
      settings,
      keys: this.#keys,
      log: this.#log,
      finish,
      give: type => void this.#tried(() => this.#next(() => this.#give(type, THEY_ASK))),
      count: end => void this.counts[end]++,
    })
    const renew = (type: KeyTypeName): Promise<unknown> => this.#tried(() => this.rotate(type, DUE))
    this.#schedule = new ExchangeSchedule({ settings, keys: ring, clock, renew })
  }

  /** While keys change: resolves when that is over, and what did not fit may be tried once more. */
  get changing(): Promise<void> | undefined {
    return this.#changing
  }

  /** What may come in besides the keys of the ring. */
  pending(type: KeyTypeName): readonly string[] {
    const offered = this.#parts.keys.offered(type)
    return offered ? [offered.key] : NONE
  }

  attach(line: ExchangeLine): void {
    this.#talk.attach(line)
  }

  /**
   * The line is there. What was offered and not confirmed is offered again; what is missing, or due,
   * is agreed now where it is ours to begin.
   */
  lineUp(): void {
    const { keys: ring, settings } = this.#parts
    for (const type of settings.keys)
      if (ring.offered(type)) void this.#tried(() => this.#next(() => this.#giveAgain(type)))
      else if (settings.by !== 'wait' && ring.active(type) === undefined)
        void this.#tried(() => this.rotate(type, FIRST))
    if (settings.by !== 'wait') this.#schedule.start()
  }

  stop(): void {
    this.#schedule.stop()
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
      reply(undefined)
      return void this.#heard(message)
    }
    const step = (): Promise<Uint8Array> => this.#answerTo(message)
    this.#incoming = this.#incoming.then(async () => reply(await this.#tried(step)))
    this.#note(this.#incoming)
  }

  /** An answer to some request says that our session key is stale: a new one is asked for. */
  noteOutcome(code: string | undefined): void {
    const { profile, keys } = this.#parts.settings
    if (code === undefined || code !== profile.outcome.stale || this.#changing) return
    for (const type of keys) void this.#tried(() => this.rotate(type, STALE))
  }

  /** Whether keys of this type are agreed over this line. */
  agrees(type: KeyTypeName): boolean {
    return this.#parts.settings.keys.includes(type)
  }

  /** Agrees a new key now. Throws KEY_EXCHANGE, and what the HSM and the store throw. */
  rotate(type: KeyTypeName, cause: KeyCause): Promise<'asked' | 'given'> {
    const { by, profile } = this.#parts.settings
    const asks = profile.gives === undefined || (by === 'ask' && profile.asks !== undefined)
    return this.#next(() => (asks ? this.#ask(type, cause) : this.#give(type, cause)))
  }

  /** One after the other: a second new key must not overtake the first. */
  #next<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#outgoing.then(step)
    this.#outgoing = done.then(
      () => {},
      () => {},
    )
    this.#note(this.#outgoing)
    return done
  }

  async #ask(type: KeyTypeName, cause: KeyCause): Promise<'asked'> {
    await askForKey(this.#sides(), type, cause)
    this.counts.asked++
    return 'asked'
  }

  async #give(type: KeyTypeName, cause: KeyCause): Promise<'given'> {
    await giveKey(this.#sides(), type, cause)
    this.counts.given++
    return 'given'
  }

  async #giveAgain(type: KeyTypeName): Promise<void> {
    // It may have been confirmed while others were in front.
    if (this.#parts.keys.offered(type)) await this.#give(type, AGAIN)
  }

  #sides() {
    const { settings } = this.#parts
    const count = (end: 'refused' | 'unanswered'): void => void this.counts[end]++
    return { settings, keys: this.#keys, talk: this.#talk, count }
  }

  async #heard(message: IsoMessage): Promise<void> {
    if (await this.#tried(() => this.#holds(message))) this.#talk.heard(message)
  }

  async #answerTo(message: IsoMessage): Promise<Uint8Array> {
    const { gives, code } = this.#parts.settings.profile
    if (!(await this.#holds(message)))
      return this.#answers.refused(message, undefined, 'its MAC does not hold')
    return message.get(code) === gives
      ? this.#answers.offered(message)
      : this.#answers.wanted(message)
  }

  async #holds(message: IsoMessage): Promise<boolean> {
    return this.#mac ? this.#mac.holds(message) : true
  }

  async #finish(draft: IsoDraft): Promise<Uint8Array> {
    return this.#mac ? this.#mac.seal(draft) : Uint8Array.from(draft.build())
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
}

const NONE: readonly string[] = []
const cause = (why: string): KeyCause => ({ by: 'exchange', why })
const FIRST = cause('there was none')
const DUE = cause('it was due')
const STALE = cause('they call it stale')
const AGAIN = cause('it was not answered before')
const THEY_ASK = cause('they asked for it')
