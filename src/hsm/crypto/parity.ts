import { cipherOf } from './cipher.ts'
import type { Algorithm } from './cipher.ts'
import { cmac } from './mac.ts'

/** Each byte with its last bit such that its ones are odd in number. */
const ODD = Uint8Array.from({ length: 256 }, (_, byte) => (isOddByte(byte) ? byte : byte ^ 1))

function isOddByte(byte: number): boolean {
  let ones = 0
  for (let rest = byte; rest > 0; rest &= rest - 1) ones++
  return ones % 2 === 1
}

/** The same with the last bit of each byte such that its ones are odd in number. */
export function oddParity(key: Uint8Array): Buffer {
  return Buffer.from(key.map(byte => ODD[byte] as number))
}

export function isOdd(key: Uint8Array): boolean {
  return key.every(byte => ODD[byte] === byte)
}

/** A longer key whose first two parts are the same is a single one in disguise. */
export function isSingle(key: Uint8Array): boolean {
  if (key.length === 8) return false
  return samePart(key, 0, 8) || (key.length === 24 && samePart(key, 8, 16))
}

function samePart(key: Uint8Array, one: number, other: number): boolean {
  for (let i = 0; i < 8; i++) if (key[one + i] !== key[other + i]) return false
  return true
}

/**
 * The 4 weak and 12 semi-weak keys of DES, whose rounds are all alike or alike in pairs
 * (NIST SP 800-67, 3.3.2), each as its first, second, fifth and sixth byte: the others repeat them.
 */
const WEAK: readonly (readonly [number, number, number, number])[] = [
  [0x01, 0x01, 0x01, 0x01],
  [0xfe, 0xfe, 0xfe, 0xfe],
  [0xe0, 0xe0, 0xf1, 0xf1],
  [0x1f, 0x1f, 0x0e, 0x0e],
  [0x01, 0x1f, 0x01, 0x0e],
  [0x1f, 0x01, 0x0e, 0x01],
  [0x01, 0xe0, 0x01, 0xf1],
  [0xe0, 0x01, 0xf1, 0x01],
  [0x01, 0xfe, 0x01, 0xfe],
  [0xfe, 0x01, 0xfe, 0x01],
  [0x1f, 0xe0, 0x0e, 0xf1],
  [0xe0, 0x1f, 0xf1, 0x0e],
  [0x1f, 0xfe, 0x0e, 0xfe],
  [0xfe, 0x1f, 0xfe, 0x0e],
  [0xe0, 0xfe, 0xf1, 0xfe],
  [0xfe, 0xe0, 0xfe, 0xf1],
]

/** Whether a part of a key is weak or semi-weak, whatever its parity bits. */
export function isWeak(key: Uint8Array): boolean {
  for (let at = 0; at < key.length; at += 8) if (isWeakPart(key, at)) return true
  return false
}

function isWeakPart(key: Uint8Array, at: number): boolean {
  const byte = (i: number): number => ODD[key[at + i] as number] as number
  const repeats = byte(0) === byte(2) && byte(1) === byte(3)
  if (!repeats || byte(4) !== byte(6) || byte(5) !== byte(7)) return false
  return WEAK.some(
    ([a, b, c, d]) => byte(0) === a && byte(1) === b && byte(4) === c && byte(5) === d,
  )
}

/** Check value in hexadecimal: TDES over zeros, AES by CMAC (X9.24-1:2017, annex A). */
export function checkValueOf(key: Uint8Array, algorithm: Algorithm, digits: 6 | 16): string {
  if (algorithm === 'T') return zeroCheckValueOf(key, 'T', digits)
  return shown(cmac(key, 'A', Buffer.alloc(16)), digits)
}

/** The older one, over zeros with AES too: what PKCS#11 has as CKA_CHECK_VALUE. */
export function zeroCheckValueOf(key: Uint8Array, algorithm: Algorithm, digits: 6 | 16): string {
  const cipher = cipherOf(key, algorithm)
  return shown(cipher.encrypt(Buffer.alloc(cipher.blockBytes)), digits)
}

function shown(bytes: Buffer, digits: 6 | 16): string {
  return bytes.toString('hex', 0, digits / 2).toUpperCase()
}
