import { NadiError } from '#base'
import type { Message } from '#message'
import { marked } from './credentials.ts'
import { readForm } from './form.ts'
import { openInside } from './inside.ts'
import { readJson } from './json-reader.ts'
import { KnownKeys } from './known-keys.ts'
import { childOf, DocNode, scalar, type DocLimits, type Source } from './node.ts'
import {
  readEnvelope,
  SOAP_NAMESPACES,
  writeEnvelope,
  writeFault,
  type SoapVersion,
} from './soap.ts'
import { decodeText, type Charset } from './text.ts'
import type { Context, Shape } from './value.ts'
import { writeForm } from './write-form.ts'
import { writeJson } from './write-json.ts'
import { textOf } from './write-shape.ts'
import { escapeXml, writeXmlParts, XML_DECLARATION } from './write-xml.ts'
import {
  nameRpc,
  readRpc,
  writeRpcCall,
  writeRpcFault,
  writeRpcResponse,
  type RpcMessage,
  type RpcOptions,
} from './xml-rpc.ts'
import { declaredEncoding, readXml, XSI, type Namespaces } from './xml-reader.ts'

export const CONTENT_KINDS = [
  'json',
  'form',
  'xml',
  'xml-rpc',
  'soap 1.1',
  'soap 1.2',
  'text',
] as const
export type ContentKind = (typeof CONTENT_KINDS)[number]

/** What of the whole pack a kind of document depends on. */
export type ContentOptions = {
  readonly limits: DocLimits
  readonly bom: 'refused' | 'skipped'
  /** Content types that are taken beside the usual ones. */
  readonly types: readonly string[]
  readonly namespaces: Namespaces
  readonly rpc: RpcOptions
  /** A UsernameToken belongs into the header of requests. */
  readonly security: boolean
  /** What else stands in it. */
  readonly soapHeader: Shape | undefined
}

export type Parsed = {
  readonly source: Source
  readonly root: DocNode
  /** The code of a fault. */
  readonly fault: string | undefined
  readonly header?: DocNode | undefined
  readonly rpc?: RpcMessage
}

export type Content = {
  readonly kind: ContentKind
  /** What is written as the content type. */
  readonly type: string
  /** Whether a body with this header may be such a document. */
  accepts(contentType: string | undefined, body: Uint8Array): boolean
  /** Throws DOCUMENT_SYNTAX, DOCUMENT_LIMIT, PACK_FORMAT. `base`: where in its frame the body begins. */
  read(body: Uint8Array, contentType: string | undefined, base: number): Parsed
  /** The node that a shape is about, with the documents inside of its texts opened. */
  rootFor(parsed: Parsed, shape: Shape): DocNode
  /** Bytes are good until the next document is written. */
  write(
    shape: Shape,
    message: Message,
    context: Context,
    direction: Message['direction'],
  ): Uint8Array | string
  writeFault(code: string, text: string): string | undefined
  /** The HTTP status of a fault: SOAP 1.1, section 6.2, has 500, XML-RPC 200. */
  readonly faultStatus: number
}

export const WSSE_MARK = 'wsse'

/** By kind, all for one pack. */
export function makeContent(kind: ContentKind, options: ContentOptions): Content {
  const content = contentOf(kind, options)
  return {
    ...content,
    rootFor: (parsed, shape) => openInside(shape, content.rootFor(parsed, shape)),
  }
}

function contentOf(kind: ContentKind, options: ContentOptions): Content {
  switch (kind) {
    case 'json':
      return json(options)
    case 'form':
      return form(options)
    case 'text':
      return text(options)
    case 'xml':
      return xml(options)
    case 'xml-rpc':
      return xmlRpc(options)
    case 'soap 1.1':
      return soap(options, '1.1')
    case 'soap 1.2':
      return soap(options, '1.2')
  }
}

/** Its own types and those of the pack; none said is taken too, and looked at. */
function accepting(
  usual: RegExp,
  { types }: ContentOptions,
  starts: (body: Uint8Array) => boolean,
): Content['accepts'] {
  const isOurs = remembered((contentType: string) => {
    const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
    return type === '' || usual.test(type) || types.includes(type)
  })
  return (contentType, body) => isOurs(contentType ?? '') && starts(body)
}

/** Counterparts send the same few content types with every message. */
function remembered<T>(compute: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  let last: { readonly text: string; readonly value: T } | undefined
  return text => {
    if (last?.text === text) return last.value
    let value = known.get(text)
    if (value === undefined) {
      value = compute(text)
      if (known.size < KNOWN_MAX) known.set(text, value)
    }
    last = { text, value }
    return value
  }
}

const KNOWN_MAX = 64
const LESS_THAN = 0x3c

const startsAsAny = (): boolean => true
/** What begins like a page of HTML is none. */
const startsAsJson = (body: Uint8Array): boolean => firstOf(body) !== LESS_THAN
const startsAsXml = (body: Uint8Array): boolean => {
  if (firstOf(body) !== LESS_THAN) return false
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 64))
  return !/<(?:!doctype )?html/i.test(start.toString('latin1'))
}

/** The first byte that is neither white space nor part of a BOM. */
function firstOf(body: Uint8Array): number | undefined {
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] as number
    if (byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf) return byte
  }
  return undefined
}

const JSON_TYPE = 'application/json'

function json(options: ContentOptions): Content {
  const known = new KnownKeys()
  return {
    kind: 'json',
    type: JSON_TYPE,
    accepts: accepting(/^(application|text)\/([a-z0-9.+-]*\+)?json$/, options, startsAsJson),
    read(body, contentType, base) {
      const charset = charsetOf(contentType) ?? 'utf-8'
      if (charset !== 'utf-8') throw encoding('UTF-8', base)
      const source = decodeText(body, { ...options, base })
      return { source, root: readJson(source, known), fault: undefined }
    },
    rootFor: ({ root }) => root,
    write: writeJson,
    writeFault: () => undefined,
    faultStatus: 500,
  }
}

function form(options: ContentOptions): Content {
  return {
    kind: 'form',
    type: 'application/x-www-form-urlencoded',
    accepts: accepting(/^application\/x-www-form-urlencoded$/, options, startsAsAny),
    read(body, _, base) {
      const source = decodeText(body, { ...options, base })
      return { source, root: readForm(source), fault: undefined }
    },
    rootFor: ({ root }) => root,
    write: writeForm,
    writeFault: () => undefined,
    faultStatus: 500,
  }
}

/** A body that is one text, called `text` in the pack. */
function text(options: ContentOptions): Content {
  return {
    kind: 'text',
    type: 'text/plain; charset=utf-8',
    accepts: accepting(/^text\/plain$/, options, startsAsAny),
    read(body, contentType, base) {
      const charset = charsetOf(contentType) ?? 'utf-8'
      const source = decodeText(body, { ...options, charset, base })
      const root = new DocNode('map', '', ['text'], [scalar('plain', source.text, 0)], 0)
      return { source, root, fault: undefined }
    },
    rootFor: ({ root }) => root,
    write(shape, message, context) {
      const [part] = shape.parts
      return part?.tag === 'leaf' ? (textOf(part, message, context) ?? '') : ''
    },
    writeFault: () => undefined,
    faultStatus: 500,
  }
}

const XML_TYPES = /^(application|text)\/([a-z0-9.+-]*\+)?xml$/

function xml(options: ContentOptions): Content {
  const { namespaces } = options
  const declarations = declare(namespaces)
  return {
    kind: 'xml',
    type: 'application/xml; charset=utf-8',
    accepts: accepting(XML_TYPES, options, startsAsXml),
    read: (body, contentType, base) => readElements(body, contentType, base, options, namespaces),
    rootFor: ({ root }) => root,
    write: (shape, message, context) =>
      XML_DECLARATION + writeXmlParts(shape, message, context, declarations),
    writeFault: () => undefined,
    faultStatus: 500,
  }
}

function xmlRpc(options: ContentOptions): Content {
  const { namespaces, rpc } = options
  return {
    kind: 'xml-rpc',
    type: 'text/xml; charset=utf-8',
    accepts: accepting(XML_TYPES, options, startsAsXml),
    read(body, contentType, base) {
      const parsed = readElements(body, contentType, base, options, namespaces)
      const message = readRpc(parsed.root, parsed.source)
      return { ...parsed, rpc: message, fault: message.fault }
    },
    rootFor: (parsed, shape) => nameRpc(parsed.rpc as RpcMessage, shape, rpc, parsed.source),
    write: (shape, message, context, direction) =>
      direction === 'request'
        ? writeRpcCall(shape, message, context, rpc)
        : writeRpcResponse(shape, message, context, rpc),
    writeFault: writeRpcFault,
    faultStatus: 200,
  }
}

export const WSSE =
  'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
export const WSU =
  'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'

function soap(options: ContentOptions, version: SoapVersion): Content {
  const declarations = declare(options.namespaces)
  const namespaces: Namespaces = new Map([
    ...options.namespaces,
    [SOAP_NAMESPACES['1.1'], 'soap'],
    [SOAP_NAMESPACES['1.2'], 'soap'],
    [WSSE, 'wsse'],
    [WSU, 'wsu'],
  ])
  return {
    kind: `soap ${version}`,
    type: version === '1.1' ? 'text/xml; charset=utf-8' : 'application/soap+xml; charset=utf-8',
    accepts: accepting(XML_TYPES, options, startsAsXml),
    read(body, contentType, base) {
      const parsed = readElements(body, contentType, base, options, namespaces)
      const message = readEnvelope(parsed.root, parsed.source)
      return { ...parsed, root: message.body, header: message.header, fault: message.fault }
    },
    rootFor: ({ root }) => root,
    write: (shape, message, context, direction) =>
      writeEnvelope(version, {
        declarations,
        header: direction === 'request' ? headerOf(options, message, context) : '',
        body: writeXmlParts(shape, message, context),
      }),
    writeFault: (code, reason) => writeFault(version, code, reason),
    faultStatus: 500,
  }
}

function headerOf(
  { security, soapHeader }: ContentOptions,
  message: Message,
  context: Context,
): string {
  const own = soapHeader ? writeXmlParts(soapHeader, message, context) : ''
  return (security ? marked(WSSE_MARK) : '') + own
}

function readElements(
  body: Uint8Array,
  contentType: string | undefined,
  base: number,
  options: ContentOptions,
  namespaces: Namespaces,
): Parsed {
  const declared = declaredEncoding(body)
  const said = charsetOf(contentType)
  const charset = said ?? known(declared) ?? (declared === undefined ? 'utf-8' : undefined)
  if (charset === undefined || (declared !== undefined && known(declared) !== charset)) {
    throw encoding('UTF-8 or ISO-8859-1, and the same in header and declaration', base)
  }
  const source = decodeText(body, { ...options, charset, base })
  return { source, root: readXml(source, namespaces), fault: undefined }
}

/** Undefined when the header says none; an unknown one is refused. */
function charsetOf(contentType: string | undefined): Charset | undefined {
  if (contentType === undefined) return undefined
  const charset = charsetIn(contentType)
  if (charset === 'unknown') throw encoding('UTF-8 or ISO-8859-1', 0)
  return charset === 'none' ? undefined : charset
}

const charsetIn = remembered((contentType: string): Charset | 'none' | 'unknown' => {
  const said = /;\s*charset\s*=\s*"?([^\s";]+)"?/i.exec(contentType)?.[1]
  return said === undefined ? 'none' : (known(said.toLowerCase()) ?? 'unknown')
})

function known(name: string | undefined): Charset | undefined {
  if (name === 'utf-8' || name === 'utf8' || name === 'us-ascii') return 'utf-8'
  return name === 'iso-8859-1' || name === 'latin1' ? 'iso-8859-1' : undefined
}

function encoding(expected: string, offset: number): NadiError {
  return new NadiError('DOCUMENT_SYNTAX', { path: 'body', offset, expected })
}

function declare(namespaces: Namespaces): string {
  let text = ''
  for (const [uri, prefix] of namespaces) {
    const name = prefix === '' ? 'xmlns' : `xmlns:${prefix}`
    text += ` ${name}="${escapeXml(uri, 'namespaces')}"`
  }
  return text
}

/** `namespaces:` with xsi where the pack speaks of it. */
export function withXsi(namespaces: Namespaces, used: boolean): Namespaces {
  return used ? new Map([...namespaces, [XSI, 'xsi']]) : namespaces
}

/** The first element of that name below a header. */
export function inHeader(header: DocNode | undefined, ...names: string[]): DocNode | undefined {
  let node = header
  for (const name of names) node = node && childOf(node, name, 0)
  return node
}
