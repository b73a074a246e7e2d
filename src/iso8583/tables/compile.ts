import type { BitmapSpec, MessageSpec } from '../codec/spec.ts'
import { checkSpec } from './check.ts'
import { readElements } from './composite.ts'
import { readMessages } from './messages.ts'
import {
  checkKeys,
  DEFAULTS,
  mapAt,
  readBitmap,
  readDefaults,
  readHeader,
  readMti,
  textAt,
  wordsOf,
} from './sections.ts'
import { suggest } from './suggest.ts'
import {
  mergeTrees,
  parseTree,
  type MapEntry,
  type MapTree,
  type Problem,
  type Report,
  type Tree,
} from './tree.ts'
import { LIMITS } from './words.ts'

export type TableText = {
  /** Its file's name: problems are told with it, and others extend the table by it. */
  readonly path: string
  readonly text: string
}

export type TableResult =
  | { readonly spec: MessageSpec; readonly problems?: undefined }
  | { readonly spec?: undefined; readonly problems: readonly Problem[] }

/**
 * Compiles the first of the texts; the others are there to be extended, by their `table:` name or
 * their file's name without its ending. Everything that is wrong is told at once.
 */
export function compileTable(texts: readonly TableText[]): TableResult {
  const problems: Problem[] = []
  const report: Report = (path, text) => void problems.push({ path, text })
  const [main, ...others] = texts
  if (!main) return { problems: [{ path: '', text: 'there is no table' }] }
  const tree = extended(main, [...others, main], [], report)
  const spec = tree && compileTree(tree, main.path, report)
  if (spec) checkTree(tree, spec, problems.length > 0, report)
  if (spec && problems.length === 0) return { spec }
  return { problems: problems.slice(0, LIMITS.problemsMax) }
}

/** The whole tree of a table: its own over those that it extends. */
function extended(
  { path, text }: TableText,
  others: readonly TableText[],
  below: readonly string[],
  report: Report,
): MapTree | undefined {
  const tree = parseTree(path, text, report)
  if (!tree) return undefined
  if (tree.tag !== 'map') {
    report(`${path}:1`, 'a table has "fields:" and what else it says as keys')
    return undefined
  }
  const names = wordsOf(textAt(tree, 'extends', report))
  const at = tree.entries.get('extends')?.at ?? tree.at
  let base: Tree | undefined
  for (const name of names) {
    const found = findTable(name, others)
    const circle = below.includes(name) || below.length >= LIMITS.extendsMax
    if (circle) {
      report(at, `tables extend one another in a circle: ${[...below, name].join(' → ')}`)
    } else if (!found) {
      const known = others.map(other => nameOf(other.path))
      report(at, `no table is called "${name.slice(0, 60)}"${suggest(name, known)}`)
    }
    if (circle || !found) return undefined
    const next = extended(found, others, [...below, name], report)
    if (!next) return undefined
    base = mergeTrees(base, withoutName(next))
  }
  return mergeTrees(base, tree) as MapTree
}

function findTable(name: string, tables: readonly TableText[]): TableText | undefined {
  return (
    tables.find(({ path }) => nameOf(path) === name) ??
    tables.find(({ text }) => /^table:[ \t]*(\S+)[ \t]*$/m.exec(text)?.[1] === name)
  )
}

/** A table has its own name and title, never those of the one it extends. */
function withoutName(tree: MapTree): MapTree {
  const entries = new Map(tree.entries)
  for (const key of ['table', 'title', 'extends']) entries.delete(key)
  return { ...tree, entries }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.(?:table\.)?ya?ml$/, '')
}

function compileTree(tree: MapTree, path: string, report: Report): MessageSpec {
  checkKeys(tree, 'table', report)
  const entry = (key: string): Tree | undefined => tree.entries.get(key)?.value
  const at = (key: string) => (text: string) => report(tree.entries.get(key)?.at ?? tree.at, text)
  const text = (key: string) => textAt(tree, key, report)
  const defaults = readDefaults(entry('defaults'), DEFAULTS, report)
  const bitmap = readBitmap(text('bitmap'), false, defaults, at('bitmap'))
  const fields = reachable(mapAt(tree, 'fields', report), bitmap, path)
  if (!tree.entries.has('fields')) report(tree.at, 'it has no "fields:"')
  const messages = mapAt(tree, 'messages', report)
  const name = text('table') ?? nameOf(path)
  const spec: MessageSpec = {
    name,
    title: text('title') ?? name,
    headerBytes: readHeader(text('header'), at('header')),
    mti: readMti(text('mti'), defaults, at('mti')),
    bitmap,
    fields: fields ? inOrder(readElements(fields, defaults, report)) : [],
    overlays: messages ? readMessages(messages, defaults, report) : [],
  }
  return spec
}

/** Without the inherited elements that the bitmap cannot announce; its own ones are a mistake. */
function reachable(
  fields: MapTree | undefined,
  { encoding, extension, bytes, most, tertiaryField }: BitmapSpec,
  path: string,
): MapTree | undefined {
  if (!fields || encoding === 'none') return fields
  const front = bytes * 8 * (extension === 'auto' ? most : 1)
  const last = tertiaryField === undefined ? front : 192
  const kept = [...fields.entries].filter(([id, { at }]) => {
    const announced = !(Number(id) > last) && id !== String(tertiaryField)
    return announced || at.startsWith(`${path}:`)
  })
  return { ...fields, entries: new Map(kept) }
}

/** Of a table that is already wrong, elements may be missing only because their line is wrong. */
function checkTree(tree: MapTree, spec: MessageSpec, wrong: boolean, report: Report): void {
  for (const { path, text } of checkSpec(spec)) {
    const where = path.startsWith('messages[') ? path.replace(/^messages\[\d+\]/, 'messages') : path
    if (!wrong || !path.startsWith('messages[')) report(lineOf(tree, path), `${where}: ${text}`)
  }
}

/** An inherited table may say its elements in any order; a spec has them by number. */
function inOrder<Field extends { readonly id: string }>(fields: readonly Field[]): Field[] {
  return fields.toSorted((a, b) => Number(a.id) - Number(b.id))
}

/** The line of an element's nearest part, for what is found in the spec and not in the text. */
function lineOf(tree: MapTree, path: string): string {
  const message = /^messages\[(\d+)\](?:\.conditional\.(.+))?$/.exec(path)
  if (message) {
    const overlay = entriesOf(tree.entries.get('messages')?.value).at(Number(message[1]))?.[1]
    const rules = entriesOf(overlay?.value).find(([key]) => key === 'conditional')?.[1]
    const rule = entriesOf(rules?.value).find(([key]) => key === message[2])?.[1]
    return (rule ?? overlay)?.at ?? tree.at
  }
  let here: Tree | undefined = tree.entries.get('fields')?.value
  let at = tree.entries.get('fields')?.at ?? tree.at
  for (const id of path.split('.')) {
    const entry = partsOf(here).get(id)
    if (!entry) return tree.entries.get(path)?.at ?? at
    ;({ at, value: here } = entry)
  }
  return at
}

function entriesOf(tree: Tree | undefined): (readonly [key: string, entry: MapEntry])[] {
  return tree?.tag === 'map' ? [...tree.entries] : []
}

function partsOf(tree: Tree | undefined): MapTree['entries'] {
  if (tree?.tag !== 'map') return new Map()
  const own = [...tree.entries].filter(([key]) => !/^[a-z]/.test(key))
  const inside = [...tree.entries.values()].flatMap(({ value }) =>
    value.tag === 'map' ? [...value.entries] : [],
  )
  return new Map([...inside, ...own])
}
