import type { TxnId } from '#base'
import type { Reason } from '#message'
import type { TxnTag } from '#txn'

/** What the switch tells of itself: metrics listen, and so do the simulated world's invariants. */
export interface Observer {
  inquiryEnded(product: string, partner: string, reason: Reason, tookMs: number): void
  /** The partner got its answer to a payment request. */
  paymentAnswered(product: string, partner: string, reason: Reason, tookMs: number): void
  /** A step is durable. */
  paymentChanged(id: TxnId, product: string, partner: string, from: TxnTag, to: TxnTag): void
  /** An answer that came late, a second time, or said something else than what was asked. */
  oddAnswer(link: string, what: 'late' | 'mismatched'): void
}

export const NO_OBSERVER: Observer = {
  inquiryEnded() {},
  paymentAnswered() {},
  paymentChanged() {},
  oddAnswer() {},
}
