import type { FastifyInstance, FastifyRequest } from 'fastify'
import { formatTxnId, NadiError, type TxnId } from '#base'
import type { StoryView, TxnView } from './api.ts'
import { performAct } from './acts.ts'
import { checked, LIST_QUERY, RESOLVE_BODY, STORY_QUERY, txnIdOf } from './input.ts'
import type { AdminParts } from './parts.ts'
import { storyView, txnView } from './story.ts'

/** Payments, inquiries and deposits: found, told, resolved. */
export function txnRoutes(app: FastifyInstance, parts: AdminParts): void {
  app.get('/v1/txns', async ({ query }) => ({ txns: await list(parts, query) }))
  app.get('/v1/txns/:id', request => show(parts, request))
  app.post('/v1/txns/:id/resolve', request => resolve(parts, request))
}

async function list({ journal, clock }: AdminParts, query: unknown): Promise<TxnView[]> {
  const { state, kind, partner, product, customer, sinceMs, limit } = checked(LIST_QUERY, query)
  const rows = await journal.list({
    limit,
    ...(state !== undefined && { state }),
    ...(kind !== undefined && { kind }),
    ...(partner !== undefined && { partner }),
    ...(product !== undefined && { product }),
    ...(customer !== undefined && { customer }),
    ...(sinceMs !== undefined && { sinceMs }),
  })
  const nowMs = clock.nowMs()
  return rows.map(row => txnView(row, nowMs))
}

/** In clear only for somebody who says who and why, and that is on record before it is shown. */
async function show(parts: AdminParts, request: FastifyRequest): Promise<StoryView> {
  const id = txnIdOf(request.params)
  const asked = checked(STORY_QUERY, request.query)
  if (asked.unsafe !== '1') return tell(parts, id, false)
  const { by, reason } = asked
  const act = { act: 'txn.reveal', subject: formatTxnId(id), by, reason }
  return performAct(parts, request, act, () => tell(parts, id, true))
}

async function resolve(parts: AdminParts, request: FastifyRequest): Promise<StoryView> {
  const id = txnIdOf(request.params)
  const { as, by, reason } = checked(RESOLVE_BODY, request.body)
  const act = { act: 'txn.resolve', subject: formatTxnId(id), by, reason, detail: { as } }
  return performAct(parts, request, act, async () => {
    await parts.switch.resolve(id, as, by, reason)
    return tell(parts, id, false)
  })
}

async function tell(parts: AdminParts, id: TxnId, unsafe: boolean): Promise<StoryView> {
  const { journal, clock } = parts
  const found = await journal.findAnywhere(id)
  const story = found && (await journal.story(found.partner, id))
  if (!story) throw new NadiError('TXN_NOT_FOUND', { path: formatTxnId(id) })
  return storyView(story, clock.nowMs(), unsafe, parts)
}
