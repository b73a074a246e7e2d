import { NadiError } from '#base'
import { readDecimal } from './field.ts'
import type { Fields } from './fields.ts'
import type { FieldTable } from './table.ts'

/**
 * Finds the fields of a frame in place.
 *
 *     ┌──────┬──────────────────┬──────────────────┬────────┬────────┬─
 *     │ MTI  │ bitmap, 16 hex   │ second, if bit 1 │ field  │ field  │ …
 *     │ 4    │ bits 1 to 64     │ bits 65 to 128   │ in ascending order
 *     └──────┴──────────────────┴──────────────────┴────────┴────────┴─
 *
 * Strict: every byte belongs to a field that the bitmap names and the table defines. Throws
 * NadiError CODEC_* with path and byte offset; `into` then holds what was read before it.
 */
export function decode(table: FieldTable, frame: Uint8Array, into: Fields): void {
  into.reset(frame)
  if (frame.length < MTI_BYTES) throw truncated('mti', 0, MTI_BYTES, frame.length)
  if (readDecimal(frame, 0, MTI_BYTES) < 0) {
    throw new NadiError('CODEC_MTI', { path: 'mti', offset: 0, expected: '4 digits' })
  }
  into.noteMti(MTI_BYTES)
  let at = MTI_BYTES + BITMAP_BYTES
  const high = readBitmapWord(frame, MTI_BYTES)
  const low = readBitmapWord(frame, MTI_BYTES + BITMAP_BYTES / 2)
  let high2 = 0
  let low2 = 0
  if (high < 0 || (high & BIT_1) !== 0) {
    if (!table.spec.bitmap.secondary) throw secondaryForbidden()
    high2 = readBitmapWord(frame, at)
    low2 = readBitmapWord(frame, at + BITMAP_BYTES / 2)
    at += BITMAP_BYTES
  }
  at = scanWord(table, frame, high & ~BIT_1, 1, at, into)
  at = scanWord(table, frame, low, 33, at, into)
  at = scanWord(table, frame, high2, 65, at, into)
  at = scanWord(table, frame, low2, 97, at, into)
  if (at !== frame.length) {
    const [expected, actual] = ['the end', `${frame.length - at} more bytes`]
    throw new NadiError('CODEC_TRAILING', { path: 'frame', offset: at, expected, actual })
  }
}

export const MTI_BYTES = 4
export const BITMAP_BYTES = 16
const BIT_1 = 0x80000000 | 0

/** Scans the fields of one bitmap word; its highest bit is data element `first`. */
function scanWord(
  { codecs }: FieldTable,
  frame: Uint8Array,
  word: number,
  first: number,
  start: number,
  into: Fields,
): number {
  let at = start
  for (let rest = word; rest !== 0;) {
    const place = Math.clz32(rest)
    rest &= ~(BIT_1 >>> place)
    const codec = codecs[first + place]
    if (!codec) {
      const path = `de${first + place}`
      throw new NadiError('CODEC_UNDEFINED_FIELD', { path, offset: at })
    }
    at = codec.scan(frame, at, into)
  }
  return at
}

/** Eight hexadecimal digits, upper or lower case, as 32 bits. */
function readBitmapWord(frame: Uint8Array, start: number): number {
  const end = start + BITMAP_BYTES / 2
  if (end > frame.length) {
    throw truncated('bitmap', start, BITMAP_BYTES / 2, Math.max(0, frame.length - start))
  }
  let word = 0
  for (let at = start; at < end; at++) {
    const value = HEX_VALUE[frame[at] as number] as number
    if (value < 0) {
      const [path, expected] = ['bitmap', 'hexadecimal digits']
      throw new NadiError('CODEC_BITMAP', { path, offset: at, expected })
    }
    word = (word << 4) | value
  }
  return word
}

const HEX_VALUE = new Int8Array(256).map((_, byte) => {
  const char = String.fromCharCode(byte)
  return /[0-9a-fA-F]/.test(char) ? parseInt(char, 16) : -1
})

function secondaryForbidden(): NadiError {
  const [expected, actual] = ['no second bitmap in this dialect', 'bit 1 set']
  return new NadiError('CODEC_BITMAP', { path: 'bitmap', offset: MTI_BYTES, expected, actual })
}

function truncated(path: string, offset: number, wanted: number, left: number): NadiError {
  const [expected, actual] = [`${wanted} bytes`, `${left}`]
  return new NadiError('CODEC_TRUNCATED', { path, offset, expected, actual })
}
