import type {
  CompositeSpec,
  DatasetSpec,
  FieldSpec,
  LengthSpec,
  UnknownTags,
} from '../codec/spec.ts'
import { parseLine, type Defaults, type Place } from './line.ts'
import {
  checkKeys,
  DEFAULTS,
  mapAt,
  readBitmap,
  readDefaults,
  readHeader,
  textAt,
  wordsOf,
} from './sections.ts'
import { suggest } from './suggest.ts'
import type { MapTree, Report, Tree } from './tree.ts'
import { BESIDE, COMPOSITES, PREFIXES, TEXTS, type Composite } from './words.ts'

/** EMV book 3: n is BCD that stands right, an and ans are ASCII, b is bytes. */
export const BER_DEFAULTS: Defaults = { ...DEFAULTS, digits: 'bcd-left-0' }

type Ids = { readonly pattern: RegExp; readonly example: string }
const NUMBERS: Ids = { pattern: /^(?:0|[1-9]\d{0,2})$/, example: 'a number' }
const BER_TAGS: Ids = {
  pattern:
    /^(?:[0-9A-F](?:[0-9A-E])|[02468ACE]F|(?:[13579BDF]F)(?:[89A-F][0-9A-F]){0,2}[0-7][0-9A-F])$/,
  example: 'a BER tag in upper-case hexadecimal, like 9F02',
}
const DATASET_IDS: Ids = {
  pattern: /^[0-9A-F]{2}(?:-[0-9A-F]{2})?$/,
  example: 'an identifier like 71, or a range like 71-FE',
}

/** The elements of a map, in the order of the text; what is wrong is told, and left out. */
export function readFields(
  map: MapTree,
  place: Place,
  ids: Ids,
  defaults: Defaults,
  report: Report,
): FieldSpec[] {
  const fields: FieldSpec[] = []
  for (const [id, { at, value }] of map.entries) {
    if (!ids.pattern.test(id)) report(at, `"${id.slice(0, 40)}" is not ${ids.example}`)
    const field = readField(id, at, value, place, defaults, report)
    if (field) fields.push(field)
  }
  return fields
}

export function readElements(map: MapTree, defaults: Defaults, report: Report): FieldSpec[] {
  return readFields(map, 'element', NUMBERS, defaults, report)
}

function readField(
  id: string,
  at: string,
  tree: Tree,
  place: Place,
  defaults: Defaults,
  report: Report,
): FieldSpec | undefined {
  if (tree.tag === 'text') {
    return parseLine(id, tree.text.trim(), place, defaults, text => report(tree.at, text))
  }
  if (tree.tag !== 'map') {
    report(at, `"${id.slice(0, 40)}" is followed by its line, or by "is:" and its parts`)
    return undefined
  }
  checkKeys(tree, 'field', report)
  const line = textAt(tree, 'is', report)
  if (line === undefined) {
    report(tree.at, 'it has no "is": the line of the element itself')
    return undefined
  }
  const isAt = tree.entries.get('is')?.at ?? at
  const field = parseLine(id, line, place, defaults, text => report(isAt, text))
  const children = readComposite(tree, field, defaults, report)
  return field && (children ? { ...field, children } : field)
}

function readComposite(
  tree: MapTree,
  parent: FieldSpec | undefined,
  outer: Defaults,
  report: Report,
): CompositeSpec | undefined {
  const kinds = COMPOSITES.filter(kind => tree.entries.has(kind))
  const [kind] = kinds
  if (kinds.length > 1) report(tree.at, `it has parts of two kinds: ${kinds.join(' and ')}`)
  for (const [key, beside] of Object.entries(BESIDE)) {
    const entry = tree.entries.get(key)
    if (entry && !(kind && beside.includes(kind))) {
      report(entry.at, `"${key}" stands beside ${beside.join(', ')} only`)
    }
  }
  if (!kind) return undefined
  const inner = kind === 'ber-tlv' ? BER_DEFAULTS : outer
  const defaults = readDefaults(tree.entries.get('defaults')?.value, inner, report)
  if (parent?.unit === 'digits' || parent?.unit === 'nibbles') {
    report(tree.at, 'the digits of BCD have no parts; write the element as b')
  }
  const parts = mapAt(tree, kind, report)
  return parts && READERS[kind](parts, tree, defaults, report)
}

type Reader = (parts: MapTree, tree: MapTree, defaults: Defaults, report: Report) => CompositeSpec

const READERS: Readonly<Record<Composite, Reader>> = {
  positional(parts, tree, defaults, report) {
    const shorter = choice(tree, 'shorter', ['allowed', 'no'], 'no', report) === 'allowed'
    return { kind: 'positional', shorter, fields: readElements(parts, defaults, report) }
  },
  bitmapped(parts, tree, defaults, report) {
    const at = (key: string) => (text: string) => report(tree.entries.get(key)?.at ?? tree.at, text)
    const bitmap = readBitmap(textAt(tree, 'bitmap', report), true, defaults, at('bitmap'))
    const headerBytes = readHeader(textAt(tree, 'header', report), at('header'))
    return { kind: 'bitmapped', bitmap, headerBytes, fields: readElements(parts, defaults, report) }
  },
  'ber-tlv'(parts, tree, defaults, report) {
    const fields = readFields(parts, 'value', BER_TAGS, defaults, report)
    return { kind: 'ber-tlv', fields, unknown: unknownOf(tree, 'keep', report) }
  },
  tagged(parts, tree, defaults, report) {
    const tag = readTag(tree, defaults, report)
    const ids: Ids =
      tag.encoding === 'binary'
        ? { pattern: hexOf(tag.size), example: `${2 * tag.size} hexadecimal digits` }
        : {
            pattern: new RegExp(`^[ -~]{${tag.size}}$`),
            example: `a tag of ${tag.size} characters`,
          }
    const order = choice(tree, 'order', ORDERS, 'tag first', report)
    return {
      kind: 'tagged',
      tag,
      length: readTagLength(tree, defaults, report),
      order: order === 'tag first' ? 'tag-length' : 'length-tag',
      lengthCountsTag: order === ORDERS[2],
      fields: readFields(parts, 'value', ids, defaults, report),
      unknown: unknownOf(tree, 'error', report),
    }
  },
  datasets(parts, tree, defaults, report) {
    const datasets: DatasetSpec[] = []
    for (const [id, { at, value }] of parts.entries) {
      if (!DATASET_IDS.pattern.test(id)) report(at, `"${id}" is not ${DATASET_IDS.example}`)
      const dataset = readDataset(id, at, value, defaults, report)
      if (dataset) datasets.push(dataset)
    }
    return { kind: 'datasets', datasets, unknown: unknownOf(tree, 'keep', report) }
  },
}

const ORDERS = ['tag first', 'length first', 'length first, counting the tag'] as const

function readDataset(
  id: string,
  at: string,
  tree: Tree,
  defaults: Defaults,
  report: Report,
): DatasetSpec | undefined {
  if (tree.tag !== 'map') {
    report(at, `dataset ${id} is followed by "tlv:" or "dbm:" and its parts`)
    return undefined
  }
  checkKeys(tree, 'dataset', report)
  const name = textAt(tree, 'name', report) ?? ''
  const form = tree.entries.has('dbm') ? 'dbm' : 'tlv'
  if (tree.entries.has('dbm') === tree.entries.has('tlv')) {
    report(tree.at, `dataset ${id} has "tlv" or "dbm", one of them`)
  }
  const empty = tree.entries.get(form)?.value.tag === 'nothing'
  const parts = empty ? undefined : mapAt(tree, form, report)
  if (!parts) return { id, name, form, fields: [] }
  const fields =
    form === 'tlv'
      ? readFields(parts, 'value', BER_TAGS, BER_DEFAULTS, report)
      : readElements(parts, defaults, report)
  return { id, name, form, fields }
}

type Tagged = CompositeSpec & { readonly kind: 'tagged' }

function readTag(tree: MapTree, defaults: Defaults, report: Report): Tagged['tag'] {
  const at = tree.entries.get('tag')?.at ?? tree.at
  const words = wordsOf(textAt(tree, 'tag', report))
  const size = Number(words.at(-1))
  const encodings = [...TEXTS, 'bcd-left-0', 'binary']
  const encoding = words.length > 1 ? (words[0] ?? '') : defaults.text
  if (!encodings.includes(encoding)) {
    report(at, `"${encoding}" is not how tags are written${suggest(encoding, encodings)}`)
  }
  if (!(Number.isInteger(size) && size >= 1 && size <= 16)) {
    report(at, 'a tag needs its size: write "tag: ascii 2"')
    return { encoding: 'ascii', size: 1 }
  }
  return { encoding: encoding as Tagged['tag']['encoding'], size }
}

function readTagLength(tree: MapTree, defaults: Defaults, report: Report): LengthSpec {
  const at = tree.entries.get('length')?.at ?? tree.at
  const text = textAt(tree, 'length', report)
  if (text === 'ber') return { form: 'ber' }
  const match = /^(?:(\S+) )?([1-6])( inclusive)?$/.exec(text ?? '')
  if (!match) {
    report(at, 'the length behind a tag needs its size: write "length: ascii 3", or "ber"')
    return { form: 'ber' }
  }
  const encoding = match[1] ?? defaults.lengths
  if (!(PREFIXES as readonly string[]).includes(encoding)) {
    report(at, `"${encoding}" is not how lengths are written${suggest(encoding, PREFIXES)}`)
  }
  return {
    form: 'prefix',
    encoding: encoding as (typeof PREFIXES)[number],
    digits: Number(match[2]),
    inclusive: match[3] !== undefined,
  }
}

function unknownOf(tree: MapTree, usual: UnknownTags, report: Report): UnknownTags {
  return choice(tree, 'unknown', ['keep', 'error'] as const, usual, report)
}

function choice<Word extends string>(
  tree: MapTree,
  key: string,
  words: readonly Word[],
  usual: Word,
  report: Report,
): Word {
  const text = textAt(tree, key, report)
  if (text === undefined) return usual
  const found = words.find(word => word === text)
  if (found === undefined) {
    const at = tree.entries.get(key)?.at ?? tree.at
    report(at, `"${text.slice(0, 40)}" is none of them${suggest(text, words)}`)
  }
  return found ?? usual
}

function hexOf(bytes: number): RegExp {
  return new RegExp(`^[0-9A-F]{${2 * bytes}}$`)
}
