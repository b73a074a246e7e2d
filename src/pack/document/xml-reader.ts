import sax, { type QualifiedTag, type Tag } from 'sax'
import type { NadiError } from '#base'
import { DocNode, wrongAt, type Source } from './node.ts'

/** The pack's own prefixes by namespace, so that names are the same whatever prefixes were sent. */
export type Namespaces = ReadonlyMap<string, string>

/** More than one element of a trade document has. */
const ATTRIBUTES_MAX = 24
/** A piece at a time, so that a text that is wrong at its start is not read to its end. */
const PIECE = 16_384
export const XSI = 'http://www.w3.org/2001/XMLSchema-instance'
/** The type does not know strictEntities: the five of XML, and none of HTML's. */
const OPTIONS = { position: true, strictEntities: true } as sax.SAXOptions
const XML = 'http://www.w3.org/XML/1998/namespace'

/**
 * The elements of an XML 1.0 text with namespaces resolved (Namespaces in XML 1.0): an element
 * `<b:name>` whose namespace the pack calls `bo` is `bo:name`, one of a namespace that the pack does
 * not know is `{uri}name`. A value of `xsi:type` is a name too and is resolved likewise.
 *
 * There is no DTD: a DOCTYPE is refused, so nothing can be declared, fetched or made to grow. The
 * five entities of XML itself and character references are all there are.
 */
export function readXml(source: Source, namespaces: Namespaces): DocNode {
  const reader = new XmlReader(source, namespaces)
  return reader.document()
}

type Scope = ReadonlyMap<string, string>

class XmlReader {
  readonly #source: Source
  readonly #namespaces: Namespaces
  readonly #parser = sax.parser(true, OPTIONS)
  readonly #open: DocNode[] = []
  readonly #scopes: Scope[] = [new Map([['xml', XML]])]
  /** Resolved names in the innermost scope: most documents declare everything once. */
  #known = new Map<string, string>()
  #root: DocNode | undefined
  #nodes = 0
  #error: NadiError | undefined

  constructor(source: Source, namespaces: Namespaces) {
    this.#source = source
    this.#namespaces = namespaces
  }

  document(): DocNode {
    const parser = this.#parser
    Object.assign(parser, {
      onopentag: (tag: Tag | QualifiedTag) => this.#opened(tag as Tag),
      onclosetag: () => this.#closed(),
      ontext: (text: string) => this.#text(text),
      oncdata: (text: string) => this.#text(text),
      ondoctype: () => this.#fail('no DOCTYPE'),
      onprocessinginstruction: ({ name }: { name: string }) => {
        if (name !== 'xml') this.#fail('no processing instructions')
      },
      onerror: () => {
        this.#fail('well-formed XML')
        Object.assign(parser, { error: null })
      },
    })
    const { text } = this.#source
    // sax takes a DOCTYPE piece by piece; what is in it is refused before it is looked at.
    const doctype = DOCTYPE.exec(text)
    if (doctype) throw this.#wrong(doctype.index, 'no DOCTYPE')
    for (let at = 0; at < text.length && !this.#error; at += PIECE) {
      parser.write(text.length <= PIECE ? text : text.slice(at, at + PIECE))
    }
    if (!this.#error) parser.close()
    if (this.#error) throw this.#error
    return this.#root ?? this.#never()
  }

  #never(): never {
    throw this.#wrong(0, 'an element')
  }

  #opened({ name, attributes }: Tag): void {
    if (this.#error) return
    const at = this.#parser.startTagPosition - 1
    const { depthMax, nodesMax } = this.#source.limits
    if (this.#open.length >= depthMax) return this.#limit(`at most ${depthMax} levels`)
    if (++this.#nodes > nodesMax) return this.#limit(`at most ${nodesMax} elements`)
    if (this.#root && this.#open.length === 0) return this.#fail('one root element')
    const keys = Object.keys(attributes)
    if (keys.length > ATTRIBUTES_MAX) return this.#limit(`at most ${ATTRIBUTES_MAX} attributes`)
    this.#enter(keys, attributes)
    const element = new DocNode('element', '', [], [], at)
    for (const key of keys) this.#attribute(element, key, attributes[key] as string, at)
    const parent = this.#open.at(-1)
    if (parent) {
      parent.names.push(this.#resolve(name, true))
      parent.items.push(element)
    } else this.#root = new DocNode('element', '', [this.#resolve(name, true)], [element], at)
    this.#open.push(element)
  }

  /** The namespaces that hold inside this element. */
  #enter(keys: readonly string[], attributes: Readonly<Record<string, string>>): void {
    const around = this.#scopes.at(-1) as Scope
    let own: Map<string, string> | undefined
    for (const key of keys) {
      if (key === 'xmlns') (own ??= new Map(around)).set('', attributes[key] as string)
      else if (key.startsWith('xmlns:')) {
        ;(own ??= new Map(around)).set(key.slice(6), attributes[key] as string)
      }
    }
    if (own) this.#known = new Map()
    this.#scopes.push(own ?? around)
  }

  #attribute(element: DocNode, key: string, value: string, at: number): void {
    if (key === 'xmlns' || key.startsWith('xmlns:')) return
    const name = key.includes(':') ? this.#resolve(key, false) : key
    const text = name === 'xsi:type' ? this.#resolve(value.trim(), true) : value
    if (element.names.includes(`@${name}`)) return this.#fail('each attribute once')
    element.names.push(`@${name}`)
    element.items.push(new DocNode('plain', text, [], [], at))
  }

  #resolve(name: string, useDefault: boolean): string {
    const known = useDefault ? this.#known.get(name) : undefined
    if (known !== undefined) return known
    const colon = name.indexOf(':')
    const prefix = colon < 0 ? '' : name.slice(0, colon)
    const uri = (this.#scopes.at(-1) as Scope).get(prefix) ?? ''
    if (uri === '' && prefix !== '') this.#fail('declared namespaces')
    const resolved = this.#named(uri, name.slice(colon + 1))
    if (useDefault) this.#known.set(name, resolved)
    return resolved
  }

  #named(uri: string, local: string): string {
    if (uri === '') return local
    if (uri === XSI) return `xsi:${local}`
    const own = this.#namespaces.get(uri)
    if (own === '') return local
    return own === undefined ? `{${uri}}${local}` : `${own}:${local}`
  }

  #closed(): void {
    if (this.#error) return
    this.#open.pop()
    const left = this.#scopes.pop()
    if (left !== this.#scopes.at(-1)) this.#known = new Map()
  }

  #text(text: string): void {
    const element = this.#open.at(-1)
    if (element && !this.#error) element.text += text
  }

  #fail(expected: string): void {
    this.#error ??= this.#wrong(this.#parser.position ?? 0, expected)
  }

  #limit(expected: string): void {
    const at = this.#parser.position ?? 0
    this.#error ??= wrongAt(this.#source, 'DOCUMENT_LIMIT', at, { path: 'body', expected })
  }

  #wrong(at: number, expected: string): NadiError {
    return wrongAt(this.#source, 'DOCUMENT_SYNTAX', at, { path: 'body', expected })
  }
}

/** Where a prolog would have one: only white space, comments and instructions may stand before it. */
const DOCTYPE = /<!DOCTYPE/i

/** The encoding that the XML declaration names, in lower case; undefined without one. */
export function declaredEncoding(body: Uint8Array): string | undefined {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 200))
  const declaration = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(
    start.toString('latin1'),
  )
  return declaration?.[1]?.toLowerCase()
}
