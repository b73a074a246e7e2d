import type { FastifyInstance } from 'fastify'
import { isNadiError } from '#base'
import type { OpenSummary } from '#journal'
import type { OpenView, ProductView, StatusView } from './api.ts'
import type { AdminParts, ProductFile } from './parts.ts'

/** How it stands: the node, its ways in and out, what is open. */
export function statusRoutes(app: FastifyInstance, parts: AdminParts): void {
  const startedAtMs = parts.clock.nowMs()
  app.get('/v1/status', () => status(parts, startedAtMs))
  app.get('/v1/links', async () => ({ links: statuses(parts.links) }))
  app.get('/v1/listeners', async () => ({ listeners: statuses(parts.listeners) }))
  app.get('/v1/products', async () => ({ products: [...parts.products.values()].map(productView) }))
}

async function status(parts: AdminParts, startedAtMs: number): Promise<StatusView> {
  const { node, clock, journal, health } = parts
  const summaries = await openSummary(parts)
  const nowMs = clock.nowMs()
  const problems = health.ready()
  return {
    node,
    nowMs,
    startedAtMs,
    uptimeMs: nowMs - startedAtMs,
    ready: problems.length === 0,
    problems,
    journal: { available: journal.available },
    links: statuses(parts.links),
    listeners: statuses(parts.listeners),
    open: summaries && openViews(summaries, nowMs),
    owed: parts.switch.owed,
    inMemory: parts.switch.inMemory,
  }
}

/** Null while the journal is away: the rest can be told all the same. */
async function openSummary({ journal }: AdminParts): Promise<OpenSummary[] | null> {
  if (!journal.available) return null
  try {
    return await journal.openSummary()
  } catch (error) {
    if (!isNadiError(error, 'JOURNAL_UNAVAILABLE')) throw error
    return null
  }
}

function openViews(summaries: readonly OpenSummary[], nowMs: number): OpenView[] {
  const byState = Map.groupBy(summaries, ({ tag }) => tag)
  return [...byState].map(([state, rows]) => {
    const oldestAtMs = Math.min(...rows.map(row => row.oldestAtMs))
    const count = rows.reduce((sum, row) => sum + row.count, 0)
    return { state, count, oldestAtMs, oldestAgeMs: Math.max(0, nowMs - oldestAtMs) }
  })
}

function statuses<S>(ways: ReadonlyMap<string, { status(): S }>): S[] {
  return [...ways.values()].map(way => way.status())
}

function productView(product: ProductFile): ProductView {
  const { code, title, enabled, biller, links, policy, fee, minMinor, maxMinor } = product
  return {
    code,
    title,
    enabled,
    biller,
    links,
    recovery: policy.recovery,
    attemptsMax: policy.attemptsMax,
    answerTimeoutMs: policy.answerTimeoutMs,
    reversalWindowMs: policy.reversalWindowMs,
    adminPerBillMinor: fee.adminPerBillMinor,
    minMinor,
    maxMinor,
  }
}
