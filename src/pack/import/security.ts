import { credentialName } from './line.ts'
import { type Proof, type Seal, tidy } from './model.ts'
import type { Notes } from './notes.ts'
import { targetOf } from './target.ts'
import { get, type Item, textAt } from './yaml.ts'

/**
 * `security` of OpenAPI as a seal: the first of its alternatives. What a pack cannot do is remarked.
 * `server` is where all else is asked.
 */
export function proofOf(
  security: Item | undefined,
  schemeOf: (name: string) => Item | undefined,
  server: string | undefined,
  notes: Notes,
): Proof {
  const [first, ...others] = security?.list ?? []
  if (security && others.length > 0)
    notes.remark(security, `of ${others.length + 1} ways to prove who sends the first is drafted`)
  const seals = new Map<string, Seal>()
  let session: Proof['session']
  for (const [name, item] of first?.map ?? []) {
    const scheme = schemeOf(name)
    const fetched = scheme && sessionOf(scheme, item, server, notes)
    const seal = fetched ? BEARER : scheme && sealOf(name, scheme)
    if (seal && !seals.has(seal.header)) {
      seals.set(seal.header, seal)
      session ??= fetched
    } else notes.remark(scheme ?? item, `security "${tidy(name)}" is not drafted: ${told(scheme)}`)
  }
  return { seals: [...seals.values()], ...(session && { session }) }
}

/** The token that was fetched; who we are is proved when it is. */
const BEARER: Seal = {
  header: 'authorization',
  rule: 'bearer',
  credentials: [
    ['clientId', 'name, our client id'],
    ['clientSecret', 'secret, our client secret'],
  ],
}

/** OAuth2 client credentials (RFC 6749, 4.4); the other flows of OAuth2 need a person. */
function sessionOf(
  scheme: Item,
  required: Item,
  server: string | undefined,
  notes: Notes,
): Proof['session'] {
  const flow = get(scheme, 'flows', 'clientCredentials')
  const url = textAt(flow, 'tokenUrl')
  if (textAt(scheme, 'type') !== 'oauth2' || !flow || url === undefined) return undefined
  const elsewhere = originOf(url)
  if (elsewhere !== undefined && elsewhere !== originOf(server ?? ''))
    notes.remark(
      flow,
      `the token comes from ${tidy(elsewhere)}, and a link has one address: something must stand before both`,
    )
  const scopes = required.list?.flatMap(({ text }) => text ?? []) ?? []
  return { call: `POST ${targetOf(url)}`, scope: scopes.join(' ') }
}

/** `https://api.example`; undefined where the address has none. */
function originOf(url: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(url)?.[0].toLowerCase()
}

function sealOf(name: string, scheme: Item): Seal | undefined {
  const [type, way] = [textAt(scheme, 'type'), textAt(scheme, 'scheme')?.toLowerCase()]
  if (type === 'http' && way === 'basic') {
    return {
      header: 'authorization',
      rule: 'basic username password',
      credentials: [
        ['username', 'name, our user name'],
        ['password', 'secret, our password'],
      ],
    }
  }
  if (type === 'http' && way === 'bearer') {
    const line = 'secret, what stands in the header: Bearer and the token'
    const rule = 'credential bearerToken'
    return { header: 'authorization', rule, credentials: [['bearerToken', line]] }
  }
  const header = textAt(scheme, 'name')?.toLowerCase() ?? ''
  if (type !== 'apiKey' || textAt(scheme, 'in') !== 'header' || !/^[a-z0-9-]+$/.test(header))
    return undefined
  const credential = credentialName({ name })
  const line = `secret, what stands in ${header}`
  return { header, rule: `credential ${credential}`, credentials: [[credential, line]] }
}

function told(scheme: Item | undefined): string {
  const flows = [...(get(scheme, 'flows')?.map?.keys() ?? [])]
  const words = ['type', 'scheme', 'in'].flatMap(key => textAt(scheme, key) ?? []).concat(flows)
  return words.length === 0 ? 'its scheme is not in this file' : tidy(words.join(' '))
}
