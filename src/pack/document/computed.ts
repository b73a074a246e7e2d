import { NadiError } from '#base'
import { DICTIONARY, isPath } from '#message'
import { ACCESS, type Target } from '../access.ts'
import { digest, hmac, HASHES, type Encoding, type Hash } from '../signing/index.ts'
import { parseFormat } from './format.ts'
import { PLAIN, type ValueScope } from './scope.ts'
import type { Context, Value } from './value.ts'

type Argument = (from: Target, context: Context) => string

/**
 * A value made from others, in order and without anything between them:
 *
 *     md5(username, apiKey, reference.own)      also sha1, sha256, sha512; hex unless base64 is said
 *     hmac-sha256(apiKey, customer.id, "cs")    the first is the key
 *     join(partnerServiceId spaces-left 8, customer.id)
 *
 * An argument is text in double quotes, a credential, or a path; the latter two with a format.
 */
export function compileFunction(
  scope: ValueScope,
  call: RegExpExecArray,
  at: string,
): Value | undefined {
  const [, name = '', inner = '', encoding = 'hex'] = call
  const compute = FUNCTIONS.get(name)
  if (!compute) {
    const known = [...FUNCTIONS.keys()].join(', ')
    return scope.check.wrong(at, `"${name}" computes nothing; there are ${known}`)
  }
  const args: Argument[] = []
  for (const text of splitArguments(inner)) {
    const argument = compileArgument(scope, text.trim(), at)
    if (!argument) return undefined
    args.push(argument)
  }
  const run = (from: Target, context: Context) =>
    compute(
      args.map(argument => argument(from, context)),
      encoding as Encoding,
    )
  const base: Value = { ...PLAIN, expected: `${name} of ${inner}`, read: () => true, write: run }
  // What is only joined proves nothing.
  return name === 'join' ? base : { ...base, proof: run }
}

type Compute = (parts: readonly string[], encoding: Encoding) => string

const FUNCTIONS: ReadonlyMap<string, Compute> = new Map<string, Compute>([
  ['join', parts => parts.join('')],
  ...HASHES.map((hash): [string, Compute] => [hash, hashOf(hash)]),
  ...HASHES.filter(hash => hash !== 'md5').map((hash): [string, Compute] => [
    `hmac-${hash}`,
    hmacOf(hash),
  ]),
])

function hashOf(hash: Hash): Compute {
  return (parts, encoding) => digest(hash, parts.join(''), encoding)
}

function hmacOf(hash: Hash): Compute {
  return ([key = '', ...parts], encoding) => hmac(hash, key, parts.join(''), encoding)
}

/** At the commas that stand outside of quotes. */
function splitArguments(text: string): string[] {
  return text.match(/(?:"[^"]*"|[^,"])+/g) ?? []
}

function compileArgument(scope: ValueScope, text: string, at: string): Argument | undefined {
  const { check, credentials, prefix } = scope
  const literal = /^"([^"]*)"$/.exec(text)?.[1]
  if (literal !== undefined) return () => literal
  const [name = '', ...words] = text.split(' ')
  const path = isPath(`${prefix}${name}`) ? `${prefix}${name}` : name
  const known = credentials.has(name)
  if (!known && (!isPath(path) || path === 'outcome')) {
    return check.wrong(at, `"${name}" is neither a credential, a path nor text in quotes`)
  }
  const kind = known || !isPath(path) ? 'text' : DICTIONARY[path].kind
  const parsed = parseFormat(words.join(' '), kind)
  if (typeof parsed === 'string') return check.wrong(at, parsed)
  const { format } = parsed
  const access = known ? undefined : ACCESS[path as 'trace']
  return (from, context) => {
    const value = access ? access.get(from) : context.credentials.reveal(name)
    if (value === undefined) throw new NadiError('PACK_MISSING_FIELD', { path: name })
    const written = format.write(value as never)
    if (written === undefined) {
      throw new NadiError('CODEC_VALUE', { path: name, expected: format.expected })
    }
    return written
  }
}
