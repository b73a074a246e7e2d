import { type Bitmap, setBit } from './bitmap.ts'
import type { IsoEntry, IsoMessage, IsoWriter } from './codec.ts'
import { copiedOf, isOpen } from './copied.ts'
import { Draft } from './draft.ts'
import type { Field } from './field.ts'
import type { Layout } from './layout.ts'
import type { Message } from './message.ts'
import { Out } from './out.ts'
import type { Facts } from './overlay.ts'
import { writeQuick } from './quick.ts'
import { badValue } from './rejects.ts'
import { latin1Text } from './text.ts'

/** Room is left for the first bitmap; a frame that has more makes it when it ends. */
export class PlaceWriter implements IsoWriter, Facts {
  readonly #layout: Layout
  readonly #bitmap: Bitmap
  readonly #out = new Out()
  readonly #words: Int32Array
  readonly #bitmapBytes: number
  #bitmapAt = 0
  #last = 0
  #open: Field | undefined
  #openAt = 0
  #processing: string | undefined
  #response: string | undefined
  mti = ''

  constructor(layout: Layout, bitmap: Bitmap) {
    this.#layout = layout
    this.#bitmap = bitmap
    this.#words = new Int32Array(bitmap.words.length)
    this.#bitmapBytes = bitmap.wireBytes
  }

  begin(mti: string, header?: Uint8Array): this {
    const out = this.#out
    const { headerBytes } = this.#layout
    out.begin()
    this.mti = mti
    this.#last = 0
    this.#open = undefined
    if (headerBytes > 0 || header) this.#writeHeader(header ?? new Uint8Array(headerBytes))
    this.#layout.mti.write(out, mti)
    this.#bitmapAt = out.at
    out.room(this.#bitmapBytes)
    out.at += this.#bitmapBytes
    const words = this.#words
    for (let i = 0; i < words.length; i++) words[i] = 0
    this.#processing = this.#response = undefined
    return this
  }

  set(number: number, value: string): this {
    const field = this.#next(number)
    const out = this.#out
    let end = -1
    if (typeof value === 'string' && out.at + value.length < out.quickEnd) {
      end = writeQuick(field, out.bytes, out.view, out.at, value)
    }
    if (end >= 0) out.at = end
    else field.write(out, value)
    if (this.#layout.variants) this.#note(number, value)
    return this
  }

  setBytes(number: number, value: Uint8Array): this {
    this.#next(number).writeData(this.#out, value)
    return this
  }

  /** What lies side by side in the message is copied in one go. */
  copy(message: IsoMessage, numbers: readonly number[]): this {
    const source = sameDialect(message, this.#layout)
    const out = this.#out
    let start = 0
    let end = 0
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i] as number
      const index = source.indexOf(number)
      if (index < 0) continue
      const field = this.#next(number)
      const from = source.startAt(index)
      if (from !== end) {
        if (end > start) out.copy(source.frame, start, end)
        start = from
      }
      end = source.endAt(index)
      if (this.#layout.lieAlike) continue
      if (source.fieldOf(number) !== field || isOpen(source, number)) {
        if (from > start) out.copy(source.frame, start, from)
        start = end
        field.write(out, copiedOf(source, number, field))
      }
      if (this.#layout.variants) this.#note(number, source.get(number) ?? '')
    }
    if (end > start) out.copy(source.frame, start, end)
    return this
  }

  setText(number: number, characters: Uint8Array, length: number): this {
    const field = this.#next(number)
    const out = this.#out
    if (field.quickText < 0) field.write(out, latin1Text(characters, 0, length))
    else {
      const at = field.open(out)
      out.copy(characters, 0, length)
      field.close(out, at)
    }
    if (this.#layout.variants) this.#note(number, latin1Text(characters, 0, length))
    return this
  }

  setParts(number: number, parts: readonly IsoEntry[]): this {
    this.#next(number).write(this.#out, parts)
    return this
  }

  open(number: number): this {
    const field = this.#next(number)
    this.#openAt = field.open(this.#out)
    this.#open = field
    return this
  }

  digits(value: number, width: number): this {
    const out = this.#out
    out.room(width)
    let rest = value
    for (let place = out.at + width - 1; place >= out.at; place--) {
      const next = Math.floor(rest / 10)
      out.bytes[place] = 0x30 + (rest - next * 10)
      rest = next
    }
    const path = this.#open?.path ?? 'frame'
    if (rest !== 0 || !Number.isSafeInteger(value)) throw badValue(path, `${width} digits`)
    out.at += width
    return this
  }

  text(value: string): this {
    const out = this.#out
    out.room(value.length)
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0xff) throw badValue(this.#open?.path ?? 'frame', 'characters of one byte')
      out.bytes[out.at + i] = code
    }
    out.at += value.length
    return this
  }

  close(): this {
    const field = this.#open
    if (!field) throw badValue('frame', 'a field that was opened')
    this.#open = undefined
    field.close(this.#out, this.#openAt)
    return this
  }

  end(): Uint8Array {
    if (this.#open) throw badValue(this.#open.path, 'the field to be closed')
    const out = this.#out
    out.endOfData()
    const count = this.#last <= this.#bitmap.bits ? 1 : this.#bitmap.needed(this.#last, 1)
    const more = (count - 1) * this.#bitmapBytes
    if (more > 0) {
      const fields = this.#bitmapAt + this.#bitmapBytes
      out.room(more)
      out.bytes.copyWithin(fields + more, fields, out.at)
    }
    const end = out.at + more
    out.at = this.#bitmapAt
    this.#bitmap.write(out, this.#words, count)
    out.at = end
    return out.take()
  }

  processing(): string | undefined {
    return this.#processing
  }

  response(): string | undefined {
    return this.#response
  }

  #writeHeader(header: Uint8Array): void {
    const { headerBytes } = this.#layout
    if (header.length !== headerBytes) {
      throw badValue('header', `${headerBytes} bytes`, String(header.length))
    }
    this.#out.copy(header, 0, headerBytes)
  }

  /** The field of the next number. */
  #next(number: number): Field {
    const { steady, variants, fields } = this.#layout
    const field = steady[number] ?? variants?.fieldOf(number, this) ?? fields[number]
    if (!field) throw badValue(String(number), 'a data element of the dialect')
    if (number <= this.#last) throw badValue(field.path, 'fields in ascending order')
    if (this.#open) throw badValue(this.#open.path, 'the field to be closed')
    this.#last = number
    setBit(this.#words, number)
    return field
  }

  #note(number: number, value: string): void {
    if (number === 3) this.#processing = value
    else if (number === 39) this.#response = value
  }
}

/** The same for dialects whose bitmaps stand elsewhere, or that have none. */
export class DraftWriter implements IsoWriter {
  readonly #layout: Layout
  #draft: Draft
  #last = 0
  #pieces: string[] = []

  constructor(layout: Layout) {
    this.#layout = layout
    this.#draft = new Draft(layout, '')
  }

  begin(mti: string, header?: Uint8Array): this {
    this.#draft = new Draft(this.#layout, mti)
    this.#last = 0
    if (header) this.#draft.setHeader(header)
    return this
  }

  set(number: number, value: string): this {
    this.#inOrder(number)
    this.#draft.set(number, value)
    return this
  }

  setBytes(number: number, value: Uint8Array): this {
    this.#inOrder(number)
    this.#draft.setBytes(number, value)
    return this
  }

  copy(message: IsoMessage, numbers: readonly number[]): this {
    const source = sameDialect(message, this.#layout)
    for (const number of numbers) {
      const data = source.raw(number)
      if (data) this.setBytes(number, data)
    }
    return this
  }

  setText(number: number, characters: Uint8Array, length: number): this {
    return this.set(number, latin1Text(characters, 0, length))
  }

  setParts(number: number, parts: readonly IsoEntry[]): this {
    this.#inOrder(number)
    this.#draft.put(number, parts)
    return this
  }

  open(number: number): this {
    this.#inOrder(number)
    this.#pieces = []
    return this
  }

  digits(value: number, width: number): this {
    const digits = String(value).padStart(width, '0')
    if (!/^[0-9]+$/.test(digits) || digits.length > width) {
      throw badValue(String(this.#last), `${width} digits`)
    }
    return this.text(digits)
  }

  text(value: string): this {
    this.#pieces.push(value)
    return this
  }

  close(): this {
    this.#draft.set(this.#last, this.#pieces.join(''))
    return this
  }

  end(): Uint8Array {
    return this.#draft.build()
  }

  #inOrder(number: number): void {
    if (number <= this.#last) throw badValue(String(number), 'fields in ascending order')
    this.#last = number
  }
}

function sameDialect(message: IsoMessage, layout: Layout): Message {
  const source = message as Message
  if (source.layout !== layout) throw badValue('frame', 'a message of the same codec')
  return source
}
