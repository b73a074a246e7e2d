import type { IsoPart } from './codec.ts'
import type { Field } from './field.ts'
import type { Message } from './message.ts'
import { type Wire, WIRE } from './wire.ts'

/** The parts of a data element as they stand, or undefined when it is not there or has none. */
export function partsOf(message: Message, number: number): readonly IsoPart[] | undefined {
  if (!message.has(number)) return undefined
  WIRE.load(message.frame)
  const field = message.fieldOf(number) as Field
  return inside(field, WIRE, message.startOf(number), message.endOf(number), undefined)
}

/** `around` is where the hexadecimal begins that these bytes were made from. */
function inside(
  field: Field,
  wire: Wire,
  at: number,
  end: number,
  around: number | undefined,
): readonly IsoPart[] | undefined {
  const { composite } = field
  if (!composite) return undefined
  const parts: IsoPart[] = []
  const span = field.locate(wire.bytes, at, end)
  const inner = field.inside(wire, span)
  const place = around ?? (inner.wire === wire ? undefined : span.start)
  composite.walk(inner.wire, inner.start, inner.end, part => {
    const { bytes } = inner.wire
    const { start } = part.field.locate(bytes, part.start, part.end)
    const further = inside(part.field, inner.wire, part.start, part.end, place)
    const value = further ? '' : part.field.read(bytes, part.start, part.end)
    parts.push({ id: part.id, value, offset: place ?? start, parts: further })
  })
  return parts
}
