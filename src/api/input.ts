import { z } from 'zod'
import { parseTxnId, type TxnId } from '#base'
import { readJson } from './json.ts'
import { ApiProblem } from './problem.ts'

/** What comes in is checked here, whole, before anything is done with it. */

const ERRORS_MAX = 8

/** A body of a request; throws `malformed-json`, `invalid-request` with all that is wrong. */
export function checkedBody<S extends z.ZodType>(schema: S, body: Uint8Array): z.output<S> {
  return checked(schema, readJson(body))
}

export function checked<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const errors = result.error.issues.flatMap(issue => explain(issue, [])).slice(0, ERRORS_MAX)
  const [first] = errors
  const detail = first ? `${first.path || 'the body'}: ${first.message}` : undefined
  throw new ApiProblem('invalid-request', detail, { errors })
}

/** The id in the address of a payment. */
export function idOf(params: unknown): TxnId {
  const { id } = params as { id: string }
  const parsed = parseTxnId(id)
  if (parsed === undefined) throw new ApiProblem('not-found')
  return parsed
}

const RECEIPT_QUERY = z.strictObject({
  format: z.enum(['json', 'text', 'pdf']).optional(),
  width: z.enum(['32', '48']).optional(),
  reprint: z.enum(['true', 'false']).optional(),
})

export type ReceiptQuery = z.output<typeof RECEIPT_QUERY>

export function receiptQuery(query: unknown): ReceiptQuery {
  return checked(RECEIPT_QUERY, query)
}

/** Nothing may be asked of an address that takes no questions: a mistyped one would not be noticed. */
export function noQuery(query: unknown): void {
  checked(NO_QUERY, query)
}

const NO_QUERY = z.strictObject({})

const KEY = /^[\x21-\x7e]{1,64}$/

export function idempotencyKeyOf(headers: Readonly<Record<string, unknown>>): string {
  const key = headers['idempotency-key']
  if (key === undefined) throw new ApiProblem('idempotency-key-missing')
  if (typeof key === 'string' && KEY.test(key)) return key
  throw new ApiProblem('invalid-request', 'Idempotency-Key: expected 1 to 64 visible characters')
}

/** `Prefer: wait=N` (RFC 7240): how many seconds whoever asks would wait for the outcome. */
export function waitMsOf(headers: Readonly<Record<string, unknown>>, mostMs: number): number {
  const { prefer } = headers
  const found =
    typeof prefer === 'string' ? /(?:^|[,;\s])wait=(\d{1,4})(?=$|[,;\s])/.exec(prefer) : null
  return found ? Math.min(Number(found[1]) * 1000, mostMs) : mostMs
}

type Wrong = { readonly path: string; readonly message: string }

/** Of alternatives, what is wrong with the one that was meant: the one with the least wrong. */
function explain(issue: z.core.$ZodIssue, around: readonly PropertyKey[]): readonly Wrong[] {
  const path = [...around, ...issue.path]
  switch (issue.code) {
    case 'invalid_union': {
      const alternatives = issue.errors.map(one => one.flatMap(inner => explain(inner, path)))
      return alternatives.toSorted((a, b) => a.length - b.length)[0] ?? [wrong(path, issue.message)]
    }
    case 'unrecognized_keys':
      return issue.keys.map(key => wrong([...path, key], 'there is no such field'))
    default:
      return [wrong(path, issue.message)]
  }
}

const PATH_CHARS_MAX = 80

/** A field's name came from outside; it is told back short and harmless. */
function wrong(path: readonly PropertyKey[], message: string): Wrong {
  const shown = path
    .map(String)
    .join('.')
    .replace(/[^\x20-\x7e]/g, '?')
  return { path: shown.slice(0, PATH_CHARS_MAX), message }
}
