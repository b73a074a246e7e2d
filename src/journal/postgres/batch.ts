import { type TxnId, txnIdMs, WIB_OFFSET_MS } from '#base'
import { NEVER_NEGATIVE } from '#ledger'
import { type ColumnName, element, JUDGED_NAMES, type JudgedName, NAMES } from './columns.ts'
import type { Member, Parts } from './member.ts'
import type { TxnHead } from '../journal.ts'
import { changesOf } from '../legs.ts'

const DAY_MS = 86_400_000

/** Ids of other nodes may lie a little before ours though they came later. */
const CLOCKS_APART_MS = 3600_000

/** The day, counted from 1970-01-01 in WIB, whose partitions hold a txn. */
export function dayOf(id: TxnId): number {
  return dayAt(txnIdMs(id))
}

export function dayAt(atMs: number): number {
  return Math.floor((atMs + WIB_OFFSET_MS) / DAY_MS)
}

type Columns = Record<ColumnName, string[]>

type Touched = {
  readonly partner: string
  readonly account: string
  change: bigint
  debit: bigint
}

/**
 * The arguments of commit_batch. When the members were judged one after another, credits between
 * them have been counted, and an account need only end where it may be.
 */
export function commitValues(
  node: string,
  members: readonly Member[],
  keyDays: number,
  judged: boolean,
): unknown[] {
  const columns = Object.fromEntries(NAMES.map(name => [name, []])) as unknown as Columns
  const accounts = new Map<string, Touched>()
  let from = 1
  let owing = false
  let final = false
  for (const member of members) {
    const { commit } = member
    if (commit.expects === 0) addOpening(columns, member)
    else {
      addContinuing(columns, member)
      if (commit.owes) owing = true
      else final = true
    }
    from = addRecords(columns, member, from)
    addPostings(columns, member)
    for (const [account, amount] of changesOf(commit)) {
      const touched = touch(accounts, commit.head.partner, account)
      touched.change += amount
      if (amount < 0n) touched.debit += amount
    }
  }
  for (const { partner, account, change, debit } of sorted(accounts)) {
    const net = change < 0n ? change : 0n
    columns.a_partner.push(element(partner))
    columns.a_account.push(element(account))
    columns.a_floor.push(hasFloor(account))
    columns.a_change.push(`${change}`)
    columns.a_debit.push(`${judged ? net : debit}`)
  }
  return [
    node,
    ...boundsOf(members, keyDays),
    owing,
    final,
    ...NAMES.map(name => `{${columns[name].join(',')}}`),
    Buffer.concat(members.map(({ bytes }) => bytes)),
  ]
}

/** The arguments of judge_batch. */
export function judgeValues(members: readonly Member[], keyDays: number): unknown[] {
  const columns = Object.fromEntries(JUDGED_NAMES.map(name => [name, []])) as unknown as Record<
    JudgedName,
    string[]
  >
  const accounts = new Map<string, Touched>()
  for (const { commit } of members)
    for (const account of changesOf(commit).keys()) touch(accounts, commit.head.partner, account)
  const places = new Map<Touched, number>()
  for (const touched of sorted(accounts)) {
    places.set(touched, places.size + 1)
    columns.a_partner.push(element(touched.partner))
    columns.a_account.push(element(touched.account))
    columns.a_floor.push(hasFloor(touched.account))
  }
  for (const [index, { commit, id, partner }] of members.entries()) {
    const { head, expects } = commit
    columns.m_id.push(id)
    columns.m_partner.push(partner)
    columns.m_expects.push(`${expects}`)
    columns.m_key.push(expects === 0 ? element(partnerKey(head)) : 'NULL')
    columns.m_inquiry.push(expects === 0 ? `${head.inquiryId ?? 'NULL'}` : 'NULL')
    for (const [account, amount] of changesOf(commit)) {
      columns.l_m.push(`${index + 1}`)
      columns.l_a.push(`${places.get(touch(accounts, head.partner, account))}`)
      columns.l_amount.push(`${amount}`)
    }
  }
  return [
    ...boundsOf(members, keyDays),
    ...JUDGED_NAMES.map(name => `{${columns[name].join(',')}}`),
  ]
}

/** The days to look into: of the txns, of request keys, of inquiries; null where nobody asks. */
function boundsOf(members: readonly Member[], keyDays: number): (number | null)[] {
  let dayFrom = Infinity
  let dayTo = -Infinity
  let keyFrom = Infinity
  let inquiryFrom = Infinity
  for (const { commit } of members) {
    const { id, key, inquiryId } = commit.head
    const day = dayOf(id)
    dayFrom = Math.min(dayFrom, day)
    dayTo = Math.max(dayTo, day)
    if (commit.expects > 0) continue
    if (key !== undefined) keyFrom = Math.min(keyFrom, day - keyDays + 1)
    if (inquiryId !== undefined)
      inquiryFrom = Math.min(inquiryFrom, dayAt(txnIdMs(inquiryId) - CLOCKS_APART_MS))
  }
  return [dayFrom, dayTo, keyFrom, inquiryFrom].map(day => (Number.isFinite(day) ? day : null))
}

function partnerKey({ partner, key }: TxnHead): string | undefined {
  return key === undefined ? undefined : `${partner} ${key}`
}

function hasFloor(account: string): string {
  return NEVER_NEGATIVE.some(name => name === account) ? 't' : 'f'
}

function touch(accounts: Map<string, Touched>, partner: string, account: string): Touched {
  const name = `${partner}\0${account}`
  let touched = accounts.get(name)
  if (!touched) accounts.set(name, (touched = { partner, account, change: 0n, debit: 0n }))
  return touched
}

/** So that all nodes lock in one order. */
function sorted(accounts: Map<string, Touched>): Touched[] {
  return [...accounts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, touched]) => touched)
}

function addOpening(to: Columns, { commit, id, partner }: Member): void {
  const { head, records, tag, owes } = commit
  to.o_id.push(id)
  to.o_partner.push(partner)
  to.o_kind.push(head.kind)
  to.o_product.push(element(head.product))
  to.o_customer.push(element(head.customer))
  to.o_date.push(head.businessDate)
  to.o_amount.push(`${head.amountMinor}`)
  to.o_key.push(element(partnerKey(head)))
  to.o_content.push(element(head.content))
  to.o_inquiry.push(`${head.inquiryId ?? 'NULL'}`)
  to.o_version.push(`${records.length}`)
  to.o_tag.push(element(tag))
  to.o_at.push(`${records[records.length - 1]?.atMs}`)
  to.o_step.push(element(owes?.step))
  to.o_destination.push(element(owes?.destination))
  to.o_due.push(`${owes?.dueAtMs ?? 'NULL'}`)
}

function addContinuing(to: Columns, { commit, id, partner }: Member): void {
  const { head, expects, records, tag, owes } = commit
  to.c_id.push(id)
  to.c_partner.push(partner)
  to.c_product.push(element(head.product))
  to.c_expects.push(`${expects}`)
  to.c_version.push(`${expects + records.length}`)
  to.c_tag.push(element(tag))
  to.c_at.push(`${records[records.length - 1]?.atMs}`)
  to.c_step.push(element(owes?.step))
  to.c_destination.push(element(owes?.destination))
  to.c_due.push(`${owes?.dueAtMs ?? 'NULL'}`)
}

/** The position of the next record's bytes; SQL counts from one. */
function addRecords(to: Columns, { commit, id, partner, parts }: Member, from: number): number {
  const { expects, records } = commit
  for (const [index, { atMs, event, tag }] of records.entries()) {
    const { data, state, evidence } = parts[index] as Parts
    to.r_id.push(id)
    to.r_partner.push(partner)
    to.r_version.push(`${expects + index + 1}`)
    to.r_at.push(`${atMs}`)
    to.r_event.push(element(event))
    to.r_tag.push(element(tag))
    to.r_from.push(`${from}`)
    to.r_data.push(`${data}`)
    to.r_state.push(`${state}`)
    to.r_evidence.push(`${evidence}`)
    from += data + state + evidence
  }
  return from
}

function addPostings(to: Columns, { commit, id, partner }: Member): void {
  const { expects, records, postings } = commit
  for (const [nth, { reason, legs }] of postings.entries()) {
    to.p_id.push(id)
    to.p_partner.push(partner)
    to.p_version.push(`${expects + records.length}`)
    to.p_nth.push(`${nth}`)
    to.p_at.push(`${records[records.length - 1]?.atMs}`)
    to.p_reason.push(element(reason))
    // Array literals inside array literals; account names need no escapes (check.ts).
    to.p_accounts.push(`"{${legs.map(({ account }) => account).join(',')}}"`)
    to.p_amounts.push(`"{${legs.map(({ amountMinor }) => amountMinor).join(',')}}"`)
  }
}
