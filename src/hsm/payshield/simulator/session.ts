import type { Socket } from 'node:net'
import { isNadiError, latin1 } from '#base'
import type { Clock } from '#base'
import type { Log } from '#telemetry'
import { frame, FrameReader } from '../frame.ts'
import type { Serve, ServerOptions } from './server.ts'

export type SessionHost = {
  readonly options: ServerOptions
  readonly serve: Serve
  readonly clock: Clock
  readonly log: Log
  closed(session: Session): void
}

/** Requests of one peer that may wait for a delayed answer before it is not read any more. */
const WAITING_MAX = 64
const CLOSE_TIMEOUT_MS = 2000

/** Then whoever asked reads the first answers while the others are made. */
const ANSWERS_TOGETHER = 16

/**
 * One peer. Requests are answered in the order in which they came; while answers wait, because
 * they are delayed or because the peer does not read, nothing further is read from it.
 *
 *     reading ──WAITING_MAX requests wait, bytesPendingMax bytes wait──▶ paused ──fewer──▶ reading
 *        │                                                                 │
 *        └── no frame, idle, a frame unfinished for long ──▶ closed ◀──────┘ unread for long
 */
export class Session {
  readonly #socket: Socket
  readonly #host: SessionHost
  readonly #reader: FrameReader
  readonly #waiting: string[] = []
  #out: Buffer[] = []
  #open = true
  #delaying = false
  #heardAtMs: number
  #unfinishedSinceMs: number | undefined
  #unreadSinceMs: number | undefined
  #callOffWatch: () => void = () => {}

  constructor(socket: Socket, host: SessionHost) {
    this.#socket = socket
    this.#host = host
    this.#reader = new FrameReader(host.options.frameBytesMax)
    this.#heardAtMs = host.clock.nowMs()
    socket.on('data', chunk => this.#onData(chunk))
    socket.on('drain', () => this.#goOn())
    socket.on('end', () => this.close())
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#onClose())
    this.#watch()
  }

  /** Reads nothing more and hangs up when the answers have left. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#flush()
    this.#socket.end()
    // A paused socket would never see the other side's end.
    this.#socket.resume()
    this.#callOffWatch()
    const { clock } = this.#host
    this.#callOffWatch = clock.at(clock.nowMs() + CLOSE_TIMEOUT_MS, () => this.#socket.destroy())
  }

  #onData(chunk: Buffer): void {
    if (!this.#open) return
    const nowMs = this.#host.clock.nowMs()
    this.#heardAtMs = nowMs
    try {
      this.#reader.push(chunk, bytes => this.#take(latin1(bytes)))
    } catch (error) {
      if (!isNadiError(error, 'FRAME_LENGTH')) throw error
      this.#host.log.warn('what came is no frame', { error: error.message })
      return this.close()
    }
    if (this.#reader.bytesPending === 0) this.#unfinishedSinceMs = undefined
    else this.#unfinishedSinceMs ??= nowMs
    this.#flush()
  }

  #take(message: string): void {
    if (!this.#open) return
    this.#unfinishedSinceMs = undefined
    if (!this.#delaying && this.#host.serve.delayMs() === 0) return this.#answer(message)
    this.#waiting.push(message)
    this.#delayNext()
  }

  #answer(message: string): void {
    const answer = this.#host.serve.answer(message)
    if (answer === undefined) {
      this.#host.log.warn('a frame is too short for a command', { characters: message.length })
      return this.close()
    }
    if (this.#out.push(frame(answer)) >= ANSWERS_TOGETHER) this.#flush()
  }

  #delayNext(): void {
    const { clock, serve } = this.#host
    if (this.#delaying || this.#waiting.length === 0) return
    this.#delaying = true
    clock.at(clock.nowMs() + serve.delayMs(), () => {
      this.#delaying = false
      const message = this.#waiting.shift()
      if (!this.#open || message === undefined) return
      this.#answer(message)
      this.#flush()
      this.#delayNext()
      this.#goOn()
    })
  }

  /** Answers to one chunk leave together, as far as nobody waits too long for the first of them. */
  #flush(): void {
    if (this.#out.length > 0 && this.#socket.writable) this.#socket.write(Buffer.concat(this.#out))
    this.#out = []
    if (this.#tooMuchWaits()) {
      this.#unreadSinceMs ??= this.#host.clock.nowMs()
      this.#socket.pause()
    }
  }

  #goOn(): void {
    if (this.#tooMuchWaits()) return
    this.#unreadSinceMs = undefined
    this.#socket.resume()
  }

  #tooMuchWaits(): boolean {
    const { bytesPendingMax } = this.#host.options
    return this.#waiting.length >= WAITING_MAX || this.#socket.writableLength > bytesPendingMax
  }

  /** One timer a session, which looks and comes back. */
  #watch(): void {
    const { clock, options } = this.#host
    const nowMs = clock.nowMs()
    const { frameTimeoutMs, idleTimeoutMs } = options
    const stuckSinceMs = Math.min(this.#unfinishedSinceMs ?? nowMs, this.#unreadSinceMs ?? nowMs)
    if (nowMs - stuckSinceMs >= frameTimeoutMs) return this.#drop('stuck')
    if (idleTimeoutMs > 0 && nowMs - this.#heardAtMs >= idleTimeoutMs) return this.#drop('idle')
    const everyMs = idleTimeoutMs > 0 ? Math.min(frameTimeoutMs, idleTimeoutMs) : frameTimeoutMs
    this.#callOffWatch = clock.at(nowMs + everyMs, () => this.#watch())
  }

  #drop(why: string): void {
    this.#host.log.info('a connection is closed', { why })
    this.#open = false
    this.#socket.destroy()
  }

  #onClose(): void {
    this.#open = false
    this.#waiting.length = 0
    this.#callOffWatch()
    this.#host.closed(this)
  }
}
