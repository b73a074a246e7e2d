import type { Compile, Composite, Entry } from './composite.ts'
import { compileData, type Data } from './data.ts'
import type { Field } from './field.ts'
import { berLength, berLengthBytes, compilePrefix, readBerLength } from './lengths.ts'
import { compileFields, undefinedField } from './numbered.ts'
import type { Out } from './out.ts'
import { badLength, badValue, truncated } from './rejects.ts'
import type { CompositeSpec, FieldSpec } from './spec.ts'
import { scanWhole, unknownSpec } from './tlv.ts'
import type { Wire } from './wire.ts'

type Tagged = Extract<CompositeSpec, { kind: 'tagged' }>

/**
 * Tags and lengths of fixed width, in either order, until the end:
 *
 *     tag-length   ┌─────┬────────┬───────┐      length-tag   ┌────────┬─────┬───────┐
 *                  │ tag │ length │ value │                   │ length │ tag │ value │
 *                  └─────┴────────┴───────┘                   └────────┴─────┴───────┘
 *
 * The length counts bytes of the value, with those of the tag where `lengthCountsTag`. A value of an
 * unknown tag is told as text of the tag's own encoding, or in hexadecimal behind a binary tag.
 */
export function tagged(spec: Tagged, path: string, depth: number, compile: Compile): Composite {
  const fields = compileFields(spec.fields, path, depth, compile)
  const tag = tagOf(spec, path)
  const length = lengthOf(spec, path)
  const tagFirst = spec.order === 'tag-length'
  const other = (id: string): Field =>
    compile.field(unknownOf(spec, id), `${path}.${id}`, depth + 1)

  const partAt = (wire: Wire, at: number, end: number) => {
    const { bytes } = wire
    const tagAt = tagFirst ? at : at + length.bytesAt(bytes, at, end)
    if (tag.bytes > end - tagAt) throw truncated(path, tagAt, tag.bytes, end - tagAt)
    const lengthAt = tagFirst ? at + tag.bytes : at
    const lengthBytes = length.bytesAt(bytes, lengthAt, end)
    const count = valueBytes(length.read(bytes, lengthAt, lengthBytes), lengthAt)
    const start = at + tag.bytes + lengthBytes
    if (count > end - start) throw truncated(path, start, count, end - start)
    return { id: tag.read(wire, tagAt), start, end: start + count }
  }

  const valueBytes = (told: number, at: number): number => {
    const count = spec.lengthCountsTag ? told - tag.bytes : told
    if (count < 0) throw badLength(path, at, `at least ${tag.bytes}`, told)
    return count
  }

  return {
    spec,
    numbered: false,
    fieldOf(id) {
      const known = fields.get(tag.named(id))
      return (
        known ?? (spec.unknown === 'keep' && tag.wrong(id) === undefined ? other(id) : undefined)
      )
    },
    walk(wire, start, end, visit) {
      for (let at = start; at < end;) {
        const part = partAt(wire, at, end)
        const known = fields.get(part.id)
        if (!known && spec.unknown === 'error') throw undefinedField(`${path}.${part.id}`, at)
        if (known) scanWhole(known, wire, part.start, part.end)
        visit?.({ ...part, field: known ?? other(part.id), at })
        at = part.end
      }
    },
    write(out, entries) {
      for (const entry of entries) writeEntry(out, entry)
    },
  }

  function writeEntry(out: Out, { id, value }: Entry): void {
    const known = fields.get(tag.named(id))
    const wrong = tag.wrong(id)
    if (wrong !== undefined) throw badValue(`${path}.${id}`, wrong)
    if (!known && spec.unknown === 'error') throw badValue(`${path}.${id}`, 'a tag of the dialect')
    const at = out.at
    if (tagFirst) tag.write(out, id)
    const lengthAt = out.at
    const room = length.reserve(out)
    if (!tagFirst) tag.write(out, id)
    const valueAt = out.at
    ;(known ?? other(id)).write(out, value)
    const count = out.at - valueAt + (spec.lengthCountsTag ? tag.bytes : 0)
    if (count > length.most) throw badValue(`${path}.${id}`, `at most ${length.most} bytes`)
    length.write(out, lengthAt, room, count, at)
  }
}

/** What a tag looks like on the wire and as an id. */
function tagOf({ tag, fields }: Tagged, path: string) {
  const binary = tag.encoding === 'binary'
  const spec: FieldSpec = {
    id: 'tag',
    name: 'tag',
    content: binary ? 'b' : tag.encoding === 'bcd-left-0' ? 'n' : 'any',
    data: tag.encoding,
    length: { form: 'fixed' },
    unit: binary ? 'bytes' : 'characters',
    size: tag.size,
  }
  const options = { path: `${path}.tag`, anyContent: false, lowerCaseHex: false }
  const data: Data = compileData(spec, options)
  const bytes = data.bytesOf(tag.size)
  const characters = data.charactersOf(tag.size)
  // Tables may write short tags without their leading zeros: `2` for `02`.
  const short = new Map(fields.map(({ id }) => [id.padStart(characters, '0'), id]))
  const whole = (id: string): string => (short.get(id) === id ? id : id.padStart(characters, '0'))
  return {
    bytes,
    /** As the table names it: `2` and `02` are the same tag on the wire. */
    named: (id: string): string => short.get(whole(id)) ?? id,
    read(wire: Wire, at: number): string {
      data.check(wire, at, at + bytes, tag.size)
      const text = data.read(wire.bytes, at, at + bytes, tag.size)
      return short.get(text) ?? text
    },
    wrong(id: string): string | undefined {
      const text = whole(id)
      return text.length === characters ? data.wrong(text) : `a tag of ${characters} characters`
    },
    write(out: Out, id: string): void {
      data.write(out, whole(id))
    },
  }
}

function unknownOf({ tag }: Tagged, id: string): FieldSpec {
  const bytes = unknownSpec(id)
  if (tag.encoding === 'binary' || tag.encoding === 'bcd-left-0') return bytes
  return { ...bytes, content: 'any', data: tag.encoding, unit: 'characters' }
}

/** The length behind or before the tag: a prefix of fixed width, or that of BER. */
function lengthOf({ length }: Tagged, path: string) {
  if (length.form === 'prefix') {
    const prefix = compilePrefix(length)
    const more = length.inclusive ? prefix.bytes : 0
    return {
      most: prefix.most - more,
      bytesAt(_bytes: Uint8Array, at: number, end: number): number {
        if (prefix.bytes > end - at) throw truncated(path, at, prefix.bytes, end - at)
        return prefix.bytes
      },
      read(bytes: Uint8Array, at: number, _count: number): number {
        const told = prefix.read(bytes, at)
        if (told < more) {
          throw badLength(path, at, `${prefix.text} of length`, told < 0 ? 'something else' : told)
        }
        return told - more
      },
      reserve(out: Out): number {
        out.room(prefix.bytes)
        out.at += prefix.bytes
        return prefix.bytes
      },
      write(out: Out, at: number, _room: number, count: number, _start: number): void {
        prefix.write(out.bytes, at, count + more)
      },
    }
  }
  return {
    most: 2 ** 31 - 1,
    bytesAt(bytes: Uint8Array, at: number, end: number): number {
      if (at >= end) throw truncated(path, at, 1, 0)
      const count = berLengthBytes(bytes[at] as number)
      if (count < 0) throw badLength(path, at, 'a BER length of at most 4 bytes', 'something else')
      if (count > end - at) throw truncated(path, at, count, end - at)
      return count
    },
    read: (bytes: Uint8Array, at: number, count: number) => readBerLength(bytes, at, count),
    reserve: (_out: Out) => 0,
    write(out: Out, at: number, _room: number, count: number, _start: number): void {
      out.insert(at, berLength(count))
    },
  }
}
