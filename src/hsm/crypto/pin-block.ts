import type { Random } from '#base'
import { addTo, cipherOf } from './cipher.ts'
import type { Algorithm } from './cipher.ts'
import {
  accountField,
  accountFor,
  checkChange,
  checkDigits,
  clearBlock,
  digitsIn,
  hasAccount,
  pinLength,
  PinProblem,
} from './pin-format.ts'
import type { PinDigits, PinFormat } from './pin-format.ts'

export {
  accountFor,
  accountOf,
  checkChange,
  pinFormat,
  PinProblem,
  twelveOf,
} from './pin-format.ts'
export type { PinDigits, PinFormat } from './pin-format.ts'

/**
 * PIN blocks under keys. `account` is what the format takes of the account number (`accountFor`).
 * Clear blocks and digits are wiped as soon as they are done with.
 */
export type PinKey = { readonly bytes: Uint8Array; readonly algorithm: Algorithm }

/** The PIN in an encrypted block. Throws PinProblem. */
export function openPinDigits(
  key: PinKey,
  format: PinFormat,
  block: Uint8Array,
  account: string,
): PinDigits {
  return open(key, format, block, accountField(format, account))
}

/** The same as text, which nothing can wipe: for simulators, and for what wants text. */
export function openPin(
  key: PinKey,
  format: PinFormat,
  block: Uint8Array,
  account: string,
): string {
  return textOf(openPinDigits(key, format, block, account))
}

/**
 * The PIN in a block of format 0 for the commands of single length DUKPT, which look at control
 * digit, length and PIN only: a public transcript has a block that was made for another account.
 */
export function openPinLoosely(key: PinKey, block: Uint8Array, account: string): string {
  return textOf(open(key, '01', block, accountField('01', account), true))
}

/** The block of a PIN. Throws PinProblem: `key` for a key that cannot have such a block. */
export function sealPinDigits(
  key: PinKey,
  format: PinFormat,
  pin: PinDigits,
  account: string,
  random: Random,
): Buffer {
  checkDigits(pin)
  return seal(key, format, pin, accountField(format, account), random)
}

export function sealPin(
  key: PinKey,
  format: PinFormat,
  pin: string,
  account: string,
  random: Random,
): Buffer {
  if (!/^\d*$/.test(pin)) throw new PinProblem('values')
  const digits = Uint8Array.from(pin, Number)
  const block = sealPinDigits(key, format, digits, account, random)
  wipe(digits)
  return block
}

export type PinPlace = { readonly key: PinKey; readonly format: PinFormat }

/**
 * A PIN's block under one key as a block under another, for the same account (`pan` is the whole
 * account number). Throws PinProblem.
 */
export function translatePin(
  from: PinPlace,
  block: Uint8Array,
  into: PinPlace,
  pan: string,
  random: Random,
): Buffer {
  checkChange(from.format, into.format)
  const field = accountField(from.format, accountFor(from.format, pan))
  if (from.format === '01' && into.format === '01') return rewrap(from.key, block, into.key, field)
  const pin = open(from.key, from.format, block, field)
  try {
    const same = hasAccount(from.format) && hasAccount(into.format)
    const other = same ? field : accountField(into.format, accountFor(into.format, pan))
    return seal(into.key, into.format, pin, other, random)
  } finally {
    wipe(pin)
  }
}

/** A block of format 0 is the same under every key, so it need not be taken apart, only looked at. */
function rewrap(from: PinKey, block: Uint8Array, into: PinKey, field: Uint8Array): Buffer {
  checkKey(into, '01')
  const clear = decrypted(from, '01', block, field)
  try {
    pinLength('01', clear)
    addTo(clear, field, 0, field.length)
    return cipherOf(into.bytes, into.algorithm).encrypt(clear)
  } finally {
    wipe(clear)
  }
}

function open(
  key: PinKey,
  format: PinFormat,
  block: Uint8Array,
  field: Uint8Array,
  loosely = false,
): PinDigits {
  const clear = decrypted(key, format, block, field)
  try {
    return digitsIn(format, clear, loosely)
  } finally {
    wipe(clear)
  }
}

/** The clear block, without the account in it. */
function decrypted(
  key: PinKey,
  format: PinFormat,
  block: Uint8Array,
  field: Uint8Array,
): Uint8Array {
  checkKey(key, format)
  const cipher = cipherOf(key.bytes, key.algorithm)
  if (block.length !== cipher.blockBytes) throw new PinProblem('values')
  const clear = cipher.decrypt(block)
  addTo(clear, field, 0, field.length)
  return format === '48' ? cipher.decrypt(clear) : clear
}

function seal(
  key: PinKey,
  format: PinFormat,
  pin: PinDigits,
  field: Uint8Array,
  random: Random,
): Buffer {
  checkKey(key, format)
  const cipher = cipherOf(key.bytes, key.algorithm)
  const clear = clearBlock(format, pin, random)
  if (format !== '48') addTo(clear, field, 0, field.length)
  let block = cipher.encrypt(clear)
  if (format === '48') {
    addTo(block, field, 0, field.length)
    block = cipher.encrypt(block)
  }
  wipe(clear)
  return block
}

function checkKey({ algorithm }: PinKey, format: PinFormat): void {
  if ((algorithm === 'A') !== (format === '48')) throw new PinProblem('key')
}

function textOf(pin: PinDigits): string {
  const text = pin.join('')
  wipe(pin)
  return text
}

/** A loop: for so few bytes it is faster than `fill`. */
function wipe(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = 0
}
