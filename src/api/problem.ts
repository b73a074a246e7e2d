import { isNadiError } from '#base'
import { isReason, type Outcome, type Path, type Reason, REASONS } from '#message'

/**
 * Every no of the partners' API: problem details (RFC 9457) with a type that never changes,
 * `urn:nadi:problem:CODE`. A code is a reason of the trade (REASONS, the same that the ISO dialects
 * translate) or one of these, which are about the request itself.
 */
const OWN = {
  'malformed-json': { status: 400, title: 'the body is not the JSON that is wanted' },
  'invalid-request': { status: 400, title: 'the request does not have the shape that is wanted' },
  'idempotency-key-missing': { status: 400, title: 'a payment needs an Idempotency-Key' },
  unauthenticated: { status: 401, title: 'the request does not prove who sent it' },
  'signature-stale': { status: 401, title: "the signature's time is too far from now" },
  'signature-replayed': { status: 401, title: 'this signature was used before' },
  'address-refused': { status: 403, title: 'the partner may not call from this address' },
  'not-found': { status: 404, title: 'there is no such thing here' },
  'method-not-allowed': { status: 405, title: 'this address does not know the method' },
  'not-acceptable': { status: 406, title: 'none of the wanted formats is there' },
  'request-timeout': { status: 408, title: 'the request was not whole in time' },
  'not-paid': { status: 409, title: 'only what is paid has a receipt' },
  'body-too-large': { status: 413, title: 'the body is too large' },
  'unsupported-media-type': { status: 415, title: 'the body must be application/json in UTF-8' },
  'idempotency-key-reused': {
    status: 422,
    title: 'the Idempotency-Key came before with another content',
  },
  'rate-limited': { status: 429, title: 'too many requests' },
  'too-many-in-flight': { status: 429, title: 'too many requests at once' },
  'headers-too-large': { status: 431, title: 'the headers are too large' },
  internal: { status: 500, title: 'the request failed inside of the switch' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>

/** What a decline of the trade is in HTTP; what is not here could not be done as asked: 422. */
const STATUS: { readonly [Code in Reason]?: number } = {
  'deposit-insufficient': 402,
  'partner-blocked': 403,
  'partner-unknown': 403,
  'bank-unknown': 403,
  'party-mismatch': 403,
  'no-inquiry': 404,
  'no-payment': 404,
  'customer-unknown': 404,
  'registration-unknown': 404,
  'product-unknown': 404,
  'already-paid': 409,
  'already-reversed': 409,
  'too-late-to-reverse': 409,
  'reference-mismatch': 409,
  'other-error': 502,
  unavailable: 503,
  'cut-off': 503,
  'window-closed': 503,
  timeout: 504,
}

export type ProblemCode = keyof typeof OWN | Exclude<Reason, 'approved'>

export const PROBLEM_CODES: readonly ProblemCode[] = [
  ...(Object.keys(OWN) as (keyof typeof OWN)[]),
  ...(Object.keys(REASONS) as Reason[]).filter(reason => reason !== 'approved'),
]

export type ProblemBody = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ProblemCode
  /** What is wrong with which part of the request. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
  /** The payment that was begun and is not paid. */
  readonly payment?: string
}

type Extras = Pick<ProblemBody, 'errors' | 'payment'> & {
  readonly headers?: Readonly<Record<string, string>>
}

/** A request that is refused; thrown anywhere below the routes and told by the server. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly code: ProblemCode
  readonly extras: Extras

  constructor(code: ProblemCode, detail: string = titleOf(code), extras: Extras = {}) {
    super(detail)
    this.code = code
    this.extras = extras
  }

  get status(): number {
    return statusOf(this.code)
  }
}

export function problemBody({ code, message, status, extras }: ApiProblem): ProblemBody {
  const { errors, payment } = extras
  return {
    type: `urn:nadi:problem:${code}`,
    title: titleOf(code),
    status,
    detail: message,
    code,
    ...(errors && { errors }),
    ...(payment !== undefined && { payment }),
  }
}

/** A no of the switch or of the biller. */
export function problemOfOutcome({ reason, fault }: Outcome, extras: Extras = {}): ApiProblem {
  const code: ProblemCode = reason === 'approved' ? 'internal' : reason
  const again = statusOf(code) === 503 ? { 'retry-after': '5' } : {}
  const wrong = fault && { path: FIELDS[fault.path] ?? fault.path, message: fault.text }
  const detail = wrong ? `${wrong.path}: ${wrong.message}` : titleOf(code)
  return new ApiProblem(code, detail, {
    ...extras,
    ...(wrong && { errors: [wrong] }),
    headers: { ...again, ...extras.headers },
  })
}

/** What the API calls otherwise than the dictionary; a PAN names its issuer. */
const FIELDS: { readonly [P in Path]?: string } = {
  amountMinor: 'amount',
  'qr.tipMinor': 'qr.tip',
  'qr.issuer': 'qr.customerPan',
}

/** Anything thrown, as one of ours: what HTTP itself finds wrong is the asker's mistake. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  if (isNadiError(error, 'JOURNAL_UNAVAILABLE') || isNadiError(error, 'JOURNAL_FULL'))
    return problemOfOutcome({ meaning: 'declined', reason: 'unavailable' })
  const { statusCode = 500 } = error as { statusCode?: number }
  if (statusCode === 413) return new ApiProblem('body-too-large')
  if (statusCode === 415) return new ApiProblem('unsupported-media-type')
  if (statusCode >= 400 && statusCode < 500) return new ApiProblem('invalid-request')
  return new ApiProblem('internal')
}

export function statusOf(code: ProblemCode): number {
  return isReason(code) ? (STATUS[code] ?? 422) : OWN[code].status
}

export function titleOf(code: ProblemCode): string {
  return isReason(code) ? REASONS[code] : OWN[code].title
}
