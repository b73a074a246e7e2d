import { NadiError } from '#base'
import { readDecimal } from './field.ts'
import type { Framer, FrameReader } from './framing.ts'
import { writeLatin1 } from './latin1.ts'

/**
 * How one frame stands in a stream:
 *
 *     ┌────────┬───────────────────────────┬─────────┐
 *     │ length │ body                      │ trailer │
 *     └────────┴───────────────────────────┴─────────┘
 *      binary    what the codec reads        one byte,
 *      or text                               or none
 */
export type FramingSpec = {
  readonly length:
    | { readonly form: 'binary'; readonly bytes: 2 | 4; readonly order: 'big' | 'little' }
    | { readonly form: 'decimal' | 'hex'; readonly digits: number }
  /** What the length counts besides the body. */
  readonly counts: { readonly itself: boolean; readonly trailer: boolean }
  /** The byte after each body. */
  readonly trailer?: number
  /** The largest body. */
  readonly frameBytesMax: number
}

export function compileFraming(spec: FramingSpec): Framer {
  const { frameBytesMax, trailer } = spec
  const header = compileHeader(spec)
  const trailerBytes = trailer === undefined ? 0 : 1
  const extra =
    (spec.counts.itself ? header.bytes : 0) + (spec.counts.trailer && trailerBytes ? 1 : 0)
  const shape: Shape = {
    headerBytes: header.bytes,
    trailer,
    bodyBytes(bytes, at) {
      const length = header.read(bytes, at) - extra
      if (length >= 1 && length <= frameBytesMax) return length
      const expected = `a length from ${1 + extra} to ${frameBytesMax + extra}`
      throw new NadiError('FRAME_LENGTH', { expected })
    },
  }
  return {
    frameBytesMax,
    reader: () => new Reader(shape),
    wrap(frame) {
      if (frame.length < 1 || frame.length > frameBytesMax || frame.length + extra > header.max) {
        const [expected, actual] = [`1 to ${frameBytesMax} bytes`, `${frame.length}`]
        throw new NadiError('FRAME_LENGTH', { expected, actual })
      }
      const out = Buffer.allocUnsafe(header.bytes + frame.length + trailerBytes)
      header.write(out, frame.length + extra)
      out.set(frame, header.bytes)
      if (trailer !== undefined) out[out.length - 1] = trailer
      return out
    },
  }
}

type Header = {
  readonly bytes: number
  readonly max: number
  /** The number in the header, or -1 when it is none. */
  read(bytes: Uint8Array, at: number): number
  write(out: Buffer, length: number): void
}

function compileHeader({ length }: FramingSpec): Header {
  if (length.form === 'binary') return binaryHeader(length.bytes, length.order)
  const { digits } = length
  const radix = length.form === 'hex' ? 16 : 10
  return {
    bytes: digits,
    max: radix ** digits - 1,
    read: (bytes, at) =>
      radix === 10 ? readDecimal(bytes, at, at + digits) : readHex(bytes, at, at + digits),
    write(out, value) {
      writeLatin1(out, value.toString(radix).toUpperCase().padStart(digits, '0'), 0)
    },
  }
}

function binaryHeader(bytes: 2 | 4, order: 'big' | 'little'): Header {
  const place = (index: number) => (order === 'big' ? bytes - 1 - index : index)
  return {
    bytes,
    max: 2 ** (8 * bytes) - 1,
    read(from, at) {
      let value = 0
      for (let index = bytes - 1; index >= 0; index--) {
        value = value * 256 + (from[at + place(index)] as number)
      }
      return value
    },
    write(out, value) {
      for (let index = 0, rest = value; index < bytes; index++) {
        out[place(index)] = rest % 256
        rest = Math.floor(rest / 256)
      }
    },
  }
}

function readHex(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = parseInt(String.fromCharCode(bytes[at] as number), 16)
    if (Number.isNaN(digit)) return -1
    value = value * 16 + digit
  }
  return value
}

type Shape = {
  readonly headerBytes: number
  readonly trailer: number | undefined
  /** The body's length by the header at `at`; throws FRAME_LENGTH. */
  bodyBytes(bytes: Uint8Array, at: number): number
}

const KEPT_BYTES_FIRST = 512

/**
 * Frames that lie whole in a chunk are handed on where they lie. Only a frame that is cut by the
 * end of a chunk is gathered, in a buffer that grows with what really came, never with what a
 * header promises.
 */
class Reader implements FrameReader {
  readonly #shape: Shape
  #kept = Buffer.alloc(0)
  #keptBytes = 0

  constructor(shape: Shape) {
    this.#shape = shape
  }

  get bytesPending(): number {
    return this.#keptBytes
  }

  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    let at = this.#keptBytes > 0 ? this.#complete(chunk, onFrame) : 0
    const { headerBytes } = this.#shape
    while (chunk.length - at >= headerBytes) {
      const size = this.#size(chunk, at)
      if (chunk.length - at < size) break
      this.#deliver(chunk, at, size, onFrame)
      at += size
    }
    if (at < chunk.length) this.#keep(chunk, at, chunk.length)
  }

  /** Adds to the unfinished frame until it is whole; returns how much of the chunk that took. */
  #complete(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): number {
    const { headerBytes } = this.#shape
    let at = 0
    if (this.#keptBytes < headerBytes) {
      at = Math.min(headerBytes - this.#keptBytes, chunk.length)
      this.#keep(chunk, 0, at)
      if (this.#keptBytes < headerBytes) return at
    }
    const size = this.#size(this.#kept, 0)
    const end = Math.min(at + size - this.#keptBytes, chunk.length)
    this.#keep(chunk, at, end)
    if (this.#keptBytes === size) {
      this.#keptBytes = 0
      this.#deliver(this.#kept, 0, size, onFrame)
      if (this.#kept.length > KEPT_BYTES_FIRST) this.#kept = Buffer.alloc(0)
    }
    return end
  }

  /** Header, body and trailer together. */
  #size(bytes: Uint8Array, at: number): number {
    const { headerBytes, trailer } = this.#shape
    return headerBytes + this.#shape.bodyBytes(bytes, at) + (trailer === undefined ? 0 : 1)
  }

  #deliver(
    bytes: Uint8Array,
    at: number,
    size: number,
    onFrame: (frame: Uint8Array) => void,
  ): void {
    const { headerBytes, trailer } = this.#shape
    let end = at + size
    if (trailer !== undefined && bytes[--end] !== trailer) {
      const expected = `the trailer 0x${trailer.toString(16).padStart(2, '0')} after the body`
      throw new NadiError('FRAME_LENGTH', { expected })
    }
    onFrame(bytes.subarray(at + headerBytes, end))
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    const wanted = this.#keptBytes + end - start
    if (wanted > this.#kept.length) {
      const grown = Buffer.alloc(Math.max(KEPT_BYTES_FIRST, wanted * 2))
      grown.set(this.#kept.subarray(0, this.#keptBytes))
      this.#kept = grown
    }
    this.#kept.set(chunk.subarray(start, end), this.#keptBytes)
    this.#keptBytes = wanted
  }
}
