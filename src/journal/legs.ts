import { type AmountMinor, ZERO } from '#base'
import type { AccountName } from '#ledger'
import type { Commit } from './journal.ts'

/** What one commit does to each account, its postings taken together. */
export function changesOf({ postings }: Commit): Map<AccountName, AmountMinor> {
  const changes = new Map<AccountName, AmountMinor>()
  for (const { legs } of postings)
    for (const { account, amountMinor } of legs)
      changes.set(account, ((changes.get(account) ?? ZERO) + amountMinor) as AmountMinor)
  return changes
}
