import sax, { type QualifiedTag, type Tag } from 'sax'
import { IMPORT_LIMITS, refuse, refuseSize } from './model.ts'

/** An element of a description with its line; names are without prefix, their namespace beside them. */
export type XmlElement = {
  readonly name: string
  readonly namespace: string
  readonly attributes: ReadonlyMap<string, string>
  /** Prefixes that hold here: values of attributes are names, too. */
  readonly prefixes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  readonly line: number
}

/** strictEntities, which the types do not know: the five entities of XML and none of HTML's. */
const OPTIONS = { position: true, xmlns: true, strictEntities: true } as sax.SAXOptions

/** A piece at a time, so that a text that is wrong at its start is not read to its end. */
const PIECE = 16_384

/**
 * Reads a description. A DOCTYPE is refused, so nothing can be declared, fetched or made to grow.
 * Throws DOCUMENT_SYNTAX or DOCUMENT_LIMIT with file and line.
 */
export function readDescription(file: string, text: string): XmlElement {
  const { textCharsMax, depthMax, nodesMax } = IMPORT_LIMITS
  if (text.length > textCharsMax) refuseSize(file, 1, `at most ${textCharsMax} characters`)
  const parser = sax.parser(true, OPTIONS)
  const open: (XmlElement & { children: XmlElement[] })[] = []
  let root: XmlElement | undefined
  let count = 0
  let line = 1
  const here = () => parser.line + 1
  Object.assign(parser, {
    onopentagstart() {
      line = here()
    },
    onopentag(tag: Tag | QualifiedTag) {
      const { local, uri, ns, attributes } = tag as QualifiedTag
      if (++count > nodesMax) refuseSize(file, line, `at most ${nodesMax} elements`)
      if (open.length >= depthMax)
        refuseSize(file, line, `at most ${depthMax} elements in elements`)
      const values = Object.values(attributes).map(({ name, value }): [string, string] => [
        name,
        value,
      ])
      const element = {
        name: local,
        namespace: uri,
        attributes: new Map(values),
        prefixes: ns,
        children: [],
        line,
      }
      open.at(-1)?.children.push(element)
      root ??= element
      open.push(element)
    },
    onclosetag() {
      open.pop()
    },
    ondoctype: () => refuse(file, here(), 'no DOCTYPE'),
    onerror({ message }: Error) {
      refuse(file, here(), `well-formed XML (${(message.split('\n')[0] ?? '').toLowerCase()})`)
    },
  })
  for (let at = 0; at < text.length; at += PIECE) parser.write(text.slice(at, at + PIECE))
  parser.close()
  return root ?? refuse(file, 1, 'an element')
}

/** A qualified name in a value: `tns:Bill` as namespace and name. */
export function resolveName(
  { prefixes }: XmlElement,
  text: string,
): { readonly namespace: string; readonly name: string } {
  const [first = '', second] = text.split(':')
  // Prefixes of outer elements are inherited, and so is what every object has.
  const uri: unknown = prefixes[second === undefined ? '' : first]
  return { namespace: typeof uri === 'string' ? uri : '', name: second ?? first }
}

export function childrenOf(element: XmlElement, namespace: string, name: string): XmlElement[] {
  return element.children.filter(child => child.name === name && child.namespace === namespace)
}
