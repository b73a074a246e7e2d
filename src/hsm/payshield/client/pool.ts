import { assert, NadiError } from '#base'
import { FRAME_BYTES_MAX } from '../frame.ts'
import { parseResponse, responseCodeOf, writeRequest } from '../grammar/index.ts'
import type { CommandCode, ParsedResponse, RequestOf } from '../grammar/index.ts'
import { Headers } from './headers.ts'
import type { PortParts, PortOptions } from './port.ts'
import { Port, unavailable } from './port.ts'

export type PoolOptions = {
  readonly host: string
  /** 1500 on a box as it comes. */
  readonly port: number
  /** How many connections are held; a box takes 64. */
  readonly connections?: number
  /** Requests in flight on one connection. */
  readonly inFlightMax?: number
  /** An answer must be there after this long. */
  readonly requestTimeoutMs?: number
  /** Characters of the message header that the box is set to. */
  readonly headerLength?: number
  readonly frameBytesMax?: number
  readonly dialTimeoutMs?: number
  readonly reconnectMinMs?: number
  readonly reconnectMaxMs?: number
  /** A connection that is silent for this long is asked whether it still is one; 0 never. */
  readonly idleMs?: number
  readonly probeTimeoutMs?: number
}

const DEFAULTS = {
  connections: 4,
  inFlightMax: 64,
  requestTimeoutMs: 5000,
  headerLength: 4,
  frameBytesMax: FRAME_BYTES_MAX,
  dialTimeoutMs: 5000,
  reconnectMinMs: 100,
  reconnectMaxMs: 10_000,
  idleMs: 30_000,
  probeTimeoutMs: 5000,
} as const

export type PoolStatus = {
  readonly connections: number
  readonly up: number
  readonly inFlight: number
  /** Answers that came after their deadline, or a second time. */
  readonly late: number
}

/** Connections to one box, or to several behind one address. A request goes where the fewest are. */
export class HostPool {
  readonly #requestTimeoutMs: number
  readonly #inFlightMax: number
  readonly #parts: PortParts
  readonly #ports: readonly Port[]
  #closed = false

  constructor(options: PoolOptions, parts: PortParts) {
    const rules = { ...DEFAULTS, ...options } satisfies PortOptions & Required<PoolOptions>
    assert(rules.connections > 0, 'a pool has one connection at least')
    this.#requestTimeoutMs = rules.requestTimeoutMs
    const each = Math.min(rules.inFlightMax, new Headers(rules.headerLength).inFlightMax)
    this.#inFlightMax = rules.connections * each
    this.#parts = parts
    this.#ports = Array.from({ length: rules.connections }, () => new Port(rules, parts))
  }

  /** Dials; resolves when every connection is up or has failed once. It goes on trying by itself. */
  async start(): Promise<void> {
    await Promise.all(this.#ports.map(port => port.start()))
  }

  /** Hangs up; requests in flight fail with HSM_UNAVAILABLE. */
  async close(): Promise<void> {
    this.#closed = true
    for (const port of this.#ports) port.stop()
  }

  status(): PoolStatus {
    const sum = (of: (port: Port) => number) => this.#ports.reduce((all, port) => all + of(port), 0)
    return {
      connections: this.#ports.length,
      up: sum(port => (port.up ? 1 : 0)),
      inFlight: sum(port => port.inFlight),
      late: sum(port => port.late),
    }
  }

  /** Requests in flight on all connections together, when all are up. */
  get inFlightMax(): number {
    return this.#inFlightMax
  }

  /**
   * Asks the box. Resolves with its error code, whatever that is; an error code is an answer.
   * Throws HSM_REQUEST (a value does not fit), HSM_BUSY (too many in flight), HSM_UNAVAILABLE (no
   * connection, it broke, or no answer before the deadline), HSM_RESPONSE (cannot be read).
   */
  async ask<C extends CommandCode>(
    code: C,
    values: RequestOf<C>,
    lmk?: string,
  ): Promise<ParsedResponse<C>> {
    const message = writeRequest(code, values, lmk)
    const answer = await this.#send(message, responseCodeOf(code))
    return parseResponse(code, answer, values)
  }

  #send(message: string, expected: string): Promise<string> {
    const port = this.#choose()
    const deadlineMs = this.#parts.clock.nowMs() + this.#requestTimeoutMs
    return new Promise((resolve, reject) => {
      port.send(message, expected, deadlineMs, answer => {
        if (typeof answer === 'string') resolve(answer)
        else reject(answer)
      })
    })
  }

  #choose(): Port {
    let best: Port | undefined
    let anyUp = false
    for (const port of this.#ports) {
      if (!port.up) continue
      anyUp = true
      if (!port.full && (best === undefined || port.inFlight < best.inFlight)) best = port
    }
    if (best) return best
    if (!anyUp) throw unavailable(this.#closed ? 'it was closed' : 'no connection to it')
    throw new NadiError('HSM_BUSY', { hint: 'as many requests are in flight as may be' })
  }
}
