import { HostRefusal } from '../host-codes.ts'
import { LETTER_LENGTHS } from '../grammar/index.ts'
import { cipherOf } from '../../crypto/cipher.ts'
import { decryptUnder, encryptUnder, variantOf } from '../../crypto/variant.ts'
import type { Lmk, OpenKey, Sealing } from './lmk.ts'

export type VariantLmkOptions = {
  readonly id: string
  /** The twenty pairs 00-01 to 38-39, 16 bytes each. */
  readonly pairs: readonly Uint8Array[]
  readonly checkValue: string
}

/** Pair codes 00 to 0E: LMK pairs 04-05 and 06-07, then every one from 14-15 on. */
const PAIRS = [2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]

/** Where tables for IBM PINs are kept: variant 1 of pair 18-19. */
const TABLE_PAIR = 9
const TABLE_VARIANT = 1

/** LMK pairs: each key type has a pair, and a variant of it (Thales' variant scheme). */
export class VariantLmk implements Lmk {
  readonly scheme = 'variant'
  readonly id: string
  readonly checkValue: string
  readonly #pairs: readonly Uint8Array[]
  /** By type code; there are at most ten variants of fifteen pairs. */
  readonly #wrapping = new Map<string, Uint8Array>()

  constructor({ id, pairs, checkValue }: VariantLmkOptions) {
    this.id = id
    this.checkValue = checkValue
    this.#pairs = pairs
  }

  open(key: string, code: string): OpenKey {
    const letter = LETTER_LENGTHS[key.charAt(0)] === undefined ? '' : key.charAt(0)
    if (/^[SR]/.test(key)) throw new HostRefusal('A1')
    if (key.charAt(1) === 'K') throw new HostRefusal('12')
    const bytes = decryptUnder(
      this.#wrappingOf(code),
      letter,
      Buffer.from(key.slice(letter.length), 'hex'),
    )
    return { bytes, algorithm: 'T', letter, code, header: undefined }
  }

  seal(bytes: Uint8Array, _algorithm: 'T' | 'A', { letter, code }: Sealing): string {
    const digits = letter === '' ? 2 * bytes.length : LETTER_LENGTHS[letter]
    if (digits !== 2 * bytes.length) throw new HostRefusal('26')
    const hex = encryptUnder(this.#wrappingOf(code), letter, bytes).toString('hex').toUpperCase()
    // A single key is written without its letter.
    return letter === 'Z' ? hex : letter + hex
  }

  openTable(encrypted: Uint8Array): Uint8Array {
    const pair = this.#pairs[TABLE_PAIR] ?? new Uint8Array()
    return cipherOf(variantOf(pair, TABLE_VARIANT), 'T').decrypt(encrypted)
  }

  /** Throws 04 for a code of no pair. */
  #wrappingOf(code: string): Uint8Array {
    let wrapping = this.#wrapping.get(code)
    if (wrapping) return wrapping
    const pair = this.#pairs[PAIRS[Number.parseInt(code.slice(1), 16)] ?? -1]
    if (!pair || !/^\d[0-9A-F]{2}$/.test(code)) throw new HostRefusal('04')
    wrapping = variantOf(pair, Number(code.charAt(0)))
    this.#wrapping.set(code, wrapping)
    return wrapping
  }
}
