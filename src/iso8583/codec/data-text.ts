import {
  allInside,
  checkKindOf,
  CLASSES,
  firstOutside,
  KIND_OF_CHAR,
  nameOfChar,
  NO_CHECK,
  SIGN_BITS,
} from './content.ts'
import type { Data, DataOptions } from './data.ts'
import { bytesOfHex, wrongHex } from './data-bytes.ts'
import { CODE_PAGES } from './ebcdic.ts'
import type { Out } from './out.ts'
import { badContent } from './rejects.ts'
import type { FieldSpec, TextEncoding } from './spec.ts'
import { hexText, latin1Text } from './text.ts'
import type { Wire } from './wire.ts'

/** One byte a character, whatever the unit is (half-bytes excepted). */
function textUnits({ unit }: FieldSpec): Pick<Data, 'bytesOf' | 'unitsOf'> {
  return unit === 'nibbles'
    ? { bytesOf: units => (units % 2 === 0 ? units / 2 : -1), unitsOf: bytes => bytes * 2 }
    : { bytesOf: units => units, unitsOf: bytes => bytes }
}

export function textData(spec: FieldSpec, encoding: TextEncoding, options: DataOptions): Data {
  if (spec.content === 'b') return byteData(spec, encoding)
  const { charOfByte, byteOfChar } = CODE_PAGES[encoding]
  const { bytesOf, unitsOf } = textUnits(spec)
  const check = options.anyContent ? () => {} : checkerOf(spec, charOfByte, options.path)
  return {
    bytesOf,
    unitsOf,
    measure: value => unitsOf(value.length),
    charactersOf: bytesOf,
    check,
    read(bytes, start, end) {
      const text = encoding === 'ascii' ? bytes : translated(bytes, start, end, charOfByte)
      return encoding === 'ascii' ? latin1Text(bytes, start, end) : latin1Text(text, 0, end - start)
    },
    wrong: value => wrongText(value, spec, options),
    write(out, value) {
      out.room(value.length)
      for (let i = 0; i < value.length; i++) {
        out.bytes[out.at++] = byteOfChar[value.charCodeAt(i)] as number
      }
    },
  }
}

/** Bytes that pass through a code page: the value is told in hexadecimal. */
function byteData(spec: FieldSpec, encoding: TextEncoding): Data {
  const { charOfByte, byteOfChar } = CODE_PAGES[encoding]
  const { bytesOf, unitsOf } = textUnits(spec)
  return {
    bytesOf,
    unitsOf,
    measure: value => unitsOf(value.length / 2),
    charactersOf: units => bytesOf(units) * 2,
    check() {},
    read: (bytes, start, end) => hexText(translated(bytes, start, end, charOfByte), 0, end - start),
    wrong: wrongHex,
    write(out, value) {
      for (const byte of bytesOfHex(value)) out.byte(byteOfChar[byte] as number)
    },
  }
}

export function translated(
  bytes: Uint8Array,
  start: number,
  end: number,
  table: Uint8Array,
): Uint8Array {
  const to = new Uint8Array(end - start)
  for (let at = start; at < end; at++) to[at - start] = table[bytes[at] as number] as number
  return to
}

function checkerOf(spec: FieldSpec, charOfByte: Uint8Array, path: string): Data['check'] {
  const { bits, text } = CLASSES[spec.content]
  const ascii = spec.data === 'ascii'
  const kind = checkKindOf(spec.content)
  const kinds = KIND_OF_CHAR.map((_, byte) => KIND_OF_CHAR[charOfByte[byte] as number] as number)
  const fail = (wire: Wire, at: number): never => {
    const name = nameOfChar(charOfByte[wire.bytes[at] as number] as number)
    throw badContent(path, at, text, name)
  }
  if (spec.content === 'x+n') {
    return (wire, start, end) => {
      if (start === end) return
      if (firstOutside(kinds, SIGN_BITS, wire.bytes, start, start + 1) >= 0) fail(wire, start)
      const at = firstOutside(kinds, bits, wire.bytes, start + 1, end)
      if (at >= 0) fail(wire, at)
    }
  }
  if (kind === NO_CHECK) return () => {}
  return (wire, start, end) => {
    if (ascii && allInside(wire.bytes, wire.view, start, end, kind, bits)) return
    const at = firstOutside(kinds, bits, wire.bytes, start, end)
    if (at >= 0) fail(wire, at)
  }
}

function wrongText(value: string, spec: FieldSpec, { anyContent }: DataOptions) {
  const { content, length, size } = spec
  const { bits, text } = CLASSES[content]
  // Filled up with zeros, nothing would be a number without its sign.
  if (content === 'x+n' && value === '' && length.form === 'fixed' && size > 0) return text
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code > 0xff) return 'characters of one byte'
    if (anyContent) continue
    const wanted = content === 'x+n' && i === 0 ? SIGN_BITS : bits
    if (((KIND_OF_CHAR[code] as number) & wanted) === 0) return text
  }
  return undefined
}

const ZONES = 'EBCDIC digits with the sign in the last one'

/**
 * Digits of which the last carries the sign in its upper half: D is minus, F (written) and C are
 * plus. Told as `-12`; the sign is no character of its own on the wire.
 */
export function zonedData(spec: FieldSpec, { path, anyContent }: DataOptions): Data {
  const { bytesOf, unitsOf } = textUnits(spec)
  return {
    bytesOf,
    unitsOf,
    measure: value => unitsOf(value.length - (value.startsWith('-') ? 1 : 0)),
    charactersOf: bytesOf,
    check({ bytes }, start, end) {
      if (anyContent) return
      for (let at = start; at < end; at++) {
        const byte = bytes[at] as number
        const signed = at === end - 1 && (byte >> 4 === 0xc || byte >> 4 === 0xd)
        if ((byte & 15) > 9 || (byte < 0xf0 && !signed)) {
          throw badContent(path, at, ZONES, 'another byte')
        }
      }
    },
    read(bytes, start, end) {
      let text = end > start && (bytes[end - 1] as number) >> 4 === 0xd ? '-' : ''
      for (let at = start; at < end; at++) text += String((bytes[at] as number) & 15)
      return text
    },
    wrong: value => (/^-?[0-9]+$|^$/.test(value) ? undefined : 'digits, and - before them'),
    write(out: Out, value) {
      const minus = value.startsWith('-')
      const digits = minus ? value.slice(1) : value
      out.room(digits.length)
      for (let i = 0; i < digits.length; i++) {
        const zone = minus && i === digits.length - 1 ? 0xd0 : 0xf0
        out.bytes[out.at++] = zone | (digits.charCodeAt(i) & 15)
      }
    },
  }
}
