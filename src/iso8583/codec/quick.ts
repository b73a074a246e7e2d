import {
  allInside,
  CHECK_BITS,
  CHECK_DIGITS,
  CHECK_PRINTABLE,
  CHECK_TRACK,
  NO_CHECK,
} from './content.ts'
import type { Field } from './field.ts'
import type { FieldSpec } from './spec.ts'
import { writeAscii } from './text.ts'

// Plain fields, most of any dialect: one byte a character, behind an ASCII length or none

/** Bytes of the ASCII length of a plain field, 0 where its length is fixed; -1 when it is none. */
export function quickOf(spec: FieldSpec, composite: boolean): number {
  const { data, content, length, unit } = spec
  if (composite || spec.filled || content === 'x+n') return -1
  if (data !== 'ascii' && data !== 'binary') return -1
  if (unit === 'nibbles' || (data === 'binary' && unit === 'digits')) return -1
  if (length.form === 'fixed') return 0
  return length.form === 'prefix' && length.encoding === 'ascii' && !length.inclusive
    ? length.digits
    : -1
}

const RANGES: Readonly<Record<number, readonly [first: number, last: number]>> = {
  [NO_CHECK]: [0, 0xff],
  [CHECK_DIGITS]: [0x30, 0x39],
  [CHECK_PRINTABLE]: [0x20, 0x7e],
  [CHECK_BITS]: [0, 0xff],
  [CHECK_TRACK]: [0, 0xff],
}

/** The lowest and the highest character of a class; others may lie between them. */
export function rangeOf(checkKind: number): readonly [first: number, last: number] {
  return RANGES[checkKind] as readonly [number, number]
}

/** Up to here a loop over characters is cheaper than a native call. */
const LOOP_CHARS_MAX = 24

/**
 * Writes a plain field at `at` and returns where it ends; -1 when it is none, or when the value has
 * to be looked at by `Field.write`. There is room for it, and for the length before it.
 */
export function writeQuick(
  field: Field,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  value: string,
): number {
  const { quickText, checkKind } = field
  const { length } = value
  if (quickText < 0 || length > field.size || length < field.sizeMin) return -1
  const start = at + quickText
  const end = start + length
  if (length <= LOOP_CHARS_MAX) {
    const { first, last } = field
    let outside = 0
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      outside |= (code - first) | (last - code)
      bytes[start + i] = code
    }
    // One of the differences is negative where a character lies outside of first to last.
    if (outside < 0) return -1
    if (checkKind >= CHECK_BITS && !isInside(field, bytes, view, start, end)) return -1
  } else {
    if (checkKind === NO_CHECK) return -1
    if (!writeAscii(bytes, value, start)) return -1
    if (!isInside(field, bytes, view, start, end)) return -1
  }
  let rest = length
  for (let place = start - 1; place >= at; place--) {
    const next = (rest / 10) | 0
    bytes[place] = 0x30 + rest - next * 10
    rest = next
  }
  return end
}

export function isInside(
  { checkKind, checkBits }: Field,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): boolean {
  return allInside(bytes, view, start, end, checkKind, checkBits)
}
