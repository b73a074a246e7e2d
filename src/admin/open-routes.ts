import type { FastifyInstance, FastifyReply } from 'fastify'
import type { AdminParts } from './parts.ts'

/** For machines that watch: no token, and nothing in them that needs one. */
export function openRoutes(app: FastifyInstance, { health, metrics }: AdminParts): void {
  app.get('/healthz', async (_request, reply) => report(reply, health.live()))
  app.get('/readyz', async (_request, reply) => report(reply, health.ready()))
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.render()
    return reply.type(metrics.contentType).send(text)
  })
}

function report(reply: FastifyReply, problems: readonly string[]): FastifyReply {
  const ok = problems.length === 0
  return reply.code(ok ? 200 : 503).send({ ok, problems })
}
