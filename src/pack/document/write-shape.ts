import { NadiError } from '#base'
import type { Target } from '../access.ts'
import {
  isShape,
  type Context,
  type LeafPart,
  type ListPart,
  type Part,
  type Shape,
} from './value.ts'

/** Whether the message says anything that stands in here; if not, an optional part is left out. */
export function says(part: Part, from: Target, context: Context): boolean {
  switch (part.tag) {
    case 'leaf':
      return part.value.has(from, context)
    case 'list':
      return (part.list.get(from)?.length ?? 0) > 0
    case 'map':
    case 'inside':
      return saysAny(part.shape, from, context)
  }
}

function saysAny({ parts }: Shape, from: Target, context: Context): boolean {
  return parts.some(part => says(part, from, context))
}

/** The text of a leaf: undefined when it is left out, '' when it is there and empty. */
export function textOf(part: LeafPart, from: Target, context: Context): string | undefined {
  const { value, optional, path } = part
  if (part.when?.(context) === false) return undefined
  const text = context.fields?.get(path) ?? value.write(from, context)
  if (text !== undefined) return text
  if (optional) return undefined
  if (value.blank) return ''
  const shown = path.replace('[]', `[${context.index}]`)
  throw new NadiError('PACK_MISSING_FIELD', { path: shown })
}

/** The items to write; undefined when the list is left out. */
export function itemsToWrite(part: ListPart, from: Target): readonly Target[] | undefined {
  const items = part.list.get(from)
  if (!items || items.length === 0) {
    if (part.optional) return undefined
    if (!items && part.min > 0) throw new NadiError('PACK_MISSING_FIELD', { path: part.path })
  }
  const length = items?.length ?? 0
  if (length < part.min || length > part.max) {
    const expected = `${part.min} to ${part.max} of them`
    throw new NadiError('CODEC_VALUE', { path: part.path, expected })
  }
  return items ?? []
}

/** All leaves of a shape with what they stand in. */
export function* leavesOf(shape: Shape): Generator<LeafPart> {
  for (const part of shape.parts) {
    if (part.tag === 'leaf') yield part
    else if (part.tag !== 'list') yield* leavesIn(part)
    else if (isShape(part.item)) yield* leavesOf(part.item)
    else yield { ...part, tag: 'leaf', value: part.item }
  }
}

/** What stands in something that may be missing may be missing. */
function* leavesIn({ shape, optional }: Extract<Part, { shape: Shape }>): Generator<LeafPart> {
  for (const leaf of leavesOf(shape)) yield optional ? { ...leaf, optional } : leaf
}
