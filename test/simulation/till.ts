import { type Clock, localTime, NadiError } from '#base'
import type { FrameReader } from '#iso8583'
import type { Message } from '#message'
import type { Connection, Dialer } from '#net'
import type { Pack } from '#pack'

/** Who a till speaks for. */
export type TillIdentity = {
  readonly bank: string
  readonly partner: string
  readonly switcher: string
  readonly terminal: string
}

type Waiting = {
  readonly keys: string
  resolve(answer: Message | undefined): void
  answers: number
}

/**
 * A partner's till in the simulated world: dials, signs on, asks, and counts what it is told. An
 * answer that nobody asked for, or a second one to the same request, is a broken promise.
 */
export class Till {
  readonly #dialer: Dialer
  readonly #pack: Pack
  readonly #clock: Clock
  readonly #identity: TillIdentity
  readonly #onViolation: (text: string) => void
  #connection: Connection | undefined
  #reader: FrameReader | undefined
  #connected: ((up: boolean) => void) | undefined
  readonly #waiting = new Map<string, Waiting>()
  /** How many answers this connection still owes, by key. */
  #owed = new Map<string, number>()
  #traces = 0

  constructor(
    dialer: Dialer,
    pack: Pack,
    clock: Clock,
    identity: TillIdentity,
    onViolation: (text: string) => void,
  ) {
    this.#dialer = dialer
    this.#pack = pack
    this.#clock = clock
    this.#identity = identity
    this.#onViolation = onViolation
  }

  get up(): boolean {
    return this.#connection !== undefined
  }

  /** Dials and signs on; false when that did not work out. */
  async open(): Promise<boolean> {
    const up = await new Promise<boolean>(resolve => {
      this.#connected = resolve
      const connection = this.#dialer.dial({
        onConnect: () => {
          this.#connection = connection
          this.#reader = this.#pack.framing.reader()
          this.#owed = new Map()
          resolve(true)
        },
        onData: chunk => this.#read(connection, chunk),
        onClose: () => this.#closed(connection),
      })
      this.#clock.at(this.#clock.nowMs() + 3000, () => {
        if (this.#connection !== connection) connection.destroy('the dial was not answered')
        resolve(this.#connection === connection)
      })
    })
    if (!up) return false
    const answer = await this.request(this.message('sign-on', {}), 5000)
    if (answer?.outcome?.meaning === 'approved') return true
    this.hangUp()
    return false
  }

  hangUp(): void {
    this.#connection?.destroy('the till hangs up')
    this.#connection = undefined
  }

  /** A request of this till, with an audit number and time of its own. */
  message(kind: Message['kind'], more: Partial<Message>): Message {
    const trace = kind === 'sign-on' ? '' : String(++this.#traces).padStart(12, '0')
    const sentAt = localTime(this.#clock.nowMs())
    return {
      channel: '6021',
      ...more,
      kind,
      direction: 'request',
      repeat: false,
      trace,
      sentAt,
      ...this.#identity,
    }
  }

  /** Sends, `times` over, and waits for the first answer; undefined when none came in time. */
  async request(message: Message, timeoutMs: number, times = 1): Promise<Message | undefined> {
    if (!this.#connection) return undefined
    const key = this.#pack.matchKey(message)
    const frame = this.#pack.framing.wrap(this.#pack.write(message))
    return new Promise(resolve => {
      const callOff = this.#clock.at(this.#clock.nowMs() + timeoutMs, () => end(undefined))
      const end = (answer: Message | undefined): void => {
        callOff()
        if (this.#waiting.get(key)?.resolve === end) this.#waiting.delete(key)
        resolve(answer)
      }
      this.#waiting.set(key, { keys: key, resolve: end, answers: 0 })
      for (let i = 0; i < times; i++) {
        this.#owed.set(key, (this.#owed.get(key) ?? 0) + 1)
        this.#connection?.write(frame)
      }
    })
  }

  #read(connection: Connection, chunk: Uint8Array): void {
    if (connection !== this.#connection) return
    try {
      this.#reader?.push(chunk, frame => this.#answered(frame.slice()))
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      this.hangUp() // garbage on the line
    }
  }

  #answered(frame: Uint8Array): void {
    const read = this.#pack.read(frame)
    if (read.tag === 'reject') return this.hangUp()
    const key = this.#pack.matchKey(read.message)
    const owed = this.#owed.get(key) ?? 0
    // A garbled request is answered in its own garbled words; that is no answer to one of ours.
    if (owed === 0 && read.message.outcome?.reason !== 'format-error')
      this.#onViolation(`answered more often than asked: ${key}`)
    this.#owed.set(key, owed - 1)
    this.#waiting.get(key)?.resolve(read.message)
  }

  #closed(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined
    this.#connected?.(false)
    for (const waiting of this.#waiting.values()) waiting.resolve(undefined)
  }
}
