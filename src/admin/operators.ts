import type { FastifyInstance } from 'fastify'
import type { Credentials } from './credentials.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token it came with; undefined where one token is shared. */
    operator: string | undefined
    /** Who the asking command says that its user is: on record beside the operator, never instead. */
    account: string | undefined
  }
}

const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/**
 * Nobody gets further without a token, and who acts is who the token belongs to: whatever an act
 * says in `by` is put aside.
 */
export function guard(app: FastifyInstance, credentials: Credentials): void {
  app.decorateRequest('operator', undefined)
  app.decorateRequest('account', undefined)
  // Asks the route that was found, not the address that was typed: that has many spellings.
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    const { url } = request.routeOptions
    if (url !== undefined && OPEN_PATHS.has(url)) return
    request.operator = credentials.whoIs(request.headers.authorization)
  })
  app.addHook('preHandler', async request => {
    const { operator, body, query } = request
    if (operator === undefined) return
    for (const act of [body, query]) {
      if (!isAct(act)) continue
      const { by } = act
      if (typeof by === 'string' && by !== operator) request.account = by.slice(0, 64)
      act.by = operator
    }
  })
}

/** Acts, and nothing else, have a reason. */
function isAct(input: unknown): input is { by?: unknown; reason: unknown } {
  return typeof input === 'object' && input !== null && 'reason' in input
}
