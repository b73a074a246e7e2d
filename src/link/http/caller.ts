import { Pool } from 'undici'
import { type Clock, errorText } from '#base'
import type { Log } from '#telemetry'
import { connector } from './connect.ts'
import { Exchange, type ExchangeEnd } from './exchange.ts'
import type { HttpLinkOptions, HttpPlace } from './options.ts'

type Parts = {
  readonly place: HttpPlace
  readonly options: HttpLinkOptions
  readonly clock: Clock
  readonly log: Log
}

export type Call = {
  readonly frame: Uint8Array
  readonly endsAtMs: number
  readonly onEnd: (end: ExchangeEnd) => void
  readonly onLeft?: () => void
}

/** The connections of one link. Each request finds one of its own, so that none waits behind another. */
export class Caller {
  /** Made since the start. */
  connections = 0
  readonly host: string
  readonly #url: URL
  readonly #pathPrefix: string
  readonly #parts: Parts
  #pool: Pool | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#url = new URL(parts.place.url)
    this.host = this.#url.host
    this.#pathPrefix = this.#url.pathname.replace(/\/$/, '')
  }

  open(): void {
    const { place, options, clock } = this.#parts
    const { inFlightMax, headerBytesMax, bodyBytesMax, keepAliveMs } = options
    const pool = new Pool(this.#url.origin, {
      // And one for tokens.
      connections: inFlightMax + 1,
      pipelining: 1,
      allowH2: false,
      connect: connector(options, place.tls, clock),
      maxHeaderSize: headerBytesMax,
      maxResponseSize: bodyBytesMax,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
    })
    pool.on('connect', () => void this.connections++)
    this.#pool = pool
  }

  /** Hangs up on all. */
  close(): void {
    const pool = this.#pool
    this.#pool = undefined
    pool?.destroy().catch((error: unknown) => {
      this.#parts.log.warn('connections were not closed', { error: errorText(error) })
    })
  }

  /** Not begun yet. Undefined when nothing is open: then it has ended already. */
  exchange(call: Call): Exchange | undefined {
    const pool = this.#pool
    if (!pool) {
      call.onEnd({ tag: 'unsent', ourFault: false, error: 'stopped' })
      return undefined
    }
    const { clock, options } = this.#parts
    return new Exchange({ ...call, pool, clock, limits: options, pathPrefix: this.#pathPrefix })
  }
}
