import { NadiError } from '#base'
import { CLASS_BITS, CONTENT_CLASSES, KIND_OF_BYTE, type ContentClass } from './content.ts'
import { BITMAP_BYTES, MTI_BYTES } from './decode.ts'
import type { FieldCodec } from './field.ts'
import { FIELD_NUMBER_MAX } from './fields.ts'
import { writeLatin1 } from './latin1.ts'

/** Above this many characters one native call is cheaper than a loop. */
const LOOP_CHARS_MAX = 64
const HEX = Buffer.from('0123456789ABCDEF')

/**
 * Writes one frame after another into the same buffer and copies each out once. Fields come in
 * ascending order between `begin` and `end`; the bitmap fills itself.
 */
export class FrameWriter {
  readonly #buffer: Buffer
  readonly #secondary: boolean
  readonly #words = new Int32Array(FIELD_NUMBER_MAX / 32)
  #at = 0
  #last = 0
  #valueStart = 0

  /** `secondary` frames always carry a second bitmap; these dialects have none. */
  constructor(frameBytesMax: number, secondary = false) {
    this.#buffer = Buffer.alloc(frameBytesMax)
    this.#secondary = secondary
  }

  get at(): number {
    return this.#at
  }

  /** Where the value of the open field begins. */
  get valueStart(): number {
    return this.#valueStart
  }

  begin(mti: string): void {
    this.#at = 0
    this.#last = 1
    this.#words.fill(0)
    this.text(mti, MTI_BYTES, 'n', 'mti')
    this.#at += this.#secondary ? 2 * BITMAP_BYTES : BITMAP_BYTES
  }

  /** Opens a field: its bit is set and room is left for its length. */
  open(codec: FieldCodec): void {
    const { number } = codec.spec
    if (number <= this.#last || (number > 64 && !this.#secondary)) {
      throw new NadiError('CODEC_VALUE', { path: codec.path, expected: 'fields in order' })
    }
    this.#last = number
    const word = (number - 1) >> 5
    this.#words[word] = (this.#words[word] as number) | (1 << (31 - ((number - 1) & 31)))
    this.#room(codec.prefixBytes, codec.path)
    this.#at += codec.prefixBytes
    this.#valueStart = this.#at
  }

  /** Closes the field that was opened last and writes its length. */
  close(codec: FieldCodec): void {
    const start = this.#valueStart
    codec.writeLength(this.#buffer, start - codec.prefixBytes, this.#at - start)
  }

  /** Digits of a whole number from 0 up, zeros to its left. */
  digits(value: number, width: number, path: string): void {
    this.#room(width, path)
    const buffer = this.#buffer
    const start = this.#at
    let place = start + width - 1
    let rest = value
    // Above 31 bits the division is one of doubles, which is much slower.
    for (; rest > 0x7fffffff && place >= start; place--) {
      const next = Math.floor(rest / 10)
      buffer[place] = 0x30 + (rest - next * 10)
      rest = next
    }
    if (rest <= 0x7fffffff) {
      for (let small = rest | 0; place >= start; place--) {
        const next = (small / 10) | 0
        buffer[place] = 0x30 + (small - next * 10)
        rest = small = next
      }
    }
    if (rest !== 0 || value < 0) throw tooLong(path, start, `${width} digits`)
    this.#at += width
  }

  /** Exactly `width` characters of a class. */
  text(value: string, width: number, content: ContentClass, path: string): void {
    if (value.length !== width) throw tooLong(path, this.#at, `${width} characters`)
    this.chars(value, content, path)
  }

  /** As many characters of a class as there are. */
  chars(value: string, content: ContentClass, path: string): void {
    const length = value.length
    this.#room(length, path)
    const buffer = this.#buffer
    const bits = CLASS_BITS[content]
    const long = length > LOOP_CHARS_MAX
    let at = this.#at
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      // An index above 255 gives undefined, which allows nothing.
      if (((KIND_OF_BYTE[code] as number) & bits) === 0) {
        const expected = CONTENT_CLASSES[content]
        throw new NadiError('CODEC_VALUE', { path, offset: at, expected })
      }
      if (!long) buffer[at++] = code
    }
    if (long) writeLatin1(buffer, value, at)
    this.#at += length
  }

  fill(byte: number, count: number, path: string): void {
    this.#room(count, path)
    const buffer = this.#buffer
    const start = this.#at
    for (let i = 0; i < count; i++) buffer[start + i] = byte
    this.#at = start + count
  }

  /** The frame, copied out. */
  end(): Uint8Array {
    this.#bitmap()
    const frame = Buffer.allocUnsafe(this.#at)
    this.#buffer.copy(frame, 0, 0, this.#at)
    return frame
  }

  #bitmap(): void {
    const buffer = this.#buffer
    if (this.#secondary) this.#words[0] = (this.#words[0] as number) | (1 << 31)
    let at = MTI_BYTES
    for (let index = 0; index < (this.#secondary ? 4 : 2); index++) {
      const word = this.#words[index] as number
      for (let shift = 28; shift >= 0; shift -= 4) {
        buffer[at++] = HEX[(word >>> shift) & 15] as number
      }
    }
  }

  #room(count: number, path: string): void {
    if (this.#at + count > this.#buffer.length) {
      throw tooLong(path, this.#at, `a frame of at most ${this.#buffer.length} bytes`)
    }
  }
}

function tooLong(path: string, offset: number, expected: string): NadiError {
  return new NadiError('CODEC_VALUE', { path, offset, expected })
}
