import { NadiError } from '#base'
import type { Message } from '#message'
import type { MapTree, TextTree } from '../source.ts'
import { compileValue } from './compile-value.ts'
import type { ValueScope } from './scope.ts'
import type { Context, Value } from './value.ts'

/**
 * Where a message is sent: `POST /v1/bill/{customer.id}?product={product}`. In braces stands what may
 * stand in a body's line. It is read, too: on the server side the target tells what is asked.
 */
export type Call = {
  readonly method: string
  readonly target: (message: Message, context: Context) => string
  /** Undefined when the target is another one; else the values in it, not yet read. */
  readonly match: (target: string) => readonly string[] | undefined
  readonly values: readonly Value[]
}

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

export function compileCall(scope: ValueScope, { text, at }: TextTree): Call | undefined {
  const { check } = scope
  const match = /^([A-Z]+) (\/\S*(?: \S+)*)$/.exec(text)
  const method = METHODS.find(one => one === match?.[1])
  if (!match || !method) {
    return check.wrong(
      at,
      `"${text}" must read like "POST /v1/bill"; methods are ${METHODS.join(', ')}`,
    )
  }
  const pieces = (match[2] as string).split(/\{([^{}]*)\}/)
  const values: Value[] = []
  for (const [index, piece] of pieces.entries()) {
    if (index % 2 === 0) {
      if (!/^[\x21-\x7e]*$/.test(piece))
        return check.wrong(at, `"${piece}" cannot stand in a target`)
      continue
    }
    const value = compileValue(scope, { tag: 'text', at, text: piece })
    if (!value) return undefined
    values.push(value)
  }
  const literals = pieces.filter((_, index) => index % 2 === 0)
  return { method, values, target: writer(literals, values), match: matcher(literals) }
}

function writer(literals: readonly string[], values: readonly Value[]): Call['target'] {
  if (values.length === 0) return () => literals[0] as string
  return (message, context) => {
    let target = literals[0] as string
    for (const [index, value] of values.entries()) {
      const text = value.write(message, context)
      if (text === undefined || text === '') {
        throw new NadiError('PACK_MISSING_FIELD', { path: value.path ?? 'target' })
      }
      target += encodeURIComponent(text) + (literals[index + 1] as string)
    }
    return target
  }
}

const NO_VALUES: readonly string[] = []

function matcher(literals: readonly string[]): Call['match'] {
  if (literals.length === 1) return target => (target === literals[0] ? NO_VALUES : undefined)
  const source = literals.map(literal => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(`^${source.join('([^/?&=]+)')}$`)
  return target => {
    const found = pattern.exec(target)
    try {
      return found?.slice(1).map(decodeURIComponent)
    } catch {
      return undefined
    }
  }
}

export type Header = { readonly name: string; readonly value: Value; readonly optional: boolean }

/** `headers:`, values by name; a `?` behind the name: it may be missing. */
export function compileHeaders(scope: ValueScope, map: MapTree | undefined): Header[] {
  const headers: Header[] = []
  for (const [key, { at, value }] of map?.entries ?? []) {
    const name = key.replace(/\?$/, '').toLowerCase()
    const line = scope.check.text(value, key)
    if (!/^[a-z0-9-]+$/.test(name)) scope.check.wrong(at, `"${key}" is no name of a header`)
    const compiled = line && compileValue(scope, line)
    if (compiled) headers.push({ name, value: compiled, optional: key.endsWith('?') })
  }
  return headers
}

export function writeHeaders(
  headers: readonly Header[],
  message: Message,
  context: Context,
): Record<string, string> {
  const out: Record<string, string> = {}
  for (const { name, value, optional } of headers) {
    const text = value.write(message, context)
    if (text !== undefined) out[name] = text
    else if (!optional) throw new NadiError('PACK_MISSING_FIELD', { path: `headers.${name}` })
  }
  return out
}

/** Those that tell something of the message; a constant one is not looked at. */
export function readHeaders(
  headers: readonly Header[],
  given: Readonly<Record<string, string>>,
  message: Message,
  context: Context,
): void {
  for (const { name, value, optional } of headers) {
    if (value.constant !== undefined || value.credential !== undefined) continue
    const text = given[name]
    const path = `headers.${name}`
    if (text === undefined && !optional) throw new NadiError('PACK_MISSING_FIELD', { path })
    if (text !== undefined && !value.read(text, message, context)) {
      throw new NadiError('PACK_FORMAT', { path, expected: value.expected })
    }
  }
}
