import { type Compile, type Composite, DEPTH_MAX, type EntryValue } from './composite.ts'
import type { Field } from './field.ts'
import { berLength, berLengthBytes, readBerLength } from './lengths.ts'
import { compileFields, undefinedField } from './numbered.ts'
import type { Out } from './out.ts'
import { badLength, badValue, truncated } from './rejects.ts'
import type { CompositeSpec, FieldSpec, UnknownTags } from './spec.ts'
import { hexText } from './text.ts'
import type { Wire } from './wire.ts'

type BerTlv = Extract<CompositeSpec, { kind: 'ber-tlv' }>

/** The largest part of any composite; lengths above cannot be in a frame. */
export const PART_BYTES_MAX = 2 ** 31 - 1
/** Tags of more bytes than this are not taken. */
const TAG_BYTES_MAX = 4

/** What a tag that the spec does not name is: bytes. */
export function unknownSpec(id: string): FieldSpec {
  return {
    id,
    name: 'unknown tag',
    content: 'b',
    data: 'binary',
    length: { form: 'rest' },
    unit: 'bytes',
    size: PART_BYTES_MAX,
  }
}

/**
 * BER-TLV (ITU-T X.690, EMV): tag, length, value, and again until the end.
 *
 *     ┌────────────────┬──────────┬──────────────┐   tag: low five bits all set: more bytes follow,
 *     │ tag 1‥4 bytes  │ length   │ value        │   each but the last with its highest bit set;
 *     └────────────────┴──────────┴──────────────┘   bit 0x20: the value holds further TLVs
 *
 * A constructed tag that the spec does not name is gone into when its inside is well formed, so that
 * what it holds is found, checked and masked (errors in there have `*` for its tag); otherwise it is
 * kept as bytes.
 */
export function berTlv(spec: BerTlv, path: string, depth: number, compile: Compile): Composite {
  return berTlvOf(spec, spec.fields, spec.unknown, path, depth, compile)
}

export function berTlvOf(
  spec: CompositeSpec,
  specs: readonly FieldSpec[],
  unknown: UnknownTags,
  path: string,
  depth: number,
  compile: Compile,
): Composite {
  const fields = compileFields(specs, path, depth, compile)
  const byTag = new Map([...fields].map(([id, field]) => [parseInt(id, 16), { id, field }]))
  const padding = compile.lenient.has('tlv-padding')

  // One for all unknown templates, made when the first is met: senders choose how many there are.
  let inside: Composite | undefined
  const insideTemplate = (): Composite =>
    (inside ??= berTlvOf(spec, specs, unknown, `${path}.*`, depth + 1, compile))
  const other = (id: string, template: boolean): Field =>
    compile.field(
      unknownSpec(id),
      `${path}.${id}`,
      depth + 1,
      template ? insideTemplate() : undefined,
    )

  return {
    spec,
    numbered: false,
    fieldOf(id) {
      const known = fields.get(id)
      if (known || unknown === 'error' || !isTag(id)) return known
      return other(id, isConstructed(id) && depth < DEPTH_MAX)
    },
    walk(wire, start, end, visit) {
      const { bytes } = wire
      let at = start
      while (at < end) {
        if (padding && bytes[at] === 0) {
          at++
          continue
        }
        const lengthAt = tagEnd(bytes, at, end, path)
        const valueAt = lengthEnd(bytes, lengthAt, end, path)
        const length = readBerLength(bytes, lengthAt, valueAt - lengthAt)
        if (length > end - valueAt) throw truncated(path, valueAt, length, end - valueAt)
        const next = valueAt + length
        const known = byTag.get(tagNumber(bytes, at, lengthAt))
        if (known) {
          scanWhole(known.field, wire, valueAt, next)
          visit?.({ id: known.id, field: known.field, at, start: valueAt, end: next })
        } else {
          if (unknown === 'error')
            throw undefinedField(`${path}.${hexText(bytes, at, lengthAt)}`, at)
          const template = isTemplate(wire, at, valueAt, next, depth, padding)
          if (visit || template) {
            const id = hexText(bytes, at, lengthAt)
            const field = other(id, template)
            if (template) scanWhole(field, wire, valueAt, next)
            visit?.({ id, field, at, start: valueAt, end: next })
          }
        }
        at = next
      }
    },
    write(out, entries) {
      for (const { id, value } of entries) {
        const field = fieldToWrite(fields.get(id), id, value, path, unknown, other)
        for (let i = 0; i < id.length; i += 2) out.byte(parseInt(id.slice(i, i + 2), 16))
        writeWithBerLength(out, field, value)
      }
    },
  }
}

/** What follows in a TLV must be one field and nothing else. */
export function scanWhole(field: Field, wire: Wire, start: number, end: number): void {
  const at = field.scan(wire, start, end)
  if (at !== end) throw badLength(field.path, start, `${at - start} bytes`, end - start)
}

function fieldToWrite(
  known: Field | undefined,
  id: string,
  value: EntryValue,
  path: string,
  unknown: UnknownTags,
  other: (id: string, template: boolean) => Field,
): Field {
  if (known) return known
  if (unknown === 'error' || !isTag(id)) throw badValue(`${path}.${id}`, 'a tag of the dialect')
  return other(id, Array.isArray(value))
}

export function writeWithBerLength(out: Out, field: Field, value: EntryValue): void {
  const at = out.at
  field.write(out, value)
  out.insert(at, berLength(out.at - at))
}

/** Whether an unknown tag is constructed and holds nothing but well-formed TLVs. */
function isTemplate(
  wire: Wire,
  at: number,
  start: number,
  end: number,
  depth: number,
  padding: boolean,
): boolean {
  if (((wire.bytes[at] as number) & 0x20) === 0) return false
  return wellFormed(wire.bytes, start, end, depth + 1, padding)
}

function wellFormed(
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
  padding: boolean,
): boolean {
  if (depth >= DEPTH_MAX) return false
  let at = start
  while (at < end) {
    if (padding && bytes[at] === 0) {
      at++
      continue
    }
    const tag = tagEndOr(bytes, at, end)
    if (tag < 0 || tag >= end) return false
    const count = berLengthBytes(bytes[tag] as number)
    if (count < 0 || count > end - tag) return false
    const length = readBerLength(bytes, tag, count)
    if (length > end - tag - count) return false
    at = tag + count + length
  }
  return true
}

/** Where the tag that begins at `at` ends; -1 when it is none or has no end. */
function tagEndOr(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number
  if (first === 0) return -1
  if ((first & 0x1f) !== 0x1f) return at + 1
  for (let place = at + 1; place < end && place < at + TAG_BYTES_MAX; place++) {
    if (((bytes[place] as number) & 0x80) === 0) return place + 1
  }
  return -1
}

function tagEnd(bytes: Uint8Array, at: number, end: number, path: string): number {
  const to = tagEndOr(bytes, at, end)
  if (to >= 0) return to
  if (bytes[at] !== 0 && end - at < TAG_BYTES_MAX) throw truncated(path, at, end - at + 1, end - at)
  throw badLength(path, at, 'a tag of BER-TLV', 'something else')
}

function lengthEnd(bytes: Uint8Array, at: number, end: number, path: string): number {
  if (at >= end) throw truncated(path, at, 1, 0)
  const count = berLengthBytes(bytes[at] as number)
  if (count < 0) throw badLength(path, at, 'a BER length of at most 4 bytes', 'something else')
  if (count > end - at) throw truncated(path, at, count, end - at)
  return at + count
}

function tagNumber(bytes: Uint8Array, start: number, end: number): number {
  let tag = 0
  for (let at = start; at < end; at++) tag = tag * 256 + (bytes[at] as number)
  return tag
}

/** Whether a text is one whole tag in upper-case hexadecimal. */
export function isTag(id: string): boolean {
  if (!/^([0-9A-F]{2}){1,4}$/.test(id)) return false
  const bytes = Buffer.from(id, 'hex')
  return tagEndOr(bytes, 0, bytes.length) === bytes.length
}

function isConstructed(id: string): boolean {
  return (parseInt(id.slice(0, 2), 16) & 0x20) !== 0
}
