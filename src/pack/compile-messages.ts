import type { MessageKind, Path } from '#message'
import type { Check } from './check.ts'
import { isKind, KINDS, type CodeTable } from './codes.ts'
import { compileInside } from './compile-inside.ts'
import type { KindSpec } from './compile-kinds.ts'
import type { Context, LayoutSources } from './compile-layouts.ts'
import { compilePiece, type Frame, type Place } from './compile-piece.ts'
import type { Products } from './compile-sections.ts'
import { type Dialect, ELEMENT_MAX } from './dialect.ts'
import type { Now } from './format-times.ts'
import { piecesOf, type Element, type Plan, type Variant } from './plan.ts'
import type { MapEntry, MapTree, Tree } from './source.ts'
import { straightRead, type PlanFacts } from './straight/read.ts'
import { straightWrite } from './straight/write.ts'

/** What the compilation of messages needs from the sections compiled before it. */
export type Parts = {
  readonly check: Check
  readonly dialect: Dialect
  readonly layouts: LayoutSources
  readonly codes: CodeTable
  readonly products: Products
  readonly kinds: ReadonlyMap<MessageKind, KindSpec>
  /** Named groups of elements. */
  readonly sets: ReadonlyMap<string, MapTree>
  readonly nowMs: Now | undefined
}

/** Where one of those stands that decide how all others are read: `48.PI`, and as errors call it. */
export type Decider = { readonly path: string; readonly field: string }
export type Deciders = { product: Decider | undefined; outcome: Decider | undefined }

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
  const named = new Set(products.names)
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
    if (!map) return undefined
    const request = name === 'request'
    return compileVariant({ parts, kind, request, decides: decidesOf(check, deciders) }, map)
  }
  const [request, approved, declined] = [
    variant('request'),
    variant('approved'),
    variant('declined'),
  ]
  if (!request || !approved || !declined) return undefined
  const echoed = echoedBy(check, entry.at, request, [approved, declined])
  const facts = { kind, product, echoed }
  return {
    ...facts,
    mti,
    request: straightened(facts, request, 'request'),
    approved: straightened(facts, approved, 'response'),
    declined: straightened(facts, declined, 'response'),
  }
}

function straightened(
  facts: PlanFacts,
  variant: Variant,
  direction: 'request' | 'response',
): Variant {
  return {
    ...variant,
    straightRead: straightRead(facts, variant, direction),
    straightWrite: straightWrite(facts, variant),
  }
}

function decidesOf(check: Check, deciders: Deciders): Frame['decides'] {
  return (decider, place, at) => {
    const known = (deciders[decider] ??= place)
    if (known.path === place.path) return true
    check.wrong(at, `${decider} stands in element ${known.path} elsewhere`)
    return false
  }
}

/** Elements that an answer repeats; a request that never has one would leave nothing to repeat. */
function echoedBy(
  check: Check,
  at: string,
  request: Variant,
  answers: readonly Variant[],
): readonly number[] {
  const numbers = new Set<number>()
  for (const { number, path, optional } of answers.flatMap(({ elements }) => elements)) {
    if (path !== 'echo') continue
    const asked = request.byNumber[number]
    if (!asked || (asked.optional && !optional)) {
      check.wrong(at, `element ${number} is an echo, and the request may be without it`)
    }
    numbers.add(number)
  }
  return [...numbers]
}

function compileVariant(frame: Frame, map: MapTree): Variant | undefined {
  const { parts, request } = frame
  const specs = spread(parts, map, 0)
  const before = new Set<Path>()
  const partial = new Set<Path>()
  const elements: Element[] = []
  let complete = true
  for (const spec of [...specs.values()].sort((a, b) => a.number - b.number)) {
    const own = new Set<Path>()
    const element = compileElement(frame, spec, { before, own, partial })
    if (element) elements.push(element)
    else complete = false
    for (const path of own) before.add(path)
  }
  if (!complete) return undefined
  const says = (path: string) => piecesOf(elements).some(piece => piece.path === path)
  if (!request && !says('outcome')) return parts.check.wrong(map.at, 'no element says the outcome')
  for (const path of partial) {
    if (!before.has(path)) parts.check.wrong(map.at, `no element says the whole of ${path}`)
  }
  return makeVariant(elements, parts.dialect.numberMax)
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
  frame: Frame,
  { number, optional, at, value }: ElementSpec,
  paths: Pick<Context, 'before' | 'own' | 'partial'>,
): Element | undefined {
  const { check, dialect, layouts, nowMs } = frame.parts
  const spec = dialect.fields[number]
  if (!spec) return check.wrong(at, `element ${number} is not in the field table`)
  const field = `de${number}`
  const context: Context = { check, layouts, nowMs, field, prefix: '', ...paths }
  const place: Place = { path: `${number}`, optional, spec, context }
  const prefix = dialect.codec.prefixOf(number)
  if (value.tag === 'map') {
    const inside = compileInside(frame, place, value)
    return inside && { ...mapped(place), number, prefix: -1, inside, has: from => inside.has(from) }
  }
  const text = check.text(value, `element ${number}`)
  const piece = text && compilePiece(frame, place, text)
  return piece && { ...piece, number, prefix, inside: undefined }
}

/** An element that is read and written by its parts. */
function mapped({ context, optional }: Place) {
  const nothing = (): void => {}
  const { field } = context
  return { field, optional, layouts: [], path: 'parts', read: nothing, write: nothing }
}

function makeVariant(elements: readonly Element[], numberMax: number): Variant {
  const length = ELEMENT_MAX + 1
  const byNumber = Array.from({ length }, (): Element | undefined => undefined)
  const words = Array.from({ length: (numberMax + 31) >> 5 }, () => 0)
  const [allowed, required] = [[...words], [...words]]
  for (const element of elements) {
    const { number } = element
    byNumber[number] = element
    const word = (number - 1) >> 5
    const bit = 1 << (31 - ((number - 1) & 31))
    allowed[word] = (allowed[word] as number) | bit
    if (!element.optional) required[word] = (required[word] as number) | bit
  }
  const none = undefined
  return { elements, byNumber, allowed, required, straightRead: none, straightWrite: none }
}
