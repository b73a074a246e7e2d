import type { BusinessDate, TxnId } from '#base'
import type { Journal } from '#journal'
import { APPROVED, type Message } from '#message'
import { quoteFor } from './compose.ts'
import type { Product } from './options.ts'
import { makeReference } from './reference.ts'

/** An inquiry that was answered: what a payment is bound to. */
export type Inquiry = {
  readonly id: TxnId
  readonly partner: string
  readonly businessDate: BusinessDate
  readonly product: string
  /** The answer as the partner got it, and as the biller gave it. */
  readonly told: Message
  readonly answer: Message
  /** The link that the biller answered over. */
  readonly route: string
}

/** What an inquiry's record holds; `told` is made again from it. */
export type InquiryData = {
  readonly request: Message
  readonly answer: Message
  readonly route: string
}

/**
 * The inquiries that have no payment yet, so that a payment need not ask the database for its
 * quote. Bounded: the oldest is forgotten first, and then read from the journal if its payment does
 * come.
 */
export class Inquiries {
  readonly #journal: Journal
  readonly #products: ReadonlyMap<string, Product>
  readonly #prefix: string
  readonly #max: number
  readonly #byId = new Map<TxnId, Remembered>()
  readonly #byRequest = new Map<string, Inquiry>()

  constructor(
    journal: Journal,
    products: ReadonlyMap<string, Product>,
    prefix: string,
    max: number,
  ) {
    this.#journal = journal
    this.#products = products
    this.#prefix = prefix
    this.#max = max
  }

  /** `request` is what tells a repeat of the same request. */
  remember(inquiry: Inquiry, request: string): void {
    this.#byId.set(inquiry.id, { inquiry, request })
    this.#byRequest.set(request, inquiry)
    if (this.#byId.size <= this.#max) return
    for (const oldest of this.#byId.keys()) {
      this.forget(oldest)
      break
    }
  }

  /** What the same request was told before, as long as nothing has been done about it. */
  answered(request: string): Message | undefined {
    return this.#byRequest.get(request)?.told
  }

  /** It is being paid: the same question may have another answer now. */
  spend(id: TxnId): void {
    const request = this.#byId.get(id)?.request ?? ''
    if (this.#byRequest.get(request)?.id === id) this.#byRequest.delete(request)
  }

  /** Its payment is durable: whoever asks for it again finds that one. */
  forget(id: TxnId): void {
    this.spend(id)
    this.#byId.delete(id)
  }

  /** Only the partner that asked finds it. One round trip at most. */
  async find(partner: string, id: TxnId): Promise<Inquiry | undefined> {
    const known = this.#byId.get(id)?.inquiry
    if (known) return known.partner === partner ? known : undefined
    const stored = await this.#journal.find(partner, id)
    if (!stored || stored.kind !== 'inquiry' || stored.tag !== 'answered') return undefined
    const product = this.#products.get(stored.product)
    const [record] = stored.records
    if (!product || !record) return undefined
    const { request, answer, route } = record.data as InquiryData
    const { businessDate } = stored
    const told = quoteFor(request, answer, APPROVED, makeReference(this.#prefix, id), product)
    return { id, partner, businessDate, product: product.code, told, answer, route }
  }
}

type Remembered = { readonly inquiry: Inquiry; readonly request: string }
