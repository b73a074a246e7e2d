import { NadiError } from '#base'
import { CLASSES, type ContentClass, KIND_OF_CHAR, latin1Text, latin1Write } from '#iso8583'

/** Above this many characters one native call is cheaper than a loop. */
const LOOP_CHARS_MAX = 64
const ROOM_CHARS = 4096

/**
 * Where the value of one data element is put together, part by part, one byte a character; the
 * codec then writes it as its field table says. One of these serves all messages of a pack.
 */
export class ValueWriter {
  #buffer = Buffer.alloc(ROOM_CHARS)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The characters so far; overwritten after the next `begin`. */
  get characters(): Uint8Array {
    return this.#buffer
  }

  begin(): void {
    this.#length = 0
  }

  /** Digits of a whole number from 0 up, zeros to its left. */
  digits(value: number, width: number, path: string): void {
    this.#room(width)
    const buffer = this.#buffer
    const start = this.#length
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
    if (rest !== 0 || value < 0) throw unsayable(path, `${width} digits`)
    this.#length += width
  }

  /** Exactly `width` characters of a class. */
  text(value: string, width: number, content: ContentClass, path: string): void {
    if (value.length !== width) throw unsayable(path, `${width} characters`)
    this.chars(value, content, path)
  }

  /** As many characters of a class as there are. */
  chars(value: string, content: ContentClass, path: string): void {
    const { length } = value
    this.#room(length)
    const buffer = this.#buffer
    const { bits, text } = CLASSES[content]
    const long = length > LOOP_CHARS_MAX
    let at = this.#length
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      // An index above 255 gives undefined, which allows nothing.
      if (((KIND_OF_CHAR[code] as number) & bits) === 0) throw unsayable(path, text)
      if (!long) buffer[at++] = code
    }
    if (long) latin1Write(buffer, value, at)
    this.#length += length
  }

  fill(byte: number, count: number): void {
    this.#room(count)
    const buffer = this.#buffer
    const start = this.#length
    for (let i = 0; i < count; i++) buffer[start + i] = byte
    this.#length = start + count
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** The value as text. */
  toText(): string {
    return latin1Text(this.#buffer, 0, this.#length)
  }

  #room(count: number): void {
    const { length } = this.#buffer
    if (this.#length + count <= length) return
    const larger = Buffer.alloc(Math.max(length * 2, this.#length + count))
    larger.set(this.#buffer)
    this.#buffer = larger
  }
}

/** The value's own text stays out of the error: it may be sensitive. */
export function unsayable(path: string, expected: string): NadiError {
  return new NadiError('CODEC_VALUE', { path, expected })
}
