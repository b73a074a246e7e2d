import type { FastifyInstance, FastifyRequest } from 'fastify'
import { NadiError, parseTxnId } from '#base'
import type { EventStoryView, EventView, KeyView } from './api.ts'
import { performAct } from './acts.ts'
import { checked, REPLAY_BODY, WEBHOOKS_QUERY } from './input.ts'
import type { AdminParts, AdminWebhooks } from './parts.ts'

/** What partner support looks at: keys of the partners' HTTP API, and the delivery log of webhooks. */
export function apiRoutes(app: FastifyInstance, parts: AdminParts): void {
  app.get('/v1/partners/:id/keys', async ({ params }) => ({ keys: keys(parts, params) }))
  app.get('/v1/webhooks', async ({ query }) => ({ webhooks: await list(parts, query) }))
  app.get('/v1/webhooks/:id', ({ params }) => show(parts, params))
  app.post('/v1/webhooks/:id/replay', request => replay(parts, request))
}

function keys({ partners, keysOf }: AdminParts, params: unknown): readonly KeyView[] {
  const { id } = params as { id: string }
  if (!partners.has(id)) throw new NadiError('PARTNER_NOT_FOUND')
  return keysOf?.(id) ?? []
}

async function list(parts: AdminParts, query: unknown): Promise<readonly EventView[]> {
  const { partner, state, payment, limit } = checked(WEBHOOKS_QUERY, query)
  const txn = payment === undefined ? undefined : parseTxnId(payment)
  if (payment !== undefined && txn === undefined) return []
  return webhooksOf(parts).list({
    limit,
    ...(partner !== undefined && { partner }),
    ...(state !== undefined && { state }),
    ...(txn !== undefined && { txn }),
  })
}

async function show(parts: AdminParts, params: unknown): Promise<EventStoryView> {
  const { id } = params as { id: string }
  return found(id, await webhooksOf(parts).show(id))
}

/** It leaves the house once more, so it is on record who wanted that. */
async function replay(parts: AdminParts, request: FastifyRequest): Promise<EventView> {
  const { id } = request.params as { id: string }
  const { by, reason } = checked(REPLAY_BODY, request.body)
  const act = { act: 'webhook.replay', subject: id.slice(0, 40), by, reason }
  return performAct(parts, request, act, async () => found(id, await webhooksOf(parts).replay(id)))
}

function webhooksOf({ webhooks }: AdminParts): AdminWebhooks {
  if (!webhooks) throw new NadiError('ADMIN_NO_SUCH_ROUTE')
  return webhooks
}

function found<T>(id: string, view: T | undefined): T {
  if (view === undefined)
    throw new NadiError('TXN_NOT_FOUND', { hint: `no webhook ${id.slice(0, 40)}` })
  return view
}
