import type { AmountMinor } from '#base'
import type { AuditReport, Balance, Evidence, Obligation, TxnKind } from '#journal'
import type { HalfMadeKey, KeyAct, KeyRecord, Migrated } from '#keys'
import type { LinkStatus } from '#link'
import type { ListenerStatus } from '#listener'
import type { DescribedField } from '#pack'

/**
 * What the admin API says, as JSON. Amounts are exact integers in minor units under names that end
 * in `Minor` (JSON numbers of any length), instants are milliseconds since 1970 under names that
 * end in `Ms`, ids of txns have their 12-character form. Names only ever get added.
 */
export type StatusView = {
  readonly node: { readonly name: string; readonly number: number; readonly version: string }
  readonly nowMs: number
  readonly startedAtMs: number
  readonly uptimeMs: number
  readonly ready: boolean
  /** What keeps it from being ready. */
  readonly problems: readonly string[]
  readonly journal: { readonly available: boolean }
  readonly links: readonly LinkStatus[]
  readonly listeners: readonly ListenerStatus[]
  /** Txns that are not final, by state; null while the journal cannot be asked. */
  readonly open: readonly OpenView[] | null
  /** Reversals, advices and status checks that must still get there, by destination. */
  readonly owed: readonly OwedView[]
  readonly inMemory: { readonly payments: number; readonly inquiries: number }
}

export type OpenView = {
  readonly state: string
  readonly count: number
  readonly oldestAtMs: number
  readonly oldestAgeMs: number
}

export type OwedView = {
  readonly destination: string
  /** Not due yet, due and waiting for its turn, under way. */
  readonly later: number
  readonly ready: number
  readonly going: number
}

export type TxnView = {
  readonly id: string
  readonly partner: string
  readonly businessDate: string
  readonly kind: TxnKind
  readonly product: string
  readonly customer: string
  readonly amountMinor: AmountMinor
  readonly state: string
  /** What is owed next; absent when it is final. */
  readonly owes?: Obligation
  readonly openedAtMs: number
  readonly changedAtMs: number
  /** Since it was opened. */
  readonly ageMs: number
  readonly version: number
}

/** All that is known of one txn. */
export type StoryView = TxnView & {
  readonly partnerName?: string
  readonly productTitle?: string
  /** The inquiry that it pays. */
  readonly inquiryId?: string
  /** The state with all that belongs to it. */
  readonly detail: unknown
  /** What all its postings together did to each account. */
  readonly money: readonly { readonly account: string; readonly amountMinor: AmountMinor }[]
  readonly timeline: readonly TimelineEntry[]
  /** Whether frames and data are shown in clear. */
  readonly unsafe: boolean
}

/** `sinceMs` counts from the first of them. */
export type TimelineEntry = { readonly atMs: number; readonly sinceMs: number } & (
  EventEntry | FrameEntry | PostingEntry
)

export type EventEntry = {
  readonly what: 'event'
  readonly version: number
  readonly event: string
  /** The state's name after it, and before it when that was another. */
  readonly state: string
  readonly from?: string
  readonly data?: unknown
}

export type FrameEntry = {
  readonly what: 'frame'
  readonly version: number
  readonly side: Evidence['side']
  readonly direction: Evidence['direction']
  /** The listener or link that it crossed, and the pack that it was read by. */
  readonly via: string
  readonly pack: string
  readonly length: number
  /** Message type as it stands on the wire. */
  readonly label: string
  /** What it says, in short; absent when it could not be read, and then `problem` says why. */
  readonly message?: FrameMessage
  readonly problem?: string
  readonly fields: readonly DescribedField[]
  /** `2a` stands for what is masked. */
  readonly hex: string
}

export type FrameMessage = {
  readonly kind: string
  readonly direction: 'request' | 'response'
  readonly repeat: boolean
  readonly trace?: string
  readonly amountMinor?: AmountMinor
  readonly outcome?: { readonly meaning: string; readonly reason: string; readonly code?: string }
}

export type PostingEntry = {
  readonly what: 'posting'
  readonly version: number
  readonly reason: string
  readonly legs: readonly { readonly account: string; readonly amountMinor: AmountMinor }[]
}

export type PartnerView = {
  readonly id: string
  readonly name: string
  readonly blocked: boolean
  readonly banks: readonly string[]
  readonly switchers: readonly string[]
  readonly terminals: readonly string[]
  readonly products: readonly string[]
  /** Null while the journal cannot be asked. */
  readonly depositMinor: AmountMinor | null
  readonly holdMinor: AmountMinor | null
  readonly commissionMinor: AmountMinor | null
}

export type ProductView = {
  readonly code: string
  readonly title: string
  readonly enabled: boolean
  readonly biller: string
  readonly links: readonly string[]
  readonly recovery: 'reverse' | 'advise' | 'check'
  readonly attemptsMax: number
  readonly answerTimeoutMs: number
  readonly reversalWindowMs: number
  readonly adminPerBillMinor: AmountMinor
  readonly minMinor: AmountMinor
  readonly maxMinor: AmountMinor
}

export type DepositView = {
  readonly partner: string
  readonly amountMinor: AmountMinor
  /** `booked-before` when the same key came before: nothing moved. */
  readonly result: 'booked' | 'booked-before'
  readonly depositMinor: AmountMinor
}

/** A partner's way into the HTTP API: a key by its id, or a client certificate by its fingerprint. */
export type KeyView = {
  readonly id: string
  readonly kind: 'key' | 'certificate'
  /** Since the daemon started. */
  readonly uses: number
  readonly lastAtMs?: number
  readonly lastFrom?: string
}

/** A key that we share with a counterpart: all but the key. */
export type ZoneKeyView = Omit<KeyRecord, 'block'> & {
  /** Used for longer than it ought to be. */
  readonly pastDue: boolean
}

export type KeyStoryView = ZoneKeyView & { readonly acts: readonly KeyAct[] }

/** A key under a ZMK, as the partner gets it. */
export type HandedKeyView = {
  readonly key: ZoneKeyView
  readonly wrapped: string
  readonly checkValue: string
  /** The ZMK's id. */
  readonly under: string
}

/** A key that was agreed with the counterpart over the line: it is active on both sides. */
export type ExchangedKeyView = {
  readonly key: ZoneKeyView
  /** Who made it: they (`asked`), or we (`given`). */
  readonly exchange: 'asked' | 'given'
  readonly checkValue: string
}

export type RotatedKeyView = HandedKeyView | ExchangedKeyView

export type CheckedKeyView = ZoneKeyView & {
  /** `good`, `other` (another key than is written), or the code of an error. */
  readonly result: string
  readonly otherLmk: boolean
}

export type HalfMadeKeyView = Omit<HalfMadeKey, 'components'> & {
  readonly entered: readonly { readonly by: string; readonly atMs: number }[]
}

export type ComponentView = {
  readonly half: HalfMadeKeyView
  /** Of the component that was just entered. */
  readonly checkValue: string
  /** In hexadecimal, once, when the HSM has drawn it. */
  readonly component?: string
  /** The key, when this was its last component. */
  readonly key?: ZoneKeyView
}

/** An act that waits for another operator. */
export type WaitingActView = {
  readonly id: string
  /** `key.activate`, `key.export`, … */
  readonly act: string
  readonly subject: string
  readonly by: string
  readonly reason: string
  readonly detail?: Readonly<Record<string, unknown>>
  readonly askedAtMs: number
  readonly expiresAtMs: number
}

/** What came of it: as whoever asked would have been told. */
export type ApprovedActView = { readonly id: string; readonly result: unknown }

export type MigrationView = Migrated

/** One end of a payment that a partner is to be told of. */
export type EventView = {
  readonly id: string
  readonly partner: string
  readonly payment: string
  /** `payment.paid`, `payment.declined`, `payment.reversed`. */
  readonly type: string
  readonly atMs: number
  /** `waiting`, `delivered`, `failed`. */
  readonly state: string
  readonly attempts: number
  readonly dueAtMs?: number
}

export type EventStoryView = EventView & {
  readonly log: readonly {
    readonly nth: number
    readonly atMs: number
    readonly tookMs: number
    readonly status?: number
    readonly problem?: string
  }[]
}

export type BalanceView = Balance
export type AuditView = AuditReport & { readonly agrees: boolean }

/** An error's body (RFC 9457, problem details). */
export type ProblemView = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** One of ERRORS. */
  readonly code: string
  readonly retry: boolean
}
