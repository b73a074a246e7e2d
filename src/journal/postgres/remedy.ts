import { AssertionFailed, NadiError } from '#base'
import { ConnectionBroken, sqlState } from '#postgres'

/** What commit_batch raises when not all members can be committed. */
const NOT_PLAIN = 'ND001'

/** Reads fail with the journal's own code, whatever the driver called it; bugs stay bugs. */
export function failure(error: unknown): unknown {
  if (error instanceof NadiError || isBug(error)) return error
  return new NadiError('JOURNAL_UNAVAILABLE', { cause: error })
}

/**
 * What to do about a batch that failed, by SQLSTATE.
 *   judge      some member has to be refused
 *   reconnect  the outcome is unknown (writer.ts tells)
 *   repeat     another session was in the way: serialization, deadlock, lock, timeout, or a unique
 *              index where another node was faster by a moment (the next look sees it)
 *   split      the data of some member: classes 22 (data), 23 (integrity), 54 (a limit)
 *   give-up    the server is not well: disk, memory, privileges
 * A bug has no remedy: it is thrown again, and the process ends.
 */
export function remedyOf(error: unknown): 'judge' | 'reconnect' | 'repeat' | 'split' | 'give-up' {
  if (isBug(error)) throw error
  if (error instanceof ConnectionBroken) return 'reconnect'
  const state = sqlState(error)
  if (state === undefined) return 'reconnect'
  if (state === NOT_PLAIN) return 'judge'
  if (['40001', '40P01', '55P03', '57014', '23505'].includes(state)) return 'repeat'
  if (/^(22|23|54)/.test(state)) return 'split'
  return 'give-up'
}

/** Our own mistake, and no word of the driver or the server. */
function isBug(error: unknown): boolean {
  return (
    error instanceof AssertionFailed ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError
  )
}
