import type { MessageKind } from '#message'
import type { Check } from '../check.ts'
import { isKind, KINDS } from '../codes.ts'
import type { MapEntry, MapTree, TextTree, Tree } from '../source.ts'
import { compileCall, compileHeaders, type Call } from './call.ts'
import { compileShape, type ShapeScope } from './compile-shape.ts'
import { CONTENT_KINDS, type Content, type ContentKind } from './contents.ts'
import { marksOf, rootMarks, type DocPlan } from './plan.ts'
import type { Products } from './products.ts'
import type { Shape } from './value.ts'

/** What the compilation of messages needs from the sections compiled before it. */
export type PlanScope = {
  readonly check: Check
  readonly shapes: ShapeScope
  readonly products: Products
  readonly content: ContentKind
  /** Of answers, where they are something else than requests. */
  readonly answers: ContentKind | undefined
  readonly contentOf: (kind: ContentKind) => Content
  /** Of the whole pack; a message may have its own. */
  readonly call: TextTree | undefined
  readonly headers: MapTree | undefined
}

const MESSAGE_KEYS = [
  'call',
  'content',
  'answers',
  'headers',
  'service',
  'request',
  'approved',
  'declined',
  'unknown',
]

/** A callback is no request of ours, and what it is answered is the same for all. */
const OF_REQUESTS = ['request', 'answers']

/**
 * `groups:` and `messages:`: for each group of products (or a product alone), for each kind, how it
 * is asked and how it is answered. What stands above a group's messages holds for all of them.
 *
 *     groups:
 *       prepaid: [pulsa-xl, pln-prepaid]
 *     messages:
 *       prepaid:
 *         payment:
 *           call: POST /v1/transaction
 *           content: form
 *           answers: json                      as the requests where it is missing
 *           request: topup                     a body, or the name of one
 *           approved: delivered
 *           declined: failed
 *           unknown: pending                   declined where it is missing
 *         status: as payment                   the same request, sent again
 *         payment callback: { … }              what they tell later about a payment
 */
export function compilePlans(
  scope: PlanScope,
  messages: MapTree,
  groups: MapEntry | undefined,
): DocPlan[] {
  const { check, products } = scope
  const members = compileGroups(scope, groups)
  const plans: DocPlan[] = []
  const seen = new Set<string>()
  for (const [name, entry] of messages.entries) {
    const own = members.get(name) ?? (products.names.includes(name) ? [name] : undefined)
    if (!own) {
      const known = [...members.keys(), ...products.names].join(', ')
      check.wrong(entry.at, `"${name}" is neither a group nor a product; there are ${known}`)
      continue
    }
    for (const product of own) {
      if (seen.has(product)) check.wrong(entry.at, `"${product}" has messages twice`)
      seen.add(product)
    }
    const kinds = check.map(entry.value, name)
    if (kinds) plans.push(...compileGroup(scope, kinds, new Set(own)))
  }
  for (const product of products.names) {
    if (!seen.has(product)) check.wrong(messages.at, `"${product}" has no messages`)
  }
  return plans
}

function compileGroups(
  { check, products }: PlanScope,
  entry: MapEntry | undefined,
): Map<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>()
  const map = entry && check.map(entry.value, 'groups')
  for (const [name, { value }] of map?.entries ?? []) {
    const list = check.list(value, name)
    const members: string[] = []
    for (const item of list?.items ?? []) {
      const text = check.text(item, 'a product')?.text
      if (text === undefined) continue
      if (products.names.includes(text)) members.push(text)
      else {
        const known = products.names.join(', ')
        check.wrong(item.at, `"${text}" is not a product; there are ${known}`)
      }
    }
    groups.set(name, members)
  }
  return groups
}

type Draft = { readonly key: string; readonly at: string; readonly value: Tree }

function compileGroup(scope: PlanScope, kinds: MapTree, products: ReadonlySet<string>): DocPlan[] {
  const drafts: Draft[] = [...kinds.entries].map(([key, { at, value }]) => ({ key, at, value }))
  const plans = new Map<MessageKind, DocPlan>()
  const callbacks: DocPlan[] = []
  // Those that refer to another kind come after all others.
  const later = (draft: Draft) => (draft.value.tag === 'text' ? 1 : 0)
  for (const draft of [...drafts].sort((a, b) => later(a) - later(b))) {
    const plan = compileDraft(scope, draft, products, plans)
    if (!plan) continue
    if (plan.callback) callbacks.push(plan)
    else plans.set(plan.kind, plan)
  }
  return [...plans.values(), ...callbacks]
}

function compileDraft(
  scope: PlanScope,
  { key, at, value }: Draft,
  products: ReadonlySet<string>,
  plans: ReadonlyMap<MessageKind, DocPlan>,
): DocPlan | undefined {
  const { check } = scope
  const [kind, suffix, ...more] = key.split(' ')
  const callback = suffix === 'callback'
  if (!isKind(kind) || more.length > 0 || (suffix !== undefined && !callback)) {
    const known = KINDS.join(', ')
    return check.wrong(
      at,
      `"${key}" is not a kind of message; there are ${known}, each also "KIND callback"`,
    )
  }
  if (value.tag === 'text') {
    const other = /^as (\S+)$/.exec(value.text)?.[1]
    const same = isKind(other) ? plans.get(other) : undefined
    if (same) return { ...same, kind, shared: true }
    return check.wrong(
      value.at,
      `"${value.text}" must read "as KIND", and name one that stands here`,
    )
  }
  const map = check.map(value, key)
  return map && compilePlan(scope, map, kind, callback, products)
}

function compilePlan(
  scope: PlanScope,
  map: MapTree,
  kind: MessageKind,
  callback: boolean,
  products: ReadonlySet<string>,
): DocPlan | undefined {
  const { check } = scope
  check.only(map, callback ? MESSAGE_KEYS.filter(key => !OF_REQUESTS.includes(key)) : MESSAGE_KEYS)
  const body = (name: string): Shape | undefined => {
    const entry = check.need(map, name)
    return entry && compileBody(scope.shapes, entry.value, name)
  }
  const called = compileOwnCall(scope, map)
  const content = compileContent(scope, map, 'content') ?? scope.contentOf(scope.content)
  const answer = callback ? content : answerContent(scope, map, content)
  const request = callback ? undefined : body('request')
  const [approved, declined] = [body('approved'), body('declined')]
  const unknown = map.entries.has('unknown') ? body('unknown') : declined
  const service = map.entries.get('service')
  const digits = service && check.text(service.value, 'service')
  if (!called || !approved || !declined || !unknown) return undefined
  if (!callback && !request) return undefined
  const shape = request ?? declined
  return {
    kind,
    callback,
    products,
    ...called,
    content,
    answer,
    headers: compileOwnHeaders(scope, map),
    service: digits?.text ?? '',
    request,
    approved,
    declined,
    unknown,
    shared: false,
    ...allMarks(content, shape, callback),
  }
}

/** A callback is told by its product alone: it may be of any outcome. */
function allMarks({ kind }: Content, shape: Shape, callback: boolean) {
  const { marks, product } = marksOf(shape)
  if (callback) return { marks: [], product }
  const named = kind === 'xml' || kind.startsWith('soap')
  return { marks: named ? [...rootMarks(shape), ...marks] : marks, product }
}

function compileBody(shapes: ShapeScope, tree: Tree, what: string): Shape | undefined {
  const { check, bodies } = shapes
  if (tree.tag !== 'text') {
    const map = check.map(tree, what)
    return map && compileShape(shapes, map)
  }
  const named = bodies?.entries.get(tree.text)
  if (!named) {
    const known = [...(bodies?.entries.keys() ?? [])].join(', ')
    return check.wrong(tree.at, `no body is called "${tree.text}"; there are ${known || 'none'}`)
  }
  const map = check.map(named.value, tree.text)
  return map && compileShape(shapes, map)
}

function compileOwnCall(
  { check, shapes, call }: PlanScope,
  map: MapTree,
): { call: Call; callTarget: string } | undefined {
  const own = map.entries.get('call')
  const line = own ? check.text(own.value, 'call') : call
  if (!line) return own ? undefined : check.wrong(map.at, '"call" is missing, here and in the pack')
  const compiled = compileCall(shapes, line)
  return compiled && { call: compiled, callTarget: line.text.replace(/^\S+ /, '') }
}

function compileContent(
  scope: PlanScope,
  map: MapTree,
  key: 'content' | 'answers',
): Content | undefined {
  const entry = map.entries.get(key)
  const kind = entry && scope.check.oneOf(entry.value, key, CONTENT_KINDS)
  return kind && scope.contentOf(kind)
}

/** A message of another content than the pack is answered in its own, unless it says otherwise. */
function answerContent(scope: PlanScope, map: MapTree, content: Content): Content {
  const own = compileContent(scope, map, 'answers')
  if (own || map.entries.has('content') || !scope.answers) return own ?? content
  return scope.contentOf(scope.answers)
}

function compileOwnHeaders({ check, shapes, headers }: PlanScope, map: MapTree) {
  const entry = map.entries.get('headers')
  const own = entry && check.map(entry.value, 'headers')
  const all = new Map(
    [...compileHeaders(shapes, headers), ...compileHeaders(shapes, own)].map(one => [
      one.name,
      one,
    ]),
  )
  return [...all.values()]
}
