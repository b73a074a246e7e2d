import { KIND_OF_CHAR } from '#iso8583'

// What straight code writes values with: each returns where it ends, or -1 when the value cannot be
// said this way. The general way then writes the message again and tells why.

/** Bit 7 of a character that is not ASCII stays in here. */
const ASCII_MAX = 0x7f

/** Digits with zeros to the left. */
export function digits(b: Uint8Array, at: number, value: unknown, width: number): number {
  if (typeof value !== 'string' || value.length > width) return -1
  const { length } = value
  const start = at + width - length
  for (let i = at; i < start; i++) b[i] = 0x30
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i)
    if (code < 0x30 || code > 0x39) return -1
    b[start + i] = code
  }
  return at + width
}

/** Digits that have the width: dates and times. */
export function exactly(b: Uint8Array, at: number, value: unknown, width: number): number {
  return typeof value === 'string' && value.length === width ? digits(b, at, value, width) : -1
}

/** A date whose parts stand in another order on the wire. */
export function date(
  b: Uint8Array,
  at: number,
  value: unknown,
  year: number,
  month: number,
  day: number,
): number {
  if (typeof value !== 'string' || value.length !== 8) return -1
  const fits =
    exactly(b, at + year, value.slice(0, 4), 4) |
    exactly(b, at + month, value.slice(4, 6), 2) |
    exactly(b, at + day, value.slice(6), 2)
  return fits < 0 ? -1 : at + 8
}

/** Text with spaces to its right. */
export function text(
  b: Uint8Array,
  at: number,
  value: unknown,
  width: number,
  bits: number,
): number {
  const end = rest(b, at, value, width, bits)
  if (end < 0) return -1
  for (let i = end; i < at + width; i++) b[i] = 0x20
  return at + width
}

/** Text with zeros to its left. */
export function zeroLeft(
  b: Uint8Array,
  at: number,
  value: unknown,
  width: number,
  bits: number,
): number {
  if (typeof value !== 'string' || value.length > width) return -1
  const start = at + width - value.length
  for (let i = at; i < start; i++) b[i] = 0x30
  return rest(b, start, value, width, bits)
}

/** Text as long as it is; `bits` of 0 leave the class to the field table's own check. */
export function rest(b: Uint8Array, at: number, value: unknown, max: number, bits: number): number {
  if (typeof value !== 'string' || value.length > max) return -1
  const { length } = value
  let all = 0
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i)
    all |= code
    b[at + i] = code
  }
  if (all > ASCII_MAX) return -1
  if (bits !== 0) {
    for (let i = at; i < at + length; i++) {
      if (((KIND_OF_CHAR[b[i] as number] as number) & bits) === 0) return -1
    }
  }
  return at + length
}

/** A whole number with zeros to the left. */
export function number(b: Uint8Array, at: number, value: unknown, width: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return -1
  let rest = value
  let place = at + width - 1
  // Above 31 bits the division is one of doubles, which is much slower.
  for (; rest > 0x7fffffff && place >= at; place--) {
    const next = Math.floor(rest / 10)
    b[place] = 0x30 + (rest - next * 10)
    rest = next
  }
  if (rest > 0x7fffffff) return -1
  let small = rest | 0
  for (; place >= at; place--) {
    const next = (small / 10) | 0
    b[place] = 0x30 + (small - next * 10)
    small = next
  }
  return small === 0 ? at + width : -1
}

/** An amount of 0 or more; larger ones than a double holds go the general way. */
export function money(
  b: Uint8Array,
  at: number,
  value: unknown,
  width: number,
  scale: number,
): number {
  if (typeof value !== 'bigint') return -1
  const whole = Number(value) / scale
  return Number.isInteger(whole) ? number(b, at, whole, width) : -1
}

/** D, or C and what it is less than 0. */
export function signed(
  b: Uint8Array,
  at: number,
  value: unknown,
  width: number,
  scale: number,
): number {
  if (typeof value !== 'bigint') return -1
  const negative = value < 0n
  b[at] = negative ? 0x43 : 0x44
  return money(b, at + 1, negative ? 0n - value : value, width, scale)
}

/** Characters that are always the same. */
export function same(b: Uint8Array, at: number, characters: string): number {
  for (let i = 0; i < characters.length; i++) b[at + i] = characters.charCodeAt(i)
  return at + characters.length
}

export function fill(b: Uint8Array, at: number, width: number, code: number): number {
  for (let i = at; i < at + width; i++) b[i] = code
  return at + width
}
