import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { isNadiError, latin1, NadiError } from '#base'
import type { Clock, Random } from '#base'
import type { Log } from '#telemetry'
import { frame, FrameReader } from '../frame.ts'
import { Headers } from './headers.ts'
import { nextPort, STOPPED, wakeAtMs } from './machine.ts'
import type { PortCommand, PortEvent, PortRules, PortState } from './machine.ts'

export type PortOptions = PortRules & {
  readonly host: string
  readonly port: number
  /** Characters of the message header that the box is set to. */
  readonly headerLength: number
  readonly inFlightMax: number
  readonly frameBytesMax: number
}

export type PortParts = { readonly clock: Clock; readonly random: Random; readonly log: Log }

/** How a request ended: the message behind its header, or why there is none. */
export type Ended = (answer: string | NadiError) => void

type Entry = { readonly ended: Ended; readonly expected: string; readonly callOff: () => void }

type EventOf<E> = E extends PortEvent ? Omit<E, 'nowMs'> : never

/** One connection to a box: sends, matches answers by header, keeps it alive, dials again. */
export class Port {
  readonly #options: PortOptions
  readonly #parts: PortParts
  #state: PortState = STOPPED
  #socket: Socket | undefined
  #headers: Headers
  #reader: FrameReader
  readonly #inFlight = new Map<string, Entry>()
  #out: Buffer[] = []
  #heardAtMs = 0
  #wakeAtMs = Infinity
  #callOffWake: () => void = () => {}
  #settled: (() => void)[] = []
  /** Answers that nobody waited for any more. */
  #late = 0

  constructor(options: PortOptions, parts: PortParts) {
    this.#options = options
    this.#parts = parts
    this.#headers = new Headers(options.headerLength)
    this.#reader = new FrameReader(options.frameBytesMax)
  }

  get up(): boolean {
    return this.#state.tag === 'up'
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  get late(): number {
    return this.#late
  }

  get full(): boolean {
    const { inFlightMax } = this.#options
    return this.#inFlight.size >= Math.min(inFlightMax, this.#headers.inFlightMax)
  }

  /** Begins to dial; resolves when the first attempt has ended, well or not. */
  start(): Promise<void> {
    return new Promise(resolve => {
      this.#settled.push(resolve)
      this.#feed({ tag: 'start' })
    })
  }

  /** Hangs up; requests in flight fail. */
  stop(): void {
    this.#feed({ tag: 'stop' })
    this.#failAll('the connection is closed')
  }

  /**
   * Sends a message that begins with its command code. `ended` is called once, never before this
   * returns. The caller has seen that the port is up and not full.
   */
  send(message: string, expected: string, deadlineMs: number, ended: Ended): void {
    const header = this.#headers.next()
    const callOff = this.#parts.clock.at(deadlineMs, () => this.#overdue(header))
    this.#inFlight.set(header, { ended, expected, callOff })
    this.#write(frame(header + message, this.#options.frameBytesMax))
  }

  // Writing: all requests of one turn of the event loop leave as one write

  #write(bytes: Buffer): void {
    if (this.#out.push(bytes) > 1) return
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    const out = this.#out
    this.#out = []
    const [first] = out
    if (!this.#socket || first === undefined) return
    this.#socket.write(out.length === 1 ? first : Buffer.concat(out))
  }

  // Answers

  #onData(chunk: Buffer): void {
    this.#heardAtMs = this.#parts.clock.nowMs()
    try {
      this.#reader.push(chunk, bytes => this.#take(latin1(bytes)))
    } catch (error) {
      if (!isNadiError(error, 'FRAME_LENGTH')) throw error
      this.#garbage(error.message)
    }
  }

  #take(message: string): void {
    if (!this.#socket) return
    const { headerLength } = this.#options
    const header = message.slice(0, headerLength)
    const entry = this.#inFlight.get(header)
    if (!entry) {
      // Late or a second time; anything else is not the answer of a box that we asked.
      if (message.length < headerLength + 4 || this.#headers.known(header) === 'never') {
        return this.#garbage('an answer to nothing that was asked')
      }
      this.#late++
      return
    }
    const answer = message.slice(headerLength)
    if (!answer.startsWith(entry.expected) || answer.length < 4) {
      return this.#garbage('an answer to another command')
    }
    this.#end(header, answer)
  }

  #garbage(why: string): void {
    this.#parts.log.warn('the HSM says what it cannot; its connection is closed', { why })
    this.#hangUp()
  }

  #overdue(header: string): void {
    this.#end(header, unavailable('no answer before the deadline'))
    this.#feed({ tag: 'unanswered' })
  }

  #end(header: string, answer: string | NadiError): void {
    const entry = this.#inFlight.get(header)
    if (!entry) return
    this.#inFlight.delete(header)
    entry.callOff()
    entry.ended(answer)
  }

  #failAll(why: string): void {
    for (const header of this.#inFlight.keys()) this.#end(header, unavailable(why))
  }

  // The machine's commands

  #feed(event: EventOf<PortEvent>): void {
    const { clock, random } = this.#parts
    const before = this.#state.tag
    const nowMs = clock.nowMs()
    const [state, command] = nextPort(this.#state, { ...event, nowMs }, this.#options, random)
    this.#state = state
    if (command !== undefined) this.#obey(command)
    if (before === 'dialing' && state.tag !== 'dialing') this.#settle()
    if (state.tag === 'stopped') this.#settle()
    this.#arm()
  }

  #obey(command: PortCommand): void {
    if (command === 'dial') this.#dial()
    else if (command === 'hang-up') this.#hangUp()
    else this.#probe()
  }

  #dial(): void {
    const { host, port, headerLength, frameBytesMax } = this.#options
    this.#headers = new Headers(headerLength)
    this.#reader = new FrameReader(frameBytesMax)
    const socket = connect({ host, port, noDelay: true })
    this.#socket = socket
    socket.once('connect', () => {
      this.#heardAtMs = this.#parts.clock.nowMs()
      this.#feed({ tag: 'connected' })
    })
    socket.on('data', chunk => this.#onData(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    socket.once('close', () => {
      if (this.#socket === socket) this.#gone()
    })
  }

  #hangUp(): void {
    const socket = this.#socket
    if (!socket) return
    socket.destroy()
    this.#gone()
  }

  #gone(): void {
    this.#socket = undefined
    this.#out = []
    this.#feed({ tag: 'closed' })
    this.#failAll('the connection broke')
  }

  /** Diagnostics: the smallest question, which any box answers. */
  #probe(): void {
    const { clock } = this.#parts
    this.send('NC', 'ND', clock.nowMs() + this.#options.probeTimeoutMs, () => {})
  }

  #settle(): void {
    for (const resolve of this.#settled.splice(0)) resolve()
  }

  #arm(): void {
    const dueMs = wakeAtMs(this.#state, this.#heardAtMs, this.#options) ?? Infinity
    if (dueMs === this.#wakeAtMs) return
    this.#callOffWake()
    this.#wakeAtMs = dueMs
    if (dueMs === Infinity) return
    this.#callOffWake = this.#parts.clock.at(dueMs, () => {
      this.#wakeAtMs = Infinity
      this.#feed({ tag: 'tick', heardAtMs: this.#heardAtMs })
    })
  }
}

/** Who asks decides whether to ask again; host commands may be repeated without harm. */
export function unavailable(hint: string): NadiError {
  return new NadiError('HSM_UNAVAILABLE', { hint })
}
