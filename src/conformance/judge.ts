import { type AmountMinor, formatMoney } from '#base'
import type { StoredTxn } from '#journal'
import type { Payment } from '#sim'
import type { Case } from './cases.ts'
import type { CaseReport } from './report.ts'

/** What is known when a case is over. */
export type Facts = {
  /** Undefined when it came to no payment: the inquiry was refused. */
  readonly payment: StoredTxn | undefined
  /** What the other side's book has of this number; undefined where there is none to look into. */
  readonly book: readonly Payment[] | undefined
  readonly heldMinor: AmountMinor
  readonly problems: readonly string[]
}

type Judged = Pick<CaseReport, 'verdict' | 'end' | 'remarks'>

/** Nothing in the conversation can show it: a definite no is believed, and the hold is given back. */
const A_BREAK =
  'they said no and did the work: the books, compared, show it; reconciliation must bring it to an end'

const NOT_PAID = ['declined', 'reversed']

/**
 * Nothing is paid twice, nothing stays unknown for ever, both books agree, and no money is held for
 * a payment that has ended.
 */
export function judge(one: Case, { payment, book, heldMinor, problems }: Facts): Judged {
  const wrong: string[] = problems.map(text => `the ledger: ${text}`)
  const remarks: string[] = []
  const paid = book?.filter(({ state }) => state === 'paid')
  if (paid && paid.length > 1) wrong.push(`they believe it paid ${paid.length} times`)
  const tag = payment?.tag
  if (tag === undefined) {
    if (one.pays) wrong.push('it never came to a payment')
    if (paid && paid.length > 0) wrong.push('they believe it paid, and we never began')
  } else if (tag === 'paid') {
    if (paid?.length === 0) wrong.push('we believe it paid, and they do not')
    for (const { amountMinor } of paid ?? [])
      if (amountMinor !== payment?.amountMinor)
        wrong.push(
          `we paid ${formatMoney(payment?.amountMinor ?? amountMinor)}, they have ${formatMoney(amountMinor)}`,
        )
  } else if (NOT_PAID.includes(tag) && one.lies) {
    if (paid?.length === 1) remarks.push(A_BREAK)
    else wrong.push('they lied about a payment, and their book does not show it')
  } else if (NOT_PAID.includes(tag)) {
    if (paid && paid.length > 0) wrong.push(`we say ${tag}, and they believe it paid`)
  } else if (tag === 'suspect' && one.neverTold) {
    remarks.push('they never tell: the hold stays, and a person or reconciliation must find out')
  } else wrong.push(`it is still ${tag}: nobody knows whether it is paid`)
  if (one.paid && tag !== undefined && tag !== 'paid')
    wrong.push('all was well, and it is not paid')
  if (heldMinor !== 0n && tag !== 'suspect')
    wrong.push(`${formatMoney(heldMinor)} of the deposit are held for a payment that has ended`)
  return {
    verdict: wrong.length === 0 ? 'passed' : 'failed',
    end: endOf(tag, paid?.length),
    remarks: [...wrong, ...remarks],
  }
}

function endOf(tag: string | undefined, theirs: number | undefined): string {
  const ours = tag ?? 'no payment'
  if (theirs === undefined) return ours
  return `${ours}; they have it ${theirs === 0 ? 'not paid' : theirs === 1 ? 'paid' : `paid ${theirs} times`}`
}
