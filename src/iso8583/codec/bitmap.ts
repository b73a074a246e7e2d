import { NadiError } from '#base'
import { CODE_PAGES } from './ebcdic.ts'
import type { Out } from './out.ts'
import { badValue, truncated } from './rejects.ts'
import type { BitmapSpec } from './spec.ts'
import { CHAR_OF_NIBBLE, NIBBLE_OF_CHAR } from './text.ts'
import type { Wire } from './wire.ts'

export function hasBit(words: Int32Array, number: number): boolean {
  const word = words[(number - 1) >> 5] as number
  return (word & (0x80000000 >>> ((number - 1) & 31))) !== 0
}

/** Sets the bit of a number; bit 1 is the highest of the first word. */
export function setBit(words: Int32Array, number: number): void {
  const word = (number - 1) >> 5
  words[word] = (words[word] as number) | (0x80000000 >>> ((number - 1) & 31))
}

/** Of 32 bits, for 192 data elements; there are always so many, whoever needs fewer. */
export const WORDS = 6

/**
 * Bitmaps one behind the other, each `bytes` long:
 *
 *     ┌─────────────────┬─────────────────┬──────────
 *     │ bits 1 to 64    │ bits 65 to 128  │ …             with `auto`, bit 1 of each but the last
 *     └─────────────────┴─────────────────┴──────────     says that one more follows
 *
 * What was read stands in `words`, 32 bits each, bit 1 being the highest of the first. Bits that
 * only announce a bitmap are taken out.
 */
export class Bitmap {
  readonly spec: BitmapSpec
  readonly words: Int32Array
  /** Bitmaps that there were. */
  count = 0
  readonly #path: string
  readonly #lowerCase: boolean
  readonly #byteOfChar: Uint8Array
  readonly #charOfByte: Uint8Array
  /** Bytes on the wire of one byte of bits. */
  readonly #spread: 1 | 2

  constructor(spec: BitmapSpec, path: string, lowerCaseHex: boolean) {
    this.spec = spec
    this.#path = path
    this.#lowerCase = lowerCaseHex
    this.words = new Int32Array(Math.max(WORDS, Math.ceil((spec.bytes * this.most) / 4)))
    const page = CODE_PAGES[spec.encoding === 'hex-ebcdic' ? 'ebcdic-037' : 'ascii']
    this.#byteOfChar = page.byteOfChar
    this.#charOfByte = page.charOfByte
    this.#spread = spec.encoding === 'binary' ? 1 : 2
  }

  get most(): number {
    return this.spec.extension === 'auto' ? this.spec.most : 1
  }

  /** Bytes of one bitmap on the wire. */
  get wireBytes(): number {
    return this.spec.bytes * this.#spread
  }

  /** Bits of one bitmap. */
  get bits(): number {
    return this.spec.bytes * 8
  }

  /** The highest number that a bit can stand for. */
  get numberMax(): number {
    return this.bits * this.most
  }

  has(number: number): boolean {
    return hasBit(this.words, number)
  }

  /** Reads all bitmaps that stand at `at` and returns where they end. */
  read(wire: Wire, at: number, end: number): number {
    const { words } = this
    for (let i = 0; i < words.length; i++) words[i] = 0
    this.count = 0
    let place = at
    for (let more = true; more;) {
      const first = this.count * this.spec.bytes
      place = this.#readOne(wire, place, end, first)
      this.count++
      more = this.#extends(first)
      if (!more) continue
      if (this.spec.extension === 'forbidden') throw this.#abused(place)
      this.#clear(first)
    }
    return place
  }

  /** How many bitmaps fields up to `highest` need. Throws CODEC_VALUE when there are not so many. */
  needed(highest: number, countMin: number): number {
    if (highest <= this.bits && countMin <= 1) return 1
    const count = Math.max(countMin, Math.ceil(highest / this.bits), 1)
    if (count <= this.most) return count
    throw badValue(this.#path, `fields up to ${this.numberMax}`, String(highest))
  }

  /** Writes the first `count` bitmaps of the words, and the bits that announce further ones. */
  write(out: Out, words: Int32Array, count: number): void {
    for (let i = 0; i + 1 < count; i++) setBit(words, i * this.bits + 1)
    const bytes = count * this.spec.bytes
    out.room(bytes * this.#spread)
    if (this.#spread === 1 && bytes % 4 === 0) {
      for (let i = 0; i < bytes; i += 4) out.view.setInt32(out.at + i, words[i >> 2] as number)
      out.at += bytes
      return
    }
    for (let i = 0; i < bytes; i++) {
      const byte = ((words[i >> 2] as number) >>> (24 - 8 * (i & 3))) & 0xff
      if (this.#spread === 1) out.bytes[out.at++] = byte
      else {
        out.bytes[out.at++] = this.#byteOfChar[CHAR_OF_NIBBLE[byte >> 4] as number] as number
        out.bytes[out.at++] = this.#byteOfChar[CHAR_OF_NIBBLE[byte & 15] as number] as number
      }
    }
  }

  #readOne(wire: Wire, at: number, end: number, first: number): number {
    const { bytes: count } = this.spec
    const wanted = count * this.#spread
    if (wanted > end - at) throw truncated(this.#path, at, wanted, end - at)
    const { words } = this
    if (this.#spread === 1 && count === 8) {
      words[first >> 2] = wire.view.getInt32(at)
      words[(first >> 2) + 1] = wire.view.getInt32(at + 4)
      return at + 8
    }
    for (let i = 0; i < count; i++) {
      const byte =
        this.#spread === 1 ? (wire.bytes[at + i] as number) : this.#hexByte(wire, at + i * 2)
      const bit = first + i
      words[bit >> 2] = (words[bit >> 2] as number) | (byte << (24 - 8 * (bit & 3)))
    }
    return at + wanted
  }

  #hexByte({ bytes }: Wire, at: number): number {
    return (this.#nibble(bytes, at) << 4) | this.#nibble(bytes, at + 1)
  }

  #nibble(bytes: Uint8Array, at: number): number {
    const char = this.#charOfByte[bytes[at] as number] as number
    const nibble = NIBBLE_OF_CHAR[char] as number
    if (nibble >= 0 && (char < 0x61 || this.#lowerCase)) return nibble
    const [path, expected] = [this.#path, 'upper-case hexadecimal digits']
    throw new NadiError('CODEC_BITMAP', { path, offset: at, expected, actual: 'another character' })
  }

  /** Whether the bitmap that begins with byte `first` says that one more follows. */
  #extends(first: number): boolean {
    const { extension } = this.spec
    if (extension === 'always' || !this.has(first * 8 + 1)) return false
    return extension === 'forbidden' || this.count < this.most
  }

  #clear(first: number): void {
    const word = (first * 8) >> 5
    this.words[word] = (this.words[word] as number) & ~(1 << (31 - ((first * 8) & 31)))
  }

  #abused(offset: number): NadiError {
    const [expected, actual] = ['no further bitmap in this dialect', 'bit 1 set']
    return new NadiError('CODEC_BITMAP', { path: this.#path, offset, expected, actual })
  }
}
