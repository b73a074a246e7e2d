import { Lines, nameOf } from './lines.ts'

/** A value that was read into a variable, and whether it always is. */
export type Found = { readonly path: string; readonly certain: boolean }

/** Objects of the message that cannot be without some of their values, as in its type. */
const NEEDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  registration: { number: "''" },
  transfer: { account: "''" },
  original: { kind: "'payment'", trace: "''", sentAt: "''", bank: "''" },
  details: { label: "''", text: "''" },
}

/**
 * Code that makes the object `name` of the values found under `prefix`, in one literal where all are
 * there, so that nearly all messages of a plan have one shape. Leaves it undefined where none is.
 */
export function makeObject(
  lines: Lines,
  name: string,
  prefix: string,
  found: readonly Found[],
): void {
  const values = valuesOf(prefix, found)
  const needed = NEEDED[prefix.replace(/\[\]\.$|\.$/, '')] ?? {}
  const certain = values.filter(value => value.certain)
  const maybe = values.filter(value => !value.certain)
  const others = Object.entries(needed)
    .filter(([key]) => !certain.some(value => value.key === key))
    .map(([key, value]) => ({ key, code: value, certain: true, there: 'true' }))
  const some = literal([...others, ...certain])
  if (maybe.length === 0) {
    lines.add(`${name} = ${some}`)
    return
  }
  lines.add(`if (${maybe.map(({ there }) => there).join(' && ')}) ${name} = ${literal(values)}`)
  lines.add('else {')
  if (certain.length > 0 || prefix === '') lines.add(`${name} = ${some}`)
  for (const { key, code, there } of maybe) {
    const object = certain.length > 0 ? name : `(${name} ??= ${some})`
    lines.add(`if (${there}) ${object}.${key} = ${code}`)
  }
  lines.add('}')
}

type Value = {
  readonly key: string
  readonly code: string
  readonly certain: boolean
  readonly there: string
}

/** What stands in an object: single values, and pairs of readings, of which one may be missing. */
function valuesOf(prefix: string, found: readonly Found[]): Value[] {
  const values: Value[] = []
  const pairs = new Set<string>()
  for (const { path, certain } of found) {
    const key = path.slice(prefix.length)
    const pair = /^(\w+)\[[01]\]$/.exec(key)?.[1]
    if (pair === undefined) {
      const code = nameOf(path)
      values.push({ key, code, certain, there: `${code} !== undefined` })
    } else if (!pairs.has(pair)) {
      pairs.add(pair)
      values.push(pairOf(prefix, pair, found))
    }
  }
  return values
}

function pairOf(prefix: string, pair: string, found: readonly Found[]): Value {
  const both = [0, 1].map(index => found.find(({ path }) => path === `${prefix}${pair}[${index}]`))
  const items = both.map(one => {
    if (!one) return "''"
    return one.certain ? nameOf(one.path) : `${nameOf(one.path)} ?? ''`
  })
  const there = both.flatMap(one => (one ? [`${nameOf(one.path)} !== undefined`] : []))
  return {
    key: pair,
    code: `[${items.join(', ')}]`,
    certain: both.some(one => one?.certain),
    there: `(${there.join(' || ')})`,
  }
}

function literal(values: readonly { readonly key: string; readonly code: string }[]): string {
  return `{ ${values.map(({ key, code }) => `${key}: ${code}`).join(', ')} }`
}
