import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Problem } from '#pack'
import type { Keys } from './documents.ts'
import { loadSecret, secretRef, type SecretPlace } from './secrets.ts'
import * as v from './values.ts'

/**
 * `admin:` of conf/nadi.yaml: where operators come in, and who they are. In a lab one token is
 * enough (`token`), which lets in whoever has it, under any name. Else each operator has a token of
 * their own (`operators`), which says who acts; and acts that take two of them are listed in
 * `approve`.
 */

/** Acts that may be made to take two operators. */
export const APPROVABLE = [
  'key.generate',
  'key.import',
  'key.rotate',
  'key.export',
  'key.activate',
  'key.revoke',
  'key.migrate',
  'partner.deposit',
  'txn.resolve',
] as const

const DEFAULT_APPROVE: (typeof APPROVABLE)[number][] = ['key.export', 'key.activate', 'key.migrate']

const sha256 = v.value('a SHA-256, written as 64 hexadecimal digits', text =>
  /^[0-9a-fA-F]{64}$/.test(text) ? text.toLowerCase() : undefined,
)

export const adminSchema = z.strictObject({
  host: v.host,
  port: v.port,
  token: secretRef.optional(),
  operators: z
    .record(v.name, z.strictObject({ sha256: sha256.optional(), token: secretRef.optional() }))
    .default({}),
  approve: z.array(v.oneOf(...APPROVABLE)).default(DEFAULT_APPROVE),
})

export type AdminEntry = z.output<typeof adminSchema>

/** One operator; of the token only its SHA-256 is kept, in hexadecimal. */
export type OperatorConfig = { readonly name: string; readonly tokenDigest: string }

/** Fewer characters than this can be guessed. */
const TOKEN_CHARACTERS_MIN = 32

export function loadOperators(
  { token, operators }: AdminEntry,
  where: (...keys: Keys) => string,
  place: SecretPlace,
): { operators: OperatorConfig[]; problems: Problem[] } {
  const problems: Problem[] = []
  const found: OperatorConfig[] = []
  const names = Object.keys(operators)
  if (token && names.length > 0)
    problems.push({ path: where('admin', 'token'), text: 'with it anybody acts as any operator' })
  if (!token && names.length === 0)
    problems.push({
      path: where('admin'),
      text: 'nobody gets in: wanted are operators, or a token',
    })
  if (names.length === 1)
    problems.push({ path: where('admin', 'operators'), text: 'what takes two takes two operators' })
  for (const [name, entry] of Object.entries(operators)) {
    const path = where('admin', 'operators', name)
    const tokenDigest = digestOf(entry, place)
    if (tokenDigest instanceof Error) problems.push({ path, text: tokenDigest.message })
    else if (found.some(other => other.tokenDigest === tokenDigest))
      problems.push({ path, text: 'has the token of another operator' })
    else found.push({ name, tokenDigest })
  }
  return { operators: found, problems }
}

function digestOf(
  { sha256: digest, token }: AdminEntry['operators'][string],
  place: SecretPlace,
): string | Error {
  if ((digest === undefined) === (token === undefined))
    return new Error('wanted is either sha256 or token')
  if (digest !== undefined) return digest
  const loaded = loadSecret(token as NonNullable<typeof token>, place, false)
  if (typeof loaded === 'string') return new Error(loaded)
  const text = loaded.value?.reveal() ?? ''
  if (text.length < TOKEN_CHARACTERS_MIN)
    return new Error(`the token is shorter than ${TOKEN_CHARACTERS_MIN} characters`)
  return createHash('sha256').update(text).digest('hex')
}
