import { writeHttpResponse } from '#http'

/**
 * A no before any business: what could not be read, may not enter, or came before. Business has its
 * own codes, in the pack.
 *
 *     responseCode 4092500  =  HTTP status 409 · service 25 · case 00
 */
const CASES = {
  malformed: { status: 400, code: '00', words: 'Bad Request' },
  format: { status: 400, code: '01', words: 'Invalid Field Format' },
  missing: { status: 400, code: '02', words: 'Invalid Mandatory Field' },
  unauthorized: { status: 401, code: '00', words: 'Unauthorized' },
  token: { status: 401, code: '01', words: 'Invalid Token (B2B)' },
  forbidden: { status: 403, code: '01', words: 'Feature Not Allowed' },
  'transaction-not-found': { status: 404, code: '01', words: 'Transaction Not Found' },
  'bill-not-found': { status: 404, code: '12', words: 'Invalid Bill/Virtual Account' },
  amount: { status: 404, code: '13', words: 'Invalid Amount' },
  inconsistent: { status: 404, code: '18', words: 'Inconsistent Request' },
  service: { status: 404, code: '00', words: 'Invalid Service' },
  method: { status: 405, code: '00', words: 'Requested Function Is Not Supported' },
  conflict: { status: 409, code: '00', words: 'Conflict' },
  'rate-limited': { status: 429, code: '00', words: 'Too Many Requests' },
  internal: { status: 500, code: '01', words: 'Internal Server Error' },
  timeout: { status: 504, code: '00', words: 'Timeout' },
} as const

export type SnapCase = keyof typeof CASES

/** Thrown where it is noticed; the desk makes an answer of it. */
export class SnapRefusal extends Error {
  readonly case: SnapCase
  /** What is wrong: a name of ours, never what stood there. */
  readonly detail: string | undefined

  constructor(which: SnapCase, detail?: string) {
    super(CASES[which].words)
    this.case = which
    this.detail = detail
  }
}

/** A body of ours as a frame. */
export function jsonFrame(status: number, told: unknown): Uint8Array {
  const headers = { 'content-type': 'application/json' }
  return writeHttpResponse({ status, headers, body: Buffer.from(JSON.stringify(told)) })
}

/** The answer's frame. `service` has two digits; 00 where none was meant. */
export function refusalFrame({ case: which, detail }: SnapRefusal, service: string): Uint8Array {
  const { status, code, words } = CASES[which]
  const responseMessage = detail === undefined ? words : `${words} ${detail}`
  const told = { responseCode: `${status}${service}${code}`, responseMessage }
  return jsonFrame(status, told)
}
