import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { NadiError } from '#base'
import type {
  Acceptor,
  Connection,
  ConnectionHandlers,
  Dialer,
  DialHandlers,
} from './connection.ts'
import { atEndOfTurn, join, keepJoined } from './turn.ts'

export type TcpOptions = {
  readonly host: string
  readonly port: number
  /** `write` says no when this much waits already. */
  readonly bytesPendingMax?: number
  /** First probe of the operating system on a connection without traffic. */
  readonly keepAliveMs?: number
}

const BYTES_PENDING_MAX = 16 * 1024 * 1024
const KEEP_ALIVE_MS = 60_000
/** A thousand partners may dial in the same instant; the system's own limit is usually 4096. */
const BACKLOG = 4096

export class TcpDialer implements Dialer {
  readonly #options: TcpOptions

  constructor(options: TcpOptions) {
    this.#options = options
  }

  dial(handlers: DialHandlers): Connection {
    const { host, port, keepAliveMs = KEEP_ALIVE_MS } = this.#options
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    })
    const connection = new TcpConnection(socket, `${host}:${port}`, this.#options)
    socket.once('connect', () => handlers.onConnect())
    connection.handle(handlers)
    return connection
  }
}

export class TcpAcceptor implements Acceptor {
  readonly #options: TcpOptions
  #server: Server | undefined

  constructor(options: TcpOptions) {
    this.#options = options
  }

  async listen(
    onConnection: (connection: Connection) => ConnectionHandlers,
  ): Promise<{ address: string }> {
    const { host, port, keepAliveMs = KEEP_ALIVE_MS } = this.#options
    const server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    })
    server.on('connection', socket => {
      const peer = addressText(socket.remoteAddress, socket.remotePort)
      const connection = new TcpConnection(socket, peer, this.#options)
      connection.handle(onConnection(connection))
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      // Stays after that: one connection that cannot be taken (no descriptors left) ends nothing.
      server.on('error', error => reject(listenError(error, `${host}:${port}`)))
      server.listen({ host, port, backlog: BACKLOG }, resolve)
    })
    const { address, port: bound } = server.address() as AddressInfo
    return { address: addressText(address, bound) }
  }

  async close(): Promise<void> {
    // The callback of close() waits for every connection; those stay, so nobody waits for them.
    this.#server?.close()
    this.#server = undefined
  }
}

class TcpConnection implements Connection {
  readonly peer: string
  readonly #socket: Socket
  readonly #bytesPendingMax: number
  #parts: Uint8Array[] = []
  #partsBytes = 0
  /** What the socket held back after our last write to it: it can only have become less. */
  #heldBytes = 0
  #closed = false
  #reason: string | undefined

  constructor(socket: Socket, peer: string, { bytesPendingMax = BYTES_PENDING_MAX }: TcpOptions) {
    this.#socket = socket
    this.peer = peer
    this.#bytesPendingMax = bytesPendingMax
  }

  handle(handlers: ConnectionHandlers): void {
    const socket = this.#socket
    socket.on('data', chunk => handlers.onData(chunk))
    socket.on('error', error => (this.#reason ??= errorCode(error)))
    socket.on('end', () => this.#peerEnded())
    socket.once('close', () => {
      this.#close()
      handlers.onClose(this.#reason ?? 'closed')
    })
  }

  get bytesPending(): number {
    if (this.#heldBytes > 0) this.#heldBytes = this.#socket.writableLength
    return this.#partsBytes + this.#heldBytes
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.bytesPending > this.#bytesPendingMax) return false
    if (this.#parts.push(bytes) === 1) atEndOfTurn(this)
    this.#partsBytes += bytes.length
    return true
  }

  flush(): void {
    const bytes = this.#partsBytes
    if (bytes === 0) return
    const parts = this.#parts
    const one = parts.length === 1
    this.#socket.write(join(parts, bytes))
    this.#heldBytes = this.#socket.writableLength
    // What the system did not take at once is still read by the socket.
    if (!one && this.#heldBytes > 0) keepJoined()
    parts.length = 0
    this.#partsBytes = 0
  }

  end(): void {
    if (this.#closed) return
    this.flush()
    this.#close()
    this.#socket.end()
    // A paused socket would never see the other side's end.
    this.#socket.resume()
  }

  destroy(reason = 'destroyed'): void {
    this.#reason ??= reason
    this.#close()
    this.#socket.destroy()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Whoever hangs up while bytes for him wait does not read them: nothing would end the wait. */
  #peerEnded(): void {
    this.#reason ??= 'the peer hung up'
    if (!this.#closed) this.flush()
    if (this.#socket.writableLength > 0) this.#socket.destroy()
    this.#close()
  }

  #close(): void {
    this.#closed = true
    this.#parts.length = 0
    this.#partsBytes = 0
  }
}

function addressText(address: string | undefined, port: number | undefined): string {
  const plain = address?.replace(/^::ffff:/, '') ?? 'unknown'
  return plain.includes(':') ? `[${plain}]:${port ?? 0}` : `${plain}:${port ?? 0}`
}

function listenError(error: Error, address: string): Error {
  if (errorCode(error) !== 'EADDRINUSE') return error
  return new NadiError('PORT_TAKEN', { actual: address, cause: error })
}

function errorCode(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message
}
