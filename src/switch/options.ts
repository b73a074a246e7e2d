import type { Clock, Random } from '#base'
import type { Journal } from '#journal'
import type { FeeSchedule } from '#pricing'
import type { PartnerFacts, ProductFacts } from '#screening'
import type { Log } from '#telemetry'
import type { Policy } from '#txn'
import type { Destination } from './destination.ts'
import type { Observer } from './observer.ts'

/** A product as it is sold: what screening looks at, how it is paid for, where it goes. */
export type Product = ProductFacts & {
  readonly biller: string
  /** Links that serve it, best first. */
  readonly links: readonly string[]
  readonly inquiryTimeoutMs: number
  readonly policy: Policy
  readonly fee: FeeSchedule
  /**
   * Where what is due stands in what the customer shows: an inquiry is completed by it before anyone
   * is asked. Undefined: the biller tells, or our own price list.
   */
  readonly quote?: QuoteSource | undefined
}

export type QuoteSource = 'qris-code'

export type SwitchSettings = {
  /** Number of this node, 0 to 63: part of every txn id. */
  readonly node: number
  /** When the business date rolls, in ms after midnight WIB. */
  readonly cutoverMs: number
  /** Begins every reference of ours; three characters. */
  readonly referencePrefix: string
  /** Payments that are not final and held in memory; above it new ones get an immediate no. */
  readonly openMax: number
  /** Inquiries remembered in memory; older ones are read from the journal. */
  readonly inquiriesMax: number
  /** How long a partner's reversal or advice stays on the line before it is told that we do not know. */
  readonly askerPatienceMs: number
  /** Reversals, advices and status checks under way at once to one destination. */
  readonly recoveriesMax: number
}

/** All that the switch is made of. */
export type SwitchParts = {
  readonly settings: SwitchSettings
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly journal: Journal
  readonly partners: ReadonlyMap<string, PartnerFacts>
  readonly products: ReadonlyMap<string, Product>
  readonly destinations: ReadonlyMap<string, Destination>
  readonly observer: Observer
}
