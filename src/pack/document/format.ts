import type { ValueKind } from '#message'
import { isDigits, type Format } from './format-basics.ts'
import { dateFormat } from './format-dates.ts'
import { moneyFormat } from './format-money.ts'

/** How JSON has it. */
export type Notation = {
  readonly json: 'string' | 'number'
  /** A string where a number is written, and the other way round, is read too. */
  readonly loose: boolean
}

export const FORMAT_WORDS =
  'text, text ..30, digits, digits 12, digits ..20, digits 20 in 4s by -, spaces-left 8, spaces-right 30, zeros-left 11, integer, integer 9, hundredths, rupiah, rupiah 12, rupiah .00, rupiah decimal, sen (each also signed), YYYYMMDD and other patterns, one of 0=meter 1=id; and behind it quoted, number, loose'

/** The format that `words` describe for a value of that kind, or what is wrong with it. */
export function parseFormat(
  text: string,
  kind: ValueKind,
): { format: Format; notation: Notation } | string {
  const words = text === '' ? [] : text.split(' ')
  const flags: string[] = []
  while (['quoted', 'number', 'loose'].includes(words.at(-1) ?? ''))
    flags.push(words.pop() as string)
  const shape = words.length === 0 ? DEFAULTS[kind] : words.join(' ')
  if (shape === undefined) return `${kind} needs a format; there are ${FORMAT_WORDS}`
  const format = formatOf(shape, kind)
  if (typeof format === 'string') return format
  if (!format.kinds.includes(kind)) {
    return `"${shape}" is for ${format.kinds.join(', ')}, but this is ${kind}`
  }
  const number = flags.includes('number') || (isNumeric(kind) && !flags.includes('quoted'))
  return {
    format,
    notation: { json: number ? 'number' : 'string', loose: flags.includes('loose') },
  }
}

const DEFAULTS: Readonly<Partial<Record<ValueKind, string>>> = {
  text: 'text',
  digits: 'digits',
  integer: 'integer',
}

function isNumeric(kind: ValueKind): boolean {
  return kind === 'integer' || kind === 'money'
}

function formatOf(shape: string, kind: ValueKind): Format | string {
  for (const [pattern, make] of SHAPES) {
    const match = pattern.exec(shape)
    if (match) return make(match)
  }
  if (kind === 'money') return moneyFormat(shape)
  if (/YYYY|MM/.test(shape)) return dateFormat(shape, kind)
  return `"${shape}" is not a format; there are ${FORMAT_WORDS}`
}

const SHAPES: readonly (readonly [RegExp, (match: RegExpExecArray) => Format | string])[] = [
  [
    /^text(?: (\.\.)?(\d+))?$/,
    ([, upTo, n]) => text(n ? Number(n) : 1000, n !== undefined && !upTo),
  ],
  [/^digits$/, () => digits(40, false)],
  [/^digits (\.\.)?(\d+)$/, ([, upTo, n]) => digits(Number(n), !upTo)],
  [
    /^digits (\d+) in (\d+)s by (\S)$/,
    ([, n, each, by]) => grouped(Number(n), Number(each), by as string),
  ],
  [/^spaces-(left|right) (\d+)$/, ([, side, n]) => spaced(side === 'left', Number(n))],
  [/^zeros-left (\d+)$/, ([, n]) => zeroed(Number(n))],
  [/^integer(?: (\d+))?$/, ([, n]) => integer(n ? Number(n) : 0)],
  [/^hundredths$/, () => hundredths()],
  [/^one of( \S+=\S+)+$/, ([all]) => oneOf(all.slice(7).split(' '))],
]

function text(max: number, exact: boolean): Format {
  return {
    kinds: ['text', 'digits', 'enum'],
    expected: exact ? `${max} characters` : `at most ${max} characters`,
    ...(exact && { width: max }),
    read: text => (text.length > max || (exact && text.length !== max) ? undefined : text),
    write: (value: string) =>
      value.length > max || (exact && value.length !== max) ? undefined : value,
  }
}

function digits(max: number, exact: boolean): Format {
  return {
    kinds: ['digits', 'text'],
    expected: exact ? `${max} digits` : `at most ${max} digits`,
    ...(exact && { width: max }),
    read: text => (isDigits(text, max) && (!exact || text.length === max) ? text : undefined),
    write(value: string) {
      if (!isDigits(value, max)) return undefined
      return exact ? value.padStart(max, '0') : value
    },
  }
}

/** A token as people read it: `0123-4567-8901-2345-6789`. */
function grouped(width: number, each: number, by: string): Format {
  return {
    kinds: ['digits', 'text'],
    expected: `${width} digits in groups of ${each}`,
    read(text) {
      const plain = text.replaceAll(by, '')
      return isDigits(plain, width) && plain.length === width ? plain : undefined
    },
    write(value: string) {
      if (!isDigits(value, width) || value.length !== width) return undefined
      return (value.match(new RegExp(`.{1,${each}}`, 'g')) ?? []).join(by)
    },
  }
}

/** Filled up with spaces, which are not part of the value. */
function spaced(left: boolean, width: number): Format {
  return {
    kinds: ['text', 'digits'],
    expected: `${width} characters`,
    width,
    read: text => (text.length > width ? undefined : left ? text.trimStart() : text.trimEnd()),
    write(value: string) {
      if (value.length > width) return undefined
      return left ? value.padStart(width) : value.padEnd(width)
    },
  }
}

/** Filled up with zeros, which are part of the value: a customer's full number. */
function zeroed(width: number): Format {
  return {
    kinds: ['text', 'digits'],
    expected: `at most ${width} characters`,
    width,
    read: text => (text.length > width ? undefined : text),
    write: (value: string) => (value.length > width ? undefined : value.padStart(width, '0')),
  }
}

const INTEGER_DIGITS_MAX = 15

function integer(width: number): Format | string {
  if (width > INTEGER_DIGITS_MAX) return `an integer has at most ${INTEGER_DIGITS_MAX} digits`
  const max = width || INTEGER_DIGITS_MAX
  return {
    kinds: ['integer'],
    expected: `a whole number of at most ${max} digits`,
    ...(width > 0 && { width }),
    read: text => (isDigits(text, max) ? Number(text) : undefined),
    write(value: number) {
      const text = String(value)
      return isDigits(text, max) ? text.padStart(width, '0') : undefined
    },
  }
}

/** kWh with up to two decimals: `70.44` is 7044. */
function hundredths(): Format {
  return {
    kinds: ['integer'],
    expected: 'a number with at most 2 decimals',
    read(text) {
      const match = /^(\d{1,10})(?:[.,](\d{1,2}))?$/.exec(text)
      return match ? Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0')) : undefined
    },
    write(value: number) {
      if (!Number.isSafeInteger(value) || value < 0) return undefined
      return `${Math.floor(value / 100)}.${String(value % 100).padStart(2, '0')}`
    },
  }
}

/** A word of the wire for each of a few of ours: `0=meter 1=id`. */
function oneOf(pairs: readonly string[]): Format | string {
  const table = pairs.map(pair => pair.split('=') as [wire: string, word: string])
  const words = new Map(table)
  const wires = new Map(table.map(([wire, word]) => [word, wire]))
  if (words.size < table.length || wires.size < table.length) {
    return `"${pairs.join(' ')}" says one thing twice`
  }
  return {
    kinds: ['enum', 'text', 'digits'],
    expected: [...words.keys()].join(' or '),
    read: text => words.get(text),
    write: (value: string) => wires.get(value),
  }
}
