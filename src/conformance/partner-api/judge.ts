import type { StoredTxn } from '#journal'
import type { Payment } from '#sim'
import type { CaseReport } from '../report.ts'
import type { Exchange } from './front.ts'

type Judged = Pick<CaseReport, 'verdict' | 'end' | 'remarks'>

export type ApiFacts = {
  /** All that the partner said of this number, in order. */
  readonly heard: readonly Exchange[]
  /** As our journal has it; undefined when it came to no payment. */
  readonly payment: StoredTxn | undefined
  readonly book: readonly Payment[]
  /** All is well in it, so it must be paid in the end. */
  readonly paid: boolean
}

const FINAL = ['paid', 'declined', 'reversed']

/** Refusals that a partner's program must not cause, whatever it is met with. */
const MISTAKES = [
  'malformed-json',
  'invalid-request',
  'unsupported-media-type',
  'idempotency-key-missing',
  'idempotency-key-reused',
  'unauthenticated',
  'signature-stale',
  'signature-replayed',
  'method-not-allowed',
  'amount-invalid',
]

/** What a partner must do: ask first, pay once under one key, pay what was told, and find out. */
export function judgeApiPartner({ heard, payment, book, paid }: ApiFacts): Judged {
  if (heard.length === 0) {
    const remarks = ['the partner never asked about this number']
    return { verdict: 'left', end: 'not tried', remarks }
  }
  const pays = heard.filter(({ method, path }) => method === 'POST' && path === '/v1/payments')
  const wrong = [...paidOnce(pays, book), ...mistakes(heard), ...foundOut(heard, payment)]
  if (paid && payment?.tag !== 'paid') wrong.push('all was well, and it was not paid')
  return {
    verdict: wrong.length === 0 ? 'passed' : 'failed',
    end: `we have it ${payment?.tag ?? 'not paid'}: compare with your own book`,
    remarks: wrong,
  }
}

function paidOnce(pays: readonly Exchange[], book: readonly Payment[]): string[] {
  const keys = new Set(pays.map(({ key }) => key)).size
  const inquiries = new Set(pays.map(({ asked }) => asked['inquiry'])).size
  const wrong: string[] = []
  if (keys > 1)
    wrong.push(`one payment under ${keys} keys: what is sent again bears the same Idempotency-Key`)
  if (inquiries > 1) wrong.push(`${inquiries} inquiries were paid for one customer`)
  const paid = book.filter(({ state }) => state === 'paid').length
  if (paid > 1) wrong.push(`it is paid ${paid} times`)
  return wrong
}

function mistakes(heard: readonly Exchange[]): string[] {
  const codes = new Set(heard.map(({ told }) => told['code']))
  return MISTAKES.filter(code => codes.has(code)).map(code => `a request was refused: ${code}`)
}

/** The last word that reached the partner must be the one that our journal ends with. */
function foundOut(heard: readonly Exchange[], payment: StoredTxn | undefined): string[] {
  if (!payment) return []
  const words = heard.filter(({ path, lost }) => path.startsWith('/v1/payments') && !lost)
  if (FINAL.includes(payment.tag)) {
    const last = words.map(wordOf).findLast(word => word !== undefined)
    if (last === payment.tag || (isNotPaid(last) && isNotPaid(payment.tag))) return []
    return [
      `it is ${payment.tag}, and the partner last heard ${last ?? 'nothing'}: it must look at the payment, or send the same request again`,
    ]
  }
  const again = heard.filter(({ path }) => path.startsWith('/v1/payments')).length > 1
  return again ? [] : ['it is not known yet, and the partner never asked again']
}

/** What we took back by ourselves is told to the partner as a decline: it never was paid. */
function isNotPaid(word: string | undefined): boolean {
  return word === 'declined' || word === 'reversed'
}

/** `paid`, `declined`: as it was told; a refusal is a decline unless it says that nothing is known. */
function wordOf({ status, told, method }: Exchange): string | undefined {
  if (typeof told['state'] === 'string') return told['state']
  const code = told['code']
  if (status < 400 || method !== 'POST' || typeof code !== 'string') return undefined
  return ['timeout', 'other-error', 'unavailable', 'internal'].includes(code)
    ? 'pending'
    : 'declined'
}
