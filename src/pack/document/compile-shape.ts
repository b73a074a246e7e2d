import { minor, ZERO } from '#base'
import { DICTIONARY, isPath, type Path } from '#message'
import { ACCESS, type Target } from '../access.ts'
import { isKind, KINDS } from '../codes.ts'
import type { MapTree, Tree } from '../source.ts'
import { compileValue } from './compile-value.ts'
import { makeInside } from './inside.ts'
import { interned } from './known-keys.ts'
import type { ValueScope } from './scope.ts'
import type { LeafPart, ListAccess, ListPart, Part, Shape } from './value.ts'
import { leavesOf } from './write-shape.ts'
import type { Namespaces } from './xml-reader.ts'

/** What the compilation of bodies needs from the sections compiled before it. */
export type ShapeScope = ValueScope & {
  /** `bodies:`, which others spread by name. */
  readonly bodies: MapTree | undefined
  readonly unknown: 'kept' | 'refused'
  readonly namespaces: Namespaces
  /** Prefixes that may stand in names; undefined where names have none. */
  readonly prefixes: ReadonlySet<string> | undefined
}

const DEPTH_MAX = 12
const ITEMS_MAX = 100

/**
 * A key of a body:
 *
 *     name        must be there            name?                      may be missing
 *     bills_of[bills]                      a list, an item of `bills` each; [bills 1..4] so many
 *     @name       an attribute             #                          the text beside attributes
 *     in_param as xml                      a document inside of a text; an `@name` in it is an
 *                                          attribute of in_param
 */
const KEY = /^([^\s?[\]]+)(?:\[([\w.]+)(?: (\d+)\.\.(\d+))?\])?(?: as (json|xml))?(\?)?$/

/** A body, or a part of one, from its map. A key without a value spreads the body of that name. */
export function compileShape(
  scope: ShapeScope,
  tree: MapTree,
  path = '',
  depth = 0,
): Shape | undefined {
  const parts: Part[] = []
  const before = scope.check.problems.length
  for (const [key, { at, value }] of spread(scope, tree, 0)) {
    const match = KEY.exec(key)
    if (!match) {
      scope.check.wrong(
        at,
        `"${key}" is no key of a body; write name, name?, name[bills], @name or "name as xml"`,
      )
      continue
    }
    if (depth > DEPTH_MAX) {
      scope.check.wrong(at, `nested deeper than ${DEPTH_MAX}`)
      continue
    }
    checkPrefix(scope, match[1] as string, at)
    const part = compilePart(scope, match, value, path, depth)
    if (part) parts.push(part)
  }
  if (scope.check.problems.length > before) return undefined
  const names = new Set(parts.map(part => part.name))
  return { parts, nested: parts.some(isNested), names, unknown: scope.unknown }
}

function isNested(part: Part): boolean {
  return part.tag === 'inside' || (part.tag === 'map' && part.shape.nested)
}

function checkPrefix({ prefixes, check }: ShapeScope, name: string, at: string): void {
  const prefix = /^@?([\w-]+):/.exec(name)?.[1]
  if (prefix === undefined || !prefixes || prefix === 'xsi' || prefixes.has(prefix)) return
  check.wrong(at, `"${prefix}" is no prefix of namespaces; there are ${[...prefixes].join(', ')}`)
}

type Entry = { readonly at: string; readonly value: Tree }

/** The entries of a map with those of the bodies that it names; its own come after and win. */
function spread(scope: ShapeScope, tree: MapTree, depth: number): Map<string, Entry> {
  const { check, bodies } = scope
  const entries = new Map<string, Entry>()
  for (const [key, entry] of tree.entries) {
    if (entry.value.tag !== 'nothing') {
      entries.set(key, entry)
      continue
    }
    const body = bodies?.entries.get(key)
    const map = body && check.map(body.value, key)
    if (!body) {
      const known = [...(bodies?.entries.keys() ?? [])].join(', ')
      check.wrong(entry.at, `no body is called "${key}"; there are ${known || 'none'}`)
    } else if (depth > 4) check.wrong(entry.at, 'bodies within bodies within bodies')
    else if (map) for (const [name, one] of spread(scope, map, depth + 1)) entries.set(name, one)
  }
  return entries
}

function compilePart(
  scope: ShapeScope,
  [, written = '', list, min, max, inside, mark]: RegExpExecArray,
  value: Tree,
  around: string,
  depth: number,
): Part | undefined {
  const name = interned(written)
  const path = around === '' ? name : `${around}.${name}`
  const key = Buffer.from(`${JSON.stringify(name)}:`)
  const base = { name, key, optional: mark === '?', path }
  if (list !== undefined) {
    return compileList(scope, { ...base, path: `${path}[]` }, value, depth, list, [min, max])
  }
  if (inside !== undefined) {
    const map = scope.check.map(value, `"${name}"`)
    const shape = map && compileShape(scope, map, path, depth + 1)
    if (!shape || tellsSecret(scope, shape, value.at)) return undefined
    return makeInside(base, inside as 'json', shape, scope.namespaces)
  }
  if (value.tag === 'map') {
    const shape = compileShape(scope, value, path, depth + 1)
    return shape && { ...base, tag: 'map', shape }
  }
  return compileLeaf(scope, base, value)
}

/** The place of a secret is marked and filled later, which cannot be escaped a second time. */
function tellsSecret({ check, credentials }: ShapeScope, shape: Shape, at: string): boolean {
  const leaf = [...leavesOf(shape)].find(({ value: { credential = '' } }) => {
    const kind = credentials.get(credential)?.kind
    return kind !== undefined && kind !== 'name'
  })
  if (!leaf) return false
  check.wrong(at, `"${leaf.path}" is a secret, and cannot stand in a document inside of a text`)
  return true
}

type PartBase = {
  readonly name: string
  readonly key: Uint8Array
  readonly optional: boolean
  readonly path: string
}

function compileLeaf(scope: ShapeScope, base: PartBase, value: Tree): LeafPart | undefined {
  const line = scope.check.text(value, `"${base.name}"`)
  if (!line) return undefined
  const [, text = line.text, what, words] = WHEN.exec(line.text) ?? []
  const compiled = compileValue(scope, { ...line, text })
  if (!compiled) return undefined
  const leaf: LeafPart = { ...base, tag: 'leaf', value: compiled }
  if (words === undefined) return leaf
  const allowed = words.split(' ')
  const unknown = what === 'kind' ? allowed.find(one => !isKind(one)) : undefined
  if (unknown !== undefined) {
    return scope.check.wrong(
      line.at,
      `"${unknown}" is not a kind of message; there are ${KINDS.join(', ')}`,
    )
  }
  return {
    ...leaf,
    when: ({ kind, outcome, code }) =>
      allowed.includes(what === 'kind' ? kind : (outcome?.code ?? code)),
  }
}

/** `… when kind is status`, `… when code is 00 03` */
const WHEN = /^(.*) when (kind|code) is (.+)$/

function compileList(
  scope: ShapeScope,
  base: PartBase,
  value: Tree,
  depth: number,
  list: string,
  [min, max]: readonly [string | undefined, string | undefined],
): ListPart | undefined {
  const { check } = scope
  if (!isPath(list) || DICTIONARY[list].kind !== 'list' || scope.prefix !== '') {
    const known = Object.keys(NEW_ITEMS).join(', ')
    return check.wrong(value.at, `"${list}" is not a list of the message; there are ${known}`)
  }
  const inner = { ...scope, prefix: `${list}[].` }
  const item =
    value.tag === 'map'
      ? compileShape(inner, value, base.path, depth + 1)
      : compileLeaf(inner, base, value)?.value
  if (!item) return undefined
  const limits = { min: Number(min ?? 0), max: Number(max ?? ITEMS_MAX) }
  return { ...base, tag: 'list', list: accessTo(list), ...limits, item }
}

/** What an item is before its parts are read; only what its type must have. */
const NEW_ITEMS: Readonly<Partial<Record<Path, () => Target>>> = {
  bills: () => ({ period: '', amountMinor: ZERO }),
  details: () => ({ label: '', text: '' }),
  'token.unsold': () => ({ amountMinor: ZERO }),
  'registration.components': () => ({ amountMinor: minor(0n) }),
}

function accessTo(list: Path): ListAccess {
  const access = ACCESS[list as 'bills']
  const empty = NEW_ITEMS[list]
  return {
    get: target => access.get(target) as readonly Target[] | undefined,
    set: (target, items) => access.set(target, items),
    empty: empty ?? (() => ({})),
  }
}
