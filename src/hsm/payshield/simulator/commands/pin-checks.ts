import { timingSafeEqual } from 'node:crypto'
import type { PIN_COMMANDS } from '../../grammar/pins.ts'
import { HostRefusal } from '../../host-codes.ts'
import type { HostCode } from '../../host-codes.ts'
import type { BoxState, Call, Handlers } from '../call.ts'
import { dukptKey } from '../../../crypto/dukpt.ts'
import { padded, retailMac } from '../../../crypto/mac.ts'
import { naturalPin, offsetOf, plusOffset, pvvOf } from '../../../crypto/pin-check.ts'
import {
  accountOf,
  openPin,
  openPinLoosely,
  pinFormat,
  twelveOf,
} from '../../../crypto/pin-block.ts'
import type { PinKey } from '../../../crypto/pin-block.ts'
import type { Lmk, OpenKey } from '../lmk.ts'
import { bytesOf, digitsOf, fromLmk, toLmk } from './pin-text.ts'
import { pinKeyOf } from './pin-keys.ts'

type PinCheckCode = Exclude<
  keyof typeof PIN_COMMANDS,
  'CA' | 'CC' | 'CI' | 'G0' | 'JC' | 'JE' | 'JG' | 'JA' | 'BA' | 'NG'
>

/** PINs that are verified, and what is kept to verify them by: offsets (IBM 3624) and PVVs (Visa). */
export const pinCheckHandlers: Handlers<PinCheckCode> = {
  DA: call => verifiedIbm(call),
  EA: call => verifiedIbm(call),
  CK: ({ request, keys, lmk, box }) => {
    const key = pinKeyOf(keys.get('bdk').bytes, request.ksn)
    const pin = openPinLoosely(key, bytesOf(request.block), request.account)
    return outcome(matchesIbm(pin, request, keys.get('pvk'), lmk, box), '00')
  },
  GO: ({ request, keys, lmk, box }) => {
    const pin = dukptPin(request, keys.get('bdk'))
    const pvk = keys.get('pvk')
    const code = matchesIbm(pin, request, pvk, lmk, box) ? warningOf(pvk) : '01'
    return { code, values: macResult(request, keys.get('bdk')) }
  },
  DC: call => verifiedVisa(call),
  EC: call => verifiedVisa(call),
  CM: ({ request, keys }) => {
    const key = pinKeyOf(keys.get('bdk').bytes, request.ksn)
    const pin = openPinLoosely(key, bytesOf(request.block), request.account)
    return outcome(same(pvv(keys.get('pvk'), request, pin), request.pvv), '00')
  },
  GQ: ({ request, keys }) => {
    const pin = dukptPin(request, keys.get('bdk'))
    const code = same(pvv(keys.get('pvk'), request, pin), request.pvv) ? '00' : '01'
    return { code, values: macResult(request, keys.get('bdk')) }
  },
  BC: call => compared(call),
  BE: call => compared(call),
  BK: ({ request, keys, lmk, box }) => {
    const pin = blockPin(request, keys.get('key'), request.block)
    return newOffset(pin, request, keys.get('pvk'), lmk, box)
  },
  DU: ({ request, keys, lmk, box }) => {
    const key = keys.get('key')
    const pvk = keys.get('pvk')
    const known = { ...request, offset: request.offsetNow }
    if (!matchesIbm(blockPin(request, key, request.block), known, pvk, lmk, box)) {
      throw new HostRefusal('01', 'block')
    }
    return newOffset(blockPin(request, key, request.newBlock), request, pvk, lmk, box)
  },
  DE: ({ request, keys, lmk, box }) =>
    newOffset(fromLmk(request.pin), request, keys.get('pvk'), lmk, box),
  EE: ({ request, keys, lmk, box }) => {
    const natural = naturalOf(request, keys.get('pvk'), lmk, box)
    const pin = plusOffset(natural, offsetDigits(request.offset, natural.length))
    return { code: warningOf(keys.get('pvk')), values: { pin: toLmk(pin) } }
  },
  CU: ({ request, keys }) => {
    const key = keys.get('key')
    const now = pvv(keys.get('pvk'), request, blockPin(request, key, request.block))
    if (!same(now, request.pvvNow)) throw new HostRefusal('01', 'block')
    const pin = blockPin(request, key, request.newBlock)
    return { values: { pvv: pvv(keys.get('pvk'), request, pin) } }
  },
  FW: ({ request, keys }) => {
    const pin = blockPin(request, keys.get('key'), request.block)
    return { values: { pvv: pvv(keys.get('pvk'), request, pin) } }
  },
  DG: ({ request, keys }) => ({
    values: { pvv: pvv(keys.get('pvk'), request, fromLmk(request.pin)) },
  }),
}

function verifiedIbm({ request, keys, lmk, box }: Call<'DA'> | Call<'EA'>) {
  const pin = blockPin(request, keys.get('key'), request.block)
  if (pin.length > Number(request.maxLength)) throw new HostRefusal('24', 'maxLength')
  const pvk = keys.get('pvk')
  return outcome(matchesIbm(pin, request, pvk, lmk, box), warningOf(pvk))
}

function verifiedVisa({ request, keys }: Call<'DC'> | Call<'EC'>) {
  const pin = blockPin(request, keys.get('key'), request.block)
  return outcome(same(pvv(keys.get('pvk'), request, pin), request.pvv), '00')
}

function compared({ request, keys }: Call<'BC'> | Call<'BE'>) {
  const pin = blockPin(request, keys.get('key'), request.block)
  return outcome(same(toLmk(pin), request.pin), '00')
}

function outcome(right: boolean, code: HostCode) {
  return { code: right ? code : ('01' as const), values: {} }
}

type Block = { readonly format: string; readonly account: string }

function blockPin({ format, account }: Block, key: PinKey, block: string): string {
  return openPin(key, pinFormat(format), bytesOf(block), account)
}

function dukptPin(
  { ksn, block, format, account }: Call<'GO'>['request'] | Call<'GQ'>['request'],
  bdk: OpenKey,
): string {
  return openPin(pinKeyOf(bdk.bytes, ksn), pinFormat(format), bytesOf(block), account)
}

type Account = { readonly account: string; readonly format?: string }

/** Twelve digits of an account number, which with format 4 is there as a whole. */
function twelveIn({ account, format }: Account): string {
  return format === '48' ? accountOf(account) : twelveOf(account)
}

// Visa

function pvv(
  { bytes }: OpenKey,
  request: Account & { readonly pvki: string },
  pin: string,
): string {
  if (bytes.length !== 16) throw new HostRefusal('27', 'pvk')
  return pvvOf(bytes, request.pvki, twelveIn(request), pin)
}

// IBM 3624

type Ibm = Account & {
  readonly checkLength: string
  readonly decimalisation: string
  readonly validation: string
}

function matchesIbm(
  pin: string,
  request: Ibm & { readonly offset: string },
  pvk: OpenKey,
  lmk: Lmk,
  box: BoxState,
): boolean {
  const natural = naturalOf(request, pvk, lmk, box)
  if (pin.length < natural.length) throw new HostRefusal('24', 'checkLength')
  const wanted = plusOffset(natural, offsetDigits(request.offset, natural.length))
  return same(pin.slice(0, natural.length), wanted)
}

function newOffset(pin: string, request: Ibm, pvk: OpenKey, lmk: Lmk, box: BoxState) {
  const natural = naturalOf(request, pvk, lmk, box)
  if (pin.length < natural.length) throw new HostRefusal('24', 'checkLength')
  const offset = offsetOf(pin.slice(0, natural.length), natural).padEnd(12, 'F')
  return { code: warningOf(pvk), values: { offset } }
}

/** The natural PIN, with as many digits as are to be checked. Throws 24, 25, 15. */
function naturalOf(request: Ibm, { bytes }: OpenKey, lmk: Lmk, box: BoxState): string {
  const length = Number(request.checkLength)
  if (length < 4 || length > 12) throw new HostRefusal('24', 'checkLength')
  const table = tableOf(request.decimalisation, lmk, box)
  const validation = request.validation.replace('N', twelveIn(request).slice(-5))
  if (!/^[0-9A-F]{16}$/.test(validation)) throw new HostRefusal('15', 'validation')
  return naturalPin(bytes, validation, table, length)
}

/**
 * Sixteen decimal digits, kept under the LMK: whoever may choose the table can find the PIN out.
 * One in clear is told by not being a table once decrypted.
 */
function tableOf(text: string, lmk: Lmk, box: BoxState): string {
  const open = lmk.openTable(bytesOf(text))
  const table = open === undefined ? '' : digitsOf(Buffer.from(open))
  if (/^\d{16}$/.test(table)) return table
  if (box.settings.clearTables && /^\d{16}$/.test(text)) return text
  throw new HostRefusal('25', 'decimalisation')
}

function offsetDigits(offset: string, length: number): string {
  const digits = offset.slice(0, length)
  if (!/^\d+$/.test(digits)) throw new HostRefusal('15', 'offset')
  return digits
}

/** A PVK of double length does for IBM, and the box remarks upon it. */
function warningOf({ bytes }: OpenKey): HostCode {
  return bytes.length === 8 ? '00' : '02'
}

// The MAC of the message that the PIN came in

function macResult(
  request: Call<'GO'>['request'] | Call<'GQ'>['request'],
  { bytes }: OpenKey,
): { readonly macCode?: string } {
  const { macMode, ksn, mac, message } = request
  if (macMode === undefined || mac === undefined || message === undefined) return {}
  const key = dukptKey(bytes, bytesOf(ksn), 'mac-request')
  const blocks = padded(message, '1', 8) ?? Buffer.alloc(8)
  const wanted = digitsOf(retailMac(key, Buffer.alloc(8), blocks))
  return { macCode: same(wanted, mac.toUpperCase()) ? '00' : '01' }
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
