import { luhn, luhnDigit } from '#base'

/** As messages of the switches bear a PAN: the 18 digits of a code and a check digit. */
const PAN_DIGITS = 19

/** The national number of an acquirer or issuer (NNS), with which its PANs begin. */
const NNS_DIGITS = 8

/** A merchant's or customer's PAN as messages bear it. */
export function isQrisPan(text: string): boolean {
  return /^9360\d{15}$/.test(text) && luhn(text)
}

/** The PAN of a code with the check digit, which codes leave out. */
export function withCheckDigit(pan: string): string {
  return pan.length < PAN_DIGITS ? pan + luhnDigit(pan) : pan
}

/** Who issued a PAN: `93600914`. */
export function nnsOf(pan: string): string {
  return pan.slice(0, NNS_DIGITS)
}
