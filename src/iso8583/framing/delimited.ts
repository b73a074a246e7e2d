import { NadiError } from '#base'
import { tooManyKeepAlives } from './counted.ts'
import type { FrameReader, Measure, OnFrame } from './framing.ts'
import { Kept } from './kept.ts'

/** Where the first frame of some bytes lies, and where the next one begins. */
export type Found = {
  readonly start: number
  readonly end: number
  readonly next: number
  /** The frame itself, where it does not lie in the bytes as it is. */
  readonly body?: Uint8Array
  /** Nothing at all, not even a keep-alive. */
  readonly space?: true
}

/** `searched`: so many of the bytes were looked at before, in vain. */
export type Find = (bytes: Uint8Array, searched: number) => Found | undefined

/** What a reader needs to know of frames that have no length before them. */
export type DelimitedShape = {
  /** Undefined where only a pause ends a frame. */
  readonly find: Find | undefined
  /** With header and what ends it. */
  readonly wireBytesMax: number
  deliver(bytes: Uint8Array, start: number, end: number, onFrame: OnFrame): void
  readonly keepAlivesMax: number
}

/**
 * Frames whose end has to be looked for. What is not finished is kept, and is never looked
 * through twice; it is bounded by the largest frame.
 */
export class DelimitedReader implements FrameReader {
  readonly #shape: DelimitedShape
  readonly #kept = new Kept()
  #searched = 0
  #keepAlives = 0

  constructor(shape: DelimitedShape) {
    this.#shape = shape
  }

  get bytesPending(): number {
    return this.#kept.length
  }

  push(chunk: Uint8Array, onFrame: OnFrame, onKeepAlive?: () => void): void {
    const kept = this.#kept
    if (kept.length === 0) {
      const taken = this.#take(chunk, onFrame, onKeepAlive)
      if (taken < chunk.length) kept.add(chunk, taken, chunk.length)
    } else {
      kept.add(chunk, 0, chunk.length)
      kept.drop(this.#take(kept.view, onFrame, onKeepAlive))
    }
    this.#searched = kept.length
    if (kept.length > this.#shape.wireBytesMax) throw tooLong(this.#shape.wireBytesMax)
  }

  pause(onFrame: OnFrame): void {
    if (this.#shape.find || this.#kept.length === 0) return
    const frame = Uint8Array.from(this.#kept.view)
    this.#kept.drop(this.#kept.length)
    this.#shape.deliver(frame, 0, frame.length, onFrame)
  }

  /** Hands on what is whole; returns how many bytes that took. */
  #take(bytes: Uint8Array, onFrame: OnFrame, onKeepAlive?: () => void): number {
    const { find, wireBytesMax, keepAlivesMax } = this.#shape
    let at = 0
    if (!find) return at
    while (at < bytes.length) {
      const found = find(bytes.subarray(at), at === 0 ? this.#searched : 0)
      if (!found) break
      if (found.next > wireBytesMax && !found.space) throw tooLong(wireBytesMax)
      const { start, end, body } = found
      if (end > start) {
        this.#keepAlives = 0
        if (body) this.#shape.deliver(body, 0, body.length, onFrame)
        else this.#shape.deliver(bytes, at + start, at + end, onFrame)
      } else if (!found.space) {
        if (++this.#keepAlives > keepAlivesMax) throw tooManyKeepAlives(keepAlivesMax)
        onKeepAlive?.()
      }
      at += found.next
    }
    return at
  }
}

/** A frame ends before the trailer. */
export function findTrailer(trailer: Uint8Array): Find {
  return (bytes, searched) => {
    // A trailer may begin in what came before and end in what came now.
    const end = indexOf(bytes, trailer, Math.max(0, searched - trailer.length + 1))
    return end < 0 ? undefined : { start: 0, end, next: end + trailer.length }
  }
}

/** A frame ends with the text; white space before it is passed over and not part of it. */
export function findDocument(text: Uint8Array): Find {
  return (bytes, searched) => {
    let start = 0
    while (start < bytes.length && isSpace(bytes[start] as number)) start++
    if (start > 0) return { start, end: start, next: start, space: true }
    const last = indexOf(bytes, text, Math.max(0, searched - text.length + 1))
    if (last < 0) return undefined
    const end = last + text.length
    return { start, end, next: end }
  }
}

/** Whether this, and nothing less or more, is found again as one document. */
export function isDocument(bytes: Uint8Array, text: Uint8Array): boolean {
  const last = bytes.length - text.length
  return last >= 0 && !isSpace(bytes[0] as number) && indexOf(bytes, text, 0) === last
}

export function findMessage(measure: Measure): Find {
  return bytes => {
    const end = measure(bytes)
    if (end === undefined) return undefined
    if (end >= 1 && end <= bytes.length) return { start: 0, end, next: end }
    throw new NadiError('FRAME_LENGTH', { expected: 'a message that the codec can measure' })
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

export function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(wanted, from)
}

function tooLong(max: number): NadiError {
  const expected = `the end of the frame within ${max} bytes`
  return new NadiError('FRAME_LENGTH', { expected })
}
