import { SIGN_BITS, KIND_OF_CHAR } from './content.ts'
import type { Data, DataOptions } from './data.ts'
import type { Out } from './out.ts'
import { badContent } from './rejects.ts'
import type { ContentClass, FieldSpec } from './spec.ts'
import { NIBBLE_OF_CHAR } from './text.ts'

const D = 0xd
const F = 0xf

/**
 * Digits, two a byte. An odd one leaves a filler nibble on the left or the right:
 *
 *     123    bcd-left-0  01 23    bcd-right-0  12 30    bcd-left-f  F1 23    bcd-right-f  12 3F
 *
 * How many digits there are follows from the length, except where the length counts whole bytes:
 * then an F on the filler's side is taken for a filler, and a 0 for a digit.
 */
type Packing = {
  readonly left: boolean
  readonly filler: number
  /** Which nibbles are allowed. */
  readonly nibbles: NibbleSet
  /** Whatever the filler is. */
  readonly anyFiller: boolean
}

type NibbleSet = { readonly text: string; readonly allows: (nibble: number) => boolean }

const DIGITS: NibbleSet = { text: 'digits', allows: nibble => nibble <= 9 }
const TRACK: NibbleSet = {
  text: 'digits and separators of track 2',
  allows: nibble => nibble <= 9 || nibble === D,
}
const ANY: NibbleSet = { text: 'half-bytes', allows: () => true }

function nibblesOf(content: ContentClass): NibbleSet {
  if (content === 'z') return TRACK
  return content === 'h' || content === 'any' || content === 'b' ? ANY : DIGITS
}

export function bcdData(spec: FieldSpec, { path, anyContent }: DataOptions): Data {
  const packing: Packing = {
    left: spec.data.startsWith('bcd-left'),
    filler: spec.data.endsWith('f') ? F : 0,
    nibbles: anyContent ? ANY : nibblesOf(spec.content),
    anyFiller: anyContent,
  }
  const track = spec.content === 'z'
  const counted = spec.unit === 'digits' || spec.unit === 'characters'
  const digitsOf = (bytes: Uint8Array, start: number, end: number, units: number): number =>
    counted ? units : digitsIn(packing, bytes, start, end)
  return {
    ...bcdUnits(spec, counted),
    ...(counted ? { unitsIn: (bytes, start, end) => digitsIn(packing, bytes, start, end) } : {}),
    charactersOf: units => (counted || spec.unit === 'nibbles' ? units : units * 2),
    check({ bytes }, start, end, units) {
      checkNibbles(packing, path, bytes, start, end, digitsOf(bytes, start, end, units))
    },
    read(bytes, start, end, units) {
      const text = readNibbles(packing, bytes, start, digitsOf(bytes, start, end, units))
      return track ? text.replaceAll('D', '=') : text
    },
    wrong: value => wrongDigits(value, packing.nibbles, track),
    write: (out, value) => writeNibbles(out, packing, value),
  }
}

function bcdUnits(
  { unit }: FieldSpec,
  counted: boolean,
): Pick<Data, 'bytesOf' | 'unitsOf' | 'measure'> {
  if (counted) {
    return { bytesOf: half, unitsOf: bytes => bytes * 2, measure: value => value.length }
  }
  if (unit === 'bytes' || unit === 'encoded') {
    return {
      bytesOf: units => units,
      unitsOf: bytes => bytes,
      measure: value => half(value.length),
    }
  }
  return {
    bytesOf: units => (units % 2 === 0 ? units / 2 : -1),
    unitsOf: bytes => bytes * 2,
    measure: value => half(value.length) * 2,
  }
}

/** Digits where only the bytes are known. */
function digitsIn({ left, filler }: Packing, bytes: Uint8Array, start: number, end: number) {
  const digits = (end - start) * 2
  if (filler !== F || digits === 0) return digits
  const outer = left ? (bytes[start] as number) >> 4 : (bytes[end - 1] as number) & 15
  return outer === F ? digits - 1 : digits
}

function checkNibbles(
  { left, filler, nibbles, anyFiller }: Packing,
  path: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  digits: number,
): void {
  const first = left && digits % 2 === 1 ? 1 : 0
  for (let i = 0; i < (end - start) * 2; i++) {
    const at = start + (i >> 1)
    const byte = bytes[at] as number
    const nibble = i % 2 === 0 ? byte >> 4 : byte & 15
    if (i < first || i >= first + digits) {
      if (nibble === filler || anyFiller) continue
      throw badContent(path, at, `a filler half-byte ${filler.toString(16)}`, 'another half-byte')
    }
    if (!nibbles.allows(nibble)) throw badContent(path, at, nibbles.text, 'another half-byte')
  }
}

const CHARS = '0123456789ABCDEF'

function readNibbles({ left }: Packing, bytes: Uint8Array, start: number, digits: number): string {
  const first = left && digits % 2 === 1 ? 1 : 0
  let text = ''
  for (let i = first; i < first + digits; i++) {
    const byte = bytes[start + (i >> 1)] as number
    text += CHARS[i % 2 === 0 ? byte >> 4 : byte & 15]
  }
  return text
}

function wrongDigits(value: string, { text, allows }: NibbleSet, track: boolean) {
  for (let i = 0; i < value.length; i++) {
    const nibble = nibbleOf(value.charCodeAt(i), track)
    if (nibble < 0 || !allows(nibble)) return text
  }
  return undefined
}

/** In track 2 the separator `=` is the nibble D. */
function nibbleOf(code: number, track: boolean): number {
  if (track && code === 0x3d) return D
  return code > 0xff ? -1 : (NIBBLE_OF_CHAR[code] as number)
}

function writeNibbles(out: Out, { left, filler }: Packing, value: string): void {
  const count = (value.length + 1) >> 1
  const first = left && value.length % 2 === 1 ? 1 : 0
  out.room(count)
  for (let i = 0; i < count * 2; i += 2) {
    const at = i - first
    out.bytes[out.at++] = (digitAt(value, at, filler) << 4) | digitAt(value, at + 1, filler)
  }
}

function digitAt(value: string, at: number, filler: number): number {
  if (at < 0 || at >= value.length) return filler
  return nibbleOf(value.charCodeAt(at), true)
}

/** C or D in ASCII, then digits of BCD. */
export function signedBcdData(spec: FieldSpec, { path, anyContent }: DataOptions): Data {
  const left = spec.data === 'sign-bcd'
  const nibbles = anyContent ? ANY : DIGITS
  const packing: Packing = { left, filler: 0, nibbles, anyFiller: anyContent }
  const counts = SIGNED_UNITS[spec.unit]
  return {
    bytesOf: units => (units < counts.sign ? -1 : 1 + counts.bytesOf(units - counts.sign)),
    unitsOf: bytes => (bytes === 0 ? 0 : counts.sign + counts.unitsOf(bytes - 1)),
    measure: value => counts.sign + counts.measure(value.length - 1),
    charactersOf: units => 1 + counts.digitsOf(units - counts.sign),
    check({ bytes }, start, end, units) {
      if (start === end) throw badContent(path, start, 'C or D', 'nothing')
      if (!anyContent && ((KIND_OF_CHAR[bytes[start] as number] as number) & SIGN_BITS) === 0) {
        throw badContent(path, start, 'C or D', 'another byte')
      }
      checkNibbles(packing, path, bytes, start + 1, end, counts.digitsOf(units - counts.sign))
    },
    read(bytes, start, end, units) {
      if (start === end) return ''
      const sign = String.fromCharCode(bytes[start] as number)
      return sign + readNibbles(packing, bytes, start + 1, counts.digitsOf(units - counts.sign))
    },
    wrong: value => (/^[CD][0-9]*$/.test(value) ? undefined : 'C or D, then digits'),
    write(out, value) {
      out.byte(value.charCodeAt(0))
      writeNibbles(out, packing, value.slice(1))
    },
  }
}

const half = (digits: number): number => (digits + 1) >> 1

/** How the digits behind a sign are counted, and as how much the sign itself is. */
type SignedUnits = {
  readonly sign: number
  readonly bytesOf: (units: number) => number
  readonly unitsOf: (bytes: number) => number
  readonly measure: (digits: number) => number
  readonly digitsOf: (units: number) => number
}
const BY_DIGIT = {
  bytesOf: half,
  unitsOf: (bytes: number) => bytes * 2,
  measure: (digits: number) => digits,
  digitsOf: (units: number) => units,
}
const BY_BYTE = {
  sign: 1,
  bytesOf: (units: number) => units,
  unitsOf: (bytes: number) => bytes,
  measure: half,
  digitsOf: (units: number) => units * 2,
}
const SIGNED_UNITS: Readonly<Record<FieldSpec['unit'], SignedUnits>> = {
  characters: { sign: 1, ...BY_DIGIT },
  digits: { sign: 0, ...BY_DIGIT },
  bytes: BY_BYTE,
  encoded: BY_BYTE,
  nibbles: {
    sign: 2,
    bytesOf: units => (units % 2 === 0 ? units / 2 : -2),
    unitsOf: bytes => bytes * 2,
    measure: digits => half(digits) * 2,
    digitsOf: units => units,
  },
}
