import type { Random } from '#base'
import { LETTER_LENGTHS } from '../grammar/index.ts'
import { HostRefusal } from '../host-codes.ts'
import { wrapBlock, wrappingAlgorithm } from '../../crypto/key-block.ts'
import { decryptUnder, encryptUnder } from '../../crypto/variant.ts'
import { headerText, openBlock } from './key-block-lmk.ts'
import type { OpenKey, Sealing } from './lmk.ts'

/** Keys under a ZMK or TMK: how they travel between parties. */

/** Throws A4 for a block that is not authentic, BB when the ZMK cannot have such a key. */
export function openUnder(wrapping: OpenKey, key: string, code: string): OpenKey {
  if (/^[SR]/.test(key)) {
    checkWrapping(wrapping, key.charAt(1))
    return openBlock(wrapping.bytes, key)
  }
  if (wrapping.algorithm === 'A') throw new HostRefusal('BB')
  if (key.charAt(1) === 'K') throw new HostRefusal('12')
  const letter = LETTER_LENGTHS[key.charAt(0)] === undefined ? '' : key.charAt(0)
  const bytes = decryptUnder(wrapping.bytes, letter, Buffer.from(key.slice(letter.length), 'hex'))
  return { bytes, algorithm: 'T', letter, code, header: undefined }
}

/** `blockVersion` is the version of an X9.143 block: B or D. Throws 26, A7, BB. */
export function sealUnder(
  wrapping: OpenKey,
  key: OpenKey,
  { letter, header }: Sealing,
  random: Random,
  blockVersion?: string,
): string {
  if (letter === 'S' || letter === 'R') {
    if (!header) throw new HostRefusal('A6')
    const version = letter === 'S' ? thalesVersion(wrapping) : (blockVersion ?? x9Version(wrapping))
    checkWrapping(wrapping, version)
    // The two last characters: FF says that it is under no LMK; X9.143 keeps them for later.
    const text = headerText(version, header, letter === 'S' ? 'FF' : '00')
    return letter + wrapBlock(wrapping.bytes, text, key.bytes, random)
  }
  if (key.algorithm === 'A' || wrapping.algorithm === 'A') throw new HostRefusal('A7')
  const digits = letter === '' ? 2 * key.bytes.length : LETTER_LENGTHS[letter]
  if (digits !== 2 * key.bytes.length) throw new HostRefusal('26')
  const hex = encryptUnder(wrapping.bytes, letter, key.bytes).toString('hex').toUpperCase()
  return letter === 'Z' ? hex : letter + hex
}

function checkWrapping({ algorithm, bytes }: OpenKey, version: string): void {
  if (wrappingAlgorithm(version) !== algorithm || bytes.length < 16) throw new HostRefusal('BB')
}

function thalesVersion({ algorithm }: OpenKey): string {
  return algorithm === 'A' ? '1' : '0'
}

function x9Version({ algorithm }: OpenKey): string {
  return algorithm === 'A' ? 'D' : 'B'
}
