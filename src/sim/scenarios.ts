import type { MessageKind, Reason } from '#message'
import type { Setting } from './customers.ts'

/**
 * Numbers that end in 900 to 999 act out one scenario each. A scenario says, per kind of message,
 * whether the biller does the work, what it says instead of the truth, and how the answer leaves.
 */
export type Scenario = {
  /** The last three digits of the customer, meter or registration number. */
  readonly suffix: number
  readonly name: string
  readonly text: string
  readonly setting?: Setting
  readonly behaviour: Behaviour
}

/** An act for each kind; several are played in turn as the same request is sent again, the last stays. */
export type Behaviour = { readonly [Kind in MessageKind]?: Act | readonly Act[] }

export type Act = {
  /** Whether the biller does what it is asked (pays, reverses, looks up); it does when not told. */
  readonly work?: false
  /** What it says in place of its yes, as a reason of the trade or as a bare code of the dialect. */
  readonly say?: Reason | { readonly code: string }
  readonly send?: Manner
  /** Dialects over HTTP that call back: what became of the payment is told later. */
  readonly callback?: CallbackManner
}

/** How a callback comes. */
export const CALLBACKS = {
  after: 'a while after the answer',
  first: 'before the answer itself',
  twice: 'two times',
  forged: 'with a signature that nobody made',
} as const satisfies Record<string, string>
export type CallbackManner = keyof typeof CALLBACKS

/** How an answer leaves. */
export const MANNERS = {
  answer: 'as it should',
  silence: 'never',
  late: 'after the deadline of the other side has passed',
  slow: 'some seconds later, but in time',
  twice: 'two times',
  'after-reversal': 'when the reversal or advice comes, just before the answer to that',
  garbled: 'with random bytes in place of its content',
  'other-trace': 'with an audit number that nobody sent',
  'other-amount': 'with an amount that is one rupiah higher',
  'short-data': 'with its private data (DE48) cut in the middle',
  'byte-by-byte': 'in packets of one byte',
  merged: 'in one packet with the next answer on the connection',
  'wrong-length': 'behind a frame header that lies, which breaks the connection',
  cut: 'not at all: the connection is cut instead',
  deaf: 'never, and the connection is half-open from here: nothing is read or sent on it',
  'signed-off': 'and the session is signed off with it',
  html: 'as a page of HTML that says nothing (HTTP)',
  'server-error': 'as HTTP 500 without a word (HTTP)',
  empty: 'with nothing in it (HTTP)',
  redirect: 'as a redirect to elsewhere (HTTP)',
  'gzip-bomb': 'as a small body that unpacks into a huge one (HTTP)',
} as const satisfies Record<string, string>
export type Manner = keyof typeof MANNERS

const NOT_DONE = { work: false, send: 'silence' } as const satisfies Act
const SILENT = { send: 'silence' } as const satisfies Act
const HONEST = {} as const satisfies Act

/** From here on they are of dialects over HTTP. */
export const HTTP_SUFFIX = 960

export const SCENARIOS: readonly Scenario[] = [
  // What is told at the inquiry.
  row(900, 'one-bill', 'one bill, all well', {}, { bills: 1, outstanding: 1 }),
  row(901, 'four-of-nine', 'four bills told of nine owed', {}, { bills: 4, outstanding: 9 }),
  row(902, 'already-paid', 'inquiry 0088', says('inquiry', 'already-paid')),
  row(903, 'unknown', 'inquiry 0014', says('inquiry', 'customer-unknown')),
  row(904, 'blocked', 'inquiry 0016', says('inquiry', 'customer-blocked')),
  row(905, 'cut-off', 'inquiry 0090', says('inquiry', 'cut-off')),
  row(906, 'inquiry-silent', 'inquiry is never answered', { inquiry: NOT_DONE }),

  // Postpaid: silence, then the reversal decides. Prepaid meters: the advice finds the token.
  row(907, 'paid-silent', 'paid but not answered; reversal 0000, advice has the token', {
    payment: SILENT,
  }),
  row(908, 'paid-stands', 'paid but not answered; reversal 0012: the payment stands', {
    payment: SILENT,
    reversal: { work: false, say: 'too-late-to-reverse' },
  }),
  row(909, 'unpaid-silent', 'not paid, not answered; reversal and advice 0063', {
    payment: NOT_DONE,
  }),
  row(910, 'reversal-silent', 'paid but not answered; reversals not done, not answered', {
    payment: SILENT,
    reversal: NOT_DONE,
  }),
  row(911, 'late-after-reversal', "the payment's answer arrives after the reversal was sent", {
    payment: { send: 'after-reversal' },
  }),
  row(912, 'late', "paid; the answer comes shortly after the other side's deadline", {
    payment: { send: 'late' },
  }),
  row(913, 'twice', 'payment answered twice', { payment: { send: 'twice' } }),
  row(914, '0068-paid', 'payment 0068 although it is paid', { payment: { say: 'timeout' } }),
  row(915, '0068-unpaid', 'payment 0068 and it is not paid', {
    payment: { work: false, say: 'timeout' },
  }),
  row(916, 'sign-on-inquiry', 'first inquiry 0011 and signed off, then all is well', {
    inquiry: [{ work: false, say: 'sign-on-required', send: 'signed-off' }, HONEST],
  }),
  row(917, 'sign-on-payment', 'first payment 0011 and signed off, then all is well', {
    payment: [{ work: false, say: 'sign-on-required', send: 'signed-off' }, HONEST],
  }),
  row(918, 'security', 'payment 0096, not paid', says('payment', 'security-invalid')),

  // Prepaid: the advice decides.
  row(919, 'token-by-advice', 'purchase not answered; advice brings the token', {
    payment: SILENT,
  }),
  row(920, 'advice-0063', 'purchase not done, not answered; advice 0063', { payment: NOT_DONE }),
  row(921, 'advice-silent', 'purchase done, not answered; no advice is ever answered', {
    payment: SILENT,
    advice: SILENT,
  }),
  row(922, 'second-advice', 'purchase done, not answered; the second advice (2221) is answered', {
    payment: SILENT,
    advice: [SILENT, HONEST],
  }),
  row(923, 'unsold-one', 'one unsold token is offered', {}, { unsold: 1 }),
  row(924, 'unsold-two', 'two unsold tokens are offered', {}, { unsold: 2 }),

  // Refusals of the payment.
  row(925, 'over-quota', 'payment 0047', says('payment', 'over-quota')),
  row(926, 'amount-invalid', 'payment 0013', says('payment', 'amount-invalid')),
  row(927, 'deposit-empty', 'payment 0046', says('payment', 'deposit-insufficient')),
  row(928, '0005-paid', 'payment 0005 although it is paid', { payment: { say: 'other-error' } }),
  row(929, '0005-unpaid', 'payment 0005 and it is not paid', says('payment', 'other-error')),

  // Answers that are not what they should be.
  row(930, 'garbled', 'paid; the answer is garbled', { payment: { send: 'garbled' } }),
  row(931, 'inquiry-garbled', 'the answer to the inquiry is garbled', {
    inquiry: { send: 'garbled' },
  }),
  row(932, 'other-trace', 'paid; the answer bears another audit number', {
    payment: { send: 'other-trace' },
  }),
  row(933, 'other-amount', 'paid; the answer bears another amount', {
    payment: { send: 'other-amount' },
  }),
  row(934, 'byte-by-byte', 'answers come one byte at a time', {
    inquiry: { send: 'byte-by-byte' },
    payment: { send: 'byte-by-byte' },
  }),
  row(935, 'merged', 'answers come in one packet with the next one', {
    inquiry: { send: 'merged' },
    payment: { send: 'merged' },
  }),
  row(936, 'wrong-length', 'paid; the answer has a wrong length header', {
    payment: { send: 'wrong-length' },
  }),
  row(937, 'cut-paid', 'paid; the connection is cut instead of an answer', {
    payment: { send: 'cut' },
  }),
  row(938, 'cut-unpaid', 'not paid; the connection is cut instead of an answer', {
    payment: { work: false, send: 'cut' },
  }),
  row(939, 'slow', 'answers take some seconds, but come in time', {
    inquiry: { send: 'slow' },
    payment: { send: 'slow' },
  }),
  row(940, 'unknown-code', 'paid; the answer has a code that nobody knows', {
    payment: { say: { code: '9876' } },
  }),
  row(941, 'short-data', 'paid; the answer has a truncated DE48', {
    payment: { send: 'short-data' },
  }),

  // More of the reversal.
  row(942, 'second-reversal', 'paid, not answered; reversed, but only 2401 is answered', {
    payment: SILENT,
    reversal: [SILENT, HONEST],
  }),
  row(943, 'reversal-0094', 'paid, not answered; reversed, and the reversal says 0094', {
    payment: SILENT,
    reversal: { say: 'already-reversed' },
  }),
  row(944, 'reversal-sign-on', 'paid, not answered; first reversal 0011 and signed off', {
    payment: SILENT,
    reversal: [{ work: false, say: 'sign-on-required', send: 'signed-off' }, HONEST],
  }),
  row(945, 'reversed-silent', 'paid, not answered; reversed, but no reversal is answered', {
    payment: SILENT,
    reversal: SILENT,
  }),
  row(946, 'half-open', 'paid; the connection is half-open from the payment on', {
    payment: { send: 'deaf' },
  }),
  row(947, 'late-unpaid', "payment refused (0016), after the other side's deadline", {
    payment: { work: false, say: 'customer-blocked', send: 'late' },
  }),
  row(948, 'payment-0088', 'payment 0088 although it is paid by this very request', {
    payment: { say: 'already-paid' },
  }),
  row(949, 'inquiry-cut', 'the connection is cut instead of an answer to the inquiry', {
    inquiry: { work: false, send: 'cut' },
  }),
  row(950, 'reversal-0068', 'paid, not answered; first reversal 0068 and not done, then done', {
    payment: SILENT,
    reversal: [{ work: false, say: 'timeout' }, HONEST],
  }),
  row(951, 'reversal-0005', 'paid, not answered; reversals not done, 0005', {
    payment: SILENT,
    reversal: { work: false, say: 'other-error' },
  }),
  row(952, 'not-available', 'inquiry 0089', says('inquiry', 'not-available-yet')),
  row(953, '0016-paid', 'payment refused (0016) although it is paid: a lie', {
    payment: { say: 'customer-blocked' },
  }),

  // Where a payment is only asked about, and given back as its partner wishes.
  row(954, 'status-silent', 'paid, not answered; no status check is ever answered', {
    payment: SILENT,
    status: SILENT,
  }),
  row(955, 'status-pending', 'paid, not answered; the first status check says pending', {
    payment: SILENT,
    status: [{ say: 'timeout' }, HONEST],
  }),
  row(956, 'refund-refused', 'paid; what would take it back is refused, it stands', {
    reversal: { work: false, say: 'too-late-to-reverse' },
  }),
  row(957, 'refund-silent', 'paid; it is taken back, and nobody says so', { reversal: SILENT }),

  // Dialects over HTTP: what is pending, and answers that are none.
  row(960, 'pending-callback', 'paid; the answer says pending; a callback tells', {
    payment: { say: 'timeout', callback: 'after' },
  }),
  row(961, 'pending-status', 'paid; the answer says pending; only a status check tells', {
    payment: { say: 'timeout' },
  }),
  row(962, 'pending-failed', 'not paid; the answer says pending; a callback tells', {
    payment: { work: false, say: 'timeout', callback: 'after' },
  }),
  row(963, 'callback-first', 'paid; the callback comes before the answer, which says pending', {
    payment: { say: 'timeout', callback: 'first', send: 'slow' },
  }),
  row(964, 'callback-twice', 'paid; the answer says pending; the callback comes twice', {
    payment: { say: 'timeout', callback: 'twice' },
  }),
  row(965, 'callback-forged', 'not paid; pending; a forged callback says paid', {
    payment: { work: false, say: 'timeout', callback: 'forged' },
  }),
  row(966, 'pending-for-ever', 'paid; pending, whenever it is asked about', {
    payment: { say: 'timeout' },
    status: { say: 'timeout' },
  }),
  row(967, 'html', 'paid; the answer is a page of HTML', { payment: { send: 'html' } }),
  row(968, '500-paid', 'paid; the answer is HTTP 500', { payment: { send: 'server-error' } }),
  row(969, '500-unpaid', 'not paid; the answer is HTTP 500', {
    payment: { work: false, send: 'server-error' },
  }),
  row(970, 'empty', 'paid; the answer is empty', { payment: { send: 'empty' } }),
  row(971, 'redirect', 'paid; the answer is a redirect', { payment: { send: 'redirect' } }),
  row(972, 'gzip-bomb', 'paid; the answer is a gzip bomb', { payment: { send: 'gzip-bomb' } }),
]

function row(
  suffix: number,
  name: string,
  text: string,
  behaviour: Behaviour,
  setting?: Setting,
): Scenario {
  return { suffix, name, text, behaviour, ...(setting && { setting }) }
}

/** Refused for this reason, and nothing was done. */
function says(kind: 'inquiry' | 'payment', reason: Reason): Behaviour {
  return { [kind]: { work: false, say: reason } }
}

const FIRST_SUFFIX = 900
const BY_SUFFIX: (Scenario | undefined)[] = Array.from({ length: 100 }, (_, i) =>
  SCENARIOS.find(scenario => scenario.suffix === FIRST_SUFFIX + i),
)

/** The scenario that a number acts out; only numbers that the biller knows (9999…) do. */
export function scenarioOf(number: string): Scenario | undefined {
  const at = number.length - 3
  if (number.charCodeAt(at) !== 0x39 || !number.startsWith('9999')) return undefined
  return BY_SUFFIX[Number(number.slice(at)) - FIRST_SUFFIX]
}

/** How long the scenarios take; tests make them short. */
export type Timing = {
  /** When the other side gives up waiting, after its request. */
  readonly deadlineMs: number
  /** How long after that a late answer leaves. */
  readonly lateByMs: number
  readonly slowByMs: number
  /** Between the bytes of an answer in packets of one byte. */
  readonly byteByMs: number
  /** How long an answer waits for another one to share its packet with. */
  readonly mergeWaitMs: number
}

export const TIMING: Omit<Timing, 'deadlineMs'> = {
  lateByMs: 500,
  slowByMs: 3_000,
  byteByMs: 1,
  mergeWaitMs: 200,
}
