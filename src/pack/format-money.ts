import { CURRENCIES, minor, ZERO, type AmountMinor } from '#base'
import type { Cursor } from './cursor.ts'
import {
  checkDigits,
  NUMBER_DIGITS_MAX,
  readNumber,
  ZERO_CODE,
  type Format,
} from './format-basics.ts'
import { unsayable, type ValueWriter } from './value-writer.ts'

/** What stands before the digits of an amount, and which of them are decimals. */
export type Before =
  | { readonly before: '' | 'sign' | 'fee'; readonly sen?: boolean }
  | { readonly before: 'exponent' | 'currency'; readonly exponent: number }

const { number: IDR, exponent: MINOR_DIGITS } = CURRENCIES.IDR
const CREDIT = 0x43 // C: in the customer's favour
const DEBIT = 0x44 // D

/**
 * An amount of rupiah:
 *
 *     n11           whole rupiah
 *     x+n10         C (a credit to the customer, negative) or D, then whole rupiah
 *     C+n8          C, then whole rupiah: a fee
 *     e2+n10        how many of the digits are decimals, then the digits; written with this many
 *     360+e0+n12    ISO 4217 number of the currency before that
 *
 * In front of the first three stands `sen` where the digits are hundredths of a rupiah.
 */
export function money(width: number, how: Before): Format | string {
  if (width < 1 || width > 18) return `an amount has 1 to 18 digits, not ${width}`
  const signed = how.before === 'sign'
  const fee = how.before === 'fee'
  const fixed = 'sen' in how && how.sen ? MINOR_DIGITS : 0
  const exponent = 'exponent' in how ? how.exponent : fixed
  const currency = how.before === 'currency'
  const letter = signed || fee ? 1 : 0
  const prefix = letter + ('exponent' in how ? 1 : 0) + (currency ? IDR.length : 0)
  return {
    width: prefix + width,
    kinds: ['money'],
    blank: '0',
    read(cursor, name) {
      if (currency) readCurrency(cursor, name)
      const negative = signed && readSign(cursor, name)
      if (fee) readFeeMark(cursor, name)
      const decimals = 'exponent' in how ? readExponent(cursor, name) : fixed
      const amount = readMinor(cursor, width, decimals, name)
      // C before zeros is read as nothing too; written it becomes D.
      return negative ? minor(0n - amount) : amount
    },
    write(writer, value: AmountMinor, name) {
      const negative = value < 0n
      if (negative && !signed) throw unsayable(name, 'an amount of 0 or more')
      if (currency) writer.text(IDR, IDR.length, 'n', name)
      if (signed) writer.fill(negative ? CREDIT : DEBIT, 1)
      if (fee) writer.fill(CREDIT, 1)
      if ('exponent' in how) writer.digits(exponent, 1, name)
      writeMinor(writer, negative ? 0n - value : value, width, exponent, name)
    },
    form: { tag: 'money', digits: width, before: how.before, decimals: exponent },
  }
}

/** Digits without zeros before them, as many as the amount has, in whole rupiah or in sen. */
export function openMoney(max: number, sen: boolean): Format | string {
  if (max < 1 || max > 18) return `an amount has 1 to 18 digits, not ${max}`
  const decimals = sen ? MINOR_DIGITS : 0
  const scale = BigInt(10 ** (MINOR_DIGITS - decimals))
  return {
    width: undefined,
    widthMax: max,
    kinds: ['money'],
    blank: '',
    read(cursor, name) {
      const width = cursor.end - cursor.at
      if (width < 1 || width > max) {
        throw cursor.wrong('PACK_FORMAT', name, cursor.at, `1 to ${max} digits`, `${width}`)
      }
      return readMinor(cursor, width, decimals, name)
    },
    write(writer, value: AmountMinor, name) {
      if (value < 0n) throw unsayable(name, 'an amount of 0 or more')
      if (value % scale !== 0n) throw unsayable(name, `${decimals} decimals`)
      const text = String(value / scale)
      if (text.length > max) throw unsayable(name, `at most ${max} digits`)
      writer.chars(text, 'n', name)
    },
  }
}

function readFeeMark(cursor: Cursor, name: string): void {
  const start = cursor.take(1, name)
  if (cursor.text.charCodeAt(start) !== CREDIT) {
    throw cursor.wrong('CODEC_CONTENT', name, start, 'C')
  }
}

function readCurrency(cursor: Cursor, name: string): void {
  const start = cursor.take(IDR.length, name)
  if (!cursor.text.startsWith(IDR, start)) {
    throw cursor.wrong('PACK_FORMAT', name, start, `currency ${IDR}`)
  }
}

function readSign(cursor: Cursor, name: string): boolean {
  const start = cursor.take(1, name)
  const code = cursor.text.charCodeAt(start)
  if (code !== CREDIT && code !== DEBIT) {
    throw cursor.wrong('CODEC_CONTENT', name, start, 'C or D')
  }
  return code === CREDIT
}

function readExponent(cursor: Cursor, name: string): number {
  const start = cursor.take(1, name)
  const exponent = cursor.text.charCodeAt(start) - ZERO_CODE
  if (exponent < 0 || exponent > MINOR_DIGITS) {
    throw cursor.wrong('PACK_FORMAT', name, start, `0 to ${MINOR_DIGITS} decimals`)
  }
  return exponent
}

/** Digits of which `decimals` are decimals, as minor units. */
function readMinor(cursor: Cursor, width: number, decimals: number, name: string): AmountMinor {
  const scale = 10 ** (MINOR_DIGITS - decimals)
  if (width + MINOR_DIGITS - decimals <= NUMBER_DIGITS_MAX) {
    const value = readNumber(cursor, width, name) * scale
    return value === 0 ? ZERO : (BigInt(value) as AmountMinor)
  }
  const start = cursor.take(width, name)
  checkDigits(cursor, start, width, name)
  return (BigInt(cursor.text.slice(start, start + width)) * BigInt(scale)) as AmountMinor
}

function writeMinor(
  writer: ValueWriter,
  value: bigint,
  width: number,
  exponent: number,
  name: string,
): void {
  const scale = 10 ** (MINOR_DIGITS - exponent)
  const number = Number(value)
  if (number <= Number.MAX_SAFE_INTEGER) {
    const whole = Math.floor(number / scale)
    if (whole * scale !== number) throw unsayable(name, `${exponent} decimals`)
    writer.digits(whole, width, name)
    return
  }
  if (value % BigInt(scale) !== 0n) throw unsayable(name, `${exponent} decimals`)
  const text = String(value / BigInt(scale)).padStart(width, '0')
  writer.text(text, width, 'n', name)
}
