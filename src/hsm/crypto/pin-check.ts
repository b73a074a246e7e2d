import { addTo, cipherOf } from './cipher.ts'
import type { PinDigits } from './pin-format.ts'

/**
 * Visa PVV: the 11 rightmost account digits, the number of the key, the first 4 PIN digits;
 * encrypted, and of the result the first four decimal digits, then the letters as 0 to 5.
 */
export function pvvOfDigits(
  pvk: Uint8Array,
  pvki: string,
  account12: string,
  pin: PinDigits,
): string {
  const input = Buffer.from(`${account12.slice(-11)}${pvki}0000`, 'hex')
  input[6] = ((pin[0] as number) << 4) | (pin[1] as number)
  input[7] = ((pin[2] as number) << 4) | (pin[3] as number)
  const made = cipherOf(pvk, 'T').encrypt(input)
  input.fill(0)
  return decimals(made, 4)
}

/** The same for a PIN as text. */
export function pvvOf(pvk: Uint8Array, pvki: string, account12: string, pin: string): string {
  return pvvOfDigits(pvk, pvki, account12, digitsOf(pin))
}

/**
 * IBM 3624: the natural PIN of an account, as many digits as are asked for. `validation` and
 * `table` have 16 digits; the caller wipes what it gets.
 */
export function naturalDigits(
  pvk: Uint8Array,
  validation: string,
  table: string,
  length: number,
): PinDigits {
  const made = cipherOf(pvk, 'T').encrypt(Buffer.from(validation, 'hex'))
  const pin = new Uint8Array(length)
  for (let i = 0; i < length; i++) pin[i] = table.charCodeAt(nibbleAt(made, i)) - ZERO
  made.fill(0)
  return pin
}

export function naturalPin(
  pvk: Uint8Array,
  validation: string,
  table: string,
  length: number,
): string {
  return naturalDigits(pvk, validation, table, length).join('')
}

/** The customer's PIN: digit by digit, without carry, the natural one and the offset. */
export function plusOffsetDigits(natural: PinDigits, offset: string): PinDigits {
  return natural.map((digit, at) => (digit + offset.charCodeAt(at) - ZERO) % 10)
}

export function plusOffset(natural: string, offset: string): string {
  return plusOffsetDigits(digitsOf(natural), offset).join('')
}

/** What the customer's PIN is more than the natural one; no secret. */
export function offsetOfDigits(pin: PinDigits, natural: PinDigits): string {
  return natural.map((digit, at) => ((pin[at] as number) - digit + 10) % 10).join('')
}

export function offsetOf(pin: string, natural: string): string {
  return offsetOfDigits(digitsOf(pin), digitsOf(natural))
}

/**
 * CVV, CVC: account, expiry, service code; three digits (Visa, Mastercard). Service code 000 makes
 * the CVV2, 999 the iCVV; the expiry is given in the order that the card's issuer has it in.
 */
export function cvvOf(cvk: Uint8Array, account: string, expiry: string, service: string): string {
  const text = (account + expiry + service).padEnd(32, '0').slice(0, 32)
  const input = Buffer.from(text, 'hex')
  const cipher = cipherOf(cvk, 'T')
  const made = cipher.first.encrypt(input.subarray(0, 8))
  addTo(made, input.subarray(8), 0, 8)
  return decimals(cipher.encrypt(made), 3)
}

/** The first so many digits: decimal nibbles in their order, then the others as 0 to 5. */
function decimals(block: Uint8Array, count: number): string {
  let digits = ''
  let letters = ''
  for (let at = 0; at < 2 * block.length; at++) {
    const nibble = nibbleAt(block, at)
    if (nibble <= 9) digits += String(nibble)
    else letters += String(nibble - 10)
  }
  return (digits + letters).slice(0, count)
}

const ZERO = 0x30

function digitsOf(text: string): PinDigits {
  return Uint8Array.from({ length: text.length }, (_, at) => text.charCodeAt(at) - ZERO)
}

function nibbleAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at >> 1] as number
  return at % 2 === 0 ? byte >> 4 : byte & 15
}
