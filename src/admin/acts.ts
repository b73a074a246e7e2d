import type { FastifyRequest } from 'fastify'
import { NadiError } from '#base'
import type { AuditLine } from './audit-trail.ts'
import type { AdminParts } from './parts.ts'

export type Act = Pick<AuditLine, 'act' | 'subject' | 'by' | 'reason' | 'detail'> & {
  /** What else it comes to: a key that is generated and put to use at once is activated, too. */
  readonly also?: readonly string[]
}

/** Who does it in the end, and why, as it goes on record. */
export type Doer = { readonly by: string; readonly why: string }

/**
 * Does what a person asked for, between two lines of the audit trail. Nothing is done that could
 * not be written down before. Where the act takes two operators it only waits for the other one:
 * throws ADMIN_APPROVAL, which names it.
 */
export async function performAct<T>(
  parts: AdminParts,
  request: FastifyRequest,
  act: Act,
  run: (who: Doer) => Promise<T>,
): Promise<T> {
  const { also = [], ...plain } = act
  const { by, reason: why } = plain
  const { approvals } = parts
  if (!approvals?.needs([act.act, ...also]))
    return recorded(parts, request, plain, () => run({ by, why }))
  return recorded(parts, request, plain, async () => {
    const { id } = approvals.add(plain, run)
    throw new NadiError('ADMIN_APPROVAL', {
      path: id,
      hint: `another operator, within four hours: nadi act approve ${id} --reason …`,
    })
  })
}

/** The same for the operator who approves what another one asked for. */
export function performApproved(
  parts: AdminParts,
  request: FastifyRequest,
  {
    id,
    by: approvedBy,
    reason,
  }: { readonly id: string; readonly by: string; readonly reason: string },
): Promise<unknown> {
  const { approvals } = parts
  if (!approvals) throw new NadiError('ADMIN_NO_SUCH_ACT', { path: id })
  const { of, run } = approvals.take(id, approvedBy)
  const why = `${of.reason} (approved by ${approvedBy}: ${reason})`
  return recorded(parts, request, { ...of, approvedBy, approval: reason }, () =>
    run({ by: of.by, why }),
  )
}

type Recorded = Omit<Act, 'also'> & Pick<AuditLine, 'approvedBy' | 'approval'>

async function recorded<T>(
  { audit, clock, log }: AdminParts,
  { ip: peer, account }: FastifyRequest,
  act: Recorded,
  run: () => Promise<T>,
): Promise<T> {
  const write = (outcome: string): Promise<void> =>
    audit.write({ atMs: clock.nowMs(), ...act, peer, ...(account && { account }), outcome })
  await write('begun')
  let outcome = 'done'
  try {
    return await run()
  } catch (error) {
    outcome = error instanceof NadiError ? error.code : 'failed'
    throw error
  } finally {
    const { act: name, subject, by } = act
    log.info('an operator acted', { act: name, subject, by, outcome })
    // It has been done by now; that it began is on record, so this is no reason to say it failed.
    await write(outcome).catch(() => log.error('the audit log cannot be written', { act: name }))
  }
}
