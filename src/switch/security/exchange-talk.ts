import type { Clock } from '#base'
import type { IsoCodec, IsoDraft, IsoMessage } from '#iso8583'
import type { ExchangeSettings } from './exchange-profile.ts'

/** The way to the other end. */
export type ExchangeLine = {
  /** A message of the line in its dialect (an echo), to be made into one of the exchange. */
  blank(): Uint8Array | undefined
  /** False when there is no line. */
  tell(frame: Uint8Array): boolean
}

type Parts = {
  readonly codec: IsoCodec
  readonly settings: ExchangeSettings
  readonly clock: Clock
  /** The frame as it leaves: with a MAC where messages of the exchange have one. */
  readonly finish: (draft: IsoDraft) => Promise<Uint8Array>
}

/** What became of a request of ours. */
export type Said = IsoMessage | 'no line' | 'no answer'

/**
 * Requests of the exchange and their answers, matched by code and audit number. A request is said
 * until it is answered, each time the very same bytes.
 */
export class ExchangeTalk {
  readonly #parts: Parts
  readonly #waiting = new Map<string, (answer: IsoMessage | undefined) => void>()
  #line: ExchangeLine | undefined
  #traces: number

  constructor(parts: Parts) {
    this.#parts = parts
    this.#traces = Math.floor(parts.clock.nowMs() / 1000) % TRACES
  }

  attach(line: ExchangeLine): void {
    this.#line = line
  }

  get up(): boolean {
    return this.#line?.blank() !== undefined
  }

  /** An answer came; false when nobody waits for it. */
  heard(message: IsoMessage): boolean {
    const key = this.#keyOf(message)
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    waiting?.(message)
    return waiting !== undefined
  }

  async say(code: string, fill: (draft: IsoDraft) => void): Promise<Said> {
    const { codec, settings } = this.#parts
    const blank = this.#line?.blank()
    if (!blank) return 'no line'
    const like = codec.parse(blank)
    const trace = String(this.#traces++ % TRACES).padStart((like.get(TRACE) ?? '').length, '0')
    const draft = like.draft().set(TRACE, trace).set(settings.profile.code, code)
    fill(draft)
    const frame = await this.#parts.finish(draft)
    const key = this.#keyOf(codec.parse(frame))
    for (let attempt = 1; attempt <= settings.attempts; attempt++) {
      const answer = await this.#answer(key, frame)
      if (answer) return answer
    }
    return 'no answer'
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

  #keyOf(message: IsoMessage): string {
    return `${message.get(this.#parts.settings.profile.code)} ${Number(message.get(TRACE))}`
  }
}

/** DE11. */
export const TRACE = 11
/** Six digits: every dialect has at least so many. */
const TRACES = 1_000_000
