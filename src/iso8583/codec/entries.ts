import type { Composite, Entry, EntryValue, Part } from './composite.ts'
import type { Field } from './field.ts'
import { Out } from './out.ts'
import { badValue } from './rejects.ts'
import type { Step } from './path-text.ts'
import { wireOf } from './wire.ts'

/** The parts of a composite's value, each as its bytes lie on the wire, unknown ones too. */
export function entriesOf(field: Field, value: EntryValue): readonly Entry[] {
  const { composite } = field
  if (!composite) throw badValue(field.path, 'a field with parts')
  if (Array.isArray(value)) return value as readonly Entry[]
  const raw = value instanceof Uint8Array ? value : writtenAlone(field, value as string)
  const wire = wireOf(raw)
  const inner = field.inside(wire, field.locate(raw, 0, raw.length))
  const entries: Entry[] = []
  composite.walk(inner.wire, inner.start, inner.end, ({ id, start, end }: Part) => {
    entries.push({ id, value: inner.wire.bytes.slice(start, end) })
  })
  return entries
}

/** A field's bytes, with its length. */
function writtenAlone(field: Field, value: string): Uint8Array {
  const out = new Out()
  out.begin()
  field.write(out, value)
  return out.take()
}

/** The same parts with one of them changed, or added where it belongs. */
export function setEntry(
  value: EntryValue,
  field: Field,
  steps: readonly Step[],
  text: string,
): readonly Entry[] {
  const entries = entriesOf(field, value)
  const [{ id, index }, ...further] = steps as [Step, ...Step[]]
  const part = partOf(field.composite as Composite, field, id)
  let left = index
  const at = entries.findIndex(entry => entry.id === id && left-- === 0)
  const before = at < 0 ? [] : (entries[at] as Entry).value
  const after = further.length === 0 ? text : setEntry(before, part, further, text)
  const entry = { id, value: after }
  return at < 0 ? [...entries, entry] : entries.with(at, entry)
}

function partOf(composite: Composite, field: Field, id: string): Field {
  const part = composite.fieldOf(id)
  if (!part) throw badValue(`${field.path}.${id}`, 'a part of the dialect')
  return part
}
