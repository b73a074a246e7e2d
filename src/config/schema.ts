import { z } from 'zod'
import { rupiah, ZERO } from '#base'
import { adminSchema } from './admin.ts'
import { hsmSchema } from './hsm.ts'
import { secretRef } from './secrets.ts'
import { listenerSecuritySchema, securitySchema } from './security.ts'
import * as v from './values.ts'

/**
 * What may stand in the files of conf/. Every object is strict: a key that nobody reads is a
 * mistake that nobody would notice. Names carry no units here, since the values do (`40s`).
 */
const second = 1000
const minute = 60 * second
const day = 24 * 60 * minute

const log = z.strictObject({
  level: v.oneOf('debug', 'info', 'warn', 'error').default('info'),
  file: v.filePath.optional(),
})

const simulator = z.strictObject({
  pack: v.name,
  host: v.host,
  port: v.port,
  controlPort: v.port.optional(),
  scenarioDelays: z.record(z.string(), v.duration(0, 10 * minute)).default({}),
  credentials: z.record(z.string(), secretRef).default({}),
  callbackUrl: v.httpUrl.optional(),
})

/** Standard Webhooks' own schedule. */
const RETRIES = [
  5 * second,
  5 * minute,
  30 * minute,
  ...[2, 5, 10, 14, 20, 24].map(h => h * 60 * minute),
]

const webhooks = z.strictObject({
  retries: z
    .array(v.duration(10, 7 * day))
    .max(32)
    .default(RETRIES),
  timeout: v.duration(100, minute).default(15 * second),
  keep: v.duration(60 * minute, 3660 * day).default(90 * day),
})

/** conf/nadi.yaml */
export const nadiSchema = z.strictObject({
  node: z.strictObject({ name: v.name, number: v.whole(0, 63) }),
  business: z.strictObject({
    cutover: v.cutover.default(day),
    referencePrefix: v.value('3 capital letters', text =>
      /^[A-Z]{3}$/.test(text) ? text : undefined,
    ),
  }),
  limits: z.strictObject({
    openMax: v.whole(1, 10_000_000),
    inquiriesMax: v.whole(1, 10_000_000),
    recoveriesMax: v.whole(1, 100_000),
    askerPatience: v.duration(100, 5 * minute),
    drain: v.duration(second, 10 * minute),
  }),
  data: z.strictObject({ evidenceKey: secretRef, databaseUrl: secretRef.optional() }),
  admin: adminSchema,
  log: log.prefault({}),
  webhooks: webhooks.prefault({}),
  hsm: hsmSchema.optional(),
  lab: z.strictObject({ simulators: z.array(simulator).max(32) }).optional(),
})

/** How a partner calls the HTTP API, and how it is told of what became of its payments. */
const partnerApi = z.strictObject({
  bank: v.digits(1, 11),
  switcher: v.code(7, 7),
  terminal: v.code(1, 16),
  channel: v.digits(4, 4).default('6021'),
  keys: z
    .array(z.strictObject({ id: v.keyId, secret: secretRef }))
    .max(16)
    .default([]),
  certificates: z.array(v.fingerprint).max(16).default([]),
  webhook: z
    .strictObject({ url: v.webhookUrl, secrets: z.array(secretRef).min(1).max(4) })
    .optional(),
})

/** One entry of conf/partners.yaml. */
export const partnerSchema = z.strictObject({
  name: v.title,
  blocked: v.flag.default(false),
  banks: z.array(v.digits(1, 11)).min(1).max(1000),
  switchers: z.array(v.code(7, 7)).min(1).max(1000),
  terminals: z.array(v.code(1, 16)).min(1).max(100_000),
  products: z.array(v.name).min(1).max(1000),
  addresses: z.array(v.network).min(1).max(1000),
  openingDeposit: v.money.optional(),
  api: partnerApi.optional(),
})

/** One entry of conf/billers.yaml. */
export const billerSchema = z.strictObject({ title: v.title })

const share = v.whole(0, 1_000_000)

/** One entry of conf/products.yaml. */
export const productSchema = z.strictObject({
  title: v.title,
  enabled: v.flag.default(true),
  biller: v.name,
  links: z.array(v.name).min(1).max(32),
  hours: z.strictObject({ from: v.timeOfDay, until: v.timeOfDay }).optional(),
  minimum: v.money.default(rupiah(1)),
  maximum: v.money,
  denominations: z.array(v.money).min(1).max(1000).optional(),
  inquiryTimeout: v.duration(100, 5 * minute),
  answerTimeout: v.duration(100, 5 * minute),
  recovery: z.strictObject({
    by: v.oneOf('reverse', 'advise', 'check'),
    attempts: v.whole(1, 1000),
    spacing: v.duration(10, day),
    timeout: v.duration(100, 5 * minute),
  }),
  reversalWindow: v.duration(0, 31 * day),
  quote: v.oneOf('qris-code').optional(),
  fee: z
    .strictObject({
      admin: v.money,
      inside: v.flag,
      shares: z.strictObject({ biller: share, switch: share, partner: share }),
    })
    .default({ admin: ZERO, inside: false, shares: { biller: 0, switch: 0, partner: 0 } }),
})

/** conf/listeners/NAME.yaml */
export const listenerSchema = z.strictObject({
  host: v.host,
  port: v.port,
  pack: v.name,
  limits: z.strictObject({
    connectionsMax: v.whole(1, 100_000),
    connectionsPerPeerMax: v.whole(1, 100_000),
    inFlightMax: v.whole(1, 1_000_000),
    inFlightPerSessionMax: v.whole(1, 1_000_000),
    bytesPendingMax: v.whole(1024, 1_000_000_000),
    idleTimeout: v.duration(0, day),
    frameTimeout: v.duration(100, 10 * minute),
  }),
  security: listenerSecuritySchema.optional(),
})

const rate = z.strictObject({ perSecond: v.whole(1, 1_000_000), burst: v.whole(1, 1_000_000) })

/** conf/listeners/NAME.yaml that says `kind: http` */
export const apiListenerSchema = z.strictObject({
  kind: v.oneOf('http'),
  host: v.host,
  port: v.port,
  tls: z.strictObject({ certificate: v.filePath, key: secretRef }).optional(),
  answerWait: v.duration(100, 5 * minute),
  signatureWindow: v.duration(second, 15 * minute),
  limits: z.strictObject({
    bodyBytesMax: v.whole(1024, 65_536),
    headerBytesMax: v.whole(1024, 65_536),
    connectionsMax: v.whole(1, 100_000),
    connectionsPerPeerMax: v.whole(1, 100_000),
    inFlightMax: v.whole(1, 1_000_000),
    inFlightPerPartnerMax: v.whole(1, 1_000_000),
    requestTimeout: v.duration(100, 10 * minute),
    headersTimeout: v.duration(100, 10 * minute),
    idleTimeout: v.duration(100, day),
    partnerRate: rate,
    addressRate: rate,
  }),
})

/** conf/links/NAME.yaml */
export const linkSchema = z.strictObject({
  biller: v.name,
  pack: v.name,
  host: v.host,
  port: v.whole(1, 65535),
  identity: z.strictObject({
    bank: v.digits(1, 11),
    partner: v.digits(1, 7),
    switcher: v.code(1, 11),
    terminal: v.code(1, 16),
  }),
  inFlightMax: v.whole(1, 1_000_000),
  dialTimeout: v.duration(100, 5 * minute),
  signOnTimeout: v.duration(100, 5 * minute),
  echoIdle: v.duration(0, day),
  echoTimeout: v.duration(100, 5 * minute),
  reconnectMin: v.duration(10, 10 * minute),
  reconnectMax: v.duration(10, 10 * minute),
  lateMemory: v.duration(0, day),
  lateMemoryMax: v.whole(0, 10_000_000),
  security: securitySchema.optional(),
})

/** conf/listeners/NAME.yaml that says `kind: callbacks` */
export const callbackListenerSchema = z.strictObject({
  kind: v.oneOf('callbacks'),
  host: v.host,
  port: v.port,
  tls: z.strictObject({ certificate: v.filePath, key: secretRef }).optional(),
  limits: z
    .strictObject({
      bodyBytesMax: v.whole(1024, 1_048_576).default(65_536),
      headerBytesMax: v.whole(1024, 32_768).default(16_384),
      connectionsMax: v.whole(1, 100_000).default(256),
      connectionsPerPeerMax: v.whole(1, 100_000).default(64),
      inFlightMax: v.whole(1, 100_000).default(256),
      headersTimeout: v.duration(100, 10 * minute).default(5 * second),
      requestTimeout: v.duration(100, 10 * minute).default(10 * second),
      idleTimeout: v.duration(100, day).default(minute),
      answerTimeout: v.duration(100, 5 * minute).default(10 * second),
    })
    .prefault({}),
})

/** `pln-postpaid`, `pln-prepaid by meter`: a product, and what the customer's number is. */
const snapService = v.value('PRODUCT, PRODUCT by meter or PRODUCT by registration', text => {
  const [, product, by = 'id'] = /^([a-z0-9-]+)(?: by (id|meter|registration))?$/.exec(text) ?? []
  return product === undefined ? undefined : { product, by: by as 'id' | 'meter' | 'registration' }
})

/** conf/listeners/NAME.yaml that says `kind: snap` */
export const snapListenerSchema = z.strictObject({
  kind: v.oneOf('snap'),
  host: v.host,
  port: v.port,
  tls: z.strictObject({ certificate: v.filePath, key: secretRef }).optional(),
  answerWait: v.duration(100, 5 * minute).default(25 * second),
  rate: rate.default({ perSecond: 500, burst: 1000 }),
  tokenKeys: z.array(secretRef).min(1).max(4).optional(),
  banks: z.record(
    v.name,
    z.strictObject({
      partner: v.digits(1, 7),
      pack: v.name.default('snap-va'),
      addresses: z.array(v.network).min(1).max(1000),
      credentials: z.record(z.string(), secretRef).default({}),
      services: z.record(v.digits(1, 8), snapService),
    }),
  ),
  limits: z
    .strictObject({
      bodyBytesMax: v.whole(1024, 65_536).default(16_384),
      headerBytesMax: v.whole(1024, 32_768).default(16_384),
      connectionsMax: v.whole(1, 100_000).default(512),
      connectionsPerPeerMax: v.whole(1, 100_000).default(128),
      inFlightMax: v.whole(1, 100_000).default(1024),
      headersTimeout: v.duration(100, 10 * minute).default(5 * second),
      requestTimeout: v.duration(100, 10 * minute).default(10 * second),
      idleTimeout: v.duration(100, day).default(minute),
    })
    .prefault({}),
})

const circuit = z.strictObject({
  requests: v.whole(1, 100_000).default(100),
  window: v.duration(second, day).default(minute),
  atLeast: v.whole(1, 100_000).default(20),
  failures: v.whole(1, 100).default(50),
  coolDown: v.duration(10, 60 * minute).default(10 * second),
  probes: v.whole(1, 1000).default(3),
})

/** conf/links/NAME.yaml that says `url` */
export const httpLinkSchema = z.strictObject({
  biller: v.name,
  pack: v.name,
  url: v.httpUrl,
  plainHttp: v.flag.default(false),
  identity: z
    .strictObject({
      bank: v.digits(1, 11),
      partner: v.digits(1, 7),
      switcher: v.code(7, 7),
      terminal: v.code(1, 16),
    })
    .optional(),
  credentials: z.record(z.string(), secretRef).default({}),
  tls: z
    .strictObject({
      authorities: z.array(v.filePath).min(1).max(16).optional(),
      certificate: v.filePath.optional(),
      key: secretRef.optional(),
      servername: v.host.optional(),
      minVersion: v.oneOf('1.2', '1.3').default('1.2'),
    })
    .optional(),
  callback: z
    .strictObject({
      listener: v.name,
      path: v.urlPath,
      addresses: z.array(v.network).min(1).max(1000),
    })
    .optional(),
  inFlightMax: v.whole(1, 100_000),
  connectTimeout: v.duration(10, 5 * minute).default(5 * second),
  tlsTimeout: v.duration(10, 5 * minute).default(5 * second),
  headersTimeout: v.duration(10, 10 * minute).default(minute),
  bodyTimeout: v.duration(10, 10 * minute).default(10 * second),
  lateWait: v.duration(0, 10 * minute).default(0),
  headerBytesMax: v.whole(1024, 32_768).default(16_384),
  bodyBytesMax: v.whole(1024, 16_777_216).default(1_048_576),
  keepAlive: v.duration(100, 60 * minute).default(4 * second),
  tokenTimeout: v.duration(100, 5 * minute).default(10 * second),
  reconnectMin: v.duration(10, 10 * minute).default(second),
  reconnectMax: v.duration(10, 10 * minute).default(30 * second),
  circuit: circuit.prefault({}),
  lateMemory: v.duration(0, day).default(60 * minute),
  lateMemoryMax: v.whole(0, 10_000_000).default(100_000),
})

export type NadiFile = z.output<typeof nadiSchema>
export type PartnerEntry = z.output<typeof partnerSchema>
export type BillerEntry = z.output<typeof billerSchema>
export type ProductEntry = z.output<typeof productSchema>
export type ListenerFile = z.output<typeof listenerSchema>
export type ApiListenerFile = z.output<typeof apiListenerSchema>
export type CallbackListenerFile = z.output<typeof callbackListenerSchema>
export type SimulatorEntry = z.output<typeof simulator>
export type SnapListenerFile = z.output<typeof snapListenerSchema>
export type HttpLinkFile = z.output<typeof httpLinkSchema>
export type LinkFile = z.output<typeof linkSchema>
