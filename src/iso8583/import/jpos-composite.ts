import type { BitmapSpec, CompositeSpec, FieldSpec } from '../codec/spec.ts'
import { jposClass, simpleClassName, taggedOf, type JposClass } from './jpos-classes.ts'
import { bitmapClassOf, type CompositeReader, type JposReader } from './jpos-reader.ts'
import type { XmlElement } from './xml.ts'

/** The parts of an <isofieldpackager>, by the class that packs them; undefined leaves it opaque. */
export function compositeOf(reader: JposReader, element: XmlElement): CompositeSpec | undefined {
  const name = simpleClassName(element.attributes.get('packager') ?? '')
  const read = PACKAGERS[name]
  if (read) return read(reader, element)
  reader.note(element, `packager "${name.slice(0, 60)}" is not known; its parts are left together`)
  return undefined
}

type Reader = CompositeReader

const TAG_SIZE_MAX = 16
const PRINTABLE = /^[ -~]*$/

const BER: Reader = () => ({ kind: 'ber-tlv', fields: [], unknown: 'keep' })

const PACKAGERS: Readonly<Record<string, Reader>> = {
  GenericSubFieldPackager: (reader, element) => generic(reader, element, true),
  GenericPackager: (reader, element) => generic(reader, element, false),
  Base1SubFieldPackager(reader, element) {
    const parts = reader.byId(element)
    const bitmap = bitmapClassOf(parts.get(0))
    if (!bitmap) return positional(reader, parts, 0, true)
    return bitmapped(reader, element, parts, 0, 1, {
      ...bitmap,
      bytes: 8,
      extension: 'always',
      most: 1,
    })
  },
  CTCSubFieldPackager: (reader, element) => positional(reader, reader.byId(element), 0, true),
  CTCSubElementPackager(reader, element) {
    reader.note(element, 'jPOS writes a tag of two digits before each part but does not read it')
    return tagged(reader, element, 2)
  },
  EuroSubFieldPackager: (reader, element) => tagged(reader, element, 2),
  MasterCardEBCDICSubFieldPackager: (reader, element) => tagged(reader, element, 2),
  GICCSubFieldPackager: (reader, element) => tagged(reader, element, 2),
  TaggedSequencePackager: (reader, element) =>
    tagged(reader, element, element.attributes.get('token')?.length ?? 2),
  GenericTaggedFieldsPackager: genericTagged,
  DatasetPackager(reader, element) {
    const fields = fieldsFrom(reader, reader.byId(element), 1)
    return {
      kind: 'datasets',
      datasets: [
        { id: '01-70', name: '', form: 'tlv', fields: [] },
        { id: '71-FE', name: '', form: 'dbm', fields },
      ],
      unknown: 'keep',
    }
  },
  ICCDataPackager: BER,
  BERTLVBinaryPackager: BER,
  DefaultICCBERTLVPackager: BER,
}

/** `sub`: GenericSubFieldPackager, which has no header, no part before the bitmap, and may end early. */
function generic(reader: JposReader, element: XmlElement, sub: boolean): CompositeSpec | undefined {
  const parts = reader.byId(element)
  const bitmapId = reader.number(element, 'bitmapField') ?? 1
  const usualFirst = bitmapClassOf(parts.get(1)) ? 2 : parts.size > 1 || !parts.has(0) ? 1 : 0
  const first = reader.number(element, 'firstField') ?? usualFirst
  const bitmap = bitmapClassOf(parts.get(bitmapId))
  if (element.attributes.get('emitBitmap')?.trim() === 'false') {
    const from = !sub && parts.has(0) && !bitmapClassOf(parts.get(0)) ? 0 : first
    return positional(reader, parts, from, sub)
  }
  if (!bitmap) {
    const text = `it should have a bitmap, but ${bitmapId} is none, so jPOS cannot read it`
    reader.note(element, `${text}; its parts are taken one after the other`)
    return positional(reader, parts, 0, true)
  }
  if (!sub && parts.has(0) && bitmapId !== 0) {
    reader.note(element, 'the part 0 before its bitmap cannot be said; it is left out')
  }
  return bitmapped(reader, element, parts, bitmapId, first, bitmap, sub ? 0 : undefined)
}

function bitmapped(
  reader: JposReader,
  element: XmlElement,
  parts: ReadonlyMap<number, XmlElement>,
  bitmapId: number,
  first: number,
  bitmap: BitmapSpec,
  header?: number,
): CompositeSpec {
  const above = [...parts].filter(([id]) => id !== bitmapId && id >= first)
  const last = Math.max(0, ...above.map(([id]) => id))
  const extended = bitmap.extension === 'auto' && last > bitmap.bytes * 8
  const real = above.some(
    ([id, part]) => id === 1 && !/IF_NOP|IF_UNUSED/.test(part.attributes.get('class') ?? ''),
  )
  if (extended && real) {
    reader.note(element, 'bit 1 of its bitmap is a part and announces a second one, too')
  }
  const headerBytes = header ?? reader.number(element, 'headerLength') ?? 0
  return {
    kind: 'bitmapped',
    bitmap: extended ? bitmap : { ...bitmap, extension: 'always', most: 1 },
    headerBytes,
    fields: fieldsFrom(reader, new Map(above), first),
  }
}

function positional(
  reader: JposReader,
  parts: ReadonlyMap<number, XmlElement>,
  first: number,
  shorter: boolean,
): CompositeSpec {
  return { kind: 'positional', shorter, fields: fieldsFrom(reader, parts, first) }
}

function fieldsFrom(
  reader: JposReader,
  parts: ReadonlyMap<number, XmlElement>,
  first: number,
): FieldSpec[] {
  return [...parts].flatMap(([id, part]) => {
    const field = id < first ? undefined : reader.field(part)
    return field ? [field] : []
  })
}

/** Part 0 of such a packager has no tag: it stands first, and the tags are all that follows. */
function tagged(
  reader: JposReader,
  element: XmlElement,
  tokenSize: number,
): CompositeSpec | undefined {
  const parts = reader.byId(element)
  const lead = parts.get(0)
  const untagged =
    lead && !classOf(lead)?.tag && [...parts.values()].some(part => classOf(part)?.tag)
  if (untagged) parts.delete(0)
  const inside = sequence(reader, parts, tokenSize)
  const first = untagged ? reader.field(lead) : undefined
  if (!inside || !first || first.size === 0) return inside
  reader.note(lead as XmlElement, 'it stands before the tags: they are the parts of a part 1')
  const common = { content: 'any', data: 'ascii', unit: 'characters', size: 0 } as const
  const rest: FieldSpec = {
    id: '1',
    name: 'tags',
    ...common,
    length: { form: 'rest' },
    children: inside,
  }
  return { kind: 'positional', shorter: true, fields: [first, rest] }
}

function sequence(
  reader: JposReader,
  parts: ReadonlyMap<number, XmlElement>,
  tokenSize: number,
): CompositeSpec | undefined {
  const kinds = [...parts.values()].flatMap(part => classOf(part) ?? [])
  const kind = mostFrequent(kinds)
  if (!kind) return undefined
  const tokens = [...parts.values()].some(part => part.attributes.has('token'))
  const usual = kind.tag ?? {
    encoding: 'ascii',
    size: 2,
    order: 'tag-length',
    lengthCountsTag: false,
  }
  const tag = tokens ? { ...usual, size: tokenSize } : usual
  if (tag.size > TAG_SIZE_MAX) {
    const [part] = parts.values()
    if (part)
      reader.note(part, `tags of ${tag.size} characters cannot be said; they are left together`)
    return undefined
  }
  let unknown: 'keep' | 'error' = 'error'
  const fields: FieldSpec[] = []
  for (const part of parts.values()) {
    if (/^#+$/.test(part.attributes.get('token') ?? '')) {
      unknown = 'keep'
      continue
    }
    const own = classOf(part)
    if (own && own.length !== kind.length) {
      reader.note(part, `its length is written otherwise than that of the others; theirs is taken`)
    }
    const field = reader.value(part, tag.size)
    if (field && !(field.id.length === tag.size && PRINTABLE.test(field.id))) {
      const text = `the tag ${JSON.stringify(field.id.slice(0, 40))} is not one of ${tag.size} characters`
      reader.note(part, `${text}; it is left out`)
    } else if (field) fields.push(field)
  }
  return { ...taggedOf({ ...kind, tag }, fields), unknown }
}

function genericTagged(reader: JposReader, element: XmlElement): CompositeSpec | undefined {
  const tagSize = reader.number(element, 'tagSize')
  const lenSize = reader.number(element, 'lenSize')
  if (!tagSize || !lenSize || lenSize > 6 || tagSize > TAG_SIZE_MAX) {
    reader.note(element, 'it needs tagSize and lenSize; its parts are left together')
    return undefined
  }
  const swap = element.attributes.get('swapTagAndLen')?.trim() === 'true'
  const fields = [...reader.byId(element).values()].flatMap(part => {
    const field = reader.value(part, tagSize)
    if (!field || (field.id.length === tagSize && PRINTABLE.test(field.id))) return field ?? []
    reader.note(
      part,
      `the tag of part ${field.name.slice(0, 40)} is not one of ${tagSize} characters`,
    )
    return []
  })
  return {
    kind: 'tagged',
    tag: { encoding: 'ascii', size: tagSize },
    length: { form: 'prefix', encoding: 'ascii', digits: lenSize, inclusive: false },
    order: swap ? 'length-tag' : 'tag-length',
    lengthCountsTag: false,
    fields,
    unknown: 'keep',
  }
}

function classOf(element: XmlElement): JposClass | undefined {
  return jposClass(element.attributes.get('class') ?? '')
}

/** The class that most parts have, with a tag before one without. */
function mostFrequent(kinds: readonly JposClass[]): JposClass | undefined {
  const prefixed = kinds.filter(({ length }) => length.includes(' '))
  const withTag = prefixed.filter(({ tag }) => tag)
  const from = withTag.length > 0 ? withTag : prefixed
  const times = new Map<string, number>()
  for (const { length } of from) times.set(length, (times.get(length) ?? 0) + 1)
  return from.toSorted((a, b) => (times.get(b.length) ?? 0) - (times.get(a.length) ?? 0))[0]
}
