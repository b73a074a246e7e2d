import { NadiError } from '#base'
import type { Target } from '../access.ts'
import { isShape, type Context, type LeafPart, type Part, type Shape } from './value.ts'
import { itemsToWrite, says, textOf } from './write-shape.ts'

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'

/** The parts of a shape as elements; `declarations` go into the first one. */
export function writeXmlParts(
  shape: Shape,
  from: Target,
  context: Context,
  declarations = '',
): string {
  let out = ''
  for (const part of shape.parts) {
    if (!part.name.startsWith('@') && part.name !== '#') {
      out += writePart(part, from, context, declarations)
    }
  }
  return out
}

function writePart(part: Part, from: Target, context: Context, declarations: string): string {
  switch (part.tag) {
    case 'leaf': {
      const text = textOf(part, from, context)
      return text === undefined ? '' : element(part, declarations, escapeLeaf(part, text))
    }
    case 'map':
      if (part.optional && !says(part, from, context)) return ''
      return writeElement(part, part.shape, from, context, declarations)
    case 'inside':
      if (part.optional && !says(part, from, context)) return ''
      return element(
        part,
        attributesOf(part.shape, from, context, declarations),
        escapeXml(part.write(from, context), part.path),
      )
    case 'list': {
      const { item } = part
      const texts = (itemsToWrite(part, from) ?? []).map((one, index) => {
        context.index = index
        if (isShape(item)) return writeElement(part, item, one, context, declarations)
        return element(part, declarations, escapeXml(item.write(one, context) ?? '', part.path))
      })
      return texts.join('')
    }
  }
}

function writeElement(
  part: Part,
  shape: Shape,
  from: Target,
  context: Context,
  declarations: string,
): string {
  const attributes = attributesOf(shape, from, context, declarations)
  let text = ''
  for (const inner of shape.parts) {
    if (inner.tag !== 'leaf' || inner.name !== '#') continue
    const value = textOf(inner, from, context)
    if (value !== undefined) text = escapeLeaf(inner, value)
  }
  return element(part, attributes, text + writeXmlParts(shape, from, context))
}

function attributesOf(shape: Shape, from: Target, context: Context, declarations: string): string {
  let attributes = declarations
  for (const inner of shape.parts) {
    if (inner.tag !== 'leaf' || !inner.name.startsWith('@')) continue
    const value = textOf(inner, from, context)
    if (value !== undefined) attributes += ` ${inner.name.slice(1)}="${escapeLeaf(inner, value)}"`
  }
  return attributes
}

function element({ name }: Part, attributes: string, content: string): string {
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`
}

function escapeLeaf({ value, path }: LeafPart, text: string): string {
  // The place of a secret is marked, and escaped when it is filled.
  return value.credential !== undefined && text.startsWith('\u0001') ? text : escapeXml(text, path)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // Not escaped, a parser would make a space or a line feed of them.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}
const ESCAPED = /[&<>"\t\n\r]/g

export function escapeXml(text: string, path: string): string {
  if (!canHold(text)) {
    throw new NadiError('CODEC_VALUE', { path, expected: 'characters that XML can hold' })
  }
  return text.replace(ESCAPED, one => ESCAPES[one] as string)
}

/** XML 1.0, section 2.2: no control characters but three, no halves of pairs, no non-characters. */
function canHold(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const blank = code === 0x09 || code === 0x0a || code === 0x0d
    if ((code < 0x20 && !blank) || code === 0xfffe || code === 0xffff) return false
  }
  return text.isWellFormed()
}
