import type { ContentClass } from '#iso8583'
import type { ValueKind } from '#message'
import { checkClass, checkDigits, ZERO_CODE, type Format } from './format-basics.ts'
import { date, month, wholeTime } from './format-dates.ts'
import { money, openMoney } from './format-money.ts'
import { hundredths, integer, openInteger } from './format-numbers.ts'
import {
  dateWithoutYear,
  isoTime,
  type Now,
  partOfTime,
  type TimePart,
  timeWithoutYear,
} from './format-times.ts'
import { unsayable } from './value-writer.ts'

/**
 * The format that `text` describes for a value of the given kind, or what is wrong with it. Times
 * without a year are understood by `nowMs`.
 */
export function parseFormat(text: string, kind: ValueKind, nowMs?: Now): Format | string {
  for (const [pattern, make] of SHAPES) {
    const match = pattern.exec(text)
    if (!match) continue
    const format = make(match, kind, nowMs)
    if (typeof format === 'string') return format
    if (!format.kinds.includes(kind)) {
      return `"${text}" is for ${format.kinds.join(', ')}, but this is ${kind}`
    }
    return format
  }
  return `"${text}" is not a format; there are n12, ans25, ans16 zero-left, ans..999, YYYYMM, YYYYMMDD, DDMMYYYY, YYYYMMDDhhmmss, MMDDhhmmss, MMDDhhmmss GMT, hhmmss, MMDD, MMDD+1, YDDDhh, ISO, about YYYYMMDDhhmmss, n11 unpadded, rupiah n11, rupiah n..12, rupiah x+n10, rupiah C+n8, sen n12, rupiah e2+n10, rupiah 360+e0+n12, hundredths e2+n10, one of 0=meter 1=id`
}

type Make = (match: RegExpExecArray, kind: ValueKind, nowMs?: Now) => Format | string

const SHAPES: readonly (readonly [RegExp, Make])[] = [
  [/^n(\d+)$/, ([, w], kind) => (kind === 'integer' ? integer(Number(w)) : digits(Number(w)))],
  [/^(a|an|anp|ans)(\d+)$/, ([, c, w]) => text(c as ContentClass, Number(w))],
  [/^(an|ans)(\d+) zero-left$/, ([, c, w]) => zeroLeft(c as ContentClass, Number(w))],
  [/^n(\d+) unpadded$/, ([, w]) => unpadded(Number(w))],
  [
    /^(n|a|an|anp|ans)\.\.(\d+)$/,
    ([, c, w], kind) =>
      kind === 'integer' ? openInteger(Number(w)) : rest(c as ContentClass, Number(w)),
  ],
  [/^YYYYMMDD$/, () => date(8, 0, 4, 6)],
  [/^DDMMYYYY$/, () => date(8, 4, 2, 0)],
  [/^YYYYMM$/, () => month()],
  [/^YYYYMMDDhhmmss$/, () => wholeTime()],
  [
    /^MMDDhhmmss( GMT)?$/,
    ([, gmt], _, nowMs) => (nowMs ? timeWithoutYear(nowMs, gmt !== undefined) : NO_CLOCK),
  ],
  [
    /^MMDD$/,
    (_, kind, nowMs) => {
      if (kind === 'local-time') return partOfTime('MMDD')
      return nowMs ? dateWithoutYear(nowMs) : NO_CLOCK
    },
  ],
  [/^ISO$/, () => isoTime()],
  [/^(hhmmss|YDDDhh|MMDD\+1|about YYYYMMDDhhmmss)$/, ([, part]) => partOfTime(part as TimePart)],
  [/^(rupiah|sen) n(\d+)$/, ([, u, w]) => money(Number(w), { before: '', sen: u === 'sen' })],
  [/^(rupiah|sen) n\.\.(\d+)$/, ([, u, w]) => openMoney(Number(w), u === 'sen')],
  [
    /^(rupiah|sen) ([xC])\+n(\d+)$/,
    ([, u, x, w]) => money(Number(w), { before: x === 'x' ? 'sign' : 'fee', sen: u === 'sen' }),
  ],
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

const NO_CLOCK = 'a time without its year needs a clock, and this pack was given none'

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
    form: { tag: 'digits', width },
  }
}

/** Digits of which zeros to the left are no part: an identification of up to so many. */
function unpadded(width: number): Format | string {
  const format = digits(width)
  if (typeof format === 'string') return format
  const { form: _, ...rest } = format
  return {
    ...rest,
    read: (cursor, name) => (format.read(cursor, name) as string).replace(/^0+(?=.)/, ''),
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
    form: { tag: 'text', content, width },
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
    form: { tag: 'zero-left', content, width },
  }
}

/** All that is left of the data element, as it stands. */
function rest(content: ContentClass, max: number): Format {
  return {
    width: undefined,
    widthMax: max,
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
    form: { tag: 'rest', content, max },
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
    form: { tag: 'one-of', words, width },
  }
}
