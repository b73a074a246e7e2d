import { CARD_REASONS, REASONS, type Reason } from '#message'
import type { Chosen } from './choose.ts'
import { approvedAmong } from './guess.ts'
import type { Proof } from './model.ts'
import { inQuotes } from './quotes.ts'

export type Codes = {
  readonly paths: readonly string[]
  readonly approved: string
  readonly refused: string
  readonly unknown: string
  /** All that the description lists. */
  readonly listed: readonly string[]
}

export function codesOf(chosen: readonly Chosen[]): Codes {
  const outcomes = chosen.flatMap(({ response: { outcome } }) => (outcome ? [outcome] : []))
  const listed = [...new Set(outcomes.flatMap(({ field }) => field.values ?? []))].filter(
    code => /^[\w.-]{1,40}$/.test(code) && code !== 'other',
  )
  const number = outcomes.some(({ field }) => field.type !== 'text')
  return {
    paths: [...new Set(outcomes.map(({ path }) => path))],
    approved: approvedAmong(listed) ?? (number ? '0' : '00'),
    refused: number ? '-1' : 'FILL-IN-NO',
    unknown: number ? '-2' : 'FILL-IN-UNKNOWN',
    listed,
  }
}

/** Whatever is not known to be a no is unknown on a payment, and is then found out. */
export function writeCodes(
  { approved, refused, unknown, listed }: Codes,
  { session }: Proof,
): string {
  const others = listed.filter(code => code !== approved)
  const rows = others.map(code => `  ${inQuotes(code)}: unknown timeout # FILL IN\n`).join('')
  // With another token it may be good: it is fetched anew, once.
  const [denied, reason] = session
    ? (['sign-on sign-on-required', 'sign-on-required'] as const)
    : (['declined security-invalid, unknown on status', 'security-invalid'] as const)
  const told: readonly Reason[] = ['approved', 'timeout', 'other-error', reason]
  const silent = (Object.keys(REASONS) as Reason[]).filter(
    reason => !told.includes(reason) && !CARD_REASONS.has(reason),
  )
  return `# FILL IN: every code of their table, and what it means for the money. Declined says that nothing was
# paid and nothing will be: in doubt it is unknown on payment, and is then found out.
codes:
  # GUESSED: which code is a success.
  ${inQuotes(approved)}: approved
${rows}  # Invented, so that the draft is whole: put their codes in the place of these two.
  ${inQuotes(refused)}: declined other-error, unknown on status
  ${inQuotes(unknown)}: unknown timeout
  http 401: ${denied}
  http 5xx: unknown timeout
  http unreadable: unknown timeout
  http other: unknown timeout
  other: declined other-error, unknown on payment status

# FILL IN: codes for reasons that have none of their own; the simulator says them.
say:
${silent.map(reason => `  ${reason}: ${inQuotes(refused)}\n`).join('')}`
}
