import { minor, ZERO, type AmountMinor } from '#base'
import { KIND_OF_CHAR } from '#iso8583'

// What straight code reads values with. Nothing here says what is wrong, only that something is:
// the general way then reads the message again and tells it.

/** Of a number that is none. */
export const NONE = -1

/** A whole number of up to 15 digits. */
export function number(b: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let i = at; i < at + width; i++) {
    const digit = (b[i] as number) - 0x30
    if (digit < 0 || digit > 9) return NONE
    value = value * 10 + digit
  }
  return value
}

/** Whole rupiah or hundredths of them, as `scale` says; undefined when they are no digits. */
export function money(
  b: Uint8Array,
  at: number,
  width: number,
  scale: number,
): AmountMinor | undefined {
  const value = number(b, at, width)
  if (value < 0) return undefined
  return value === 0 ? ZERO : (BigInt(value * scale) as AmountMinor)
}

/** The same of more digits, which seldom are all used. */
export function wideMoney(
  b: Uint8Array,
  t: string,
  at: number,
  width: number,
  scale: number,
): AmountMinor | undefined {
  let from = at
  const end = at + width
  while (from < end - SAFE_DIGITS && b[from] === 0x30) from++
  if (end - from <= SAFE_DIGITS) return money(b, from, end - from, scale)
  if (!digits(b, from, end - from)) return undefined
  return (BigInt(t.slice(from, end)) * BigInt(scale)) as AmountMinor
}

/** So many, and two decimals, are exact in a double. */
const SAFE_DIGITS = 13

/** C or D before whole rupiah. */
export function signed(
  b: Uint8Array,
  at: number,
  width: number,
  scale: number,
): AmountMinor | undefined {
  const sign = b[at]
  if (sign !== 0x43 && sign !== 0x44) return undefined
  const value = money(b, at + 1, width, scale)
  return value === undefined || sign === 0x44 ? value : minor(0n - value)
}

export function digits(b: Uint8Array, at: number, width: number): boolean {
  for (let i = at; i < at + width; i++) {
    const digit = (b[i] as number) - 0x30
    if (digit < 0 || digit > 9) return false
  }
  return true
}

/** Whether all characters are of a class. */
export function inside(b: Uint8Array, at: number, end: number, bits: number): boolean {
  for (let i = at; i < end; i++) {
    if (((KIND_OF_CHAR[b[i] as number] as number) & bits) === 0) return false
  }
  return true
}

/** Where a text ends without the spaces to its right. */
export function textEnd(b: Uint8Array, at: number, end: number): number {
  let last = end
  while (last > at && b[last - 1] === 0x20) last--
  return last
}

/** Nothing but this character. */
export function only(b: Uint8Array, at: number, width: number, code: number): boolean {
  for (let i = at; i < at + width; i++) if (b[i] !== code) return false
  return true
}

function two(b: Uint8Array, at: number): number {
  return ((b[at] as number) - 0x30) * 10 + (b[at + 1] as number) - 0x30
}

const DAYS_IN_MONTH = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Eight digits that are a day that exists, or zeros. */
export function day(
  b: Uint8Array,
  at: number,
  yearAt: number,
  monthAt: number,
  dayAt: number,
): boolean {
  if (!digits(b, at, 8)) return false
  const month = two(b, at + monthAt)
  const day = two(b, at + dayAt)
  const year = two(b, at + yearAt) * 100 + two(b, at + yearAt + 2)
  if (month === 0 && day === 0) return year === 0
  if (month > 12 || day < 1 || day > (DAYS_IN_MONTH[month] as number)) return false
  if (month !== 2 || day < 29) return true
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

export function month(b: Uint8Array, at: number): boolean {
  if (!digits(b, at, 6)) return false
  const month = two(b, at + 4)
  return (month >= 1 && month <= 12) || only(b, at, 6, 0x30)
}

/** YYYYMMDDhhmmss of a time that exists. */
export function time(b: Uint8Array, at: number): boolean {
  return (
    day(b, at, 0, 4, 6) &&
    digits(b, at + 8, 6) &&
    (b[at + 6] as number) + (b[at + 7] as number) > 0x60 &&
    two(b, at + 8) < 24 &&
    two(b, at + 10) < 60 &&
    two(b, at + 12) < 60
  )
}
