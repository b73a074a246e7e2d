import { firstOutside } from './content.ts'
import type { Data, DataOptions } from './data.ts'
import { CODE_PAGES } from './ebcdic.ts'
import { badContent } from './rejects.ts'
import type { FieldSpec } from './spec.ts'
import { CHAR_OF_NIBBLE, hexText, latin1Text, NIBBLE_OF_CHAR } from './text.ts'

/** Bytes as they are. */
export function binaryData({ unit }: FieldSpec): Data {
  const halves = unit === 'digits' || unit === 'nibbles'
  const bytesOf = halves
    ? (units: number) => (units % 2 === 0 ? units / 2 : -1)
    : (units: number) => units
  const unitsOf = halves ? (bytes: number) => bytes * 2 : (bytes: number) => bytes
  return {
    bytesOf,
    unitsOf,
    measure: value => unitsOf(value.length / 2),
    charactersOf: units => bytesOf(units) * 2,
    check() {},
    read: hexText,
    wrong: wrongHex,
    write(out, value) {
      const count = value.length / 2
      out.room(count)
      const { bytes } = out
      for (let i = 0; i < value.length; i += 2) {
        const high = NIBBLE_OF_CHAR[value.charCodeAt(i)] as number
        bytes[out.at++] = (high << 4) | (NIBBLE_OF_CHAR[value.charCodeAt(i + 1)] as number)
      }
    },
  }
}

/** Bytes as hexadecimal characters, upper case. */
export function hexData({ unit, data }: FieldSpec, options: DataOptions): Data {
  const { charOfByte, byteOfChar } = CODE_PAGES[data === 'hex-ascii' ? 'ascii' : 'ebcdic-037']
  const { bytesOf, unitsOf } = HEX_UNITS[unit]
  const kinds = hexKinds(charOfByte, options.lowerCaseHex)
  return {
    bytesOf,
    unitsOf,
    measure: value => unitsOf(value.length),
    charactersOf: bytesOf,
    check({ bytes }, start, end) {
      const at = firstOutside(kinds, 1, bytes, start, end)
      if (at < 0) return
      throw badContent(options.path, at, 'upper-case hexadecimal digits', 'another character')
    },
    read(bytes, start, end) {
      if (data === 'hex-ascii') return latin1Text(bytes, start, end).toUpperCase()
      let text = ''
      for (let at = start; at < end; at++) {
        text += String.fromCharCode(charOfByte[bytes[at] as number] as number)
      }
      return text.toUpperCase()
    },
    wrong: wrongHex,
    write(out, value) {
      out.room(value.length)
      for (let i = 0; i < value.length; i++) {
        const nibble = NIBBLE_OF_CHAR[value.charCodeAt(i)] as number
        out.bytes[out.at++] = byteOfChar[CHAR_OF_NIBBLE[nibble] as number] as number
      }
    },
  }
}

type Units = Pick<Data, 'bytesOf' | 'unitsOf'>
const ON_THE_WIRE: Units = {
  bytesOf: units => (units % 2 === 0 ? units : -1),
  unitsOf: bytes => bytes,
}
const HEX_UNITS: Readonly<Record<FieldSpec['unit'], Units>> = {
  characters: ON_THE_WIRE,
  digits: ON_THE_WIRE,
  bytes: { bytesOf: units => units * 2, unitsOf: bytes => bytes / 2 },
  encoded: ON_THE_WIRE,
  nibbles: { bytesOf: units => (units % 4 === 0 ? units / 2 : -1), unitsOf: bytes => bytes * 2 },
}

/** 1 for each byte that is a hexadecimal digit in this code page. */
export function hexKinds(charOfByte: Uint8Array, lowerCase: boolean): Uint8Array {
  const wanted = lowerCase ? /^[0-9A-Fa-f]$/ : /^[0-9A-F]$/
  return charOfByte.map(char => (wanted.test(String.fromCharCode(char)) ? 1 : 0))
}

/** What is wrong with a binary value as text. */
export function wrongHex(value: string): string | undefined {
  if (value.length % 2 !== 0) return 'an even number of hexadecimal digits'
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code > 0xff || (NIBBLE_OF_CHAR[code] as number) < 0) return 'hexadecimal digits'
  }
  return undefined
}

/** Bytes of a text that `wrongHex` found right. */
export function bytesOfHex(value: string): Uint8Array {
  return Buffer.from(value, 'hex')
}

/** Bytes of hexadecimal characters on the wire, which were checked. */
export function bytesOfHexData(
  bytes: Uint8Array,
  start: number,
  end: number,
  encoding: 'hex-ascii' | 'hex-ebcdic',
): Uint8Array {
  const { charOfByte } = CODE_PAGES[encoding === 'hex-ascii' ? 'ascii' : 'ebcdic-037']
  const nibble = (at: number): number =>
    NIBBLE_OF_CHAR[charOfByte[bytes[at] as number] as number] as number
  const to = new Uint8Array((end - start) / 2)
  for (let i = 0; i < to.length; i++) {
    to[i] = (nibble(start + i * 2) << 4) | nibble(start + i * 2 + 1)
  }
  return to
}
