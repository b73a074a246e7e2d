import type { TxnId } from '#base'
import type { Commit, Evidence, NewRecord, Obligation, StoredTxn, TxnHead } from '#journal'
import type { Message } from '#message'
import type { Price } from '#pricing'
import type { Question, TxnEvent, TxnState } from '#txn'
import { customerOf } from '#screening'
import type { Details } from './compose.ts'
import type { Incoming } from './incoming.ts'
import type { Carried } from './security/carried.ts'
import type { Product } from './options.ts'

/** One payment as it lives in memory: its state, who waits for it, and its mailbox. */
export class Payment {
  readonly head: TxnHead
  readonly product: Product
  readonly price: Price
  /** What the partner asked for; enough to recognise a repeat and a reversal of it. */
  readonly request: RequestData
  readonly openedAtMs: number
  state: TxnState
  /** Records in the journal; 0 before the first commit. */
  version: number
  /** As it goes to the biller; stamped anew for another route. */
  sent: Message
  /** The route that `sent` was stamped for. */
  sentOver: string | undefined
  details: Details
  /** The journal failed before anything left, and the partner was told no: it must never leave. */
  abandoned = false
  /** PIN block and track data, until it has been sent; never in the journal. */
  carried: Carried | undefined
  /** Our place among the recoveries of the destination, held while the biller is being asked. */
  release: (() => void) | undefined
  readonly askers: Asker[] = []
  readonly mailbox: Entry[] = []
  busy = false

  constructor(made: {
    head: TxnHead
    product: Product
    price: Price
    request: RequestData
    sent: Message
    openedAtMs: number
    state?: TxnState
    version?: number
    sentOver?: string
    details?: Details
  }) {
    this.head = made.head
    this.product = made.product
    this.price = made.price
    this.request = made.request
    this.sent = made.sent
    this.openedAtMs = made.openedAtMs
    this.state = made.state ?? { tag: 'received' }
    this.version = made.version ?? 0
    this.sentOver = made.sentOver
    this.details = made.details ?? {}
  }

  get id(): TxnId {
    return this.head.id
  }
}

/** Somebody on the line who wants to know; answered as soon as the state allows it. */
export type Asker = {
  readonly incoming: Incoming
  readonly question: Question
  /** False until the entry that brought it has been applied: it must not be told what was before. */
  ready: boolean
  callOff: () => void
}

/** One thing that happened to a payment. Without an event it is only worth recording. */
export type Entry = {
  readonly name: string
  readonly event?: TxnEvent
  readonly data?: Record<string, unknown>
  readonly frames?: readonly Evidence[]
  /** What the biller's answer brought. */
  readonly details?: Details
  readonly asker?: Asker
  readonly release?: () => void
  /** Called when it has been applied, whatever came of it. */
  readonly applied?: () => void
}

export type RequestData = Pick<
  Message,
  'trace' | 'sentAt' | 'channel' | 'bank' | 'terminal' | 'switcher'
>

/** What the first record of a payment holds beside its event. */
type AdmittedData = { request: RequestData; price: Price; sent: Message }

export function requestData(message: Message): RequestData {
  const { trace, sentAt, channel, bank, terminal, switcher } = message
  return {
    trace,
    sentAt,
    ...(channel !== undefined && { channel }),
    ...(bank !== undefined && { bank }),
    ...(terminal !== undefined && { terminal }),
    ...(switcher !== undefined && { switcher }),
  }
}

/** A payment is the payment of an inquiry, and an inquiry has one: that is its key (laws 4 and 5). */
export function paymentKey(inquiryId: TxnId): string {
  return `payment ${inquiryId.toString(16)}`
}

/** All that makes it the same request: the same key with other content is an error. */
export function contentOf(message: Message): string {
  const { trace, sentAt, bank, terminal, amountMinor, billsPaid, token } = message
  const what = [
    trace,
    sentAt,
    bank,
    terminal,
    customerOf(message),
    amountMinor,
    billsPaid,
    token?.option,
  ]
  return what.map(part => String(part ?? '')).join('|')
}

/** The commit of one step. The first record carries what recovery needs after a crash. */
export function commitOf(
  payment: Payment,
  entry: Entry,
  state: TxnState,
  atMs: number,
  frames: readonly Evidence[],
  postings: Commit['postings'],
): Commit {
  const first: Partial<AdmittedData> =
    payment.version === 0 ? { request: payment.request, price: payment.price } : {}
  const data = { ...first, ...entry.data, ...(entry.details && { details: entry.details }) }
  const record: NewRecord = {
    atMs,
    event: entry.name,
    tag: state.tag,
    ...(Object.keys(data).length > 0 && { data }),
    ...(frames.length > 0 && { frames }),
  }
  return {
    head: payment.head,
    expects: payment.version,
    records: [record],
    tag: state.tag,
    state,
    postings,
    owes: obligationOf(state, payment.product, atMs),
  }
}

/** Who owes what by when in a state (law 10). Undefined for the final ones. */
export function obligationOf(
  state: TxnState,
  product: Product,
  nowMs: number,
): Obligation | undefined {
  const { policy } = product
  switch (state.tag) {
    case 'received':
    case 'paid':
    case 'declined':
    case 'reversed':
      return undefined
    case 'sending':
      return {
        step: 'answer',
        destination: state.routes[0],
        dueAtMs: nowMs + policy.answerTimeoutMs,
      }
    case 'unknown':
    case 'reversing': {
      const waitMs = state.phase === 'asking' ? policy.recoveryTimeoutMs : policy.spacingMs
      const by = state.tag === 'reversing' ? 'reverse' : policy.recovery
      return { step: by, destination: state.route, dueAtMs: nowMs + waitMs }
    }
    case 'suspect':
      return { step: 'decide', destination: '', dueAtMs: nowMs }
  }
}

/** A payment made again from what the journal holds; undefined when its product is gone. */
export function revive(
  stored: StoredTxn,
  products: ReadonlyMap<string, Product>,
): Payment | undefined {
  const product = products.get(stored.product)
  const admitted = stored.records[0]?.data as Partial<AdmittedData> | undefined
  if (!product || !admitted?.request || !admitted.price || !admitted.sent) return undefined
  let sent = admitted.sent
  let details: Details = {}
  for (const { data } of stored.records) {
    const { sent: again, details: told } = (data ?? {}) as { sent?: Message; details?: Details }
    sent = again ?? sent
    details = told ?? details
  }
  const state = stored.state as TxnState
  return new Payment({
    head: headOf(stored),
    product,
    price: admitted.price,
    request: admitted.request,
    sent,
    openedAtMs: stored.openedAtMs,
    state,
    version: stored.version,
    ...('route' in state && { sentOver: state.route }),
    details,
  })
}

function headOf(stored: StoredTxn): TxnHead {
  const { id, partner, businessDate, kind, product, customer, amountMinor, key, content } = stored
  return {
    id,
    partner,
    businessDate,
    kind,
    product,
    customer,
    amountMinor,
    ...(key !== undefined && { key }),
    ...(content !== undefined && { content }),
  }
}
