import { latin1, NadiError, toHex } from '#base'
import type { Values } from './command.ts'
import type { Bare, Field, Single, Tail, When } from './field.ts'
import { LMK_DELIMITER } from './field.ts'
import { endOfKey } from './key-text.ts'
import { accountLength, bareLength, isAes, type Scope, textOf } from './scope.ts'

/**
 * Writes the text behind a command or response code. Throws HSM_REQUEST when a value is missing or
 * does not fit its field; the error names the field and never its content.
 */
export type Writer = (values: Values, request?: Values, lmk?: string) => string

type WriteField = (scope: Scope) => string

/** The writer's half of the table: what `compileReader` reads back. */
export function compileWriter(fields: readonly Field[]): Writer {
  const body = fields.filter(field => field.kind !== 'tail').map(compileField)
  const semicolons = fields.filter(field => field.kind === 'tail' && field.delimiter === ';')
  const others = fields.filter(field => field.kind === 'tail' && field.delimiter !== ';')
  const early = [...body, ...semicolons.map(compileField)]
  const late = others.map(compileField)
  return (values, request = {}, lmk) => {
    const scope: Scope = { own: values, request }
    let text = ''
    for (const write of early) text += write(scope)
    // Behind `;` and before `#` and `&`: so the boxes' own samples have it.
    if (lmk !== undefined) text += LMK_DELIMITER + lmk
    for (const write of late) text += write(scope)
    return text
  }
}

function compileField(field: Field): WriteField {
  if (field.kind === 'when') return compileWhen(field)
  if (field.kind === 'tail') return compileTail(field)
  const write = compileSingle(field)
  return scope => write(scope.own[field.name], scope)
}

function compileWhen({ field, values, fields }: When): WriteField {
  const inner = fields.map(compileField)
  return scope =>
    values.includes(textOf(scope, field)) ? inner.map(write => write(scope)).join('') : ''
}

function compileTail({ delimiter, fields }: Tail): WriteField {
  const inner = fields.map(compileField)
  const names = fields.flatMap(field => ('name' in field ? [field.name] : []))
  return scope => {
    if (names.every(name => scope.own[name] === undefined)) return ''
    return delimiter + inner.map(write => write(scope)).join('')
  }
}

type WriteValue = (value: Values[string], scope: Scope) => string

const DIGITS = /^\d*$/
const HEX = /^[0-9A-Fa-f]*$/
const PRINTABLE = /^[\x20-\x7e]*$/

function compileSingle(field: Single): WriteValue {
  const { name } = field
  switch (field.kind) {
    case 'digits':
      return value => fixed(value, field.length, DIGITS, name)
    case 'hex':
      return value => fixed(value, field.length, HEX, name)
    case 'text':
      return value => fixed(value, field.length, PRINTABLE, name)
    case 'scheme':
      return value => fixed(value, 1, /^[ZUTXYSR]$/, name)
    case 'choice': {
      const { values } = field
      // A choice of one is a mark that always stands there.
      return value => oneOf(values.length === 1 ? values[0] : value, values, name)
    }
    case 'flag':
      return value => (value === undefined ? '' : oneOf(value, field.values, name))
    case 'until':
      return value => upTo(value, field.lengthMax, name) + field.delimiter
    case 'account':
      return (value, scope) => {
        const length = accountLength(scope, field.formats)
        if (length === undefined) return `${upTo(value, 19, name)};`
        return fixed(value, length, DIGITS, name)
      }
    case 'key':
      return (value, scope) => oneKey(value, scope, field.bare, name)
    case 'cipher':
      return (value, scope) => fixed(value, isAes(scope, field.key) ? 32 : 16, HEX, name)
    case 'pin': {
      const allowed = field.clear ? /^\d{4,13}F*$/ : /^\d{4,13}$/
      return value => matching(value, allowed, name)
    }
    case 'rest-hex':
      return value => matching(value, /^[0-9A-Fa-f]+$/, name)
    case 'counted':
      return value => {
        const bytes = latin1(bytesOf(value, name))
        return lengthText(bytes.length, field.digits, field.radix, name) + bytes
      }
    case 'message':
      return (value, scope) => {
        const bytes = bytesOf(value, name)
        const written =
          textOf(scope, field.format) === '1' ? toHex(bytes).toUpperCase() : latin1(bytes)
        return lengthText(written.length, 4, 16, name) + written
      }
    case 'to-end':
      return value => latin1(bytesOf(value, name))
    case 'keys':
      return (value, scope) =>
        listOf(value, name)
          .map(one => oneKey(one, scope, field.bare, name))
          .join('')
    case 'chain':
      return value =>
        listOf(value, name)
          .map(one => lengthText(one.length, 4, 10, name) + one)
          .join('')
  }
}

function fixed(value: Values[string], length: number, allowed: RegExp, name: string): string {
  if (typeof value !== 'string' || value.length !== length || !allowed.test(value)) {
    throw misfit(name, `${length} characters of its class`)
  }
  return value
}

function matching(value: Values[string], allowed: RegExp, name: string): string {
  if (typeof value !== 'string' || !allowed.test(value)) throw misfit(name, allowed.source)
  return value
}

function oneOf(value: Values[string], values: readonly string[], name: string): string {
  if (typeof value !== 'string' || !values.includes(value)) throw misfit(name, values.join(', '))
  return value
}

function upTo(value: Values[string], lengthMax: number, name: string): string {
  if (typeof value !== 'string' || value.length > lengthMax || !DIGITS.test(value)) {
    throw misfit(name, `at most ${lengthMax} digits`)
  }
  return value
}

function oneKey(value: Values[string], scope: Scope, bare: Bare, name: string): string {
  if (typeof value !== 'string' || !isOneKey(value, scope, bare)) throw misfit(name, 'one key')
  return value
}

function isOneKey(value: string, scope: Scope, bare: Bare): boolean {
  // Where the message tells, both are keys.
  const lengths =
    typeof bare === 'object' && 'shared' in bare ? [16, 32] : [bareLength(scope, bare, value)]
  return lengths.some(length => {
    try {
      return endOfKey(value, 0, length, '') === value.length
    } catch {
      return false
    }
  })
}

function bytesOf(value: Values[string], name: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw misfit(name, 'bytes')
  return value
}

function listOf(value: Values[string], name: string): readonly string[] {
  if (!Array.isArray(value)) throw misfit(name, 'a list')
  return value as readonly string[]
}

function lengthText(length: number, digits: number, radix: 10 | 16, name: string): string {
  const written = length.toString(radix).toUpperCase().padStart(digits, '0')
  if (written.length > digits) throw misfit(name, `a length of ${digits} digits`)
  return written
}

function misfit(name: string, expected: string): NadiError {
  return new NadiError('HSM_REQUEST', { path: name, expected })
}
