import { type Bitmap, setBit, WORDS } from './bitmap.ts'
import type { Entry, EntryValue } from './composite.ts'
import type { IsoDraft } from './codec.ts'
import { entriesOf, setEntry } from './entries.ts'
import type { Field } from './field.ts'
import type { Layout } from './layout.ts'
import type { Message } from './message.ts'
import { NUMBER_MAX } from './numbers.ts'
import { type Out, OUT } from './out.ts'
import type { Facts } from './overlay.ts'
import { parsePath } from './path-text.ts'
import { writeQuick } from './quick.ts'
import { badValue } from './rejects.ts'

/** Stands for a field that is copied from the source as it lies there. */
const COPIED = Symbol('copied')
/** Bytes are data as they lie on the wire; the length before them is still to be written. */
type DraftValue = string | Uint8Array | readonly Entry[] | typeof COPIED

/** A message with the given fields of another, as far as they are there, copied as they lie in it. */
export function copyOf(
  source: Message,
  mti: string,
  numbers: readonly number[],
  bitmaps = 1,
): Draft {
  const draft = new Draft(source.layout, mti, source, bitmaps)
  for (const number of numbers) if (source.isThere(number)) draft.copied(number)
  return draft
}

/** What is written for a field that cannot be copied along with others around it. */
function copiedOf(source: Message, number: number, field: Field): EntryValue {
  if (!isOpen(source, number) || source.fieldOf(number) !== field) return source.get(number) ?? ''
  return source.frame.subarray(source.startOf(number), source.endOf(number))
}

/** Whether it is the last of the source and ends there, which it may no longer do in the copy. */
function isOpen(source: Message, number: number): boolean {
  if (!source.layout.openEnds || !source.isThere(number)) return false
  const end = source.endOf(number)
  if (end !== source.frame.length) return false
  return source.fieldOf(number)?.endsOpen(source.frame, source.startOf(number), end) === true
}

/** The bits of the frame being built. */
const BITS = new Int32Array(WORDS)

/** A message being written: what each number is to hold. */
export class Draft implements IsoDraft, Facts {
  readonly mti: string
  readonly #layout: Layout
  readonly #source: Message | undefined
  readonly #bitmapsMin: number
  // oxlint-disable-next-line unicorn/no-new-array -- room for one bitmap's fields; more let it grow
  readonly #values: (DraftValue | undefined)[] = new Array(65)
  /** Nothing is set above this number. */
  #highest = 0
  #header: Uint8Array | undefined

  constructor(layout: Layout, mti: string, source?: Message, bitmapsMin = 1) {
    this.#layout = layout
    this.mti = mti
    this.#source = source
    this.#bitmapsMin = bitmapsMin
    this.#header = layout.headerBytes > 0 ? source?.header : undefined
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
    if (number >= 1 && number <= this.#highest) this.#values[number] = undefined
    return this
  }

  /** Whether there is such a field, and whether the value fits it, is seen when it is built. */
  put(number: number, value: DraftValue): this {
    if (number < 1 || number > NUMBER_MAX || (number | 0) !== number) {
      throw badValue(String(number), 'a data element of the dialect')
    }
    if (value === undefined) throw badValue(String(number), 'a value')
    this.#values[number] = value
    if (number > this.#highest) this.#highest = number
    return this
  }

  /** The field is copied from the source, where it is there. */
  copied(number: number): this {
    return this.put(number, COPIED)
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
    const value = this.#values[number]
    if (value === COPIED) return this.#source?.get(number)
    return typeof value === 'string' ? value : undefined
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
    if (value === COPIED && source) {
      return source.frame.subarray(source.startOf(number), source.endOf(number))
    }
    if (value instanceof Uint8Array) {
      OUT.begin()
      field.writeData(OUT, value)
      return OUT.bytes.slice(OUT.start, OUT.at)
    }
    return entriesOf(field, value === undefined || value === COPIED ? [] : value)
  }

  #writeHeader(out: Out): void {
    const header = this.#header ?? new Uint8Array(this.#layout.headerBytes)
    out.copy(header, 0, header.length)
  }

  /** Room is left for the bitmaps, whose bits are set as the fields are written. */
  #writeWithBitmap(out: Out): void {
    const { tertiary } = this.#layout
    const bitmap = this.#layout.bitmap as Bitmap
    const highest = this.#last()
    const third = tertiary && highest > 128 ? tertiary : undefined
    const count = bitmap.needed(third ? 128 : highest, this.#bitmapsMin)
    for (let i = 0; i < WORDS; i++) BITS[i] = 0
    const at = leaveRoom(out, count * bitmap.wireBytes)
    if (third) this.#writeAround(out, third, highest)
    else this.#writeFields(out, 1, highest)
    writeBack(out, at, bitmap, BITS, count)
  }

  /** The highest number that is set. */
  #last(): number {
    let highest = this.#highest
    while (highest > 0 && this.#values[highest] === undefined) highest--
    return highest
  }

  /** The third bitmap stands among the fields. */
  #writeAround(out: Out, third: NonNullable<Layout['tertiary']>, highest: number): void {
    const { bitmap, number } = third
    this.#writeFields(out, 1, number - 1)
    const at = leaveRoom(out, bitmap.wireBytes)
    this.#writeFields(out, number + 1, highest)
    writeBack(out, at, bitmap, BITS.subarray(4), 1)
    setBit(BITS, number)
  }

  #writeFields(out: Out, first: number, last: number): void {
    if (this.#source) this.#writeWithCopies(out, this.#source, first, last)
    else this.#writeValues(out, first, last)
  }

  /** The fields of these numbers: plain ones in line, all others one by one. */
  #writeValues(out: Out, first: number, last: number): void {
    const values = this.#values
    const { steady } = this.#layout
    let { at, bytes, view, quickEnd } = out
    for (let number = first; number <= last; number++) {
      const value = values[number]
      if (value === undefined) continue
      setBit(BITS, number)
      const field = steady[number]
      if (typeof value === 'string' && field !== undefined && at + value.length < quickEnd) {
        const end = writeQuick(field, bytes, view, at, value)
        if (end >= 0) {
          at = end
          continue
        }
      }
      out.at = at
      this.#writeOne(out, number, value)
      ;({ at, bytes, view, quickEnd } = out)
    }
    out.at = at
  }

  #writeOne(out: Out, number: number, value: DraftValue): void {
    const field = this.#fieldFor(number)
    if (value instanceof Uint8Array) field.writeData(out, value)
    else if (value !== COPIED) field.write(out, value)
    else field.write(out, this.#source ? copiedOf(this.#source, number, field) : '')
  }

  /** The same with fields that are copied: what lies side by side in the source in one go. */
  #writeWithCopies(out: Out, source: Message, first: number, last: number): void {
    let start = 0
    let end = 0
    for (let number = first; number <= last; number++) {
      const value = this.#values[number]
      if (value === undefined) continue
      setBit(BITS, number)
      const copied = value === COPIED && this.#isAlike(source, number) && !isOpen(source, number)
      const at = copied ? source.indexOf(number) : -1
      if (end > start && (!copied || source.startAt(at) !== end)) {
        out.copy(source.frame, start, end)
        start = end = 0
      }
      if (!copied) {
        this.#writeOne(out, number, value)
        continue
      }
      if (end === start) start = source.startAt(at)
      end = source.endAt(at)
    }
    if (end > start) out.copy(source.frame, start, end)
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
    const last = order.findLastIndex(number => this.#values[number] !== undefined)
    for (const number of order.slice(0, last + 1)) {
      const value = this.#values[number]
      if (value === undefined) {
        throw badValue(String(number), 'every field before the last that is there')
      }
      if (value === '') this.#fieldFor(number).writeShown(out, value)
      else this.#writeFields(out, number, number)
    }
  }
}

/** Returns where the room is. */
function leaveRoom(out: Out, bytes: number): number {
  const { at } = out
  out.room(bytes)
  out.at += bytes
  return at
}

function writeBack(out: Out, at: number, bitmap: Bitmap, words: Int32Array, count: number): void {
  const end = out.at
  out.at = at
  bitmap.write(out, words, count)
  out.at = end
}
