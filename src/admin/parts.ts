import type { Clock, Secret, TxnId } from '#base'
import type { Journal } from '#journal'
import type { KeyStore } from '#keys'
import type { LinkStatus } from '#link'
import type { ListenerStatus } from '#listener'
import type { Pack } from '#pack'
import type { PartnerFacts } from '#screening'
import type { KeyExchange, Product, Switch } from '#switch'
import type { Log } from '#telemetry'
import type { Operator } from './credentials.ts'
import type { EventStoryView, EventView, KeyView } from './api.ts'
import type { Approvals } from './approvals.ts'
import type { AuditTrail } from './audit-trail.ts'

/** What operators may do with the running switch. */
export type AdminSwitch = Pick<Switch, 'resolve' | 'deposit' | 'owed' | 'inMemory'>

/** What keeps the process from being alive, or ready; nothing when all is well. */
export type AdminHealth = {
  live(): readonly string[]
  ready(): readonly string[]
}

export type AdminWebhooks = {
  list(filter: {
    readonly partner?: string
    readonly state?: 'waiting' | 'delivered' | 'failed'
    readonly txn?: TxnId
    readonly limit: number
  }): Promise<readonly EventView[]>
  show(id: string): Promise<EventStoryView | undefined>
  replay(id: string): Promise<EventView | undefined>
}

export type AdminExchange = Pick<KeyExchange, 'agrees' | 'rotate'>

export type PartnerFile = PartnerFacts & { readonly name: string }
export type ProductFile = Product & { readonly title: string }

/** All that the admin API is made of. */
export type AdminParts = {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Whoever bears it may do everything, under any name: a lab's. */
  readonly token?: Secret<string> | undefined
  readonly operators?: readonly Operator[]
  /** Acts that take two operators. */
  readonly approvals?: Approvals
  readonly node: { readonly name: string; readonly number: number; readonly version: string }
  readonly clock: Clock
  readonly log: Log
  readonly audit: AuditTrail
  readonly journal: Pick<
    Journal,
    'available' | 'list' | 'findAnywhere' | 'story' | 'balances' | 'audit' | 'openSummary'
  >
  readonly switch: AdminSwitch
  readonly links: ReadonlyMap<string, { status(): LinkStatus }>
  readonly listeners: ReadonlyMap<string, { status(): ListenerStatus }>
  readonly packs: ReadonlyMap<string, Pick<Pack, 'read' | 'describe'>>
  readonly partners: ReadonlyMap<string, PartnerFile>
  readonly products: ReadonlyMap<string, ProductFile>
  /** The delivery log of webhooks; absent where none are sent. */
  readonly webhooks?: AdminWebhooks
  /** A partner's ways into the HTTP API; absent where there is none. */
  readonly keysOf?: (partner: string) => readonly KeyView[]
  /** Keys that we share with others; absent where there is no HSM. */
  readonly keys?: KeyStore
  /** How new keys of a zone are agreed over its line; nothing where they are not. */
  readonly exchangeOf?: (zone: string) => AdminExchange | undefined
  /** Names that keys may belong to. */
  readonly zones?: ReadonlySet<string>
  readonly metrics: { readonly contentType: string; render(): Promise<string> }
  readonly health: AdminHealth
}
