import type { Random } from '#base'
import { forgetCiphers } from '../crypto/cipher.ts'
import { forgetDukptKeys } from '../crypto/dukpt.ts'
import { forgetAesDukptKeys } from '../crypto/dukpt-aes.ts'
import { forgetBlockKeys } from '../crypto/key-block.ts'
import { forgetHmacKeys } from '../crypto/mac.ts'
import type { PaymentHsm } from '../payment-hsm.ts'
import { DataWork } from './data-work.ts'
import { KeySafe } from './key-safe.ts'
import { KeyWork } from './key-work.ts'
import type { Lmk } from './memory-lmk.ts'
import { PinWork } from './pin-work.ts'

type Sync<F> = F extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : never

/** What an HSM does with keys, without the promises: one after the other, in the worker. */
export type Operations = {
  readonly [K in Exclude<keyof PaymentHsm, 'capabilities' | 'status' | 'close'>]: Sync<
    PaymentHsm[K]
  >
}

export type Operation = keyof Operations

/** All that crypto/ keeps for its next use. */
const REMEMBERED = [
  forgetCiphers,
  forgetBlockKeys,
  forgetDukptKeys,
  forgetAesDukptKeys,
  forgetHmacKeys,
]

/** The operations of an HSM beside its LMK. Throws NadiError with codes HSM_…. */
export class SoftKeeper {
  readonly operations: Operations
  readonly #safe: KeySafe
  readonly #lmk: Lmk

  constructor(lmk: Lmk, random: Random) {
    this.#lmk = lmk
    this.#safe = new KeySafe(lmk)
    const keys = new KeyWork(this.#safe, random)
    const pins = new PinWork(this.#safe, random)
    const data = new DataWork(this.#safe)
    this.operations = {
      random: bytes => keys.random(bytes),
      generateKey: (type, kind) => keys.generateKey(type, kind),
      generateComponent: (type, kind) => keys.generateComponent(type, kind),
      takeComponent: (type, clear, kind) => keys.takeComponent(type, clear, kind),
      formKey: (type, components) => keys.formKey(type, components),
      importKey: (type, wrapped, under, parity) => keys.importKey(type, wrapped, under, parity),
      exportKey: (key, under, scheme) => keys.exportKey(key, under, scheme),
      rewrapKey: key => keys.rewrapKey(key),
      checkValue: key => keys.checkValue(key),
      describeKey: key => keys.describeKey(key),
      sealDecimalisation: table => keys.sealDecimalisation(table),
      translatePin: request => pins.translatePin(request),
      verifyPinPvv: request => pins.verifyPinPvv(request),
      verifyPinIbm: request => pins.verifyPinIbm(request),
      generatePvv: request => pins.generatePvv(request),
      generateOffset: request => pins.generateOffset(request),
      generateMac: request => data.generateMac(request),
      verifyMac: request => data.verifyMac(request),
      generateCvv: request => data.generateCvv(request),
      verifyCvv: request => data.verifyCvv(request),
      encrypt: request => data.encrypt(request),
      decrypt: request => data.decrypt(request),
    }
  }

  /** Nothing can be opened from here on. */
  wipe(): void {
    this.#lmk.wipe()
    this.#safe.wipe()
    for (const forget of REMEMBERED) forget()
  }
}
