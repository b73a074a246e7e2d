import { businessDate, NadiError, type TxnIds } from '#base'
import { declined, type Reason, respond } from '#message'
import { customerOf } from '#screening'
import { sendAnswer, writeAnswer } from './answer.ts'
import type { Incoming } from './incoming.ts'
import type { SwitchParts } from './options.ts'

/**
 * Payments that are refused before anything was held or sent. They are recorded, so that "why was
 * my payment refused" has an answer tomorrow, and the record is durable before the partner is told.
 * When the journal is away the no is given all the same: nothing was done, and nothing will be.
 */
export class Refusals {
  readonly #parts: SwitchParts
  readonly #ids: TxnIds

  constructor(parts: SwitchParts, ids: TxnIds) {
    this.#parts = parts
    this.#ids = ids
  }

  /** At once and without a record: there is no room, or no journal. */
  now(incoming: Incoming, reason: Reason): void {
    sendAnswer(incoming, respond(incoming.message, declined(reason)), this.#parts.log)
    this.#observe(incoming, reason)
  }

  async recorded(incoming: Incoming, reason: Reason, rule: string): Promise<void> {
    const { message, sessionPartner } = incoming
    const partner = message.partner ?? ''
    // Without a partner of ours there is nobody whose record it would be.
    if (partner !== sessionPartner) return this.now(incoming, reason)
    const evidence = writeAnswer(incoming, respond(message, declined(reason)), this.#parts.log)
    const frames = evidence ? [incoming.evidence, evidence] : [incoming.evidence]
    const tag = 'declined'
    try {
      await this.#parts.journal.commit({
        head: {
          id: this.#ids.next(),
          partner,
          businessDate: businessDate(incoming.atMs, this.#parts.settings.cutoverMs),
          kind: 'payment',
          product: message.product ?? '',
          customer: customerOf(message),
          amountMinor: message.amountMinor ?? (0n as NonNullable<typeof message.amountMinor>),
        },
        expects: 0,
        records: [{ atMs: incoming.atMs, event: 'refused', tag, data: { reason, rule }, frames }],
        tag,
        state: { tag, reason },
        postings: [],
        owes: undefined,
      })
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      this.#parts.log.warn('a refusal was not recorded', {
        code: error.code,
        partner,
        reason,
        rule,
      })
    }
    if (evidence) incoming.send(evidence)
    else incoming.drop()
    this.#observe(incoming, reason)
  }

  #observe({ message, atMs }: Incoming, reason: Reason): void {
    const { observer, clock } = this.#parts
    const { product = '', partner = '' } = message
    observer.paymentAnswered(product, partner, reason, clock.nowMs() - atMs)
  }
}
