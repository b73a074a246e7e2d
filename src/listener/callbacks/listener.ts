import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { AssertionFailed, type Clock, errorText, isNadiError, NadiError, type Secret } from '#base'
import { type HttpResponse, readHttpResponse, writeHttpRequest } from '#http'
import type { Log } from '#telemetry'
import type { Listener, ListenerStatus } from '../listener.ts'
import { bodyOf, TOO_LONG } from './body.ts'
import { type Refusal, REFUSALS, type TellRefusal } from './refusal.ts'
import { type CallbackRoute, headersOf, routeFor, targetBehind } from './routes.ts'

export type CallbackLimits = {
  readonly bodyBytesMax: number
  readonly headerBytesMax: number
  readonly connectionsMax: number
  readonly connectionsPerPeerMax: number
  /** Callbacks at work at once; above it they are told to come again. */
  readonly inFlightMax: number
  /** Headers, and the whole request, must be there after this long. */
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly idleTimeoutMs: number
  /** What takes longer than this to become durable is told to come again. */
  readonly answerTimeoutMs: number
}

export type CallbackListenerOptions = {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Undefined: plain HTTP, on this machine or behind somebody who ends TLS. */
  readonly tls: { readonly certificate: string; readonly key: Secret<string> } | undefined
  readonly limits: CallbackLimits
  readonly routes: readonly CallbackRoute[]
  /** Undefined: a refusal is a status without a body. */
  readonly refusal?: TellRefusal
}

type Parts = { readonly clock: Clock; readonly log: Log }

/**
 * A way in for what billers tell by themselves. It finds the link by the path, keeps the limits and
 * hands over the bytes as they came; whether they are believed is not its business.
 *
 *     known path? ─▶ known address? ─▶ room? ─▶ body, bounded ─▶ route.take ─▶ answer
 *        404            403             503      413, 408          503 when it takes too long
 */
export class CallbackListener implements Listener {
  readonly name: string
  readonly #options: CallbackListenerOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #server: Server
  readonly #perPeer = new Map<string, number>()
  readonly #counts = { sessions: 0, inFlight: 0, accepted: 0, refused: 0, frames: 0, badFrames: 0 }
  #address = ''
  #draining = false

  constructor(options: CallbackListenerOptions, { clock, log }: Parts) {
    this.name = options.name
    this.#options = options
    this.#clock = clock
    this.#log = log.child({ listener: options.name })
    this.#server = this.#made()
    this.#server.on('connection', (socket: Socket) => this.#connected(socket))
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch((error: unknown) =>
        this.#failed(error, request, response),
      )
    })
    this.#server.on('clientError', (_, socket: Socket) => this.#unread(socket))
  }

  /** Throws PORT_TAKEN. */
  async listen(): Promise<{ address: string }> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.on('error', (error: NodeJS.ErrnoException) => {
        const taken = { actual: `${host}:${port}`, cause: error }
        reject(error.code === 'EADDRINUSE' ? new NadiError('PORT_TAKEN', taken) : error)
      })
      this.#server.listen({ host, port }, resolve)
    })
    const { address, family, port: bound } = this.#server.address() as AddressInfo
    this.#address = `${family === 'IPv6' ? `[${address}]` : address}:${bound}`
    return { address: this.#address }
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true
    this.#address = ''
    const callOff = this.#clock.at(deadlineMs, () => this.#server.closeAllConnections())
    await new Promise<void>(resolve => {
      this.#server.close(() => resolve())
      this.#server.closeIdleConnections()
    })
    callOff()
  }

  status(): ListenerStatus {
    return { name: this.name, address: this.#address, ...this.#counts }
  }

  #made(): Server {
    const { limits, tls } = this.#options
    const options: ServerOptions = {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      // Else a slow request would be noticed half a minute late.
      connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
    }
    if (!tls) return createServer(options)
    const secure = { cert: tls.certificate, key: tls.key.reveal(), minVersion: 'TLSv1.2' as const }
    return createSecureServer({ ...options, ...secure })
  }

  #connected(socket: Socket): void {
    const { connectionsMax, connectionsPerPeerMax } = this.#options.limits
    const peer = socket.remoteAddress ?? ''
    const count = this.#perPeer.get(peer) ?? 0
    if (this.#counts.sessions >= connectionsMax || count >= connectionsPerPeerMax) {
      this.#counts.refused++
      return void socket.destroy()
    }
    this.#counts.accepted++
    this.#counts.sessions++
    this.#perPeer.set(peer, count + 1)
    socket.once('close', () => {
      this.#counts.sessions--
      const left = (this.#perPeer.get(peer) ?? 1) - 1
      if (left > 0) this.#perPeer.set(peer, left)
      else this.#perPeer.delete(peer)
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { routes, limits } = this.#options
    this.#counts.frames++
    const route = routeFor(routes, request.url ?? '/')
    if (!route) return this.#refuse(request, response, 'no-route')
    const peer = request.socket.remoteAddress ?? ''
    if (!route.mayCall(peer)) {
      route.turnedAway(peer)
      return this.#refuse(request, response, 'stranger')
    }
    if (this.#draining || this.#counts.inFlight >= limits.inFlightMax)
      return this.#refuse(request, response, 'busy')
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
      return this.#refuse(request, response, 'encoding')
    this.#counts.inFlight++
    try {
      await this.#take(route, request, response)
    } finally {
      this.#counts.inFlight--
    }
  }

  async #take(
    route: CallbackRoute,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = await bodyOf(request, this.#options.limits.bodyBytesMax)
    // Whoever went away in the middle is owed nothing.
    if (body === undefined) return void response.destroy()
    if (body === TOO_LONG) return this.#refuse(request, response, 'too-long')
    const { method = '', url = '/' } = request
    const target = targetBehind(route.prefix, url)
    const frame = writeHttpRequest({ method, target, headers: headersOf(request), body })
    const answer = await this.#inTime(route.take(frame, request.socket.remoteAddress ?? ''))
    if (!answer) return this.#refuse(request, response, 'late')
    const told = readHttpResponse(answer)
    response.writeHead(told.status, { ...told.headers, 'content-length': told.body.length })
    response.end(told.body)
  }

  /** Undefined when it takes too long; what was begun goes on. */
  #inTime(taking: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
    const { answerTimeoutMs } = this.#options.limits
    return new Promise((resolve, reject) => {
      const atMs = this.#clock.nowMs() + answerTimeoutMs
      const callOff = this.#clock.at(atMs, () => resolve(undefined))
      taking.then(resolve, reject).finally(callOff)
    })
  }

  #refuse({ url = '/' }: IncomingMessage, response: ServerResponse, why: Refusal): void {
    const { status, headers, body } = this.#noOf(why, url)
    // What was not read of the request must not be taken for the next one.
    response.setHeader('connection', 'close')
    if (REFUSALS[why] === 503) response.setHeader('retry-after', 10)
    response.writeHead(status, { ...headers, 'content-length': body.length }).end(body)
  }

  #noOf(why: Refusal, target: string): HttpResponse {
    if (REFUSALS[why] !== 503) this.#counts.badFrames++
    const { refusal } = this.#options
    if (!refusal) return { status: REFUSALS[why], headers: {}, body: Buffer.alloc(0) }
    return readHttpResponse(refusal(why, target))
  }

  #failed(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    if (error instanceof AssertionFailed) stopForBug(error)
    if (response.headersSent) return void response.destroy()
    if (isNadiError(error, 'HTTP_FRAME')) return this.#refuse(request, response, 'unreadable')
    this.#log.error('a callback could not be taken', { error: errorText(error) })
    this.#refuse(request, response, 'failed')
  }

  /** What HTTP itself could not read. */
  #unread(socket: Socket): void {
    const { status, headers, body } = this.#noOf('unreadable', '')
    if (!socket.writable) return void socket.destroy()
    const told = { ...headers, 'content-length': body.length, connection: 'close' }
    const lines = Object.entries(told).map(([name, value]) => `${name}: ${value}`)
    const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', ''].join('\r\n')
    socket.end(Buffer.concat([Buffer.from(head), body]))
  }
}

/** A bug is nobody's to handle: thrown where nobody catches it. */
function stopForBug(error: AssertionFailed): void {
  setImmediate(() => {
    throw error
  })
}
