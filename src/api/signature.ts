import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Secret } from '#base'

/**
 * How a request proves who sent it. The header
 *
 *     Authorization: Nadi-HMAC-SHA256 key="ID", time="1795163730", nonce="…", signature="BASE64"
 *
 * carries an HMAC-SHA256, keyed with the secret's text, over these lines (LF between them, none at
 * the end):
 *
 *     nadi-hmac-sha256
 *     POST                      method
 *     /v1/payments?x=1          target as it stands on the wire
 *     1795163730                time, in seconds since 1970
 *     5f0c…                     nonce: 8 to 64 letters, digits, - or _; makes two alike requests differ
 *     order-4711                Idempotency-Key, empty where there is none
 *     e3b0c442…                 SHA-256 of the raw body, small hexadecimal digits
 */
export type SignedParts = {
  readonly method: string
  readonly target: string
  readonly time: string
  readonly nonce: string
  readonly idempotencyKey: string
  readonly body: Uint8Array
}

export type Authorization = {
  readonly key: string
  readonly time: string
  readonly nonce: string
  readonly signature: string
}

export const SCHEME = 'Nadi-HMAC-SHA256'

export function stringToSign(parts: SignedParts): string {
  const { method, target, time, nonce, idempotencyKey, body } = parts
  const digest = hash('sha256', body, 'hex')
  return `nadi-hmac-sha256\n${method}\n${target}\n${time}\n${nonce}\n${idempotencyKey}\n${digest}`
}

/** The value of the Authorization header; for clients and tests. */
export function authorizationOf(key: string, secret: Secret<string>, parts: SignedParts): string {
  const { time, nonce } = parts
  const signature = sign(secret, parts).toString('base64')
  return `${SCHEME} key="${key}", time="${time}", nonce="${nonce}", signature="${signature}"`
}

/** Takes as long whether it is nearly right or all wrong. */
export function isSigned(secret: Secret<string>, parts: SignedParts, signature: string): boolean {
  const given = Buffer.from(signature, 'base64')
  const wanted = sign(secret, parts)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

const SHAPES: { readonly [Name in keyof Authorization]: RegExp } = {
  key: /^[A-Za-z0-9_-]{1,64}$/,
  time: /^[1-9]\d{8,11}$/,
  nonce: /^[A-Za-z0-9_-]{8,64}$/,
  signature: /^[A-Za-z0-9+/]{43}=$/,
}
const HEADER_CHARS_MAX = 512

/** Undefined when the header is no whole one of this scheme. */
export function readAuthorization(header: string): Authorization | undefined {
  if (header.length > HEADER_CHARS_MAX) return undefined
  const [, scheme = '', rest = ''] = /^(\S+) +(.*)$/.exec(header) ?? []
  if (scheme.toLowerCase() !== SCHEME.toLowerCase()) return undefined
  const found: Record<string, string> = {}
  for (const part of rest.split(/ *, */)) {
    const [, name = '', value = ''] = /^([a-z]+)="([^"]*)"$/.exec(part) ?? []
    const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name as keyof Authorization] : undefined
    if (!shape?.test(value) || Object.hasOwn(found, name)) return undefined
    found[name] = value
  }
  return Object.keys(found).length === 4 ? (found as Authorization) : undefined
}

function sign(secret: Secret<string>, parts: SignedParts): Buffer {
  return createHmac('sha256', keyOf(secret)).update(stringToSign(parts)).digest()
}

const KEYS = new WeakMap<Secret<string>, KeyObject>()

/** Made once for each secret. */
function keyOf(secret: Secret<string>): KeyObject {
  let key = KEYS.get(secret)
  if (!key) KEYS.set(secret, (key = createSecretKey(secret.reveal(), 'utf8')))
  return key
}
