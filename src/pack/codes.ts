import {
  CARD_REASONS,
  isReason,
  REASONS,
  type Meaning,
  type MessageKind,
  type Outcome,
  type Reason,
} from '#message'
import type { Check } from './check.ts'
import type { MapTree } from './source.ts'

export const KINDS = [
  'sign-on',
  'sign-off',
  'echo',
  'inquiry',
  'payment',
  'advice',
  'reversal',
  'status',
] as const satisfies readonly MessageKind[]

const MEANINGS = ['approved', 'declined', 'unknown', 'sign-on', 'stands', 'nothing'] as const

/** What a dialect's response codes say, and which of them says a reason. */
export type CodeTable = {
  /** In an answer to that kind of message; the same object each time, not to be changed. */
  outcomeOf(kind: MessageKind, code: string): Outcome
  codeOf(reason: Reason): string
  /** The code to write for an outcome: its own where this dialect has it with that very meaning. */
  codeFor(kind: MessageKind, outcome: Outcome): string
}

type Row = { readonly reason: Reason; readonly meaning: ReadonlyMap<MessageKind, Meaning> }

/**
 * `codes:` of a pack.
 *
 *     codes:
 *       declined on advice: unknown                                         (for every row below)
 *       0000: approved
 *       0088: declined already-paid, unknown on payment advice reversal
 *       other: declined other-error, unknown on payment advice reversal     (any code not listed)
 *     say:
 *       unavailable: 0005                                                   (reasons without a code of their own)
 */
export function compileCodes(check: Check, codes: MapTree, say: MapTree | undefined): CodeTable {
  const rows = new Map<string, Row>()
  const codeByReason = new Map<Reason, string>()
  const rules = compileRules(check, codes)
  for (const [code, entry] of codes.entries) {
    if (RULE.test(code)) continue
    const text = check.text(entry.value, `the meaning of ${code}`)
    const row = text && parseRow(check, text.at, text.text, rules)
    if (!row) continue
    rows.set(code, row)
    if (code !== 'other' && !codeByReason.has(row.reason)) codeByReason.set(row.reason, code)
  }
  for (const [reason, entry] of say?.entries ?? []) {
    const code = check.text(entry.value, `the code for ${reason}`)
    if (!isReason(reason)) check.wrong(entry.at, `"${reason}" is not a reason`)
    else if (code && !rows.has(code.text)) {
      check.wrong(code.at, `"${code.text}" is not in the table of codes`)
    } else if (code) codeByReason.set(reason, code.text)
  }
  for (const reason of Object.keys(REASONS) as Reason[]) {
    const likewise = codeByReason.get('other-error')
    if (!codeByReason.has(reason) && CARD_REASONS.has(reason) && likewise !== undefined)
      codeByReason.set(reason, likewise)
    if (!codeByReason.has(reason)) {
      check.wrong(codes.at, `no code says "${reason}"; add it to codes or to say`)
    }
  }
  if (!rows.has('other')) check.wrong(codes.at, '"other" is missing: what a code not listed means')
  return makeTable(rows, codeByReason)
}

type Rule = { readonly from: Meaning; readonly kind: MessageKind; readonly to: Meaning }
const RULE = /^(\S+) on (\S+)$/

function compileRules(check: Check, codes: MapTree): Rule[] {
  const rules: Rule[] = []
  for (const [key, { at, value }] of codes.entries) {
    const [, from, kind] = RULE.exec(key) ?? []
    if (from === undefined) continue
    const to = check.oneOf(value, key, MEANINGS)
    if (!isMeaning(from)) check.wrong(at, notA('meaning', from, MEANINGS))
    else if (!isKind(kind)) check.wrong(at, notA('kind of message', kind, KINDS))
    else if (to) rules.push({ from, kind, to })
  }
  return rules
}

/** `declined other-error, unknown on payment advice reversal` */
function parseRow(check: Check, at: string, text: string, rules: readonly Rule[]): Row | undefined {
  const [first, ...exceptions] = text.split(',').map(part => part.trim())
  const [meaning, reason = meaning, more] = (first as string).split(/\s+/)
  if (!isMeaning(meaning)) return check.wrong(at, notA('meaning', meaning, MEANINGS))
  if (reason === undefined || !isReason(reason) || more !== undefined) {
    return check.wrong(at, notA('reason', reason, Object.keys(REASONS)))
  }
  const meanings = new Map<MessageKind, Meaning>(KINDS.map(kind => [kind, meaning]))
  for (const rule of rules) if (rule.from === meaning) meanings.set(rule.kind, rule.to)
  for (const exception of exceptions) {
    const [other, on, ...kinds] = exception.split(/\s+/)
    if (!isMeaning(other)) return check.wrong(at, notA('meaning', other, MEANINGS))
    if (on !== 'on' || kinds.length === 0) {
      return check.wrong(at, `"${exception}" must read "${other} on <kinds of message>"`)
    }
    for (const kind of kinds) {
      if (!isKind(kind)) return check.wrong(at, notA('kind of message', kind, KINDS))
      meanings.set(kind, other)
    }
  }
  return { reason, meaning: meanings }
}

function isMeaning(text: string | undefined): text is Meaning {
  return (MEANINGS as readonly (string | undefined)[]).includes(text)
}

export function isKind(text: string | undefined): text is MessageKind {
  return (KINDS as readonly (string | undefined)[]).includes(text)
}

function notA(what: string, text: string | undefined, allowed: readonly string[]): string {
  return `"${text ?? ''}" is not a ${what}; there are ${allowed.join(', ')}`
}

function makeTable(
  rows: ReadonlyMap<string, Row>,
  codeByReason: ReadonlyMap<Reason, string>,
): CodeTable {
  const other = rows.get('other')
  const known = new Map<MessageKind, Map<string, Outcome>>()
  for (const kind of KINDS) {
    const outcomes = new Map<string, Outcome>()
    for (const [code, row] of rows) outcomes.set(code, outcomeIn(row, kind, code))
    outcomes.delete('other')
    known.set(kind, outcomes)
  }
  const codeOf = (reason: Reason) => codeByReason.get(reason) as string
  return {
    codeOf,
    outcomeOf: (kind, code) => known.get(kind)?.get(code) ?? outcomeIn(other as Row, kind, code),
    codeFor(kind, { code, meaning, reason }) {
      const same = code === undefined ? undefined : known.get(kind)?.get(code)
      return same?.meaning === meaning && same.reason === reason ? (code as string) : codeOf(reason)
    },
  }
}

/**
 * A success that is none in answers of that kind (`'000': approved, unknown on payment`) does not
 * keep the reason of one: nobody may read "success" off it, and no success is written for it.
 */
function outcomeIn({ meaning: meanings, reason }: Row, kind: MessageKind, code: string): Outcome {
  const meaning = meanings.get(kind) as Meaning
  const success = reason === 'approved' && meaning !== 'approved'
  return Object.freeze({ meaning, reason: success ? notApproved(meaning) : reason, code })
}

function notApproved(meaning: Meaning): Reason {
  if (meaning === 'unknown') return 'timeout'
  return meaning === 'nothing' ? 'no-payment' : 'other-error'
}
