import { type AmountMinor, CURRENCIES, type Currency, minor, negate, ZERO } from '#base'

/**
 * Money in JSON: `{ "value": "260500.00", "currency": "IDR" }`, the notation of SNAP BI that the
 * banks of the country write already. A string, because a JSON number becomes a float in most
 * readers; always two decimals, because a rupiah has sen and one amount has one spelling; the
 * currency beside it, so that no amount is ever without.
 */
export type Money = { readonly value: string; readonly currency: Currency }

const EXPONENT = CURRENCIES.IDR.exponent

export function moneyOf(amount: AmountMinor): Money {
  const digits = String(amount < 0n ? negate(amount) : amount).padStart(EXPONENT + 1, '0')
  const point = digits.length - EXPONENT
  const value = `${digits.slice(0, point)}.${digits.slice(point)}`
  return { value: amount < 0n ? `-${value}` : value, currency: 'IDR' }
}

/** Of a value that was checked to have the shape above. */
export function amountOf({ value }: Money): AmountMinor {
  return minor(BigInt(value.replace('.', '')))
}

/** What is bought or owed, the fee, and what the customer pays for both. */
export type Charge = { readonly amount: Money; readonly fee: Money; readonly total: Money }

/**
 * Some products' amounts hold the fee on the wire and others' do not. Here `amount` never does, and
 * `total` always: who calls needs no table of products.
 */
export function chargeOf(wireMinor: AmountMinor, feeMinor: AmountMinor, inside: boolean): Charge {
  const amount = inside ? minor(wireMinor - feeMinor) : wireMinor
  return {
    amount: moneyOf(amount),
    fee: moneyOf(feeMinor),
    total: moneyOf(minor(amount + feeMinor)),
  }
}

/** The other way: what stands on the wire for an `amount` of ours. */
export function wireAmount(
  amount: AmountMinor,
  feeMinor: AmountMinor,
  inside: boolean,
): AmountMinor {
  return minor(amount + (inside ? feeMinor : ZERO))
}
