import type { AmountMinor } from '#base'
import { formatTxnId, type TxnId } from '#base'
import type { AuditReport } from './journal.ts'
import type { MemoryStore, MemoryTxn } from './memory.ts'

/** Problems that one audit reports at most: a broken book is known by its first pages. */
export const PROBLEMS_MAX = 100

/** The proof over a memory store; postgres/audit.ts proves the same in SQL. */
export function auditStore(store: MemoryStore): AuditReport {
  const problems: { check: string; text: string }[] = []
  const wrong = (check: string, text: string) => {
    if (problems.length < PROBLEMS_MAX) problems.push({ check, text })
  }
  const sums = new Map<string, bigint>()
  let held = 0n
  let postings = 0
  let openPayments = 0
  for (const [id, txn] of store.txns) {
    postings += txn.postings.length
    if (txn.head.kind === 'payment' && txn.owes) openPayments++
    held += auditTxn(id, txn, sums, wrong)
    if (store.open.has(id) !== (txn.owes !== undefined))
      wrong('txn', `${formatTxnId(id)} is open in one place and final in another`)
  }
  const { accounts, total, holds } = auditBalances(store, sums, wrong)
  if (total !== 0n) wrong('total', `all accounts together hold ${total}, not zero`)
  if (holds !== held) wrong('hold', `the hold accounts hold ${holds}, the open payments ${held}`)
  return {
    postings,
    accounts,
    totalMinor: total as AmountMinor,
    heldMinor: held as AmountMinor,
    openPayments,
    problems,
  }
}

type Wrong = (check: string, text: string) => void

/** Adds the txn's legs to the sums, and answers what it holds. */
function auditTxn(id: TxnId, txn: MemoryTxn, sums: Map<string, bigint>, wrong: Wrong): bigint {
  const name = formatTxnId(id)
  let hold = 0n
  for (const { legs } of txn.postings) {
    if (legs.reduce((sum, leg) => sum + leg.amountMinor, 0n) !== 0n)
      wrong('posting', `a posting of ${name} does not add up to zero`)
    for (const { account, amountMinor } of legs) {
      const key = `${txn.head.partner} ${account}`
      sums.set(key, (sums.get(key) ?? 0n) + amountMinor)
      if (account === 'hold') hold += amountMinor
    }
  }
  const text = holdProblem(txn, hold)
  if (text !== undefined) wrong('hold', `${name} ${text}`)
  if (txn.records.some((record, index) => record.version !== index + 1))
    wrong('version', `the records of ${name} have a hole`)
  const last = txn.records[txn.records.length - 1]
  if (last?.version !== txn.version || last.tag !== txn.tag)
    wrong('txn', `${name} does not agree with its last record`)
  return hold
}

/**
 * A final txn holds nothing. An open payment holds something, unless its money was settled before
 * (it was paid and is being reversed).
 */
function holdProblem({ head, owes, postings }: MemoryTxn, hold: bigint): string | undefined {
  if (!owes) return hold === 0n ? undefined : `is final and still holds ${hold}`
  if (head.kind !== 'payment') return hold === 0n ? undefined : `is no payment and holds ${hold}`
  const settled = postings.some(({ reason }) => reason === 'settle')
  if (hold < 0n || (hold === 0n && !settled && head.amountMinor !== 0n))
    return `is an open payment and holds ${hold}`
  return undefined
}

function auditBalances({ balances }: MemoryStore, sums: Map<string, bigint>, wrong: Wrong) {
  let accounts = 0
  let total = 0n
  let holds = 0n
  for (const [partner, own] of balances)
    for (const [account, balance] of own) {
      const key = `${partner} ${account}`
      accounts++
      total += balance
      if (account === 'hold') holds += balance
      if (balance !== (sums.get(key) ?? 0n))
        wrong('balance', `${key} has ${balance}, its postings add up to ${sums.get(key) ?? 0n}`)
      sums.delete(key)
    }
  for (const key of sums.keys()) wrong('balance', `${key} has postings and no account`)
  return { accounts, total, holds }
}
