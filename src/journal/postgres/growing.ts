/** Bytes written one after another into one buffer that grows: no buffer for each piece, no joining. */
export class GrowingBytes {
  #buffer: Buffer
  #length = 0

  constructor(roomBytes: number) {
    this.#buffer = Buffer.allocUnsafe(roomBytes)
  }

  get length(): number {
    return this.#length
  }

  /** In UTF-8; answers how many bytes that took. */
  text(text: string): number {
    // A UTF-16 unit takes three bytes at most; only where that would not do is it worth counting.
    if (this.#length + text.length * 3 > this.#buffer.length)
      this.#makeRoom(Buffer.byteLength(text))
    const bytes = this.#buffer.write(text, this.#length, 'utf8')
    this.#length += bytes
    return bytes
  }

  bytes(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** An unsigned number of 1 to 6 bytes, big-endian. */
  number(value: number, bytes: number): void {
    this.#makeRoom(bytes)
    this.#length = this.#buffer.writeUIntBE(value, this.#length, bytes)
  }

  /** What was written from `start` on; overwritten after the next `clear`. */
  from(start: number): Buffer {
    return this.#buffer.subarray(start, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    larger.set(this.from(0))
    this.#buffer = larger
  }
}
