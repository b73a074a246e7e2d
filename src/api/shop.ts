import { type AmountMinor, minor, ZERO } from '#base'
import type { Balance } from '#journal'
import type { AccountName } from '#ledger'
import { type ApiAnswer, jsonAnswer } from './answer.ts'
import type { Ask } from './exchange.ts'
import { noQuery } from './input.ts'
import { moneyOf } from './money.ts'
import type { ApiParts, ApiProduct } from './parts.ts'

/** What a partner may sell, and what its money is. */

export async function getProducts(parts: ApiParts, { partner, request }: Ask): Promise<ApiAnswer> {
  noQuery(request.query)
  const sold = [...parts.products.values()].filter(
    ({ code, enabled }) => enabled && partner.products.has(code),
  )
  return jsonAnswer(200, { products: sold.map(productView) })
}

export async function getBalance(parts: ApiParts, { partner, request }: Ask): Promise<ApiAnswer> {
  noQuery(request.query)
  const balances = await parts.journal.balances(partner.id)
  return jsonAnswer(200, {
    deposit: moneyOf(balanceOf(balances, 'deposit')),
    onHold: moneyOf(balanceOf(balances, 'hold')),
    commission: moneyOf(balanceOf(balances, 'commission')),
  })
}

function productView(product: ApiProduct) {
  const { code, title, biller, fee, minMinor, maxMinor, denominationsMinor, hours, policy } =
    product
  const inside = (wire: AmountMinor): AmountMinor =>
    product.feeInside
      ? minor(wire > fee.adminPerBillMinor ? wire - fee.adminPerBillMinor : 0n)
      : wire
  return {
    code,
    title,
    biller,
    fee: moneyOf(fee.adminPerBillMinor),
    minimum: moneyOf(inside(minMinor)),
    maximum: moneyOf(inside(maxMinor)),
    ...(denominationsMinor && { denominations: [...denominationsMinor].map(moneyOf) }),
    ...(hours && { hours: { from: timeOfDay(hours.fromMs), until: timeOfDay(hours.untilMs) } }),
    reversalWindowSeconds:
      policy.recovery === 'reverse' ? Math.floor(policy.reversalWindowMs / 1000) : 0,
  }
}

function timeOfDay(ms: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}`
}

function balanceOf(balances: readonly Balance[], account: AccountName): AmountMinor {
  return balances.find(balance => balance.account === account)?.balanceMinor ?? ZERO
}
