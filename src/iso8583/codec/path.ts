import type { IsoMessage, IsoPath } from './codec.ts'
import { findPart } from './composite.ts'
import type { Field } from './field.ts'
import type { Layout } from './layout.ts'
import { Message } from './message.ts'
import { noSuchPath, parsePath, type Step } from './path-text.ts'
import { type Wire, WIRE } from './wire.ts'

type Place = {
  readonly field: Field
  readonly wire: Wire
  readonly at: number
  readonly end: number
}

/** Resolves a path once. Throws CODEC_PATH when the dialect cannot have such a field. */
export function compilePath(layout: Layout, text: string): IsoPath {
  const { number, steps } = parsePath(text)
  if (!canBe(layout, number, steps)) throw noSuchPath(text)
  if (steps.length === 0) {
    return { text, read: message => message.get(number), readBytes: message => message.raw(number) }
  }
  const find = (message: IsoMessage): Place | undefined =>
    message instanceof Message ? placeOf(message, number, steps) : undefined
  return {
    text,
    read(message) {
      const place = find(message)
      return place?.field.read(place.wire.bytes, place.at, place.end)
    },
    readBytes(message) {
      const place = find(message)
      if (!place) return undefined
      const { start, end } = place.field.locate(place.wire.bytes, place.at, place.end)
      // The frame's own bytes where they lie there; what was decoded on the way is a copy.
      return place.wire === WIRE
        ? message.frame.subarray(start, end)
        : place.wire.bytes.slice(start, end)
    },
  }
}

/** Whether the table, or one of its overlays, has such a field. */
function canBe({ fields, overlays }: Layout, number: number, steps: readonly Step[]): boolean {
  const tops = [fields[number], ...overlays.map(overlay => overlay.fields.get(number))]
  return tops.some(top => {
    let field = top
    for (const { id } of steps) field = field?.composite?.fieldOf(id)
    return field !== undefined
  })
}

function placeOf(message: Message, number: number, steps: readonly Step[]): Place | undefined {
  if (!message.has(number)) return undefined
  WIRE.load(message.frame)
  let place: Place = {
    field: message.fieldOf(number) as Field,
    wire: WIRE,
    at: message.startOf(number),
    end: message.endOf(number),
  }
  for (const { id, index } of steps) {
    const { field } = place
    if (!field.composite) return undefined
    const inner = field.inside(place.wire, field.locate(place.wire.bytes, place.at, place.end))
    const part = findPart(field.composite, inner.wire, inner.start, inner.end, id, index)
    if (!part) return undefined
    place = { field: part.field, wire: inner.wire, at: part.start, end: part.end }
  }
  return place
}
