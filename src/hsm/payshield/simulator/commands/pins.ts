import { HostRefusal } from '../../host-codes.ts'
import type { PIN_COMMANDS } from '../../grammar/pins.ts'
import type { BoxState, Call, Handlers } from '../call.ts'
import {
  accountFor,
  checkChange,
  openPin,
  openPinDigits,
  openPinLoosely,
  pinFormat,
  sealPin,
  sealPinDigits,
} from '../../../crypto/pin-block.ts'
import type { PinDigits, PinFormat, PinKey } from '../../../crypto/pin-block.ts'
import { pinCheckHandlers } from './pin-checks.ts'
import { pinKeyOf } from './pin-keys.ts'
import { bytesOf, digitsOf, fromLmk, toLmk } from './pin-text.ts'

/** PINs from one encryption to another; those that are verified stand in pin-checks.ts. */
export const pinHandlers: Handlers<keyof typeof PIN_COMMANDS> = {
  ...pinCheckHandlers,
  CA: call => translated(call),
  CC: call => translated(call),
  CI: ({ request, keys, box }) => {
    const into = pinFormat(request.formatInto)
    checkChange('01', into)
    const key = pinKeyOf(keys.get('bdk').bytes, request.ksn)
    const pin = openPinLoosely(key, bytesOf(request.block), request.account)
    const digits = Uint8Array.from(pin, Number)
    return sealed(box, keys.get('destination'), into, digits, request.account)
  },
  G0: ({ request, keys, box }) => {
    const [from, into] = formats(request)
    const source = pinKeyOf(keys.get('bdk').bytes, request.ksn)
    const account = accountIn(request)
    const pin = openPinDigits(source, from, bytesOf(request.block), account(from))
    return sealed(box, destination(request, keys), into, pin, account(into))
  },
  JC: call => underLmk(call),
  JE: call => underLmk(call),
  JG: ({ request, keys, box }) => {
    const into = pinFormat(request.formatInto)
    checkChange('01', into)
    const pin = fromLmk(request.pin)
    const block = sealPin(keys.get('destination'), into, pin, request.account, box.random)
    return { values: { blockTo: digitsOf(block) } }
  },
  JA: ({ request, box }) => {
    const length = Number(request.pinLength)
    if (length < 4 || length > 12) throw new HostRefusal('24', 'pinLength')
    let pin = ''
    while (pin.length < length) pin += String(Math.floor(box.random.next() * 10))
    return { values: { pin: toLmk(pin) } }
  },
  BA: ({ request }) => {
    const pin = request.clearPin.replace(/F+$/, '')
    if (pin.length < 4 || pin.length > 12) throw new HostRefusal('24', 'clearPin')
    return { values: { pin: toLmk(pin) } }
  },
  // As long as the PIN under the LMK, whose first digit is filler.
  NG: ({ request }) => ({
    values: { clearPin: fromLmk(request.pin).padEnd(request.pin.length, 'F') },
  }),
}

function translated({ request, keys, box }: Call<'CA'> | Call<'CC'>) {
  const [from, into] = formats(request)
  const account = accountIn(request)
  const pin = openPinDigits(keys.get('source'), from, bytesOf(request.block), account(from))
  if (pin.length > Number(request.maxLength)) throw new HostRefusal('24', 'maxLength')
  return sealed(box, destination(request, keys), into, pin, account(into))
}

type Formats = { readonly formatFrom: string; readonly formatInto: string }

function formats({ formatFrom, formatInto }: Formats): readonly [PinFormat, PinFormat] {
  const from = pinFormat(formatFrom)
  const into = pinFormat(formatInto)
  checkChange(from, into)
  return [from, into]
}

/** The account as each end takes it: where one is of format 4, the request has all of it. */
function accountIn({ formatFrom, formatInto, account }: Formats & { readonly account: string }) {
  const whole = formatFrom === '48' || formatInto === '48'
  return (format: PinFormat) => (whole ? accountFor(format, account) : account)
}

/** The zone's key, or with a flag the key of a transaction of a device. */
function destination(
  { destinationFlag, ksnTo }: { destinationFlag?: string; ksnTo?: string },
  keys: Call<'CA'>['keys'],
): PinKey {
  const key = keys.get('destination')
  return destinationFlag === undefined ? key : pinKeyOf(key.bytes, ksnTo ?? '')
}

function sealed(box: BoxState, key: PinKey, into: PinFormat, pin: PinDigits, account: string) {
  const block = sealPinDigits(key, into, pin, account, box.random)
  const pinLength = String(pin.length).padStart(2, '0')
  return { values: { pinLength, blockTo: digitsOf(block), formatTo: into } }
}

function underLmk({ request, keys }: Call<'JC'> | Call<'JE'>) {
  const format = pinFormat(request.format)
  const pin = openPin(keys.get('key'), format, bytesOf(request.block), request.account)
  return { values: { pin: toLmk(pin) } }
}
