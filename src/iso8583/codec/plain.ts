import type { PlainMessage, PlainValue } from './codec.ts'
import type { Composite, Entry, EntryValue } from './composite.ts'
import type { Draft } from './draft.ts'
import type { Field } from './field.ts'
import type { Message } from './message.ts'
import { badValue } from './rejects.ts'
import { hexText } from './text.ts'
import { type Wire, WIRE } from './wire.ts'

/**
 * Plain values hold parts by id. Ids that look like numbers come first in JavaScript's objects, so
 * where that, or a repeated tag, would change the order on the wire, the order stands beside them.
 */
export const ORDER_KEY = '$order'

export function plainOf(message: Message): PlainMessage {
  const fields: Record<string, PlainValue> = {}
  WIRE.load(message.frame)
  for (const number of message.numbers) {
    const field = message.fieldOf(number) as Field
    fields[number] = plainValue(field, WIRE, message.startOf(number), message.endOf(number))
  }
  const { header, mti } = message
  return header.length === 0
    ? { mti, fields }
    : { header: hexText(header, 0, header.length), mti, fields }
}

/** The value of the field that begins at `at`: its text, or its parts. */
export function plainValue(field: Field, wire: Wire, at: number, end: number): PlainValue {
  const { composite } = field
  if (!composite) return field.read(wire.bytes, at, end)
  const inner = field.inside(wire, field.locate(wire.bytes, at, end))
  const ids: string[] = []
  const values: Record<string, PlainValue> = {}
  composite.walk(inner.wire, inner.start, inner.end, part => {
    const value = plainValue(part.field, inner.wire, part.start, part.end)
    const before = Object.hasOwn(values, part.id) ? values[part.id] : undefined
    if (before === undefined) define(values, part.id, value)
    else values[part.id] = Array.isArray(before) ? [...before, value] : [before, value]
    ids.push(part.id)
  })
  const told = Object.keys(values).flatMap(id => repeated(values[id], id))
  if (!composite.numbered && ids.some((id, index) => id !== told[index])) values[ORDER_KEY] = ids
  return values
}

/** Ids come from the wire: `__proto__` is one like any other. */
function define(values: Record<string, PlainValue>, id: string, value: PlainValue): void {
  Object.defineProperty(values, id, { value, enumerable: true, writable: true, configurable: true })
}

/** Puts plain values into a draft. Throws CODEC_VALUE with the path of what does not fit. */
export function fillPlain(
  draft: Draft,
  fields: PlainMessage['fields'],
  fieldOf: (number: number) => Field | undefined,
): void {
  if (!isMap(fields)) throw badValue('fields', 'data elements by number')
  for (const [id, value] of Object.entries(fields)) {
    const number = /^[1-9][0-9]{0,2}$/.test(id) ? Number(id) : 0
    const field = fieldOf(number)
    if (!field) throw badValue(id, 'a data element of the dialect')
    draft.put(number, entryValue(field, value))
  }
}

function entryValue(field: Field, value: PlainValue): EntryValue {
  if (typeof value === 'string') return value
  const { composite } = field
  if (!composite || !isMap(value)) {
    throw badValue(field.path, composite ? 'a text or parts by id' : 'a text')
  }
  return partsOf(field, composite, value)
}

/** Values come from files and other programs, too. */
function isMap(value: unknown): value is { readonly [id: string]: PlainValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function partsOf(
  field: Field,
  composite: Composite,
  values: { readonly [id: string]: PlainValue },
): readonly Entry[] {
  const entries: Entry[] = []
  const taken = new Map<string, number>()
  const ids = Object.keys(values).filter(id => id !== ORDER_KEY)
  for (const id of orderOf(values) ?? ids.flatMap(id => repeated(values[id], id))) {
    const part = composite.fieldOf(id)
    if (!part) throw badValue(`${field.path}.${id}`, 'a part of the dialect')
    const value = Object.hasOwn(values, id) ? values[id] : undefined
    const index = taken.get(id) ?? 0
    taken.set(id, index + 1)
    const one = Array.isArray(value) ? (value as readonly PlainValue[])[index] : value
    if (one === undefined) throw badValue(`${field.path}.${id}`, 'a value')
    entries.push({ id, value: entryValue(part, one) })
  }
  const missing = ids.find(id => taken.get(id) !== repeated(values[id], id).length)
  if (missing !== undefined) throw badValue(`${field.path}.${missing}`, `a place in ${ORDER_KEY}`)
  return entries
}

function orderOf(values: { readonly [id: string]: PlainValue }): readonly string[] | undefined {
  const order: unknown = values[ORDER_KEY]
  return isTexts(order) ? order : undefined
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(one => typeof one === 'string')
}

function repeated(value: PlainValue | undefined, id: string): string[] {
  return Array.isArray(value) ? value.map(() => id) : [id]
}
