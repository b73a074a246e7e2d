import type { LengthForm } from './spec.ts'

/** Reads and writes the number in a frame's header. */
export type LengthCodec = {
  readonly bytes: number
  /** The largest number that it can say. */
  readonly max: number
  /** The number at `at`, or -1 when what stands there is none. */
  read(bytes: Uint8Array, at: number): number
  write(out: Uint8Array, at: number, value: number): void
}

type Written = Exclude<LengthForm, { form: 'none' | 'document' }>

export function compileLength(length: Written): LengthCodec {
  switch (length.form) {
    case 'binary':
      return length.bytes === 2 ? twoBytes(length.order) : binary(length.bytes, length.order)
    case 'bcd':
      return bcd(length.bytes)
    case 'decimal':
      return text(length.digits, 10)
    case 'hex':
      return text(length.digits, 16)
  }
}

/** By far the most frequent form, so it has no loop. */
function twoBytes(order: 'big' | 'little'): LengthCodec {
  const [high, low] = order === 'big' ? [0, 1] : [1, 0]
  return {
    bytes: 2,
    max: 0xffff,
    read: (bytes, at) => ((bytes[at + high] as number) << 8) | (bytes[at + low] as number),
    write(out, at, value) {
      out[at + high] = value >> 8
      out[at + low] = value
    },
  }
}

function binary(bytes: number, order: 'big' | 'little'): LengthCodec {
  const place = (index: number) => (order === 'big' ? bytes - 1 - index : index)
  return {
    bytes,
    max: 2 ** (8 * bytes) - 1,
    read(from, at) {
      let value = 0
      for (let index = bytes - 1; index >= 0; index--) {
        value = value * 256 + (from[at + place(index)] as number)
      }
      return value
    },
    write(out, at, value) {
      for (let index = 0, rest = value; index < bytes; index++) {
        out[at + place(index)] = rest % 256
        rest = Math.floor(rest / 256)
      }
    },
  }
}

function bcd(bytes: number): LengthCodec {
  return {
    bytes,
    max: 100 ** bytes - 1,
    read(from, at) {
      let value = 0
      for (let index = 0; index < bytes; index++) {
        const byte = from[at + index] as number
        const [high, low] = [byte >> 4, byte & 15]
        if (high > 9 || low > 9) return -1
        value = value * 100 + high * 10 + low
      }
      return value
    },
    write(out, at, value) {
      for (let index = bytes - 1, rest = value; index >= 0; index--) {
        const pair = rest % 100
        out[at + index] = (Math.floor(pair / 10) << 4) | (pair % 10)
        rest = Math.floor(rest / 100)
      }
    },
  }
}

/** ASCII digits; hexadecimal ones are written in upper case and read in both. */
function text(digits: number, radix: 10 | 16): LengthCodec {
  return {
    bytes: digits,
    max: radix ** digits - 1,
    read(bytes, at) {
      let value = 0
      for (let index = at; index < at + digits; index++) {
        const digit = digitOf(bytes[index] as number)
        if (digit >= radix) return -1
        value = value * radix + digit
      }
      return value
    },
    write(out, at, value) {
      for (let index = digits - 1, rest = value; index >= 0; index--) {
        const digit = rest % radix
        out[at + index] = digit < 10 ? 0x30 + digit : 0x41 + digit - 10
        rest = Math.floor(rest / radix)
      }
    },
  }
}

/** The value of an ASCII hexadecimal digit; 99 for anything else. */
function digitOf(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30
  const upper = char & ~0x20
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x41 + 10 : 99
}
