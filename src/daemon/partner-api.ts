import { readFileSync } from 'node:fs'
import {
  type ApiPartner,
  ApiServer,
  HttpSender,
  type RequestStore,
  WebhookDesk,
  WebhookDispatcher,
  type WebhookStore,
  type WebhookTarget,
} from '#api'
import { type Clock, errorText, NadiError, type Random, Secret, type TxnId } from '#base'
import { type ApiListenerConfig, type Config, ensureSecret, type PartnerApiConfig } from '#config'
import type { Journal } from '#journal'
import type { CallbackListener } from '#listener'
import type { CardVault, Switch } from '#switch'
import type { Log } from '#telemetry'
import { snapListener } from './wire-snap.ts'

/** The partners' HTTP API and its webhooks, as the daemon runs them. */
export type PartnerApi = {
  readonly servers: readonly ApiServer[]
  /** Where banks call by SNAP BI. */
  readonly snaps: readonly CallbackListener[]
  readonly dispatcher: WebhookDispatcher
  readonly desk: WebhookDesk
  /** What an operator sees of a partner's ways in. */
  readonly keysOf: (partner: string) => KeyView[]
  noteEnd(partner: string, id: TxnId): void
  /** Ends what runs beside the servers. */
  stop(): Promise<void>
}

export type KeyView = {
  readonly id: string
  readonly kind: 'key' | 'certificate'
  /** Since this daemon started. */
  readonly uses: number
  readonly lastAtMs?: number
  readonly lastFrom?: string
}

type Around = {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly version: string
  readonly journal: Journal
  readonly switch: Switch
  readonly requests: RequestStore
  readonly webhooks: WebhookStore
  readonly vault: CardVault
}

const KEY_BYTES = 32
const HOUR_MS = 3_600_000
/** Longer than the journal's own keys last, so that a key never outlives what it stands for. */
const KEYS_KEPT_MS = 72 * HOUR_MS

export function partnerApi(config: Config, around: Around): PartnerApi {
  const { clock, random, log, journal } = around
  const partners = new Map(
    [...config.partners].map(([id, partner]): [string, ApiPartner] => [
      id,
      { ...partner, api: partner.api && identityOf(partner.api, random) },
    ]),
  )
  const servers = config.apis.map(api => server(config, api, partners, around))
  const dispatcher = new WebhookDispatcher({
    store: around.webhooks,
    looks: around.switch.looks,
    targets: targetsOf(config, random),
    sender: new HttpSender(clock, config.webhooks.timeoutMs),
    options: config.webhooks,
    clock,
    random,
    log,
  })
  const endForgetting = keepForgetting(around)
  return {
    servers,
    snaps: config.snaps.map(snap => snapListener(config, snap, partners, around)),
    dispatcher,
    desk: new WebhookDesk(around.webhooks, journal, clock, () => dispatcher.nudge()),
    keysOf: partner => keyViews(partners.get(partner)?.api, servers),
    noteEnd: (partner, id) => dispatcher.noteEnd(partner, id),
    async stop() {
      endForgetting()
      await dispatcher.stop()
    },
  }
}

function server(
  config: Config,
  { tls, ...place }: ApiListenerConfig,
  partners: ReadonlyMap<string, ApiPartner>,
  around: Around,
): ApiServer {
  return new ApiServer({
    ...around,
    ...place,
    partners,
    products: config.products,
    tls: tls && {
      certificate: readCertificate(tls.certificateFile),
      key: tls.key.value ?? new Secret(''),
    },
  })
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new NadiError('CONF_INVALID', { path, hint: 'the certificate cannot be read', cause })
  }
}

function identityOf(
  { bank, switcher, terminal, channel, keys, certificates }: PartnerApiConfig,
  random: Random,
): NonNullable<ApiPartner['api']> {
  return {
    bank,
    switcher,
    terminal,
    channel,
    keys: new Map(keys.map(({ id, secret }) => [id, ensureSecret(secret, random, KEY_BYTES)])),
    certificates: new Set(certificates),
  }
}

function targetsOf({ partners }: Config, random: Random): Map<string, WebhookTarget> {
  const targets = new Map<string, WebhookTarget>()
  for (const [id, { api }] of partners) {
    if (!api?.webhook) continue
    const { url, secrets } = api.webhook
    const made = secrets.map(kept => ensureSecret(kept, random, KEY_BYTES, whsec))
    targets.set(id, { url, secrets: made })
  }
  return targets
}

function whsec(bytes: Uint8Array): string {
  return `whsec_${Buffer.from(bytes).toString('base64')}`
}

function keyViews(api: ApiPartner['api'], servers: readonly ApiServer[]): KeyView[] {
  if (!api) return []
  const view = (id: string, kind: KeyView['kind']): KeyView => {
    const uses = servers.flatMap(one => one.keyUses.get(id) ?? [])
    const last = uses.toSorted((a, b) => b.lastAtMs - a.lastAtMs)[0]
    const count = uses.reduce((sum, use) => sum + use.count, 0)
    const when = last && { lastAtMs: last.lastAtMs, lastFrom: last.lastFrom }
    return { id, kind, uses: count, ...when }
  }
  const keys = [...api.keys.keys()].map(id => view(id, 'key'))
  return [...keys, ...[...api.certificates].map(id => view(id, 'certificate'))]
}

/** Idempotency-Keys are kept for days, not for ever. */
function keepForgetting({ clock, requests, log }: Around): () => void {
  let cancel = (): void => {}
  const forget = (): void => {
    cancel = clock.at(clock.nowMs() + HOUR_MS, forget)
    requests.forget(clock.nowMs() - KEYS_KEPT_MS).catch((error: unknown) => {
      log.warn('old Idempotency-Keys were not forgotten', { text: errorText(error) })
    })
  }
  forget()
  return () => cancel()
}
