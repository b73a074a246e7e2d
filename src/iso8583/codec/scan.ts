import { hasBit, setBit, WORDS } from './bitmap.ts'
import type { Field } from './field.ts'
import { allInside } from './content.ts'
import type { Layout } from './layout.ts'
import { mtiText } from './mti.ts'
import { undefinedField } from './numbered.ts'
import { NUMBER_MAX } from './numbers.ts'
import type { Facts } from './overlay.ts'
import { popCount } from './pop-count.ts'
import { trailing, truncated } from './rejects.ts'
import { type Wire, WIRE } from './wire.ts'

/**
 * What the last scan found. Fields lie one behind the other, so where each one ends is all there is
 * to note. Reused for every frame: messages copy what they keep, one small array.
 */
export const SCAN = {
  /** As a number of four digits; -1 when it could not be read. */
  mti: 0,
  /** Where the first field begins. */
  start: 0,
  bitmaps: 0,
  /** Fields that were found whole. */
  count: 0,
  ends: Array.from({ length: NUMBER_MAX }, () => 0),
  /** Presence, 32 fields a word. */
  words: new Int32Array(WORDS) as Int32Array,
}

const NO_WORDS = new Int32Array(WORDS)

/**
 *     ┌────────┬─────┬──────────────┬────────┬────────┬─
 *     │ header │ MTI │ bitmaps      │ field  │ field  │ …   in ascending order, until the end
 *     └────────┴─────┴──────────────┴────────┴────────┴─
 *
 * Every byte belongs to a field that the bitmap names and the table defines. Throws NadiError
 * CODEC_*; SCAN then holds what was found before.
 */
export function scanFrame(layout: Layout, frame: Uint8Array): void {
  const wire = WIRE
  const end = frame.length
  const { headerBytes, mti, bitmap } = layout
  wire.load(frame)
  SCAN.count = SCAN.bitmaps = SCAN.start = 0
  SCAN.mti = -1
  SCAN.words = NO_WORDS
  if (headerBytes > end) throw truncated('header', 0, headerBytes, end)
  SCAN.mti = mti.read(wire.bytes, headerBytes, end)
  let at = headerBytes + mti.bytes
  if (bitmap) {
    at = bitmap.read(wire, at, end)
    SCAN.bitmaps = bitmap.count
    SCAN.words = bitmap.words
  }
  SCAN.start = at
  at = bitmap ? scanBits(layout, wire, at, end) : scanInOrder(layout, wire, at, end)
  if (at !== end && !layout.lenient.has('trailing-bytes')) throw trailing('frame', at, end - at)
}

/** After an error: leaves only the bits of fields that were found whole. */
export function keepWhole(): void {
  const words = new Int32Array(WORDS)
  let left = SCAN.count
  for (let number = 1; number <= NUMBER_MAX && left > 0; number++) {
    if (!hasBit(SCAN.words, number)) continue
    setBit(words, number)
    left--
  }
  SCAN.words = words
}

function scanBits(layout: Layout, wire: Wire, start: number, end: number): number {
  const { ends, words } = SCAN
  const { steady } = layout
  const { bytes, view } = wire
  let at = start
  let count = 0
  for (let index = 0; index < WORDS; index++) {
    for (let rest = words[index] as number; rest !== 0;) {
      const place = Math.clz32(rest)
      rest ^= 0x80000000 >>> place
      const number = index * 32 + place + 1
      const field = steady[number]
      let next = field === undefined ? -1 : quickEnd(field, bytes, view, at, end)
      if (next < 0) {
        SCAN.count = count
        next = scanOther(layout, wire, number, at, end)
      }
      ends[count++] = at = next
    }
  }
  SCAN.count = count
  return at
}

/** Where a plain field ends that is right in every way; -1 when someone has to look closer. */
function quickEnd(
  field: Field,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): number {
  const { quick } = field
  let at = start
  let length = field.size
  if (quick !== 0) {
    if (quick < 0 || end - at < quick) return -1
    let told = 0
    for (const to = at + quick; at < to; at++) {
      const digit = (bytes[at] as number) - 0x30
      if (digit < 0 || digit > 9) return -1
      told = told * 10 + digit
    }
    if (told > length || told < field.sizeMin) return -1
    length = told
  }
  if (length > end - at) return -1
  return allInside(bytes, view, at, at + length, field.checkKind, field.checkBits)
    ? at + length
    : -1
}

/** All that is not plain, and all that is wrong. */
function scanOther(layout: Layout, wire: Wire, number: number, at: number, end: number): number {
  const { variants, fields, tertiary } = layout
  const field = variants ? varying(layout, number) : fields[number]
  if (field) return field.scan(wire, at, end)
  if (number === tertiary?.number) return readThird(layout, wire, at, end)
  if (at < end || !layout.lenient.has('undefined-zero-bits'))
    throw undefinedField(String(number), at)
  return at
}

/** The third bitmap inside of a data element names those from 129 on. */
function readThird({ tertiary }: Layout, wire: Wire, at: number, end: number): number {
  const { bitmap } = tertiary as NonNullable<Layout['tertiary']>
  const next = bitmap.read(wire, at, end)
  SCAN.words[4] = bitmap.words[0] as number
  SCAN.words[5] = bitmap.words[1] as number
  return next
}

/** Without a bitmap: the table's fields one after the other, as many as there are bytes for. */
function scanInOrder(layout: Layout, wire: Wire, start: number, end: number): number {
  SCAN.words = new Int32Array(WORDS)
  let at = start
  for (const number of layout.order) {
    if (at === end) return at
    at = scanOther(layout, wire, number, at, end)
    SCAN.ends[SCAN.count++] = at
    setBit(SCAN.words, number)
  }
  return at
}

// Fields that look different in some messages are chosen by what was found before them

function varying({ variants, fields }: Layout, number: number): Field | undefined {
  if (!variants?.numbers.has(number)) return fields[number]
  return variants.fieldOf(number, factsSoFar(fields)) ?? fields[number]
}

function factsSoFar(fields: Layout['fields']): Facts {
  return {
    mti: mtiText(SCAN.mti),
    processing: () => valueSoFar(fields, 3),
    response: () => valueSoFar(fields, 39),
  }
}

function valueSoFar(fields: Layout['fields'], number: number): string | undefined {
  const field = fields[number]
  const word = SCAN.words[(number - 1) >> 5] as number
  const bit = 31 - ((number - 1) & 31)
  if (!field || (word & (1 << bit)) === 0) return undefined
  let index = popCount((word >>> bit) >>> 1)
  for (let i = 0; i < (number - 1) >> 5; i++) index += popCount(SCAN.words[i] as number)
  if (index >= SCAN.count) return undefined
  const start = index === 0 ? SCAN.start : (SCAN.ends[index - 1] as number)
  return field.read(WIRE.bytes, start, SCAN.ends[index] as number)
}
