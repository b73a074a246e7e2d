import { z } from 'zod'
import { minor, NadiError, parseTxnId, type TxnId } from '#base'

/** What comes in is checked here, whole, before anything is done with it. */

const STATES = [
  'open',
  'sending',
  'unknown',
  'reversing',
  'suspect',
  'paid',
  'declined',
  'reversed',
  'answered',
  'booked',
] as const

/** Words for people: no control characters, so that they cannot forge lines in a log. */
function words(lengthMax: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'control characters')
}

const code = z.string().regex(/^[A-Za-z0-9-]{1,40}$/, 'expected letters, digits and hyphens')
export const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number')
  .transform(Number)

export const act = { by: words(64), reason: words(500) }

export const LIST_QUERY = z.strictObject({
  state: z.enum(STATES).optional(),
  kind: z.enum(['inquiry', 'payment', 'deposit']).optional(),
  partner: code.optional(),
  product: code.optional(),
  customer: code.optional(),
  sinceMs: whole.optional(),
  limit: whole.pipe(z.number().min(1).max(1000)).default(50),
})

export const STORY_QUERY = z.union([
  z.strictObject({ unsafe: z.literal('0').optional() }),
  z.strictObject({ unsafe: z.literal('1'), ...act }),
])

export const BALANCES_QUERY = z.strictObject({ partner: code.optional() })

export const WEBHOOKS_QUERY = z.strictObject({
  partner: code.optional(),
  state: z.enum(['waiting', 'delivered', 'failed']).optional(),
  payment: code.optional(),
  limit: whole.pipe(z.number().min(1).max(1000)).default(50),
})

export const REPLAY_BODY = z.strictObject(act)

export const RESOLVE_BODY = z.strictObject({ as: z.enum(['paid', 'reversed']), ...act })

/** A deposit is top-ups and take-backs within a thousand million million rupiah. */
const AMOUNT_MAX = 10n ** 17n

export const DEPOSIT_BODY = z.strictObject({
  amountMinor: z
    .bigint('expected a whole number of minor units')
    .refine(value => value !== 0n && value <= AMOUNT_MAX && value >= -AMOUNT_MAX, 'out of range')
    .transform(minor),
  key: z
    .string()
    .regex(/^[\x21-\x7e]{1,64}$/, 'expected 1 to 64 printable characters')
    .optional(),
  ...act,
})

/** Throws ADMIN_BAD_REQUEST with the first thing that is wrong. */
export function checked<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const [issue] = leaves(result.error.issues)
  throw new NadiError('ADMIN_BAD_REQUEST', {
    path: issue?.path.join('.') || 'request',
    ...(issue && { hint: issue.message }),
  })
}

/** Of a union, what is wrong with the last alternative: the one that asks for most. */
function leaves(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  return issues.flatMap(issue =>
    issue.code === 'invalid_union' ? leaves(issue.errors.at(-1) ?? []) : [issue],
  )
}

export function txnIdOf(params: unknown): TxnId {
  const { id } = params as { id: string }
  const parsed = parseTxnId(id)
  if (parsed !== undefined) return parsed
  throw new NadiError('ADMIN_BAD_REQUEST', {
    path: 'id',
    expected: 'the 12 characters of a txn id',
  })
}
