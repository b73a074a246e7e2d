/**
 * How a product's unknown payment is found out (law 2). Data of the pack, overridden by conf.
 *
 *   reverse  undo it, whatever happened (PLN postpaid, non-taglis)
 *   advise   ask the biller to confirm it, and to do it if it has not: a token is never reversed
 *   check    ask only what became of it (QRIS, transfers, REST billers)
 */
export type Recovery = 'reverse' | 'advise' | 'check'

export type Policy = {
  readonly recovery: Recovery
  /** How often the biller is asked before a person must look. */
  readonly attemptsMax: number
  /** From the silence to the first attempt, and from one attempt to the next. */
  readonly spacingMs: number
  /** How long the biller has to answer a payment. */
  readonly answerTimeoutMs: number
  /** How long the biller has to answer one reversal, advice or status check. */
  readonly recoveryTimeoutMs: number
  /** How long after the payment the partner may reverse it; 0 where it never may. */
  readonly reversalWindowMs: number
}

/** How often a payment is sent again because the biller wants a sign-on first (it did nothing yet). */
export const SIGN_ONS_MAX = 2
