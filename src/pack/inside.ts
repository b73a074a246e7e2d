import { NadiError } from '#base'
import type { IsoEntry, IsoPart } from '#iso8583'
import type { Message } from '#message'
import type { Access, Target } from './access.ts'
import type { Cursor } from './cursor.ts'
import type { Inside, Piece } from './plan.ts'
import type { ValueWriter } from './value-writer.ts'

/**
 * One line of a composite's mapping:
 *
 *     value   CN: customer.id                one part, one value or layout
 *     parts   F0: { 9F02: amountMinor … }    one part that has parts of its own
 *     list    S0..S9: details[].text         a run of parts, or a part that comes again and again
 */
export type Slot =
  | { readonly tag: 'value'; readonly id: string; readonly piece: Piece }
  | {
      readonly tag: 'parts'
      readonly id: string
      readonly field: string
      readonly optional: boolean
      readonly inside: Inside
    }
  | {
      readonly tag: 'list'
      /** In the order of the items; one that is repeated stands alone. */
      readonly ids: readonly string[]
      readonly repeated: boolean
      readonly field: string
      readonly optional: boolean
      readonly max: number
      readonly items: Access
      readonly make: () => Target
      /** Reads and writes one item. */
      readonly piece: Piece
    }

type ListSlot = Extract<Slot, { tag: 'list' }>

export function makeInside(field: string, slots: readonly Slot[]): Inside {
  const slotOf = new Map<string, number>()
  slots.forEach((slot, index) => {
    for (const id of idsOf(slot)) slotOf.set(id, index)
  })
  return {
    pieces: slots.flatMap(slot => (slot.tag === 'parts' ? slot.inside.pieces : [slot.piece])),
    pieceOf(ids) {
      const [id = '', ...more] = ids.split('.')
      const slot = slots[slotOf.get(id) ?? -1]
      if (slot?.tag === 'parts') return slot.inside.pieceOf(more.join('.'))
      return slot?.piece
    },
    read(parts, offset, cursor, into) {
      const found = sorted(field, slots, slotOf, parts)
      for (let i = 0; i < slots.length; i++) {
        readSlot(slots[i] as Slot, found[i] as readonly IsoPart[], offset, cursor, into)
      }
    },
    write: (writer, from) => slots.flatMap(slot => writeSlot(slot, writer, from)),
    has: from => slots.some(slot => hasSlot(slot, from)),
  }
}

function idsOf(slot: Slot): readonly string[] {
  return slot.tag === 'list' ? slot.ids : [slot.id]
}

/** The parts that stand there, by the line that they belong to. */
function sorted(
  field: string,
  slots: readonly Slot[],
  slotOf: ReadonlyMap<string, number>,
  parts: readonly IsoPart[],
): readonly (readonly IsoPart[])[] {
  const found = slots.map((): IsoPart[] => [])
  for (const part of parts) {
    const { id, offset } = part
    const index = slotOf.get(id)
    const path = `${field}.${id}`
    if (index === undefined) throw new NadiError('PACK_UNKNOWN_FIELD', { path, offset })
    const slot = slots[index] as Slot
    const mine = found[index] as IsoPart[]
    const again = mine.some(one => one.id === id)
    if (again && !(slot.tag === 'list' && slot.repeated)) {
      throw new NadiError('PACK_FORMAT', { path, offset, expected: `${id} once` })
    }
    mine.push(part)
  }
  return found
}

function readSlot(
  slot: Slot,
  parts: readonly IsoPart[],
  offset: number,
  cursor: Cursor,
  into: Message,
): void {
  const optional = slot.tag === 'value' ? slot.piece.optional : slot.optional
  const [part] = parts
  if (!part) {
    if (optional) return
    const path = slot.tag === 'value' ? slot.piece.field : slot.field
    throw new NadiError('PACK_MISSING_FIELD', { path, offset })
  }
  switch (slot.tag) {
    case 'value':
      cursor.enter(part.value, 0, part.value.length, slot.piece.field, part.offset)
      return slot.piece.read(cursor, into)
    case 'parts':
      return slot.inside.read(part.parts ?? [], part.offset, cursor, into)
    case 'list':
      return slot.items.set(into, readItems(slot, parts, cursor))
  }
}

function readItems(slot: ListSlot, parts: readonly IsoPart[], cursor: Cursor): Target[] {
  const { ids, repeated, field, max, make, piece } = slot
  const inOrder = repeated ? parts : parts.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
  return inOrder.map(({ id, value, offset }, index) => {
    const path = repeated
      ? `${field}[${index}]`
      : field.slice(0, field.lastIndexOf(`.${ids[0]}`) + 1) + id
    if (index >= max) {
      throw new NadiError('PACK_FORMAT', { path, offset, expected: `at most ${max} of them` })
    }
    if (!repeated && id !== ids[index]) {
      throw new NadiError('PACK_FORMAT', { path, offset, expected: `${ids[index]} before it` })
    }
    const item = make()
    cursor.enter(value, 0, value.length, path, offset)
    piece.read(cursor, item as Message)
    return item
  })
}

function writeSlot(slot: Slot, writer: ValueWriter, from: Message): IsoEntry[] {
  switch (slot.tag) {
    case 'value': {
      const { id, piece } = slot
      if (piece.optional && !piece.has(from)) return []
      return [{ id, value: textOf(piece, writer, from) }]
    }
    case 'parts':
      if (slot.optional && !slot.inside.has(from)) return []
      return [{ id: slot.id, value: slot.inside.write(writer, from) }]
    case 'list':
      return writeItems(slot, writer, from)
  }
}

function writeItems(slot: ListSlot, writer: ValueWriter, from: Message): IsoEntry[] {
  const { ids, repeated, field, optional, max, items, piece } = slot
  const list = (items.get(from) ?? []) as readonly Target[]
  if (list.length === 0 && !optional) throw new NadiError('PACK_MISSING_FIELD', { path: field })
  if (list.length > max) {
    const [expected, actual] = [`at most ${max} of them`, `${list.length}`]
    throw new NadiError('CODEC_VALUE', { path: field, expected, actual })
  }
  return list.map((item, index) => {
    const id = ids[repeated ? 0 : index] as string
    return { id, value: textOf(piece, writer, item as Message) }
  })
}

/** The whole value of a piece as text. */
export function textOf(piece: Piece, writer: ValueWriter, from: Message): string {
  if (!piece.text) {
    writer.begin()
    piece.write(writer, from)
    return writer.toText()
  }
  const value = piece.text(from)
  if (value !== undefined) return value
  throw new NadiError('PACK_MISSING_FIELD', { path: piece.field, expected: piece.path })
}

/** A constant says nothing by itself. */
function hasSlot(slot: Slot, from: Message): boolean {
  switch (slot.tag) {
    case 'value':
      return slot.piece.path !== 'is' && slot.piece.has(from)
    case 'parts':
      return slot.inside.has(from)
    case 'list':
      return ((slot.items.get(from) ?? []) as readonly Target[]).length > 0
  }
}
