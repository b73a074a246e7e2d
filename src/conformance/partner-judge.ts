import { formatMoney } from '#base'
import type { Message } from '#message'
import type { HttpPack, Pack } from '#pack'
import type { Payment } from '#sim'
import type { Case } from './cases.ts'
import type { Heard } from './overheard.ts'
import type { CaseReport } from './report.ts'

type Judged = Pick<CaseReport, 'verdict' | 'end' | 'remarks'>

const ASKS_ABOUT = ['reversal', 'advice', 'status']

/** What a partner must do, whatever it is met with: ask first, pay once, pay what was told, find out. */
export function judgePartner(
  one: Case,
  heard: readonly Heard[],
  book: readonly Payment[],
  pack: Pack | HttpPack,
): Judged {
  const asked = heard.filter(({ from }) => from === 'partner').map(({ message }) => message)
  const requests = asked.filter(message => message !== undefined)
  if (requests.length === 0) {
    const remarks = ['the partner never asked about this number']
    return { verdict: 'left', end: 'not tried', remarks }
  }
  const paid = book.filter(({ state }) => state === 'paid').length
  const payments = requests.filter(({ kind }) => kind === 'payment')
  const wrong = [
    ...askedFirst(one, requests),
    ...paidOnce(payments, paid),
    ...asTold(heard, payments),
    ...foundOut(one, requests, payments),
    ...namedRightly(requests, payments, pack),
  ]
  if (one.pays && payments.length === 0) wrong.push('it was not paid')
  const state = paid > 0 ? 'paid' : 'not paid'
  return {
    verdict: wrong.length === 0 ? 'passed' : 'failed',
    end: `we have it ${state}: compare with your own book`,
    remarks: wrong,
  }
}

function askedFirst({ subject }: Case, requests: readonly Message[]): string[] {
  if (subject.unasked || requests[0]?.kind === 'inquiry') return []
  return [`it begins with a ${requests[0]?.kind}, not with an inquiry`]
}

function paidOnce(payments: readonly Message[], paid: number): string[] {
  const different = new Set(payments.map(nameOf)).size
  const wrong: string[] = []
  if (different > 1)
    wrong.push(
      `${different} payments of one inquiry: after silence the first one is asked about, never made anew`,
    )
  if (paid > 1) wrong.push(`it is paid ${paid} times`)
  return wrong
}

function nameOf({ reference, trace, sentAt }: Message): string {
  return reference?.own ?? `${trace} ${sentAt}`
}

function asTold(heard: readonly Heard[], payments: readonly Message[]): string[] {
  const told = heard.find(
    ({ from, message }) =>
      from === 'us' && message?.kind === 'inquiry' && message.outcome?.meaning === 'approved',
  )?.message
  const due = told?.amountMinor
  if (due === undefined || told?.token) return []
  return payments
    .filter(({ amountMinor }) => amountMinor !== undefined && amountMinor !== due)
    .map(
      ({ amountMinor = due }) => `told were ${formatMoney(due)}, paid ${formatMoney(amountMinor)}`,
    )
}

/** Where the answer to the payment did not say what became of it. */
function foundOut(
  { silent, subject }: Case,
  requests: readonly Message[],
  payments: readonly Message[],
): string[] {
  if (!silent || payments.length === 0) return []
  const asks = requests.some(({ kind }) => ASKS_ABOUT.includes(kind))
  // In some dialects the same payment, sent again, is the question.
  const again = payments.length > 1 && new Set(payments.map(nameOf)).size === 1
  const kind = { reverse: 'reversal', advise: 'advice', check: 'status check' }[
    subject.recovery.policy
  ]
  return asks || again ? [] : [`no answer said what became of it, and no ${kind} came`]
}

function namedRightly(
  requests: readonly Message[],
  payments: readonly Message[],
  pack: Pack | HttpPack,
): string[] {
  if ('transport' in pack) return []
  const traces = new Set(payments.map(({ trace }) => trace))
  return requests
    .filter(({ original }) => original !== undefined && !traces.has(original.trace))
    .map(({ kind, original }) => `a ${kind} names payment ${original?.trace}, which never came`)
}
