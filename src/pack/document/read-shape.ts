import { NadiError, type ErrorCode } from '#base'
import type { Target } from '../access.ts'
import { opened } from './inside.ts'
import { childOf, type DocNode, wrongAt } from './node.ts'
import {
  isShape,
  type Context,
  type InsidePart,
  type LeafPart,
  type ListPart,
  type Part,
  type Shape,
  type Value,
} from './value.ts'

/**
 * Takes from a document what the shape names, into the message. Throws PACK_MISSING_FIELD,
 * PACK_UNKNOWN_FIELD or PACK_FORMAT with the path and where it stands; the value itself is not told.
 */
export function readShape(shape: Shape, node: DocNode, into: Target, context: Context): void {
  readParts(shape, node, into, context)
  for (const { part, node: late, into: target, index } of context.later) {
    context.index = index
    readScalar(part.value, part.path, late, target, context)
  }
}

function readParts(shape: Shape, node: DocNode, into: Target, context: Context): void {
  const { parts } = shape
  for (let i = 0; i < parts.length; i++) readPart(parts[i] as Part, i, node, into, context)
  if (shape.unknown === 'refused') {
    for (const [index, name] of node.names.entries()) {
      if (shape.names.has(name)) continue
      throw wrong(context, 'PACK_UNKNOWN_FIELD', 'body', node.items[index])
    }
  }
}

function readPart(part: Part, hint: number, node: DocNode, into: Target, context: Context): void {
  if (part.tag === 'list') return readList(part, node, into, context)
  const child = part.name === '#' ? node : childOf(node, part.name, hint)
  if (part.tag === 'leaf') {
    if (child && node.tag === 'element') onlyOnce(part, node, context)
    return readLeaf(part, child, into, context)
  }
  if (!child || isNothing(child)) return missing(part, child ?? node, context)
  if (part.tag === 'inside') return readInside(part, child, into, context)
  if (child.tag !== 'map' && child.tag !== 'element') {
    throw wrong(context, 'PACK_FORMAT', part.path, child, 'an object')
  }
  readParts(part.shape, child, into, context)
}

/**
 * A code that stands twice means one thing to us, and another to whoever reads the other one. Of
 * elements that hold others the first is read.
 */
function onlyOnce({ name, path }: LeafPart, { names, items }: DocNode, context: Context): void {
  const last = names.lastIndexOf(name)
  if (names.indexOf(name) === last) return
  throw wrong(context, 'PACK_FORMAT', path, items[last], 'it once')
}

/** PHP writes an object without fields as `[]`, and XML as an empty element. */
function isNothing({ tag, text, items }: DocNode): boolean {
  if (tag === 'null') return true
  return items.length === 0 && (tag === 'list' || (tag !== 'map' && text.trim() === ''))
}

function missing({ optional, path }: Part, near: DocNode, context: Context): void {
  if (!optional) throw wrong(context, 'PACK_MISSING_FIELD', path, near)
}

function readLeaf(part: LeafPart, node: DocNode | undefined, into: Target, context: Context): void {
  const { value } = part
  if (part.when?.(context) === false) return
  if (!node || node.tag === 'null') {
    if (part.optional || (node && value.blank)) return
    throw wrong(context, 'PACK_MISSING_FIELD', part.path, node)
  }
  if (value.blank && isBlank(node.text) && node.items.length === 0) return
  if (value.derived) {
    context.later.push({ part, node, into, index: context.index })
  } else readScalar(value, part.path, node, into, context)
}

function readScalar(
  value: Value,
  path: string,
  node: DocNode,
  into: Target,
  context: Context,
): void {
  if (!isOf(value, node)) {
    throw wrong(context, 'PACK_FORMAT', path, node, `a ${value.notation.json}`)
  }
  if (!value.read(node.text, into, context)) {
    throw wrong(context, 'PACK_FORMAT', path, node, value.expected)
  }
}

/** Only JSON says what kind of scalar it is. A number in quotes is one only where the pack says so. */
function isOf({ notation }: Value, { tag, names }: DocNode): boolean {
  switch (tag) {
    case 'plain':
      return true
    case 'text':
      return notation.json === 'string' || notation.loose
    case 'number':
    case 'boolean':
      return notation.json === tag || notation.loose
    case 'element':
      return names.every(name => name.startsWith('@'))
    case 'null':
    case 'map':
    case 'list':
      return false
  }
}

function readList(part: ListPart, node: DocNode, into: Target, context: Context): void {
  const nodes = itemsOf(part, node, context)
  if (!nodes) return missing(part, node, context)
  if (nodes.length < part.min || nodes.length > part.max) {
    const expected = `${part.min} to ${part.max} of them`
    throw wrong(context, 'PACK_FORMAT', part.path, nodes[0] ?? node, expected)
  }
  const items: Target[] = []
  // The list is in place before what is derived from it is read.
  part.list.set(into, items)
  for (const [index, one] of nodes.entries()) {
    const item = part.list.empty()
    context.index = index
    items.push(item)
    if (!isShape(part.item)) readScalar(part.item, part.path, one, item, context)
    else if (one.tag === 'map' || one.tag === 'element') readParts(part.item, one, item, context)
    else throw wrong(context, 'PACK_FORMAT', part.path, one, 'an object')
  }
}

/** Of XML all children of that name; elsewhere what is in the array. */
function itemsOf(part: ListPart, node: DocNode, context: Context): readonly DocNode[] | undefined {
  if (node.tag === 'element') {
    const found = node.items.filter((_, index) => node.names[index] === part.name)
    return found.length === 0 && part.optional ? undefined : found
  }
  const child = childOf(node, part.name, -1)
  if (!child || child.tag === 'null') return undefined
  if (child.tag === 'list') return child.items
  throw wrong(context, 'PACK_FORMAT', part.path, child, 'a list')
}

/** Opened before, but in a list (inside.ts); offsets in it are of a text that is nowhere in the frame. */
function readInside(part: InsidePart, node: DocNode, into: Target, context: Context): void {
  const { source } = context
  context.source = undefined
  readParts(part.shape, opened(part, node), into, context)
  context.source = source
}

function wrong(
  { source, index }: Context,
  code: ErrorCode,
  path: string,
  node: DocNode | undefined,
  expected?: string,
): NadiError {
  const detail = {
    path: path.replace('[]', `[${index}]`),
    ...(expected !== undefined && { expected }),
  }
  return source && node ? wrongAt(source, code, node.at, detail) : new NadiError(code, detail)
}

function isBlank(text: string): boolean {
  return text === '' || (text.charCodeAt(0) <= 0x20 && text.trim() === '')
}
