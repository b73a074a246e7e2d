import type { TxnId } from '#base'

/**
 * What the partners' API keeps beside the journal. Two keepers, memory.ts and postgres.ts, and one
 * suite that holds both to it. Nothing in here holds a customer's data: events are made anew from
 * the journal whenever they are sent.
 */
export interface RequestStore {
  /**
   * Takes an Idempotency-Key for a content: durable before anything that is made durable after it.
   * `other` when it came before with another one. Throws JOURNAL_UNAVAILABLE.
   */
  claim(claim: KeyClaim): Promise<'new' | 'same' | 'other'>
  /** The content that a key was taken for; undefined when it was not. Throws JOURNAL_UNAVAILABLE. */
  contentOf(partner: string, key: string): Promise<string | undefined>
  /** Forgets the keys that came before. */
  forget(beforeMs: number): Promise<void>
}

export type KeyClaim = {
  readonly partner: string
  readonly key: string
  /** Fingerprint of what was asked. */
  readonly content: string
  readonly atMs: number
  /** Nothing durable follows it, so it is durable itself when it resolves. */
  readonly lasting?: boolean
}

/** Which end of which payment: what an event tells. Its id is made of these. */
export type EventKey = {
  readonly partner: string
  readonly txn: TxnId
  /** Of the record that brought the end. */
  readonly version: number
}

export type EventType = 'payment.paid' | 'payment.declined' | 'payment.reversed'

/** waiting: to be sent, now or later. failed: given up, until somebody replays it. */
export type EventState = 'waiting' | 'delivered' | 'failed'

export type StoredEvent = EventKey & {
  readonly type: EventType
  /** When the payment came to that end. */
  readonly atMs: number
  readonly state: EventState
  /** How often it was sent in all, and since it was last begun. */
  readonly attempts: number
  readonly tries: number
  readonly dueAtMs: number
}

export type Attempt = {
  readonly nth: number
  readonly atMs: number
  readonly tookMs: number
  /** What the partner's server answered; undefined when it did not. */
  readonly status: number | undefined
  /** Why there was no answer, in a word. */
  readonly problem: string | undefined
}

/** A payment that came to an end of which no events were made yet. */
export type Ended = { readonly seq: bigint; readonly partner: string; readonly txn: TxnId }

export type EventFilter = {
  readonly partner?: string
  readonly state?: EventState
  readonly txn?: TxnId
  readonly limit: number
}

/**
 *   the end's own commit ─▶ ended ─expand─▶ waiting ─claimDue─▶ sent ─conclude─▶ delivered
 *                                             ▲ ▲                 │
 *                                             │ └──── later ──────┴─▶ failed ── replay ─┐
 *                                             └─────────────────────────────────────────┘
 */
export interface WebhookStore {
  /** Whose ends are to be remembered from now on. */
  subscribe(partners: readonly string[]): Promise<void>
  /** Tells that a payment has ended; for keepers that do not see it by themselves. */
  noteEnd(partner: string, txn: TxnId): void
  ended(limit: number): Promise<Ended[]>
  /** Makes events and forgets the ends that they came from, all at once. Known ones are left alone. */
  expand(seqs: readonly bigint[], events: readonly NewEvent[], nowMs: number): Promise<void>
  /**
   * Takes events that are due, of each partner as many as there is room for; nobody else is given
   * them before `untilMs`, so those of a process that died come again.
   */
  claimDue(
    room: ReadonlyMap<string, number>,
    nowMs: number,
    untilMs: number,
  ): Promise<StoredEvent[]>
  /** What became of one attempt. */
  conclude(key: EventKey, attempt: Omit<Attempt, 'nth'>, next: Next): Promise<void>
  /** When the next event is due; undefined when none waits. */
  nextDueMs(partners: readonly string[]): Promise<number | undefined>
  list(filter: EventFilter): Promise<StoredEvent[]>
  attempts(key: EventKey): Promise<Attempt[]>
  /** Sends it once more, from the beginning of the schedule. False when there is none. */
  replay(key: EventKey, nowMs: number): Promise<boolean>
  /** Forgets events that came to their end before; those that still wait stay. */
  prune(beforeMs: number): Promise<void>
}

export type NewEvent = EventKey & Pick<StoredEvent, 'type' | 'atMs'>

export type Next =
  | { readonly tag: 'delivered' }
  | { readonly tag: 'failed' }
  | { readonly tag: 'later'; readonly dueAtMs: number }
