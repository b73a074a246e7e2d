import { declined, type Message, type Outcome, type Reason, respond } from '#message'
import type { Evidence } from '#journal'
import { NadiError, type TxnId } from '#base'
import type { Log } from '#telemetry'
import type { Incoming } from './incoming.ts'

/** Writes `answer`, or what can be said of it instead: an unwritable answer is no reason for silence. */
export function writeAnswer(
  incoming: Incoming,
  answer: Message,
  log: Log,
  payment?: TxnId,
): Evidence | undefined {
  try {
    return incoming.write(answer, payment)
  } catch (error) {
    if (!(error instanceof NadiError)) throw error
    log.error('an answer cannot be written in the dialect of its source', {
      code: error.code,
      path: error.path,
    })
  }
  try {
    // Not a decline: what has been done has been done, and the source must find out.
    const unsure: Outcome = { meaning: 'unknown', reason: 'timeout' }
    return incoming.write(respond(incoming.message, unsure), payment)
  } catch {
    return undefined
  }
}

export function sendAnswer(incoming: Incoming, answer: Message, log: Log): Evidence | undefined {
  const evidence = writeAnswer(incoming, answer, log)
  if (evidence) incoming.send(evidence)
  else incoming.drop()
  return evidence
}

/** A no of our own. */
export function refuse(incoming: Incoming, reason: Reason, log: Log): void {
  sendAnswer(incoming, respond(incoming.message, declined(reason)), log)
}
