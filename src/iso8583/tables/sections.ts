import type { BitmapSpec, MtiSpec, TextEncoding } from '../codec/spec.ts'
import type { Defaults } from './line.ts'
import { suggest } from './suggest.ts'
import { BYTES, SECTIONS, TEXTS, VERSIONS } from './words.ts'
import type { MapTree, Report, Tree } from './tree.ts'

export const DEFAULTS: Defaults = {
  text: 'ascii',
  digits: 'ascii',
  bytes: 'binary',
  lengths: 'ascii',
}

/** Says what is wrong with the keys of a section; everything else about it can go on. */
export function checkKeys(map: MapTree, section: keyof typeof SECTIONS, report: Report): void {
  const known = Object.keys(SECTIONS[section])
  for (const [key, { at }] of map.entries) {
    if (!known.includes(key)) {
      report(at, `"${key.slice(0, 40)}" is not known here${suggest(key, known)}`)
    }
  }
}

/** The text of a key, or undefined where there is none; anything else is told. */
export function textAt(map: MapTree, key: string, report: Report): string | undefined {
  const entry = map.entries.get(key)
  if (!entry) return undefined
  if (entry.value.tag === 'text') return entry.value.text.trim()
  report(entry.at, `"${key}" is followed by text`)
  return undefined
}

export function mapAt(map: MapTree, key: string, report: Report): MapTree | undefined {
  const entry = map.entries.get(key)
  if (!entry) return undefined
  if (entry.value.tag === 'map') return entry.value
  report(entry.at, `"${key}" is followed by indented entries`)
  return undefined
}

/** The encodings that a section gives, over those from outside of it. */
export function readDefaults(tree: Tree | undefined, outer: Defaults, report: Report): Defaults {
  if (!tree) return outer
  if (tree.tag !== 'map') {
    report(tree.at, '"defaults" is followed by entries like "digits: bcd-left-0"')
    return outer
  }
  checkKeys(tree, 'defaults', report)
  const given: Record<string, string> = {}
  for (const [key, [, allowed]] of Object.entries(SECTIONS.defaults)) {
    const text = textAt(tree, key, report)
    if (text === undefined) continue
    const words: readonly string[] = allowed
    if (words.includes(text)) given[key] = text
    else {
      report(
        tree.entries.get(key)?.at ?? tree.at,
        `"${text}" is none of them${suggest(text, words)}`,
      )
    }
  }
  // Said of text alone, a change of alphabet means digits and lengths too, until they say otherwise.
  const text = (given.text ?? outer.text) as TextEncoding
  const follow = given.text === undefined ? outer : followText(outer, text)
  return { ...follow, text, ...given }
}

function followText(outer: Defaults, text: TextEncoding): Defaults {
  const digits = (TEXTS as readonly string[]).includes(outer.digits) ? text : outer.digits
  const own = text === 'ascii' ? 'ascii' : 'ebcdic'
  const lengths = outer.lengths === 'ascii' || outer.lengths === 'ebcdic' ? own : outer.lengths
  return { ...outer, digits, lengths }
}

/** `ascii, 1987 1993` */
export function readMti(
  text: string | undefined,
  defaults: Defaults,
  report: (text: string) => void,
): MtiSpec {
  let encoding: MtiSpec['encoding'] = defaults.digits.startsWith('bcd') ? 'bcd' : defaults.text
  const versions: number[] = []
  const encodings = [...TEXTS, 'bcd', 'none']
  for (const word of wordsOf(text)) {
    const version = Object.hasOwn(VERSIONS, word) ? VERSIONS[word] : undefined
    if (version !== undefined) versions.push(version)
    else if (encodings.includes(word)) encoding = word as MtiSpec['encoding']
    else if (word !== 'any') {
      const known = [...encodings, ...Object.keys(VERSIONS), 'any']
      report(`"${word}" says nothing about an MTI${suggest(word, known)}`)
    }
  }
  return { encoding, versions }
}

export function writeMti({ encoding, versions }: MtiSpec): string {
  const years = Object.entries(VERSIONS).filter(([, version]) => versions.includes(version))
  return [encoding, years.map(([year]) => year).join(' ')].filter(word => word !== '').join(', ')
}

const BITMAP_WORDS =
  'binary, hex, hex-ascii, hex-ebcdic, none, primary only, secondary, tertiary, tertiary in 65, always, 8 bytes'

/** `hex, secondary` and the like; inside of elements a bitmap is `always` there unless it says so. */
export function readBitmap(
  text: string | undefined,
  nested: boolean,
  defaults: Defaults,
  report: (text: string) => void,
): BitmapSpec {
  let encoding: BitmapSpec['encoding'] = defaults.bytes
  let [bytes, most] = [8, nested ? 1 : 2]
  let extension: BitmapSpec['extension'] = nested ? 'always' : 'auto'
  let tertiaryField: number | undefined
  for (const phrase of (text ?? '').split(',').map(part => part.trim())) {
    const size = /^(\d{1,3}) bytes?$/.exec(phrase)
    const tertiary = /^tertiary(?: in (\d{1,3}))?$/.exec(phrase)
    const contiguous = /^(\d) bitmaps$/.exec(phrase)
    if (phrase === '') continue
    else if (phrase === 'hex') encoding = defaults.text === 'ascii' ? 'hex-ascii' : 'hex-ebcdic'
    else if (([...BYTES, 'none'] as string[]).includes(phrase)) encoding = phrase as typeof encoding
    else if (phrase === 'primary only') [extension, most] = ['forbidden', 1]
    else if (phrase === 'secondary') [extension, most] = ['auto', 2]
    else if (phrase === 'always') [extension, most] = ['always', 1]
    else if (size && Number(size[1]) > 0) bytes = Number(size[1])
    else if (contiguous && Number(contiguous[1]) > 0) most = Number(contiguous[1])
    else if (tertiary) {
      // Inside of an element it is no part of the bitmaps at the front, of which there are two.
      ;[extension, most] = ['auto', tertiary[1] === undefined ? 3 : 2]
      if (tertiary[1] !== undefined) tertiaryField = Number(tertiary[1])
    } else report(`"${phrase.slice(0, 60)}" says nothing about a bitmap; there are ${BITMAP_WORDS}`)
  }
  return {
    encoding,
    bytes,
    extension,
    most,
    ...(tertiaryField === undefined ? {} : { tertiaryField }),
  }
}

export function writeBitmap(bitmap: BitmapSpec): string {
  const { encoding, bytes, extension, most, tertiaryField } = bitmap
  const extent = { forbidden: 'primary only', always: 'always', auto: 'secondary' }[extension]
  const inside = tertiaryField === undefined ? '' : ` in ${tertiaryField}`
  const tertiary = extension === 'auto' && (most === 3 || inside !== '')
  const said = extension !== 'auto' ? 1 : tertiary && inside === '' ? 3 : 2
  return [
    encoding,
    tertiary ? `tertiary${inside}` : extent,
    bytes === 8 ? '' : `${bytes} bytes`,
    most === said ? '' : `${most} bitmaps`,
  ]
    .filter(word => word !== '')
    .join(', ')
}

/** `9 bytes` */
export function readHeader(text: string | undefined, report: (text: string) => void): number {
  if (text === undefined) return 0
  const match = /^(\d{1,4})(?: bytes?)?$/.exec(text)
  if (!match) report(`"${text.slice(0, 40)}" is not a size; write "9 bytes"`)
  return Number(match?.[1] ?? 0)
}

export function wordsOf(text: string | undefined): string[] {
  return (text ?? '').split(/[\s,]+/).filter(word => word !== '')
}
