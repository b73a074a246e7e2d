import type { FieldSpec } from '#iso8583'
import { DICTIONARY, isPath, type Message, type MessageKind, type Path } from '#message'
import { ACCESS } from './access.ts'
import type { Check } from './check.ts'
import { isKind, KINDS, type CodeTable } from './codes.ts'
import { compileLayout, makeValue, type Context, type LayoutSources } from './compile-layouts.ts'
import { charactersOf, type Dialect, ELEMENT_MAX, formatOf } from './dialect.ts'
import type { Format } from './format-basics.ts'
import { parseFormat } from './format.ts'
import { canWriteLayout, readLayout, saysLayout, writeLayout, type Layout } from './layout.ts'
import type { Element, Mtis, Plan, Variant } from './plan.ts'
import type { MapEntry, MapTree, TextTree, Tree } from './source.ts'

/** What the compilation of messages needs from the sections compiled before it. */
export type Parts = {
  readonly check: Check
  readonly dialect: Dialect
  readonly layouts: LayoutSources
  readonly codes: CodeTable
  /** Product by its code on the wire. */
  readonly products: ReadonlyMap<string, string>
  readonly kinds: ReadonlyMap<MessageKind, KindSpec>
  /** Named groups of elements. */
  readonly sets: ReadonlyMap<string, MapTree>
}

export type KindSpec = Mtis & {
  /** The element and value that tell it from other kinds with the same types. */
  readonly mark: { readonly field: number; readonly value: string } | undefined
}

/** The elements that decide how all others are read. */
export type Deciders = { product: number | undefined; outcome: number | undefined }

/**
 * `messages:` of a pack: for each product (or `network`), for each kind, three variants.
 *
 *     messages:
 *       pln-postpaid:
 *         inquiry:
 *           request:  { head, 48: postpaid-asked }
 *           approved: { answer, 4: amountMinor rupiah 360+e0+n12, 48: postpaid-told }
 *           declined: { failed, 48?: postpaid-asked }
 */
export function compileMessages(
  parts: Parts,
  messages: MapTree,
): { plans: Plan[]; deciders: Deciders } {
  const { check, products } = parts
  const deciders: Deciders = { product: undefined, outcome: undefined }
  const plans: Plan[] = []
  const named = new Set(products.values())
  for (const [name, entry] of messages.entries) {
    if (name !== 'network' && !named.has(name)) {
      check.wrong(
        entry.at,
        `"${name}" is not a product; there are network, ${[...named].join(', ')}`,
      )
      continue
    }
    const kinds = check.map(entry.value, name)
    for (const [key, kindEntry] of kinds?.entries ?? []) {
      for (const kind of key.split(/\s+/)) {
        const product = name === 'network' ? undefined : name
        const plan = compilePlan(parts, deciders, product, kind, kindEntry)
        if (plan) plans.push(plan)
      }
    }
  }
  for (const product of named) {
    if (!messages.entries.has(product)) check.wrong(messages.at, `"${product}" has no messages`)
  }
  return { plans, deciders }
}

function compilePlan(
  parts: Parts,
  deciders: Deciders,
  product: string | undefined,
  kind: string,
  entry: MapEntry,
): Plan | undefined {
  const { check, kinds } = parts
  if (!isKind(kind)) {
    return check.wrong(
      entry.at,
      `"${kind}" is not a kind of message; there are ${KINDS.join(', ')}`,
    )
  }
  const mti = kinds.get(kind)
  if (!mti) return check.wrong(entry.at, `"${kind}" has no message type; add it to kinds`)
  const variants = check.map(entry.value, kind)
  if (!variants) return undefined
  check.only(variants, ['request', 'approved', 'declined'])
  const variant = (name: string) => {
    const found = check.need(variants, name)
    const map = found && check.map(found.value, name)
    return map && compileVariant(parts, deciders, kind, name === 'request', map)
  }
  const [request, approved, declined] = [
    variant('request'),
    variant('approved'),
    variant('declined'),
  ]
  if (!request || !approved || !declined) return undefined
  return { kind, product, mti, request, approved, declined }
}

function compileVariant(
  parts: Parts,
  deciders: Deciders,
  kind: MessageKind,
  request: boolean,
  map: MapTree,
): Variant | undefined {
  const specs = spread(parts, map, 0)
  const before = new Set<Path>()
  const elements: Element[] = []
  let complete = true
  for (const spec of [...specs.values()].sort((a, b) => a.number - b.number)) {
    const own = new Set<Path>()
    const element = compileElement(parts, deciders, kind, spec, { before, own })
    if (element) elements.push(element)
    else complete = false
    for (const path of own) before.add(path)
  }
  if (!complete) return undefined
  const says = (path: string) => elements.some(element => element.path === path)
  if (!request && !says('outcome')) return parts.check.wrong(map.at, 'no element says the outcome')
  return makeVariant(elements)
}

type ElementSpec = { number: number; optional: boolean; at: string; value: Tree }

/** The elements of a map with those of the sets it names; its own come after and win. */
function spread(parts: Parts, map: MapTree, depth: number): Map<number, ElementSpec> {
  const { check, sets } = parts
  const specs = new Map<number, ElementSpec>()
  const own: ElementSpec[] = []
  for (const [key, { at, value }] of map.entries) {
    const match = /^(\d{1,3})(\?)?$/.exec(key)
    if (match) own.push({ number: Number(match[1]), optional: match[2] === '?', at, value })
    else if (value.tag !== 'nothing') check.wrong(at, `"${key}" is neither an element nor a set`)
    else if (!sets.has(key)) {
      check.wrong(at, `no set is called "${key}"; there are ${[...sets.keys()].join(', ')}`)
    } else if (depth > 4) check.wrong(at, 'sets within sets within sets')
    else {
      const inner = spread(parts, sets.get(key) as MapTree, depth + 1)
      for (const [number, spec] of inner) specs.set(number, spec)
    }
  }
  for (const spec of own) specs.set(spec.number, spec)
  return specs
}

function compileElement(
  parts: Parts,
  deciders: Deciders,
  kind: MessageKind,
  spec: ElementSpec,
  paths: { before: ReadonlySet<Path>; own: Set<Path> },
): Element | undefined {
  const { check, dialect, layouts } = parts
  const { number } = spec
  const field = dialect.fields[number]
  if (!field) return check.wrong(spec.at, `element ${spec.number} is not in the field table`)
  const text = check.text(spec.value, `element ${spec.number}`)
  if (!text) return undefined
  const name = `de${number}`
  const context: Context = { check, layouts, field: name, prefix: '', ...paths }
  const prefix = dialect.codec.prefixOf(number)
  const element = { number, field: name, prefix, optional: spec.optional }
  const base: Base = { element, spec: field }
  const [first, ...more] = text.text.split(' ') as [string, ...string[]]
  if (text.text === 'product' || text.text === 'outcome') {
    const decider = text.text
    if ((deciders[decider] ??= spec.number) !== spec.number) {
      const text = `${decider} stands in element ${deciders[decider]} elsewhere`
      return check.wrong(spec.at, text)
    }
    return decider === 'product' ? productElement(parts, base) : outcomeElement(parts, base, kind)
  }
  if (text.text === 'kind') return markElement(parts, base, kind, spec.at)
  const path = first.replace(/\?$/, '')
  if (isPath(path)) {
    const blank = first.endsWith('?')
    return valueElement(context, base, { path, blank, format: more.join(' ') }, text)
  }
  return layoutElement(context, base, text)
}

type Base = {
  readonly element: Pick<Element, 'number' | 'field' | 'prefix' | 'optional'>
  readonly spec: FieldSpec
}

function valueElement(
  context: Context,
  base: Base,
  { path, blank, format: text }: { path: Path; blank: boolean; format: string },
  { at }: TextTree,
): Element | undefined {
  const { spec } = base
  const format = parseFormat(text === '' ? formatOf(spec) : text, DICTIONARY[path].kind)
  if (typeof format === 'string') return context.check.wrong(at, format)
  if (!widthFits(spec, format.width, format.width)) {
    return context.check.wrong(
      at,
      `"${text}" does not fit element ${spec.id}, which has ${charactersOf(spec)}`,
    )
  }
  if (path === 'outcome') return context.check.wrong(at, 'an outcome takes no format')
  const access = ACCESS[path]
  const part = makeValue(context, path, '', blank, format)
  return {
    ...base.element,
    layouts: [],
    path,
    normalise: format.normalise,
    text: wholeText(spec, blank, format, text, from => access.get(from) as string | undefined),
    read(cursor, into) {
      part.read(cursor, into)
      if (cursor.at !== cursor.end) throw cursor.wrong('PACK_FORMAT', '', cursor.at, 'the end')
    },
    write: (writer, from) => part.write(writer, from),
    has: from => access.get(from) !== undefined,
  }
}

/** Where the field's own class is that of the format, the codec's check is enough. */
function wholeText(
  { content }: FieldSpec,
  blank: boolean,
  { normalise }: Format,
  text: string,
  get: (from: Message) => string | undefined,
): Element['text'] {
  const sameClass = text === '' || (/^[a-z]+/.exec(text)?.[0] ?? 'n') === content
  if (blank || !normalise || !sameClass) return undefined
  return from => {
    const value = get(from)
    return value === undefined ? undefined : normalise(value)
  }
}

function widthFits(field: FieldSpec, min: number | undefined, max: number | undefined): boolean {
  const { length, pad } = field
  const size = charactersOf(field)
  if (pad?.trim) return (min ?? 0) <= size && (max ?? 0) <= size
  if (length.form === 'fixed') return min === size && max === size
  return (min ?? 0) <= size && (max ?? 0) <= size
}

/** One layout, or several of which the length says which one it is: `bought or asked`. */
function layoutElement(context: Context, base: Base, { text, at }: TextTree): Element | undefined {
  const { spec } = base
  const layouts: Layout[] = []
  for (const name of text.split(' or ')) {
    const layout = compileLayout(context, name, at)
    if (!layout) return undefined
    if (!widthFits(spec, layout.fixedWidth, layout.widthMax)) {
      const width = layout.widthMax ?? layout.fixedWidth
      return context.check.wrong(
        at,
        `layout "${name}" has ${width} characters, and element ${spec.id} has ${charactersOf(spec)}`,
      )
    }
    layouts.push(layout)
  }
  const first = layouts[0] as Layout
  const single = layouts.length === 1
  const names = layouts.map(({ name, fixedWidth }) => `${name} (${fixedWidth})`).join(' or ')
  const writable = (from: Message) => layouts.find(layout => canWriteLayout(layout, from))
  return {
    ...base.element,
    layouts,
    path: text,
    read(cursor, into) {
      const length = cursor.end - cursor.at
      const layout = single ? first : layouts.find(one => one.fits(length))
      if (!layout) throw cursor.wrong('PACK_FORMAT', '', cursor.at, names, `${length} characters`)
      readLayout(layout, cursor, into)
    },
    write(writer, from) {
      writeLayout(single ? first : (writable(from) ?? first), writer, from)
    },
    has(from) {
      const layout = writable(from)
      return layout !== undefined && saysLayout(layout, from)
    },
  }
}

/** Read before all else, so reading it again does nothing. */
function productElement({ products }: Parts, base: Base): Element {
  const codes = new Map([...products].map(([code, product]) => [product, code]))
  return {
    ...base.element,
    layouts: [],
    path: 'product',
    read() {},
    text: ({ product }) => codes.get(product as string),
    write: () => {},
    has: () => true,
  }
}

function outcomeElement({ codes }: Parts, base: Base, kind: MessageKind): Element {
  return {
    ...base.element,
    layouts: [],
    path: 'outcome',
    read() {},
    text: ({ outcome }) => outcome && codes.codeFor(kind, outcome),
    write: () => {},
    has: () => true,
  }
}

/** The element that tells kinds of the same message type apart. */
function markElement(
  { check, kinds }: Parts,
  base: Base,
  kind: MessageKind,
  at: string,
): Element | undefined {
  const mark = kinds.get(kind)?.mark
  const { number } = base.element
  if (mark?.field !== number) {
    return check.wrong(at, `kinds does not say which value of element ${number} is ${kind}`)
  }
  const { value } = mark
  return {
    ...base.element,
    layouts: [],
    path: 'kind',
    read() {},
    text: () => value,
    write: () => {},
    has: () => true,
  }
}

function makeVariant(elements: readonly Element[]): Variant {
  const length = ELEMENT_MAX + 1
  const byNumber = Array.from({ length }, (): Element | undefined => undefined)
  const allowed = [0, 0, 0, 0, 0, 0]
  const required = [0, 0, 0, 0, 0, 0]
  for (const element of elements) {
    const { number } = element
    byNumber[number] = element
    const word = (number - 1) >> 5
    const bit = 1 << (31 - ((number - 1) & 31))
    allowed[word] = (allowed[word] as number) | bit
    if (!element.optional) required[word] = (required[word] as number) | bit
  }
  return { elements, byNumber, allowed, required }
}
