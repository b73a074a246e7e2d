import type { Target } from '../access.ts'
import { childOf, DocNode, scalar, wrongAt, type Source } from './node.ts'
import type { Context, Part, Shape } from './value.ts'
import { isShape } from './value.ts'
import { itemsToWrite, textOf } from './write-shape.ts'
import { escapeXml, XML_DECLARATION } from './write-xml.ts'

/** What of an XML-RPC message is not a parameter. */
export type RpcOptions = {
  /** The key of a request's body that is the name of the method. */
  readonly method: string
  /** One parameter a key, in the order of the body (answers: one array); or one struct. */
  readonly params: 'positional' | 'struct'
}

export type RpcMessage = {
  readonly method: string | undefined
  readonly params: readonly DocNode[]
  readonly fault: string | undefined
}

/** An XML-RPC call or response (xmlrpc.com/spec) from its elements. */
export function readRpc(root: DocNode, source: Source): RpcMessage {
  const call = childOf(root, 'methodCall', 0)
  const top = call ?? childOf(root, 'methodResponse', 0)
  if (!top) throw unfit(source, root, 'a methodCall or methodResponse')
  const method = call && childOf(call, 'methodName', 0)?.text.trim()
  const fault = childOf(top, 'fault', 0)
  const faultValue = fault && valueIn(source, fault)
  const params = childOf(top, 'params', 1)
  return {
    method,
    params: (params?.items ?? []).map(param => valueIn(source, param)),
    fault: faultValue && (childOf(faultValue, 'faultCode', 0)?.text ?? ''),
  }
}

function valueIn(source: Source, around: DocNode): DocNode {
  const value = childOf(around, 'value', 0)
  if (!value) throw unfit(source, around, 'a value')
  const type = value.names[0]
  const inner = value.items[0]
  if (type === undefined || !inner) return scalar('plain', value.text, value.at)
  switch (type) {
    case 'struct':
      return structOf(source, inner)
    case 'array':
      return new DocNode('list', '', [], arrayOf(source, inner), inner.at)
    case 'nil':
      return scalar('null', 'null', inner.at)
    case 'string':
      return scalar('plain', inner.text, inner.at)
    default:
      return scalar('plain', inner.text.trim(), inner.at)
  }
}

function structOf(source: Source, struct: DocNode): DocNode {
  const names: string[] = []
  const items: DocNode[] = []
  for (const member of struct.items) {
    const name = childOf(member, 'name', 0)?.text ?? ''
    if (names.includes(name)) throw unfit(source, member, 'each member once')
    names.push(name)
    items.push(valueIn(source, member))
  }
  return new DocNode('map', '', names, items, struct.at)
}

function arrayOf(source: Source, array: DocNode): DocNode[] {
  const data = childOf(array, 'data', 0)
  return (data?.items ?? []).map(value => {
    const around = new DocNode('element', '', ['value'], [value], value.at)
    return valueIn(source, around)
  })
}

/**
 * The message as the map that the body of the pack speaks of. Positional values get their names from
 * the order of the body; that of a request begins with the method.
 */
export function nameRpc(
  { method, params }: RpcMessage,
  shape: Shape,
  options: RpcOptions,
  source: Source,
): DocNode {
  const names: string[] = []
  const items: DocNode[] = []
  if (method !== undefined) {
    names.push(options.method)
    items.push(scalar('plain', method, 0))
  }
  if (options.params === 'struct') {
    const struct = params[0]
    if (struct?.tag === 'map')
      return new DocNode(
        'map',
        '',
        [...names, ...struct.names],
        [...items, ...struct.items],
        struct.at,
      )
    return new DocNode('map', '', names, items, 0)
  }
  const values = params.length === 1 && params[0]?.tag === 'list' ? params[0].items : params
  const order = shape.parts.map(part => part.name).filter(name => name !== options.method)
  if (values.length > order.length && shape.unknown === 'refused') {
    throw unfit(source, values[order.length] as DocNode, `${order.length} values`)
  }
  for (const [index, name] of order.entries()) {
    const value = values[index]
    if (!value) break
    names.push(name)
    items.push(value)
  }
  return new DocNode('map', '', names, items, 0)
}

export function writeRpcCall(
  shape: Shape,
  from: Target,
  context: Context,
  options: RpcOptions,
): string {
  const method = shape.parts.find(part => part.name === options.method)
  const name = method?.tag === 'leaf' ? (textOf(method, from, context) ?? '') : ''
  const parts = shape.parts.filter(part => part.name !== options.method)
  const params =
    options.params === 'positional'
      ? parts.map(part => param(writeValue(part, from, context) ?? EMPTY)).join('')
      : param(struct(parts, from, context))
  return `${XML_DECLARATION}<methodCall><methodName>${escapeXml(name, options.method)}</methodName><params>${params}</params></methodCall>`
}

export function writeRpcResponse(
  shape: Shape,
  from: Target,
  context: Context,
  { params }: RpcOptions,
): string {
  const value =
    params === 'positional'
      ? array(shape.parts.map(part => writeValue(part, from, context) ?? EMPTY))
      : struct(shape.parts, from, context)
  return `${XML_DECLARATION}<methodResponse><params>${param(value)}</params></methodResponse>`
}

export function writeRpcFault(code: string, text: string): string {
  const number = /^-?\d{1,9}$/.test(code) ? code : '0'
  const members =
    `<member><name>faultCode</name><value><int>${number}</int></value></member>` +
    `<member><name>faultString</name><value><string>${escapeXml(text, 'fault')}</string></value></member>`
  return `${XML_DECLARATION}<methodResponse><fault><value><struct>${members}</struct></value></fault></methodResponse>`
}

const EMPTY = '<value><string></string></value>'

function param(value: string): string {
  return `<param>${value}</param>`
}

function array(values: readonly string[]): string {
  return `<value><array><data>${values.join('')}</data></array></value>`
}

function struct(parts: readonly Part[], from: Target, context: Context): string {
  const members = parts.map(part => {
    const value = writeValue(part, from, context)
    if (value === undefined) return ''
    return `<member><name>${escapeXml(part.name, part.path)}</name>${value}</member>`
  })
  return `<value><struct>${members.join('')}</struct></value>`
}

function writeValue(part: Part, from: Target, context: Context): string | undefined {
  switch (part.tag) {
    case 'leaf': {
      const text = textOf(part, from, context)
      if (text === undefined) return undefined
      const type = TYPES[part.value.notation.json]
      const secret = part.value.credential !== undefined && text.startsWith('\u0001')
      return `<value><${type}>${secret ? text : escapeXml(text, part.path)}</${type}></value>`
    }
    case 'map':
      return struct(part.shape.parts, from, context)
    case 'inside':
      return `<value><string>${escapeXml(part.write(from, context), part.path)}</string></value>`
    case 'list': {
      const { item } = part
      const items = itemsToWrite(part, from)
      return (
        items &&
        array(
          items.map((one, index) => {
            context.index = index
            if (isShape(item)) return struct(item.parts, one, context)
            return `<value><string>${escapeXml(item.write(one, context) ?? '', part.path)}</string></value>`
          }),
        )
      )
    }
  }
}

const TYPES = { string: 'string', number: 'int', boolean: 'boolean' } as const

function unfit(source: Source, node: DocNode, expected: string) {
  return wrongAt(source, 'PACK_FORMAT', node.at, { path: 'body', expected })
}
