import { setBit, WORDS } from './bitmap.ts'
import type { Entry, EntryValue } from './composite.ts'
import { copiedOf, isOpen } from './copied.ts'
import type { IsoDraft } from './codec.ts'
import { entriesOf, setEntry } from './entries.ts'
import type { Field } from './field.ts'
import type { Layout } from './layout.ts'
import type { Message } from './message.ts'
import { NUMBER_MAX } from './numbers.ts'
import { type Out, OUT } from './out.ts'
import type { Facts } from './overlay.ts'
import { parsePath } from './path-text.ts'
import { popCount } from './pop-count.ts'
import { writeQuick } from './quick.ts'
import { badValue } from './rejects.ts'

/** Bytes are data as they lie on the wire; the length before them is still to be written. */
type DraftValue = string | Uint8Array | readonly Entry[]

/** Of drafts without a source; never written. */
const NONE = [0, 0, 0, 0, 0, 0]
/** The bits of the frame being built. */
const BITS = new Int32Array(WORDS)
/** The highest bit, whose shifts to the right are all bits above one. */
const TOP = 0x80000000 | 0
const bitOf = (number: number): number => 0x80000000 >>> ((number - 1) & 31)

/**
 * A message being written: what each number is to hold. Which numbers there are stands in bits, 32 a
 * word, as in a bitmap; so does which of them are copied from the source as they lie there.
 */
export class Draft implements IsoDraft, Facts {
  readonly mti: string
  readonly #layout: Layout
  readonly #source: Message | undefined
  readonly #bitmapsMin: number
  // oxlint-disable-next-line unicorn/no-new-array -- room for one bitmap's fields; more let it grow
  readonly #values: (DraftValue | undefined)[] = new Array(65)
  readonly #words = [0, 0, 0, 0, 0, 0]
  readonly #copied: number[]
  #header: Uint8Array | undefined

  constructor(layout: Layout, mti: string, source?: Message, bitmapsMin = 1) {
    this.#layout = layout
    this.mti = mti
    this.#source = source
    this.#copied = source ? [0, 0, 0, 0, 0, 0] : NONE
    this.#bitmapsMin = bitmapsMin
    this.#header = layout.headerBytes > 0 ? source?.header : undefined
  }

  /** These are copied from the source, as far as they are there. */
  copy(numbers: readonly number[]): this {
    const source = this.#source
    if (!source) return this
    const copied = this.#copied
    for (const number of numbers) {
      const word = (number - 1) >> 5
      if (word in copied) copied[word] = (copied[word] as number) | bitOf(number)
    }
    for (let i = 0; i < WORDS; i++) {
      const there = (copied[i] as number) & source.word(i)
      copied[i] = there
      this.#words[i] = there
    }
    return this
  }

  setHeader(header: Uint8Array): this {
    const { headerBytes } = this.#layout
    if (header.length !== headerBytes) {
      throw badValue('header', `${headerBytes} bytes`, String(header.length))
    }
    this.#header = header
    return this
  }

  set(number: number, value: string): this {
    return this.put(number, value)
  }

  setBytes(number: number, value: Uint8Array): this {
    return this.put(number, value)
  }

  setAt(path: string, value: string): this {
    const { number, steps } = parsePath(path)
    if (steps.length === 0) return this.put(number, value)
    const field = this.#fieldFor(number)
    return this.put(number, setEntry(this.#entries(number, field), field, steps, value))
  }

  remove(number: number): this {
    const word = (number - 1) >> 5
    if (word in this.#words) {
      const others = ~bitOf(number)
      this.#values[number] = undefined
      this.#words[word] = (this.#words[word] as number) & others
      if (this.#source) this.#copied[word] = (this.#copied[word] as number) & others
    }
    return this
  }

  /** Whether there is such a field, and whether the value fits it, is seen when it is built. */
  put(number: number, value: DraftValue): this {
    const word = (number - 1) >> 5
    if (word < 0 || word >= WORDS || (number | 0) !== number) {
      throw badValue(String(number), 'a data element of the dialect')
    }
    if (value === undefined) throw badValue(String(number), 'a value')
    const bit = bitOf(number)
    this.#values[number] = value
    this.#words[word] = (this.#words[word] as number) | bit
    if (this.#source) this.#copied[word] = (this.#copied[word] as number) & ~bit
    return this
  }

  build(): Uint8Array {
    const out = OUT
    const layout = this.#layout
    out.begin()
    if (layout.headerBytes > 0) this.#writeHeader(out)
    layout.mti.write(out, this.mti)
    if (layout.bitmap) this.#writeWithBitmap(out)
    else this.#writeInOrder(out)
    out.endOfData()
    return out.take()
  }

  // Facts, by which the fields of overlays are chosen

  processing(): string | undefined {
    return this.#tableValue(3)
  }

  response(): string | undefined {
    return this.#tableValue(39)
  }

  #tableValue(number: number): string | undefined {
    if (this.#isCopied(number)) return this.#source?.get(number)
    const value = this.#values[number]
    return typeof value === 'string' ? value : undefined
  }

  #isSet(number: number): boolean {
    return ((this.#words[(number - 1) >> 5] as number) & bitOf(number)) !== 0
  }

  #isCopied(number: number): boolean {
    return ((this.#copied[(number - 1) >> 5] as number) & bitOf(number)) !== 0
  }

  #fieldFor(number: number): Field {
    const { variants, fields } = this.#layout
    const field = variants?.fieldOf(number, this) ?? fields[number]
    if (!field) throw badValue(String(number), 'a data element of the dialect')
    return field
  }

  /** What a composite holds so far: its raw bytes, or its parts. */
  #entries(number: number, field: Field): EntryValue {
    const value = this.#values[number]
    const source = this.#source
    if (source && this.#isCopied(number)) {
      return source.frame.subarray(source.startOf(number), source.endOf(number))
    }
    if (value instanceof Uint8Array) {
      OUT.begin()
      field.writeData(OUT, value)
      return OUT.bytes.slice(OUT.start, OUT.at)
    }
    return entriesOf(field, value ?? [])
  }

  #writeHeader(out: Out): void {
    const header = this.#header ?? new Uint8Array(this.#layout.headerBytes)
    out.copy(header, 0, header.length)
  }

  #writeWithBitmap(out: Out): void {
    const { bitmap, tertiary } = this.#layout
    const highest = this.#highest()
    const third = tertiary && highest > 128 ? tertiary : undefined
    const words = BITS
    for (let i = 0; i < WORDS; i++) words[i] = this.#words[i] as number
    if (third) setBit(words, third.number)
    const inMain = third ? 128 : highest
    bitmap?.write(out, words, bitmap.needed(inMain, this.#bitmapsMin))
    if (third) this.#writeAround(out, third)
    else this.#writeFields(out, 1, highest)
  }

  #highest(): number {
    for (let index = WORDS - 1; index >= 0; index--) {
      const word = this.#words[index] as number
      // Its lowest bit that is set is the highest number.
      if (word !== 0) return index * 32 + Math.clz32(word & -word) + 1
    }
    return 0
  }

  /** The third bitmap stands among the fields. */
  #writeAround(out: Out, third: NonNullable<Layout['tertiary']>): void {
    const words = Int32Array.from(this.#words.slice(4))
    this.#writeFields(out, 1, third.number - 1)
    third.bitmap.write(out, words, 1)
    this.#writeFields(out, third.number + 1, NUMBER_MAX)
  }

  #writeFields(out: Out, first: number, last: number): void {
    if (this.#source) this.#writeWithCopies(out, this.#source, first, last)
    else this.#writeValues(out, first, last)
  }

  /** The fields of these numbers: plain ones in line, all others one by one. */
  #writeValues(out: Out, first: number, last: number): void {
    const values = this.#values
    const words = this.#words
    const { steady } = this.#layout
    let { at, bytes, view, quickEnd } = out
    for (let index = 0; index < WORDS; index++) {
      for (let rest = words[index] as number; rest !== 0;) {
        const place = Math.clz32(rest)
        rest ^= 0x80000000 >>> place
        const number = index * 32 + place + 1
        if (number < first || number > last) continue
        const value = values[number] as DraftValue
        const field = steady[number]
        if (typeof value === 'string' && field !== undefined && at + value.length < quickEnd) {
          const end = writeQuick(field, bytes, view, at, value)
          if (end >= 0) {
            at = end
            continue
          }
        }
        out.at = at
        this.#writeOne(out, number)
        ;({ at, bytes, view, quickEnd } = out)
      }
    }
    out.at = at
  }

  #writeOne(out: Out, number: number): void {
    const field = this.#fieldFor(number)
    const source = this.#source
    if (source && this.#isCopied(number)) {
      field.write(out, copiedOf(source, number, field))
      return
    }
    const value = this.#values[number] as DraftValue
    if (typeof value === 'string' && out.at + value.length < out.quickEnd) {
      const end = this.#layout.steady[number]
        ? writeQuick(field, out.bytes, out.view, out.at, value)
        : -1
      if (end >= 0) {
        out.at = end
        return
      }
    }
    if (value instanceof Uint8Array) field.writeData(out, value)
    else field.write(out, value)
  }

  /**
   * The same with fields that are copied. A run of them, which nothing else in the source or here
   * stands between, lies side by side and is copied in one go:
   *
   *     in the source   1  1  1  .  1  1  1
   *     copied          1  1  .  .  1  .  1
   *     set here        .  .  .  1  .  .  .
   *                     └run┘           run
   */
  #writeWithCopies(out: Out, source: Message, first: number, last: number): void {
    /** Where the run begins and ends that is still to be copied. */
    let start = 0
    let end = 0
    /** Fields of the source before the word that is looked at. */
    let before = 0
    const { lieAlike } = this.#layout
    for (let index = 0; index <= (last - 1) >> 5; index++) {
      const there = source.word(index)
      const within = bitsBetween(index, first, last)
      let copied = (this.#copied[index] as number) & within
      if (!lieAlike) copied &= this.#asTheyLie(source, index, copied)
      let rest = (this.#words[index] as number) & within
      const others = (there | rest) & ~copied
      while (rest !== 0) {
        const place = Math.clz32(rest)
        const bit = 0x80000000 >>> place
        if ((copied & bit) === 0) {
          if (end > start) out.copy(source.frame, start, end)
          start = end = 0
          this.#writeOne(out, index * 32 + place + 1)
          rest ^= bit
          continue
        }
        const next = others & (bit - 1)
        const run = next === 0 ? rest : rest & (TOP >> (Math.clz32(next) - 1))
        const from = before + popCount((there >>> (31 - place)) >>> 1)
        const runStart = source.startAt(from)
        if (end > start && runStart !== end) {
          out.copy(source.frame, start, end)
          start = end
        }
        if (end === start) start = runStart
        end = source.endAt(from + popCount(run) - 1)
        rest &= ~run
      }
      before += popCount(there)
    }
    if (end > start) out.copy(source.frame, start, end)
  }

  /** Of some fields of one word, those that are copied as they lie in the source. */
  #asTheyLie(source: Message, index: number, fields: number): number {
    let alike = fields
    for (let rest = fields; rest !== 0;) {
      const place = Math.clz32(rest)
      const bit = 0x80000000 >>> place
      const number = index * 32 + place + 1
      rest &= ~bit
      if (!this.#isAlike(source, number) || isOpen(source, number)) alike &= ~bit
    }
    return alike
  }

  /** Whether a field has the same layout here as in the source. */
  #isAlike(source: Message, number: number): boolean {
    const { variants, fields } = this.#layout
    if (variants === undefined) return true
    return source.fieldOf(number) === (variants.fieldOf(number, this) ?? fields[number])
  }

  /** Without a bitmap nothing may be missing before the last. */
  #writeInOrder(out: Out): void {
    const { order } = this.#layout
    const last = order.findLastIndex(number => this.#isSet(number))
    for (const number of order.slice(0, last + 1)) {
      if (!this.#isSet(number)) {
        throw badValue(String(number), 'every field before the last that is there')
      }
      const value = this.#values[number]
      if (value === '') this.#fieldFor(number).writeShown(out, value)
      else this.#writeFields(out, number, number)
    }
  }
}

/** The bits of one word whose numbers are neither below `first` nor above `last`. */
function bitsBetween(index: number, first: number, last: number): number {
  const from = first - 1 - index * 32
  const after = last - index * 32
  if (from >= 32 || after <= 0) return 0
  const upper = from <= 0 ? -1 : -1 >>> from
  return after >= 32 ? upper : upper & ~(-1 >>> after)
}
