import type { BitmapSpec, CompositeSpec, FieldSpec, MessageSpec } from '../codec/spec.ts'
import { encodingOfData, prefixOfLength } from './moov-words.ts'
import type { Note } from './result.ts'

type Json = string | number | boolean | { readonly [key: string]: Json }
type Fields = { [key: string]: Json }

export type MoovExport = { readonly text: string; readonly notes: readonly Note[] }

/** The spec as JSON that moov-io/iso8583 imports. The path of a note is that of the element. */
export function exportMoov(spec: MessageSpec): MoovExport {
  const notes: Note[] = []
  const writer = new MoovWriter((path, text) => void notes.push({ path, text }))
  const fields: Fields = {
    ...writer.mti(spec),
    ...(spec.bitmap.encoding === 'none' ? {} : { 1: writer.bitmap('1', spec.bitmap) }),
  }
  for (const field of spec.fields) {
    const own = writer.field(field, field.id)
    if (own) fields[field.id] = own
  }
  if (spec.headerBytes > 0)
    notes.push({ path: 'header', text: 'moov has no header before the MTI' })
  if (spec.mti.versions.length > 0) notes.push({ path: 'mti', text: 'moov accepts any version' })
  if (spec.overlays.length > 0) {
    notes.push({ path: 'messages', text: 'moov has no rules by message type; they are left out' })
  }
  return { text: `${JSON.stringify({ name: spec.name, fields }, undefined, 2)}\n`, notes }
}

class MoovWriter {
  readonly #note: (path: string, text: string) => void

  constructor(note: (path: string, text: string) => void) {
    this.#note = note
  }

  mti({ mti }: MessageSpec): Fields {
    if (mti.encoding === 'none') return {}
    const data = mti.encoding === 'bcd' ? 'bcd-left-0' : mti.encoding
    const enc = encodingOfData(data)
    if (enc === undefined) this.#note('mti', `moov has no ${data}; it is written as ASCII`)
    const prefix = prefixOfLength({ form: 'fixed' }, data) ?? 'ASCII.Fixed'
    const description = 'Message Type Indicator'
    return { 0: { type: 'String', length: 4, description, enc: enc ?? 'ASCII', prefix } }
  }

  bitmap(path: string, { encoding, bytes, extension, tertiaryField }: BitmapSpec): Json {
    if (encoding === 'hex-ebcdic')
      this.#note(path, 'moov has no bitmap in EBCDIC; written as ASCII')
    if (tertiaryField !== undefined) this.#note(path, 'moov has no bitmap inside of an element')
    const binary = encoding === 'binary'
    return {
      type: 'Bitmap',
      length: bytes,
      description: 'Bitmap',
      enc: binary ? 'Binary' : 'HexToASCII',
      prefix: binary ? 'Binary.Fixed' : 'Hex.Fixed',
      ...(extension === 'always' && bytes <= 8 ? { disableAutoExpand: true } : {}),
    }
  }

  field(field: FieldSpec, path: string): Json | undefined {
    const { name, size, length, data, filled, children } = field
    const prefix = prefixOfLength(length, data)
    const enc = encodingOfData(data)
    if (prefix === undefined || (enc === undefined && !children) || filled) {
      const why = filled ? 'an area that is always filled' : prefix ? data : `such a length`
      this.#note(path, `moov has not: ${why}; the element is left out`)
      return undefined
    }
    const parts = children && this.#composite(children, path)
    if (parts) return { type: 'Composite', length: size, description: name, prefix, ...parts }
    return {
      type: typeOf(field),
      length: this.#length(field, path),
      description: name,
      enc: enc ?? 'Binary',
      prefix,
      ...this.#padding(field, path),
    }
  }

  /** moov counts the value, as we do unless a length counts what is on the wire. */
  #length({ unit, size, content }: FieldSpec, path: string): number {
    if (unit === 'encoded' || unit === 'nibbles') {
      this.#note(path, `moov counts values, not ${unit === 'encoded' ? 'bytes on the wire' : unit}`)
    }
    if (content === 'x+n') this.#note(path, 'moov does not know the sign of x+n; it is text there')
    return size
  }

  #padding({ pad, length }: FieldSpec, path: string): Fields {
    if (!pad || length.form !== 'fixed') return {}
    const zeros = pad.side === 'left' && pad.char === '0'
    if (!zeros && !pad.trim) this.#note(path, 'moov takes the padding away when it reads')
    return { padding: { type: pad.side === 'left' ? 'Left' : 'Right', pad: pad.char } }
  }

  #composite(children: CompositeSpec, path: string): Fields | undefined {
    switch (children.kind) {
      case 'positional':
        return { tag: { sort: 'StringsByInt' }, ...this.#parts(children.fields, path) }
      case 'bitmapped': {
        if (children.headerBytes > 0) this.#note(path, 'moov has no header before a bitmap')
        const bitmap = this.bitmap(path, children.bitmap)
        return { bitmap, ...this.#parts(children.fields, path) }
      }
      case 'ber-tlv': {
        const tag = { enc: 'BerTLVTag', sort: 'StringsByHex', ...keep(children.unknown) }
        const fields = children.fields.map(field => withLength(field, { form: 'ber' }))
        return { tag, ...this.#parts(fields, path) }
      }
      case 'tagged':
        return this.#tagged(children, path)
      case 'datasets':
        this.#note(path, 'moov has no datasets; the element is written without its parts')
        return undefined
    }
  }

  #tagged(
    { tag, length, order, fields, unknown }: CompositeSpec & { readonly kind: 'tagged' },
    path: string,
  ): Fields | undefined {
    const binary = tag.encoding === 'binary'
    const enc = binary ? 'ASCIIToHex' : encodingOfData(tag.encoding)
    const prefix = prefixOfLength(length, 'ascii')
    if (enc === undefined || prefix === undefined || order === 'length-tag') {
      this.#note(path, 'moov has no such tags; the element is written without its parts')
      return undefined
    }
    const hex = fields.some(({ id }) => /[A-F]/.test(id))
    const written = {
      length: tag.size,
      enc,
      sort: hex ? 'StringsByHex' : 'StringsByInt',
      ...keep(unknown),
      ...(unknown === 'keep' ? { prefUnknownTLV: prefix } : {}),
    }
    const parts = fields.map(field => withLength(field, length))
    return { tag: written, ...this.#parts(parts, path) }
  }

  #parts(fields: readonly FieldSpec[], path: string): Fields {
    const subfields: Fields = {}
    for (const field of fields) {
      const own = this.field(field, `${path}.${field.id}`)
      if (own) subfields[field.id] = own
    }
    return { subfields }
  }
}

function keep(unknown: 'keep' | 'error'): Fields {
  return unknown === 'keep' ? { skipUnknownTLVTags: true, storeUnknownTLVTags: true } : {}
}

function withLength(field: FieldSpec, length: FieldSpec['length']): FieldSpec {
  return { ...field, length }
}

/** Numeric drops leading zeros when moov reads it, which no account number survives. */
function typeOf({ content, data, mask }: FieldSpec): string {
  if (data === 'binary') return 'Binary'
  if (data === 'hex-ascii') return 'Binary'
  if (content === 'z') return 'Track2'
  return content === 'n' && !data.startsWith('bcd') && mask !== 'pan' ? 'Numeric' : 'String'
}
