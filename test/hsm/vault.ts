import { SystemRandom } from '#base'
import type { KeyTypeName, PaymentHsm } from '#hsm'
import { KEY_TYPES } from '#hsm'
import { wrapBlock } from '../../src/hsm/crypto/key-block.ts'
import { encryptUnder } from '../../src/hsm/crypto/variant.ts'

export const bytes = (hex = ''): Buffer => Buffer.from(hex, 'hex')
export const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex').toUpperCase()
export const random = new SystemRandom()

/** A keeper, and keys that wrap keys in it: what they are, the test knows, too. */
export type HsmUnderTest = {
  readonly hsm: PaymentHsm
  /** A TDES one of three parts, which may wrap every TDES key. */
  readonly zmk: WrappingKey
  /** An AES-256 one, where the keeper has AES keys. */
  readonly aesZmk?: WrappingKey
}

export type WrappingKey = { readonly key: string; readonly clear: Buffer }

/** Puts keys of the test's own choice into a keeper, the way that a partner would: under a ZMK. */
export class Vault {
  readonly under: HsmUnderTest

  constructor(under: HsmUnderTest) {
    this.under = under
  }

  get hsm(): PaymentHsm {
    return this.under.hsm
  }

  async key(
    type: KeyTypeName,
    clearHex: string,
    algorithm: 'T' | 'A' | 'H' = 'T',
  ): Promise<string> {
    if (algorithm !== 'T') return this.block(type, clearHex, { algorithm })
    const { zmk } = this.under
    const letter = clearHex.length === 48 ? 'Y' : 'X'
    const wrapped = letter + hex(encryptUnder(zmk.clear, letter, bytes(clearHex)))
    return (await this.hsm.importKey(type, wrapped, zmk.key)).key
  }

  /** The same in an X9.143 block that says more than a type does. */
  async block(
    type: KeyTypeName,
    clearHex: string,
    header: { algorithm?: 'T' | 'A' | 'H'; mode?: string; exportability?: string } = {},
  ): Promise<string> {
    const { zmk, aesZmk } = this.under
    const { algorithm = 'T', mode = KEY_TYPES[type].mode, exportability = 'E' } = header
    const wrapping = algorithm === 'T' ? zmk : (aesZmk ?? zmk)
    const version = algorithm === 'T' ? 'B' : 'D'
    const head = `${version}0000${KEY_TYPES[type].usage}${algorithm}${mode}00${exportability}0000`
    const text = wrapBlock(wrapping.clear, head, bytes(clearHex), random)
    return (await this.hsm.importKey(type, `R${text}`, wrapping.key)).key
  }
}
