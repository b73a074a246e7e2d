import { readJson } from './json-reader.ts'
import { DOC_LIMITS, type Source } from './node.ts'
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
        ? writeJson(shape, from, context)
        : XML_DECLARATION + writeXmlParts(shape, from, context),
  }
}
