import type { LengthSpec } from './spec.ts'
import { CHAR_OF_NIBBLE, NIBBLE_OF_CHAR } from './text.ts'

/** A length prefix of so many bytes. */
export type Prefix = {
  readonly bytes: number
  /** Its largest number. */
  readonly most: number
  /** What it is made of, for errors. */
  readonly text: string
  /** The number that stands at `at`, or -1 when there is none. All its bytes are there. */
  read(bytes: Uint8Array, at: number): number
  write(bytes: Uint8Array, at: number, length: number): void
}

type PrefixSpec = Extract<LengthSpec, { form: 'prefix' }>

export function compilePrefix({ encoding, digits }: PrefixSpec): Prefix {
  switch (encoding) {
    case 'ascii':
      return characters(digits, 10, 0x30, `${digits} digits`)
    case 'ebcdic':
      return characters(digits, 10, 0xf0, `${digits} EBCDIC digits`)
    case 'hex-ascii':
      return hexadecimal(digits)
    case 'bcd':
    case 'hex-bcd':
      return packed(digits)
    case 'binary':
      return binary(digits)
  }
}

function characters(digits: number, base: number, zero: number, text: string): Prefix {
  return {
    bytes: digits,
    most: base ** digits - 1,
    text,
    read(bytes, at) {
      let value = 0
      for (let place = at; place < at + digits; place++) {
        const digit = (bytes[place] as number) - zero
        if (digit < 0 || digit > 9) return -1
        value = value * base + digit
      }
      return value
    },
    write(bytes, at, length) {
      for (let place = at + digits - 1, rest = length; place >= at; place--) {
        bytes[place] = zero + (rest % base)
        rest = Math.trunc(rest / base)
      }
    },
  }
}

/** Upper case is written; both are read. */
function hexadecimal(digits: number): Prefix {
  return {
    bytes: digits,
    most: 16 ** digits - 1,
    text: `${digits} hexadecimal digits`,
    read(bytes, at) {
      let value = 0
      for (let place = at; place < at + digits; place++) {
        const nibble = NIBBLE_OF_CHAR[bytes[place] as number] as number
        if (nibble < 0) return -1
        value = value * 16 + nibble
      }
      return value
    },
    write(bytes, at, length) {
      for (let place = at + digits - 1, rest = length; place >= at; place--) {
        bytes[place] = CHAR_OF_NIBBLE[rest & 15] as number
        rest = Math.trunc(rest / 16)
      }
    },
  }
}

/** BCD: an odd number of digits has a zero before it, which must be one. */
function packed(digits: number): Prefix {
  const count = (digits + 1) >> 1
  const most = 10 ** digits - 1
  return {
    bytes: count,
    most,
    text: `${digits} digits of BCD`,
    read(bytes, at) {
      let value = 0
      for (let place = at; place < at + count; place++) {
        const byte = bytes[place] as number
        if ((byte & 15) > 9 || byte > 0x9f) return -1
        value = value * 100 + (byte >> 4) * 10 + (byte & 15)
      }
      return value > most ? -1 : value
    },
    write(bytes, at, length) {
      for (let place = at + count - 1, rest = length; place >= at; place--) {
        const two = rest % 100
        bytes[place] = (Math.trunc(two / 10) << 4) | (two % 10)
        rest = Math.trunc(rest / 100)
      }
    },
  }
}

/** Up to six bytes: more than 2^31, so it is added up and never shifted together. */
function binary(count: number): Prefix {
  return {
    bytes: count,
    most: 256 ** count - 1,
    text: `${count} bytes`,
    read(bytes, at) {
      let value = 0
      for (let place = at; place < at + count; place++) {
        value = value * 256 + (bytes[place] as number)
      }
      return value
    },
    write(bytes, at, length) {
      for (let place = at + count - 1, rest = length; place >= at; place--) {
        bytes[place] = rest % 256
        rest = Math.floor(rest / 256)
      }
    },
  }
}

// BER (ITU-T X.690 8.1.3): one byte below 0x80 is the length; 0x81 to 0x84 say how many bytes follow

/** Bytes of the BER length that begins with this byte, or -1 for a form that is not taken. */
export function berLengthBytes(first: number): number {
  if (first < 0x80) return 1
  return first > 0x80 && first <= 0x84 ? first - 0x7f : -1
}

/** The BER length of `count` bytes at `at`, all of which are there. */
export function readBerLength(bytes: Uint8Array, at: number, count: number): number {
  if (count === 1) return bytes[at] as number
  let value = 0
  for (let place = at + 1; place < at + count; place++)
    value = value * 256 + (bytes[place] as number)
  return value
}

/** The shortest BER form of a length. */
export function berLength(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 + bytes.length, ...bytes]
}
