import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Clock } from '#base'
import { readHttpRequest } from '#http'
import { decoded, responseFrame } from './body.ts'
import type { HttpLinkOptions } from './options.ts'

/**
 * One request and what becomes of it. The library decides which connection it takes; from the
 * moment that it hands the request to a socket it counts as sent, whatever happens then.
 *
 *     waiting ──a connection is there──▶ sent ──headers──▶ reading ──last byte──▶ answered
 *        │                                │                   │
 *        └─ no connection, recalled       └─ reset, timeout ──┴─ reset, timeout, too long
 *                  │                                     │
 *                  ▼                                     ▼
 *               unsent                                  lost
 */
export type ExchangeEnd =
  | { readonly tag: 'answered'; readonly status: number; readonly frame: Uint8Array }
  | { readonly tag: 'unsent'; readonly ourFault: boolean; readonly error: string }
  | { readonly tag: 'lost'; readonly why: 'deadline' | 'broken'; readonly error: string }

export type ExchangeParts = {
  readonly pool: Dispatcher
  readonly clock: Clock
  readonly limits: Pick<HttpLinkOptions, 'headersTimeoutMs' | 'bodyTimeoutMs' | 'bodyBytesMax'>
  /** Stands before every target. */
  readonly pathPrefix: string
  readonly frame: Uint8Array
  /** Whatever phase it is in, it is given up then. */
  readonly endsAtMs: number
  /** The first byte leaves now. */
  readonly onLeft?: () => void
  /** Once, exactly. */
  readonly onEnd: (end: ExchangeEnd) => void
}

const NOTHING_ARMED = (): void => {}

export class Exchange {
  readonly #parts: ExchangeParts
  #phase: 'waiting' | 'sent' | 'reading' | 'unpacking' | 'ended' = 'waiting'
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: IncomingHttpHeaders = {}
  readonly #chunks: Buffer[] = []
  #bytes = 0
  readonly #callOffWhole: () => void
  #callOffPhase = NOTHING_ARMED

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#callOffWhole = parts.clock.at(parts.endsAtMs, () => this.#giveUp('no answer in time'))
  }

  start(): void {
    const { pool, frame, pathPrefix } = this.#parts
    try {
      const { method, target, headers, body } = readHttpRequest(frame)
      const { 'content-length': _, ...others } = headers
      pool.dispatch(
        {
          path: pathPrefix + target,
          method,
          headers: { 'accept-encoding': 'identity', 'user-agent': 'Nadi', ...others },
          body: body.length > 0 ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : null,
          idempotent: false,
          // Our own limits are kept by the clock that we were given.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        this.#handler(),
      )
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Calls it back: true when no byte of it has left, and none will. */
  recall(): boolean {
    if (this.#phase !== 'waiting') return false
    this.#end({ tag: 'unsent', ourFault: false, error: 'no connection in time' })
    return true
  }

  /** Hangs up, whatever has come so far. */
  abandon(error: string): void {
    if (this.recall()) return
    this.#end({ tag: 'lost', why: 'broken', error })
  }

  #handler(): Dispatcher.DispatchHandler {
    return {
      onRequestStart: controller => this.#handedOver(controller),
      onResponseStart: (_, status, headers) => this.#started(status, headers),
      onResponseData: (_, chunk) => this.#read(chunk),
      onResponseEnd: () => void this.#complete(),
      onResponseError: (_, error) => this.#failed(error),
    }
  }

  /** The next thing that happens is that bytes are written. */
  #handedOver(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Recalled; or it was sent before, and the library wants to send it a second time: never.
    if (this.#phase !== 'waiting') return controller.abort(new Error('not to be sent'))
    this.#phase = 'sent'
    this.#parts.onLeft?.()
    this.#limit(this.#parts.limits.headersTimeoutMs, 'no headers in time')
  }

  #started(status: number, headers: IncomingHttpHeaders): void {
    if (this.#phase !== 'sent' || status < 200) return
    this.#phase = 'reading'
    this.#status = status
    this.#headers = headers
    this.#limit(this.#parts.limits.bodyTimeoutMs, 'the body came too slowly')
  }

  #read(chunk: Buffer): void {
    if (this.#phase !== 'reading') return
    this.#bytes += chunk.length
    if (this.#bytes <= this.#parts.limits.bodyBytesMax) return void this.#chunks.push(chunk)
    this.abandon('the body is too long')
  }

  async #complete(): Promise<void> {
    if (this.#phase !== 'reading') return
    this.#phase = 'unpacking'
    const encoding = this.#headers['content-encoding']
    const { bodyBytesMax } = this.#parts.limits
    const whole = Buffer.concat(this.#chunks, this.#bytes)
    const body = encoding === undefined ? whole : await decoded(whole, encoding, bodyBytesMax)
    if (!body) return this.abandon('the body cannot be unpacked')
    try {
      const frame = responseFrame(this.#status, this.#headers, body)
      this.#end({ tag: 'answered', status: this.#status, frame })
    } catch (error) {
      this.abandon(wordFor(error))
    }
  }

  #failed(error: unknown): void {
    const text = wordFor(error)
    if (this.#phase === 'waiting') {
      const ourFault = /^UND_ERR_(INVALID|NOT_SUPPORTED|REQ)|^HTTP_FRAME/.test(text)
      return this.#end({ tag: 'unsent', ourFault, error: text })
    }
    this.#end({ tag: 'lost', why: 'broken', error: text })
  }

  #limit(ms: number, what: string): void {
    const { clock, endsAtMs } = this.#parts
    this.#callOffPhase()
    this.#callOffPhase = NOTHING_ARMED
    const atMs = clock.nowMs() + ms
    // Most phases may last longer than the whole; then that one's end comes first.
    if (atMs < endsAtMs) this.#callOffPhase = clock.at(atMs, () => this.#giveUp(what))
  }

  #giveUp(error: string): void {
    if (this.recall()) return
    this.#end({ tag: 'lost', why: 'deadline', error })
  }

  #end(end: ExchangeEnd): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    this.#callOffWhole()
    this.#callOffPhase()
    this.#chunks.length = 0
    if (end.tag === 'lost') this.#controller?.abort(new Error(end.error))
    this.#parts.onEnd(end)
  }
}

/** A code says enough; a text may hold more than is good to show. */
function wordFor(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (code === 'CONNECT_FAILED') return String(message)
  return typeof code === 'string' && /^[A-Z0-9_]{2,60}$/.test(code) ? code : 'failed'
}
