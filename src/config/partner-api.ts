import { resolve } from 'node:path'
import type { Problem } from '#pack'
import type { ApiListenerConfig, PartnerApiConfig } from './config.ts'
import type { ApiListenerFile, PartnerEntry } from './schema.ts'
import { type KeptSecret, loadSecret, type SecretPlace, type SecretRef } from './secrets.ts'
import type { Tree } from './tree.ts'

/** What the partners' HTTP API needs of the configuration: its listeners, and who may come in. */

/** Secrets by where they stand: `4519001 keys 0`. Those of partners are made when they are missing. */
export type PartnerSecrets = ReadonlyMap<string, KeptSecret>

const NOT_READ: KeptSecret = { file: undefined, value: undefined }
const WEBHOOK_SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/
const WEBHOOK_BYTES = { min: 24, max: 64 } as const
const KEY_CHARS_MIN = 32

export function loadPartnerSecrets(
  { partners, apis }: Tree,
  place: SecretPlace,
): { secrets: PartnerSecrets; problems: Problem[] } {
  const secrets = new Map<string, KeptSecret>()
  const problems: Problem[] = []
  const load = (name: string, ref: SecretRef, made: boolean, path: string, check: Check): void => {
    const result = loadSecret(ref, place, made)
    const value = typeof result === 'string' ? undefined : result.value?.reveal()
    const text = typeof result === 'string' ? result : value !== undefined && check(value)
    if (text) problems.push({ path, text })
    secrets.set(name, typeof result === 'string' ? NOT_READ : result)
  }
  for (const [id, { api }] of partners.entries) {
    for (const [at, { secret }] of (api?.keys ?? []).entries())
      load(`${id} keys ${at}`, secret, true, partners.where(id, 'api', 'keys', at), longEnough)
    for (const [at, secret] of (api?.webhook?.secrets ?? []).entries()) {
      const path = partners.where(id, 'api', 'webhook', 'secrets', at)
      load(`${id} webhook ${at}`, secret, true, path, isWebhookSecret)
    }
  }
  for (const [name, { tls }] of apis.entries)
    if (tls) load(`${name} tls`, tls.key, false, apis.where(name, 'tls', 'key'), isKey)
  return { secrets, problems }
}

/** What is wrong with a secret that is there; never the secret itself. */
type Check = (value: string) => string | undefined

function longEnough(value: string): string | undefined {
  return value.length >= KEY_CHARS_MIN
    ? undefined
    : `a key's secret must have at least ${KEY_CHARS_MIN} characters`
}

function isWebhookSecret(value: string): string | undefined {
  const encoded = WEBHOOK_SECRET.exec(value)?.[1]
  const { length } = Buffer.from(encoded ?? '', 'base64')
  return length >= WEBHOOK_BYTES.min && length <= WEBHOOK_BYTES.max
    ? undefined
    : 'a webhook secret must be whsec_ and the base64 of 24 to 64 bytes'
}

function isKey(value: string): string | undefined {
  return value.startsWith('-----BEGIN') ? undefined : 'must be a private key in PEM'
}

export function apiListener(
  name: string,
  { host, port, tls, answerWait, signatureWindow, limits: given }: ApiListenerFile,
  secrets: PartnerSecrets,
  varFolder: string,
): ApiListenerConfig {
  const { requestTimeout, headersTimeout, idleTimeout, ...counts } = given
  const limits = {
    ...counts,
    requestTimeoutMs: requestTimeout,
    headersTimeoutMs: headersTimeout,
    idleTimeoutMs: idleTimeout,
  }
  const key = secrets.get(`${name} tls`) ?? NOT_READ
  return {
    name,
    host,
    port,
    tls: tls && { certificateFile: resolve(varFolder, tls.certificate), key },
    answerWaitMs: answerWait,
    signatureWindowMs: signatureWindow,
    limits,
  }
}

export function partnerApi(
  partner: string,
  { keys, webhook, ...identity }: NonNullable<PartnerEntry['api']>,
  secrets: PartnerSecrets,
): PartnerApiConfig {
  const secretOf = (name: string): KeptSecret => secrets.get(`${partner} ${name}`) ?? NOT_READ
  return {
    ...identity,
    keys: keys.map(({ id }, at) => ({ id, secret: secretOf(`keys ${at}`) })),
    webhook: webhook && {
      url: webhook.url,
      secrets: webhook.secrets.map((_, at) => secretOf(`webhook ${at}`)),
    },
  }
}
