import type { Check } from '../check.ts'
import type { CredentialSpec, SealProblem } from '../http-pack.ts'
import { isoMs, passwordDigest, same, usernameToken, withinWindow } from '../signing/index.ts'
import type { MapEntry } from '../source.ts'
import { inHeader, WSSE, WSU } from './contents.ts'
import type { CredentialBook } from './credentials.ts'
import { childOf, type DocNode } from './node.ts'
import { escapeXml } from './write-xml.ts'

const PROFILE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0'
const MESSAGE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0'
/** The profile's own advice. */
const WINDOW_MS = 300_000

/**
 * WS-Security in the SOAP header of requests: who asks, with a password or its digest.
 *
 *     security: username-token digest username password
 */
export class Security {
  readonly #kind: 'text' | 'digest'
  readonly #username: string
  readonly #password: string

  constructor(kind: 'text' | 'digest', username: string, password: string) {
    this.#kind = kind
    this.#username = username
    this.#password = password
  }

  header(nowMs: number, nonce: string, book: CredentialBook): string {
    const given = {
      username: book.reveal(this.#username),
      password: book.reveal(this.#password),
      nowMs,
      nonce,
    }
    const token = usernameToken(this.#kind, given)
    const type = this.#kind === 'digest' ? 'PasswordDigest' : 'PasswordText'
    const proof =
      token.nonce === undefined
        ? ''
        : `<wsse:Nonce EncodingType="${MESSAGE}#Base64Binary">${token.nonce}</wsse:Nonce>` +
          `<wsu:Created>${token.created ?? ''}</wsu:Created>`
    return (
      `<wsse:Security xmlns:wsse="${WSSE}" xmlns:wsu="${WSU}"><wsse:UsernameToken>` +
      `<wsse:Username>${escapeXml(token.username, 'security')}</wsse:Username>` +
      `<wsse:Password Type="${PROFILE}#${type}">${escapeXml(token.password, 'security')}</wsse:Password>` +
      `${proof}</wsse:UsernameToken></wsse:Security>`
    )
  }

  check(header: DocNode | undefined, nowMs: number, book: CredentialBook): SealProblem | undefined {
    const token = inHeader(header, 'wsse:Security', 'wsse:UsernameToken')
    const text = (name: string) => (token && childOf(token, name, 0)?.text.trim()) ?? ''
    if (!token) return { tag: 'missing', path: 'header.wsse:Security' }
    if (!same(book.reveal(this.#username), text('wsse:Username'))) {
      return { tag: 'unknown-sender', path: 'header.wsse:Username' }
    }
    const password = book.reveal(this.#password)
    if (this.#kind === 'text') {
      return same(password, text('wsse:Password'))
        ? undefined
        : { tag: 'forged', path: 'header.wsse:Password' }
    }
    const created = text('wsu:Created')
    const atMs = isoMs(created)
    if (atMs === undefined || !withinWindow(atMs, nowMs, WINDOW_MS)) {
      return { tag: 'stale', path: 'header.wsu:Created' }
    }
    const expected = passwordDigest(text('wsse:Nonce'), created, password)
    return same(expected, text('wsse:Password'))
      ? undefined
      : { tag: 'forged', path: 'header.wsse:Password' }
  }
}

export function compileSecurity(
  check: Check,
  entry: MapEntry | undefined,
  credentials: ReadonlyMap<string, CredentialSpec>,
): Security | undefined {
  const line = entry && check.text(entry.value, 'security')
  if (!line) return undefined
  const match = /^username-token (text|digest) (\S+) (\S+)$/.exec(line.text)
  if (!match) {
    return check.wrong(
      line.at,
      `"${line.text}" must read "username-token digest USERNAME PASSWORD"`,
    )
  }
  const [, kind, username = '', password = ''] = match
  const unknown = [username, password].find(name => !credentials.has(name))
  if (unknown !== undefined) return check.wrong(line.at, `"${unknown}" is not a credential`)
  return new Security(kind as 'text', username, password)
}
