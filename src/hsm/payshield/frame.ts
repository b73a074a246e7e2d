import { NadiError } from '#base'

/** What two bytes can say. */
export const FRAME_BYTES_MAX = 0xffff

const LENGTH_BYTES = 2

/**
 * Tells messages apart in a stream, however it is cut:
 *
 *     ┌────────┬────────┬───────────────────────┐
 *     │ length, big-end │ header, command, …    │   the length does not count itself
 *     └────────┴────────┴───────────────────────┘
 */
export class FrameReader {
  readonly #frameBytesMax: number
  #chunks: Buffer[] = []
  #bytes = 0
  /** Bytes that the unfinished frame has, its length included; as far as they are known. */
  #wanted = LENGTH_BYTES

  constructor(frameBytesMax = FRAME_BYTES_MAX) {
    this.#frameBytesMax = frameBytesMax
  }

  /** Bytes of a frame that is not whole yet. */
  get bytesPending(): number {
    return this.#bytes
  }

  /**
   * Takes bytes and hands out every frame that is whole, as a view that is valid until `onFrame`
   * returns. Throws FRAME_LENGTH when a length is zero or above the limit: nothing behind it can be
   * told apart any more.
   */
  push(chunk: Uint8Array, onFrame: (frame: Buffer) => void): void {
    // A copy, since the chunk belongs to the caller again afterwards.
    this.#chunks.push(Buffer.from(chunk))
    this.#bytes += chunk.length
    if (this.#bytes < this.#wanted) return
    let rest = Buffer.concat(this.#chunks, this.#bytes)
    this.#keep(Buffer.alloc(0))
    while (rest.length >= LENGTH_BYTES) {
      this.#wanted = LENGTH_BYTES + this.#lengthOf(rest)
      if (rest.length < this.#wanted) break
      onFrame(rest.subarray(LENGTH_BYTES, this.#wanted))
      rest = rest.subarray(this.#wanted)
      this.#wanted = LENGTH_BYTES
    }
    this.#keep(rest)
  }

  #lengthOf(bytes: Buffer): number {
    const length = bytes.readUInt16BE(0)
    if (length === 0 || length > this.#frameBytesMax) {
      const expected = `1 to ${this.#frameBytesMax}`
      throw new NadiError('FRAME_LENGTH', { expected, actual: String(length) })
    }
    return length
  }

  #keep(bytes: Buffer): void {
    this.#chunks = bytes.length === 0 ? [] : [bytes]
    this.#bytes = bytes.length
  }
}

/** One message with its length before it. Throws FRAME_LENGTH when it is empty or too long. */
export function frame(message: string, frameBytesMax = FRAME_BYTES_MAX): Buffer {
  const { length } = message
  if (length === 0 || length > frameBytesMax) {
    throw new NadiError('FRAME_LENGTH', {
      expected: `1 to ${frameBytesMax}`,
      actual: String(length),
    })
  }
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + length)
  bytes.writeUInt16BE(length, 0)
  bytes.write(message, LENGTH_BYTES, 'latin1')
  return bytes
}
