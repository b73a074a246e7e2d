import { assert, type Random } from '#base'
import { unwrapBlock, wrapBlock } from '../crypto/key-block.ts'
import { checkValueOfKey } from './quality.ts'

/** What keys are kept under: one that lies in memory, or one that never leaves a token. */
export interface Lmk {
  /** The first character of blocks under it: D of X9.143, or P for a token's own. */
  readonly version: string
  /** By AES-CMAC over zeros, five bytes as hexadecimal. */
  readonly checkValue: string
  /** A block with this header (its length digits are filled in), the key filled up to so many bytes. */
  wrap(header: string, key: Uint8Array, paddedBytes: number): string
  /** A key in memory of its own; undefined for a block that is not authentic. */
  unwrap(block: string): Buffer | undefined
  wipe(): void
}

/** An AES-256 key in memory, and X9.143 blocks of version D under it. */
export class MemoryLmk implements Lmk {
  readonly version = 'D'
  readonly checkValue: string
  readonly #key: Uint8Array
  readonly #random: Random

  /** The key has 32 bytes, and is the LMK's from here. */
  constructor(key: Uint8Array, random: Random) {
    assert(key.length === 32, 'an LMK has 32 bytes')
    this.#key = key
    this.#random = random
    this.checkValue = checkValueOfKey('A', key)
  }

  wrap(header: string, key: Uint8Array, paddedBytes: number): string {
    return wrapBlock(this.#key, header, key, this.#random, paddedBytes)
  }

  unwrap(block: string): Buffer | undefined {
    return block.startsWith(this.version) ? unwrapBlock(this.#key, block) : undefined
  }

  wipe(): void {
    this.#key.fill(0)
  }
}
