import type { Random } from '#base'
import { blockHeaderOf, TYPE_OF_BLOCK } from '../grammar/index.ts'
import { HostRefusal } from '../host-codes.ts'
import { cipherOf } from '../../crypto/cipher.ts'
import type { Algorithm } from '../../crypto/cipher.ts'
import { unwrapBlock, wrapBlock } from '../../crypto/key-block.ts'
import type { Lmk, OpenKey, Sealing } from './lmk.ts'

export type KeyBlockLmkOptions = {
  readonly id: string
  readonly key: Uint8Array
  readonly algorithm: Algorithm
  readonly checkValue: string
  readonly random: Random
}

/** One key under which keys stand in Thales key blocks: version 0 under TDES, 1 under AES. */
export class KeyBlockLmk implements Lmk {
  readonly scheme = 'key-block'
  readonly id: string
  readonly checkValue: string
  readonly #key: Uint8Array
  readonly #algorithm: Algorithm
  readonly #random: Random

  constructor({ id, key, algorithm, checkValue, random }: KeyBlockLmkOptions) {
    this.id = id
    this.checkValue = checkValue
    this.#key = key
    this.#algorithm = algorithm
    this.#random = random
  }

  open(key: string, _code: string): OpenKey {
    const header = blockHeaderOf(key)
    if (!header || key.charAt(0) !== 'S') throw new HostRefusal('A1')
    if (header.version !== this.#version) throw new HostRefusal('A1')
    if (header.lmk !== this.id) throw new HostRefusal('A2')
    return openBlock(this.#key, key)
  }

  seal(bytes: Uint8Array, algorithm: Algorithm, { letter, header }: Sealing): string {
    if (letter !== 'S' || !header) throw new HostRefusal('26')
    // A key must not be kept under a weaker one.
    if (algorithm === 'A' && this.#algorithm === 'T') throw new HostRefusal('A7')
    return `S${wrapBlock(this.#key, headerText(this.#version, header, this.id), bytes, this.#random)}`
  }

  openTable(encrypted: Uint8Array): Uint8Array | undefined {
    if (this.#algorithm === 'A') return undefined
    return cipherOf(
      this.#key.map(byte => byte ^ 0x55),
      'T',
    ).decrypt(encrypted)
  }

  get #version(): '0' | '1' {
    return this.#algorithm === 'A' ? '1' : '0'
  }
}

/** A block under any key. Throws A4 when it is not authentic, A7 for an algorithm unknown here. */
export function openBlock(wrapping: Uint8Array, key: string): OpenKey {
  const header = blockHeaderOf(key)
  const bytes = header && unwrapBlock(wrapping, key.slice(1))
  if (!header || !bytes) throw new HostRefusal('A4')
  const algorithm = header.algorithm === 'A' ? 'A' : 'T'
  const lengths = algorithm === 'A' ? [16, 24, 32] : [8, 16, 24]
  if (!['A', 'T', 'D', 'H'].includes(header.algorithm)) throw new HostRefusal('A7')
  if (!lengths.includes(bytes.length)) throw new HostRefusal('A5')
  return { bytes, algorithm, letter: key.charAt(0), code: TYPE_OF_BLOCK, header }
}

/** Sixteen characters; the length is filled in when the block is made. */
export function headerText(
  version: string,
  header: NonNullable<Sealing['header']>,
  lmk: string,
): string {
  const { usage, algorithm, modeOfUse, keyVersion, exportability } = header
  return `${version}0000${usage}${algorithm}${modeOfUse}${keyVersion}${exportability}00${lmk}`
}
