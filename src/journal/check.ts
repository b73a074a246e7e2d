import { NadiError, toJson } from '#base'
import type { Commit, NewRecord } from './journal.ts'

/** The limits on one commit: what is larger is a mistake of the caller, not data. */
export const LIMITS = {
  recordsMax: 32,
  postingsMax: 16,
  legsMax: 64,
  textCharsMax: 256,
  jsonCharsMax: 1_000_000,
  framesMax: 64,
  frameBytesMax: 1_000_000,
} as const

const INT8_MAX = 2n ** 63n - 1n

/** The JSON texts of a commit, made once: both keepers store text and parse it when it is asked for. */
export type CommitTexts = {
  readonly state: string
  /** One for each record; empty when the record has no data. */
  readonly data: readonly string[]
}

/**
 * Refuses (JOURNAL_REFUSED) what no keeper could store, before it can reach a batch: so both
 * keepers refuse the same, and a bad commit seldom costs its neighbours a second round trip.
 */
export function checkCommit(commit: Commit): CommitTexts {
  const { head, records, postings } = commit
  checkHead(commit)
  checkText('tag', commit.tag)
  refuseUnless(records.length > 0, 'records', 'at least one record')
  refuseUnless(records.length <= LIMITS.recordsMax, 'records', `at most ${LIMITS.recordsMax}`)
  for (const [index, record] of records.entries()) checkRecord(`records[${index}]`, record)
  refuseUnless(postings.length <= LIMITS.postingsMax, 'postings', `at most ${LIMITS.postingsMax}`)
  checkPostings(commit)
  if (commit.owes) {
    checkText('owes.step', commit.owes.step)
    checkText('owes.destination', commit.owes.destination)
    checkTime('owes.dueAtMs', commit.owes.dueAtMs)
  }
  const last = records[records.length - 1]
  refuseUnless(last?.tag === commit.tag, 'tag', 'the tag of the last record')
  refuseUnless(
    head.kind !== 'deposit' || !commit.owes,
    'owes',
    'nothing: a deposit is final at once',
  )
  return {
    state: jsonText('state', commit.state),
    data: records.map((record, index) =>
      record.data === undefined ? '' : jsonText(`records[${index}].data`, record.data),
    ),
  }
}

function checkHead({ head, expects }: Commit): void {
  refuseUnless(head.id > 0n && head.id <= INT8_MAX, 'head.id', 'a txn id')
  refuseUnless(Number.isSafeInteger(expects) && expects >= 0, 'expects', 'a version')
  refuseUnless(expects < 1_000_000, 'expects', 'a version below a million')
  refuseUnless(head.partner !== '', 'head.partner', 'a partner')
  refuseUnless(/^\d{8}$/.test(head.businessDate), 'head.businessDate', 'YYYYMMDD')
  for (const name of ['partner', 'product', 'customer', 'key', 'content'] as const)
    if (head[name] !== undefined) checkText(`head.${name}`, head[name])
  checkAmount('head.amountMinor', head.amountMinor)
  if (head.inquiryId !== undefined)
    refuseUnless(head.inquiryId > 0n && head.inquiryId <= INT8_MAX, 'head.inquiryId', 'a txn id')
}

function checkRecord(path: string, { atMs, event, tag, frames = [] }: NewRecord): void {
  checkTime(`${path}.atMs`, atMs)
  checkText(`${path}.event`, event)
  checkText(`${path}.tag`, tag)
  refuseUnless(frames.length <= LIMITS.framesMax, `${path}.frames`, `at most ${LIMITS.framesMax}`)
  for (const frame of frames) {
    checkTime(`${path}.frames.atMs`, frame.atMs)
    checkText(`${path}.frames.via`, frame.via)
    checkText(`${path}.frames.pack`, frame.pack)
    const fits = frame.bytes.length <= LIMITS.frameBytesMax
    refuseUnless(fits, `${path}.frames.bytes`, `at most ${LIMITS.frameBytesMax} bytes`)
  }
}

function checkPostings({ postings }: Commit): void {
  for (const [index, { legs, reason }] of postings.entries()) {
    const path = `postings[${index}]`
    checkText(`${path}.reason`, reason)
    refuseUnless(legs.length > 0 && legs.length <= LIMITS.legsMax, path, '1 to 64 legs')
    let total = 0n
    for (const { account, amountMinor } of legs) {
      refuseUnless(/^[\w.:-]+$/.test(account), path, 'account names of letters, digits and . : - _')
      checkText(path, account)
      checkAmount(path, amountMinor)
      total += amountMinor
    }
    refuseUnless(total === 0n, path, 'legs that add up to zero')
  }
}

function jsonText(path: string, value: unknown): string {
  let text: string | undefined
  try {
    text = toJson(value)
  } catch (cause) {
    throw new NadiError('JOURNAL_REFUSED', { path, expected: 'plain data', cause })
  }
  if (text === undefined) throw new NadiError('JOURNAL_REFUSED', { path, expected: 'plain data' })
  refuseUnless(
    text.length <= LIMITS.jsonCharsMax,
    path,
    `at most ${LIMITS.jsonCharsMax} characters`,
  )
  return text
}

function checkText(path: string, text: string): void {
  refuseUnless(
    typeof text === 'string' && text.length <= LIMITS.textCharsMax && !text.includes('\0'),
    path,
    `text of at most ${LIMITS.textCharsMax} characters`,
  )
}

function checkTime(path: string, atMs: number): void {
  refuseUnless(Number.isSafeInteger(atMs) && atMs >= 0, path, 'milliseconds since 1970')
}

function checkAmount(path: string, amount: bigint): void {
  const fits = typeof amount === 'bigint' && amount <= INT8_MAX && amount >= -INT8_MAX
  refuseUnless(fits, path, 'an amount of at most 63 bits')
}

/** Says where and what is allowed, never what was given: it may be a customer's. */
function refuseUnless(condition: boolean, path: string, expected: string): asserts condition {
  if (!condition) throw new NadiError('JOURNAL_REFUSED', { path, expected })
}
