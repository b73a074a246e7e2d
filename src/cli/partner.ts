import { type Clock, localTime, NadiError } from '#base'
import type { Identity } from '#config'
import type { FrameReader } from '#iso8583'
import type { Message, MessageKind } from '#message'
import type { Connection, Dialer } from '#net'
import type { Pack } from '#pack'

export type PartnerOptions = {
  readonly pack: Pack
  readonly dialer: Dialer
  readonly clock: Clock
  readonly identity: Identity
  /** How long an answer may take; what the pack says by default. */
  readonly timeoutMs?: number
  readonly dialTimeoutMs?: number
  /** An answer that nobody waits for (any more): late, or a second one. */
  readonly onUnmatched?: (answer: Message) => void
}

type Pending = {
  readonly resolve: (answer: Message) => void
  readonly reject: (error: NadiError) => void
  readonly callOff: () => void
}

const DIAL_TIMEOUT_MS = 5_000

/**
 * A partner: one line to the partners' listener, with any number of requests in flight on it,
 * matched by the pack's key. Used by `nadi inquire` and `nadi pay`, the crash test and the
 * benchmark. Requests of one turn of the event loop leave as one write.
 */
export class PartnerClient {
  readonly identity: Identity
  readonly #pack: Pack
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #onUnmatched: ((answer: Message) => void) | undefined
  readonly #pending = new Map<string, Pending>()
  readonly #reader: FrameReader
  readonly #closed = Promise.withResolvers<string>()
  #connection: Connection | undefined
  #open = false
  #unreadable = 0

  private constructor({ pack, clock, identity, timeoutMs, onUnmatched }: PartnerOptions) {
    this.identity = identity
    this.#pack = pack
    this.#clock = clock
    this.#timeoutMs = timeoutMs ?? pack.conversation.responseTimeoutMs
    this.#onUnmatched = onUnmatched
    this.#reader = pack.framing.reader()
  }

  /** Resolves when the line is there. Throws PARTNER_LINE. Signing on is the next step. */
  static async connect(options: PartnerOptions): Promise<PartnerClient> {
    const client = new PartnerClient(options)
    await client.#dial(options)
    return client
  }

  get open(): boolean {
    return this.#open
  }

  get inFlight(): number {
    return this.#pending.size
  }

  /** Answers that could not be read; nobody was told of them. */
  get unreadable(): number {
    return this.#unreadable
  }

  /** Resolves with the reason when the line has gone, whoever ended it. */
  get closed(): Promise<string> {
    return this.#closed.promise
  }

  signOn(): Promise<Message> {
    return this.#converse('sign-on')
  }

  signOff(): Promise<Message> {
    return this.#converse('sign-off')
  }

  echo(): Promise<Message> {
    return this.#converse('echo')
  }

  /**
   * Sends one request and resolves with its answer. Throws PARTNER_LINE when nothing was sent,
   * PARTNER_NO_ANSWER when it was and no answer came (`actual` says `deadline` or `broken`),
   * LINK_DUPLICATE_KEY when the same request is in flight, CODEC_VALUE or PACK_MISSING_FIELD when
   * the dialect cannot say it.
   */
  request(message: Message, timeoutMs: number = this.#timeoutMs): Promise<Message> {
    return new Promise((resolve, reject) => {
      const frame = this.#pack.framing.wrap(this.#pack.write(message))
      const key = this.#pack.matchKey(message)
      if (this.#pending.has(key)) throw new NadiError('LINK_DUPLICATE_KEY')
      if (!this.#open || !this.#connection?.write(frame)) throw new NadiError('PARTNER_LINE')
      const callOff = this.#clock.at(this.#clock.nowMs() + timeoutMs, () => {
        this.#pending.delete(key)
        reject(noAnswer('deadline'))
      })
      this.#pending.set(key, { resolve, reject, callOff })
    })
  }

  /** Hangs up after what was written has left; requests in flight end as `broken`. */
  async close(): Promise<void> {
    this.#connection?.end()
    await this.closed
  }

  /** Hangs up at once, as a partner that dies does. */
  destroy(): void {
    this.#connection?.destroy()
  }

  #dial({ dialer, clock, dialTimeoutMs = DIAL_TIMEOUT_MS }: PartnerOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const callOff = clock.at(clock.nowMs() + dialTimeoutMs, () => {
        this.#connection?.destroy('dial timeout')
      })
      this.#connection = dialer.dial({
        onConnect: () => {
          callOff()
          this.#open = true
          resolve()
        },
        onData: chunk => this.#read(chunk),
        onClose: reason => {
          callOff()
          this.#end(reason)
          reject(new NadiError('PARTNER_LINE', { actual: reason }))
        },
      })
    })
  }

  #converse(kind: MessageKind): Promise<Message> {
    const sentAt = localTime(this.#clock.nowMs())
    const head = { kind, direction: 'request', repeat: false, trace: '', sentAt } as const
    return this.request({ ...head, ...this.identity })
  }

  #read(chunk: Uint8Array): void {
    try {
      this.#reader.push(chunk, this.#onFrame)
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      this.#connection?.destroy(error.code)
    }
  }

  readonly #onFrame = (frame: Uint8Array): void => {
    const read = this.#pack.read(frame)
    if (read.tag === 'reject') {
      this.#unreadable++
      return
    }
    const { message } = read
    // They may ask us too (echo); a partner that does not answer is not hung up on for it.
    if (message.direction === 'request') return
    const key = this.#pack.matchKey(message)
    const pending = this.#pending.get(key)
    if (!pending) return this.#onUnmatched?.(message)
    this.#pending.delete(key)
    pending.callOff()
    pending.resolve(message)
  }

  #end(reason: string): void {
    this.#open = false
    for (const { callOff, reject } of this.#pending.values()) {
      callOff()
      reject(noAnswer('broken'))
    }
    this.#pending.clear()
    this.#closed.resolve(reason)
  }
}

function noAnswer(why: 'deadline' | 'broken'): NadiError {
  return new NadiError('PARTNER_NO_ANSWER', { actual: why })
}
