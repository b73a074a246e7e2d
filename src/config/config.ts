import type { AmountMinor, Secret } from '#base'
import type { HttpLinkOptions, HttpPlace, LinkOptions } from '#link'
import type { CallbackLimits, ListenerOptions } from '#listener'
import type { Credentials, HttpPack, Pack } from '#pack'
import type { PartnerFacts } from '#screening'
import type { Identity, Product, SecurityProfile, SwitchSettings } from '#switch'
import type { OperatorConfig } from './admin.ts'
import type { HsmConfig } from './hsm.ts'
import type { KeptSecret } from './secrets.ts'

/** All that conf/, protocols/ and the environment say, checked and typed. Nobody changes it. */
export type Config = {
  readonly node: { readonly name: string; readonly number: number }
  readonly settings: SwitchSettings
  readonly data: {
    readonly varFolder: string
    /** A PostgreSQL of one's own; undefined runs the embedded one under `varFolder`. */
    readonly databaseUrl: Secret<string> | undefined
    /** Encrypts the raw frames that are kept as evidence: 32 bytes in hexadecimal. */
    readonly evidenceKey: KeptSecret
  }
  readonly admin: {
    readonly host: string
    readonly port: number
    /** A lab's one token; else each operator has their own. */
    readonly token: KeptSecret | undefined
    readonly operators: readonly OperatorConfig[]
    /** Acts that take two operators. */
    readonly approve: ReadonlySet<string>
  }
  /** `file` is absolute; undefined logs to standard output. */
  readonly log: { readonly level: LogLevel; readonly file: string | undefined }
  readonly packs: ReadonlyMap<string, Pack>
  /** Packs that are spoken over HTTP, without credentials. */
  readonly httpPacks: ReadonlyMap<string, HttpPack>
  readonly listeners: readonly ListenerConfig[]
  /** Listeners of the partners' HTTP API. */
  readonly apis: readonly ApiListenerConfig[]
  readonly webhooks: WebhookSettings
  /** Listeners of what billers tell by themselves. */
  readonly callbacks: readonly CallbackListenerConfig[]
  /** Listeners of banks that call us by SNAP BI. */
  readonly snaps: readonly SnapListenerConfig[]
  readonly links: readonly LinkConfig[]
  readonly httpLinks: readonly HttpLinkConfig[]
  readonly billers: readonly BillerConfig[]
  readonly products: ReadonlyMap<string, ProductConfig>
  readonly partners: ReadonlyMap<string, PartnerConfig>
  readonly lab: LabConfig | undefined
  /** Undefined: no keys, and so no MACs and PINs. */
  readonly hsm: HsmConfig | undefined
  /** How long a graceful stop may take to finish what is owed. */
  readonly drainMs: number
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type ListenerLimits = Omit<ListenerOptions, 'name' | 'acceptor' | 'framing' | 'handlers'>

export type ListenerConfig = {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly pack: string
  readonly limits: ListenerLimits
  /** Undefined: frames go as they are. */
  readonly security?: SecurityProfile | undefined
  /** Zones of partners that have keys of their own here, by partner. */
  readonly zones?: ReadonlyMap<string, string>
}

export type ApiListenerConfig = {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Undefined: plain HTTP, for this machine or behind somebody who ends TLS. */
  readonly tls: { readonly certificateFile: string; readonly key: KeptSecret } | undefined
  readonly answerWaitMs: number
  readonly signatureWindowMs: number
  readonly limits: ApiListenerLimits
}

export type ApiListenerLimits = {
  readonly bodyBytesMax: number
  readonly headerBytesMax: number
  readonly connectionsMax: number
  readonly connectionsPerPeerMax: number
  readonly inFlightMax: number
  readonly inFlightPerPartnerMax: number
  readonly requestTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly partnerRate: RateConfig
  readonly addressRate: RateConfig
}

/** So many a second, and so many at once. */
export type RateConfig = { readonly perSecond: number; readonly burst: number }

export type WebhookSettings = {
  /** From one attempt to the next; after the last one it is given up. */
  readonly retriesMs: readonly number[]
  readonly timeoutMs: number
  /** How long the delivery log is kept. */
  readonly keepMs: number
}

export type LinkConfig = {
  readonly name: string
  readonly biller: string
  readonly pack: string
  readonly host: string
  readonly port: number
  readonly identity: Identity
  readonly options: LinkOptions
  /** Undefined: frames go as they are. */
  readonly security?: SecurityProfile | undefined
}

export type HttpLinkConfig = {
  readonly name: string
  readonly biller: string
  readonly pack: string
  readonly place: HttpPlace
  readonly identity: Identity | undefined
  readonly credentials: Credentials
  readonly callback:
    | {
        /** The listener's name, and the path there that belongs to this link. */
        readonly listener: string
        readonly path: string
        /** Takes an address, with or without a port. */
        readonly mayCall: (peer: string) => boolean
      }
    | undefined
  readonly options: HttpLinkOptions
}

export type CallbackListenerConfig = {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Both in PEM. Undefined: plain HTTP, for this machine or behind somebody who ends TLS. */
  readonly tls: { readonly certificate: string; readonly key: Secret<string> } | undefined
  readonly limits: CallbackLimits
}

export type SnapListenerConfig = CallbackListenerConfig & {
  readonly answerWaitMs: number
  readonly rate: RateConfig
  /** What tokens are made by, the newest first; it is made at the first start. Never empty. */
  readonly tokenKeys: readonly KeptSecret[]
  readonly banks: readonly SnapBankConfig[]
}

export type SnapBankConfig = {
  readonly name: string
  /** Whose deposit its payments are taken from. */
  readonly partner: string
  readonly pack: string
  /** Takes an address, with or without a port. */
  readonly mayCall: (peer: string) => boolean
  readonly credentials: Credentials
  /** Our product by the number before its customers' numbers (partnerServiceId). */
  readonly services: ReadonlyMap<string, SnapServiceConfig>
}

export type SnapServiceConfig = {
  readonly product: string
  /** What a customer's number is. */
  readonly by: 'id' | 'meter' | 'registration'
}

export type BillerConfig = { readonly name: string; readonly title: string }

export type ProductConfig = Product & { readonly title: string }

export type PartnerConfig = PartnerFacts & {
  readonly name: string
  /** Networks that it may dial in from. */
  readonly addresses: readonly string[]
  /** Takes an address, with or without a port: `127.0.0.1:50312`, `[::1]:50312`. */
  readonly mayDialFrom: (peer: string) => boolean
  /** Put into its deposit once, when the partner is first seen. */
  readonly openingDepositMinor: AmountMinor | undefined
  /** Undefined: it has no way in over HTTP. */
  readonly api: PartnerApiConfig | undefined
}

export type PartnerApiConfig = {
  readonly bank: string
  readonly switcher: string
  readonly terminal: string
  readonly channel: string
  readonly keys: readonly { readonly id: string; readonly secret: KeptSecret }[]
  /** SHA-256 fingerprints of client certificates. */
  readonly certificates: readonly string[]
  readonly webhook: { readonly url: string; readonly secrets: readonly KeptSecret[] } | undefined
}

export type LabConfig = { readonly simulators: readonly SimulatorConfig[] }

export type SimulatorConfig = {
  readonly pack: string
  readonly host: string
  readonly port: number
  readonly controlPort: number | undefined
  /** How long the slow scenarios wait, by the scenario's name. */
  readonly scenarioDelaysMs: Readonly<Record<string, number>>
  /** Of a dialect over HTTP, where they are not `lab-NAME`. */
  readonly credentials: Credentials
  /** Where it tells what became of a payment. */
  readonly callbackUrl: string | undefined
}
