import type { TxnId } from '#base'
import type { Evidence } from '#journal'
import type { Message } from '#message'
import type { Carried } from './security/carried.ts'

/** One request of a partner, whatever it came by. Exactly one `send` or `drop` is owed for it. */
export type Incoming = {
  readonly message: Message
  readonly atMs: number
  /** The partner that this session signed on for. */
  readonly sessionPartner: string
  /** The request as it stood on the wire, but for what nobody may keep. */
  readonly evidence: Evidence
  /** That: for the one sending that it is for. */
  readonly carried?: Carried
  /**
   * Writes an answer in the partner's dialect. Throws when it cannot be said. `payment` is the id of
   * the payment that the answer speaks of, where one was let in.
   */
  write(answer: Message, payment?: TxnId): Evidence
  send(answer: Evidence): void
  /** Gives no answer. */
  drop(): void
}
