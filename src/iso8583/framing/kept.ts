const KEPT_BYTES_FIRST = 512

/** Bytes of an unfinished frame. Grows with what really came, never with what a header promises. */
export class Kept {
  #bytes = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What is kept; valid until something is added. */
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** The buffer itself: only its first `length` bytes count. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  add(chunk: Uint8Array, start: number, end: number): void {
    const wanted = this.#length + end - start
    if (wanted > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(KEPT_BYTES_FIRST, wanted * 2))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(chunk.subarray(start, end), this.#length)
    this.#length = wanted
  }

  /** Takes away the first bytes; a large buffer is given back when nothing is left. */
  drop(bytes: number): void {
    this.#bytes.copyWithin(0, bytes, this.#length)
    this.#length -= bytes
    if (this.#length === 0 && this.#bytes.length > KEPT_BYTES_FIRST) this.#bytes = Buffer.alloc(0)
  }

  /** Forgets what is kept. Views given out before stay readable until something is added. */
  clear(): void {
    this.#length = 0
  }

  /** Gives a large buffer back. */
  shrink(): void {
    if (this.#bytes.length > KEPT_BYTES_FIRST) this.#bytes = Buffer.alloc(0)
  }
}
