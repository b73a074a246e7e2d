import type { KeyTypeName } from '#hsm'
import type { IsoDraft, IsoMessage } from '#iso8583'
import type { Log } from '#telemetry'
import type { ExchangeKeys } from './exchange-keys.ts'
import { readOffer, readWanted, writeOffer } from './exchange-layout.ts'
import type { ExchangeSettings } from './exchange-profile.ts'
import { TRACE } from './exchange-talk.ts'

type Parts = {
  readonly settings: ExchangeSettings
  readonly keys: ExchangeKeys
  readonly log: Log
  readonly finish: (draft: IsoDraft) => Promise<Uint8Array>
  /** They wait for a key that comes in a message of its own. */
  give(type: KeyTypeName): void
  count(end: 'taken' | 'given' | 'refused'): void
}

/** Our side of an exchange that they begin: what we answer to each of their messages. */
export class ExchangeAnswers {
  readonly #parts: Parts
  /** The last key that went out in an answer: a repeat gets the same. */
  #answered: { readonly trace: string; readonly frame: Uint8Array } | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** They give a key. */
  async offered(message: IsoMessage): Promise<Uint8Array> {
    const offer = readOffer(message, this.#parts.settings)
    const why = offer
      ? await this.#parts.keys.takeIn(offer, TAKEN)
      : 'no key stands where one should'
    if (why !== undefined) return this.refused(message, offer?.type, why)
    this.#parts.count('taken')
    return this.#answer(message, true)
  }

  /** They ask for one. */
  async wanted(message: IsoMessage): Promise<Uint8Array> {
    const { profile } = this.#parts.settings
    const type = readWanted(message, this.#parts.settings)
    if (type === undefined) return this.refused(message, type, 'no such key is agreed here')
    if (!profile.answersWithKey) {
      this.#parts.give(type)
      return this.#answer(message, true)
    }
    const trace = message.get(TRACE) ?? ''
    if (this.#answered?.trace === trace) return this.#answered.frame
    const { made, out } = await this.#parts.keys.make(type)
    const draft = this.#draft(message, true)
    writeOffer(draft, type, out, profile)
    const frame = await this.#parts.finish(draft)
    await this.#parts.keys.agree(type, made, GIVEN)
    this.#answered = { trace, frame }
    this.#parts.count('given')
    return frame
  }

  refused(message: IsoMessage, type: KeyTypeName | undefined, why: string): Promise<Uint8Array> {
    this.#parts.count('refused')
    this.#parts.log.warn('a key was refused', { type, why })
    return this.#answer(message, false)
  }

  #answer(message: IsoMessage, taken: boolean): Promise<Uint8Array> {
    return this.#parts.finish(this.#draft(message, taken))
  }

  /** As it was asked, but for the key and the MAC: those are not said twice. */
  #draft(message: IsoMessage, taken: boolean): IsoDraft {
    const { places, outcome } = this.#parts.settings.profile
    const spoken = new Set([...places.map(({ element }) => element), ...MACS])
    const copied = message.numbers.filter(number => !spoken.has(number))
    return message.answer(copied).set(outcome.field, taken ? outcome.taken : outcome.refused)
  }
}

const TAKEN = { by: 'exchange', why: 'they gave it' }
const GIVEN = { by: 'exchange', why: 'they asked for it' }
const MACS = [64, 128]
