import fc from 'fast-check'
import type { GeneratorValue } from 'fast-check'
import { COMMANDS } from '../../../src/hsm/payshield/grammar/index.ts'
import type {
  Command,
  CommandCode,
  Field,
  Single,
  Values,
} from '../../../src/hsm/payshield/grammar/index.ts'
import {
  accountLength,
  bareLength,
  isAes,
  textOf,
} from '../../../src/hsm/payshield/grammar/scope.ts'
import type { Scope } from '../../../src/hsm/payshield/grammar/scope.ts'

export const CODES = Object.keys(COMMANDS) as CommandCode[]

const letters = (text: string) => fc.constantFrom(...text.split(''))

const digitsOf = (length: number) =>
  fc.string({ unit: letters('0123456789'), minLength: length, maxLength: length })
const hexOf = (length: number) =>
  fc.string({ unit: letters('0123456789ABCDEF'), minLength: length, maxLength: length })
const textArb = (length: number) =>
  fc.string({
    unit: letters('ABCNUXZ0123456789'),
    minLength: length,
    maxLength: length,
  })

/** A key of any form that may stand in such a field. */
function keyArb(bare: number): fc.Arbitrary<string> {
  const forms = Object.entries({ U: 32, X: 32, T: 48, Y: 48, Z: 16 })
  return fc.oneof(
    hexOf(bare),
    ...forms.map(([letter, length]) => hexOf(length).map(hex => letter + hex)),
    fc
      .tuple(
        fc.constantFrom('S', 'R'),
        fc.constantFrom('0', '1', 'B', 'D'),
        fc.constantFrom('P0', 'M3', 'B0', 'K0', '72'),
        fc.constantFrom('T', 'A'),
        hexOf(56),
      )
      .map(([letter, version, usage, algorithm, body]) => {
        const rest = `${usage}${algorithm}N00E0001${body}`
        return `${letter}${version}${String(rest.length + 5).padStart(4, '0')}${rest}`
      }),
  )
}

const lettered = hexOf(32).map(hex => `U${hex}`)

/** Values that fit the fields of a command, those that depend on others included. */
export function anyValues(fields: readonly Field[], request: Values = {}): fc.Arbitrary<Values> {
  return fc.gen().map(g => {
    const scope: Scope = { own: {}, request }
    fill(g, fields, scope)
    return scope.own
  })
}

export function anyRequest(code: CommandCode): fc.Arbitrary<Values> {
  return anyValues((COMMANDS[code] as Command).request)
}

function fill(g: GeneratorValue, fields: readonly Field[], scope: Scope): void {
  // Behind a flag that is told by what follows it, a key must have a letter.
  let ambiguous = false
  for (const field of fields) {
    if (field.kind === 'when') {
      if (field.values.includes(textOf(scope, field.field))) fill(g, field.fields, scope)
    } else if (field.kind === 'tail') {
      if (g(fc.boolean)) fill(g, field.fields, scope)
    } else {
      const value = one(g, field, scope, ambiguous)
      if (value !== undefined) scope.own[field.name] = value
      ambiguous = field.kind === 'flag' && field.before !== undefined
    }
  }
}

function one(g: GeneratorValue, field: Single, scope: Scope, ambiguous: boolean): Values[string] {
  const draw = <T>(arbitrary: fc.Arbitrary<T>): T => g(() => arbitrary)
  switch (field.kind) {
    case 'digits':
      return draw(digitsOf(field.length))
    case 'hex':
      return draw(hexOf(field.length))
    case 'text':
      return draw(textArb(field.length))
    case 'choice':
      return draw(fc.constantFrom(...field.values))
    case 'flag':
      // With a lookahead it may be taken for a key's digit, so it is not left to chance.
      return draw(
        fc.constantFrom(field.before === undefined ? field.values[0] : undefined, undefined),
      )
    case 'scheme':
      return draw(letters('ZUTXYSR'))
    case 'until':
      return draw(digitsOf(16))
    case 'key':
      return draw(ambiguous ? lettered : keyFor(scope, field.bare))
    case 'keys': {
      const { count, bare } = field
      const length = typeof count === 'number' ? count : Number(textOf(scope, count))
      return draw(fc.array(keyFor(scope, bare), { minLength: length, maxLength: length }))
    }
    case 'cipher':
      return draw(hexOf(isAes(scope, field.key) ? 32 : 16))
    case 'account':
      return draw(digitsOf(accountLength(scope, field.formats) ?? 16))
    case 'pin':
      return draw(fc.integer({ min: 4, max: 13 }).chain(digitsOf))
    case 'rest-hex':
      return draw(hexOf(16))
    case 'counted':
      return draw(fc.uint8Array({ maxLength: 40 }))
    case 'message':
      return draw(fc.uint8Array({ maxLength: 40 }))
    case 'to-end':
      return draw(fc.uint8Array({ maxLength: 40 }))
    case 'chain': {
      const length = Number(textOf(scope, field.count))
      return draw(fc.array(textArb(8), { minLength: length, maxLength: length }))
    }
  }
}

/** Keys without a letter stand side by side in one form only, so the form is left to a letter there. */
function keyFor(scope: Scope, bare: Parameters<typeof bareLength>[1]): fc.Arbitrary<string> {
  if (typeof bare === 'object' && !('by' in bare)) return lettered
  return keyArb(bareLength(scope, bare, ''))
}
