import { cipherOf } from './cipher.ts'

/**
 * Thales' variant scheme. A key under an LMK pair of 16 bytes, or under a ZMK:
 *
 *     key type VPP     byte 0 of the pair  xor  the variant of V
 *     scheme U, T      byte 8 of the pair  xor  one more for each 8-byte part of the key
 *     scheme X, Y, Z   all parts under the same key
 *
 * and each part is encrypted for itself with TDES.
 */
const TYPE_VARIANTS = [0x00, 0xa6, 0x5a, 0x6a, 0xde, 0x2b, 0x50, 0x74, 0x9c, 0xfa]
const PART_VARIANTS: Readonly<Record<string, readonly number[]>> = {
  U: [0xa6, 0x5a],
  T: [0x6a, 0xde, 0x2b],
}

/** A pair of keys as variant `digit` of it. */
export function variantOf(pair: Uint8Array, digit: number): Buffer {
  return withByte(pair, 0, TYPE_VARIANTS[digit] ?? 0)
}

export function encryptUnder(wrapping: Uint8Array, letter: string, key: Uint8Array): Buffer {
  return eachPart(wrapping, letter, key, (cipher, part) => cipher.encrypt(part))
}

export function decryptUnder(wrapping: Uint8Array, letter: string, key: Uint8Array): Buffer {
  return eachPart(wrapping, letter, key, (cipher, part) => cipher.decrypt(part))
}

/** Atalla's variants of a ZMK: the first byte of each half xor eight times the digit. */
export function atallaVariant(zmk: Uint8Array, digit: number): Buffer {
  return Buffer.from(zmk.map((byte, at) => (at % 8 === 0 ? byte ^ (8 * digit) : byte)))
}

type Turn = (cipher: ReturnType<typeof cipherOf>, part: Uint8Array) => Buffer

function eachPart(wrapping: Uint8Array, letter: string, key: Uint8Array, turn: Turn): Buffer {
  const variants = PART_VARIANTS[letter]
  if (!variants) return turn(cipherOf(wrapping, 'T'), key)
  // A wrapping key of one part has its right half nowhere but in the left one.
  const double = wrapping.length === 8 ? Buffer.concat([wrapping, wrapping]) : wrapping
  return Buffer.concat(
    variants.map((variant, index) => {
      const part = key.subarray(8 * index, 8 * index + 8)
      return turn(cipherOf(withByte(double, 8, variant), 'T'), part)
    }),
  )
}

function withByte(key: Uint8Array, at: number, mask: number): Buffer {
  const out = Buffer.from(key)
  out[at] = (out[at] ?? 0) ^ mask
  return out
}
