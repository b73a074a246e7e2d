import type { TxnId } from '#base'
import type { Observer } from '#switch'
import { FINAL } from '#txn'

/** An observer that also tells somebody of every payment that comes to its end. */
export function tellingEnds(
  observer: Observer,
  onEnd: (partner: string, id: TxnId) => void,
): Observer {
  return {
    inquiryEnded: (...of) => observer.inquiryEnded(...of),
    paymentAnswered: (...of) => observer.paymentAnswered(...of),
    oddAnswer: (...of) => observer.oddAnswer(...of),
    paymentChanged(id, product, partner, from, to) {
      observer.paymentChanged(id, product, partner, from, to)
      if (FINAL.some(final => final === to)) onEnd(partner, id)
    },
  }
}
