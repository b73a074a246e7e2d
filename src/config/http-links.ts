import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Secret } from '#base'
import type { CredentialSpec, HttpPack, Problem } from '#pack'
import type { CallbackListenerConfig, HttpLinkConfig } from './config.ts'
import type { Keys } from './documents.ts'
import type { CallbackListenerFile, HttpLinkFile } from './schema.ts'
import { SERVICE_NUMBER } from './snap.ts'
import { labCredentials, loadLabSecrets, type LabSecrets } from './lab.ts'
import { loadSecret, type SecretPlace, type SecretRef } from './secrets.ts'
import { type SnapTokenKeys, snapTokenKeys } from './snap-tokens.ts'
import { suggestion } from './suggestion.ts'
import type { Tree } from './tree.ts'
import { addressFilter } from './values.ts'

/** Links over HTTP and what they need beside: credentials, certificates, a way in for callbacks. */

/** What lies outside of conf/ and was read: by link, or by listener of callbacks. */
export type HttpSecrets = {
  readonly links: ReadonlyMap<string, LinkSecrets>
  readonly listeners: ReadonlyMap<string, Certified>
  /** Of banks that call us, by `LISTENER BANK`. */
  readonly banks: ReadonlyMap<string, LinkSecrets['credentials']>
  /** What tokens for banks are made by, by listener. */
  readonly tokens: SnapTokenKeys
  readonly lab: LabSecrets
}

/** A certificate and its key in PEM. */
type Certified = { readonly certificate: string; readonly key: Secret<string> }

type LinkSecrets = {
  readonly credentials: Readonly<Record<string, Secret<string>>>
  readonly authorities: readonly string[] | undefined
  readonly client: Certified | undefined
}

export function loadHttpSecrets(
  tree: Tree,
  packs: ReadonlyMap<string, HttpPack>,
  place: SecretPlace,
): { secrets: HttpSecrets; problems: Problem[] } {
  const { httpLinks, callbacks, snaps } = tree
  const { secrets: lab, problems } = loadLabSecrets(tree, packs, place)
  const links = new Map<string, LinkSecrets>()
  for (const [name, file] of httpLinks.entries) {
    const reader = new Reader(place, problems, (...keys) => httpLinks.where(name, ...keys))
    const specs = packs.get(file.pack)?.credentials ?? []
    links.set(name, linkSecrets(file, specs, reader, labCredentials(file, specs, tree, lab)))
  }
  const listeners = new Map<string, Certified>()
  for (const [section, name, tls] of [
    ...[...callbacks.entries].map(([name, { tls }]) => [callbacks, name, tls] as const),
    ...[...snaps.entries].map(([name, { tls }]) => [snaps, name, tls] as const),
  ]) {
    if (!tls) continue
    const reader = new Reader(place, problems, (...keys) => section.where(name, ...keys))
    const certificate = reader.pem(tls.certificate, 'tls', 'certificate')
    const key = reader.secret(tls.key, keyProblem, 'tls', 'key')
    if (certificate !== undefined && key) listeners.set(name, { certificate, key })
  }
  const banks = bankSecrets(snaps, packs, place, problems)
  const tokens = snapTokenKeys(snaps, place, problems)
  return { secrets: { links, listeners, banks, tokens, lab }, problems }
}

function bankSecrets(
  snaps: Tree['snaps'],
  packs: ReadonlyMap<string, HttpPack>,
  place: SecretPlace,
  problems: Problem[],
): HttpSecrets['banks'] {
  const banks = new Map<string, LinkSecrets['credentials']>()
  for (const [name, file] of snaps.entries) {
    const ids = new Set<string>()
    for (const [bank, { pack, credentials }] of Object.entries(file.banks)) {
      const where = (...keys: Keys): string => snaps.where(name, 'banks', bank, ...keys)
      const specs = (packs.get(pack)?.credentials ?? []).filter(one => one.name !== SERVICE_NUMBER)
      const reader = new Reader(place, problems, where)
      const given = linkSecrets({ credentials, tls: undefined }, specs, reader).credentials
      banks.set(`${name} ${bank}`, given)
      // By these a bank is known.
      for (const id of ['clientId', 'partnerId']) {
        const own = `${id} ${given[id]?.reveal()}`
        if (given[id] && ids.has(own))
          problems.push({ path: where('credentials', id), text: `another bank has the same ${id}` })
        ids.add(own)
      }
    }
  }
  return banks
}

function linkSecrets(
  { credentials, tls }: Pick<HttpLinkFile, 'credentials' | 'tls'>,
  specs: readonly CredentialSpec[],
  reader: Reader,
  usual: LinkSecrets['credentials'] = {},
): LinkSecrets {
  const given: Record<string, Secret<string>> = { ...usual }
  for (const [name, ref] of Object.entries(credentials)) {
    const spec = specs.find(one => one.name === name)
    if (!spec && specs.length > 0) reader.unknown(name, specs)
    const value = reader.secret(ref, text => credentialProblem(text, spec), 'credentials', name)
    if (value) given[name] = value
  }
  for (const spec of specs)
    if (!spec.optional && !(spec.name in credentials || spec.name in usual)) reader.missing(spec)
  const certificate =
    tls?.certificate === undefined ? undefined : reader.pem(tls.certificate, 'tls', 'certificate')
  const key = tls?.key && reader.secret(tls.key, keyProblem, 'tls', 'key')
  const authorities = tls?.authorities?.flatMap(
    (path, at) => reader.pem(path, 'tls', 'authorities', at) ?? [],
  )
  const client = certificate !== undefined && key ? { certificate, key } : undefined
  return { credentials: given, authorities, client }
}

/** Reads what a file of conf/ names, and keeps what is wrong with it. */
class Reader {
  readonly #place: SecretPlace
  readonly #problems: Problem[]
  readonly #where: (...keys: Keys) => string

  constructor(place: SecretPlace, problems: Problem[], where: (...keys: Keys) => string) {
    this.#place = place
    this.#problems = problems
    this.#where = where
  }

  secret(
    ref: SecretRef,
    check: (text: string) => string | undefined,
    ...keys: Keys
  ): Secret<string> | undefined {
    const result = loadSecret(ref, this.#place, false)
    if (typeof result === 'string') return this.#wrong(keys, result)
    const problem = result.value && check(result.value.reveal())
    return problem === undefined ? result.value : this.#wrong(keys, problem)
  }

  /** A certificate, or several. */
  pem(path: string, ...keys: Keys): string | undefined {
    const file = resolve(this.#place.varFolder, path)
    try {
      const text = readFileSync(file, 'utf8')
      if (text.includes('-----BEGIN CERTIFICATE-----')) return text
      return this.#wrong(keys, `${file} holds no certificate in PEM`)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return this.#wrong(keys, `${file} cannot be read (${code})`)
    }
  }

  unknown(name: string, specs: readonly CredentialSpec[]): void {
    const names = specs.map(spec => spec.name)
    const text = `the dialect has no credential "${name}"${suggestion(name, names)}`
    this.#wrong(['credentials', name], text)
  }

  missing({ name, text }: CredentialSpec): void {
    this.#wrong(['credentials'], `credentials.${name} is missing: ${text}`)
  }

  #wrong(keys: Keys, text: string): undefined {
    this.#problems.push({ path: this.#where(...keys), text })
    return undefined
  }
}

/** Never the credential itself. */
function credentialProblem(text: string, spec: CredentialSpec | undefined): string | undefined {
  switch (spec?.kind) {
    case 'private-key':
      return keyProblem(text)
    case 'public-key':
      return /^-----BEGIN (PUBLIC KEY|CERTIFICATE)-----/.test(text)
        ? undefined
        : 'must be a public key or a certificate in PEM'
    default:
      return undefined
  }
}

function keyProblem(text: string): string | undefined {
  return /^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)
    ? undefined
    : 'must be a private key in PEM'
}

export function httpLink(name: string, file: HttpLinkFile, secrets: HttpSecrets): HttpLinkConfig {
  const { biller, pack, url, identity, callback, tls, circuit } = file
  const { credentials = {}, authorities, client } = secrets.links.get(name) ?? {}
  return {
    name,
    biller,
    pack,
    identity,
    credentials,
    place: {
      url,
      tls: {
        minVersion: tls?.minVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
        ...(tls?.servername !== undefined && { servername: tls.servername }),
        ...(authorities && { authorities }),
        ...(client && { client }),
      },
    },
    callback: callback && {
      listener: callback.listener,
      path: callback.path,
      mayCall: addressFilter(callback.addresses),
    },
    options: {
      inFlightMax: file.inFlightMax,
      connectTimeoutMs: file.connectTimeout,
      tlsTimeoutMs: file.tlsTimeout,
      headersTimeoutMs: file.headersTimeout,
      bodyTimeoutMs: file.bodyTimeout,
      lateWaitMs: file.lateWait,
      headerBytesMax: file.headerBytesMax,
      bodyBytesMax: file.bodyBytesMax,
      keepAliveMs: file.keepAlive,
      tokenTimeoutMs: file.tokenTimeout,
      reconnectMinMs: file.reconnectMin,
      reconnectMaxMs: file.reconnectMax,
      circuit: {
        countMax: circuit.requests,
        countMin: circuit.atLeast,
        windowMs: circuit.window,
        failureRate: circuit.failures / 100,
        coolDownMs: circuit.coolDown,
        probes: circuit.probes,
      },
      lateMemoryMs: file.lateMemory,
      lateMemoryMax: file.lateMemoryMax,
    },
  }
}

export function callbackListener(
  name: string,
  { host, port, limits: given }: CallbackListenerFile,
  secrets: HttpSecrets,
): CallbackListenerConfig {
  const { headersTimeout, requestTimeout, idleTimeout, answerTimeout, ...counts } = given
  return {
    name,
    host,
    port,
    tls: secrets.listeners.get(name),
    limits: {
      ...counts,
      headersTimeoutMs: headersTimeout,
      requestTimeoutMs: requestTimeout,
      idleTimeoutMs: idleTimeout,
      answerTimeoutMs: answerTimeout,
    },
  }
}
