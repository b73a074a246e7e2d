import { NadiError, nearest } from '#base'
import { DICTIONARY, isPath, REASONS, type Meaning, type Path } from '#message'
import { ACCESS, type Target } from '../access.ts'
import type { TextTree } from '../source.ts'
import { compileFunction } from './computed.ts'
import { marked } from './credentials.ts'
import { parseFormat } from './format.ts'
import { PLAIN, type ValueScope } from './scope.ts'
import { compileSplit } from './split.ts'
import { partOfSum, sumOf } from './sums.ts'
import type { Context, Value } from './value.ts'

/**
 * One line of a body (the words are told in docs/pack-language-http.md).
 *
 *     is inq-pasca                         always this
 *     credential username                  of the link
 *     md5(username, apiKey, reference.own) computed
 *     outcome · meaning approved=Sukses … · words
 *     product · count of bills · detail LABEL · layout NAME by / · unused
 *     PATH[?] FORMAT                       a value of the message
 *     PATH FORMAT or PATH FORMAT           the first that is there; read by the first that fits
 *     PATH plus PATH FORMAT                a sum of which the first is what is told
 *     more PATH FORMAT · less PATH FORMAT  one of several that together are what is told
 */
export function compileValue(scope: ValueScope, { text, at }: TextTree): Value | undefined {
  const { check } = scope
  const [first = '', ...rest] = text.split(' ')
  const words = rest.join(' ')
  const call = /^([a-z0-9-]+)\((.*)\)(?: (hex|base64|base64url))?$/.exec(text)
  if (call) return compileFunction(scope, call, at)
  const made = WORDS[first]?.(scope, words, at)
  if (made === undefined && first in WORDS) return undefined
  if (made) return made
  const either = text.split(' or ')
  if (either.length > 1 && either.every(one => startsWithPath(scope, one))) {
    return eitherOf(scope, either, at)
  }
  const counted = /^count of (\S+)(?: (.+))?$/.exec(text)
  if (counted) return countOf(scope, counted[1] as string, counted[2] ?? '', at)
  const path = `${scope.prefix}${first.replace(/\?$/, '')}`
  if (!isPath(path) || path === 'outcome') {
    const known = Object.keys(DICTIONARY).filter(one => one.startsWith(scope.prefix))
    const near = nearest(path, known)?.slice(scope.prefix.length)
    const hint = near === undefined ? '' : `; did you mean "${near}"?`
    const words = Object.keys(WORDS).join(', ')
    return check.wrong(at, `"${first}" is neither a path nor a word of a body (${words})${hint}`)
  }
  const sum = /^(plus|minus) (\S+)(?: (.+))?$/.exec(words)
  if (sum) return sumOf(scope, path, sum[1] as 'plus', sum[2] as string, sum[3] ?? '', at)
  return pathValue(scope, path, first.endsWith('?'), words, at)
}

type Make = (scope: ValueScope, words: string, at: string) => Value | undefined

const WORDS: Readonly<Record<string, Make>> = {
  is: (_, words) => constant(words),
  credential: ofCredential,
  outcome: (_, words) => outcomeCode(words),
  meaning: meaningWord,
  words: () => ({
    ...PLAIN,
    read: () => true,
    write: (_, { outcome }) => outcome && REASONS[outcome.reason],
  }),
  product: (_, words) => productCode(words),
  detail: (_, words) => detailLine(words),
  layout: (scope, words, at) => compileSplit(scope, words, at, compileValue),
  more: (scope, words, at) => partOfSum(scope, 1n, words, at),
  less: (scope, words, at) => partOfSum(scope, -1n, words, at),
  unused: (_, words) => ({
    ...PLAIN,
    notation: { json: words === 'number' ? 'number' : 'string', loose: true },
    blank: true,
    read: () => true,
    write: () => undefined,
  }),
}

/** `is 00`, `is number 1`, `is boolean true`, and `is` alone: empty text. */
function constant(words: string): Value {
  const typed = /^(number|boolean) (\S+)$/.exec(words)
  const text = typed ? (typed[2] as string) : words
  const json = typed ? (typed[1] as 'number' | 'boolean') : 'string'
  return {
    ...PLAIN,
    notation: { json, loose: false },
    constant: text,
    expected: `"${text}"`,
    width: text.length,
    read: given => given === text,
    write: () => text,
  }
}

function ofCredential(scope: ValueScope, words: string, at: string): Value | undefined {
  const [name = '', ...more] = words.split(' ')
  const spec = scope.credentials.get(name)
  if (!spec) {
    const known = [...scope.credentials.keys()].join(', ')
    return scope.check.wrong(at, `"${name}" is not a credential; there are ${known}`)
  }
  const parsed = parseFormat(more.join(' '), 'text')
  if (typeof parsed === 'string') return scope.check.wrong(at, parsed)
  if (spec.kind !== 'name' && more.length > 0) {
    return scope.check.wrong(at, `"${name}" is a secret, and takes no format`)
  }
  const { format, notation } = parsed
  const proof = (_: Target, { credentials }: Context) => {
    const text = format.write(credentials.reveal(name) as never)
    if (text === undefined)
      throw new NadiError('CODEC_VALUE', { path: name, expected: format.expected })
    return text
  }
  return {
    ...PLAIN,
    notation,
    credential: name,
    read: () => true,
    write: spec.kind === 'name' ? proof : () => marked(name),
    proof,
  }
}

/** Read before all else, since it decides how the rest is read. */
function outcomeCode(words: string): Value {
  const json = words === 'number' ? 'number' : 'string'
  return {
    ...PLAIN,
    notation: { json, loose: true },
    path: 'outcome',
    read: () => true,
    write: (_, { code }) => code,
  }
}

const MEANINGS: readonly string[] = [
  'approved',
  'declined',
  'unknown',
  'sign-on',
  'stands',
  'nothing',
] satisfies Meaning[]

/** A second word about the outcome, which must agree with the code. */
function meaningWord({ check }: ValueScope, words: string, at: string): Value | undefined {
  const parts = words.split(' ')
  const json = parts.at(-1) === 'number' ? (parts.pop(), 'number' as const) : ('string' as const)
  const table = new Map<string, string>()
  for (const pair of parts) {
    const [meaning = '', text] = pair.split('=')
    if (!MEANINGS.includes(meaning) || text === undefined) {
      return check.wrong(
        at,
        `"${pair}" must read MEANING=TEXT; meanings are ${MEANINGS.join(', ')}`,
      )
    }
    table.set(meaning, text)
  }
  return {
    ...PLAIN,
    notation: { json, loose: true },
    expected: [...table.values()].join(' or '),
    read(text, _, context) {
      const said = table.get(context.outcome?.meaning ?? '')
      if (said !== undefined && said !== text) context.contradicted = true
      return true
    },
    write: (_, { outcome }) =>
      outcome && (table.get(outcome.meaning) ?? table.get('declined') ?? table.get('unknown')),
  }
}

function productCode(words: string): Value {
  return {
    ...PLAIN,
    notation: { json: words === 'number' ? 'number' : 'string', loose: true },
    path: 'product',
    expected: 'a product of this pack',
    read(text, _, { products, message }) {
      const sold = products.soldBy(text)
      if (!sold) return false
      message.product = sold.product
      if (sold.amountMinor !== undefined) message.amountMinor = sold.amountMinor
      return true
    },
    write(_, { products, message }) {
      const code = products.codeOf(message)
      if (code !== undefined) return code
      const expected = 'a product, or denomination, that has a code'
      throw new NadiError('CODEC_VALUE', { path: 'product', expected })
    },
  }
}

/** A line for screen and receipt that no other path carries, found again by its label. */
function detailLine(words: string): Value {
  const optional = words.endsWith('?')
  const label = optional ? words.slice(0, -1) : words
  return {
    ...PLAIN,
    notation: { json: 'string', loose: true },
    blank: optional,
    path: 'details[].text',
    read(text, _, { message }) {
      const details = (message.details ??= [])
      const there = details.findIndex(one => one.label === label)
      if (there >= 0) details[there] = { label, text }
      else details.push({ label, text })
      return true
    },
    write: (_, { message }) => message.details?.find(one => one.label === label)?.text,
    has: (_, { message }) => message.details?.some(one => one.label === label) === true,
  }
}

function countOf(scope: ValueScope, list: string, words: string, at: string): Value | undefined {
  if (!isPath(list) || DICTIONARY[list].kind !== 'list') {
    return scope.check.wrong(at, `"${list}" is not a list of the message`)
  }
  const parsed = parseFormat(words, 'integer')
  if (typeof parsed === 'string') return scope.check.wrong(at, parsed)
  const { format, notation } = parsed
  const access = ACCESS[list as 'bills']
  const count = (message: Target) => (access.get(message) as unknown[] | undefined)?.length ?? 0
  return {
    ...PLAIN,
    notation,
    derived: true,
    expected: `how many ${list} there are`,
    read: (text, _, { message }) => format.read(text) === count(message),
    write: (_, { message }) => format.write(count(message) as never),
  }
}

function startsWithPath({ prefix }: ValueScope, text: string): boolean {
  return isPath(`${prefix}${(text.split(' ', 1)[0] as string).replace(/\?$/, '')}`)
}

/** `customer.meter digits 11 or customer.id digits`: one place for what is known in two ways. */
function eitherOf(scope: ValueScope, texts: readonly string[], at: string): Value | undefined {
  const values: Value[] = []
  for (const text of texts) {
    const value = compileValue(scope, { tag: 'text', at, text })
    if (!value) return undefined
    values.push(value)
  }
  const [first] = values as [Value]
  return {
    ...PLAIN,
    notation: first.notation,
    blank: values.every(value => value.blank),
    path: first.path,
    expected: values.map(value => value.expected).join(', or '),
    read: (text, into, context) => values.some(value => value.read(text, into, context)),
    write: (from, context) => values.find(value => value.has(from, context))?.write(from, context),
    has: (from, context) => values.some(value => value.has(from, context)),
  }
}

function pathValue(
  { check }: ValueScope,
  path: Exclude<Path, 'outcome'>,
  blank: boolean,
  words: string,
  at: string,
): Value | undefined {
  const parsed = parseFormat(words, DICTIONARY[path].kind)
  if (typeof parsed === 'string') return check.wrong(at, parsed)
  const { format, notation } = parsed
  const access = ACCESS[path]
  return {
    ...PLAIN,
    notation,
    blank,
    path,
    expected: format.expected,
    ...(format.width !== undefined && { width: format.width }),
    read(text, into) {
      const value = format.read(text)
      if (value === undefined) return false
      access.set(into, value)
      return true
    },
    write(from) {
      const value = access.get(from)
      if (value === undefined || value === '') return undefined
      const text = format.write(value as never)
      if (text === undefined) {
        throw new NadiError('CODEC_VALUE', { path, expected: format.expected })
      }
      return text
    },
    has: from => access.get(from) !== undefined,
  }
}
