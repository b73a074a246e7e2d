import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { NadiError } from '#base'
import { performAct, performApproved } from './acts.ts'
import type { ApprovedActView, WaitingActView } from './api.ts'
import { act, checked } from './input.ts'
import type { AdminParts } from './parts.ts'

const ACT_ID = z.object({
  id: z.string().regex(/^[0-9A-Fa-f]{10}$/, 'expected the 10 digits of a waiting act'),
})
const BODY = z.strictObject(act)

/** Acts that take two operators: one asks, another one approves or refuses. */
export function actRoutes(app: FastifyInstance, parts: AdminParts): void {
  app.get('/v1/acts', async () => ({ acts: parts.approvals?.list ?? [] }))
  app.post('/v1/acts/:id/approve', request => approve(parts, request))
  app.post('/v1/acts/:id/refuse', request => refuse(parts, request))
}

async function approve(parts: AdminParts, request: FastifyRequest): Promise<ApprovedActView> {
  const { id } = checked(ACT_ID, request.params)
  const { by, reason } = checked(BODY, request.body)
  return { id, result: await performApproved(parts, request, { id, by, reason }) }
}

function refuse(parts: AdminParts, request: FastifyRequest): Promise<WaitingActView> {
  const { id } = checked(ACT_ID, request.params)
  const { by, reason } = checked(BODY, request.body)
  return performAct(parts, request, { act: 'act.refuse', subject: id, by, reason }, async () => {
    if (!parts.approvals) throw new NadiError('ADMIN_NO_SUCH_ACT', { path: id })
    const { run: _run, of: _of, ...view } = parts.approvals.drop(id)
    return view
  })
}
