import type { BlockHeader } from '../grammar/index.ts'

/** A key taken out from under the LMK, or from under another key. */
export type OpenKey = {
  readonly bytes: Uint8Array
  readonly algorithm: 'T' | 'A'
  /** The letter it was written with; '' for none. */
  readonly letter: string
  /** Its type code under a variant LMK, FFF for a key block. */
  readonly code: string
  readonly header: BlockHeader | undefined
}

/** How a key is to be written: a scheme letter, and for a block what stands in its header. */
export type Sealing = {
  readonly letter: string
  readonly code: string
  readonly header?: Omit<BlockHeader, 'version' | 'lmk' | 'optionalBlocks'>
}

/** One local master key: what keys are kept under outside of the box. */
export interface Lmk {
  readonly id: string
  readonly scheme: 'variant' | 'key-block'
  /** Sixteen hexadecimal digits for the diagnostics; boxes do not publish how they compute it. */
  readonly checkValue: string
  /** Throws HostRefusal: A1 and A2 for a key of another LMK, A4 for a block that is not authentic. */
  open(key: string, code: string): OpenKey
  /** Throws HostRefusal: 26 for a scheme that this LMK does not have. */
  seal(bytes: Uint8Array, algorithm: 'T' | 'A', as: Sealing): string
  /** A decimalisation table out from under the LMK; undefined where this LMK has no way to. */
  openTable(encrypted: Uint8Array): Uint8Array | undefined
}
