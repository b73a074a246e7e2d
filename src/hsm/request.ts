import { NadiError } from '#base'
import type { PinFormat, TranslatePin } from './payment-hsm.ts'

/**
 * What a request must be before any key is opened for it, whoever keeps the keys. Errors tell where
 * and what is allowed, never what was given.
 */

/** The longest data of one MAC or encryption: a host command has to have room for it, too. */
export const DATA_BYTES_MAX = 32_000
const PIN_FORMATS: readonly PinFormat[] = [0, 1, 3, 4]

export function wrong(path: string, expected: string): NadiError {
  return new NadiError('HSM_REQUEST', { path, expected })
}

/** Bytes of one of these lengths. */
export function hexBytes(text: string, path: string, lengths: readonly number[]): Buffer {
  const fits = lengths.some(length => text.length === length * 2)
  if (fits && /^[0-9A-Fa-f]*$/.test(text)) return Buffer.from(text, 'hex')
  throw wrong(path, `${lengths.map(length => length * 2).join(', ')} hexadecimal digits`)
}

export function digits(text: string, path: string, length: number): string {
  if (text.length === length && /^\d+$/.test(text)) return text
  throw wrong(path, `${length} digits`)
}

/** A whole number within bounds. */
export function checkNumber(value: number, path: string, from: number, to: number): void {
  if (!(Number.isInteger(value) && value >= from && value <= to))
    throw wrong(path, `${from} to ${to}`)
}

export function checkPan(pan: string): void {
  if (!/^\d{1,19}$/.test(pan)) throw wrong('pan', '1 to 19 digits')
}

export function checkFormat(format: PinFormat, path: string): void {
  if (!PIN_FORMATS.includes(format)) throw wrong(path, '0, 1, 3 or 4')
}

/**
 * The changes of format that ISO 9564-1 (and PCI PIN, 3-3) allow: from each into 0, 3 and 4, and
 * never into 1, which is bound to no account. Throws HSM_NOT_PERMITTED.
 */
export function checkTranslation({ format, intoFormat }: TranslatePin): void {
  checkFormat(format, 'format')
  checkFormat(intoFormat, 'intoFormat')
  if (intoFormat === 1)
    throw new NadiError('HSM_NOT_PERMITTED', { path: 'intoFormat', expected: '0, 3 or 4' })
}

/** Bytes of a block of this format. */
export function pinBlockBytes(format: PinFormat): 8 | 16 {
  return format === 4 ? 16 : 8
}

export function checkData(data: Uint8Array, blockBytes = 1): void {
  if (data.length > DATA_BYTES_MAX) throw wrong('data', `at most ${DATA_BYTES_MAX} bytes`)
  if (blockBytes > 1 && (data.length === 0 || data.length % blockBytes !== 0))
    throw wrong('data', `whole blocks of ${blockBytes} bytes`)
}

/** Twelve characters, one of them N, which stands for the last five digits of the account; or 16. */
export function validationOf(text: string, account12: string): string {
  const whole = text.replace('N', account12.slice(-5))
  if (/^[0-9A-F]{16}$/.test(whole)) return whole
  throw wrong('validation', '12 characters with one N, or 16 digits')
}

/** A decimalisation table. One with few different digits would make PINs easy to guess. */
export function checkTable(table: string): void {
  if (!/^\d{16}$/.test(table) || new Set(table).size < 8)
    throw wrong('decimalisation', '16 decimal digits, 8 of them different')
}
