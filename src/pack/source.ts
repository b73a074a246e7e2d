import { isScalar, isMap, isSeq, LineCounter, parseDocument, type Node as YamlNode } from 'yaml'

/** Something wrong with a pack or another file of configuration: where, and what is allowed. */
export type Problem = {
  /** `pln-2003-111/pack.yaml:12` */
  readonly path: string
  readonly text: string
}

/**
 * A pack's text as a tree in which every leaf still knows the line it came from, so that a problem
 * found late, or inherited from another pack, is still told with its own file and line. All
 * scalars are text: `0000` is four zeros and nothing is a date.
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
/** A key without a value. */
export type NothingTree = { readonly tag: 'nothing'; readonly at: string }
export type MapEntry = { readonly at: string; readonly value: Tree }

/** Deeper than any pack, shallow enough for the stack. */
const DEPTH_MAX = 16
const TEXT_CHARS_MAX = 1_000_000

export function parseTree(path: string, text: string, problems: Problem[]): Tree | undefined {
  if (text.length > TEXT_CHARS_MAX) {
    problems.push({ path: `${path}:1`, text: `longer than ${TEXT_CHARS_MAX} characters` })
    return undefined
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
  })
  const at = (offset: number) => `${path}:${lines.linePos(offset).line}`
  for (const error of [...document.errors, ...document.warnings]) {
    problems.push({ path: at(error.pos[0]), text: error.message })
  }
  if (document.errors.length > 0) return undefined
  return toTree(document.contents, at, `${path}:1`, problems, 0)
}

function toTree(
  node: YamlNode | null,
  at: (offset: number) => string,
  around: string,
  problems: Problem[],
  depth: number,
): Tree {
  const here = node?.range ? at(node.range[0]) : around
  if (depth > DEPTH_MAX) {
    problems.push({ path: here, text: `nested deeper than ${DEPTH_MAX}` })
    return { tag: 'nothing', at: here }
  }
  if (isSeq<YamlNode>(node)) {
    const items = node.items.map(item => toTree(item, at, here, problems, depth + 1))
    return { tag: 'list', at: here, items }
  }
  if (isMap<YamlNode, YamlNode | null>(node)) {
    const entries = new Map<string, MapEntry>()
    for (const { key, value } of node.items) {
      const keyAt = key.range ? at(key.range[0]) : here
      if (isScalar(key)) {
        const tree = toTree(value, at, keyAt, problems, depth + 1)
        entries.set(String(key.value), { at: keyAt, value: tree })
      } else problems.push({ path: keyAt, text: 'a key must be plain text' })
    }
    return { tag: 'map', at: here, entries }
  }
  if (
    isScalar(node) &&
    typeof node.value === 'string' &&
    (node.value !== '' || node.source !== '')
  ) {
    return { tag: 'text', at: here, text: node.value }
  }
  if (isScalar(node) && isQuoted(node.type)) return { tag: 'text', at: here, text: '' }
  if (node && !isScalar(node)) problems.push({ path: here, text: 'aliases are not used in packs' })
  return { tag: 'nothing', at: here }
}

function isQuoted(type: string | undefined): boolean {
  return type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE'
}

/**
 * `own` laid over `base`: maps entry by entry, all else replaced whole. The text `none` takes an
 * inherited entry out.
 */
export function mergeTrees(base: Tree | undefined, own: Tree | undefined): Tree | undefined {
  if (!own || own.tag !== 'map' || base?.tag !== 'map') return own ?? base
  const entries = new Map(base.entries)
  for (const [key, entry] of own.entries) {
    if (entry.value.tag === 'text' && entry.value.text === 'none') entries.delete(key)
    else {
      const inherited = entries.get(key)?.value
      entries.set(key, { at: entry.at, value: mergeTrees(inherited, entry.value) ?? entry.value })
    }
  }
  return { tag: 'map', at: own.at, entries }
}
