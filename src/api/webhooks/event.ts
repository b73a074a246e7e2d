import { formatTxnId, parseTxnId, type TxnId, ZERO } from '#base'
import type { PaymentEnd, PaymentLook } from '#switch'
import { chargeOf } from '../money.ts'
import type { WebhookBody } from '../schemas.ts'
import type { EventKey, NewEvent } from '../store.ts'

/** `evt_06D3…_4`: the same end of the same payment has the same id, however often it is told. */
export function eventId({ txn, version }: Omit<EventKey, 'partner'>): string {
  return `evt_${formatTxnId(txn)}_${version}`
}

export function parseEventId(text: string): Omit<EventKey, 'partner'> | undefined {
  const [, id = '', version = ''] = /^evt_([0-9A-Z]{12})_([1-9]\d{0,5})$/.exec(text) ?? []
  const txn: TxnId | undefined = parseTxnId(id)
  return txn === undefined ? undefined : { txn, version: Number(version) }
}

/** All that a payment has to tell. */
export function eventsOf({ partner, id, ends }: PaymentLook): NewEvent[] {
  return ends.map(({ version, tag, atMs }) => ({
    partner,
    txn: id,
    version,
    type: `payment.${tag}`,
    atMs,
  }))
}

/**
 * What an event says: which payment, what became of it, and the money. Made from the journal when it
 * is sent, the same each time. Names, numbers and tokens stay here: whoever needs them fetches the
 * payment, and proves who it is.
 */
export function eventBody(look: PaymentLook, end: PaymentEnd): Uint8Array {
  const { id, inquiryId, answer, product } = look
  const { amountMinor = ZERO, adminMinor = ZERO } = answer
  const body: WebhookBody = {
    type: `payment.${end.tag}`,
    timestamp: new Date(end.atMs).toISOString(),
    data: {
      payment: formatTxnId(id),
      inquiry: formatTxnId(inquiryId),
      reference: answer.reference?.switching ?? '',
      state: end.tag,
      product: product.code,
      ...chargeOf(amountMinor, adminMinor, product.fee.insideAmount),
    },
  }
  return Buffer.from(JSON.stringify(body))
}
