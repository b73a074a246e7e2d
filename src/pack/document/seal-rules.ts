import { localTime, localTimeMs } from '#base'
import type { Check } from '../check.ts'
import type { CredentialSpec, SealProblem } from '../http-pack.ts'
import {
  basic,
  bearer,
  checkWebhook,
  compileTemplate,
  digest,
  hmac,
  rsaSign,
  rsaVerify,
  same,
  sameSignature,
  signWebhook,
  SNAP_ASYMMETRIC,
  SNAP_SYMMETRIC,
  SNAP_TOKEN,
  withinWindow,
  type Encoding,
  type Hash,
  type Signed,
} from '../signing/index.ts'
import type { MapTree } from '../source.ts'
import { parseFormat } from './format.ts'

/** What a seal is put on, or looked for in. */
export type Sealed = Signed & { readonly nowMs: number }

/** One header that proves something. */
export type SealRule = {
  readonly header: string
  readonly needsToken?: boolean
  /** Values by header; most rules have one. */
  put(from: Sealed): Readonly<Record<string, string>>
  /** What is wrong with what came, or undefined. */
  check(from: Sealed, expectedToken: string | undefined): SealProblem | undefined
}

export type SealRules = { readonly rules: readonly SealRule[]; readonly windowMs: number }

const WINDOW_MS = 300_000
const DAY_MS = 86_400_000

/**
 * `seal:` for requests, answers, callbacks and the session's own request, each a map of headers:
 *
 *     x-timestamp: timestamp YYYY-MM-DDThh:mm:ssZ          also timestamp unix, timestamp unix-ms
 *     x-external-id: nonce
 *     authorization: bearer                                also basic username password
 *     x-api-key: credential apiKey
 *     x-signature: hmac-sha512 base64 with clientSecret of {method}:{target}:{sha256 minified}
 *     x-hub-signature: hmac-sha1 hex prefix sha1= with webhookSecret of {body}
 *     x-signature: rsa-sha256 base64 with ourKey checked by theirKey of {header x-timestamp}
 *     x-signature: snap-symmetric with clientSecret
 *     webhook-signature: standard-webhooks with webhookSecret
 */
export function compileSealRules(
  check: Check,
  map: MapTree | undefined,
  credentials: ReadonlyMap<string, CredentialSpec>,
): SealRules {
  const windowEntry = map?.entries.get('windowMs')
  const windowMs =
    (windowEntry && check.integer(windowEntry.value, 'windowMs', 1000, DAY_MS)) ?? WINDOW_MS
  const rules: SealRule[] = []
  for (const [key, { at, value }] of map?.entries ?? []) {
    if (key === 'windowMs') continue
    const line = check.text(value, key)
    if (!line) continue
    const header = key.toLowerCase()
    if (!/^[a-z0-9-]+$/.test(header)) check.wrong(at, `"${key}" is no name of a header`)
    const rule = compileRule({ check, credentials, at: line.at, windowMs }, header, line.text)
    if (rule) rules.push(rule)
  }
  return { rules, windowMs }
}

type Scope = {
  readonly check: Check
  readonly credentials: ReadonlyMap<string, CredentialSpec>
  readonly at: string
  readonly windowMs: number
}

function compileRule(scope: Scope, header: string, text: string): SealRule | undefined {
  const [word = '', ...words] = text.split(' ')
  switch (word) {
    case 'timestamp':
      return timestamp(scope, header, words.join(' '))
    case 'nonce':
      return plain(header, from => from.nonce)
    case 'bearer':
      return bearerToken(header)
    case 'basic': {
      const [user = '', password = ''] = words
      if (!knows(scope, user, password)) return undefined
      return fixed(header, from => basic(from.credential(user), from.credential(password)))
    }
    case 'credential': {
      const [name = ''] = words
      return knows(scope, name) ? fixed(header, from => from.credential(name)) : undefined
    }
    case 'standard-webhooks': {
      const [, name = ''] = words
      return knows(scope, name) ? webhook(scope, header, name) : undefined
    }
    default:
      return signature(scope, header, text)
  }
}

function knows({ check, credentials, at }: Scope, ...names: string[]): boolean {
  const unknown = names.find(name => !credentials.has(name))
  if (unknown === undefined) return true
  const known = [...credentials.keys()].join(', ') || 'none'
  check.wrong(at, `"${unknown}" is not a credential; there are ${known}`)
  return false
}

/** There must be one, and that is all that can be said of it here. */
function plain(header: string, put: (from: Sealed) => string): SealRule {
  return {
    header,
    put: from => ({ [header]: put(from) }),
    check: ({ headers }) =>
      headers[header] ? undefined : { tag: 'missing', path: `headers.${header}` },
  }
}

/** It must be exactly this. */
function fixed(header: string, put: (from: Sealed) => string): SealRule {
  const path = `headers.${header}`
  return {
    header,
    put: from => ({ [header]: put(from) }),
    check(from) {
      const given = from.headers[header]
      if (given === undefined) return { tag: 'missing', path }
      return same(put(from), given) ? undefined : { tag: 'unknown-sender', path }
    },
  }
}

function bearerToken(header: string): SealRule {
  const path = `headers.${header}`
  return {
    header,
    needsToken: true,
    put: ({ token }) => ({ [header]: `Bearer ${token}` }),
    check({ headers }, expected) {
      const given = bearer(headers[header])
      if (given === undefined) return { tag: 'missing', path }
      if (expected === undefined || same(expected, given)) return undefined
      return { tag: 'unknown-sender', path }
    },
  }
}

function timestamp(scope: Scope, header: string, shape: string): SealRule | undefined {
  const { check, at, windowMs } = scope
  const parsed = /^unix(-ms)?$/.test(shape) ? undefined : parseFormat(shape, 'local-time')
  if (typeof parsed === 'string') return check.wrong(at, parsed)
  const unit = shape === 'unix' ? 1000 : 1
  const path = `headers.${header}`
  const write = (nowMs: number) =>
    parsed
      ? (parsed.format.write(localTime(nowMs) as never) as string)
      : String(Math.floor(nowMs / unit))
  const read = (text: string) => {
    if (!parsed) return /^\d{9,14}$/.test(text) ? Number(text) * unit : undefined
    const local = parsed.format.read(text)
    return typeof local === 'string' ? localTimeMs(local) : undefined
  }
  return {
    header,
    put: ({ nowMs }) => ({ [header]: write(nowMs) }),
    check({ headers, nowMs }) {
      const given = headers[header]
      if (given === undefined) return { tag: 'missing', path }
      const atMs = read(given)
      if (atMs !== undefined && withinWindow(atMs, nowMs, windowMs)) return undefined
      return { tag: 'stale', path }
    },
  }
}

function webhook({ windowMs }: Scope, header: string, name: string): SealRule {
  return {
    header,
    put: ({ body, nonce, nowMs, credential }) => ({
      ...signWebhook(body, { id: `msg_${nonce}`, nowMs, secrets: [credential(name)] }),
    }),
    check({ body, headers, nowMs, credential }) {
      // While a secret is rotated, both stand in the credential, divided by a space.
      const secrets = credential(name).split(' ')
      const problem = checkWebhook(body, headers, { nowMs, secrets, windowMs })
      return problem && { tag: problem.tag, path: `headers.${problem.path}` }
    },
  }
}

const NAMED: Readonly<Record<string, string>> = {
  'snap-token': `rsa-sha256 base64 $ of ${SNAP_TOKEN}`,
  'snap-symmetric': `hmac-sha512 base64 $ of ${SNAP_SYMMETRIC}`,
  'snap-asymmetric': `rsa-sha256 base64 $ of ${SNAP_ASYMMETRIC}`,
}

const SIGNATURE =
  /^(hmac-|rsa-)?(md5|sha1|sha256|sha512) (hex|base64|base64url)(?: prefix (\S+))?(?: with (\S+)(?: checked by (\S+))?)? of (.+)$/

const FORM =
  'timestamp, nonce, bearer, basic, credential, standard-webhooks, snap-token, snap-symmetric, snap-asymmetric, or "hmac-sha256 hex with CREDENTIAL of {body}"'

function signature(scope: Scope, header: string, text: string): SealRule | undefined {
  const { check, at } = scope
  const named = /^(snap-[a-z]+) (with .+)$/.exec(text)
  const full = named ? NAMED[named[1] as string]?.replace('$', named[2] as string) : text
  const match = SIGNATURE.exec(full ?? '')
  if (!match) return check.wrong(at, `"${text}" is no seal; there are ${FORM}`)
  const [, way = '', hash, encoding, prefix = '', ours = '', theirs = ours, words] = match
  if (way === 'rsa-' && hash !== 'sha256') return check.wrong(at, `only rsa-sha256 is known`)
  if ((way === '') !== (ours === '')) {
    return check.wrong(at, `"${text}" must say "with CREDENTIAL" for hmac and rsa, and only there`)
  }
  if (way !== '' && !knows(scope, ours, theirs)) return undefined
  const template = compileTemplate(words as string)
  if (typeof template === 'string') return check.wrong(at, template)
  if (!knows(scope, ...template.credentials)) return undefined
  const scheme = makeScheme(way, hash as Hash, encoding as Encoding, ours, theirs)
  const path = `headers.${header}`
  return {
    header,
    needsToken: (words as string).includes('{token}'),
    put: from => ({ [header]: prefix + scheme.sign(template.bytes(from), from) }),
    check(from) {
      const given = from.headers[header]
      if (given === undefined || given === '') return { tag: 'missing', path }
      // Some leave their own prefix out.
      const bare = given.startsWith(prefix) ? given.slice(prefix.length) : given
      return scheme.verify(template.bytes(from), bare, from) ? undefined : { tag: 'forged', path }
    },
  }
}

type Scheme = {
  readonly sign: (data: Uint8Array, from: Signed) => string
  readonly verify: (data: Uint8Array, given: string, from: Signed) => boolean
}

function makeScheme(
  way: string,
  hash: Hash,
  encoding: Encoding,
  ours: string,
  theirs: string,
): Scheme {
  if (way === 'rsa-') {
    return {
      sign: (data, from) => rsaSign(from.credential(ours), data, encoding),
      verify: (data, given, from) => rsaVerify(from.credential(theirs), data, given, encoding),
    }
  }
  const compute = (data: Uint8Array, from: Signed) =>
    way === '' ? digest(hash, data, encoding) : hmac(hash, from.credential(ours), data, encoding)
  return {
    sign: compute,
    verify: (data, given, from) => sameSignature(compute(data, from), given, encoding),
  }
}
