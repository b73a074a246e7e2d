import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { AssertionFailed, fromJson, NadiError, toJson } from '#base'
import { actRoutes } from './act-routes.ts'
import { apiRoutes } from './api-routes.ts'
import { Credentials } from './credentials.ts'
import { keyRoutes } from './key-routes.ts'
import { moneyRoutes } from './money-routes.ts'
import { openRoutes } from './open-routes.ts'
import { guard } from './operators.ts'
import type { AdminParts } from './parts.ts'
import { asNadiError, problemOf } from './problem.ts'
import { statusRoutes } from './status-routes.ts'
import { txnRoutes } from './txn-routes.ts'

const BODY_BYTES_MAX = 16 * 1024
const CONNECTIONS_MAX = 256
const REQUEST_TIMEOUT_MS = 10_000

/**
 * The operators' HTTP API. Everything but /healthz, /readyz and /metrics wants a token.
 * Throws PORT_TAKEN.
 */
export async function startAdmin(
  parts: AdminParts,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 64 },
    // Paths that the router cannot read: no route, no hook, no handler sees them.
    frameworkErrors: (error, _request, reply) => void fail(reply, asNadiError(error)),
  })
  app.server.maxConnections = CONNECTIONS_MAX
  speakJson(app)
  guard(app, new Credentials(parts.token, parts.operators ?? []))
  answerErrors(app, parts)
  openRoutes(app, parts)
  statusRoutes(app, parts)
  txnRoutes(app, parts)
  moneyRoutes(app, parts)
  apiRoutes(app, parts)
  keyRoutes(app, parts)
  actRoutes(app, parts)
  const address = await listen(app, parts)
  return { address, close: () => app.close() }
}

async function listen(app: FastifyInstance, { host, port }: AdminParts): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new NadiError('PORT_TAKEN', { actual: `${host}:${port}`, cause: error })
  }
  const {
    address,
    family,
    port: bound,
  } = app.addresses()[0] as {
    address: string
    family: string
    port: number
  }
  return family === 'IPv6' ? `[${address}]:${bound}` : `${address}:${bound}`
}

/** Amounts of any length go through unharmed, both ways. */
function speakJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, fromJson(body as string))
    } catch {
      done(new NadiError('ADMIN_BAD_REQUEST', { path: 'body', expected: 'JSON' }))
    }
  })
  app.setReplySerializer(payload => toJson(payload))
}

function answerErrors(app: FastifyInstance, { log }: AdminParts): void {
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof AssertionFailed) stopForBug(error)
    const { code } = fail(reply, asNadiError(error))
    const { method, routeOptions, ip } = request
    const fields = { method, route: routeOptions.url, peer: ip, code }
    if (reply.statusCode >= 500) log.error('an admin request failed', { ...fields, ...why(error) })
    else log.info('an admin request was refused', fields)
  })
  app.setNotFoundHandler((_request: FastifyRequest, reply: FastifyReply) => {
    fail(reply, new NadiError('ADMIN_NO_SUCH_ROUTE'))
  })
}

function fail(reply: FastifyReply, error: NadiError): NadiError {
  const problem = problemOf(error)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  // As text: what is not JSON by its name would not go through the serializer.
  void reply.code(problem.status).type('application/problem+json').send(toJson(problem))
  return error
}

/** Of a failure that has no code the name of its kind is enough; its text may hold anything. */
function why(error: unknown): { cause?: string } {
  return error instanceof NadiError
    ? {}
    : { cause: error instanceof Error ? error.name : 'unknown' }
}

/** A bug is nobody's to handle: thrown where nobody catches it. */
function stopForBug(error: AssertionFailed): void {
  setImmediate(() => {
    throw error
  })
}
