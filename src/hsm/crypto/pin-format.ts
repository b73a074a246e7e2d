import type { Random } from '#base'

/**
 * Clear PIN blocks of ISO 9564, by the codes that host commands give them, a letter a nibble:
 *
 *     01  format 0    0 L P…P F…F          xor 0000 and twelve digits of the account
 *     05  format 1    1 L P…P random
 *     47  format 3    3 L P…P random A–F   xor 0000 and twelve digits of the account
 *     48  format 4    4 L P…P A…A and 8 random bytes; AES, xor the account between two encryptions
 *     03  IBM 3624    P…P F…F
 */
export type PinFormat = '01' | '03' | '05' | '47' | '48'

/**
 * What is wrong with a PIN block, without a word of what is in it: no valid values, a PIN of fewer
 * than 4 or more than 12 digits, a format that is none or may not be, a key that it cannot be under.
 */
export class PinProblem extends Error {
  override readonly name = 'PinProblem'
  readonly why: 'values' | 'length' | 'format' | 'key'

  constructor(why: PinProblem['why']) {
    super(`the PIN block is wrong: ${why}`)
    this.why = why
  }
}

/** A PIN, a digit a byte (0 to 9), so that it can be wiped: whoever is given it does that. */
export type PinDigits = Uint8Array

type Shape = {
  /** The first nibble; the second one is the length. Undefined: digits from the start. */
  readonly control: number | undefined
  /** What may stand behind the digits. */
  readonly fill: (nibble: number) => boolean
  /** Into which formats a PIN may go from here. */
  readonly into: readonly PinFormat[]
}

/** A PIN never goes into format 1, which is not bound to an account (ISO 9564-1). */
const SHAPES: Readonly<Record<PinFormat, Shape>> = {
  '01': { control: 0, fill: nibble => nibble === 15, into: ['01', '03', '47', '48'] },
  '03': { control: undefined, fill: nibble => nibble === 15, into: ['01', '03', '47', '48'] },
  '05': { control: 1, fill: () => true, into: ['01', '47', '48'] },
  '47': { control: 3, fill: nibble => nibble > 9, into: ['01', '47', '48'] },
  '48': { control: 4, fill: nibble => nibble === 10, into: ['01', '47', '48'] },
}

const PIN_MIN = 4
const PIN_MAX = 12
/** Of an account number (ISO/IEC 7812-1). */
const PAN_MAX = 19
/** Of that part of a block that holds digits. */
const NIBBLES = 16

/** Throws PinProblem `format` for a format code that is none here. */
export function pinFormat(code: string): PinFormat {
  if (!Object.hasOwn(SHAPES, code)) throw new PinProblem('format')
  return code as PinFormat
}

/** Throws PinProblem `format` when a PIN must not change from the one format into the other. */
export function checkChange(from: PinFormat, into: PinFormat): void {
  if (!SHAPES[from].into.includes(into)) throw new PinProblem('format')
}

/** Throws PinProblem for what is no PIN. */
export function checkDigits(pin: PinDigits): void {
  if (pin.length < PIN_MIN || pin.length > PIN_MAX) throw new PinProblem('length')
  if (pin.some(digit => digit > 9)) throw new PinProblem('values')
}

/**
 * How long the PIN in a clear block is. Throws PinProblem for a block that is not of its format;
 * `loosely` looks at control digit, length and digits only.
 */
export function pinLength(format: PinFormat, clear: Uint8Array, loosely = false): number {
  const { control, fill } = SHAPES[format]
  if (control === undefined) return lengthBefore(clear)
  const head = clear[0] as number
  const length = head & 15
  if (head >> 4 !== control) throw new PinProblem('values')
  if (length < PIN_MIN || length > PIN_MAX) throw new PinProblem('length')
  for (let at = 2; at < NIBBLES; at++) {
    const nibble = nibbleAt(clear, at)
    const right = at - 2 < length ? nibble <= 9 : loosely || fill(nibble)
    if (!right) throw new PinProblem('values')
  }
  return length
}

/** The PIN in a clear block. Throws PinProblem. */
export function digitsIn(format: PinFormat, clear: Uint8Array, loosely = false): PinDigits {
  const pin = new Uint8Array(pinLength(format, clear, loosely))
  const start = SHAPES[format].control === undefined ? 0 : 2
  for (let at = 0; at < pin.length; at++) pin[at] = nibbleAt(clear, start + at)
  return pin
}

/** Digits up to the first F, and F from there on; gives their number. */
function lengthBefore(clear: Uint8Array): number {
  let length = 0
  while (length < NIBBLES && nibbleAt(clear, length) <= 9) length++
  for (let at = length; at < NIBBLES; at++)
    if (nibbleAt(clear, at) !== 15) throw new PinProblem('values')
  if (length < PIN_MIN || length > PIN_MAX) throw new PinProblem('length')
  return length
}

/** The clear block of a PIN, without the account: 8 bytes, of format 4 the 16 of its PIN field. */
export function clearBlock(format: PinFormat, pin: PinDigits, random: Random): Uint8Array {
  const clear = filling(format, random)
  const { control } = SHAPES[format]
  const start = control === undefined ? 0 : 2
  if (control !== undefined) clear[0] = (control << 4) | pin.length
  for (let i = 0; i < pin.length; i++) setNibble(clear, start + i, pin[i] as number)
  return clear
}

/** A block of nothing but what may stand behind a PIN. */
function filling(format: PinFormat, random: Random): Uint8Array {
  const out = new Uint8Array(format === '48' ? 16 : 8)
  switch (format) {
    case '01':
    case '03':
      return out.fill(0xff)
    case '05':
      out.set(random.bytes(8))
      return out
    case '47':
      for (let at = 2; at < NIBBLES; at++) setNibble(out, at, letterNibble(random))
      return out
    case '48':
      out.fill(0xaa, 0, 8).set(random.bytes(8), 8)
      return out
  }
}

/** A to F, each as likely as the others: 252 is the last multiple of six in a byte. */
function letterNibble(random: Random): number {
  for (;;) {
    const [byte = 0] = random.bytes(1)
    if (byte < 252) return 10 + (byte % 6)
  }
}

/** What a format takes of an account number: format 4 all of it, the others twelve digits. */
export function accountFor(format: PinFormat, pan: string): string {
  return format === '48' ? pan : accountOf(pan)
}

/** The 12 rightmost digits of an account number without its check digit, zeros where it is short. */
export function accountOf(pan: string): string {
  return pan.slice(-13, -1).padStart(12, '0')
}

/** The same of a field that may be those 12 digits already, or fewer. */
export function twelveOf(account: string): string {
  return account.length <= 12 ? account.padStart(12, '0') : accountOf(account)
}

/** Formats 0 and 3 take the account the same way. */
export function hasAccount(format: PinFormat): boolean {
  return format === '01' || format === '47'
}

const NO_FIELD = new Uint8Array()

/**
 * What a format adds of the account, a digit a nibble: nothing, or
 *
 *     formats 0 and 3    0000, the twelve digits
 *     format 4           how much longer than 12 the number is, the number (filled up to 12 digits
 *                        on the left), zeros
 *
 * Throws PinProblem `values` for an account number of more than 19 digits.
 */
export function accountField(format: PinFormat, account: string): Uint8Array {
  if (hasAccount(format)) return nibblesOf(twelveOf(account), 4, 8)
  if (format !== '48') return NO_FIELD
  const whole = account.padStart(12, '0')
  if (whole.length > PAN_MAX) throw new PinProblem('values')
  const field = nibblesOf(whole, 1, 16)
  setNibble(field, 0, whole.length - 12)
  return field
}

/** Digits from a nibble on, in so many bytes. */
function nibblesOf(digits: string, from: number, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes)
  for (let i = 0; i < digits.length; i++) setNibble(out, from + i, digits.charCodeAt(i) & 15)
  return out
}

function nibbleAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at >> 1] as number
  return at % 2 === 0 ? byte >> 4 : byte & 15
}

function setNibble(bytes: Uint8Array, at: number, nibble: number): void {
  const byte = bytes[at >> 1] as number
  bytes[at >> 1] = at % 2 === 0 ? (byte & 0x0f) | (nibble << 4) : (byte & 0xf0) | nibble
}
