import { HostRefusal } from '../../host-codes.ts'

/**
 * A PIN under the LMK. Real boxes encipher it into digits by a way that is their own; here it is
 * the PIN behind a zero, as in public transcripts. Nothing that matters may be kept so.
 */
export function toLmk(pin: string): string {
  return `0${pin}`
}

/** Throws 14 when it is none. */
export function fromLmk(text: string): string {
  if (!/^0\d{4,12}$/.test(text)) throw new HostRefusal('14', 'pin')
  return text.slice(1)
}

export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

export function digitsOf(bytes: Buffer): string {
  return bytes.toString('hex').toUpperCase()
}
