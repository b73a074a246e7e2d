import { assert, type AmountMinor, NadiError } from '#base'

/**
 * Accounts belong to one partner each, and a posting touches one partner's accounts only, so that
 * the data can be spread over servers by partner without a commit that spans two.
 *
 *   deposit          what we owe the partner: topped up in advance
 *   hold             taken from the deposit for payments whose outcome is not known yet
 *   payable:BILLER   what we owe the biller on behalf of this partner
 *   fee              the switch's part of the admin fees
 *   commission       the partner's part of the admin fees
 *   funding          where deposits come from: the money in our bank, seen from the other side
 *
 * Amounts are signed: positive is credit (we owe more), negative is debit. Every account but
 * `funding` is normally zero or positive, and the sum over all accounts is zero, always.
 */
export type AccountName =
  'deposit' | 'hold' | 'fee' | 'commission' | 'funding' | `payable:${string}`

export type Leg = { readonly account: AccountName; readonly amountMinor: AmountMinor }

/** One balanced set of legs. Made only by `posting`, so an unbalanced one cannot exist. */
export type Posting = { readonly reason: PostingReason; readonly legs: readonly Leg[] }

export type PostingReason = 'deposit' | 'hold' | 'settle' | 'release' | 'undo'

/** The accounts that must never fall below zero; a commit that would is refused as insufficient-funds. */
export const NEVER_NEGATIVE: readonly AccountName[] = ['deposit']

/** Zero legs are left out; throws LEDGER_UNBALANCED when the rest does not add up to zero. */
export function posting(
  reason: PostingReason,
  legs: readonly (readonly [AccountName, bigint])[],
): Posting {
  const total = legs.reduce((sum, [, amount]) => sum + amount, 0n)
  if (total !== 0n)
    throw new NadiError('LEDGER_UNBALANCED', { path: reason, actual: String(total) })
  const used = legs.filter(([, amount]) => amount !== 0n)
  assert(new Set(used.map(([account]) => account)).size === used.length, 'one leg an account')
  return {
    reason,
    legs: used.map(([account, amount]) => ({ account, amountMinor: amount as AmountMinor })),
  }
}
