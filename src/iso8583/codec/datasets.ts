import type { Compile, Composite, Entry, EntryValue } from './composite.ts'
import type { Field } from './field.ts'
import { compileFields, undefinedField } from './numbered.ts'
import type { Out } from './out.ts'
import { badLength, badValue, truncated } from './rejects.ts'
import type { CompositeSpec, DatasetSpec } from './spec.ts'
import { berTlvOf, scanWhole, unknownSpec } from './tlv.ts'
import type { Wire } from './wire.ts'

type Datasets = Extract<CompositeSpec, { kind: 'datasets' }>

const ENVELOPE_BYTES = 3

/**
 * Datasets of ISO 8583:2003 and 2023:
 *
 *     ┌────┬────────┬─────────────────────┐   form tlv: BER-TLV until the end
 *     │ id │ length │ content             │   form dbm: a bitmap of its own kind, then the elements
 *     │ 1  │ 2      │                     │             it names, and TLVs behind them if it says so
 *     └────┴────────┴─────────────────────┘
 */
export function datasets(spec: Datasets, path: string, depth: number, compile: Compile): Composite {
  const known = new Map<string, Field>()
  for (const dataset of spec.datasets) {
    for (const id of idsOf(dataset)) {
      const at = `${path}.${id}`
      const inside = insideOf(dataset, spec, at, depth + 1, compile)
      known.set(
        id,
        compile.field({ ...unknownSpec(id), name: dataset.name }, at, depth + 1, inside),
      )
    }
  }
  const other = (id: string): Field => compile.field(unknownSpec(id), `${path}.${id}`, depth + 1)
  return {
    spec,
    numbered: false,
    fieldOf(id) {
      const field = known.get(id)
      return field ?? (spec.unknown === 'keep' && isDatasetId(id) ? other(id) : undefined)
    },
    walk(wire, from, to, visit) {
      for (let at = from; at < to;) {
        const { bytes } = wire
        if (ENVELOPE_BYTES > to - at) throw truncated(path, at, ENVELOPE_BYTES, to - at)
        const id = hexByte(bytes[at] as number)
        const count = ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
        const start = at + ENVELOPE_BYTES
        if (count === 0) throw badLength(`${path}.${id}`, at + 1, 'at least 1', 0)
        if (count > to - start) throw truncated(`${path}.${id}`, start, count, to - start)
        const field = known.get(id)
        if (!field && spec.unknown === 'error') throw undefinedField(`${path}.${id}`, at)
        if (field) scanWhole(field, wire, start, start + count)
        visit?.({ id, field: field ?? other(id), at, start, end: start + count })
        at = start + count
      }
    },
    write(out, entries) {
      for (const { id, value } of entries) {
        const field = known.get(id) ?? (isDatasetId(id) ? other(id) : undefined)
        if (!field || (!known.has(id) && spec.unknown === 'error')) {
          throw badValue(`${path}.${id}`, 'a dataset of the dialect')
        }
        writeDataset(out, field, id, value)
      }
    },
  }
}

function writeDataset(out: Out, field: Field, id: string, value: EntryValue): void {
  out.byte(parseInt(id, 16))
  const at = out.at
  out.room(2)
  out.at += 2
  field.write(out, value)
  const count = out.at - at - 2
  if (count < 1 || count > 0xffff) throw badValue(field.path, '1 to 65535 bytes', String(count))
  out.bytes[at] = count >> 8
  out.bytes[at + 1] = count
}

/** One id, or all of a range: `71-FE`. */
function idsOf({ id }: DatasetSpec): string[] {
  const [from, to = from] = id.split('-') as [string, string?]
  const first = parseInt(from, 16)
  const length = Math.max(0, parseInt(to, 16) - first + 1)
  return Array.from({ length }, (_, i) => hexByte(first + i))
}

function insideOf(
  dataset: DatasetSpec,
  spec: Datasets,
  path: string,
  depth: number,
  compile: Compile,
): Composite {
  const tags = dataset.fields.filter(({ id }) => dataset.form === 'tlv' || !isElementId(id))
  const tlv = berTlvOf(spec, tags, spec.unknown, path, depth, compile)
  if (dataset.form === 'tlv') return tlv
  const elements = dataset.fields.filter(({ id }) => isElementId(id))
  return dbm(spec, compileFields(elements, path, depth, compile), tlv, path)
}

/**
 * Elements of a bitmap are numbered 1 to 39. What looks like a number above is a tag: those of BER
 * that are used here are of the classes above the universal one, so they begin at 40.
 */
function isElementId(id: string): boolean {
  return /^(?:[1-9]|[123][0-9])$/.test(id)
}

function isDatasetId(id: string): boolean {
  return /^[0-9A-F]{2}$/.test(id)
}

function hexByte(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}

/**
 * The bitmap of a dataset: 16 bits, then words of 8. The first bit of each says that one more word
 * follows; the last bit of the last says that TLVs follow the elements. All other bits are elements,
 * counted from 1: 14 in a single word; 15, 7, …, 6 in several.
 */
function dbm(
  spec: Datasets,
  fields: ReadonlyMap<string, Field>,
  tlv: Composite,
  path: string,
): Composite {
  return {
    spec,
    numbered: true,
    fieldOf: id => fields.get(id) ?? (isElementId(id) ? undefined : tlv.fieldOf(id)),
    walk(wire, start, end, visit) {
      const { numbers, more, next } = readDbm(wire, start, end, path)
      let at = next
      for (const number of numbers) {
        const id = String(number)
        const field = isElementId(id) ? fields.get(id) : undefined
        if (!field) throw undefinedField(`${path}.${id}`, at)
        const to = field.scan(wire, at, end)
        visit?.({ id, field, at, start: at, end: to })
        at = to
      }
      if (!more && at !== end) throw badLength(path, at, 'the end', `${end - at} more bytes`)
      if (more) tlv.walk(wire, at, end, visit)
    },
    write(out, entries) {
      const elements = entries
        .filter(({ id }) => isElementId(id))
        .sort((a, b) => Number(a.id) - Number(b.id))
      const tags = entries.filter(({ id }) => !isElementId(id))
      for (const byte of dbmOf(elements, tags.length > 0, path)) out.byte(byte)
      for (const { id, value } of elements) {
        const field = fields.get(id)
        if (!field) throw badValue(`${path}.${id}`, 'an element of the dataset')
        field.write(out, value)
      }
      tlv.write(out, tags)
    },
  }
}

function readDbm({ bytes }: Wire, start: number, end: number, path: string) {
  const numbers: number[] = []
  let number = 0
  let at = start
  let more = true
  let bits = 0
  for (let size = 16; more; size = 8) {
    const count = size / 8
    if (count > end - at) throw truncated(path, at, count, end - at)
    bits =
      size === 16 ? ((bytes[at] as number) << 8) | (bytes[at + 1] as number) : (bytes[at] as number)
    at += count
    more = bits >> (size - 1) !== 0
    for (let place = size - 2; place >= (more ? 0 : 1); place--) {
      number++
      if ((bits >> place) & 1) numbers.push(number)
    }
  }
  return { numbers, more: (bits & 1) === 1, next: at }
}

function dbmOf(elements: readonly Entry[], tags: boolean, path: string): number[] {
  const numbers = elements.map(({ id }) => Number(id))
  const twice = numbers.find((number, index) => numbers.indexOf(number) !== index)
  if (twice !== undefined) throw badValue(`${path}.${twice}`, 'one value', 'several')
  const highest = numbers.at(-1) ?? 0
  // Words of 8 bits behind the first: each more adds 7, and frees the last bit of the one before.
  const words = highest <= 14 ? 0 : Math.ceil((highest - 14) / 7)
  const bytes = [0, 0, ...Array.from({ length: words }, () => 0)]
  const set = (byte: number, bit: number): void => {
    bytes[byte] = (bytes[byte] as number) | (0x80 >> bit)
  }
  for (const number of numbers) {
    if (number <= 15 && (words > 0 || number <= 14)) set(number >> 3, number & 7)
    else set(2 + Math.floor((number - 16) / 7), ((number - 16) % 7) + 1)
  }
  for (let i = 0; i < words; i++) set(i === 0 ? 0 : i + 1, 0)
  if (tags) set(bytes.length - 1, 7)
  return bytes
}
