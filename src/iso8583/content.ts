/**
 * Content classes of ISO 8583: which characters a data element may hold. Each is one bit of a
 * table over all bytes, so a check is one look and one AND a byte.
 *
 * b is not here: it is about bits, not characters, and comes with the binary dialects.
 */
export const CONTENT_CLASSES = {
  n: 'digits',
  a: 'letters',
  an: 'letters and digits',
  as: 'letters, spaces and special characters',
  ns: 'digits, spaces and special characters',
  anp: 'letters, digits and spaces',
  ans: 'printable characters',
  hex: 'hexadecimal digits',
} as const
export type ContentClass = keyof typeof CONTENT_CLASSES

const DIGIT = 1
const LETTER = 2
const SPECIAL = 4
const SPACE = 8
const HEX = 16

/** What each byte is, as bits of the above; control characters and bytes above 0x7e are nothing. */
export const KIND_OF_BYTE = new Uint8Array(256).map((_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return DIGIT | HEX
  const upper = byte & 0xdf
  if (upper >= 0x41 && upper <= 0x5a) return upper <= 0x46 ? LETTER | HEX : LETTER
  if (byte === 0x20) return SPACE
  return byte > 0x20 && byte < 0x7f ? SPECIAL : 0
})

export const CLASS_BITS: Readonly<Record<ContentClass, number>> = {
  n: DIGIT,
  a: LETTER,
  an: LETTER | DIGIT,
  as: LETTER | SPECIAL | SPACE,
  ns: DIGIT | SPECIAL | SPACE,
  anp: LETTER | DIGIT | SPACE,
  ans: LETTER | DIGIT | SPECIAL | SPACE,
  hex: HEX,
}

/** Offset of the first byte from `start` to `end` that the class does not allow, or -1. */
export function firstOutside(bits: number, bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (((KIND_OF_BYTE[bytes[at] as number] as number) & bits) === 0) return at
  }
  return -1
}

/** Names a byte without showing it where it could be part of a secret: only what it is. */
export function nameOfByte(byte: number): string {
  if (byte < 0x20 || byte > 0x7e) return `byte 0x${byte.toString(16).padStart(2, '0')}`
  const kind = KIND_OF_BYTE[byte] as number
  if (kind & DIGIT) return 'a digit'
  if (kind & LETTER) return 'a letter'
  return byte === 0x20 ? 'a space' : 'a special character'
}
