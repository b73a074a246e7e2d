import type { ContentClass } from '#iso8583'
import type { ValueKind } from '#message'
import {
  checkClass,
  checkDigits,
  NUMBER_DIGITS_MAX,
  readNumber,
  ZERO_CODE,
  type Format,
} from './format-basics.ts'
import { date, localTime, month } from './format-dates.ts'
import { money } from './format-money.ts'
import { unsayable } from './value-writer.ts'

/** The format that `text` describes for a value of the given kind, or what is wrong with it. */
export function parseFormat(text: string, kind: ValueKind): Format | string {
  for (const [pattern, make] of SHAPES) {
    const match = pattern.exec(text)
    if (!match) continue
    const format = make(match, kind)
    if (typeof format === 'string') return format
    if (!format.kinds.includes(kind)) {
      return `"${text}" is for ${format.kinds.join(', ')}, but this is ${kind}`
    }
    return format
  }
  return `"${text}" is not a format; there are n12, ans25, ans16 zero-left, ans..999, YYYYMM, YYYYMMDD, DDMMYYYY, YYYYMMDDhhmmss, rupiah n11, rupiah x+n10, rupiah e2+n10, rupiah 360+e0+n12, hundredths e2+n10, one of 0=meter 1=id`
}

type Make = (match: RegExpExecArray, kind: ValueKind) => Format | string

const SHAPES: readonly (readonly [RegExp, Make])[] = [
  [/^n(\d+)$/, ([, w], kind) => (kind === 'integer' ? integer(Number(w)) : digits(Number(w)))],
  [/^(a|an|anp|ans)(\d+)$/, ([, c, w]) => text(c as ContentClass, Number(w))],
  [/^(an|ans)(\d+) zero-left$/, ([, c, w]) => zeroLeft(c as ContentClass, Number(w))],
  [/^(n|a|an|anp|ans)\.\.(\d+)$/, ([, c, w]) => rest(c as ContentClass, Number(w))],
  [/^YYYYMMDD$/, () => date(8, 0, 4, 6)],
  [/^DDMMYYYY$/, () => date(8, 4, 2, 0)],
  [/^YYYYMM$/, () => month()],
  [/^YYYYMMDDhhmmss$/, () => localTime()],
  [/^rupiah n(\d+)$/, ([, w]) => money(Number(w), { before: '' })],
  [/^rupiah x\+n(\d+)$/, ([, w]) => money(Number(w), { before: 'sign' })],
  [
    /^rupiah e([0-2])\+n(\d+)$/,
    ([, e, w]) => money(Number(w), { before: 'exponent', exponent: Number(e) }),
  ],
  [
    /^rupiah 360\+e([0-2])\+n(\d+)$/,
    ([, e, w]) => money(Number(w), { before: 'currency', exponent: Number(e) }),
  ],
  [/^hundredths e2\+n(\d+)$/, ([, w]) => hundredths(Number(w))],
  [/^one of( \w+=\S+)+$/, match => oneOf(match[0].slice(7))],
]

function integer(width: number): Format | string {
  if (width < 1 || width > NUMBER_DIGITS_MAX) return `n${width} is too wide for an integer`
  return {
    width,
    kinds: ['integer'],
    blank: '0',
    read: (cursor, name) => readNumber(cursor, width, name),
    write(writer, value: number, name) {
      if (!Number.isSafeInteger(value) || value < 0) throw unsayable(name, 'a whole number')
      writer.digits(value, width, name)
    },
  }
}

function digits(width: number): Format | string {
  if (width < 1) return 'a width of 0 holds nothing'
  return {
    width,
    kinds: ['digits', 'text'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(width, name)
      checkDigits(cursor, start, width, name)
      return cursor.text.slice(start, start + width)
    },
    write(writer, value: string, name) {
      if (value.length < width) writer.fill(ZERO_CODE, width - value.length)
      writer.text(value, Math.min(width, value.length), 'n', name)
    },
    normalise: value => value.padStart(width, '0'),
  }
}

/** Left-justified, spaces to its right, which are not part of the value. */
function text(content: ContentClass, width: number): Format | string {
  if (width < 1) return 'a width of 0 holds nothing'
  return {
    width,
    kinds: ['text', 'digits'],
    blank: ' ',
    read(cursor, name) {
      const start = cursor.take(width, name)
      let end = start + width
      while (end > start && cursor.text.charCodeAt(end - 1) === 0x20) end--
      checkClass(cursor, start, end, content, name)
      return cursor.text.slice(start, end)
    },
    write(writer, value: string, name) {
      if (value.length > width) throw unsayable(name, `at most ${width} characters`)
      writer.chars(value, content, name)
      writer.fill(0x20, width - value.length)
    },
    normalise: value => value.padEnd(width),
  }
}

/** Right-justified, zeros to its left, which are part of the value: a terminal's full number. */
function zeroLeft(content: ContentClass, width: number): Format {
  return {
    width,
    kinds: ['text'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(width, name)
      checkClass(cursor, start, start + width, content, name)
      return cursor.text.slice(start, start + width)
    },
    write(writer, value: string, name) {
      if (value.length > width) throw unsayable(name, `at most ${width} characters`)
      writer.fill(ZERO_CODE, width - value.length)
      writer.chars(value, content, name)
    },
    normalise: value => value.padStart(width, '0'),
  }
}

/** All that is left of the data element, as it stands. */
function rest(content: ContentClass, max: number): Format {
  return {
    width: undefined,
    kinds: ['text', 'digits'],
    blank: '',
    read(cursor, name) {
      const start = cursor.at
      if (cursor.end - start > max) {
        const actual = `${cursor.end - start}`
        throw cursor.wrong('PACK_FORMAT', name, start, `at most ${max} characters`, actual)
      }
      checkClass(cursor, start, cursor.end, content, name)
      cursor.at = cursor.end
      return cursor.text.slice(start, cursor.end)
    },
    write(writer, value: string, name) {
      if (value.length > max) throw unsayable(name, `at most ${max} characters`)
      writer.chars(value, content, name)
    },
    normalise: value => value,
  }
}

/** kWh: a digit that says 2 decimals, then the digits. */
function hundredths(width: number): Format | string {
  if (width < 1 || width > NUMBER_DIGITS_MAX) return `n${width} is too wide for an integer`
  return {
    width: 1 + width,
    kinds: ['integer'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(1, name)
      if (cursor.text.charCodeAt(start) !== ZERO_CODE + 2) {
        throw cursor.wrong('PACK_FORMAT', name, start, '2 decimals')
      }
      return readNumber(cursor, width, name)
    },
    write(writer, value: number, name) {
      if (!Number.isSafeInteger(value) || value < 0) throw unsayable(name, 'a whole number')
      writer.digits(2, 1, name)
      writer.digits(value, width, name)
    },
  }
}

/** A code of the wire for each of a few words: `0=meter 1=id`. */
function oneOf(pairs: string): Format | string {
  const table = pairs.split(' ').map(pair => pair.split('=') as [code: string, word: string])
  const width = (table[0] as [string, string])[0].length
  if (table.some(([code]) => code.length !== width))
    return `the codes of "${pairs}" differ in width`
  const words = new Map(table)
  const codes = new Map(table.map(([code, word]) => [word, code]))
  if (words.size < table.length || codes.size < table.length)
    return `"${pairs}" says one thing twice`
  return {
    width,
    kinds: ['enum'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(width, name)
      const word = words.get(cursor.text.slice(start, start + width))
      if (word === undefined) {
        throw cursor.wrong('PACK_FORMAT', name, start, [...words.keys()].join(' or '))
      }
      return word
    },
    write(writer, value: string, name) {
      const code = codes.get(value)
      if (code === undefined) throw unsayable(name, [...codes.keys()].join(' or '))
      writer.text(code, width, 'an', name)
    },
  }
}
