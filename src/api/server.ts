import type { OutgoingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { AssertionFailed, NadiError, toHex } from '#base'
import type { ListenerStatus } from '#listener'
import { refuseAbove, refuseOddBodies, tooSoon } from './admission.ts'
import { type ApiAnswer, problemAnswer } from './answer.ts'
import { Authenticator, type KeyUse } from './auth.ts'
import { docsPage } from './docs.ts'
import { Stamps } from './message.ts'
import { openapi } from './openapi.ts'
import type { ApiParts } from './parts.ts'
import { ApiProblem, asProblem, type ProblemCode } from './problem.ts'
import { Buckets, InFlight } from './rate.ts'
import { type Route, ROUTES } from './routes.ts'

const ADDRESSES_MAX = 20_000
const PARTNERS_MAX = 10_000
const NO_BODY = new Uint8Array(0)

/**
 * The partners' HTTP API: one more way in beside the ISO listeners. What stands between a request
 * and its route, in this order:
 *
 *     draining? ─▶ rate of the address ─▶ type of the body ─▶ body, limited ─▶ who sent it?
 *       ─▶ rate of the partner ─▶ room for one more? ─▶ route
 */
export class ApiServer {
  readonly name: string
  readonly #parts: ApiParts
  readonly #app: FastifyInstance
  readonly #auth: Authenticator
  readonly #stamps: Stamps
  readonly #byPartner: Buckets
  readonly #byAddress: Buckets
  readonly #inFlight: InFlight
  readonly #connections = new Map<string, number>()
  readonly #counts = { accepted: 0, refused: 0, requests: 0, bad: 0, open: 0 }
  #address = ''
  #draining = false

  constructor(parts: ApiParts) {
    const { limits } = parts
    this.name = parts.name
    this.#parts = parts
    this.#auth = new Authenticator(parts)
    this.#stamps = new Stamps(parts.clock)
    this.#byPartner = new Buckets(limits.partnerRate, PARTNERS_MAX)
    this.#byAddress = new Buckets(limits.addressRate, ADDRESSES_MAX)
    this.#inFlight = new InFlight(limits.inFlightPerPartnerMax, limits.inFlightMax)
    this.#app = this.#made()
    this.#watchConnections()
    this.#takeBodies()
    this.#guard()
    this.#answerErrors()
    this.#serve()
  }

  /** Throws PORT_TAKEN. */
  async listen(): Promise<{ address: string }> {
    const { host, port } = this.#parts
    try {
      await this.#app.listen({ host, port })
    } catch (error) {
      await this.#app.close()
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      throw new NadiError('PORT_TAKEN', { actual: `${host}:${port}`, cause: error })
    }
    const bound = this.#app.addresses()[0] as { address: string; family: string; port: number }
    const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
    this.#address = `${shown}:${bound.port}`
    return { address: this.#address }
  }

  /** Takes nothing new; resolves when every answer owed has left, or at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true
    const callOff = this.#parts.clock.at(deadlineMs, () => this.#app.server.closeAllConnections())
    await this.#app.close()
    callOff()
    this.#address = ''
  }

  status(): ListenerStatus {
    const { accepted, refused, requests, bad, open } = this.#counts
    return {
      name: this.name,
      address: this.#address,
      sessions: open,
      inFlight: this.#inFlight.total,
      accepted,
      refused,
      frames: requests,
      badFrames: bad,
    }
  }

  /** When each key or certificate was last used. */
  get keyUses(): ReadonlyMap<string, KeyUse> {
    return this.#auth.uses
  }

  #made(): FastifyInstance {
    const { limits, tls } = this.#parts
    const options = {
      bodyLimit: limits.bodyBytesMax,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      exposeHeadRoutes: false,
      forceCloseConnections: 'idle' as const,
      return503OnClosing: false,
      routerOptions: { maxParamLength: 64 },
      frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
        this.#refuse(request, reply, asProblem(error)),
      clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) =>
        this.#refuseUnread(error, socket),
    }
    const wire = {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      // Else a slow request would be noticed half a minute late.
      connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
    }
    if (!tls) return fastify({ ...options, http: wire })
    // Whoever a certificate belongs to is known by its fingerprint, whoever has signed it.
    const secure = { cert: tls.certificate, key: tls.key.reveal(), requestCert: true }
    const https = { ...wire, ...secure, rejectUnauthorized: false, minVersion: 'TLSv1.2' } as const
    return fastify({ ...options, https })
  }

  #watchConnections(): void {
    const { connectionsMax, connectionsPerPeerMax } = this.#parts.limits
    this.#app.server.on('connection', (socket: Socket) => {
      const peer = socket.remoteAddress ?? ''
      const count = this.#connections.get(peer) ?? 0
      if (this.#counts.open >= connectionsMax || count >= connectionsPerPeerMax) {
        this.#counts.refused++
        socket.destroy()
        return
      }
      this.#counts.accepted++
      this.#counts.open++
      this.#connections.set(peer, count + 1)
      socket.once('close', () => this.#disconnected(peer))
    })
  }

  #disconnected(peer: string): void {
    this.#counts.open--
    const left = (this.#connections.get(peer) ?? 1) - 1
    if (left > 0) this.#connections.set(peer, left)
    else this.#connections.delete(peer)
  }

  /** Bodies stay bytes until it is known who sent them: the signature is over the bytes. */
  #takeBodies(): void {
    this.#app.removeAllContentTypeParsers()
    this.#app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) =>
      done(null, body),
    )
  }

  #guard(): void {
    // Else a connection that was kept alive would hold up the end until it is idle for long enough.
    this.#app.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.#draining) reply.header('connection', 'close')
      done()
    })
    // Hooks and handlers call back: a promise for each of them would cost more than all they do.
    this.#app.addHook('onRequest', (request, reply, done) => {
      try {
        this.#admit(request, reply)
      } catch (error) {
        return done(error as Error)
      }
      done()
    })
  }

  /** Throws ApiProblem. */
  #admit(request: FastifyRequest, reply: FastifyReply): void {
    this.#counts.requests++
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    reply.header('x-request-id', toHex(this.#parts.random.bytes(8)))
    if (this.#draining)
      throw new ApiProblem('unavailable', 'the switch is stopping; send it again elsewhere')
    refuseAbove(this.#byAddress.take(request.ip, this.#parts.clock.nowMs()))
    refuseOddBodies(request)
  }

  #answerErrors(): void {
    this.#app.setErrorHandler((error, request, reply) => {
      if (error instanceof AssertionFailed) stopForBug(error)
      const problem = asProblem(error)
      if (problem.code === 'internal')
        this.#parts.log.error('an API request failed', {
          route: request.routeOptions.url,
          cause: error instanceof NadiError ? error.code : (error as Error).name,
        })
      this.#refuse(request, reply, problem)
    })
    this.#app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?', 1)[0] ?? ''
      const there = ROUTES.filter(route => matcherOf(route).test(path))
      const allow = there.map(({ method }) => method).join(', ')
      const problem =
        there.length > 0
          ? new ApiProblem('method-not-allowed', undefined, { headers: { allow } })
          : new ApiProblem('not-found')
      this.#refuse(request, reply, problem)
    })
  }

  #serve(): void {
    for (const route of ROUTES)
      this.#app.route({
        method: route.method,
        url: route.path.replace('{id}', ':id'),
        handler: (request, reply) => {
          this.#run(route, request).then(
            answer => this.#send(reply, answer),
            (error: Error) => void reply.send(error),
          )
        },
      })
    const document = openapi(this.#parts.version)
    const page = docsPage(document)
    this.#app.get('/openapi.json', async (_, reply) => reply.send(document))
    this.#app.get('/docs', async (_, reply) =>
      reply
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
        .type('text/html; charset=utf-8')
        .send(page),
    )
  }

  async #run(route: Route, request: FastifyRequest): Promise<ApiAnswer> {
    const body = request.body instanceof Uint8Array ? request.body : NO_BODY
    const partner = this.#auth.partnerOf(request, body)
    refuseAbove(this.#byPartner.take(partner.id, this.#parts.clock.nowMs()))
    if (!this.#inFlight.enter(partner.id)) throw tooSoon('too-many-in-flight', 1000)
    try {
      return await route.run(this.#parts, { partner, request, body }, this.#stamps)
    } finally {
      this.#inFlight.leave(partner.id)
    }
  }

  #refuse(request: FastifyRequest, reply: FastifyReply, problem: ApiProblem): void {
    const { code, status } = problem
    if (status === 400 || status === 413 || status === 415) this.#counts.bad++
    const { method, routeOptions, ip } = request
    const route = routeOptions?.url
    const id = reply.getHeader('x-request-id')
    this.#parts.log.info('an API request was refused', { method, route, peer: ip, code, id })
    if (status === 401) void reply.header('www-authenticate', 'Nadi-HMAC-SHA256')
    this.#send(reply, problemAnswer(problem))
  }

  /** Byte for byte what was made, and in one write: the framework has nothing to add to it. */
  #send(reply: FastifyReply, { status, headers, body }: ApiAnswer): void {
    const { raw } = reply.hijack()
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const own = reply.getHeaders() as OutgoingHttpHeaders
    const last = this.#draining ? { connection: 'close' } : undefined
    raw.writeHead(status, { ...own, ...headers, 'content-length': length, ...last })
    raw.end(body)
  }

  /** What HTTP itself could not read has no request and no reply: the socket is answered. */
  #refuseUnread(error: NodeJS.ErrnoException, socket: Socket): void {
    this.#counts.bad++
    const { code = '' } = error
    this.#parts.log.info('unreadable HTTP', { peer: socket.remoteAddress, code })
    if (!socket.writable) return void socket.destroy()
    const { status, headers, body } = problemAnswer(
      new ApiProblem(UNREAD[code] ?? 'invalid-request'),
    )
    const type = headers['content-type'] ?? ''
    const head = `HTTP/1.1 ${status} Bad\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`
    socket.end(Buffer.concat([Buffer.from(head), Buffer.from(body)]))
  }
}

const UNREAD: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
}

function matcherOf({ path }: Route): RegExp {
  return new RegExp(`^${path.replace('{id}', '[^/]+')}$`)
}

/** A bug is nobody's to handle: thrown where nobody catches it. */
function stopForBug(error: AssertionFailed): void {
  setImmediate(() => {
    throw error
  })
}
