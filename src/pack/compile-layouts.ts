import { DICTIONARY, isPath, type Path } from '#message'
import { ACCESS } from './access.ts'
import type { Check } from './check.ts'
import { parseFormat } from './format.ts'
import type { Format } from './format-basics.ts'
import type { Now } from './format-times.ts'
import {
  constantPart,
  countPart,
  listPart,
  makeLayout,
  valuePart,
  type Layout,
  type Part,
} from './layout.ts'
import type { ListTree, TextTree } from './source.ts'

/** The pack's `layouts:`, compiled anew for every element that uses one. */
export type LayoutSources = ReadonlyMap<string, ListTree>

export type Context = {
  readonly check: Check
  readonly layouts: LayoutSources
  /** The element that is being described: `de48`. */
  readonly field: string
  /** Paths that earlier elements of the same message have set. */
  readonly before: ReadonlySet<Path>
  /** Paths that this element sets. */
  readonly own: Set<Path>
  /** Paths of which something tells only a part; the rest of the message must tell all. */
  readonly partial: Set<Path>
  /** `bills[].` inside an item of that list. */
  readonly prefix: string
  readonly nowMs: Now | undefined
}

const COUNT = /^count of (\S+) n(\d)$/
const LIST = /^(\S+?)(\?)? (\d+)\.\.(\d+) of (\S+)$/
const CONSTANT = /^is (\S+)$/
const VALUE = /^([\w.[\]]+)(\?)? (.+)$/

export function compileLayout(context: Context, name: string, at: string): Layout | undefined {
  const source = context.layouts.get(name)
  if (!source) {
    const names = [...context.layouts.keys()].join(', ')
    return context.check.wrong(at, `no layout is called "${name}"; there are ${names}`)
  }
  const slots = new Map<Path, number>()
  const parts: Part[] = []
  for (const item of source.items) {
    const line = context.check.text(item, `a line of ${name}`)
    const part = line && compileLine(context, line, slots)
    if (part) parts.push(part)
  }
  if (parts.length < source.items.length) return undefined
  checkOrder(context, parts, source)
  return makeLayout(name, parts)
}

/** Only the last part may be open, and one list is what a length can be understood with. */
function checkOrder({ check }: Context, parts: readonly Part[], source: ListTree): void {
  if (parts.length === 0) check.wrong(source.at, 'a layout needs at least one line')
  parts.forEach((part, index) => {
    const { at } = source.items[index] as TextTree
    if (part.width === undefined && index < parts.length - 1) {
      check.wrong(at, `"${part.name}" takes the rest, so it must be the last line`)
    }
  })
  const lists = source.items.filter((_, index) => parts[index]?.list)
  if (lists.length > 1) check.wrong((lists[1] as TextTree).at, 'a layout holds one list at most')
}

function compileLine(context: Context, line: TextTree, slots: Map<Path, number>): Part | undefined {
  const count = COUNT.exec(line.text)
  if (count) return compileCount(context, line, count, slots)
  const list = LIST.exec(line.text)
  if (list) return compileList(context, line, list, slots)
  const constant = CONSTANT.exec(line.text)
  if (constant) return constantPart(constant[1] as string)
  const value = VALUE.exec(line.text)
  if (value) return compileValue(context, line, value)
  const text = `"${line.text}" is not a line of a layout; write "customer.name? ans25", "is 000", "count of bills n1" or "bills 1..4 of bill"`
  return context.check.wrong(line.at, text)
}

function compileValue(
  context: Context,
  { at }: TextTree,
  [, relative, mark, text]: RegExpExecArray,
): Part | undefined {
  const path = pathOf(context, relative as string, at)
  if (!path) return undefined
  const format = parseFormat(text as string, DICTIONARY[path].kind, context.nowMs)
  if (typeof format === 'string') return context.check.wrong(at, format)
  return makeValue(context, path, relative as string, mark === '?', format)
}

/** A part that is one value; `relative` is '' when the whole element is just this value. */
export function makeValue(
  context: Context,
  path: Path,
  relative: string,
  optional: boolean,
  format: Format,
): Part {
  const { before, own, prefix, field } = context
  const again = before.has(path)
  if (format.partial) context.partial.add(path)
  else own.add(path)
  const writePath = relative === '' ? field : `${field}.${prefix}${relative}`
  return valuePart(format, ACCESS[path as keyof typeof ACCESS], {
    path,
    readName: relative,
    writePath,
    optional,
    again,
  })
}

function compileCount(
  context: Context,
  { at, text }: TextTree,
  [, relative, width]: RegExpExecArray,
  slots: Map<Path, number>,
): Part | undefined {
  const path = pathOf(context, relative as string, at)
  if (!path) return undefined
  if (!isList(path)) return context.check.wrong(at, `"${relative}" is not a list`)
  if (context.prefix !== '') return context.check.wrong(at, 'a list inside a list has no count')
  slots.set(path, slots.size)
  return countPart({ width: Number(width) }, ACCESS[path], {
    name: text.replace(/ n\d$/, ''),
    path,
    writePath: `${context.field}.${relative}`,
    slot: slots.size - 1,
  })
}

function compileList(
  context: Context,
  { at }: TextTree,
  match: RegExpExecArray,
  slots: ReadonlyMap<Path, number>,
): Part | undefined {
  const [, relative, mark, min, max, name] = match as unknown as [
    string,
    string,
    string?,
    string?,
    string?,
    string?,
  ]
  const path = pathOf(context, relative, at)
  if (!path) return undefined
  if (!isList(path)) return context.check.wrong(at, `"${relative}" is not a list`)
  if (context.prefix !== '') return context.check.wrong(at, 'a list inside a list is not possible')
  const layout = compileLayout({ ...context, prefix: `${relative}[].` }, name as string, at)
  if (!layout) return undefined
  if (layout.widthMax !== layout.fixedWidth || layout.fixedWidth === 0) {
    return context.check.wrong(at, `the items of a list need a fixed width, and "${name}" has none`)
  }
  context.own.add(path)
  return listPart(ACCESS[path], {
    name: relative,
    path,
    writePath: `${context.field}.${relative}`,
    optional: mark === '?',
    shape: { min: Number(min), max: Number(max), layout },
    slot: slots.get(path),
  })
}

type ListPath = 'bills' | 'token.unsold' | 'registration.components' | 'details'

function isList(path: Path): path is ListPath {
  return DICTIONARY[path].kind === 'list'
}

function pathOf({ check, prefix }: Context, relative: string, at: string): Path | undefined {
  const path = prefix + relative
  if (isPath(path) && path !== 'outcome') return path
  const near = Object.keys(DICTIONARY).filter(one => one.startsWith(prefix || path.slice(0, 3)))
  const hint = near.length > 0 ? `; there are ${near.join(', ')}` : ''
  return check.wrong(at, `"${path}" is not a path of the normalized message${hint}`)
}
