import { isNadiError } from '#base'
import type { Composite, EntryValue } from './composite.ts'
import { checkKindOf, CLASSES, NO_CHECK } from './content.ts'
import { bytesOfHexData } from './data-bytes.ts'
import type { Data } from './data.ts'
import { fillerOf } from './filler.ts'
import { berLength, berLengthBytes, type Prefix, readBerLength } from './lengths.ts'
import { Out } from './out.ts'
import { paddedTo, sizeText, trimmed, withoutFill } from './padding.ts'
import { isInside, quickOf, rangeOf } from './quick.ts'
import { badLength, badValue, truncated } from './rejects.ts'
import type { FieldSpec } from './spec.ts'
import { endsOf, type Terminator } from './terminator.ts'
import { type Wire, WIRE, wireOf } from './wire.ts'

/** Where a field's value lies: `start` to `end` are its data, `rawEnd` is where the next one begins. */
export type Span = {
  readonly start: number
  readonly end: number
  readonly rawEnd: number
  readonly units: number
}

/** What takes all that is left has no limit of its own where the spec gives 0. */
const SIZE_MAX = 2 ** 31 - 1
const isUnlimited = ({ length, size }: FieldSpec): boolean =>
  size === 0 && (length.form === 'rest' || length.form === 'ber')

export type FieldParts = {
  readonly spec: FieldSpec
  readonly path: string
  readonly data: Data
  readonly prefix: Prefix | undefined
  readonly terminator: Terminator | undefined
  readonly composite: Composite | undefined
  readonly anyContent: boolean
}

/**
 * One field of a dialect, compiled.
 *
 *     at        start              end   rawEnd
 *     ┌─────────┬──────────────────┬───────┐     fill: only where a prefixed field is `filled`, or
 *     │ prefix  │ data (padded)    │ fill  │     a terminator where the field ends at one
 *     └─────────┴──────────────────┴───────┘
 *
 * Most fields of most dialects are one byte a character behind an ASCII length or none. For those
 * `quick` is the bytes of that length, and whoever scans many fields does it in line: what does not
 * pass there, and all others, which have -1, go through `scan`, which knows all rules.
 */
export class Field {
  readonly spec: FieldSpec
  readonly path: string
  readonly size: number
  readonly sizeMin: number
  readonly composite: Composite | undefined
  /** Bytes of the ASCII length, 0 where the length is fixed, -1 when the field is none of these. */
  readonly quick: number
  /** The same for writing, where the value must be the data besides. */
  readonly quickText: number
  /** How the content of a quick field is checked. */
  readonly checkKind: number
  readonly checkBits: number
  /** The lowest and the highest character that the class has; others may lie between them. */
  readonly first: number
  readonly last: number
  /** The value is the data, one character a byte. */
  readonly literal: boolean
  readonly #data: Data
  readonly #prefix: Prefix | undefined
  readonly #terminator: Terminator | undefined
  readonly #filler: number

  constructor({ spec, path, data, prefix, terminator, composite, anyContent }: FieldParts) {
    this.spec = spec
    this.path = path
    this.size = isUnlimited(spec) ? SIZE_MAX : spec.size
    this.sizeMin = spec.length.form === 'fixed' ? spec.size : (spec.sizeMin ?? 0)
    this.composite = composite
    this.#data = data
    this.#prefix = prefix
    this.#terminator = terminator
    this.#filler = fillerOf(spec)
    this.literal = spec.data === 'ascii' && spec.content !== 'b' && !spec.pad?.trim
    this.quick = quickOf(spec, composite !== undefined)
    this.quickText = this.literal ? this.quick : -1
    const unchecked = anyContent || spec.data === 'binary' || spec.content === 'b'
    this.checkKind = unchecked ? NO_CHECK : checkKindOf(spec.content)
    this.checkBits = CLASSES[spec.content].bits
    const [first, last] = rangeOf(this.checkKind)
    this.first = first
    this.last = last
  }

  /** Checks the field that begins at `at` and returns where it ends. */
  scan(wire: Wire, at: number, end: number): number {
    const span = this.locate(wire.bytes, at, end)
    this.#check(wire, span)
    return span.rawEnd
  }

  /** Finds the field that begins at `at` and must end by `end`; looks at lengths only. */
  locate(bytes: Uint8Array, at: number, end: number): Span {
    const { form } = this.spec.length
    if (form === 'prefix') return this.#locatePrefixed(bytes, at, end)
    if (form === 'fixed') return this.#span(at, end, this.size, this.#data.bytesOf(this.size))
    if (this.#terminator) return this.#locateTerminated(this.#terminator, bytes, at, end)
    let start = at
    let count = end - at
    if (form === 'ber') {
      const bytesOfLength = this.#berLength(bytes, at, end)
      start = at + bytesOfLength
      count = readBerLength(bytes, at, bytesOfLength)
    }
    if (count > end - start) throw truncated(this.path, start, count, end - start)
    const units = this.#unitsIn(bytes, start, start + count)
    this.#checkSize(at, units)
    return this.#span(start, end, units, count)
  }

  /**
   * Units of so many bytes that no length counts. An odd number of digits has a filler, which is
   * known by being an F, or by there being one digit more than the field may have.
   */
  #unitsIn(bytes: Uint8Array, start: number, end: number): number {
    const data = this.#data
    const units = data.unitsIn?.(bytes, start, end) ?? data.unitsOf(end - start)
    return units > this.size && data.bytesOf(this.size) === end - start ? this.size : units
  }

  /** Where the data ends without the blanks that fill it up on the right. */
  withoutFill(bytes: Uint8Array, start: number, end: number): number {
    const filler = this.#filler
    if (filler < 0 || this.spec.pad?.side === 'left') return end
    let last = end
    while (last > start && bytes[last - 1] === filler) last--
    return last
  }

  /** Where it begins behind those that fill it up on the left. */
  #afterFill(bytes: Uint8Array, start: number, end: number): number {
    if (this.#filler < 0 || this.spec.pad?.side !== 'left') return start
    let first = start
    while (first < end && bytes[first] === this.#filler) first++
    return first
  }

  /** The value, from where the field begins. */
  read(bytes: Uint8Array, at: number, end: number): string {
    const { start, end: valueEnd, units } = this.locate(bytes, at, end)
    const value = this.#data.read(bytes, start, valueEnd, units)
    return trimmed(this.spec, value)
  }

  /** The bytes that composites lie in: those of the frame, or what its hexadecimal says. */
  inside(wire: Wire, { start, end }: Span): { wire: Wire; start: number; end: number } {
    const { data } = this.spec
    if (data !== 'hex-ascii' && data !== 'hex-ebcdic') return { wire, start, end }
    const bytes = bytesOfHexData(wire.bytes, start, end, data)
    return { wire: wireOf(bytes), start: 0, end: bytes.length }
  }

  /** Writes the whole field. Throws CODEC_VALUE when the value does not fit. */
  write(out: Out, value: EntryValue): void {
    if (typeof value !== 'string') return this.#writeOther(out, value)
    const core = this.#filler < 0 ? value : withoutFill(this.spec, value)
    const wrong = this.#data.wrong(core)
    if (wrong !== undefined) throw badValue(this.path, wrong)
    const at = this.#begin(out)
    const units = this.#writeData(out, value)
    this.#end(out, at, units)
    if (this.composite) this.#verify(out, at)
  }

  /**
   * Writes the field where only its bytes say that it is there: an empty one keeps its terminator,
   * though it be the last.
   */
  writeShown(out: Out, value: EntryValue): void {
    const at = out.at
    this.write(out, value)
    const terminator = this.#terminator
    if (terminator?.open && out.at - at === terminator.bytes) out.keepEnd()
  }

  /** Writes the data as it lies on the wire, behind the length that it has. */
  writeData(out: Out, data: Uint8Array): void {
    if (this.quick === 0 && this.checkKind === NO_CHECK && data.length === this.size) {
      return out.copy(data, 0, data.length)
    }
    const at = this.#begin(out)
    out.copy(data, 0, data.length)
    this.#end(out, at, this.#unitsIn(data, 0, data.length))
    if (this.spec.data !== 'binary' || this.composite) this.#verify(out, at)
  }

  // Writing in place

  /** Leaves room for the length of a plain field; its data are then written behind it. */
  open(out: Out): number {
    if (this.quickText < 0) throw badValue(this.path, 'a plain field, to be written in place')
    return this.#begin(out)
  }

  /** Writes the length of what was written since `open`, and checks it. */
  close(out: Out, at: number): void {
    const { bytes, view, at: end } = out
    const start = at + this.quickText
    this.#end(out, at, end - start)
    const [first, last] = [this.#afterFill(bytes, start, end), this.withoutFill(bytes, start, end)]
    if (first >= last || isInside(this, bytes, view, first, last)) return
    throw badValue(this.path, CLASSES[this.spec.content].text)
  }

  // Reading

  #locatePrefixed(bytes: Uint8Array, at: number, end: number): Span {
    const prefix = this.#prefix as Prefix
    const { length } = this.spec
    if (prefix.bytes > end - at) throw truncated(this.path, at, prefix.bytes, end - at)
    let count = prefix.read(bytes, at)
    if (count < 0) throw badLength(this.path, at, `${prefix.text} of length`, 'something else')
    if (length.form === 'prefix' && length.inclusive) {
      if (count < prefix.bytes) throw badLength(this.path, at, `at least ${prefix.bytes}`, count)
      count -= prefix.bytes
    }
    if (length.form === 'prefix' && length.encoding === 'hex-bcd') {
      const start = at + prefix.bytes
      if (count % 2 !== 0) throw badLength(this.path, at, 'whole bytes', count)
      if (count / 2 > end - start) throw truncated(this.path, start, count / 2, end - start)
      count = this.#unitsIn(bytes, start, start + count / 2)
    }
    this.#checkSize(at, count)
    return this.#span(at + prefix.bytes, end, count, this.#data.bytesOf(count))
  }

  #locateTerminated(terminator: Terminator, bytes: Uint8Array, at: number, end: number): Span {
    const most = this.#data.bytesOf(this.size)
    const { dataEnd, rawEnd } = endsOf(terminator, this, bytes, at, end, most)
    const units = this.#unitsIn(bytes, at, dataEnd)
    this.#checkSize(at, units)
    return { start: at, end: dataEnd, rawEnd, units }
  }

  /** Whether the field from `at` to `end` ends with the data, where a terminator could have been. */
  endsOpen(bytes: Uint8Array, at: number, end: number): boolean {
    const terminator = this.#terminator
    return terminator?.open === true && terminator.find(bytes, at, end, end - at) < 0
  }

  #span(start: number, end: number, units: number, count: number): Span {
    if (count < 0) throw badLength(this.path, start, 'whole bytes', units)
    const area = this.spec.filled === true ? this.#data.bytesOf(this.size) : count
    if (area > end - start) throw truncated(this.path, start, area, end - start)
    return { start, end: start + count, rawEnd: start + area, units }
  }

  #checkSize(at: number, units: number): void {
    if (!Number.isInteger(units)) throw badLength(this.path, at, 'whole units', units)
    if (units > this.size) throw badLength(this.path, at, `at most ${this.size}`, units)
    if (units < this.sizeMin) throw badLength(this.path, at, `at least ${this.sizeMin}`, units)
  }

  #berLength(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) throw truncated(this.path, at, 1, 0)
    const count = berLengthBytes(bytes[at] as number)
    if (count < 0) throw badLength(this.path, at, 'a BER length', 'something else')
    if (count > end - at) throw truncated(this.path, at, count, end - at)
    return count
  }

  #check(wire: Wire, span: Span): void {
    const start = this.#afterFill(wire.bytes, span.start, span.end)
    const end = this.withoutFill(wire.bytes, start, span.end)
    this.#data.check(wire, start, end, span.units)
    if (this.composite) this.#checkInside(wire, span)
  }

  #checkInside(wire: Wire, span: Span): void {
    const inner = this.inside(wire, span)
    this.composite?.walk(inner.wire, inner.start, inner.end)
  }

  // Writing

  #writeOther(out: Out, value: Exclude<EntryValue, string>): void {
    if (value instanceof Uint8Array) return this.#writeRaw(out, value)
    const { composite } = this
    if (!composite) throw badValue(this.path, 'a value', 'fields')
    const at = this.#begin(out)
    const start = out.at
    if (this.spec.data.startsWith('hex')) {
      const inner = new Out()
      inner.begin()
      composite.write(inner, value)
      inner.endOfData()
      this.#data.write(out, Buffer.from(inner.take()).toString('hex'))
    } else {
      composite.write(out, value)
      out.endOfData()
    }
    this.#fillUp(out, start)
    this.#end(out, at, this.#data.unitsOf(out.at - start))
    // Parts that are right alone need not be so together: in a class of all of them, or in an order.
    if (!this.path.includes('.')) this.#verify(out, at)
  }

  /** The field as it lay on the wire, where it may have been the last and something follows now. */
  #writeRaw(out: Out, raw: Uint8Array): void {
    out.copy(raw, 0, raw.length)
    if (this.endsOpen(raw, 0, raw.length)) this.#terminator?.write(out)
  }

  /** A composite of fixed length is filled up as its padding says. */
  #fillUp(out: Out, start: number): void {
    const { length, pad } = this.spec
    if (length.form !== 'fixed' || !pad) return
    const wanted = this.#data.bytesOf(this.size)
    while (out.at - start < wanted) out.byte(pad.char.charCodeAt(0))
  }

  /** Writes the data, filled up where it must be, and returns its units without what fills it up. */
  #writeData(out: Out, value: string): number {
    const { pad, filled, length } = this.spec
    const units = this.#data.measure(value)
    if (length.form !== 'fixed' && !filled) {
      this.#data.write(out, value)
      return units
    }
    if (units > this.size) throw badValue(this.path, `at most ${this.size}`, String(units))
    if (filled && !pad) return this.#writeFilled(out, value, units)
    const padded = pad ? paddedTo(this.#data.charactersOf(this.size), this.spec, value) : value
    const written = pad ? this.#data.measure(padded) : units
    if (written !== this.size) throw badValue(this.path, `exactly ${this.size}`, String(units))
    this.#data.write(out, padded)
    return filled ? units : this.size
  }

  /** Bytes, and zero bytes behind them until the area is full. */
  #writeFilled(out: Out, value: string, units: number): number {
    this.#data.write(out, value)
    const count = this.#data.bytesOf(this.size) - this.#data.bytesOf(units)
    for (let i = 0; i < count; i++) out.byte(0)
    return units
  }

  /** Leaves room for the length. */
  #begin(out: Out): number {
    const at = out.at
    const count = this.#prefix?.bytes ?? 0
    out.room(count)
    out.at += count
    return at
  }

  /** Writes the length of what was written since `#begin`. */
  #end(out: Out, at: number, units: number): void {
    const { length } = this.spec
    const wrong = units > this.size || units < this.sizeMin || !Number.isInteger(units)
    if (wrong) throw badValue(this.path, sizeText(this), String(units))
    if (length.form === 'ber') return out.insert(at, berLength(out.at - at))
    if (this.#terminator) return this.#terminate(out, at, this.#terminator)
    if (length.form !== 'prefix') return
    const prefix = this.#prefix as Prefix
    const bytes = this.#data.bytesOf(units)
    const count = length.encoding === 'hex-bcd' ? bytes * 2 : units
    const told = length.inclusive ? count + prefix.bytes : count
    if (told > prefix.most) throw badValue(this.path, `a length of ${prefix.text}`, String(told))
    prefix.write(out.bytes, at, told)
  }

  #terminate(out: Out, at: number, terminator: Terminator): void {
    const end = out.at
    terminator.write(out)
    if (terminator.find(out.bytes, at, out.at, end - at) === end) return
    throw badValue(this.path, `a value without ${terminator.text}`)
  }

  /** What was written without a look at its structure is read back. */
  #verify(out: Out, at: number): void {
    WIRE.load(out.bytes.subarray(at, out.at))
    const count = out.at - at
    try {
      if (this.scan(WIRE, 0, count) === count) return
    } catch (error) {
      if (!isNadiError(error)) throw error
      throw badValue(
        error.path ?? this.path,
        error.expected ?? 'a value that can be read',
        error.actual,
      )
    }
    throw badValue(this.path, 'a value that fills the field')
  }
}
