import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Secret } from '#base'
import {
  compilePack,
  readHttpSamples,
  type Credentials,
  type HttpPack,
  type PackFiles,
  type PackRead,
  type Problem,
} from '#pack'
import type { Message } from '#message'

/** The real packs over HTTP, their samples, and small ones made for a test. */
export const NAMES = ['digiflazz', 'iak', 'rajabiller', 'rajabiller-xmlrpc'] as const
const PROTOCOLS = fileURLToPath(new URL('../../../protocols', import.meta.url))

export function textOf(name: string, file = 'pack.yaml'): string {
  return readFileSync(`${PROTOCOLS}/${name}/${file}`, 'utf8')
}

export function sources(): Map<string, PackFiles> {
  return new Map(NAMES.map(name => [name, { 'pack.yaml': textOf(name) }]))
}

export function secrets(texts: Readonly<Record<string, string>>): Credentials {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, new Secret(text)]))
}

export function samplesOf(name: string) {
  const samples = readHttpSamples(`${name}/samples.yaml`, textOf(name, 'samples.yaml'))
  if (samples.problems.length > 0) throw new Error(JSON.stringify(samples.problems, undefined, 1))
  return samples
}

export function packCalled(name: string): HttpPack {
  return compiled(name, sources()).with(secrets(samplesOf(name).credentials))
}

export function compiled(name: string, packs: ReadonlyMap<string, PackFiles>): HttpPack {
  const result = compilePack(name, packs)
  if ('httpPack' in result) return result.httpPack
  throw new Error(JSON.stringify('problems' in result ? result.problems : result, undefined, 1))
}

export function problemsOf(
  name: string,
  packs: ReadonlyMap<string, PackFiles>,
): readonly Problem[] {
  const result = compilePack(name, packs)
  return 'problems' in result ? result.problems : []
}

/** Every reason says 05 but those that are told otherwise. */
const REASONS =
  'partner-blocked window-closed inactive sign-on-required too-late-to-reverse amount-invalid customer-unknown registration-unknown customer-blocked format-error bank-unknown partner-unknown product-unknown below-minimum above-maximum fee-invalid deposit-insufficient over-quota registration-expired no-payment timeout suspended already-paid not-available-yet cut-off no-inquiry reference-mismatch already-reversed security-invalid party-mismatch biller-reference-invalid unavailable'

export const CODES = `
outcome: { code: rc }
codes: { '00': approved, '05': 'declined other-error, unknown on payment', '68': unknown timeout, http 5xx: unknown timeout, http unreadable: unknown timeout, http other: unknown timeout, other: 'declined other-error, unknown on payment status' }
say: { ${REASONS.split(' ')
  .map(reason => `${reason}: '05'`)
  .join(', ')} }
`

export const COMMON = `
title: a pack of a test
transport: http
conversation: { signOn: no, echoIdleMs: 60000, responseTimeoutMs: 60000 }
products: { A: product-a }
recovery: { product-a: { policy: check, attempts: 1, spacingMs: 1000 } }
match: [kind, reference.own]
`

/** A pack of a test: what it has beside COMMON; CODES unless it has its own outcome. */
export function testPack(own: string): HttpPack {
  const codes = own.includes('outcome:') && own.includes('codes:') ? '' : CODES
  return compiled('t', new Map([['t', { 'pack.yaml': COMMON + own + codes }]]))
}

export function messageOf(read: PackRead): Message {
  if (read.tag === 'reject') throw read.reject.error
  return read.message
}

export function rejectOf(read: PackRead): string {
  if (read.tag === 'message') return 'read'
  const { code, path, offset } = read.reject.error
  return `${code} ${path ?? ''}${offset === undefined ? '' : ` @${offset}`}`
}

export const response = (body: string | Uint8Array, type = 'application/json', status = 200) =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\n${type === '' ? '' : `content-type: ${type}\r\n`}\r\n`),
    typeof body === 'string' ? Buffer.from(body) : body,
  ])

export const request = (target: string, body: string, type = 'application/json') =>
  Buffer.from(`POST ${target} HTTP/1.1\r\ncontent-type: ${type}\r\n\r\n${body}`)

export const bodyOf = (frame: Uint8Array): string => {
  const text = Buffer.from(frame).toString()
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}
