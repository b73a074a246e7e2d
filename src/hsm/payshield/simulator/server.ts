import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { NadiError } from '#base'
import type { Clock } from '#base'
import type { Log } from '#telemetry'
import { Session } from './session.ts'
import type { SessionHost } from './session.ts'

export type ServerOptions = {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** A real box has 64; further connections are closed at once. */
  readonly connectionsMax: number
  readonly frameBytesMax: number
  /** Answers that may wait for a peer that does not read; above it requests are not read either. */
  readonly bytesPendingMax: number
  /** How long a frame may be unfinished, and a peer may leave its answers unread. */
  readonly frameTimeoutMs: number
  /** A connection without a request for this long is closed; 0 never. */
  readonly idleTimeoutMs: number
}

/** Carries out one message, and says how long its answer is to be held back. */
export type Serve = {
  /** The answer; undefined when the message is none, and the connection is to be closed. */
  readonly answer: (message: string) => string | undefined
  readonly delayMs: () => number
}

/** Connections in, their limits, and the orderly end. */
export class HostServer {
  readonly #options: ServerOptions
  readonly #log: Log
  readonly #host: SessionHost
  readonly #sessions = new Set<Session>()
  #server: Server | undefined
  #onEmpty: () => void = () => {}

  constructor(options: ServerOptions, serve: Serve, { clock, log }: { clock: Clock; log: Log }) {
    this.#options = options
    this.#log = log
    this.#host = { options, serve, clock, log, closed: session => this.#closed(session) }
  }

  get connections(): number {
    return this.#sessions.size
  }

  /** Listens; resolves with the address. Throws PORT_TAKEN. */
  async start(): Promise<{ address: string; port: number }> {
    const { host, port } = this.#options
    const server = createServer({ noDelay: true }, socket => this.#admit(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.on('error', error => reject(listenError(error, `${host}:${port}`)))
      server.listen({ host, port }, resolve)
    })
    const bound = server.address() as AddressInfo
    return { address: `${bound.address}:${bound.port}`, port: bound.port }
  }

  /** Ends every connection after its answers have left; resolves when none is left. */
  async stop(): Promise<void> {
    this.#server?.close()
    this.#server = undefined
    if (this.#sessions.size === 0) return
    const empty = new Promise<void>(resolve => {
      this.#onEmpty = resolve
    })
    for (const session of this.#sessions) session.close()
    await empty
  }

  #admit(socket: Socket): void {
    if (this.#server === undefined || this.#sessions.size >= this.#options.connectionsMax) {
      this.#log.warn('a connection is refused', { connections: this.#sessions.size })
      socket.on('error', () => {}).destroy()
      return
    }
    this.#sessions.add(new Session(socket, this.#host))
  }

  #closed(session: Session): void {
    this.#sessions.delete(session)
    if (this.#sessions.size === 0) this.#onEmpty()
  }
}

function listenError(error: Error, address: string): Error {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error
  return new NadiError('PORT_TAKEN', { actual: address, cause: error })
}
