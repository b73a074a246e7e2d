import { NadiError } from '#base'
import type { FrameReader, OnFrame } from './framing.ts'
import { Kept } from './kept.ts'

/** What a reader of counted frames needs to know. */
export type CountedShape = {
  /** Before, length and after together. */
  readonly prefixBytes: number
  /** Bytes behind the prefix, trailer included; 0 is a keep-alive. Throws FRAME_LENGTH. */
  restBytes(bytes: Uint8Array, at: number): number
  /** Checks the trailer and hands on what stands between prefix and trailer. */
  deliver(bytes: Uint8Array, start: number, end: number, onFrame: OnFrame): void
  readonly keepAlivesMax: number
}

/**
 * Frames that lie whole in a chunk are handed on where they lie. Only a frame that is cut by the
 * end of a chunk is gathered.
 */
export class CountedReader implements FrameReader {
  readonly #shape: CountedShape
  readonly #kept = new Kept()
  #keepAlives = 0

  constructor(shape: CountedShape) {
    this.#shape = shape
  }

  get bytesPending(): number {
    return this.#kept.length
  }

  push(chunk: Uint8Array, onFrame: OnFrame, onKeepAlive?: () => void): void {
    let at = this.#kept.length > 0 ? this.#complete(chunk, onFrame, onKeepAlive) : 0
    const { prefixBytes } = this.#shape
    while (chunk.length - at >= prefixBytes) {
      const size = prefixBytes + this.#shape.restBytes(chunk, at)
      if (chunk.length - at < size) break
      this.#deliver(chunk, at, size, onFrame, onKeepAlive)
      at += size
    }
    if (at < chunk.length) this.#kept.add(chunk, at, chunk.length)
  }

  pause(): void {}

  /** Adds to the unfinished frame until it is whole; returns how much of the chunk that took. */
  #complete(chunk: Uint8Array, onFrame: OnFrame, onKeepAlive?: () => void): number {
    const { prefixBytes } = this.#shape
    const kept = this.#kept
    let at = 0
    if (kept.length < prefixBytes) {
      at = Math.min(prefixBytes - kept.length, chunk.length)
      kept.add(chunk, 0, at)
      if (kept.length < prefixBytes) return at
    }
    const size = prefixBytes + this.#shape.restBytes(kept.bytes, 0)
    const end = Math.min(at + size - kept.length, chunk.length)
    kept.add(chunk, at, end)
    if (kept.length === size) {
      kept.clear()
      this.#deliver(kept.bytes, 0, size, onFrame, onKeepAlive)
      kept.shrink()
    }
    return end
  }

  #deliver(
    bytes: Uint8Array,
    at: number,
    size: number,
    onFrame: OnFrame,
    onKeepAlive?: () => void,
  ): void {
    const { prefixBytes, keepAlivesMax } = this.#shape
    if (size > prefixBytes) {
      this.#keepAlives = 0
      return this.#shape.deliver(bytes, at + prefixBytes, at + size, onFrame)
    }
    if (++this.#keepAlives > keepAlivesMax) throw tooManyKeepAlives(keepAlivesMax)
    onKeepAlive?.()
  }
}

export function tooManyKeepAlives(most: number): NadiError {
  const expected = `a message after at most ${most} keep-alives in a row`
  return new NadiError('FRAME_LENGTH', { expected })
}
