import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml'
import { BESIDE, COMPOSITES, LIMITS } from './words.ts'

/** Something wrong with a table, or something that an import could not say: where, and what. */
export type Problem = {
  /** `bank-a.yaml:12` */
  readonly path: string
  readonly text: string
}

/**
 * A text as a tree in which every leaf still knows its line, so that a problem is told with it even
 * where it was inherited. All scalars are text: `0000` is four zeros.
 */
export type Tree = TextTree | ListTree | MapTree | NothingTree
export type TextTree = { readonly tag: 'text'; readonly at: string; readonly text: string }
export type ListTree = {
  readonly tag: 'list'
  readonly at: string
  readonly items: readonly Tree[]
}
export type MapTree = {
  readonly tag: 'map'
  readonly at: string
  readonly entries: ReadonlyMap<string, MapEntry>
}
export type NothingTree = { readonly tag: 'nothing'; readonly at: string }
export type MapEntry = { readonly at: string; readonly value: Tree }

export type Report = (at: string, text: string) => void

/**
 * YAML, or JSON, which is YAML too. Aliases are not followed, so a text cannot grow when it is
 * read. Undefined when it cannot be read at all.
 */
export function parseTree(path: string, text: string, report: Report): Tree | undefined {
  const limit = LIMITS.textCharsMax
  if (text.length > limit) {
    report(`${path}:1`, `it is longer than ${limit} characters`)
    return undefined
  }
  const deep = tooDeep(text)
  if (deep !== undefined) {
    report(`${path}:${deep}`, `it is nested deeper than ${LIMITS.depthMax}`)
    return undefined
  }
  const lines = new LineCounter()
  const options = { schema: 'failsafe', lineCounter: lines, prettyErrors: false } as const
  const document = parseDocument(text, options)
  const at = (offset: number) => `${path}:${lines.linePos(offset).line}`
  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    report(at(pos[0]), message)
  }
  if (document.errors.length > 0) return undefined
  return toTree(document.contents, at, `${path}:1`, report, 0)
}

/** The line where brackets or indentation go too deep for a recursive parser, else undefined. */
function tooDeep(text: string): number | undefined {
  let [line, flow, dashes, indent] = [1, 0, 0, 0]
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '\n') [line, dashes, indent] = [line + 1, 0, 0]
    else if (char === ' ' && indent >= 0) indent++
    else if (indent > INDENT_MAX && char !== '#') return line
    else {
      indent = -1
      if (char === '{' || char === '[') flow++
      else if (char === '}' || char === ']') flow = Math.max(0, flow - 1)
      else if (char === '-' || char === '?') dashes++
      if (flow > 4 * LIMITS.depthMax || dashes > INDENT_MAX) return line
    }
  }
  return undefined
}

const INDENT_MAX = 200

function toTree(
  node: Node | null,
  at: (offset: number) => string,
  around: string,
  report: Report,
  depth: number,
): Tree {
  const here = node?.range ? at(node.range[0]) : around
  if (depth > LIMITS.depthMax) {
    report(here, `it is nested deeper than ${LIMITS.depthMax}`)
    return { tag: 'nothing', at: here }
  }
  if (isSeq<Node>(node)) {
    const items = node.items.map(item => toTree(item, at, here, report, depth + 1))
    return { tag: 'list', at: here, items }
  }
  if (isMap<Node, Node | null>(node)) {
    const entries = new Map<string, MapEntry>()
    for (const { key, value } of node.items) {
      const keyAt = key.range ? at(key.range[0]) : here
      if (isScalar(key)) {
        const tree = toTree(value, at, keyAt, report, depth + 1)
        entries.set(String(key.value), { at: keyAt, value: tree })
      } else report(keyAt, 'a key must be plain text')
    }
    return { tag: 'map', at: here, entries }
  }
  if (isAlias(node)) report(here, 'aliases (*name) are not used in tables')
  if (!isScalar(node) || typeof node.value !== 'string') return { tag: 'nothing', at: here }
  const empty = node.value === '' && !node.type?.startsWith('QUOTE')
  return empty ? { tag: 'nothing', at: here } : { tag: 'text', at: here, text: node.value }
}

/**
 * `own` laid over `base`: maps entry by entry, all else replaced whole. The text `none` takes an
 * inherited entry out, or a range of them. Parts can be added below an inherited line, and replace inherited parts;
 * a line of its own replaces the inherited element with its parts.
 */
export function mergeTrees(base: Tree | undefined, own: Tree): Tree {
  if (own.tag !== 'map') return own
  const hasParts = COMPOSITES.some(kind => own.entries.has(kind))
  const below = base?.tag === 'text' && hasParts ? asElement(base) : base
  if (below?.tag !== 'map') return own
  const entries = new Map(below.entries)
  if (hasParts && !COMPOSITES.some(kind => own.entries.has(kind) && entries.has(kind))) {
    for (const key of [...COMPOSITES, ...Object.keys(BESIDE), 'defaults']) entries.delete(key)
  }
  for (const [key, entry] of own.entries) {
    const none = entry.value.tag === 'text' && entry.value.text === 'none'
    const taken = none ? keysOf(key, entries) : []
    for (const id of taken) entries.delete(id)
    if (taken.length === 0) {
      const merged = mergeTrees(entries.get(key)?.value, entry.value)
      entries.set(key, { at: entry.at, value: merged })
    }
  }
  return { tag: 'map', at: own.at, entries }
}

/** The entries that a key names: itself, or all numbers of a range like `65-128`. */
function keysOf(key: string, entries: MapTree['entries']): string[] {
  const [, from, to] = /^(\d{1,3})-(\d{1,3})$/.exec(key) ?? []
  if (from === undefined || to === undefined) return entries.has(key) ? [key] : []
  const inside = (id: string) => Number(id) >= Number(from) && Number(id) <= Number(to)
  return [...entries.keys()].filter(id => /^\d+$/.test(id) && inside(id))
}

function asElement(line: TextTree): MapTree {
  return { tag: 'map', at: line.at, entries: new Map([['is', { at: line.at, value: line }]]) }
}
