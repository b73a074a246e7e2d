import { NadiError } from '#base'
import { Bitmap, setBit } from './bitmap.ts'
import type { Compile, Composite, Entry, EntryValue } from './composite.ts'
import type { Field } from './field.ts'
import type { Out } from './out.ts'
import { badValue, trailing, truncated } from './rejects.ts'
import type { CompositeSpec, FieldSpec } from './spec.ts'

type Positional = Extract<CompositeSpec, { kind: 'positional' }>
type Bitmapped = Extract<CompositeSpec, { kind: 'bitmapped' }>

export function compileFields(
  fields: readonly FieldSpec[],
  path: string,
  depth: number,
  compile: Compile,
): Map<string, Field> {
  return new Map(
    fields.map(spec => [spec.id, compile.field(spec, `${path}.${spec.id}`, depth + 1)]),
  )
}

/** Fields one after the other, without anything between them. */
export function positional(
  spec: Positional,
  path: string,
  depth: number,
  compile: Compile,
): Composite {
  const fields = compileFields(spec.fields, path, depth, compile)
  const order = [...fields]
  const shorter = spec.shorter || compile.lenient.has('short-composite')
  return {
    spec,
    numbered: true,
    fieldOf: id => fields.get(id),
    walk(wire, start, end, visit) {
      let at = start
      let open = false
      for (const [id, field] of order) {
        if (at === end && shorter) return
        // One that ended with the data was the last: nothing says that an empty one follows.
        if (open) throw truncated(field.path, at, 1, 0)
        const next = field.scan(wire, at, end)
        visit?.({ id, field, at, start: at, end: next })
        open = next === end && field.endsOpen(wire.bytes, at, next)
        at = next
      }
      if (at !== end) throw trailing(path, at, end - at)
    },
    write(out, entries) {
      const given = byId(entries, fields, path)
      const last = order.findLastIndex(([id]) => given.has(id))
      order.forEach(([id, field], index) => {
        if (index > last && shorter) return
        const value = given.get(id)
        // What nobody gave is empty: filled up where the field is of fixed length and says how.
        if (shorter) field.writeShown(out, value ?? '')
        else field.write(out, value ?? '')
      })
    },
  }
}

function byId(
  entries: readonly Entry[],
  fields: ReadonlyMap<string, Field>,
  path: string,
): Map<string, EntryValue> {
  const given = new Map<string, EntryValue>()
  for (const { id, value } of entries) {
    if (!fields.has(id)) throw badValue(`${path}.${id}`, 'a field of the dialect')
    if (given.has(id)) throw badValue(`${path}.${id}`, 'one value', 'several')
    given.set(id, value)
  }
  return given
}

/** The id under which bytes before a nested bitmap are told and set, in hexadecimal. */
export const HEADER_ID = 'header'

/** A bitmap of its own, then the fields that it names. */
export function bitmapped(
  spec: Bitmapped,
  path: string,
  depth: number,
  compile: Compile,
): Composite {
  const { headerBytes } = spec
  const fields = compileFields(spec.fields, path, depth, compile)
  const bitmap = new Bitmap(spec.bitmap, `${path}.bitmap`, compile.lenient.has('lower-case-hex'))
  const header = headerField(headerBytes, path, compile, depth)
  const none = spec.bitmap.encoding === 'none'
  const byNumber = numbered(fields, bitmap.numberMax)
  const inOrder = [...fields].map(([id, field]): [string, Field] => [id, field])
  return {
    spec,
    numbered: true,
    fieldOf: id => (id === HEADER_ID && headerBytes > 0 ? header : fields.get(id)),
    walk(wire, start, end, visit) {
      if (headerBytes > end - start) throw truncated(path, start, headerBytes, end - start)
      let at = start + headerBytes
      if (headerBytes > 0) visit?.({ id: HEADER_ID, field: header, at: start, start, end: at })
      if (!none) at = bitmap.read(wire, at, end)
      // Another message of this shape may lie further inside: the words are read out first.
      const numbers = none ? undefined : numbersIn(bitmap)
      const count = numbers ? numbers.length : inOrder.length
      for (let i = 0; i < count; i++) {
        if (!numbers && at === end) return
        const number = numbers ? (numbers[i] as number) : 0
        const [id, field] = numbers
          ? [String(number), byNumber[number]]
          : (inOrder[i] as [string, Field])
        if (!field) throw undefinedField(`${path}.${id}`, at)
        const next = field.scan(wire, at, end)
        visit?.({ id, field, at, start: at, end: next })
        at = next
      }
      if (at !== end) throw trailing(path, at, end - at)
    },
    write(out, entries) {
      const given = byId(
        entries.filter(({ id }) => id !== HEADER_ID || headerBytes === 0),
        fields,
        path,
      )
      if (headerBytes > 0) {
        const value = entries.find(({ id }) => id === HEADER_ID)?.value
        header.write(out, value ?? '00'.repeat(headerBytes))
      }
      if (none) return writeInOrder(out, inOrder, given)
      writeBitmapped(out, bitmap, given, byNumber)
    },
  }
}

function headerField(bytes: number, path: string, compile: Compile, depth: number): Field {
  return compile.field(
    {
      id: HEADER_ID,
      name: 'header',
      content: 'b',
      data: 'binary',
      length: { form: 'fixed' },
      unit: 'bytes',
      size: bytes,
    },
    `${path}.${HEADER_ID}`,
    depth + 1,
  )
}

/** As many as are given, and what stands between them. */
function writeInOrder(
  out: Out,
  inOrder: readonly (readonly [string, Field])[],
  given: ReadonlyMap<string, EntryValue>,
): void {
  const last = inOrder.findLastIndex(([id]) => given.has(id))
  for (const [id, field] of inOrder.slice(0, last + 1)) field.writeShown(out, given.get(id) ?? '')
}

function writeBitmapped(
  out: Out,
  bitmap: Bitmap,
  given: ReadonlyMap<string, EntryValue>,
  fields: readonly (Field | undefined)[],
): void {
  const numbers = [...given.keys()].map(Number).sort((a, b) => a - b)
  const words = new Int32Array(bitmap.words.length)
  for (const number of numbers) setBit(words, number)
  bitmap.write(out, words, bitmap.needed(numbers.at(-1) ?? 0, 1))
  for (const number of numbers)
    (fields[number] as Field).write(out, given.get(String(number)) ?? '')
}

export function undefinedField(path: string, offset: number): NadiError {
  return new NadiError('CODEC_UNDEFINED_FIELD', { path, offset })
}

/** Fields by number, up to the highest that the bitmap can name. */
export function numbered(fields: ReadonlyMap<string, Field>, most: number): (Field | undefined)[] {
  return Array.from({ length: most + 1 }, (_, number) => fields.get(String(number)))
}

/** The numbers whose bits are set, ascending. */
export function numbersIn({ words }: Bitmap): number[] {
  const numbers: number[] = []
  words.forEach((word, index) => {
    for (let rest = word; rest !== 0;) {
      const place = Math.clz32(rest)
      rest &= ~(0x80000000 >>> place)
      numbers.push(index * 32 + place + 1)
    }
  })
  return numbers
}
