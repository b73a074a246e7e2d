import { assert } from './assert.ts'
import type { Brand } from './brand.ts'

/** An integer in minor units of its currency: Rp 2,605 is 260500n (ISO 4217 gives IDR two decimals). */
export type AmountMinor = Brand<bigint, 'AmountMinor'>

/** The currencies Nadi knows, ISO 4217: number as it stands on the wire, decimals of its minor unit. */
export const CURRENCIES = {
  IDR: { number: '360', exponent: 2, sign: 'Rp' },
} as const
export type Currency = keyof typeof CURRENCIES

export const ZERO = 0n as AmountMinor

export function minor(value: bigint | number): AmountMinor {
  if (typeof value === 'number') assert(Number.isSafeInteger(value), `not an amount: ${value}`)
  return BigInt(value) as AmountMinor
}

/** Whole units of the currency to minor units: rupiah(2605) is 260500n. */
export function rupiah(whole: number | bigint): AmountMinor {
  return minor(BigInt(whole) * 100n)
}

export function negate(amount: AmountMinor): AmountMinor {
  return (0n - amount) as AmountMinor
}

export function sum(amounts: Iterable<AmountMinor>): AmountMinor {
  let total = 0n
  for (const amount of amounts) total += amount
  return total as AmountMinor
}

/**
 * Splits `total` in the proportions of `shares` with whole minor units. What rounding leaves over
 * goes to the last share, so the parts always add up to the total.
 */
export function split(total: AmountMinor, shares: readonly bigint[]): AmountMinor[] {
  const whole = shares.reduce((a, b) => a + b, 0n)
  assert(whole > 0n && shares.every(share => share >= 0n), 'shares must be positive')
  const parts = shares.map(share => ((total * share) / whole) as AmountMinor)
  const given = sum(parts.slice(0, -1))
  parts[parts.length - 1] = (total - given) as AmountMinor
  return parts
}

/** `Rp 260.500` or, when there are cents, `Rp 4.761,90`: the way Indonesia writes money. */
export function formatMoney(amount: AmountMinor, currency: Currency = 'IDR'): string {
  const { exponent, sign } = CURRENCIES[currency]
  const unit = 10n ** BigInt(exponent)
  const negative = amount < 0n
  const value = negative ? 0n - amount : amount
  const whole = String(value / unit).replace(/\B(?=(\d{3})+$)/g, '.')
  const cents = value % unit
  const fraction = cents === 0n ? '' : `,${String(cents).padStart(exponent, '0')}`
  return `${negative ? '-' : ''}${sign} ${whole}${fraction}`
}
