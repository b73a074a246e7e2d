import type { Clock, Random, Secret } from '#base'
import type { Journal } from '#journal'
import type { PartnerFacts } from '#screening'
import type { CardVault, Product, Switch } from '#switch'
import type { Log } from '#telemetry'
import type { RequestStore } from './store.ts'

/** Who a partner is when it calls the API, and how it proves it. */
export type ApiIdentity = {
  /** What its requests say of themselves, where an ISO message would. */
  readonly bank: string
  readonly switcher: string
  /** When the request names none. */
  readonly terminal: string
  readonly channel: string
  /** By key id. The key of the HMAC is the secret's text. */
  readonly keys: ReadonlyMap<string, Secret<string>>
  /** SHA-256 fingerprints of client certificates, small hexadecimal digits without colons. */
  readonly certificates: ReadonlySet<string>
}

export type ApiPartner = PartnerFacts & {
  readonly name: string
  readonly mayDialFrom: (peer: string) => boolean
  /** Undefined: it has no way in here. */
  readonly api: ApiIdentity | undefined
}

export type ApiProduct = Product & { readonly title: string }

/** A limit on everything (law 8). */
export type ApiLimits = {
  readonly bodyBytesMax: number
  readonly headerBytesMax: number
  readonly connectionsMax: number
  readonly connectionsPerPeerMax: number
  readonly inFlightMax: number
  readonly inFlightPerPartnerMax: number
  /** A request must be whole after this long. */
  readonly requestTimeoutMs: number
  /** The same for its headers alone. */
  readonly headersTimeoutMs: number
  /** A connection without a request for this long is closed. */
  readonly idleTimeoutMs: number
  /** Requests a second, and how many may come at once. */
  readonly partnerRate: Rate
  readonly addressRate: Rate
}

export type Rate = { readonly perSecond: number; readonly burst: number }

export type ApiTls = {
  readonly certificate: string
  readonly key: Secret<string>
}

/** All that the partners' API is made of. */
export type ApiParts = {
  /** The listener's name. */
  readonly name: string
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly tls: ApiTls | undefined
  readonly limits: ApiLimits
  /** How long a request waits for its outcome before it is answered 202. */
  readonly answerWaitMs: number
  /** How far a signature's time may lie from now. */
  readonly signatureWindowMs: number
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly journal: Pick<Journal, 'balances'>
  readonly switch: Pick<Switch, 'accept' | 'looks'>
  readonly partners: ReadonlyMap<string, ApiPartner>
  readonly products: ReadonlyMap<string, ApiProduct>
  readonly requests: RequestStore
  /** Seals what nobody may read in the journal. */
  readonly vault?: Pick<CardVault, 'hide'>
}
