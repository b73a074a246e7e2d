import { isDate, localTime, localTimeMs, WIB_OFFSET_MS } from '#base'
import type { ValueKind } from '#message'
import { offsetMs } from '../signing/index.ts'
import { isDigits, type Format } from './format-basics.ts'

const HOUR_MS = 3_600_000
/** Zones that a pattern may end in; without one the time is WIB. */
const ZONES: Readonly<Record<string, number>> = {
  WIB: WIB_OFFSET_MS,
  WITA: 8 * HOUR_MS,
  WIT: 9 * HOUR_MS,
  UTC: 0,
}

/** Months as billers write them, and English ones where they differ. */
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MEI', 'JUN', 'JUL', 'AGU', 'SEP', 'OKT', 'NOV', 'DES']
const ALSO: Readonly<Record<string, string>> = {
  MAY: 'MEI',
  AUG: 'AGU',
  AGS: 'AGU',
  OCT: 'OKT',
  DEC: 'DES',
}

const TOKENS = /YYYY|MMM|MM|DD|hh|mm|ss|Z/g
const PATTERNS: Readonly<Record<string, string>> = {
  YYYY: '(\\d{4})',
  MMM: '([A-Za-z]{3})',
  MM: '(\\d{2})',
  DD: '(\\d{2})',
  hh: '(\\d{2})',
  mm: '(\\d{2})',
  ss: '(\\d{2})',
  Z: '(Z|[+-]\\d{2}:?\\d{2})',
}
const OF_SEVERAL = ' of several'
const NEEDED: Readonly<Partial<Record<ValueKind, readonly string[]>>> = {
  month: ['YYYY', 'MM'],
  date: ['YYYY', 'MM', 'DD'],
  'local-time': ['YYYY', 'MM', 'DD', 'hh', 'mm', 'ss'],
}

/**
 * A month, date or time by its pattern: `YYYYMM`, `MMM YYYY` (MEI 2014), `DD/MM/YYYY`,
 * `YYYY-MM-DDThh:mm:ssZ` (any offset is read, +07:00 written), `YYYY-MM-DD hh:mm:ss UTC`; and
 * `YYYYMM of several` (201803,201804 is 201803). Ours is always digits in WIB.
 */
export function dateFormat(shape: string, kind: ValueKind): Format | string {
  const needed = NEEDED[kind]
  if (!needed) return `"${shape}" is for month, date, local-time, but this is ${kind}`
  const several = shape.endsWith(OF_SEVERAL) && kind === 'month'
  if (several) return firstOf(dateFormat(shape.slice(0, -OF_SEVERAL.length), kind))
  const zone = / (WIB|WITA|WIT|UTC)$/.exec(shape)?.[1] ?? ''
  const pattern = zone === '' ? shape : shape.slice(0, -zone.length - 1)
  const tokens = pattern.match(TOKENS) ?? []
  const names = tokens.map(token => (token === 'MMM' ? 'MM' : token))
  const missing = needed.find(token => !names.includes(token))
  if (missing !== undefined) return `the pattern "${shape}" has no ${missing}, and this is ${kind}`
  if (new Set(names).size < names.length) return `the pattern "${shape}" says one thing twice`
  const parts = new Parts(pattern, tokens)
  if (kind === 'local-time') return timeFormat(parts, shape, zone === '' ? 'WIB' : zone)
  const keys = kind === 'month' ? ['YYYY', 'MM'] : ['YYYY', 'MM', 'DD']
  if (shape === 'YYYYMM') return PLAIN_MONTH
  return {
    kinds: [kind],
    expected: `a ${kind} as ${shape}`,
    width: pattern.length,
    read(text) {
      const digits = parts.read(text, keys)
      const date = kind === 'month' ? `${digits ?? ''}01` : (digits ?? '')
      // Zeros stand for a date that the biller does not tell.
      return digits !== undefined && (isDate(date) || /^0+$/.test(digits)) ? digits : undefined
    },
    write: (value: string) => parts.write(value),
  }
}

/** What most bills have, without the pattern. */
const PLAIN_MONTH: Format = {
  kinds: ['month'],
  expected: 'a month as YYYYMM',
  width: 6,
  read: text => (text.length === 6 && isDigits(text, 6) && isMonth(text) ? text : undefined),
  write: (value: string) => (value.length === 6 && isDigits(value, 6) ? value : undefined),
}

function isMonth(text: string): boolean {
  const month = (text.charCodeAt(4) - 0x30) * 10 + text.charCodeAt(5) - 0x30
  return (month >= 1 && month <= 12) || text === '000000'
}

/** `201803,201804`: a bill of several months, known by its first. */
function firstOf(format: Format | string): Format | string {
  if (typeof format === 'string') return format
  const { width: _, ...rest } = format
  return { ...rest, read: text => format.read((text.split(',', 1)[0] as string).trim()) }
}

function timeFormat(parts: Parts, shape: string, zone: string): Format {
  const zoneMs = ZONES[zone] as number
  const shiftMs = WIB_OFFSET_MS - zoneMs
  const keys = ['YYYY', 'MM', 'DD', 'hh', 'mm', 'ss']
  return {
    kinds: ['local-time'],
    expected: `a time as ${shape}`,
    ...(!shape.includes('Z') && zone === 'WIB' && { width: shape.replace(/ WIB$/, '').length }),
    read(text) {
      const digits = parts.read(text, keys)
      const atMs = digits === undefined ? undefined : localTimeMs(digits)
      if (atMs === undefined) return undefined
      const offset = parts.last('Z')
      const offMs = offset === undefined ? shiftMs : WIB_OFFSET_MS - offsetMs(offset)
      return offMs === 0 ? digits : localTime(atMs + offMs)
    },
    write(value: string) {
      const atMs = localTimeMs(value)
      if (atMs === undefined) return undefined
      return parts.write(shiftMs === 0 ? value : localTime(atMs - shiftMs))
    },
  }
}

/** Where each part of a date stands in the digits YYYYMMDDhhmmss. */
const PLACES: Readonly<Record<string, readonly [from: number, to: number]>> = {
  YYYY: [0, 4],
  MM: [4, 6],
  DD: [6, 8],
  hh: [8, 10],
  mm: [10, 12],
  ss: [12, 14],
}

/** A pattern taken apart, to read texts by and to write them. */
class Parts {
  readonly #tokens: readonly string[]
  readonly #literals: readonly string[]
  readonly #pattern: RegExp
  #found: RegExpExecArray | null = null

  constructor(pattern: string, tokens: readonly string[]) {
    this.#tokens = tokens
    this.#literals = pattern.split(TOKENS)
    const source = this.#literals.map((literal, index) => {
      const token = tokens[index]
      return escape(literal) + (token === undefined ? '' : (PATTERNS[token] as string))
    })
    this.#pattern = new RegExp(`^${source.join('')}$`)
  }

  /** The digits of the parts in that order, or undefined. */
  read(text: string, keys: readonly string[]): string | undefined {
    this.#found = this.#pattern.exec(text)
    if (!this.#found) return undefined
    let digits = ''
    for (const key of keys) {
      const part = this.last(key) ?? monthDigits(this.last('MMM'))
      if (part === undefined) return undefined
      digits += part
    }
    return digits
  }

  /** A part of the text that was read last. */
  last(token: string): string | undefined {
    const index = this.#tokens.indexOf(token)
    return index < 0 ? undefined : this.#found?.[index + 1]
  }

  write(digits: string): string | undefined {
    let text = ''
    for (const [index, literal] of this.#literals.entries()) {
      const token = this.#tokens[index]
      text += literal
      if (token === undefined) continue
      const part = token === 'Z' ? '+07:00' : partOf(token, digits)
      if (part === undefined) return undefined
      text += part
    }
    return text
  }
}

function partOf(token: string, digits: string): string | undefined {
  const [from, to] = PLACES[token === 'MMM' ? 'MM' : token] as [number, number]
  const part = digits.slice(from, to)
  if (!/^\d+$/.test(part) || part.length !== to - from) return undefined
  return token === 'MMM' ? MONTHS[Number(part) - 1] : part
}

function monthDigits(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  const upper = name.toUpperCase()
  const index = MONTHS.indexOf(ALSO[upper] ?? upper)
  return index < 0 ? undefined : String(index + 1).padStart(2, '0')
}

function escape(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
