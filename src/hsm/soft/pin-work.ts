import { timingSafeEqual } from 'node:crypto'
import { NadiError, type Random } from '#base'
import {
  accountFor,
  accountOf,
  openPinDigits,
  PinProblem,
  translatePin,
} from '../crypto/pin-block.ts'
import type { PinDigits, PinFormat as PinCode, PinKey, PinPlace } from '../crypto/pin-block.ts'
import {
  naturalDigits,
  offsetOfDigits,
  plusOffsetDigits,
  pvvOfDigits,
} from '../crypto/pin-check.ts'
import type { KeyUse } from '../key-types.ts'
import type { IbmOf, PinFormat, PinFrom, PvvOf, TranslatePin } from '../payment-hsm.ts'
import {
  checkFormat,
  checkNumber,
  checkPan,
  checkTable,
  checkTranslation,
  digits,
  hexBytes,
  pinBlockBytes,
  validationOf,
} from '../request.ts'
import { derivedKey } from './derived-keys.ts'
import type { LentKey } from './derived-keys.ts'
import type { KeySafe } from './key-safe.ts'

/** What host commands call the formats, which is what crypto/ calls them, too. */
const CODES: Readonly<Record<PinFormat, PinCode>> = { 0: '01', 1: '05', 3: '47', 4: '48' }

/** PINs from one key under another, and whether they are right. A clear PIN lives for one call. */
export class PinWork {
  readonly #safe: KeySafe
  readonly #random: Random

  constructor(safe: KeySafe, random: Random) {
    this.#safe = safe
    this.#random = random
  }

  translatePin(request: TranslatePin): string {
    checkTranslation(request)
    const { intoKey, intoFormat, pan } = request
    const into = pinPlace(this.#safe.open(intoKey, 'intoKey', 'encrypt-pin'), intoFormat, 'intoKey')
    return this.#withBlock(request, (from, block) =>
      hexOf(translatePin(from, block, into, pan, this.#random)),
    )
  }

  verifyPinPvv(request: PinFrom & PvvOf & { readonly pvv: string }): boolean {
    const given = digits(request.pvv, 'pvv', 4)
    return sameText(this.#pvv(request, 'check-pvv'), given)
  }

  generatePvv(request: PinFrom & PvvOf): string {
    return this.#pvv(request, 'make-pvv')
  }

  verifyPinIbm(request: PinFrom & IbmOf & { readonly offset: string }): boolean {
    const { offset, pinLength } = request
    // Host commands fill an offset up to 12 characters with F.
    const given = digits(offset.replace(/F+$/, ''), 'offset', pinLength)
    return this.#withNatural(request, 'check-offset', (natural, pin) => {
      const wanted = plusOffsetDigits(natural, given)
      const same = timingSafeEqual(wanted, pin)
      wanted.fill(0)
      return same
    })
  }

  generateOffset(request: PinFrom & IbmOf): string {
    return this.#withNatural(request, 'make-offset', (natural, pin) => offsetOfDigits(pin, natural))
  }

  #pvv(request: PinFrom & PvvOf, use: KeyUse): string {
    const pvk = this.#safe.open(request.pvk, 'pvk', use)
    const pvki = digits(request.pvki, 'pvki', 1)
    return this.#withPin(request, pin => pvvOfDigits(pvk.bytes, pvki, accountOf(request.pan), pin))
  }

  /** Lends the natural PIN of the account, and as many digits of the one in the block. */
  #withNatural<T>(
    request: PinFrom & IbmOf,
    use: KeyUse,
    compare: (natural: PinDigits, pin: PinDigits) => T,
  ): T {
    const { pinLength, pan, decimalisation, validation } = request
    checkNumber(pinLength, 'pinLength', 4, 12)
    checkPan(pan)
    const pvk = this.#safe.open(request.pvk, 'pvk', use)
    const table = this.#safe.table(decimalisation, 'decimalisation')
    checkTable(table)
    const data = validationOf(validation, accountOf(pan))
    return this.#withPin(request, pin => {
      if (pin.length < pinLength) throw new PinProblem('length')
      const natural = naturalDigits(pvk.bytes, data, table, pinLength)
      const result = compare(natural, pin.subarray(0, pinLength))
      natural.fill(0)
      return result
    })
  }

  /** Lends the PIN in a block to one calculation, and wipes it. */
  #withPin<T>(request: PinFrom, use: (pin: PinDigits) => T): T {
    return this.#withBlock(request, ({ key, format }, block) => {
      const pin = openPinDigits(key, format, block, accountFor(format, request.pan))
      try {
        return use(pin)
      } finally {
        pin.fill(0)
      }
    })
  }

  /** Throws HSM_PIN_BLOCK, saying no more than why. */
  #withBlock<T>(request: PinFrom, use: (from: PinPlace, block: Buffer) => T): T {
    const { pinBlock, format, pan } = request
    checkFormat(format, 'format')
    checkPan(pan)
    const block = hexBytes(pinBlock, 'pinBlock', [pinBlockBytes(format)])
    const from = pinPlace(this.#sourceKey(request), format, 'key')
    try {
      return use(from, block)
    } catch (error) {
      if (!(error instanceof PinProblem)) throw error
      throw new NadiError('HSM_PIN_BLOCK', { path: 'pinBlock', actual: error.why })
    }
  }

  #sourceKey({ key, ksn, format, derived }: PinFrom): LentKey {
    if (ksn === undefined) return this.#safe.open(key, 'key', 'decrypt-pin')
    const kind = derived ?? (format === 4 ? 'AES128' : 'TDES2')
    return derivedKey(this.#safe, { key, ksn, purpose: 'pin', kind })
  }
}

/** Format 4 goes with AES, the others with TDES. Throws HSM_KEY_USAGE. */
function pinPlace({ bytes, algorithm }: LentKey, format: PinFormat, path: string): PinPlace {
  const wanted = format === 4 ? 'A' : 'T'
  const key: PinKey = { bytes, algorithm: wanted }
  if (algorithm === wanted) return { key, format: CODES[format] }
  const expected = `an ${wanted === 'A' ? 'AES' : 'TDES'} key for PIN blocks of format ${format}`
  throw new NadiError('HSM_KEY_USAGE', { path, expected })
}

function sameText(made: string, given: string): boolean {
  return made.length === given.length && timingSafeEqual(Buffer.from(made), Buffer.from(given))
}

function hexOf(bytes: Buffer): string {
  return bytes.toString('hex').toUpperCase()
}
