import type { IsoCodec, IsoDraft, IsoMessage, IsoPart, PlainMessage } from './codec.ts'
import { Draft } from './draft.ts'
import type { Field } from './field.ts'
import type { Layout } from './layout.ts'
import { mtiText, responseOf } from './mti.ts'
import type { Facts } from './overlay.ts'
import { partsOf } from './parts.ts'
import { plainOf } from './plain.ts'
import { popCount } from './pop-count.ts'
import { SCAN } from './scan.ts'
import { latin1Text, shortText } from './text.ts'

/** Values that are made without the text of the whole frame. */
const READS_ALONE = 4

/**
 * A parsed frame: presence bits, and where each field that is there ends. Values are cut out of the
 * frame when they are asked for.
 */
export class Message implements IsoMessage, Facts {
  readonly codec: IsoCodec
  readonly frame: Uint8Array
  readonly layout: Layout
  /** Bitmaps that the frame has, needed or not. */
  readonly bitmaps: number
  readonly #mti: number
  readonly #start: number
  readonly #ends: readonly number[]
  readonly #word0: number
  readonly #word1: number
  readonly #word2: number
  readonly #word3: number
  readonly #word4: number
  readonly #word5: number
  #text: string | undefined
  #reads = 0

  /** Takes over what SCAN found in the frame. */
  constructor(codec: IsoCodec, layout: Layout, frame: Uint8Array) {
    this.codec = codec
    this.layout = layout
    this.frame = frame
    const { words, ends } = SCAN
    this.bitmaps = SCAN.bitmaps
    this.#mti = SCAN.mti
    this.#start = SCAN.start
    this.#ends = ends.slice(0, SCAN.count)
    this.#word0 = words[0] as number
    this.#word1 = words[1] as number
    this.#word2 = words[2] as number
    this.#word3 = words[3] as number
    this.#word4 = words[4] as number
    this.#word5 = words[5] as number
  }

  get header(): Uint8Array {
    return this.frame.subarray(0, Math.min(this.layout.headerBytes, this.frame.length))
  }

  get mti(): string {
    return this.layout.mti.bytes === 0 || this.#mti < 0 ? '' : mtiText(this.#mti)
  }

  get numbers(): readonly number[] {
    return this.present().filter(number => this.fieldOf(number) !== undefined)
  }

  has(number: number): boolean {
    return this.indexOf(number) >= 0 && this.fieldOf(number) !== undefined
  }

  get(number: number): string | undefined {
    const index = this.indexOf(number)
    if (index < 0) return undefined
    const field = this.layout.variants ? this.fieldOf(number) : this.layout.fields[number]
    if (!field) return undefined
    const start = index === 0 ? this.#start : (this.#ends[index - 1] as number)
    const end = this.#ends[index] as number
    if (field.quick >= 0 && field.literal) {
      return this.#literal(start + field.quick, end)
    }
    return field.read(this.frame, start, end)
  }

  /** The first few values are made one by one; whoever reads more gets the frame's text made. */
  #literal(start: number, end: number): string {
    if (this.#text === undefined && this.#reads++ < READS_ALONE) {
      const short = shortText(this.frame, start, end - start)
      if (short !== undefined) return short
    }
    const text = (this.#text ??= latin1Text(this.frame, 0, this.frame.length))
    return text.substring(start, end)
  }

  raw(number: number): Uint8Array | undefined {
    const field = this.has(number) ? this.fieldOf(number) : undefined
    if (!field) return undefined
    const { start, end } = field.locate(this.frame, this.startOf(number), this.endOf(number))
    return this.frame.subarray(start, end)
  }

  at(path: string): string | undefined {
    return this.codec.path(path).read(this)
  }

  parts(number: number): readonly IsoPart[] | undefined {
    return partsOf(this, number)
  }

  toPlain(): PlainMessage {
    return plainOf(this)
  }

  answer(copied: readonly number[]): IsoDraft {
    const mti = this.layout.mti.bytes === 0 ? '' : responseOf(this.mti)
    return new Draft(this.layout, mti, this).copy(copied)
  }

  draft(): IsoDraft {
    return new Draft(this.layout, this.mti, this, this.bitmaps).copy(this.present())
  }

  // What drafts, paths and tools look at

  /** Which field stands for a number in this message. */
  fieldOf(number: number): Field | undefined {
    const { variants, fields } = this.layout
    return variants?.fieldOf(number, this) ?? fields[number]
  }

  processing(): string | undefined {
    return this.#tableValue(3)
  }

  response(): string | undefined {
    return this.#tableValue(39)
  }

  /** Where a field that is there begins and ends, with its length. */
  startOf(number: number): number {
    return this.startAt(this.indexOf(number))
  }

  endOf(number: number): number {
    return this.endAt(this.indexOf(number))
  }

  /** The same, by how many fields stand before it. */
  startAt(index: number): number {
    return index === 0 ? this.#start : (this.#ends[index - 1] as number)
  }

  endAt(index: number): number {
    return this.#ends[index] as number
  }

  /** All numbers that were read, also of bits that are only let pass. */
  present(): number[] {
    const numbers: number[] = []
    const third = this.layout.tertiary?.number
    for (let index = 0; index < 6; index++) {
      for (let rest = this.word(index); rest !== 0;) {
        const place = Math.clz32(rest)
        rest &= ~(0x80000000 >>> place)
        numbers.push(index * 32 + place + 1)
      }
    }
    return third === undefined ? numbers : numbers.filter(number => number !== third)
  }

  #tableValue(number: number): string | undefined {
    const field = this.indexOf(number) < 0 ? undefined : this.layout.fields[number]
    return field?.read(this.frame, this.startOf(number), this.endOf(number))
  }

  /** Whether it is there; cheaper than its place. */
  isThere(number: number): boolean {
    return (this.word((number - 1) >> 5) & (0x80000000 >>> ((number - 1) & 31))) !== 0
  }

  /** How many fields stand before this one; -1 when it is not there. */
  indexOf(number: number): number {
    const place = (number - 1) & 31
    const at = (number - 1) >> 5
    const word = this.word(at)
    const bit = 31 - place
    if ((word & (1 << bit)) === 0) return -1
    let index = popCount((word >>> bit) >>> 1)
    for (let i = 0; i < at; i++) index += popCount(this.word(i))
    return index
  }

  /** Presence bits, 32 fields a word. */
  word(index: number): number {
    switch (index) {
      case 0:
        return this.#word0
      case 1:
        return this.#word1
      case 2:
        return this.#word2
      case 3:
        return this.#word3
      case 4:
        return this.#word4
      case 5:
        return this.#word5
      default:
        return 0
    }
  }
}
