import { timingSafeEqual } from 'node:crypto'

/** Whether two texts are equal, in a time that tells nothing about where they differ. */
export function same(expected: string, given: string): boolean {
  const a = Buffer.from(expected)
  const b = Buffer.from(given)
  // timingSafeEqual wants equal lengths; that the lengths differ is no secret.
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Hexadecimal may come in either case, and base64 with or without its padding. */
export function sameSignature(
  expected: string,
  given: string,
  encoding: 'hex' | 'base64' | 'base64url',
): boolean {
  if (encoding === 'hex') return same(expected.toLowerCase(), given.toLowerCase())
  return same(expected.replace(/=+$/, ''), given.replace(/=+$/, ''))
}
