import type { Random } from '#base'

/** Crockford's base 32: no I, L, O, U, so that an id can be read out on the telephone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const LENGTH = 8

/** Names a key or a half-made one: 8 characters of chance, which no table of keys has twice. */
export function newKeyId(random: Random): string {
  return Array.from(random.bytes(LENGTH), byte => ALPHABET[byte & 31]).join('')
}

/** As people type it; undefined when it is none. */
export function parseKeyId(text: string): string | undefined {
  const clean = text.trim().toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1')
  return /^[0-9A-HJKMNP-TV-Z]{8}$/.test(clean) ? clean : undefined
}
