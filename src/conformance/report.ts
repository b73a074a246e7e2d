/** One message that crossed the wire, masked. */
export type Crossed = {
  readonly atMs: number
  readonly direction: 'sent' | 'got'
  /** What it is: `payment`, or nothing that could be read. */
  readonly what: string
  readonly lines: readonly string[]
}

/**
 *   passed   all as it should be
 *   failed   something is wrong, on our side or theirs: the text says what
 *   left     it could not be tried
 */
export type Verdict = 'passed' | 'failed' | 'left'

export type CaseReport = {
  readonly name: string
  readonly text: string
  readonly product: string
  readonly number: string
  readonly verdict: Verdict
  /** How it ended, and what is wrong with that. */
  readonly end: string
  readonly remarks: readonly string[]
  readonly crossed: readonly Crossed[]
}

export type Report = {
  readonly pack: string
  readonly against: string
  readonly startedAt: string
  readonly ok: boolean
  readonly counts: { readonly passed: number; readonly failed: number; readonly left: number }
  readonly remarks: readonly string[]
  readonly cases: readonly CaseReport[]
}

export function reportOf(
  head: Pick<Report, 'pack' | 'against' | 'startedAt' | 'remarks'>,
  cases: readonly CaseReport[],
): Report {
  const count = (verdict: Verdict) => cases.filter(one => one.verdict === verdict).length
  const counts = { passed: count('passed'), failed: count('failed'), left: count('left') }
  return { ...head, ok: counts.failed === 0 && counts.passed > 0, counts, cases }
}
