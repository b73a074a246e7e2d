import type { BitmapSpec, CompositeSpec, FieldSpec, MessageSpec, MtiSpec } from '../codec/spec.ts'
import {
  bitmapSpecOfJposClass,
  fieldSpecOfJposClass,
  INEXPRESSIBLE_CLASSES,
  jposClass,
  lengthMaxOf,
  MEANT_CLASSES,
  simpleClassName,
  valueSpecOfJposClass,
  type JposField,
} from './jpos-classes.ts'
import { asElement, tidyName, type Note } from './result.ts'
import type { XmlElement } from './xml.ts'

/** Reads the parts of an element by the class that packs them; undefined leaves them together. */
export type CompositeReader = (reader: JposReader, element: XmlElement) => CompositeSpec | undefined

/** Goes through one file and gathers the notes about it. */
export class JposReader {
  readonly notes: Note[] = []
  readonly #path: string
  readonly #compositeOf: CompositeReader

  constructor(path: string, compositeOf: CompositeReader) {
    this.#path = path
    this.#compositeOf = compositeOf
  }

  note(element: XmlElement, text: string): void {
    this.notes.push({ path: `${this.#path}:${element.line}`, text })
  }

  message(root: XmlElement): MessageSpec {
    const elements = this.byId(root)
    const bitmapId = this.number(root, 'bitmapField') ?? 1
    const bitmap = this.#messageBitmap(root, elements.get(bitmapId))
    const isBitmap = bitmapClassOf(elements.get(bitmapId)) !== undefined
    const { tertiaryField } = bitmap
    const open = bitmap.encoding === 'none' || tertiaryField !== undefined
    const last = open ? 192 : bitmap.most * bitmap.bytes * 8
    const fields: FieldSpec[] = []
    for (const [id, element] of elements) {
      if (id === 0 || id === tertiaryField || (id === bitmapId && isBitmap)) continue
      if (id > last) {
        this.note(element, `no bitmap can announce element ${id}; it is left out`)
        continue
      }
      const field = this.field(element)
      if (field) fields.push(asElement(field))
    }
    const name = this.#path.slice(this.#path.lastIndexOf('/') + 1).replace(/\.xml$/i, '')
    return {
      name,
      title: `${name}, imported from jPOS`,
      headerBytes: this.number(root, 'headerLength') ?? 0,
      mti: mtiOf(elements.get(0)),
      bitmap,
      fields,
      overlays: [],
    }
  }

  /** The parts of an element by id, ascending; of two with the same id the last one holds. */
  byId(parent: XmlElement): Map<number, XmlElement> {
    const found = new Map<number, XmlElement>()
    for (const element of parent.children) {
      if (element.name !== 'isofield' && element.name !== 'isofieldpackager') {
        this.note(
          element,
          `<${element.name.slice(0, 40)}> is passed over: a spec has no validators`,
        )
        continue
      }
      const id = this.number(element, 'id')
      if (id === undefined) this.note(element, 'it has no id; it is left out')
      else if (found.has(id)) {
        this.note(element, `id ${id} is there twice; this one, the last, holds`)
        found.set(id, element)
      } else found.set(id, element)
    }
    return new Map([...found].toSorted(([a], [b]) => a - b))
  }

  /** The field that an element means, or undefined when it means none; that is noted. */
  field(element: XmlElement): FieldSpec | undefined {
    const read = this.read(element)
    if (!read) return undefined
    const { className, jpos } = read
    const plain = fieldSpecOfJposClass(className, jpos)
    if (!plain) {
      this.note(element, `${className} of ${jpos.id} has no token that ends it; it is left out`)
      return undefined
    }
    const tagSize = jposClass(className)?.tag?.size
    const tag = (jpos.token ?? jpos.id).slice(0, 40)
    if (tagSize !== undefined && (tag.length > tagSize || !/^[ -~]*$/.test(tag))) {
      this.note(
        element,
        `the tag ${JSON.stringify(tag)} is not one of ${tagSize} characters; it is left out`,
      )
      return undefined
    }
    if (element.name !== 'isofieldpackager') return plain
    const children = this.#compositeOf(this, element)
    return children ? { ...plain, children } : plain
  }

  /** The same as the value of a tag. `size` is that of the tag, which its id is filled up to. */
  value(element: XmlElement, size: number): FieldSpec | undefined {
    const read = this.read(element)
    if (!read) return undefined
    const { className, jpos } = read
    const plain = valueSpecOfJposClass(className, jpos)
    if (!plain) {
      this.note(element, `${className} of ${jpos.id} cannot be said behind a tag; it is left out`)
      return undefined
    }
    const id = (jpos.token ?? jpos.id).padStart(size, '0')
    const children =
      element.name === 'isofieldpackager' ? this.#compositeOf(this, element) : undefined
    return { ...plain, id, ...(children ? { children } : {}) }
  }

  read(element: XmlElement): { className: string; jpos: JposField } | undefined {
    const className = simpleClassName(element.attributes.get('class') ?? '')
    const written = element.attributes.get('id')?.trim() ?? ''
    const id = /^\d{1,7}$/.test(written) ? String(Number(written)) : written
    const kind = jposClass(className)
    if (!kind) {
      const why = INEXPRESSIBLE_CLASSES[className]
      if (className === 'IF_UNUSED') return undefined
      this.note(
        element,
        why === undefined
          ? `class "${className.slice(0, 60)}" of ${id} is not known; the element is left out`
          : `${className} of ${id} cannot be said: ${why}; the element is left out`,
      )
      return undefined
    }
    const meant = MEANT_CLASSES[className]
    if (meant) this.note(element, `there is no class ${className}; ${id} is taken as ${meant}`)
    const length = this.number(element, 'length') ?? 0
    const most = lengthMaxOf(kind)
    if (most !== undefined && length > most) {
      const more = kind.tag ? '' : ', so jPOS does not load it'
      const text = `the length ${length} of ${id} is too long for ${className}${more}`
      this.note(element, `${text}; it is taken as ${most}`)
    }
    const flag = (name: string) => element.attributes.get(name)?.trim().toLowerCase() === 'true'
    const token = element.attributes.get('token')
    const jpos: JposField = {
      id,
      name: tidyName(element.attributes.get('name') ?? ''),
      length,
      pad: flag('pad'),
      trim: flag('trim'),
      inclusive: flag('inclusive'),
      ...(token === undefined || element.name === 'isofieldpackager' ? {} : { token }),
    }
    if (element.attributes.has('params')) this.note(element, `"params" of ${id} is passed over`)
    return { className, jpos }
  }

  number(element: XmlElement, name: string): number | undefined {
    const text = element.attributes.get(name)?.trim()
    if (text === undefined) return undefined
    if (/^\d{1,7}$/.test(text)) return Number(text)
    this.note(element, `${name}="${text.slice(0, 20)}" is not a number; it is passed over`)
    return undefined
  }

  #messageBitmap(root: XmlElement, element: XmlElement | undefined): BitmapSpec {
    if (root.attributes.get('emitBitmap')?.trim() === 'false') {
      return { encoding: 'none', bytes: 8, extension: 'forbidden', most: 1 }
    }
    const spec = bitmapClassOf(element)
    if (!spec) {
      const text = 'no element is a bitmap; it is taken as ANSI X9.2: 64 bits in hexadecimal'
      this.note(element ?? root, text)
      return { encoding: 'hex-ascii', bytes: 8, extension: 'always', most: 1 }
    }
    const bitmap: BitmapSpec =
      spec.extension === 'auto' ? spec : { ...spec, extension: 'forbidden', bytes: 8 }
    const tertiaryField = this.number(root, 'thirdBitmapField')
    if (tertiaryField === undefined) return bitmap
    // It stands behind the second one, which then must be able to be there.
    return { ...bitmap, extension: 'auto', bytes: 8, most: 2, tertiaryField }
  }
}

function mtiOf(element: XmlElement | undefined): MtiSpec {
  const data = element && jposClass(element.attributes.get('class') ?? '')?.data
  if (!data || bitmapClassOf(element)) return { encoding: 'none', versions: [] }
  if (data.startsWith('bcd')) return { encoding: 'bcd', versions: [] }
  return { encoding: data === 'ebcdic-1047' ? data : 'ascii', versions: [] }
}

const BITMAP_BYTES_MAX = 1024

export function bitmapClassOf(element: XmlElement | undefined): BitmapSpec | undefined {
  if (!element) return undefined
  const length = Number(element.attributes.get('length')?.trim() ?? 0)
  if (!Number.isInteger(length) || length < 1 || length > BITMAP_BYTES_MAX) return undefined
  return bitmapSpecOfJposClass(element.attributes.get('class') ?? '', length)
}
