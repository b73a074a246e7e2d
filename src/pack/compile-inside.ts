import type { CompositeSpec, FieldSpec } from '#iso8583'
import { DICTIONARY, isPath } from '#message'
import { ACCESS, type Target } from './access.ts'
import { compilePiece, type Frame, type Place } from './compile-piece.ts'
import { makeInside, type Slot } from './inside.ts'
import type { Inside } from './plan.ts'
import type { MapEntry, MapTree } from './source.ts'

const ITEMS_MAX = 99

/**
 * A composite, part by part; `?` behind an id says that the part may be missing:
 *
 *     48:
 *       PI: product
 *       NM?: customer.name
 *       F0: { 9F02: amountMinor sen n12 }      parts in parts
 *       S0..SA?: details[].text                a run of parts, the items of a list
 *       RF..?: details of receipt-line         a part that comes again, laid out as a layout says
 */
export function compileInside(frame: Frame, place: Place, map: MapTree): Inside | undefined {
  const { spec, context } = place
  if (!spec.children) {
    const text = `element ${place.path} has no parts in the field table`
    return context.check.wrong(map.at, text)
  }
  const slots: Slot[] = []
  for (const [key, entry] of map.entries) {
    const slot = compileSlot(frame, place, spec.children, key, entry)
    if (slot) slots.push(slot)
  }
  const taken = new Set<string>()
  for (const id of slots.flatMap(slot => (slot.tag === 'list' ? slot.ids : [slot.id]))) {
    if (taken.has(id)) context.check.wrong(map.at, `part ${id} is mapped twice`)
    taken.add(id)
  }
  return slots.length === map.entries.size ? makeInside(context.field, slots) : undefined
}

const KEY = /^([^\s?.]+)(?:\.\.([^\s?.]*))?(\?)?$/

function compileSlot(
  frame: Frame,
  outer: Place,
  children: CompositeSpec,
  key: string,
  { at, value }: MapEntry,
): Slot | undefined {
  const { check } = outer.context
  const [, id, end, optional] = KEY.exec(key) ?? []
  if (id === undefined) {
    return check.wrong(at, `"${key}" is not a part; write "PI", "NM?", "S0..S9" or "RF.."`)
  }
  const repeated = end === ''
  const last = repeated ? undefined : end
  const ids = last === undefined ? [id] : runOf(id, last)
  if (!ids) return check.wrong(at, `"${key}" is not a run of parts, like S0..S9`)
  const specs = ids.map(one => childOf(children, one))
  const unknown = ids[specs.indexOf(undefined)]
  if (unknown !== undefined) {
    return check.wrong(at, `part ${outer.path}.${unknown} is not in the field table`)
  }
  const name = last === undefined ? id : `${id}..${last}`
  const place: Place = {
    path: `${outer.path}.${name}`,
    optional: optional !== undefined,
    spec: specs[0] as FieldSpec,
    context: { ...outer.context, field: `${outer.context.field}.${name}` },
  }
  if (last !== undefined || repeated) {
    return compileList(frame, place, { at, value }, ids, repeated)
  }
  if (value.tag === 'map') {
    const inside = compileInside(frame, place, value)
    const { field } = place.context
    return inside && { tag: 'parts', id, field, optional: place.optional, inside }
  }
  const text = check.text(value, `part ${place.path}`)
  const piece = text && compilePiece(frame, place, text)
  return piece && { tag: 'value', id, piece }
}

/** The ids from the first to the last, which differ in their last character: 0 to 9, then A to Z. */
function runOf(first: string, last: string): readonly string[] | undefined {
  const stem = first.slice(0, -1)
  const [from, to] = [ORDER.indexOf(first.slice(-1)), ORDER.indexOf(last.slice(-1))]
  if (last.slice(0, -1) !== stem || from < 0 || to <= from) return undefined
  return Array.from(ORDER.slice(from, to + 1), character => stem + character)
}

const ORDER = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'

const LIST = /^([\w.]+)(?:\[\]\.(\w+)( .+)?| of (\S+))$/

function compileList(
  frame: Frame,
  place: Place,
  { at, value }: MapEntry,
  ids: readonly string[],
  repeated: boolean,
): Slot | undefined {
  const { context, optional } = place
  const { check } = context
  const text = check.text(value, `part ${place.path}`)
  if (!text) return undefined
  const [, path, child, format = '', layout] = LIST.exec(text.text) ?? []
  if (path === undefined || !isPath(path) || DICTIONARY[path].kind !== 'list') {
    return check.wrong(at, `"${text.text}" must be like "details[].text" or "bills of bill"`)
  }
  const prefix = `${path}[].`
  const inItem: Place = { ...place, optional: false, context: { ...context, prefix } }
  const line = layout ?? `${prefix}${child}${format}`
  const piece = compilePiece(frame, inItem, { ...text, text: line })
  if (!piece) return undefined
  context.own.add(path)
  return {
    tag: 'list',
    ids,
    repeated,
    field: context.field,
    optional,
    max: repeated ? ITEMS_MAX : ids.length,
    items: ACCESS[path as 'details'],
    make: path === 'details' ? (): Target => ({ label: '', text: '' }) : (): Target => ({}),
    piece,
  }
}

/** A part of the table, or one that the table keeps without naming it. */
function childOf(spec: CompositeSpec, id: string): FieldSpec | undefined {
  if (spec.kind === 'datasets') return datasetOf(spec, id)
  const known = spec.fields.find(field => field.id === id)
  if (known || !('unknown' in spec) || spec.unknown !== 'keep') return known
  return unnamed(id, spec.kind === 'ber-tlv' ? 'b' : 'ans')
}

function datasetOf(
  { datasets }: Extract<CompositeSpec, { kind: 'datasets' }>,
  id: string,
): FieldSpec | undefined {
  const dataset = datasets.find(({ id: range }) => {
    const [first = '', last = first] = range.split('-')
    return first <= id && id <= last
  })
  if (!dataset) return undefined
  const { fields } = dataset
  return { ...unnamed(id, 'b'), children: { kind: 'ber-tlv', fields, unknown: 'keep' } }
}

const UNNAMED_SIZE = 999

function unnamed(id: string, content: 'b' | 'ans'): FieldSpec {
  return {
    id,
    name: '',
    content,
    data: content === 'b' ? 'binary' : 'ascii',
    length: { form: 'rest' },
    unit: content === 'b' ? 'bytes' : 'characters',
    size: UNNAMED_SIZE,
  }
}
