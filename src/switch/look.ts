import type { TxnId } from '#base'
import type { Journal, StoredRecord, StoredTxn } from '#journal'
import type { Message, Outcome } from '#message'
import { FINAL, tell, type TxnState } from '#txn'
import { receiptFor } from './compose.ts'
import type { Inquiries, Inquiry } from './inquiries.ts'
import type { Product } from './options.ts'
import { type Payment, paymentKey, type RequestData, revive } from './payment.ts'
import { makeReference, readReference } from './reference.ts'

/** What a partner may know of a payment of its own, as the journal has it. */
export type PaymentLook = {
  readonly id: TxnId
  readonly partner: string
  readonly product: Product
  readonly inquiryId: TxnId
  readonly openedAtMs: number
  readonly businessDate: string
  readonly state: TxnState
  /** What the payer is told of that state; undefined while it would have to wait. */
  readonly outcome: Outcome | undefined
  /** All that the answer to the payment says, whether or not it was said already. */
  readonly answer: Message
  /** What a reversal of it must name. */
  readonly request: RequestData
  readonly ends: readonly PaymentEnd[]
}

/** One time that a payment came to an end: a paid one that is reversed has two. */
export type PaymentEnd = {
  /** Of the record that brought it. */
  readonly version: number
  readonly tag: (typeof FINAL)[number]
  readonly atMs: number
}

type LookParts = {
  readonly journal: Pick<Journal, 'find' | 'findByKey'>
  readonly products: ReadonlyMap<string, Product>
  readonly settings: { readonly referencePrefix: string }
}

/** Questions about what was: they change nothing, and only a partner's own is found. */
export class Looks {
  readonly #parts: LookParts
  readonly #inquiries: Inquiries

  constructor(parts: LookParts, inquiries: Inquiries) {
    this.#parts = parts
    this.#inquiries = inquiries
  }

  /** An inquiry that was answered. One round trip at most. Throws JOURNAL_UNAVAILABLE. */
  inquiry(partner: string, id: TxnId): Promise<Inquiry | undefined> {
    return this.#inquiries.find(partner, id)
  }

  /** By the payment's own id, however old. Throws JOURNAL_UNAVAILABLE. */
  async payment(partner: string, id: TxnId): Promise<PaymentLook | undefined> {
    return this.#read(await this.#parts.journal.find(partner, id))
  }

  /** The payment that an inquiry carries, as far back as request keys go. Throws JOURNAL_UNAVAILABLE. */
  async paymentFor(partner: string, inquiryId: TxnId): Promise<PaymentLook | undefined> {
    return this.#read(await this.#parts.journal.findByKey(partner, paymentKey(inquiryId)))
  }

  referenceOf(inquiryId: TxnId): string {
    return makeReference(this.#parts.settings.referencePrefix, inquiryId)
  }

  inquiryOf(reference: string): TxnId | undefined {
    return readReference(this.#parts.settings.referencePrefix, reference)
  }

  /** What was refused before it began, and what is no payment, is nothing that can be looked at. */
  #read(stored: StoredTxn | undefined): PaymentLook | undefined {
    if (stored?.kind !== 'payment') return undefined
    const inquiryId = inquiryIn(stored.key)
    const payment = revive(stored, this.#parts.products)
    if (!payment || inquiryId === undefined) return undefined
    const told = tell(payment.state, 'payment')
    const outcome = told.tag === 'outcome' ? told.outcome : undefined
    return {
      id: stored.id,
      partner: stored.partner,
      product: payment.product,
      inquiryId,
      openedAtMs: stored.openedAtMs,
      businessDate: stored.businessDate,
      state: payment.state,
      outcome,
      answer: answerOf(payment, outcome, this.referenceOf(inquiryId)),
      request: payment.request,
      ends: endsOf(stored.records),
    }
  }
}

const WAITING: Outcome = { meaning: 'unknown', reason: 'timeout' }

function answerOf(payment: Payment, outcome: Outcome | undefined, reference: string): Message {
  const { head, request, sent, details, price } = payment
  const asked: Message = {
    kind: 'payment',
    direction: 'request',
    repeat: false,
    product: head.product,
    partner: head.partner,
    ...request,
    reference: { switching: reference },
  }
  const { businessDate } = head
  return receiptFor(asked, outcome ?? WAITING, sent, details, price.adminMinor, businessDate)
}

function endsOf(records: readonly StoredRecord[]): PaymentEnd[] {
  const ends: PaymentEnd[] = []
  let before = ''
  for (const { version, tag, atMs } of records) {
    const final = FINAL.find(one => one === tag)
    if (final && tag !== before) ends.push({ version, tag: final, atMs })
    before = tag
  }
  return ends
}

/** A payment's request key names the inquiry that it pays. */
function inquiryIn(key: string | undefined): TxnId | undefined {
  const hex = /^payment ([0-9a-f]{1,15})$/.exec(key ?? '')?.[1]
  return hex === undefined ? undefined : (BigInt(`0x${hex}`) as TxnId)
}
