import { NadiError } from '#base'
import {
  CLASS_BITS,
  CONTENT_CLASSES,
  firstOutside,
  nameOfByte,
  type ContentClass,
} from './content.ts'
import type { Fields } from './fields.ts'

/**
 * One data element as the standard's own table prints it, taken apart into choices that do not
 * depend on each other. A new dialect adds a value to one of these, never a new kind of field.
 */
export type FieldSpec = {
  readonly number: number
  readonly name: string
  /** How a character becomes bytes. */
  readonly data: DataEncoding
  readonly length: LengthSpec
  /** What the length counts. */
  readonly unit: 'characters'
  /** Units: exactly so many where the length is fixed, at most so many where it varies. */
  readonly size: number
  readonly content: ContentClass
  readonly mask?: FieldMask
}

export type DataEncoding = 'ascii'
export type LengthSpec =
  | { readonly form: 'fixed' }
  | { readonly form: 'prefix'; readonly encoding: 'ascii'; readonly digits: number }
export type FieldMask = 'hidden' | 'name' | 'token' | 'partial'

/** A field's compiled form: every choice is looked up once, at load. */
export type FieldCodec = {
  readonly spec: FieldSpec
  /** `de48`, the beginning of every path below it. */
  readonly path: string
  /** Bytes of the length prefix; 0 when the length is fixed. */
  readonly prefixBytes: number
  /** Checks the field that begins at `at`, notes where its value lies and returns where it ends. */
  scan(frame: Uint8Array, at: number, into: Fields): number
  /** Writes the length of a value of `length` units at `at`; throws CODEC_VALUE when it cannot be. */
  writeLength(buffer: Uint8Array, at: number, length: number): void
}

const LINE =
  /^(?:(L{1,6})VAR\s+)?([a-z]+)\s*(\.\.)?\s*(\d+)\s+([^,]+?)(?:,\s*(hidden|name|token|partial))?$/
const SIZE_MAX = 999_999

/**
 * Reads one line of a field table: `n 12 trace`, `LLVAR n ..11 bank`, `LLLVAR ans ..999 private
 * data, hidden`. What is wrong with it comes back as text.
 */
export function parseField(number: number, line: string): FieldSpec | string {
  const match = LINE.exec(line)
  if (!match) {
    return `"${line}" is not a field; write "n 12 name", "LLVAR n ..11 name" or "LLLVAR ans ..999 name, hidden"`
  }
  const [, prefix, content, dots, digits, name] = match as unknown as string[]
  const size = Number(digits)
  if (!isContentClass(content as string)) {
    return `"${content}" is not a content class; there are ${Object.keys(CONTENT_CLASSES).join(', ')}`
  }
  if ((prefix === undefined) !== (dots === undefined)) {
    return `"${line}" mixes fixed and variable length; write "n 12" or "LLVAR n ..12"`
  }
  const most = prefix ? 10 ** prefix.length - 1 : SIZE_MAX
  if (size < 1 || size > most) return `the size ${size} is not between 1 and ${most}`
  return {
    number,
    name: name as string,
    data: 'ascii',
    length: prefix
      ? { form: 'prefix', encoding: 'ascii', digits: prefix.length }
      : { form: 'fixed' },
    unit: 'characters',
    size,
    content: content as ContentClass,
    ...(match[6] ? { mask: match[6] as FieldMask } : {}),
  }
}

function isContentClass(text: string): text is ContentClass {
  return Object.hasOwn(CONTENT_CLASSES, text)
}

export function compileField(spec: FieldSpec): FieldCodec {
  const path = `de${spec.number}`
  const check = compileContent(spec, path)
  return spec.length.form === 'fixed'
    ? fixedField(spec, path, check)
    : prefixedField(spec, path, spec.length.digits, check)
}

type ContentCheck = (frame: Uint8Array, start: number, end: number) => void

function compileContent(spec: FieldSpec, path: string): ContentCheck {
  const bits = CLASS_BITS[spec.content]
  const expected = CONTENT_CLASSES[spec.content]
  return (frame, start, end) => {
    const offset = firstOutside(bits, frame, start, end)
    if (offset >= 0) {
      const actual = nameOfByte(frame[offset] as number)
      throw new NadiError('CODEC_CONTENT', { path, offset, expected, actual })
    }
  }
}

function fixedField(spec: FieldSpec, path: string, check: ContentCheck): FieldCodec {
  const { number, size } = spec
  return {
    spec,
    path,
    prefixBytes: 0,
    scan(frame, at, into) {
      const end = at + size
      if (end > frame.length) throw truncated(path, at, size, frame.length - at)
      check(frame, at, end)
      into.note(number, at, end)
      return end
    },
    writeLength(_buffer, at, length) {
      if (length !== size) throw wrongSize(path, at, `${size} characters`, length)
    },
  }
}

function prefixedField(
  spec: FieldSpec,
  path: string,
  digits: number,
  check: ContentCheck,
): FieldCodec {
  const { number, size } = spec
  return {
    spec,
    path,
    prefixBytes: digits,
    scan(frame, at, into) {
      const start = at + digits
      if (start > frame.length) throw truncated(path, at, digits, frame.length - at)
      const length = readDecimal(frame, at, start)
      if (length < 0) throw notALength(path, at, digits)
      if (length > size) throw lengthTooLarge(path, at, size, length)
      const end = start + length
      if (end > frame.length) throw truncated(path, start, length, frame.length - start)
      check(frame, start, end)
      into.note(number, start, end)
      return end
    },
    writeLength(buffer, at, length) {
      if (length > size) throw wrongSize(path, at, `at most ${size} characters`, length)
      for (let place = at + digits - 1, rest = length; place >= at; place--) {
        buffer[place] = 0x30 + (rest % 10)
        rest = Math.trunc(rest / 10)
      }
    },
  }
}

/** The ASCII decimal number from `start` to `end`, or -1 when it is none. */
export function readDecimal(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function truncated(path: string, offset: number, wanted: number, left: number): NadiError {
  const [expected, actual] = [`${wanted} bytes`, `${left}`]
  return new NadiError('CODEC_TRUNCATED', { path, offset, expected, actual })
}

function notALength(path: string, offset: number, digits: number): NadiError {
  const [expected, actual] = [`${digits} digits of length`, 'something else']
  return new NadiError('CODEC_LENGTH', { path, offset, expected, actual })
}

function lengthTooLarge(path: string, offset: number, size: number, length: number): NadiError {
  const [expected, actual] = [`at most ${size}`, `${length}`]
  return new NadiError('CODEC_LENGTH', { path, offset, expected, actual })
}

function wrongSize(path: string, offset: number, expected: string, length: number): NadiError {
  return new NadiError('CODEC_VALUE', { path, offset, expected, actual: `${length}` })
}
