import type { Values } from './command.ts'
import type { Bare } from './field.ts'
import { blockHeaderOf } from './key-text.ts'

/** Values by name while a message is read or written; those of the request stand behind a response's. */
export type Scope = {
  readonly own: Record<string, Values[string]>
  readonly request: Values
}

/** The text of a value; '' when there is none. `NAME.usage` looks into a key block. */
export function textOf({ own, request }: Scope, name: string): string {
  const dot = name.indexOf('.')
  const field = dot < 0 ? name : name.slice(0, dot)
  const value = own[field] ?? request[field]
  if (typeof value !== 'string') return ''
  return dot < 0 ? value : (blockHeaderOf(value)?.usage ?? '')
}

/** Whether the key of that name is an AES key, whose blocks have 16 bytes. */
export function isAes(scope: Scope, name: string): boolean {
  return blockHeaderOf(textOf(scope, name))?.algorithm === 'A'
}

/** The digits of a key that has no letter; `left` is the message from the key on. */
export function bareLength(scope: Scope, bare: Bare, left: string): number {
  if (typeof bare === 'number') return bare
  if ('by' in bare) return { '1': 32, '2': 48 }[textOf(scope, bare.by)] ?? 16
  if ('like' in bare) return firstOf(scope, bare.like).length === 32 ? 32 : 16
  const { shared } = bare
  const keys = typeof shared === 'number' ? shared : Number(textOf(scope, shared))
  const run = /^[0-9A-Fa-f]*/.exec(left)?.[0].length ?? 0
  return run >= 32 * keys ? 32 : 16
}

function firstOf({ own, request }: Scope, name: string): string {
  const value = own[name] ?? request[name]
  const first = Array.isArray(value) ? (value as readonly string[])[0] : value
  return typeof first === 'string' ? first : ''
}

/** The digits of an account number, or undefined when it is all of it and ended by `;`. */
export function accountLength(scope: Scope, formats: readonly string[]): number | undefined {
  const given = formats.map(name => textOf(scope, name))
  if (given.includes('48')) return undefined
  return given.includes('04') ? 18 : 12
}
