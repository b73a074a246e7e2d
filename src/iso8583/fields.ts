import { assert } from '#base'
import { readLatin1 } from './latin1.ts'

/** Data elements are numbered 1 to 128. */
export const FIELD_NUMBER_MAX = 128

/**
 * Where the fields of one frame lie. One of these is reused for every frame a codec reads, so
 * reading makes no strings and no arrays: whoever wants a value asks for it before the next frame.
 * When decoding stops at an error, what was read up to there stays readable.
 */
export class Fields {
  readonly #starts = new Int32Array(FIELD_NUMBER_MAX + 1)
  readonly #ends = new Int32Array(FIELD_NUMBER_MAX + 1)
  /** Bit n-1 of the set, 32 fields a word; data element 1 is the highest bit of the first. */
  readonly #words = new Int32Array(FIELD_NUMBER_MAX / 32)
  #frame: Uint8Array = NOTHING
  #mtiEnd = 0
  #text: string | undefined

  /** Forgets the last frame and takes the next. */
  reset(frame: Uint8Array): void {
    this.#frame = frame
    this.#text = undefined
    this.#mtiEnd = 0
    this.#words.fill(0)
  }

  get frame(): Uint8Array {
    return this.#frame
  }

  /** The whole frame, one character a byte: one string, from which values are cut. */
  get frameText(): string {
    return (this.#text ??= readLatin1(this.#frame))
  }

  noteMti(end: number): void {
    this.#mtiEnd = end
  }

  /** The message type, or undefined when it was not readable. */
  get mti(): string | undefined {
    return this.#mtiEnd === 0 ? undefined : this.frameText.slice(0, this.#mtiEnd)
  }

  note(number: number, start: number, end: number): void {
    this.#starts[number] = start
    this.#ends[number] = end
    const word = (number - 1) >> 5
    this.#words[word] = (this.#words[word] as number) | (1 << (31 - ((number - 1) & 31)))
  }

  has(number: number): boolean {
    return ((this.#words[(number - 1) >> 5] as number) & (1 << (31 - ((number - 1) & 31)))) !== 0
  }

  /** 32 presence bits; word 0 holds data elements 1 (highest bit) to 32. */
  word(index: number): number {
    return this.#words[index] as number
  }

  start(number: number): number {
    return this.#starts[number] as number
  }

  end(number: number): number {
    return this.#ends[number] as number
  }

  /** The value as text; the field must be there. */
  text(number: number): string {
    assert(this.has(number), `de${number} is not there`)
    return this.frameText.slice(this.start(number), this.end(number))
  }

  /** The fields that were read, in ascending order. */
  numbers(): number[] {
    const numbers: number[] = []
    for (let number = 1; number <= FIELD_NUMBER_MAX; number++) {
      if (this.has(number)) numbers.push(number)
    }
    return numbers
  }
}

const NOTHING = new Uint8Array(0)
