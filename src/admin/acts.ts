import type { FastifyRequest } from 'fastify'
import { NadiError } from '#base'
import type { AuditLine } from './audit-trail.ts'
import type { AdminParts } from './parts.ts'

export type Act = Pick<AuditLine, 'act' | 'subject' | 'by' | 'reason' | 'detail'>

/**
 * Does what a person asked for, between two lines of the audit trail. Nothing is done that could
 * not be written down before.
 */
export async function performAct<T>(
  { audit, clock, log }: AdminParts,
  { ip: peer }: FastifyRequest,
  act: Act,
  run: () => Promise<T>,
): Promise<T> {
  const write = (outcome: string): Promise<void> =>
    audit.write({ atMs: clock.nowMs(), ...act, peer, outcome })
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
