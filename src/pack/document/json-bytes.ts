const ROOM_FIRST = 1024
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Up to so many bytes a loop is faster than a call of the engine's own copying. */
const FEW = 32

/** Bytes of JSON as they are written: most texts are ASCII that needs no escape, and are copied as they are checked. */
export class JsonBytes {
  #bytes = Buffer.allocUnsafeSlow(ROOM_FIRST)
  #at = 0

  /** What was written; it is written over by the next one. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  clear(): void {
    this.#at = 0
  }

  byte(code: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = code
  }

  bytes(from: Uint8Array): void {
    const { length } = from
    this.#room(length)
    if (length > FEW) this.#bytes.set(from, this.#at)
    else for (let i = 0; i < length; i++) this.#bytes[this.#at + i] = from[i] as number
    this.#at += length
  }

  /** As it is. */
  text(text: string): void {
    this.#room(text.length * 3)
    this.#at += this.#bytes.write(text, this.#at)
  }

  /** As it is, where that is mostly digits. */
  digits(text: string): void {
    const { length } = text
    this.#room(length)
    const bytes = this.#bytes
    let at = this.#at
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7e) return this.text(text)
      bytes[at++] = code
    }
    this.#at = at
  }

  /** RFC 8259, section 7. JSON.stringify does what is left: escapes, and text beyond ASCII. */
  quoted(text: string): void {
    const { length } = text
    this.#room(length + 2)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = QUOTE
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH)
        return this.text(JSON.stringify(text))
      bytes[at++] = code
    }
    bytes[at++] = QUOTE
    this.#at = at
  }

  #room(more: number): void {
    const needed = this.#at + more
    if (needed <= this.#bytes.length) return
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    bytes.set(this.written)
    this.#bytes = bytes
  }
}
