import type { FramingSpec } from '#iso8583'
import { DICTIONARY, isPath, type MessageKind, type Path } from '#message'
import type { Check } from './check.ts'
import { isKind, KINDS } from './codes.ts'
import type { KindSpec } from './compile-messages.ts'
import type { PackConversation, PackRecovery } from './pack.ts'
import type { MapEntry, Tree } from './source.ts'

const FRAME_BYTES_MAX = 1_000_000
const DAY_MS = 86_400_000

/**
 * `framing:`
 *
 *     framing: { length: 2 bytes big-endian, counts: body, trailer: 03, frameBytesMax: 4096 }
 */
export function compileFramingSpec(check: Check, { value }: MapEntry): FramingSpec | undefined {
  const map = check.map(value, 'framing')
  if (!map) return undefined
  check.only(map, ['length', 'counts', 'trailer', 'frameBytesMax'])
  const [length, counts, max] = [
    check.need(map, 'length'),
    check.need(map, 'counts'),
    check.need(map, 'frameBytesMax'),
  ]
  if (!length || !counts || !max) return undefined
  const lengthSpec = parseLength(check, length.value)
  const countsSpec = check.oneOf(counts.value, 'counts', COUNTS)
  const frameBytesMax = check.integer(max.value, 'frameBytesMax', 20, FRAME_BYTES_MAX)
  const trailer = map.entries.get('trailer')
  const trailerByte = trailer && parseTrailer(check, trailer.value)
  if (!lengthSpec || !countsSpec || frameBytesMax === undefined) return undefined
  const words = countsSpec.split(' ')
  if (words.includes('trailer') && !trailer) {
    return check.wrong(counts.at, 'counts names a trailer, and there is none')
  }
  return {
    length: lengthSpec,
    counts: { itself: words.includes('length'), trailer: words.includes('trailer') },
    ...(trailerByte === undefined ? {} : { trailer: trailerByte }),
    frameBytesMax,
  }
}

const COUNTS = ['body', 'length body', 'body trailer', 'length body trailer'] as const

function parseLength(check: Check, tree: Tree): FramingSpec['length'] | undefined {
  const text = check.text(tree, 'length')?.text ?? ''
  const binary = /^(2|4) bytes (big|little)-endian$/.exec(text)
  if (binary) {
    const [bytes, order] = [Number(binary[1]) as 2 | 4, binary[2] as 'big' | 'little']
    return { form: 'binary', bytes, order }
  }
  const digits = /^([45]) (decimal|hex) digits$/.exec(text)
  if (digits) return { form: digits[2] as 'decimal' | 'hex', digits: Number(digits[1]) }
  const allowed = '2 bytes big-endian, 4 bytes little-endian, 4 decimal digits, 4 hex digits'
  return check.wrong(tree.at, `"${text}" is not a form of length; there are ${allowed}`)
}

function parseTrailer(check: Check, tree: Tree): number | undefined {
  const text = check.text(tree, 'trailer')?.text ?? ''
  if (/^[0-9a-fA-F]{2}$/.test(text)) return parseInt(text, 16)
  return check.wrong(tree.at, `the trailer is "${text}"; it is one byte as two hex digits`)
}

export function compileConversation(
  check: Check,
  { value }: MapEntry,
): PackConversation | undefined {
  const map = check.map(value, 'conversation')
  if (!map) return undefined
  check.only(map, ['signOn', 'echoIdleMs', 'responseTimeoutMs'])
  const [signOn, echo, timeout] = [
    check.need(map, 'signOn'),
    check.need(map, 'echoIdleMs'),
    check.need(map, 'responseTimeoutMs'),
  ]
  if (!signOn || !echo || !timeout) return undefined
  const signs = check.oneOf(signOn.value, 'signOn', ['yes', 'no'])
  const echoIdleMs = check.integer(echo.value, 'echoIdleMs', 1, DAY_MS)
  const responseTimeoutMs = check.integer(timeout.value, 'responseTimeoutMs', 1, DAY_MS)
  if (!signs || !echoIdleMs || !responseTimeoutMs) return undefined
  return { signOn: signs === 'yes', echoIdleMs, responseTimeoutMs }
}

const POLICIES = ['reverse', 'advise', 'check'] as const

/** `recovery:`, how an unanswered payment of each product is found out. */
export function compileRecovery(
  check: Check,
  { value }: MapEntry,
  products: readonly string[],
): Record<string, PackRecovery> {
  const recovery: Record<string, PackRecovery> = {}
  const map = check.map(value, 'recovery')
  if (!map) return recovery
  check.only(map, products)
  for (const product of products) {
    const found = check.need(map, product)
    const one = found && check.map(found.value, product)
    if (!one) continue
    check.only(one, ['policy', 'attempts', 'spacingMs'])
    const [policy, attempts, spacing] = ['policy', 'attempts', 'spacingMs'].map(key =>
      check.need(one, key),
    )
    if (!policy || !attempts || !spacing) continue
    const rule = check.oneOf(policy.value, 'policy', POLICIES)
    const count = check.integer(attempts.value, 'attempts', 1, 99)
    const spacingMs = check.integer(spacing.value, 'spacingMs', 0, DAY_MS)
    if (rule && count && spacingMs !== undefined) {
      recovery[product] = { policy: rule, attempts: count, spacingMs }
    }
  }
  return recovery
}

/** `products:`, Nadi's product by its code on the wire. */
export function compileProducts(check: Check, { value }: MapEntry): Map<string, string> {
  const products = new Map<string, string>()
  const map = check.map(value, 'products')
  for (const [code, entry] of map?.entries ?? []) {
    const product = check.text(entry.value, `the product of ${code}`)?.text
    if (product === undefined) continue
    if ([...products.values()].includes(product)) {
      check.wrong(entry.at, `"${product}" has two codes`)
    } else products.set(code, product)
  }
  return products
}

/**
 * `kinds:`, the message types of each kind of message.
 *
 *     kinds:
 *       echo:     { request: 2800, response: 2810, where: 40 is 301 }
 *       reversal: { request: 2400, response: 2410, repeat: 2401, repeatResponse: 2411 }
 */
export function compileKinds(check: Check, { value }: MapEntry): Map<MessageKind, KindSpec> {
  const kinds = new Map<MessageKind, KindSpec>()
  const taken = new Map<string, string>()
  const map = check.map(value, 'kinds')
  for (const [kind, { at, value }] of map?.entries ?? []) {
    if (!isKind(kind)) {
      check.wrong(at, `"${kind}" is not a kind of message; there are ${KINDS.join(', ')}`)
      continue
    }
    const spec = compileKind(check, value)
    if (!spec) continue
    kinds.set(kind, spec)
    const types = [spec.request, spec.response, spec.repeat, spec.repeatResponse]
    for (const mti of types.filter(mti => mti !== undefined)) {
      const key = `${mti} ${spec.mark ? `${spec.mark.field} is ${spec.mark.value}` : ''}`.trim()
      const other = taken.get(key) ?? (spec.mark ? taken.get(mti) : undefined)
      if (other) check.wrong(at, `"${key}" is already ${other}`)
      taken.set(key, kind)
    }
  }
  return kinds
}

function compileKind(check: Check, tree: Tree): KindSpec | undefined {
  const map = check.map(tree, 'a kind')
  if (!map) return undefined
  check.only(map, ['request', 'response', 'repeat', 'repeatResponse', 'where'])
  const mti = (key: string) => {
    const entry = map.entries.get(key)
    const text = entry && check.text(entry.value, key)
    if (!text || /^\d{4}$/.test(text.text)) return text?.text
    return check.wrong(text.at, `"${text.text}" is not a message type of 4 digits`)
  }
  if (!check.need(map, 'request') || !check.need(map, 'response')) return undefined
  const [request, response, repeat, repeatResponse] = [
    mti('request'),
    mti('response'),
    mti('repeat'),
    mti('repeatResponse'),
  ]
  if (!request || !response) return undefined
  const where = map.entries.get('where')
  const mark = where && parseMark(check, where.value)
  return { request, response, repeat, repeatResponse, mark }
}

function parseMark(check: Check, tree: Tree): KindSpec['mark'] {
  const text = check.text(tree, 'where')?.text ?? ''
  const match = /^(\d{1,3}) is (\S+)$/.exec(text)
  if (!match) return check.wrong(tree.at, `"${text}" must read like "40 is 301"`)
  return { field: Number(match[1]), value: match[2] as string }
}

/** `match:`, the paths that an answer is matched by. */
export function compileMatch(check: Check, { value }: MapEntry): (Path | 'kind')[] {
  const parts: (Path | 'kind')[] = []
  for (const item of check.list(value, 'match')?.items ?? []) {
    const text = check.text(item, 'a part of match')?.text
    if (text === undefined) continue
    if (text === 'kind' || (isPath(text) && KEY_KINDS.includes(DICTIONARY[text].kind))) {
      parts.push(text)
    } else
      check.wrong(item.at, `"${text}" cannot be part of a key; use kind or a path that is text`)
  }
  return parts
}

const KEY_KINDS: readonly string[] = ['text', 'digits', 'local-time', 'date']
