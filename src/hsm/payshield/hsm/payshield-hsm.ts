import { NadiError } from '#base'
import type * as H from '../../payment-hsm.ts'
import { DATA_BYTES_MAX } from '../../request.ts'
import type { KeyKind, KeyTypeName } from '../../key-types.ts'
import { HostPool } from '../client/index.ts'
import type { PoolOptions } from '../client/index.ts'
import type { PortParts } from '../client/port.ts'
import { Asking } from './asking.ts'
import type { HostLmk } from './asking.ts'
import { DataOperations, MAC_BYTES_MAX } from './data-operations.ts'
import { KeyOperations, KINDS_UNDER } from './key-operations.ts'
import { PinOperations } from './pin-operations.ts'

export type PayShieldHsmOptions = PoolOptions & { readonly lmk: HostLmk } & PortParts

/** How the diagnostics begin for the LMKs that are published for tests. */
const TEST_CHECK_VALUES = ['268604', '165126', '9D04A0']

/**
 * A payShield, or what speaks its host commands, as the switch's HSM. Keys are under the LMK that
 * the options name; operations are one host command each, but for the PVV or offset of a PIN from
 * a DUKPT terminal, and for five-byte check values. It differs from the others in this:
 *
 *   - components are typed in at the box's own console, tables for IBM 3624 sealed there, and keys
 *     put under a new LMK
 *   - no HMAC, no DUKPT of AES; of DUKPT MACs only the retail one of a request; at most 8 bytes
 *   - with a variant LMK the box has to keep terminal keys apart (its PCI setting)
 *   - a key imported in a block is taken for TDES2 or AES128 where the block does not tell
 */
export class PayShieldHsm implements H.PaymentHsm {
  readonly capabilities: H.HsmCapabilities
  readonly #pool: HostPool
  readonly #box: Asking
  readonly #keys: KeyOperations
  readonly #pins: PinOperations
  readonly #data: DataOperations

  private constructor(options: PayShieldHsmOptions) {
    const { clock, random, log, lmk } = options
    this.#pool = new HostPool(options, { clock, random, log })
    this.#box = new Asking(this.#pool, lmk)
    this.#keys = new KeyOperations(this.#box)
    this.#pins = new PinOperations(this.#box, this.#keys)
    this.#data = new DataOperations(this.#box)
    this.capabilities = {
      keeper: 'payshield',
      kinds: KINDS_UNDER[lmk.scheme],
      pinFormats: lmk.scheme === 'aes-blocks' ? [0, 1, 3, 4] : [0, 1, 3],
      macs: ['retail', 'cbc', 'cmac'],
      dukpt: ['TDES'],
      dukptMacs: ['retail-request'],
      macBytesMax: MAC_BYTES_MAX,
      exportSchemes: ['R', 'X', 'U'],
      components: false,
      movesKeys: false,
      authenticatesKeys: lmk.scheme !== 'variant',
      sealsDecimalisation: false,
      dataBytesMax: DATA_BYTES_MAX,
      inFlightMax: this.#pool.inFlightMax,
    }
  }

  /** Dials. A box that is away is dialed again for ever, and requests fail until it is there. */
  static async start(options: PayShieldHsmOptions): Promise<PayShieldHsm> {
    const hsm = new PayShieldHsm(options)
    await hsm.#pool.start()
    return hsm
  }

  /** Asks the box, so that `up` is what is so now. */
  async status(): Promise<H.HsmStatus> {
    const { inFlight } = this.#pool.status()
    try {
      const { values } = await this.#box.ask('NC', {})
      const { lmkCheckValue, firmware } = values
      const test = TEST_CHECK_VALUES.some(value => lmkCheckValue.startsWith(value))
      return { up: true, lmkCheckValue, test, inFlight, about: `payShield, firmware ${firmware}` }
    } catch {
      return { up: false, lmkCheckValue: '', test: false, inFlight, about: 'payShield, away' }
    }
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  random(bytes: number): Promise<Uint8Array> {
    return this.#keys.random(bytes)
  }

  generateKey(type: KeyTypeName, kind?: KeyKind): Promise<H.MadeKey> {
    return this.#keys.generateKey(type, kind)
  }

  async generateComponent(): Promise<H.MadeComponent> {
    throw atTheConsole('components are made')
  }

  async takeComponent(): Promise<H.MadeKey> {
    throw atTheConsole('components are typed in')
  }

  formKey(type: KeyTypeName, components: readonly string[]): Promise<H.MadeKey> {
    return this.#keys.formKey(type, components)
  }

  importKey(
    type: KeyTypeName,
    wrapped: string,
    under: string,
    parity?: H.KeyParity,
  ): Promise<H.MadeKey> {
    return this.#keys.importKey(type, wrapped, under, parity)
  }

  exportKey(key: string, under: string, scheme: H.ExportScheme): Promise<H.MadeKey> {
    return this.#keys.exportKey(key, under, scheme)
  }

  async rewrapKey(): Promise<H.MadeKey> {
    throw atTheConsole('keys are put under a new LMK')
  }

  checkValue(key: string): Promise<string> {
    return this.#keys.checkValue(key)
  }

  async describeKey(key: string): Promise<H.KeyFacts> {
    return this.#keys.describeKey(key)
  }

  translatePin(request: H.TranslatePin): Promise<string> {
    return this.#pins.translatePin(request)
  }

  verifyPinPvv(request: H.PinFrom & H.PvvOf & { readonly pvv: string }): Promise<boolean> {
    return this.#pins.verifyPinPvv(request)
  }

  verifyPinIbm(request: H.PinFrom & H.IbmOf & { readonly offset: string }): Promise<boolean> {
    return this.#pins.verifyPinIbm(request)
  }

  generatePvv(request: H.PinFrom & H.PvvOf): Promise<string> {
    return this.#pins.generatePvv(request)
  }

  generateOffset(request: H.PinFrom & H.IbmOf): Promise<string> {
    return this.#pins.generateOffset(request)
  }

  async sealDecimalisation(): Promise<string> {
    throw atTheConsole('tables are sealed')
  }

  generateMac(request: H.MacOf): Promise<Uint8Array> {
    return this.#data.generateMac(request)
  }

  verifyMac(request: H.MacOf & { readonly mac: Uint8Array }): Promise<boolean> {
    return this.#data.verifyMac(request)
  }

  generateCvv(request: H.CvvOf): Promise<string> {
    return this.#data.generateCvv(request)
  }

  verifyCvv(request: H.CvvOf & { readonly cvv: string }): Promise<boolean> {
    return this.#data.verifyCvv(request)
  }

  encrypt(request: H.CipherOf): Promise<Uint8Array> {
    return this.#data.encrypt(request)
  }

  decrypt(request: H.CipherOf): Promise<Uint8Array> {
    return this.#data.decrypt(request)
  }
}

function atTheConsole(what: string): NadiError {
  return new NadiError('HSM_NOT_PERMITTED', { hint: `${what} at the console of the box` })
}
