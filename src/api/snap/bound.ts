import { createHash } from 'node:crypto'
import type { TxnId } from '#base'
import type { SnapCall, SnapParts } from './parts.ts'
import { SnapRefusal } from './refusal.ts'

/** What a bank's inquiryRequestId stands for: kept with the idempotency keys, so every node knows. */
export type Bound = { readonly inquiry: TxnId; readonly number: string; readonly customer: string }

/** A space in it: no Idempotency-Key of the partner's own can be the same. */
function keyOf(kind: string, { bank, message }: SnapCall): string {
  return `snap ${bank.name} ${kind} ${message.reference?.own ?? ''}`
}

export async function boundTo({ requests }: SnapParts, call: SnapCall): Promise<Bound | undefined> {
  const content = await requests.contentOf(call.bank.asker.id, keyOf('inquiry', call))
  if (content === undefined) return undefined
  const [hex = '', number = '', customer = ''] = content.split(' ')
  return { inquiry: BigInt(`0x${hex}`) as TxnId, number, customer }
}

/** Durable when it resolves: the bank pays by it, and the inquiry's own record may come later. False when another inquiry of that id came first. */
export async function bind(parts: SnapParts, call: SnapCall, inquiry: TxnId): Promise<boolean> {
  const content = `${inquiry.toString(16)} ${call.number} ${customerOf(call)}`
  const claimed = await claim(parts, call, keyOf('inquiry', call), content, true)
  return claimed !== 'other'
}

/** The inquiry that a request names; throws when it is another customer's. */
export function checkCustomer(call: SnapCall, { number, customer }: Bound): void {
  if (number !== call.number || customer !== customerOf(call)) throw new SnapRefusal('inconsistent')
}

/**
 * A paymentRequestId means one customer and one amount, whatever else is said with it. It is not bound
 * to an amount that may not be paid (`fits`): nothing is done then, and the right one may follow.
 */
export async function claimPayment(parts: SnapParts, call: SnapCall, fits: boolean): Promise<void> {
  const { amountMinor } = call.message
  const content = `${amountMinor ?? ''} ${call.number} ${customerOf(call)}`
  const key = keyOf('payment', call)
  if (fits) {
    if ((await claim(parts, call, key, content)) === 'other') throw new SnapRefusal('inconsistent')
    return
  }
  const before = await parts.requests.contentOf(call.bank.asker.id, key)
  throw new SnapRefusal(before === undefined ? 'amount' : 'inconsistent')
}

/** X-EXTERNAL-ID is for one request of one day; the very same may come again. */
export async function claimExternal(
  parts: SnapParts,
  call: SnapCall,
  external: string,
  body: Uint8Array,
  day: string,
): Promise<void> {
  const content = createHash('sha256').update(`${call.digits}\n`).update(body).digest('hex')
  const key = `snap ${call.bank.name} external ${day} ${external}`
  if ((await claim(parts, call, key, content)) === 'other') throw new SnapRefusal('conflict')
}

function claim(
  { requests, clock }: SnapParts,
  { bank }: SnapCall,
  key: string,
  content: string,
  lasting = false,
): Promise<'new' | 'same' | 'other'> {
  return requests.claim({ partner: bank.asker.id, key, content, atMs: clock.nowMs(), lasting })
}

function customerOf({ message }: SnapCall): string {
  return message.customer?.id ?? ''
}
