import type { AmountMinor, BusinessDate, TxnId } from '#base'
import type { AccountName, Posting } from '#ledger'

/**
 * What happened, and whose money it moved. Two keepers, memory.ts and postgres/, keep this one
 * promise, and one suite (test/journal/conformance.ts) holds both to it.
 *
 * Every table's key begins with the partner. Records are append-only; a txn's row is the fold of
 * its records, kept for speed.
 */
export interface Journal {
  /**
   * All of it or none of it, and durable when the promise resolves. What is handed in while one
   * batch is being made durable travels in the next; nobody waits for a timer.
   *
   * Refusals are values. Thrown: JOURNAL_UNAVAILABLE (the outcome is unknown; ask again with the
   * same commit, which then answers `duplicate` or `conflict` if it had got through),
   * JOURNAL_FULL (nothing was done), JOURNAL_REFUSED (this commit cannot be stored, ever).
   */
  commit(commit: Commit): Promise<CommitResult>

  /** One txn with its records, newest state; undefined when this partner has none of that id. */
  find(partner: string, id: TxnId): Promise<StoredTxn | undefined>
  /** The txn that was made by this partner's request key. */
  findByKey(partner: string, key: string): Promise<StoredTxn | undefined>
  /** Whoever owns it; for operators. */
  findAnywhere(id: TxnId): Promise<StoredTxn | undefined>
  /** Every txn that is not final, oldest first: what recovery walks through at start. */
  open(): AsyncIterable<StoredTxn>
  list(filter: TxnFilter): Promise<TxnRow[]>
  /** The records of one txn with their evidence decrypted and their postings: the whole story. */
  story(partner: string, id: TxnId): Promise<Story | undefined>

  balances(partner?: string): Promise<Balance[]>
  audit(): Promise<AuditReport>
  /** Counts and oldest ages of open txns by state: the gauges. */
  openSummary(): Promise<OpenSummary[]>
  /** The newest id ever committed, so that ids keep rising when the clock was set back. */
  newestId(): Promise<TxnId | undefined>

  /** False while the keeper cannot make anything durable. New payments are then refused at once. */
  readonly available: boolean
  close(): Promise<void>
}

export type TxnKind = 'inquiry' | 'payment' | 'deposit'

/** What a txn is; written once, at its first commit, and never changed. */
export type TxnHead = {
  readonly id: TxnId
  readonly partner: string
  readonly businessDate: BusinessDate
  readonly kind: TxnKind
  readonly product: string
  /** The customer's number, whichever kind the product goes by. */
  readonly customer: string
  readonly amountMinor: AmountMinor
  /** The partner's request key (law 4): unique among this partner's txns. */
  readonly key?: string
  /** Fingerprint of what the request asked for: the same key with another content is an error. */
  readonly content?: string
  /** The inquiry that this payment is bound to: one inquiry carries one payment at most. */
  readonly inquiryId?: TxnId
}

export type Commit = {
  readonly head: TxnHead
  /** The version that the txn has now: 0 for a new one. Else the answer is `conflict`. */
  readonly expects: number
  /** Each record raises the version by one. At least one. */
  readonly records: readonly NewRecord[]
  /** The state's name after the last record, and the state itself (plain JSON data). */
  readonly tag: string
  readonly state: unknown
  readonly postings: readonly Posting[]
  /**
   * The outbox: what must still be done about this txn, for whom and by when. Undefined when the
   * txn is final; then it leaves the list of open txns in the same commit.
   */
  readonly owes: Obligation | undefined
  /**
   * Nobody waits for it: it may linger a few milliseconds for others to travel with, always before
   * or with whatever is handed in after it.
   */
  readonly mayLinger?: boolean
}

export type Obligation = {
  /** What is owed: `answer`, `reversal`, `advice`, `status`, `decision` (a person's). */
  readonly step: string
  /** The link it goes to; empty for a person. */
  readonly destination: string
  readonly dueAtMs: number
}

export type NewRecord = {
  readonly atMs: number
  /** The event that was applied, in words: `admitted`, `answered`, `deadline`. */
  readonly event: string
  /** The state's name after it. */
  readonly tag: string
  /** Plain data: the normalized message, the attempt, who and why. Bigints only under names in …Minor. */
  readonly data?: unknown
  /** Raw wire frames: evidence. Stored encrypted. */
  readonly frames?: readonly Evidence[]
}

export type Evidence = {
  readonly atMs: number
  readonly side: 'source' | 'destination'
  readonly direction: 'in' | 'out'
  /** The listener or link it crossed, and the pack that can read it. */
  readonly via: string
  readonly pack: string
  readonly bytes: Uint8Array
}

export type CommitResult =
  | { readonly tag: 'committed' }
  /** `on` tells which promise was taken already: the request key or the inquiry. */
  | { readonly tag: 'duplicate'; readonly on: 'key' | 'inquiry'; readonly existing: StoredTxn }
  | { readonly tag: 'insufficient-funds'; readonly availableMinor: AmountMinor }
  | { readonly tag: 'conflict'; readonly version: number }

export type StoredRecord = NewRecord & { readonly version: number }

export type TxnRow = TxnHead & {
  readonly version: number
  readonly tag: string
  readonly owes: Obligation | undefined
  readonly openedAtMs: number
  readonly changedAtMs: number
}

/** A txn as it is needed to go on with it: without evidence. */
export type StoredTxn = TxnRow & {
  readonly state: unknown
  readonly records: readonly StoredRecord[]
}

export type StoredPosting = Posting & { readonly version: number; readonly atMs: number }

export type Story = StoredTxn & { readonly postings: readonly StoredPosting[] }

export type TxnFilter = {
  readonly partner?: string
  /** A state's name, or `open` for all that are not final. */
  readonly state?: string
  readonly kind?: TxnKind
  readonly product?: string
  readonly customer?: string
  readonly sinceMs?: number
  readonly limit: number
}

export type Balance = {
  readonly partner: string
  readonly account: AccountName
  readonly balanceMinor: AmountMinor
}

export type OpenSummary = {
  readonly tag: string
  readonly product: string
  readonly partner: string
  readonly count: number
  readonly oldestAtMs: number
}

/** What `nadi ledger audit` proves. `problems` is empty when all agrees. */
export type AuditReport = {
  readonly postings: number
  readonly accounts: number
  readonly totalMinor: AmountMinor
  readonly heldMinor: AmountMinor
  readonly openPayments: number
  readonly problems: readonly { readonly check: string; readonly text: string }[]
}
