import { NadiError } from '#base'
import { accountOf } from '../../crypto/pin-block.ts'
import { KEY_TYPES } from '../../key-types.ts'
import type { KeyUse } from '../../key-types.ts'
import type { IbmOf, PinFormat, PinFrom, PvvOf, TranslatePin } from '../../payment-hsm.ts'
import {
  checkFormat,
  checkNumber,
  checkPan,
  checkTranslation,
  digits,
  hexBytes,
  pinBlockBytes,
  validationOf,
  wrong,
} from '../../request.ts'
import { TYPE_OF_BLOCK } from '../grammar/index.ts'
import type { Asking, Paths } from './asking.ts'
import { hostKeyFor, isAesKind } from './host-key.ts'
import type { HostKey } from './host-key.ts'
import type { KeyOperations } from './key-operations.ts'

/** What host commands call the formats. */
const CODES: Readonly<Record<PinFormat, string>> = { 0: '01', 1: '05', 3: '47', 4: '48' }

/** The length of the BDK identifier and of the device's, in hexadecimal digits; 21 bits count. */
export const DESCRIPTOR = 'A05'
const KSN_BYTES = 10

const PVK_PATHS: Paths = { '11': 'pvk', '27': 'pvk' }

/** Where a PIN comes from, looked at before the box is asked. */
type Source = {
  readonly key: HostKey
  readonly block: string
  readonly format: PinFormat
  readonly pan: string
  readonly ksn: string | undefined
}

/** PINs from one key under another, and whether they are right: CC, CA, G0, EC, DC, GQ, EA, DA, GO, FW, BK. */
export class PinOperations {
  readonly #box: Asking
  readonly #keys: KeyOperations
  /** A zone key of this keeper alone, for PINs that must pass through one on their way. */
  #transit: Promise<string> | undefined

  constructor(box: Asking, keys: KeyOperations) {
    this.#box = box
    this.#keys = keys
  }

  async translatePin(request: TranslatePin): Promise<string> {
    checkTranslation(request)
    const { intoKey, intoFormat } = request
    const into = pinKey(intoKey, 'intoKey', 'encrypt-pin', intoFormat)
    return this.#translate(sourceOf(request), into, intoFormat)
  }

  async verifyPinPvv(request: PinFrom & PvvOf & { readonly pvv: string }): Promise<boolean> {
    const pvv = digits(request.pvv, 'pvv', 4)
    const pvk = hostKeyFor(request.pvk, 'pvk', 'check-pvv')
    const pvki = digits(request.pvki, 'pvki', 1)
    const { key, block, format, ksn, pan } = sourceOf(request)
    const fields = {
      pvk: pvk.text,
      block,
      format: CODES[format],
      account: accountIn(format, pan),
      pvki,
      pvv,
    }
    if (ksn !== undefined) {
      const device = { mode: '0', bdk: key.text, descriptor: DESCRIPTOR, ksn } as const
      return this.#box.verify('GQ', { ...fields, ...device }, PVK_PATHS)
    }
    const command = key.type === 'TPK' ? 'DC' : 'EC'
    return this.#box.verify(command, { ...fields, key: key.text }, PVK_PATHS)
  }

  async verifyPinIbm(request: PinFrom & IbmOf & { readonly offset: string }): Promise<boolean> {
    const { pinLength, offset } = request
    checkNumber(pinLength, 'pinLength', 4, 12)
    const given = digits(offset.replace(/F+$/, ''), 'offset', pinLength).padEnd(12, 'F')
    const ibm = ibmFields(request, 'check-offset')
    const { key, block, format, ksn, pan } = sourceOf(request)
    const account = accountIn(format, pan)
    const fields = { ...ibm, block, format: CODES[format], account, offset: given }
    const paths = { ...PVK_PATHS, '25': 'decimalisation' }
    if (ksn !== undefined) {
      const device = { mode: '0', bdk: key.text, descriptor: DESCRIPTOR, ksn } as const
      return this.#box.verify('GO', { ...fields, ...device }, paths)
    }
    const command = key.type === 'TPK' ? 'DA' : 'EA'
    return this.#box.verify(command, { ...fields, key: key.text, maxLength: '12' }, paths)
  }

  async generatePvv(request: PinFrom & PvvOf): Promise<string> {
    const pvk = hostKeyFor(request.pvk, 'pvk', 'make-pvv')
    const pvki = digits(request.pvki, 'pvki', 1)
    const fields = await this.#zoneFields(sourceOf(request))
    const { values } = await this.#box.ask(
      'FW',
      { ...fields, pvk: pvk.text, pvki },
      { paths: PVK_PATHS },
    )
    return values.pvv
  }

  async generateOffset(request: PinFrom & IbmOf): Promise<string> {
    checkNumber(request.pinLength, 'pinLength', 4, 12)
    const ibm = ibmFields(request, 'make-offset')
    const fields = await this.#zoneFields(sourceOf(request))
    const { values } = await this.#box.ask(
      'BK',
      { ...fields, ...ibm },
      { paths: { ...PVK_PATHS, '25': 'decimalisation' }, also: ['02'] },
    )
    return values.offset.replace(/F+$/, '')
  }

  async #translate(source: Source, into: HostKey, intoFormat: PinFormat): Promise<string> {
    const { key, block, format, pan, ksn } = source
    const whole = format === 4 || intoFormat === 4
    const fields = {
      destination: into.text,
      block,
      formatFrom: CODES[format],
      formatInto: CODES[intoFormat],
      account: whole ? pan : accountOf(pan),
    }
    const options = { paths: { '11': 'intoKey' } }
    if (ksn !== undefined) {
      const device = { bdk: key.text, descriptor: DESCRIPTOR, ksn }
      return (await this.#box.ask('G0', { ...fields, ...device }, options)).values.blockTo
    }
    const command = key.type === 'TPK' ? 'CA' : 'CC'
    const zone = { ...fields, source: key.text, maxLength: '12' }
    return (await this.#box.ask(command, zone, options)).values.blockTo
  }

  /**
   * FW and BK take a PIN under a zone or terminal key. One from a DUKPT terminal is translated under
   * a zone key first, which the box made for that and nobody else has.
   */
  async #zoneFields(source: Source) {
    const { format, pan, ksn } = source
    if (ksn === undefined) return this.#fieldsOf(source.key, source.block, format, pan)
    const transit = hostKeyFor(await this.#transitKey(), 'key', 'encrypt-pin')
    return this.#fieldsOf(transit, await this.#translate(source, transit, 0), 0, pan)
  }

  #fieldsOf(key: HostKey, block: string, format: PinFormat, pan: string) {
    const code = this.#box.blocks ? TYPE_OF_BLOCK : KEY_TYPES[key.type].variant
    return {
      keyType: code as 'FFF',
      key: key.text,
      block,
      format: CODES[format],
      account: accountIn(format, pan),
    }
  }

  /** Made at the first need; after a failure the next one tries again. */
  #transitKey(): Promise<string> {
    this.#transit ??= this.#keys.generateKey('ZPK', 'TDES2').then(
      ({ key }) => key,
      error => {
        this.#transit = undefined
        throw error
      },
    )
    return this.#transit
  }
}

function sourceOf(request: PinFrom): Source {
  const { key: text, ksn, pinBlock, format, pan } = request
  checkFormat(format, 'format')
  checkPan(pan)
  const block = hexBytes(pinBlock, 'pinBlock', [pinBlockBytes(format)]).toString('hex')
  if (ksn === undefined) {
    const key = pinKey(text, 'key', 'decrypt-pin', format)
    return { key, block: block.toUpperCase(), format, pan, ksn: undefined }
  }
  return { key: bdk(request), block: block.toUpperCase(), format, pan, ksn: serial(ksn) }
}

/** The BDK of a TDES terminal: host commands know DUKPT of no other kind. */
function bdk({ key: text, format, derived = 'TDES2' }: PinFrom): HostKey {
  const key = hostKeyFor(text, 'key', 'derive')
  if (isAesKind(key.kind)) throw new NadiError('HSM_NOT_PERMITTED', { path: 'key' })
  if (format !== 4 && derived === 'TDES2') return key
  const expected = 'a BDK that gives such keys'
  throw new NadiError('HSM_KEY_USAGE', { path: 'key', expected })
}

export function serial(ksn: string): string {
  return hexBytes(ksn, 'ksn', [KSN_BYTES]).toString('hex').toUpperCase()
}

/** Format 4 goes with AES, the others with TDES. */
function pinKey(text: string, path: string, use: KeyUse, format: PinFormat): HostKey {
  const key = hostKeyFor(text, path, use)
  if (isAesKind(key.kind) === (format === 4)) return key
  const expected = `another kind of key for PIN blocks of format ${format}`
  throw new NadiError('HSM_KEY_USAGE', { path, expected })
}

/** Where format 4 is, commands take the whole account number; otherwise twelve digits. */
function accountIn(format: PinFormat, pan: string): string {
  return format === 4 ? pan : accountOf(pan)
}

function ibmFields(
  { pvk: text, decimalisation, validation, pinLength, pan }: IbmOf & PinFrom,
  use: KeyUse,
) {
  checkPan(pan)
  const pvk = hostKeyFor(text, 'pvk', use)
  if (!/^[0-9A-F]{16}$/i.test(decimalisation))
    throw wrong('decimalisation', 'a table under the LMK')
  validationOf(validation, accountOf(pan))
  if (validation.length !== 12) {
    const expected = '12 characters with one N'
    throw new NadiError('HSM_NOT_PERMITTED', { path: 'validation', expected })
  }
  const checkLength = String(pinLength).padStart(2, '0')
  return { pvk: pvk.text, checkLength, decimalisation, validation }
}
