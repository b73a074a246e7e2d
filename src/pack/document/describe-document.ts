import { formatMoney, isNadiError, type AmountMinor } from '#base'
import { isHttpResponse, readHttpRequest, readHttpResponse } from '#http'
import { DICTIONARY, maskValue, type Mask, type Path } from '#message'
import type { DescribedField } from '../pack.ts'
import { fillMarks } from './credentials.ts'
import type { Content, Parsed } from './contents.ts'
import type { DocNode } from './node.ts'
import { parseBody, type DocParts, type Speaker } from './parts.ts'
import { Context, type LeafPart, type Shape } from './value.ts'
import { leavesOf } from './write-shape.ts'

type Known = { readonly name: string; readonly mask: Mask | undefined; readonly leaf: LeafPart }

/** What every field of the dialect's documents is, by its path; made once. */
export type FieldIndex = ReadonlyMap<string, Known>

/** Headers that say nothing that anyone must not see; all others are masked. */
const PLAIN_HEADERS = new Set([
  'content-type',
  'content-length',
  'accept',
  'date',
  'user-agent',
  'soapaction',
  'x-timestamp',
  'webhook-id',
  'webhook-timestamp',
])

export function indexFields({ plans }: DocParts): FieldIndex {
  const index = new Map<string, Known>()
  for (const plan of plans) {
    for (const shape of [plan.request, plan.approved, plan.declined, plan.unknown]) {
      if (shape) addFields(index, shape)
    }
  }
  return index
}

function addFields(index: Map<string, Known>, shape: Shape): void {
  for (const leaf of leavesOf(shape)) {
    const { value, path } = leaf
    const entry = value.path && DICTIONARY[value.path]
    const hidden = value.credential !== undefined || value.proof !== undefined
    const mask = hidden ? 'hidden' : entry && 'mask' in entry ? entry.mask : undefined
    const name = value.credential ?? entry?.text ?? ''
    // The same place can mean two things in two messages; then the one that hides more holds.
    const before = index.get(path)
    if (!before || (before.mask === undefined && mask !== undefined)) {
      index.set(path, { name, mask, leaf })
    }
  }
}

/**
 * A frame for people, one line a value. Without knowing which request an answer belongs to, a field
 * is known by its place. What the pack does not know is hidden: it may be anyone's name.
 */
export function describeDocument(
  speaker: Speaker,
  index: FieldIndex,
  frame: Uint8Array,
  unsafe: boolean,
): DescribedField[] {
  const out: DescribedField[] = []
  try {
    const response = isHttpResponse(frame)
    const { headers, body } = response ? readHttpResponse(frame) : readHttpRequest(frame)
    const start = response ? `${readHttpResponse(frame).status}` : startOf(frame)
    out.push({
      path: 'http',
      name: response ? 'status' : 'request',
      offset: 0,
      length: start.length,
      value: start,
    })
    for (const [name, value] of Object.entries(headers)) {
      const shown = unsafe || PLAIN_HEADERS.has(name) ? value : maskValue('hidden', value)
      out.push({
        path: `headers.${name}`,
        name: 'header',
        offset: 0,
        length: value.length,
        value: shown,
      })
    }
    const base = frame.length - body.length
    const unsealed = fillMarks(body, () => SEALED)
    const found = parse(speaker, unsealed, headers, base)
    if (found) walk({ speaker, index, unsafe, out, base }, rootOf(speaker, found), '')
  } catch (error) {
    if (!isNadiError(error)) throw error
  }
  return out
}

/** What stands where a secret is put in when the frame is sealed. */
const SEALED = 'sealed'

/** The method and the path; a query may hold anything. */
function startOf(frame: Uint8Array): string {
  const { method, target } = readHttpRequest(frame)
  return `${method} ${target.split('?', 1)[0] ?? ''}`
}

type Found = { readonly content: Content; readonly parsed: Parsed }

function parse(
  speaker: Speaker,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
  base: number,
): Found | undefined {
  for (const content of new Set(
    speaker.parts.plans.flatMap(({ content, answer }) => [content, answer]),
  )) {
    if (body.length === 0 || !content.accepts(headers['content-type'], body)) continue
    try {
      return { content, parsed: parseBody(speaker, content, body, headers, base) }
    } catch (error) {
      if (!isNadiError(error)) throw error
    }
  }
  return undefined
}

/** Positional values get their names from a body that has as many. */
function rootOf({ parts }: Speaker, { content, parsed }: Found): DocNode {
  const count = parsed.rpc?.params[0]?.items.length ?? parsed.rpc?.params.length
  const shapes = parts.plans.flatMap(plan => {
    const answers = [plan.approved, plan.declined]
    return parsed.rpc?.method === undefined ? answers : plan.request ? [plan.request] : []
  })
  const offset = parsed.rpc?.method === undefined ? 0 : 1
  if (parsed.rpc) {
    const shape = shapes.find(one => one.parts.length - offset === count) ?? shapes[0]
    return shape ? content.rootFor(parsed, shape) : parsed.root
  }
  const requests = parts.plans.flatMap(plan => plan.request ?? [])
  // Each opens the documents inside that it knows of.
  for (const shape of [...shapes, ...requests]) content.rootFor(parsed, shape)
  return parsed.root
}

type Walk = {
  readonly speaker: Speaker
  readonly index: FieldIndex
  readonly unsafe: boolean
  readonly out: DescribedField[]
  readonly base: number
}

function walk(scope: Walk, node: DocNode, path: string, shown = path): void {
  if (node.tag === 'list') {
    for (const [at, item] of node.items.entries()) walk(scope, item, `${path}[]`, `${shown}[${at}]`)
    return
  }
  const counts = new Map<string, number>()
  for (const [at, name] of node.names.entries()) {
    const child = node.items[at] as DocNode
    const inner = path === '' ? name : `${path}.${name}`
    const told = shown === '' ? name : `${shown}.${name}`
    const nth = counts.get(name) ?? 0
    counts.set(name, nth + 1)
    // Elements that come again are a list, if the pack has one there.
    const isList =
      node.tag === 'element' && [...scope.index.keys()].some(key => key.startsWith(`${inner}[]`))
    walk(scope, child, isList ? `${inner}[]` : inner, isList ? `${told}[${nth}]` : told)
  }
  if (node.tag !== 'map' && (node.items.length === 0 || node.text.trim() !== '')) {
    line(scope, node, path, shown)
  }
}

function line(
  { speaker, index, unsafe, out, base }: Walk,
  node: DocNode,
  path: string,
  shown: string,
) {
  const known = index.get(path)
  const mask = known
    ? known.mask
    : node.tag === 'boolean' || node.tag === 'null'
      ? undefined
      : 'hidden'
  const value = mask && !unsafe ? maskValue(mask, node.text) : node.text
  const meaning = known && mask === undefined ? meaningOf(speaker, known, node) : undefined
  const field = {
    path: shown,
    name: known?.name ?? 'not in the pack',
    offset: base + node.at,
    length: Buffer.byteLength(node.text),
    value,
  }
  out.push(meaning === undefined ? field : { ...field, meaning })
}

function meaningOf({ parts, book }: Speaker, { leaf }: Known, node: DocNode): string | undefined {
  const path: Path | undefined = leaf.value.path
  if (path === 'product') return parts.products.soldBy(node.text)?.product
  if (path === undefined || path === 'outcome' || DICTIONARY[path].kind !== 'money')
    return undefined
  const into: Record<string, unknown> = {}
  const { products, codes } = parts
  const context = new Context('payment', into as never, { products, codes, credentials: book })
  if (leaf.value.derived || !leaf.value.read(node.text, into, context)) return undefined
  const amount = Object.values(into).find(one => typeof one === 'bigint')
  return amount === undefined ? undefined : formatMoney(amount as AmountMinor)
}
