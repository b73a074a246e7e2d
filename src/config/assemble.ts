import { resolve } from 'node:path'
import { minor, Secret } from '#base'
import type { Problem } from '#pack'
import type {
  BillerConfig,
  Config,
  LinkConfig,
  ListenerConfig,
  PartnerConfig,
  ProductConfig,
} from './config.ts'
import { loadOperators, type OperatorConfig } from './admin.ts'
import type { Packs } from './checks.ts'
import type { Keys } from './documents.ts'
import { hsmConfig } from './hsm.ts'
import { callbackListener, httpLink, type HttpSecrets } from './http-links.ts'
import type * as schema from './schema.ts'
import { security } from './security.ts'
import { type KeptSecret, loadSecret, type SecretPlace, type SecretRef } from './secrets.ts'
import { simulator } from './lab.ts'
import { snapListener } from './snap.ts'
import { apiListener, partnerApi, type PartnerSecrets } from './partner-api.ts'
import type { Section, Tree } from './tree.ts'
import { addressFilter } from './values.ts'

/** From what the files say to what the house is built with: names get their units here. */
export function assemble(
  nadi: schema.NadiFile,
  tree: Tree,
  packs: Pick<Packs, 'loaded' | 'http'>,
  secrets: Secrets,
  partnerSecrets: PartnerSecrets,
  httpSecrets: HttpSecrets,
  varFolder: string,
): Config {
  const { node, business, limits, admin, log, lab, webhooks } = nadi
  return {
    node,
    settings: {
      node: node.number,
      cutoverMs: business.cutover,
      referencePrefix: business.referencePrefix,
      openMax: limits.openMax,
      inquiriesMax: limits.inquiriesMax,
      askerPatienceMs: limits.askerPatience,
      recoveriesMax: limits.recoveriesMax,
    },
    data: { varFolder, databaseUrl: secrets.databaseUrl, evidenceKey: secrets.evidenceKey },
    admin: {
      host: admin.host,
      port: admin.port,
      token: secrets.adminToken,
      operators: secrets.operators,
      approve: new Set(secrets.operators.length > 0 ? admin.approve : []),
    },
    log: { level: log.level, file: log.file && resolve(varFolder, log.file) },
    packs: packs.loaded,
    httpPacks: packs.http,
    listeners: list(tree.listeners, listener),
    apis: list(tree.apis, (name, file) => apiListener(name, file, partnerSecrets, varFolder)),
    webhooks: {
      retriesMs: webhooks.retries,
      timeoutMs: webhooks.timeout,
      keepMs: webhooks.keep,
    },
    callbacks: list(tree.callbacks, (name, file) => callbackListener(name, file, httpSecrets)),
    snaps: list(tree.snaps, (name, file) => snapListener(name, file, httpSecrets)),
    links: list(tree.links, link),
    httpLinks: list(tree.httpLinks, (name, file) => httpLink(name, file, httpSecrets)),
    billers: list(tree.billers, (name, { title }): BillerConfig => ({ name, title })),
    products: map(tree.products, product),
    partners: map(tree.partners, (id, entry) => partner(id, entry, partnerSecrets)),
    lab: lab && {
      simulators: lab.simulators.map((entry, at) => simulator(entry, httpSecrets.lab[at] ?? {})),
    },
    hsm: nadi.hsm && hsmConfig(nadi.hsm, varFolder, lab !== undefined),
    drainMs: limits.drain,
  }
}

export type Secrets = {
  readonly evidenceKey: KeptSecret
  readonly adminToken: KeptSecret | undefined
  readonly operators: readonly OperatorConfig[]
  readonly databaseUrl: Secret<string> | undefined
}

const NOT_READ: KeptSecret = { file: undefined, value: undefined }

export function loadSecrets(
  { data, admin }: schema.NadiFile,
  whereNadi: Tree['whereNadi'],
  place: SecretPlace,
): { secrets: Secrets; problems: Problem[] } {
  const problems: Problem[] = []
  const load = (ref: SecretRef, made: boolean, ...keys: Keys): KeptSecret => {
    const result = loadSecret(ref, place, made)
    if (typeof result !== 'string') return result
    problems.push({ path: whereNadi(...keys), text: result })
    return NOT_READ
  }
  const evidenceKey = load(data.evidenceKey, true, 'data', 'evidenceKey')
  const key = evidenceKey.value?.reveal()
  if (key !== undefined && !/^[0-9a-fA-F]{64}$/.test(key)) {
    const text = 'the evidence key must be 32 bytes, written as 64 hexadecimal digits'
    problems.push({ path: whereNadi('data', 'evidenceKey'), text })
  }
  const url = place.env['DATABASE_URL']
  const databaseUrl = url
    ? new Secret(url)
    : data.databaseUrl && load(data.databaseUrl, false, 'data', 'databaseUrl').value
  if (databaseUrl && !/^postgres(ql)?:\/\//.test(databaseUrl.reveal())) {
    const path = url ? 'DATABASE_URL (environment)' : whereNadi('data', 'databaseUrl')
    problems.push({ path, text: 'must begin with postgres:// or postgresql://' })
  }
  const adminToken = admin.token && load(admin.token, true, 'admin', 'token')
  const { operators, problems: more } = loadOperators(admin, whereNadi, place)
  problems.push(...more)
  return { secrets: { evidenceKey, adminToken, operators, databaseUrl }, problems }
}

function listener(name: string, file: schema.ListenerFile): ListenerConfig {
  const { host, port, pack } = file
  const { idleTimeout, frameTimeout, ...counts } = file.limits
  const limits = { ...counts, idleTimeoutMs: idleTimeout, frameTimeoutMs: frameTimeout }
  const zones = new Map(Object.entries(file.security?.zones ?? {}))
  return { name, host, port, pack, limits, security: security(file.security), zones }
}

function link(name: string, file: schema.LinkFile): LinkConfig {
  const { biller, pack, host, port, identity } = file
  const options = {
    inFlightMax: file.inFlightMax,
    dialTimeoutMs: file.dialTimeout,
    signOnTimeoutMs: file.signOnTimeout,
    echoIdleMs: file.echoIdle,
    echoTimeoutMs: file.echoTimeout,
    reconnectMinMs: file.reconnectMin,
    reconnectMaxMs: file.reconnectMax,
    lateMemoryMs: file.lateMemory,
    lateMemoryMax: file.lateMemoryMax,
  }
  return { name, biller, pack, host, port, identity, options, security: security(file.security) }
}

function product(code: string, entry: schema.ProductEntry): ProductConfig {
  const { title, enabled, biller, links, hours, minimum, maximum, fee, recovery } = entry
  return {
    code,
    title,
    enabled,
    biller,
    links,
    hours: hours && { fromMs: hours.from, untilMs: hours.until },
    minMinor: minimum,
    maxMinor: maximum,
    denominationsMinor: entry.denominations && new Set(entry.denominations),
    feeInside: fee.inside,
    quote: entry.quote,
    inquiryTimeoutMs: entry.inquiryTimeout,
    policy: {
      recovery: recovery.by,
      attemptsMax: recovery.attempts,
      spacingMs: recovery.spacing,
      answerTimeoutMs: entry.answerTimeout,
      recoveryTimeoutMs: recovery.timeout,
      reversalWindowMs: entry.reversalWindow,
    },
    fee: {
      adminPerBillMinor: minor(fee.admin),
      insideAmount: fee.inside,
      shares: {
        biller: BigInt(fee.shares.biller),
        switch: BigInt(fee.shares.switch),
        partner: BigInt(fee.shares.partner),
      },
    },
  }
}

function partner(id: string, entry: schema.PartnerEntry, secrets: PartnerSecrets): PartnerConfig {
  const { name, blocked, addresses, openingDeposit } = entry
  return {
    id,
    name,
    blocked,
    banks: new Set(entry.banks),
    switchers: new Set(entry.switchers),
    terminals: new Set(entry.terminals),
    products: new Set(entry.products),
    addresses,
    mayDialFrom: addressFilter(addresses),
    openingDepositMinor: openingDeposit,
    api: entry.api && partnerApi(id, entry.api, secrets),
  }
}

function list<T, R>({ entries }: Section<T>, make: (name: string, entry: T) => R): R[] {
  return [...entries].map(([name, entry]) => make(name, entry))
}

function map<T, R>({ entries }: Section<T>, make: (name: string, entry: T) => R): Map<string, R> {
  return new Map([...entries].map(([name, entry]) => [name, make(name, entry)]))
}
