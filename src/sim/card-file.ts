import { isNadiError } from '#base'
import type { PaymentHsm, PinFormat } from '#hsm'

/** What the bank knows of its cards: for each number a PVV, which tells nothing of the PIN. */
export class CardFile {
  readonly #pvk: string
  readonly #pvki: string
  readonly #pvvs = new Map<string, string>()

  /** A pair of keys for Visa PVVs under the HSM's LMK, and which of six it is. */
  constructor(pvk: string, pvki = '1') {
    this.#pvk = pvk
    this.#pvki = pvki
  }

  /** Takes the PIN that the customer chose: of a block under `key`. */
  async issue(
    hsm: PaymentHsm,
    key: string,
    pinBlock: string,
    format: PinFormat,
    pan: string,
  ): Promise<void> {
    const { pvk, pvki } = { pvk: this.#pvk, pvki: this.#pvki }
    this.#pvvs.set(pan, await hsm.generatePvv({ key, pinBlock, format, pan, pvk, pvki }))
  }

  /** A block without a PIN in it is a wrong one. */
  async verify(
    hsm: PaymentHsm,
    key: string,
    pinBlock: string,
    format: PinFormat,
    pan: string,
  ): Promise<'right' | 'wrong' | 'card-unknown'> {
    const pvv = this.#pvvs.get(pan)
    if (pvv === undefined) return 'card-unknown'
    const of = { key, pinBlock, format, pan, pvk: this.#pvk, pvki: this.#pvki, pvv }
    try {
      return (await hsm.verifyPinPvv(of)) ? 'right' : 'wrong'
    } catch (error) {
      if (!isNadiError(error, 'HSM_PIN_BLOCK')) throw error
      return 'wrong'
    }
  }
}
