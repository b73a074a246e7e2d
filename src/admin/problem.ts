import { type ErrorCode, ERRORS, NadiError } from '#base'
import type { ProblemView } from './api.ts'

/** HTTP status by error code; what is not here is our own trouble: 500. */
const STATUS: { readonly [Code in ErrorCode]?: number } = {
  ADMIN_BAD_REQUEST: 400,
  ADMIN_UNAUTHORIZED: 401,
  ADMIN_NO_SUCH_ROUTE: 404,
  ADMIN_NO_SUCH_ACT: 404,
  ADMIN_APPROVAL: 409,
  TXN_NOT_FOUND: 404,
  PARTNER_NOT_FOUND: 404,
  TXN_NOT_SUSPECT: 409,
  DEPOSIT_INSUFFICIENT: 409,
  KEY_NOT_FOUND: 404,
  KEY_STATE: 409,
  KEY_KNOWN: 409,
  KEY_CHECK_VALUE: 409,
  KEY_DUAL_CONTROL: 409,
  HSM_REQUEST: 400,
  HSM_KEY: 409,
  HSM_KEY_PARITY: 409,
  HSM_KEY_USAGE: 409,
  HSM_NOT_PERMITTED: 409,
  KEY_EXCHANGE: 502,
  KEY_STORE: 503,
  HSM_UNAVAILABLE: 503,
  HSM_BUSY: 503,
  HSM_RESPONSE: 503,
  JOURNAL_UNAVAILABLE: 503,
  JOURNAL_FULL: 503,
}

export function problemOf(error: NadiError): ProblemView {
  const { code } = error
  const { text, retry } = ERRORS[code]
  return {
    type: `urn:nadi:error:${code}`,
    title: text,
    status: STATUS[code] ?? 500,
    detail: error.message,
    code,
    retry,
  }
}

/** Any error as one of ours. What HTTP itself finds wrong with a request is the asker's mistake. */
export function asNadiError(error: unknown): NadiError {
  if (error instanceof NadiError) return error
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new NadiError('ADMIN_BAD_REQUEST', { ...(message && { hint: message }), cause: error })
  return new NadiError('ADMIN_FAILED', { cause: error })
}
