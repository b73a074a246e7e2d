import { HostRefusal } from '../host-codes.ts'

/**
 * How a key stands in a command: a letter, then hexadecimal digits; or a block that tells its own
 * length. Without a letter it is what the command says.
 *
 *     U 32 digits   X 32 digits      double length: variant, ANSI X9.17
 *     T 48 digits   Y 48 digits      triple length: variant, ANSI X9.17
 *     Z 16 digits                    single length
 *     S, R          a key block      Thales, X9.143
 *     UK012         user storage     the index of a key that the box keeps itself
 *
 *     S 0 0072 71 T N 00 E 00 01 …   version, length without the S, usage, algorithm, mode of use,
 *                                    key version, exportability, optional blocks, LMK
 */
export const LETTER_LENGTHS: Readonly<Record<string, number>> = {
  Z: 16,
  U: 32,
  X: 32,
  T: 48,
  Y: 48,
}

/** Headers and MAC alone make a block longer than this; four digits can say no more than that. */
const BLOCK_LENGTH_MIN = 16
const HEX = /^[0-9A-Fa-f]*$/
const BLOCK = /^[\x21-\x7e]*$/

/** Where the key that begins at `at` ends. Throws 15 when it is cut short, 26 for another letter. */
export function endOfKey(text: string, at: number, bare: number, name: string): number {
  const letter = text.charAt(at)
  if (letter === 'S' || letter === 'R') return endOfBlock(text, at, name)
  const length = LETTER_LENGTHS[letter]
  if (length === undefined) return endOfDigits(text, at, bare, name)
  if (text.charAt(at + 1) === 'K') return endOfIndex(text, at, name)
  return endOfDigits(text, at + 1, length, name)
}

export type BlockHeader = {
  readonly version: string
  readonly usage: string
  readonly algorithm: string
  readonly modeOfUse: string
  readonly keyVersion: string
  readonly exportability: string
  readonly optionalBlocks: string
  /** The number of the LMK that it is under, FF under another key. */
  readonly lmk: string
}

/** The header of a key block; undefined when the key is none. */
export function blockHeaderOf(key: string): BlockHeader | undefined {
  if (key.length <= BLOCK_LENGTH_MIN || !/^[SR]/.test(key)) return undefined
  return {
    version: key.slice(1, 2),
    usage: key.slice(6, 8),
    algorithm: key.slice(8, 9),
    modeOfUse: key.slice(9, 10),
    keyVersion: key.slice(10, 12),
    exportability: key.slice(12, 13),
    optionalBlocks: key.slice(13, 15),
    lmk: key.slice(15, 17),
  }
}

function endOfDigits(text: string, at: number, length: number, name: string): number {
  const found = text.slice(at, at + length)
  if (!HEX.test(found)) {
    const first = text.charAt(at)
    throw new HostRefusal(/[G-Z]/.test(first) ? '26' : '15', name, at)
  }
  if (found.length < length) throw new HostRefusal('15', name, at)
  return at + length
}

function endOfBlock(text: string, at: number, name: string): number {
  const length = text.slice(at + 2, at + 6)
  if (!/^\d{4}$/.test(length) || Number(length) <= BLOCK_LENGTH_MIN) {
    throw new HostRefusal('15', name, at)
  }
  const end = at + 1 + Number(length)
  if (end > text.length || !BLOCK.test(text.slice(at, end))) throw new HostRefusal('15', name, at)
  return end
}

function endOfIndex(text: string, at: number, name: string): number {
  if (!/^\d{3}$/.test(text.slice(at + 2, at + 5))) throw new HostRefusal('15', name, at)
  return at + 5
}
