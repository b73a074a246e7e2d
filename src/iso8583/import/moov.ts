import type {
  BitmapSpec,
  CompositeSpec,
  FieldSpec,
  LengthSpec,
  MessageSpec,
  MtiSpec,
  PadSpec,
} from '../codec/spec.ts'
import { isTag } from '../codec/tlv.ts'
import { checkSpec } from '../tables/check.ts'
import { parseTree, type MapTree, type Tree } from '../tables/tree.ts'
import { contentOfType, lengthOfPrefix, MOOV_ENCODINGS, MOOV_TYPES } from './moov-words.ts'
import { asElement, inOrder, lineFinder, tidyName, type ImportResult, type Note } from './result.ts'

/** Reads a JSON spec of moov-io/iso8583; what a spec cannot say, or says otherwise, is noted. */
export function importMoov(path: string, file: string): ImportResult {
  const text = file.replace(/^\uFEFF/, '')
  const wrong = notJson(path, text)
  if (wrong) return { problems: [wrong] }
  const problems: Note[] = []
  // JSON has no tabs but between its words, where YAML would take offence at them.
  const tree = parseTree(path, text.replaceAll('\t', ' '), (path, text) => {
    problems.push({ path, text })
  })
  const fields = tree && entryOf(tree, 'fields')
  if (problems.length === 0 && fields?.tag !== 'map') {
    problems.push({ path: `${path}:1`, text: 'it has no "fields", so it is not a spec of moov' })
  }
  if (problems.length > 0 || fields?.tag !== 'map') return { problems }
  const reader = new MoovReader()
  const name = textOf(tree as Tree, 'name') ?? path.slice(path.lastIndexOf('/') + 1)
  const spec = reader.message(name, fields)
  for (const { path, text } of checkSpec(spec)) reader.note(fields.at, `element ${path}: ${text}`)
  return { spec, notes: inOrder(reader.notes) }
}

function notJson(path: string, text: string): Note | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : 'it cannot be read'
    const place = /position (\d+)/.exec(message)?.[1]
    const line = place === undefined ? 1 : lineFinder(text)(Number(place))
    return { path: `${path}:${line}`, text: `it is not JSON: ${message.slice(0, 120)}` }
  }
}

class MoovReader {
  readonly notes: Note[] = []

  note(at: string, text: string): void {
    this.notes.push({ path: at, text })
  }

  message(name: string, map: MapTree): MessageSpec {
    const numbers = [...map.entries].flatMap(([key, { at, value }]) => {
      if (/^\d{1,3}$/.test(key)) return [{ id: Number(key), at, value }]
      this.note(at, `"${key.slice(0, 40)}" is not the number of an element; it is left out`)
      return []
    })
    const elements = numbers.toSorted((a, b) => a.id - b.id)
    const last = elements.at(-1)?.id ?? 0
    const bitmap = this.#messageBitmap(elements.find(({ id }) => id === 1)?.value, last)
    const fields = elements.flatMap(({ id, at, value }) => {
      const field = id > 1 ? this.#field(String(id), at, value) : undefined
      return field ? [asElement(field)] : []
    })
    const mti = this.#mti(elements.find(({ id }) => id === 0)?.value)
    return { name, title: name, headerBytes: 0, mti, bitmap, fields, overlays: [] }
  }

  #mti(tree: Tree | undefined): MtiSpec {
    const enc = tree && textOf(tree, 'enc')
    const data = enc === undefined ? undefined : MOOV_ENCODINGS[enc]?.[0]
    if (data === undefined) return { encoding: 'none', versions: [] }
    const text = data === 'ebcdic-037' || data === 'ebcdic-1047' ? data : 'ascii'
    return { encoding: data.startsWith('bcd') ? 'bcd' : text, versions: [] }
  }

  #messageBitmap(tree: Tree | undefined, last: number): BitmapSpec {
    if (!tree) return { encoding: 'none', bytes: 8, extension: 'forbidden', most: 1 }
    const bytes = numberOf(tree, 'length') || 8
    const bitmap = this.#bitmap(tree, bytes)
    if (bitmap.extension === 'always') return bitmap
    if (bytes > 8) {
      const text = `its bitmap is always ${bytes} bytes long, as moov has it`
      this.note(tree.at, `${text}; write "secondary" where bit 1 announces the second half`)
      return { ...bitmap, extension: 'always' }
    }
    return { ...bitmap, extension: 'auto', most: last > bytes * 16 ? 3 : 2 }
  }

  #bitmap(tree: Tree, bytes: number): BitmapSpec {
    const encoding = textOf(tree, 'enc') === 'Binary' ? 'binary' : 'hex-ascii'
    const fixed = textOf(tree, 'disableAutoExpand') === 'true'
    return { encoding, bytes, extension: fixed ? 'always' : 'auto', most: 1 }
  }

  #field(id: string, at: string, tree: Tree): FieldSpec | undefined {
    const type = textOf(tree, 'type') ?? ''
    if (!(MOOV_TYPES as readonly string[]).includes(type)) {
      this.note(at, `type "${type.slice(0, 40)}" of ${id} is not known; it is left out`)
      return undefined
    }
    const length = lengthOfPrefix(textOf(tree, 'prefix') ?? '')
    if (!length) {
      const prefix = textOf(tree, 'prefix') ?? 'missing'
      this.note(at, `the prefix ${prefix.slice(0, 40)} of ${id} cannot be said; it is left out`)
      return undefined
    }
    const size = numberOf(tree, 'length')
    const name = tidyName(textOf(tree, 'description') ?? '')
    const subfields = entryOf(tree, 'subfields')
    if (subfields?.tag === 'map' && subfields.entries.size > 0) {
      const children = this.#composite(tree, subfields, length)
      const common = { content: 'b', data: 'binary', length, unit: 'bytes', size } as const
      return { id, name, ...common, ...(children ? { children } : {}) }
    }
    return this.#plain(id, at, tree, type, { name, length, size })
  }

  #plain(
    id: string,
    at: string,
    tree: Tree,
    type: string,
    common: { name: string; length: LengthSpec; size: number },
  ): FieldSpec | undefined {
    const enc = textOf(tree, 'enc') ?? ''
    const known = Object.hasOwn(MOOV_ENCODINGS, enc) ? MOOV_ENCODINGS[enc] : undefined
    if (!known) {
      this.note(at, `the encoding ${enc.slice(0, 40)} of ${id} is not known; it is left out`)
      return undefined
    }
    const [data, unit] = known
    const pad = this.#pad(id, tree)
    if (pad && common.length.form !== 'fixed') {
      this.note(at, `${id} is padded although its length varies; the padding is not taken over`)
    }
    const content = contentOfType(type, data)
    const padded = pad && common.length.form === 'fixed' ? { pad } : {}
    return { id, ...common, content, data, unit, ...padded }
  }

  #pad(id: string, tree: Tree): PadSpec | undefined {
    const padding = entryOf(tree, 'padding')
    if (!padding) return undefined
    const [type, char] = [textOf(padding, 'type'), textOf(padding, 'pad') ?? '']
    if (type === 'None') return undefined
    if ((type === 'Left' || type === 'Right') && char.length === 1) {
      // Zeros on the left are part of a number: taken away, 000000 would be nothing at all.
      const zeros = type === 'Left' && char === '0'
      return { side: type === 'Left' ? 'left' : 'right', char, trim: !zeros }
    }
    this.note(padding.at, `the padding of ${id} is not known; it is passed over`)
    return undefined
  }

  #composite(tree: Tree, subfields: MapTree, length: LengthSpec): CompositeSpec | undefined {
    const bitmap = entryOf(tree, 'bitmap')
    if (bitmap) return this.#bitmapped(bitmap, subfields)
    const tag = entryOf(tree, 'tag')
    const enc = tag && textOf(tag, 'enc')
    if (!tag) {
      this.note(tree.at, 'its parts have no tag and no bitmap; they are taken one after the other')
    }
    if (enc === undefined) {
      const fields = this.#parts(subfields, false)
      return { kind: 'positional', shorter: length.form !== 'fixed', fields }
    }
    const unknown = textOf(tag as Tree, 'skipUnknownTLVTags') === 'true' ? 'keep' : 'error'
    if (enc === 'BerTLVTag') {
      const fields = this.#parts(subfields, true).flatMap(field => {
        if (isTag(field.id)) return [asValue(field)]
        this.note(subfields.at, `"${field.id.slice(0, 40)}" is no BER tag; it is left out`)
        return []
      })
      return { kind: 'ber-tlv', fields, unknown }
    }
    return this.#tagged(tag as Tree, enc, subfields, unknown)
  }

  #bitmapped(tree: Tree, subfields: MapTree): CompositeSpec {
    const fields = this.#parts(subfields, false)
    const bytes = numberOf(tree, 'length') || 8
    const bitmap = this.#bitmap(tree, bytes)
    const last = Number(fields.at(-1)?.id ?? 0)
    const most = Math.min(3, Math.ceil(last / (bytes * 8)))
    const first = fields.some(({ id }) => id === '1')
    const extension =
      bitmap.extension === 'always' || first ? 'always' : most > 1 ? 'auto' : 'forbidden'
    if (first && bitmap.extension !== 'always') {
      this.note(tree.at, 'bit 1 of its bitmap is a part, so it cannot announce a second bitmap')
    }
    const extended = { ...bitmap, extension, most: extension === 'auto' ? most : 1 } as const
    return { kind: 'bitmapped', bitmap: extended, headerBytes: 0, fields }
  }

  #tagged(
    tag: Tree,
    enc: string,
    subfields: MapTree,
    unknown: 'keep' | 'error',
  ): CompositeSpec | undefined {
    const data = enc === 'ASCIIToHex' ? 'binary' : MOOV_ENCODINGS[enc]?.[0]
    const size = numberOf(tag, 'length')
    const allowed = ['ascii', 'ebcdic-037', 'ebcdic-1047', 'bcd-left-0', 'binary']
    if (data === undefined || !allowed.includes(data) || size < 1) {
      this.note(
        tag.at,
        `tags written as ${enc.slice(0, 40)} cannot be said; its parts are left together`,
      )
      return undefined
    }
    const fields = this.#parts(subfields, true)
    const length = mostFrequentLength(fields)
    if (!length) {
      this.note(tag.at, 'no length stands behind its tags; its parts are left together')
      return undefined
    }
    for (const { id, length: own } of fields) {
      if (JSON.stringify(own) === JSON.stringify(length)) continue
      this.note(tag.at, `the length of tag ${id} is written otherwise; that of the others is taken`)
    }
    const char = (entryOf(tag, 'padding') && textOf(entryOf(tag, 'padding') as Tree, 'pad')) || '0'
    const width = size * (data === 'binary' ? 2 : 1)
    const filled = fields.flatMap(field => {
      const id = field.id.padStart(width, char)
      if (id.length === width) return [asValue({ ...field, id })]
      this.note(tag.at, `the tag ${id.slice(0, 40)} is longer than ${width}; it is left out`)
      return []
    })
    return {
      kind: 'tagged',
      tag: { encoding: data as 'ascii', size },
      length,
      order: 'tag-length',
      lengthCountsTag: false,
      fields: filled,
      unknown,
    }
  }

  /** Where parts have no tag, what names them is a number: `01` and `1` are the same. */
  #number(key: string, at: string): string | undefined {
    if (/^\d{1,3}$/.test(key)) return String(Number(key))
    this.note(at, `"${key.slice(0, 40)}" is not the number of a part; it is left out`)
    return undefined
  }

  /** By number, or by hexadecimal tag, as moov sorts them. */
  #parts(subfields: MapTree, tags: boolean): FieldSpec[] {
    const radix = tags && [...subfields.entries.keys()].some(key => /[A-F]/i.test(key)) ? 16 : 10
    return [...subfields.entries]
      .flatMap(([key, { at, value }]) => {
        const id = tags ? key : this.#number(key, at)
        return (id === undefined ? undefined : this.#field(id, at, value)) ?? []
      })
      .toSorted((a, b) => Number.parseInt(a.id, radix) - Number.parseInt(b.id, radix))
  }
}

/** Behind a tag: the length is the tag's. */
function asValue(field: FieldSpec): FieldSpec {
  const { pad: _, ...rest } = field
  return { ...rest, length: { form: 'rest' } }
}

function mostFrequentLength(fields: readonly FieldSpec[]): LengthSpec | undefined {
  const times = new Map<string, number>()
  for (const { length } of fields) {
    const key = JSON.stringify(length)
    if (length.form !== 'fixed') times.set(key, (times.get(key) ?? 0) + 1)
  }
  const best = [...times].toSorted(([, a], [, b]) => b - a)[0]
  return best && (JSON.parse(best[0]) as LengthSpec)
}

function entryOf(tree: Tree, key: string): Tree | undefined {
  return tree.tag === 'map' ? tree.entries.get(key)?.value : undefined
}

function textOf(tree: Tree, key: string): string | undefined {
  const value = entryOf(tree, key)
  return value?.tag === 'text' ? value.text : undefined
}

function numberOf(tree: Tree, key: string): number {
  const text = textOf(tree, key) ?? ''
  return /^\d{1,7}$/.test(text) ? Number(text) : 0
}
