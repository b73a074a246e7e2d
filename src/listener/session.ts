import { assert, AssertionFailed, errorText, isNadiError } from '#base'
import type { Clock, NadiError } from '#base'
import type { Framer, FrameReader } from '#iso8583'
import type { Connection, ConnectionHandlers } from '#net'
import type { Log } from '#telemetry'
import type { ListenerOptions, Session } from './listener.ts'

/** How long a peer may take to take what it is owed and to hang up, after we said that we do. */
const CLOSE_TIMEOUT_MS = 2000

/** What a session tells its listener, which keeps the counts of all sessions. */
export type SessionHost = {
  readonly options: ListenerOptions
  readonly clock: Clock
  readonly log: Log
  /** One more request is in flight; whether that makes it one too many. */
  taken(): boolean
  settled(): void
  badFrame(session: FrameSession, error: NadiError): void
  closed(session: FrameSession, reason: string): void
}

/**
 * One connection of a source. It counts what it owes:
 *
 *     frame ──▶ owed < max ──▶ onFrame ── answer, silence ──▶ owed − 1
 *           └─▶ owed = max ──▶ kept back; the connection is not read until there is room
 *
 * Kept back is at most what was read in one go before reading stopped.
 */
export class FrameSession implements Session, ConnectionHandlers {
  readonly id: number
  readonly openedAtMs: number
  readonly #host: SessionHost
  readonly #connection: Connection
  readonly #framing: Framer
  readonly #reader: FrameReader
  readonly #onFrame = (frame: Uint8Array, header: Uint8Array): void => this.#take(frame, header)
  readonly #onKeepAlive = (): void => this.#answerKeepAlive()
  #open = true
  #draining = false
  #owed = 0
  #paused = false
  #delivering = false
  #keptBack: { readonly frame: Uint8Array; readonly header: Uint8Array }[] = []
  #lastFrameAtMs: number
  #unfinishedSinceMs: number | undefined
  #framesSeen = 0
  #wakeAtMs = Infinity
  #callOffWake: () => void = () => {}
  #closing = false
  #reason: string | undefined

  constructor(id: number, connection: Connection, host: SessionHost) {
    this.id = id
    this.#connection = connection
    this.#host = host
    this.#framing = host.options.framing
    this.#reader = this.#framing.reader()
    this.openedAtMs = host.clock.nowMs()
    this.#lastFrameAtMs = this.openedAtMs
    this.#watch()
  }

  get peer(): string {
    return this.#connection.peer
  }

  get open(): boolean {
    return this.#open
  }

  get owed(): number {
    return this.#owed
  }

  answer(frame: Uint8Array, header?: Uint8Array): void {
    this.#settle()
    if (this.#open) this.#send(frame, header)
    this.#afterSettling()
  }

  tell(frame: Uint8Array): void {
    if (this.#open) this.#send(frame, undefined)
  }

  silence(): void {
    this.#settle()
    this.#afterSettling()
  }

  close(reason: string): void {
    if (this.#closing) return
    this.#reason ??= reason
    this.#stop()
    this.#connection.end()
    const { clock } = this.#host
    this.#callOffWake = clock.at(clock.nowMs() + CLOSE_TIMEOUT_MS, () => this.destroy(reason))
  }

  /** Ends at once: the peer does not read, or its time is up. */
  destroy(reason: string): void {
    this.#reason ??= reason
    this.#stop()
    this.#connection.destroy(reason)
  }

  /** Takes no more frames, and closes when nothing is owed. */
  drain(): void {
    this.#draining = true
    this.#keptBack = []
    if (this.#paused) this.#read()
    if (this.#owed === 0) this.close('drained')
  }

  onData(chunk: Uint8Array): void {
    // What comes is still read, so that the peer's system does not take our last answers back.
    if (!this.#open || this.#draining) return
    const seen = this.#framesSeen
    try {
      this.#reader.push(chunk, this.#onFrame, this.#onKeepAlive)
    } catch (error) {
      if (!isNadiError(error, 'FRAME_LENGTH')) throw error
      this.#host.badFrame(this, error)
      return this.close(error.code)
    }
    if (this.#open) this.#noteUnfinished(this.#framesSeen > seen)
  }

  onClose(reason: string): void {
    this.#stop()
    this.#callOffWake()
    this.#host.closed(this, this.#reason ?? reason)
  }

  #take(frame: Uint8Array, header: Uint8Array): void {
    if (!this.#open || this.#draining) return
    this.#framesSeen++
    if (this.#owed < this.#host.options.inFlightPerSessionMax && this.#keptBack.length === 0) {
      return this.#deliver(frame, header)
    }
    this.#keptBack.push({ frame: Buffer.from(frame), header: Buffer.from(header) })
    if (this.#paused) return
    this.#paused = true
    this.#connection.pause()
  }

  #deliver(frame: Uint8Array, header: Uint8Array): void {
    const { options, log } = this.#host
    const crowded = this.#host.taken()
    const owed = ++this.#owed
    try {
      options.handlers.onFrame(this, frame, crowded, header)
    } catch (error) {
      if (error instanceof AssertionFailed) throw error
      log.error('a frame could not be handled', { session: this.id, error: errorText(error) })
      if (this.#owed === owed) this.silence()
    }
  }

  #settle(): void {
    assert(this.#owed > 0, 'a request is answered once')
    this.#owed--
    this.#host.settled()
  }

  #send(frame: Uint8Array, header: Uint8Array | undefined): void {
    const { options, log } = this.#host
    let bytes: Uint8Array
    try {
      const framing = this.#framing
      bytes =
        header && header.length > 0
          ? framing.wrap(frame, framing.answerHeader(header))
          : framing.wrap(frame)
    } catch (error) {
      if (!isNadiError(error)) throw error
      log.error('an answer cannot be framed', { session: this.id, error: error.message })
      return
    }
    const taken = this.#connection.write(bytes)
    if (this.#connection.bytesPending > options.bytesPendingMax) {
      log.warn('a peer does not read its answers', { session: this.id, peer: this.peer })
      this.destroy('the peer does not read its answers')
    } else if (!taken) {
      // It is closing already, and its own reason tells why.
      this.#stop()
      this.#connection.destroy()
    }
  }

  #answerKeepAlive(): void {
    const { keepAlive, keepAliveAnswered } = this.#framing
    if (keepAlive && keepAliveAnswered && this.#open) this.#connection.write(keepAlive)
  }

  #afterSettling(): void {
    if (this.#keptBack.length > 0) this.#deliverKeptBack()
    if (this.#draining && this.#owed === 0 && this.#open) this.close('drained')
  }

  #deliverKeptBack(): void {
    // An answer given within onFrame comes back in here: the loop below goes on with it.
    if (this.#delivering) return
    this.#delivering = true
    const max = this.#host.options.inFlightPerSessionMax
    let next = 0
    const frames = this.#keptBack
    while (next < frames.length && this.#owed < max && this.#open && !this.#draining) {
      const { frame, header } = frames[next++] as (typeof frames)[number]
      this.#deliver(frame, header)
    }
    if (this.#keptBack === frames) this.#keptBack = frames.slice(next)
    this.#delivering = false
    if (this.#paused && this.#keptBack.length === 0) this.#read()
  }

  #read(): void {
    this.#paused = false
    // The time in which we did not read is not held against the peer.
    const nowMs = this.#host.clock.nowMs()
    if (this.#unfinishedSinceMs !== undefined) this.#unfinishedSinceMs = nowMs
    this.#connection.resume()
  }

  #stop(): void {
    this.#open = false
    this.#closing = true
    this.#keptBack = []
    this.#callOffWake()
  }

  // Time: one wake-up a session, which looks and comes back, instead of one a frame

  #noteUnfinished(newFrames: boolean): void {
    const nowMs = this.#host.clock.nowMs()
    if (newFrames) this.#lastFrameAtMs = nowMs
    if (this.#reader.bytesPending === 0) this.#unfinishedSinceMs = undefined
    else if (newFrames || this.#unfinishedSinceMs === undefined) this.#unfinishedSinceMs = nowMs
    else return
    if (this.#unfinishedSinceMs !== undefined) this.#watch()
  }

  #watch(): void {
    const dueMs = Math.min(this.#idleDueMs(), this.#frameDueMs())
    if (dueMs >= this.#wakeAtMs || dueMs === Infinity) return
    this.#callOffWake()
    this.#wakeAtMs = dueMs
    this.#callOffWake = this.#host.clock.at(dueMs, () => this.#wake())
  }

  #wake(): void {
    this.#wakeAtMs = Infinity
    if (!this.#open) return
    const nowMs = this.#host.clock.nowMs()
    if (nowMs >= this.#frameDueMs()) return this.close('a frame was not finished in time')
    if (nowMs >= this.#idleDueMs()) return this.close('idle')
    this.#watch()
  }

  #idleDueMs(): number {
    const { idleTimeoutMs } = this.#host.options
    if (idleTimeoutMs === 0) return Infinity
    // Who waits for us is not idle; it is looked at again in a while.
    const sinceMs = this.#owed > 0 ? this.#host.clock.nowMs() : this.#lastFrameAtMs
    return sinceMs + idleTimeoutMs
  }

  #frameDueMs(): number {
    if (this.#unfinishedSinceMs === undefined) return Infinity
    const sinceMs = this.#paused ? this.#host.clock.nowMs() : this.#unfinishedSinceMs
    return sinceMs + this.#host.options.frameTimeoutMs
  }
}
