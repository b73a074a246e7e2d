import type { Target } from '../access.ts'
import { JsonBytes } from './json-bytes.ts'
import { isShape, type Context, type ListPart, type Part, type Shape, type Value } from './value.ts'
import { itemsToWrite, says, textOf } from './write-shape.ts'

const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const NULL = 'null'

/** One is enough but for a document inside of a document. */
const SPARE: JsonBytes[] = []

/**
 * A body as JSON in UTF-8, without white space, keys in the order of the pack. The bytes are good
 * until the next body is written.
 */
export function writeJson(shape: Shape, from: Target, context: Context): Uint8Array {
  const out = SPARE.pop() ?? new JsonBytes()
  out.clear()
  writeObject(shape, from, context, out)
  SPARE.push(out)
  return out.written
}

function writeObject(shape: Shape, from: Target, context: Context, out: JsonBytes): void {
  const { parts } = shape
  let first = true
  out.byte(OPEN_BRACE)
  for (let i = 0; i < parts.length; i++) {
    if (writePart(parts[i] as Part, first, from, context, out)) first = false
  }
  out.byte(CLOSE_BRACE)
}

/** False when it is left out. */
function writePart(
  part: Part,
  first: boolean,
  from: Target,
  context: Context,
  out: JsonBytes,
): boolean {
  switch (part.tag) {
    case 'leaf': {
      const text = textOf(part, from, context)
      if (text === undefined) return false
      writeKey(part, first, out)
      writeScalar(part.value, text, out)
      return true
    }
    case 'map':
      if (part.optional && !says(part, from, context)) return false
      writeKey(part, first, out)
      writeObject(part.shape, from, context, out)
      return true
    case 'inside': {
      if (part.optional && !says(part, from, context)) return false
      const text = part.write(from, context)
      writeKey(part, first, out)
      out.quoted(text)
      return true
    }
    case 'list': {
      const items = itemsToWrite(part, from)
      if (!items) return false
      writeKey(part, first, out)
      writeItems(part, items, context, out)
      return true
    }
  }
}

function writeKey({ key }: Part, first: boolean, out: JsonBytes): void {
  if (!first) out.byte(COMMA)
  out.bytes(key)
}

function writeItems(
  { item }: ListPart,
  items: readonly Target[],
  context: Context,
  out: JsonBytes,
): void {
  out.byte(OPEN_BRACKET)
  for (let i = 0; i < items.length; i++) {
    if (i > 0) out.byte(COMMA)
    const one = items[i] as Target
    context.index = i
    if (isShape(item)) writeObject(item, one, context, out)
    else writeScalar(item, item.write(one, context) ?? '', out)
  }
  out.byte(CLOSE_BRACKET)
}

function writeScalar({ notation, credential }: Value, text: string, out: JsonBytes): void {
  if (notation.json !== 'string') out.digits(text === '' ? NULL : text)
  // The place of a secret is marked, and escaped when it is filled.
  else if (credential !== undefined && text.startsWith('\u0001')) out.text(`"${text}"`)
  else out.quoted(text)
}
