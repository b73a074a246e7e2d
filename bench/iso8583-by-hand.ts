/**
 * The 324-byte purchase written and read by a loop for just this message: the limit of what can be
 * had in JavaScript, and no codec. What it checks:
 *
 *   parse           the frame holds MTI, bitmap and every field that the bitmap names; lengths are
 *                   digits and within the field's limit; nothing is left over; fields are defined
 *   parseChecked    the same, and every byte against its class, one look in a table a byte
 *   build           nothing: values are taken to be of the right length and class
 *   buildChecked    lengths, and every character against its class; none above 0xff
 *
 * The MTI is not looked at, there is one bitmap, and errors do not say where.
 */
const FIXED: Readonly<Record<number, number>> = {
  3: 6, 4: 12, 7: 10, 11: 6, 12: 6, 13: 4, 14: 4, 18: 4, 22: 3, 25: 2, 37: 12, 39: 2, 41: 8, 42: 15, 43: 40,
  49: 3, 52: 8, 64: 8,
} // prettier-ignore
const VARIABLE: Readonly<Record<number, readonly [digits: number, most: number]>> = {
  2: [2, 19], 32: [2, 11], 35: [2, 37], 48: [3, 999], 60: [3, 999], 62: [3, 999],
} // prettier-ignore

const NUMERIC = new Set([2, 3, 4, 7, 11, 12, 13, 14, 18, 22, 25, 32, 49])
const RAW = new Set([52, 64])

const DIGITS = new Int32Array(65)
const SIZE = new Int32Array(65)
const CLASS = new Uint8Array(65)
for (let number = 1; number <= 64; number++) {
  const variable = VARIABLE[number]
  DIGITS[number] = variable?.[0] ?? 0
  SIZE[number] = variable?.[1] ?? FIXED[number] ?? -1
  CLASS[number] = RAW.has(number) ? 4 : NUMERIC.has(number) ? 1 : 2
}
const KIND = new Uint8Array(256).map((_, byte) => {
  const digit = byte >= 0x30 && byte <= 0x39 ? 1 : 0
  return digit | (byte >= 0x20 && byte < 0x7f ? 2 : 0) | 4
})

/** Of each field that is there its number, start and end, one after the other. */
export type Offsets = number[]

export function parse(frame: Uint8Array): Offsets {
  return scan(frame, false)
}

export function parseChecked(frame: Uint8Array): Offsets {
  return scan(frame, true)
}

function scan(frame: Uint8Array, checked: boolean): Offsets {
  const offsets: Offsets = []
  const end = frame.length
  if (end < 12) throw new Error('truncated')
  let at = 12
  for (let half = 0; half < 2; half++) {
    const from = 4 + half * 4
    let word =
      ((frame[from] as number) << 24) |
      ((frame[from + 1] as number) << 16) |
      ((frame[from + 2] as number) << 8) |
      (frame[from + 3] as number)
    while (word !== 0) {
      const place = Math.clz32(word)
      word &= ~(0x80000000 >>> place)
      const number = half * 32 + place + 1
      const digits = DIGITS[number] as number
      let size = SIZE[number] as number
      if (size < 0) throw new Error('undefined field')
      if (digits > 0) {
        if (at + digits > end) throw new Error('truncated')
        let length = 0
        for (let i = 0; i < digits; i++) {
          const digit = (frame[at++] as number) - 0x30
          if (digit < 0 || digit > 9) throw new Error('no length')
          length = length * 10 + digit
        }
        if (length > size) throw new Error('too long')
        size = length
      }
      const next = at + size
      if (next > end) throw new Error('truncated')
      if (checked) {
        const bits = CLASS[number] as number
        for (let i = at; i < next; i++) {
          if (((KIND[frame[i] as number] as number) & bits) === 0) throw new Error('wrong class')
        }
      }
      offsets.push(number, at, next)
      at = next
    }
  }
  if (at !== end) throw new Error('trailing')
  return offsets
}

type Latin1 = {
  latin1Slice(start: number, end: number): string
  latin1Write(text: string, at: number, length: number): number
}

/** The text of the whole frame, from which values are cut. */
export function textOf(frame: Buffer): string {
  return (frame as unknown as Latin1).latin1Slice(0, frame.length)
}

export function valueOf(text: string, offsets: Offsets, number: number): string | undefined {
  for (let i = 0; i < offsets.length; i += 3) {
    if (offsets[i] === number) {
      return text.substring(offsets[i + 1] as number, offsets[i + 2])
    }
  }
  return undefined
}

const OUT = Buffer.alloc(4096)

/** Values by number; DE52 as bytes. Short ones character by character, long ones in one call. */
export function build(mti: string, values: readonly (string | Uint8Array | undefined)[]): Buffer {
  let high = 0
  let low = 0
  for (let i = 0; i < 4; i++) OUT[i] = mti.charCodeAt(i)
  let at = 12
  for (let number = 2; number <= 64; number++) {
    const value = values[number]
    if (value === undefined) continue
    if (number <= 32) high |= 1 << (32 - number)
    else low |= 1 << (64 - number)
    const { length } = value
    at = writeLength(at, DIGITS[number] as number, length)
    if (typeof value !== 'string') OUT.set(value, at)
    else if (length > 24) (OUT as unknown as Latin1).latin1Write(value, at, length)
    else for (let i = 0; i < length; i++) OUT[at + i] = value.charCodeAt(i)
    at += length
  }
  return finish(at, high, low)
}

export function buildChecked(
  mti: string,
  values: readonly (string | Uint8Array | undefined)[],
): Buffer {
  let high = 0
  let low = 0
  for (let i = 0; i < 4; i++) OUT[i] = mti.charCodeAt(i)
  let at = 12
  for (let number = 2; number <= 64; number++) {
    const value = values[number]
    if (value === undefined) continue
    if (number <= 32) high |= 1 << (32 - number)
    else low |= 1 << (64 - number)
    const { length } = value
    const digits = DIGITS[number] as number
    const size = SIZE[number] as number
    if (digits > 0 ? length > size : length !== size) throw new Error('wrong length')
    at = writeLength(at, digits, length)
    if (typeof value !== 'string') OUT.set(value, at)
    else {
      const bits = CLASS[number] as number
      for (let i = 0; i < length; i++) {
        const code = value.charCodeAt(i)
        if (code > 0xff || ((KIND[code] as number) & bits) === 0) throw new Error('wrong class')
        OUT[at + i] = code
      }
    }
    at += length
  }
  return finish(at, high, low)
}

function writeLength(at: number, digits: number, length: number): number {
  for (let place = at + digits - 1, rest = length; place >= at; place--) {
    const next = (rest / 10) | 0
    OUT[place] = 0x30 + rest - next * 10
    rest = next
  }
  return at + digits
}

function finish(end: number, high: number, low: number): Buffer {
  OUT.writeInt32BE(high, 4)
  OUT.writeInt32BE(low, 8)
  const frame = Buffer.allocUnsafe(end)
  OUT.copy(frame, 0, 0, end)
  return frame
}

/** The 0210 of a 0200: scanned, and the raw slices copied that an answer repeats, 39 between them. */
const ECHOED = new Set([2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49])

export function answer(frame: Buffer): Buffer {
  const offsets = parse(frame)
  OUT.write('0210', 0, 'latin1')
  let high = 0
  let low = 0
  let at = 12
  let answered = false
  for (let i = 0; i < offsets.length; i += 3) {
    const number = offsets[i] as number
    if (!answered && number > 39) {
      OUT[at++] = 0x30
      OUT[at++] = 0x30
      low |= 1 << (64 - 39)
      answered = true
    }
    if (!ECHOED.has(number)) continue
    const from = (offsets[i + 1] as number) - (DIGITS[number] as number)
    const to = offsets[i + 2] as number
    if (to - from <= 16) for (let j = from; j < to; j++) OUT[at + j - from] = frame[j] as number
    else frame.copy(OUT, at, from, to)
    at += to - from
    if (number <= 32) high |= 1 << (32 - number)
    else low |= 1 << (64 - number)
  }
  return finish(at, high, low)
}

export const ANSWER_COPIES = [...ECHOED]
