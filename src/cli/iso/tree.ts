import type {
  CompositeSpec,
  FieldMask,
  FieldSpec,
  MessageSpec,
  PlainMessage,
  PlainValue,
} from '#iso8583'
import { EMV_MASKS, EMV_TAGS } from './emv.ts'

/** One value of a message with what its dialect says of it; or one that has further ones inside. */
export type Node = {
  /** `55.9F02`, of repeated tags `55.9F02[1]`. */
  readonly path: string
  readonly name: string
  /** Undefined for tags that the dialect does not name. */
  readonly spec: FieldSpec | undefined
  readonly mask: FieldMask | undefined
  readonly text?: string
  readonly children?: readonly Node[]
}

/** Beside the parts of a composite: their order on the wire. */
const ORDER = '$order'

/** A message's values with their names and masks. */
export function treeOf(spec: MessageSpec, { mti, fields }: PlainMessage): Node[] {
  const value = (id: string) => (typeof fields[id] === 'string' ? fields[id] : undefined)
  return Object.entries(fields).map(([id, one]) => {
    const element = elementOf(spec, id, { mti, processing: value('3'), response: value('39') })
    return nodeOf(id, element, element?.mask, one)
  })
}

type Facts = {
  readonly mti: string
  readonly processing?: string | undefined
  readonly response?: string | undefined
}

/** The element as it is laid out in such a message: the last overlay that has it wins. */
export function elementOf(spec: MessageSpec, id: string, facts: Facts): FieldSpec | undefined {
  const { mti, processing = '', response = '' } = facts
  const overlay = spec.overlays.findLast(
    ({ when, fields }) =>
      fields.some(field => field.id === id) &&
      (when.mti.length === 0 || when.mti.some(one => new RegExp(`^${one}$`).test(mti))) &&
      (!when.processing || when.processing.some(start => processing.startsWith(start))) &&
      (!when.response || when.response.includes(response)),
  )
  return (overlay?.fields ?? spec.fields).find(field => field.id === id)
}

function nodeOf(
  path: string,
  spec: FieldSpec | undefined,
  mask: FieldMask | undefined,
  value: PlainValue,
): Node {
  const name = spec?.name ?? ''
  if (typeof value === 'string') return { path, name, spec, mask, text: value }
  const composite = spec?.children
  const children = Object.entries(value).flatMap(([id, inside]): Node[] => {
    if (id === ORDER) return []
    const part = composite && partOf(composite, id)
    const own = part?.mask ?? emvMask(composite, id) ?? mask
    const known = named(part, composite, id)
    if (!Array.isArray(inside)) return [nodeOf(`${path}.${id}`, known, own, inside)]
    return inside.map((one: PlainValue, index) =>
      nodeOf(`${path}.${id}[${index}]`, known, own, one),
    )
  })
  return { path, name, spec, mask, children }
}

function partOf(composite: CompositeSpec, id: string): FieldSpec | undefined {
  if (composite.kind !== 'datasets') return composite.fields.find(field => field.id === id)
  const dataset = composite.datasets.find(one => inRange(one.id, id))
  if (!dataset) return undefined
  const { name, form, fields } = dataset
  const children: CompositeSpec =
    form === 'tlv'
      ? { kind: 'ber-tlv', fields, unknown: 'keep' }
      : { kind: 'positional', shorter: true, fields }
  return { ...UNNAMED, id, name, children }
}

function inRange(range: string, id: string): boolean {
  const [first = '', last = first] = range.split('-')
  return id >= first && id <= last
}

const UNNAMED: FieldSpec = {
  id: '',
  name: '',
  content: 'b',
  data: 'binary',
  length: { form: 'rest' },
  unit: 'bytes',
  size: 0,
}

function emvMask(composite: CompositeSpec | undefined, id: string): FieldMask | undefined {
  return composite?.kind === 'ber-tlv' ? EMV_MASKS[id] : undefined
}

/** Tags of EMV have a name also where the table does not say it. */
function named(
  part: FieldSpec | undefined,
  composite: CompositeSpec | undefined,
  id: string,
): FieldSpec | undefined {
  const name = composite?.kind === 'ber-tlv' ? EMV_TAGS[id] : undefined
  if (part || name === undefined) return part
  return { ...UNNAMED, id, name }
}

/** All nodes without children, in order. */
export function leavesOf(nodes: readonly Node[]): Node[] {
  return nodes.flatMap(node => (node.children ? leavesOf(node.children) : [node]))
}

/** The same message with every text changed: for masks and redaction. */
export function mapPlain(
  spec: MessageSpec,
  plain: PlainMessage,
  change: (node: Node) => string,
): PlainMessage {
  const texts = new Map(leavesOf(treeOf(spec, plain)).map(node => [node.path, change(node)]))
  const walk = (path: string, value: PlainValue): PlainValue => {
    if (typeof value === 'string') return texts.get(path) ?? value
    return Object.fromEntries(
      Object.entries(value).map(([id, inside]) => {
        if (id === ORDER) return [id, inside]
        if (!Array.isArray(inside)) return [id, walk(`${path}.${id}`, inside)]
        const list = inside.map((one: PlainValue, at) => walk(`${path}.${id}[${at}]`, one))
        return [id, list]
      }),
    )
  }
  const fields = Object.entries(plain.fields).map(([id, value]) => [id, walk(id, value)] as const)
  return { ...plain, fields: Object.fromEntries(fields) }
}
