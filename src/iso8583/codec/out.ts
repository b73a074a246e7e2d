import { NadiError } from '#base'
import { SLACK_BYTES } from './wire.ts'

const SLAB_BYTES = 65536
/** A new slab is begun when less than this is left; what needs more grows. */
const SPARE_BYTES = 4096
/** Of an ASCII length. */
const PREFIX_BYTES_MAX = 6
const FRAME_BYTES_MAX = 16 * 1024 * 1024

/**
 * Where frames are written. Each frame is a view into a slab that many share, as Node's own small
 * buffers are, so that a frame is written in place and never copied. Positions count from the start
 * of the slab and stay the same when it grows.
 */
export class Out {
  /** Over the slab; a plain array like that of the Wire, so that what works on both is fast. */
  bytes: Uint8Array
  view: DataView
  at = 0
  /** A text that would end before this has room, with an ASCII length before it. */
  quickEnd: number
  #slab: Buffer
  #start = 0
  /** Where a terminator ends that is left out when nothing follows it, and its bytes. */
  #openEnd = -1
  #openBytes = 0

  constructor() {
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    this.bytes = plainOf(this.#slab)
    this.view = viewOf(this.#slab)
    this.quickEnd = quickEndOf(this.#slab)
  }

  /** Begins a frame. What was written since the last `take` is dropped. */
  begin(): void {
    if (this.bytes.length - this.#start < SPARE_BYTES || this.bytes.length > SLAB_BYTES) {
      this.#replace(Buffer.allocUnsafeSlow(SLAB_BYTES))
      this.#start = 0
    }
    this.at = this.#start
    this.#openEnd = -1
  }

  /** The last so many bytes are left out when data end here. */
  mayEndWithout(count: number): void {
    this.#openEnd = this.at
    this.#openBytes = count
  }

  /** They are not left out after all. */
  keepEnd(): void {
    this.#openEnd = -1
  }

  /** A message or composite ends here. */
  endOfData(): void {
    if (this.#openEnd === this.at) this.at -= this.#openBytes
    this.#openEnd = -1
  }

  /** Bytes of the frame so far. */
  get length(): number {
    return this.at - this.#start
  }

  get start(): number {
    return this.#start
  }

  /** Makes sure that `count` more bytes can be written, and a few behind them looked at. */
  room(count: number): void {
    if (this.at + count + SLACK_BYTES > this.bytes.length) this.#grow(count)
  }

  byte(value: number): void {
    this.room(1)
    this.bytes[this.at++] = value
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    const count = end - start
    this.room(count)
    const { bytes: to, at } = this
    if (count <= 16) for (let i = 0; i < count; i++) to[at + i] = bytes[start + i] as number
    else Buffer.prototype.copy.call(bytes, this.#slab, at, start, end)
    this.at = at + count
  }

  /** Puts bytes in at `place` and moves what was written behind it. */
  insert(place: number, bytes: readonly number[]): void {
    this.room(bytes.length)
    this.bytes.copyWithin(place + bytes.length, place, this.at)
    for (let i = 0; i < bytes.length; i++) this.bytes[place + i] = bytes[i] as number
    this.at += bytes.length
  }

  /** The frame. */
  take(): Uint8Array {
    const frame = this.#slab.subarray(this.#start, this.at)
    this.#start = this.at
    return frame
  }

  #grow(count: number): void {
    const needed = this.at + count + SLACK_BYTES
    if (needed - this.#start > FRAME_BYTES_MAX) {
      const expected = `a frame of at most ${FRAME_BYTES_MAX} bytes`
      throw new NadiError('CODEC_VALUE', { path: 'frame', expected })
    }
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    this.#slab.copy(bytes, this.#start, this.#start, this.at)
    this.#replace(bytes)
  }

  #replace(slab: Buffer): void {
    this.#slab = slab
    this.bytes = plainOf(slab)
    this.view = viewOf(slab)
    this.quickEnd = quickEndOf(slab)
  }
}

function quickEndOf({ length }: Buffer): number {
  return length - PREFIX_BYTES_MAX - SLACK_BYTES
}

function plainOf(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The one that builds share: building is synchronous and calls nobody outside. */
export const OUT = new Out()
