import type { Target } from '../access.ts'
import { isShape, type Context, type Part, type Shape, type Value } from './value.ts'
import { itemsToWrite, says, textOf } from './write-shape.ts'

/** A body as JSON, without white space, keys in the order of the pack. */
export function writeJson(shape: Shape, from: Target, context: Context): string {
  let out = '{'
  for (const part of shape.parts) {
    const text = writePart(part, from, context)
    if (text === undefined) continue
    out += out.length > 1 ? `,${part.key}${text}` : part.key + text
  }
  return `${out}}`
}

function writePart(part: Part, from: Target, context: Context): string | undefined {
  switch (part.tag) {
    case 'leaf': {
      const text = textOf(part, from, context)
      return text === undefined ? undefined : writeScalar(part.value, text)
    }
    case 'map':
      if (part.optional && !says(part, from, context)) return undefined
      return writeJson(part.shape, from, context)
    case 'inside':
      if (part.optional && !says(part, from, context)) return undefined
      return quote(part.write(from, context))
    case 'list': {
      const items = itemsToWrite(part, from)
      if (!items) return undefined
      const { item } = part
      const texts = items.map((one, index) => {
        context.index = index
        return isShape(item)
          ? writeJson(item, one, context)
          : writeScalar(item, item.write(one, context) ?? '')
      })
      return `[${texts.join(',')}]`
    }
  }
}

function writeScalar({ notation, credential }: Value, text: string): string {
  if (notation.json !== 'string') return text === '' ? 'null' : text
  // The place of a secret is marked, and escaped when it is filled.
  return credential !== undefined && text.startsWith('\u0001') ? `"${text}"` : quote(text)
}

/** RFC 8259, section 7. JSON.stringify does it all, but most texts need nothing. */
export function quote(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const plain = code >= 0x20 && code !== 0x22 && code !== 0x5c && (code < 0xd800 || code > 0xdfff)
    if (!plain) return JSON.stringify(text)
  }
  return `"${text}"`
}
