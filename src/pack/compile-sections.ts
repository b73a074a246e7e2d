import { DICTIONARY, isPath, type MessageKind, type Path } from '#message'
import type { Check } from './check.ts'
import type { PackConversation, PackRecovery } from './pack.ts'
import type { MapEntry } from './source.ts'

const DAY_MS = 86_400_000

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

/** The message by which each policy finds out about a payment. */
export const RECOVERY_KINDS = { reverse: 'reversal', advise: 'advice', check: 'status' } as const

/** A policy is of use only where the dialect has the message that it sends. */
export function checkRecovery(
  check: Check,
  { value }: MapEntry,
  recovery: Readonly<Record<string, PackRecovery>>,
  carries: (kind: MessageKind, product: string) => boolean,
): void {
  const map = check.map(value, 'recovery')
  for (const [product, { policy }] of Object.entries(recovery)) {
    const kind = RECOVERY_KINDS[policy]
    if (!carries('payment', product) || carries(kind, product)) continue
    const entry = map?.entries.get(product)
    const at = entry?.value.tag === 'map' ? entry.value.entries.get('policy')?.at : undefined
    const text = `${product}: ${policy} sends a ${kind}, and there is none among its messages: describe it, or choose a policy whose message there is`
    check.wrong(at ?? map?.at ?? '', text)
  }
}

/** Products by their codes on the wire. */
export type Products = {
  readonly names: readonly string[]
  /** Undefined for a code that is none of ours. */
  productOf(code: string): string | undefined
  codeOf(product: string): string | undefined
  /** All codes, as the pack writes them. */
  readonly codes: readonly string[]
}

/**
 * `products:`, Nadi's product by its code on the wire. Of several codes, the first is written and
 * all are read; a dot is any character.
 *
 *     products:
 *       99501: pln-postpaid
 *       53502 ..502: pln-prepaid
 */
export function compileProducts(check: Check, { value }: MapEntry): Products {
  const exact = new Map<string, string>()
  const patterns: { readonly pattern: RegExp; readonly product: string }[] = []
  const written = new Map<string, string>()
  for (const [key, entry] of check.map(value, 'products')?.entries ?? []) {
    const product = check.text(entry.value, `the product of ${key}`)?.text
    if (product === undefined) continue
    const [first = '', ...more] = key.split(/\s+/)
    if (written.has(product)) check.wrong(entry.at, `"${product}" has two codes`)
    if (first.includes('.'))
      check.wrong(entry.at, `the first code of ${product} is what is written`)
    written.set(product, first)
    for (const code of [first, ...more]) {
      if (exact.has(code)) check.wrong(entry.at, `"${code}" is already ${exact.get(code)}`)
      if (!code.includes('.')) exact.set(code, product)
      else if (/^[\w.]+$/.test(code)) patterns.push({ pattern: new RegExp(`^${code}$`), product })
      else check.wrong(entry.at, `"${code}" is not a code of letters, digits and dots`)
    }
  }
  return {
    names: [...written.keys()],
    codes: [...exact.keys()],
    codeOf: product => written.get(product),
    productOf: code => exact.get(code) ?? patterns.find(one => one.pattern.test(code))?.product,
  }
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
