import { NadiError } from '#base'
import { readJson } from './json-reader.ts'
import { childOf, DOC_LIMITS, DocNode, type Source } from './node.ts'
import type { InsidePart, Shape } from './value.ts'
import { writeJson } from './write-json.ts'
import { writeXmlParts, XML_DECLARATION } from './write-xml.ts'
import { readXml, type Namespaces } from './xml-reader.ts'

/**
 * A document that travels as the text of another one, escaped by it: the string parameter of NuSOAP
 * services (`<in_param>&lt;request&gt;…`). Read with all the limits of a document of its own.
 */
export function makeInside(
  base: Pick<InsidePart, 'name' | 'key' | 'optional' | 'path'>,
  content: 'json' | 'xml',
  shape: Shape,
  namespaces: Namespaces,
): InsidePart {
  return {
    ...base,
    tag: 'inside',
    content,
    shape,
    read(text) {
      const source: Source = { text: text.trimStart(), base: 0, limits: DOC_LIMITS, latin1: false }
      return content === 'json' ? readJson(source) : readXml(source, namespaces)
    },
    write: (from, context) =>
      content === 'json'
        ? Buffer.from(writeJson(shape, from, context)).toString()
        : XML_DECLARATION + writeXmlParts(shape, from, context),
  }
}

/**
 * The document with those inside of its texts in their places, so that a path leads into them as
 * into any other: codes and constants are looked for before a shape is read. It is done once, in
 * the tree itself. Throws the errors of reading, with the path and without an offset, since the
 * unescaped text stands nowhere in the frame.
 */
export function openInside(shape: Shape, root: DocNode): DocNode {
  if (!shape.nested) return root
  for (const part of shape.parts) {
    if (part.tag !== 'inside' && part.tag !== 'map') continue
    const at = root.names.indexOf(part.name)
    const child = root.items[at]
    if (!child) continue
    if (part.tag === 'map') openInside(part.shape, child)
    else root.items[at] = opened(part, child)
  }
  return root
}

/** Whether it is not opened yet: no element in it but attributes. */
function isText({ tag, text, names }: DocNode): boolean {
  const plain = tag !== 'map' && tag !== 'list' && tag !== 'null'
  return plain && text.trim() !== '' && names.every(name => name.startsWith('@'))
}

/** The document of one text; what was opened before is left as it is. */
export function opened(part: InsidePart, node: DocNode): DocNode {
  if (!isText(node)) return node
  let inner: DocNode
  try {
    inner = part.read(node.text)
  } catch (error) {
    if (!(error instanceof NadiError)) throw error
    const { code, expected } = error
    throw new NadiError(code, { path: part.path, ...(expected !== undefined && { expected }) })
  }
  const names = node.names.filter(name => part.shape.names.has(name))
  const items = names.map(name => childOf(node, name, 0) as DocNode)
  const all: [string[], DocNode[]] = [
    [...names, ...inner.names],
    [...items, ...inner.items],
  ]
  return openInside(part.shape, new DocNode(inner.tag, '', ...all, node.at))
}
