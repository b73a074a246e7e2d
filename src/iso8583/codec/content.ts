import type { ContentClass } from './spec.ts'

/**
 * Content classes: which characters a value may hold. What a character is stands as bits in a table
 * over all bytes, so a check is one look and one AND; digits and printable characters, most of any
 * message, are checked four at a time instead.
 */
const DIGIT = 1
const LETTER = 2
const SPECIAL = 4
const SPACE = 8
const HEX = 16
const TRACK = 32
const SIGN = 64
const BYTE = 128

/** What each character is. Control characters and those from 0x7f up are nothing but bytes. */
export const KIND_OF_CHAR = new Uint8Array(256).map((_, code) => {
  const track = (code >= 0x30 && code <= 0x3f) || code === 0x44 ? TRACK : 0
  return BYTE | track | kindOf(code)
})

function kindOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return DIGIT | HEX
  const upper = code & 0xdf
  if (upper >= 0x41 && upper <= 0x5a) return LETTER | letterKind(code)
  if (code === 0x20) return SPACE
  return code > 0x20 && code < 0x7f ? SPECIAL : 0
}

function letterKind(code: number): number {
  return (code >= 0x41 && code <= 0x46 ? HEX : 0) | (code === 0x43 || code === 0x44 ? SIGN : 0)
}

type ClassRule = { readonly bits: number; readonly text: string }

/** What each class allows, and its name in errors. */
export const CLASSES: Readonly<Record<ContentClass, ClassRule>> = {
  a: { bits: LETTER, text: 'letters' },
  n: { bits: DIGIT, text: 'digits' },
  s: { bits: SPECIAL | SPACE, text: 'special characters' },
  an: { bits: LETTER | DIGIT, text: 'letters and digits' },
  anp: { bits: LETTER | DIGIT | SPACE, text: 'letters, digits and spaces' },
  as: { bits: LETTER | SPECIAL | SPACE, text: 'letters, spaces and special characters' },
  ns: { bits: DIGIT | SPECIAL | SPACE, text: 'digits, spaces and special characters' },
  ans: { bits: LETTER | DIGIT | SPECIAL | SPACE, text: 'printable characters' },
  b: { bits: BYTE, text: 'bytes' },
  z: { bits: TRACK, text: 'characters of track 2' },
  'x+n': { bits: DIGIT, text: 'C or D, then digits' },
  h: { bits: HEX, text: 'upper-case hexadecimal digits' },
  any: { bits: BYTE, text: 'bytes' },
}
export const SIGN_BITS = SIGN

/** How a run of characters is checked: the quick ways first. */
export const NO_CHECK = 0
export const CHECK_DIGITS = 1
export const CHECK_PRINTABLE = 2
export const CHECK_BITS = 3
export const CHECK_TRACK = 4

export function checkKindOf(content: ContentClass): number {
  if (content === 'n') return CHECK_DIGITS
  if (content === 'ans') return CHECK_PRINTABLE
  if (content === 'z') return CHECK_TRACK
  return CLASSES[content].bits === BYTE ? NO_CHECK : CHECK_BITS
}

/** Whether all of it is of the class. `view` is over the same bytes, with SLACK_BYTES behind `end`. */
export function allInside(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  kind: number,
  bits: number,
): boolean {
  switch (kind) {
    case NO_CHECK:
      return true
    case CHECK_DIGITS:
      return allDigits(view, start, end)
    case CHECK_PRINTABLE:
      return allPrintable(view, start, end)
    case CHECK_TRACK:
      return allFrom30(view, start, end) || allOfKind(bytes, start, end, bits)
    default:
      return allOfKind(bytes, start, end, bits)
  }
}

function allOfKind(bytes: Uint8Array, start: number, end: number, bits: number): boolean {
  let all = 1
  for (let at = start; at < end; at++) {
    all &= ((KIND_OF_CHAR[bytes[at] as number] as number) & bits) !== 0 ? 1 : 0
  }
  return all === 1
}

/** The bytes of four that count when fewer are left. */
const FIRST_BYTES = Int32Array.of(0, 0xff, 0xffff, 0xffffff)
const SPACES = 0x20202020

/**
 * Four bytes in one number: a byte is a digit when, with 0x30 taken off, it is below ten; adding
 * 0x76 to it would then not reach its highest bit.
 */
function allDigits(view: DataView, start: number, end: number): boolean {
  let bad = 0
  let at = start
  for (; at + 4 <= end; at += 4) {
    const less = view.getInt32(at, true) ^ 0x30303030
    bad |= less | (less + 0x76767676)
  }
  if (at < end) {
    const less = (view.getInt32(at, true) ^ 0x30303030) & (FIRST_BYTES[end - at] as number)
    bad |= less | (less + 0x76767676)
  }
  return (bad & 0x80808080) === 0
}

/** Printable: 0x20 to 0x7e. Below 0x80, adding 0x60 reaches the highest bit, and adding 1 does not. */
function allPrintable(view: DataView, start: number, end: number): boolean {
  let bad = 0
  let at = start
  for (; at + 4 <= end; at += 4) {
    const four = view.getInt32(at, true)
    bad |= four | (four + 0x01010101) | ~(four + 0x60606060)
  }
  if (at < end) {
    const mask = FIRST_BYTES[end - at] as number
    const four = (view.getInt32(at, true) & mask) | (SPACES & ~mask)
    bad |= four | (four + 0x01010101) | ~(four + 0x60606060)
  }
  return (bad & 0x80808080) === 0
}

/** 0x30 to 0x3f: what tracks hold, but for a D. */
function allFrom30(view: DataView, start: number, end: number): boolean {
  let bad = 0
  let at = start
  for (; at + 4 <= end; at += 4) bad |= view.getInt32(at, true) ^ 0x30303030
  if (at < end) {
    bad |= (view.getInt32(at, true) ^ 0x30303030) & (FIRST_BYTES[end - at] as number)
  }
  return (bad & 0xf0f0f0f0) === 0
}

/** Where the first byte stands whose kind has none of the bits, or -1. `kinds` is by byte. */
export function firstOutside(
  kinds: Uint8Array,
  bits: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let at = start; at < end; at++) {
    if (((kinds[bytes[at] as number] as number) & bits) === 0) return at
  }
  return -1
}

/** Names a character without showing it where it could be part of a secret: only what it is. */
export function nameOfChar(code: number): string {
  if (code < 0x20 || code > 0x7e) return 'a control or foreign character'
  const kind = KIND_OF_CHAR[code] as number
  if (kind & DIGIT) return 'a digit'
  if (kind & LETTER) return 'a letter'
  return code === 0x20 ? 'a space' : 'a special character'
}
