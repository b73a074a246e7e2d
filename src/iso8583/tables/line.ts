import type {
  ContentClass,
  DataEncoding,
  FieldMask,
  FieldSpec,
  LengthSpec,
  LengthUnit,
  PadSpec,
  TextEncoding,
} from '../codec/spec.ts'
import { CODE_PAGES } from '../codec/ebcdic.ts'
import { suggest } from './suggest.ts'
import {
  BCDS,
  CLASS_ALIASES,
  CLASSES,
  DATA,
  LIMITS,
  MASKS,
  PREFIXES,
  TEXTS,
  UNITS,
} from './words.ts'

/**
 * One element as one line, the way the standards print it:
 *
 *     LLVAR  n  ..19  primary account number, pan
 *     ─────  ─  ────  ──────────────────────  ─── options: mask, encoding, padding, unit …
 *     length │  size  name; in quotes if it has a comma
 *            class
 */
export type Defaults = {
  readonly text: TextEncoding
  /** How n and z are written; BCD makes x+n `sign-bcd`. */
  readonly digits: TextEncoding | (typeof BCDS)[number]
  readonly bytes: 'binary' | 'hex-ascii' | 'hex-ebcdic'
  readonly lengths: (typeof PREFIXES)[number]
}

/** Where the line stands: values of tagged composites have no length of their own. */
export type Place = 'element' | 'value'

type Said = {
  mask?: FieldMask
  data?: DataEncoding
  prefix?: (typeof PREFIXES)[number]
  inclusive?: boolean
  unit?: LengthUnit
  pad?: PadSpec | 'none'
  trimmed?: boolean
  filled?: boolean
}

const HEAD =
  /^(?:(L{1,6})VAR\s+|(rest|ber)\s+|until\s+(\S+)(\s+or\s+end)?\s+)?([a-z+]+)\s*(\d*\.\.)?\s*(\d+)(?:\s*(bits|bytes)\b)?(?:\s+(.*))?$/s
const PAD = /^(?:(zeros|spaces)|pad (?:0x([0-9a-f]{2,6})|([!-+\--~])))( left| right)( trimmed)?$/

const LINE_CHARS_MAX = 1000
const NAME_CHARS_MAX = 200

/** Everything that is wrong with the line goes to `report`; undefined then. */
export function parseLine(
  id: string,
  line: string,
  place: Place,
  defaults: Defaults,
  report: (text: string) => void,
): FieldSpec | undefined {
  const parts = line.length > LINE_CHARS_MAX ? [] : splitOptions(line)
  const match = HEAD.exec(parts[0] ?? '')
  if (!match) {
    const shown = line.length > 80 ? `${line.slice(0, 80)}…` : line
    // A # behind a space begins a comment in YAML, so all behind it is gone.
    const hint = /^until(?: or end)?$/.test(line)
      ? 'a # stands in quotes, or is written as 0x23: "until 0x23 ans ..20 name"'
      : `write "n 12 name" or "LLVAR ans ..99 name, hidden"`
    report(`"${shown}" is not an element; ${hint}`)
    return undefined
  }
  const [, varies, other, terminator, open, word = '', from, digits, measure, name] = match
  let wrong = false
  const fail = (text: string) => {
    wrong = true
    report(text)
  }
  const [content, own] = contentOf(word, fail)
  const said = readOptions(parts.slice(1), fail)
  if (wrong) return undefined
  const form = varies === undefined ? (terminator === undefined ? other : 'until') : 'prefix'
  const size = sizeOf(content, measure, Number(digits), fail)
  const least = from === undefined ? undefined : Number(from.slice(0, -2) || 0)
  const data = said.data ?? own ?? dataOf(content, defaults)
  if (form !== 'prefix' && (said.prefix || said.inclusive)) fail('it has no length before it')
  const length =
    form === 'until' && place === 'element' && terminator !== undefined
      ? untilOf(terminator, open !== undefined, data, defaults, fail)
      : lengthOf(form, varies?.length ?? 0, place, defaults, said, fail)
  if (place === 'element' && length.form === 'fixed' && from !== undefined) {
    fail(`a length of ${from}${digits} varies: write "LLVAR ${word} ${from}${digits}"`)
  }
  if (length.form === 'prefix' && from === undefined) {
    fail(`${varies}VAR varies: write "${varies}VAR ${word} ..${digits}"`)
  }
  if (length.form === 'until' && from === undefined) {
    fail(`what ends at a terminator varies: write "until ${terminator} ${word} ..${digits}"`)
  }
  const unit = said.unit ?? unitOf(content, data)
  const padded = length.form === 'fixed' || said.filled
  const pad = padOf(said, padded ? (said.filled ? 'filled' : 'fixed') : 'none', content, fail)
  const min = content === 'x+n' && least ? least + 1 : least
  const exact = place === 'value' && from === undefined ? size : undefined
  if (min !== undefined && min > size) fail(`at least ${min} and at most ${size} cannot be`)
  if (size > LIMITS.sizeMax) fail(`the size ${size} is larger than ${LIMITS.sizeMax}`)
  const told = nameOf(name ?? '')
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  if (told.length > NAME_CHARS_MAX || /[\u0000-\u001f\u007f-\u009f]/.test(told)) {
    fail(`a name is printable and has at most ${NAME_CHARS_MAX} characters`)
  }
  if (wrong) return undefined
  const sizeMin = min || exact
  return {
    id,
    name: told,
    content,
    data,
    length,
    unit,
    size,
    ...(sizeMin === undefined ? {} : { sizeMin }),
    ...(pad ? { pad } : {}),
    ...(said.filled ? { filled: true } : {}),
    ...(said.mask ? { mask: said.mask } : {}),
  }
}

/** At the commas that are not in quotes. */
function splitOptions(line: string): string[] {
  const parts: string[] = []
  let [start, quoted] = [0, false]
  for (let at = 0; at <= line.length; at++) {
    const char = line[at]
    if (quoted && char === '\\') at++
    else if (char === '"') quoted = !quoted
    else if (at >= line.length || (char === ',' && !quoted)) {
      parts.push(line.slice(start, at).trim())
      start = at + 1
    }
  }
  return parts
}

function nameOf(text: string): string {
  const trimmed = text.trim()
  if (!/^".*"$/s.test(trimmed)) return trimmed
  try {
    return String(JSON.parse(trimmed))
  } catch {
    return trimmed
  }
}

function contentOf(
  word: string,
  fail: (text: string) => void,
): [ContentClass, DataEncoding | undefined] {
  const alias = Object.hasOwn(CLASS_ALIASES, word) ? CLASS_ALIASES[word] : undefined
  if (alias) return [...alias]
  if (Object.hasOwn(CLASSES, word)) return [word as ContentClass, undefined]
  fail(`"${word}" is not a class${suggest(word, [...Object.keys(CLASSES), 'cn'])}`)
  return ['any', undefined]
}

function sizeOf(
  content: ContentClass,
  measure: string | undefined,
  size: number,
  fail: (text: string) => void,
): number {
  if (content === 'x+n') return size + 1
  if (measure === undefined) return size
  if (content !== 'b') fail(`${measure} are counted in class b only`)
  else if (measure === 'bits' && size % 8 !== 0) fail(`${size} bits are no whole bytes`)
  return measure === 'bits' ? size / 8 : size
}

function lengthOf(
  form: string | undefined,
  digits: number,
  place: Place,
  defaults: Defaults,
  said: Said,
  fail: (text: string) => void,
): LengthSpec {
  if (place === 'value') {
    if (form !== undefined) fail('its length stands behind the tag: write "n 12" or "ans ..99"')
    return { form: 'rest' }
  }
  if (form === undefined) return { form: 'fixed' }
  if (form !== 'prefix') return { form: form as 'rest' | 'ber' }
  const inclusive = said.inclusive === true
  return { form, encoding: said.prefix ?? defaults.lengths, digits, inclusive }
}

/** `#` is that character in the alphabet of the element, `0x1c` or `0x0d0a` are bytes. */
function untilOf(
  word: string,
  open: boolean,
  data: DataEncoding,
  defaults: Defaults,
  fail: (text: string) => void,
): LengthSpec {
  const [, hex] = /^0x((?:[0-9a-f]{2}){1,4})$/i.exec(word) ?? []
  const char = /^[!-/:-@[-`{-~]$/.test(word) ? word.charCodeAt(0) : -1
  if (hex === undefined && char < 0) {
    fail(`"${word.slice(0, 20)}" is no terminator; write until # or until 0x1c`)
  }
  const page = CODE_PAGES[isText(data) ? data : defaults.text]
  const terminator = hex ?? (page.byteOfChar[char] ?? 0).toString(16).padStart(2, '0')
  return { form: 'until', terminator: terminator.toUpperCase(), open }
}

export function isText(data: DataEncoding): data is TextEncoding {
  return (TEXTS as readonly string[]).includes(data)
}

export function dataOf(content: ContentClass, defaults: Defaults): DataEncoding {
  if (content === 'b') return defaults.bytes
  if (content === 'n' || content === 'z') return defaults.digits
  if (content !== 'x+n' || !isBcd(defaults.digits)) return defaults.text
  return defaults.digits === 'bcd-right-0' ? 'sign-bcd-right-0' : 'sign-bcd'
}

export function unitOf(content: ContentClass, data: DataEncoding): LengthUnit {
  if (isBcd(data)) return 'digits'
  return content === 'b' || /^(?:binary|hex)/.test(data) ? 'bytes' : 'characters'
}

function isBcd(data: DataEncoding): boolean {
  return (BCDS as readonly string[]).includes(data)
}

/** ISO 8583-1: numbers of fixed length stand right with zeros, text stands left with spaces. */
export function usualPad(
  kind: 'fixed' | 'filled' | 'none',
  content: ContentClass,
): PadSpec | undefined {
  if (kind === 'none' || content === 'b' || content === 'z') return undefined
  if (kind === 'filled') return { side: 'right', char: ' ', trim: true }
  if (content === 'n' || content === 'x+n' || content === 'h') {
    return { side: 'left', char: '0', trim: false }
  }
  return { side: 'right', char: ' ', trim: false }
}

function padOf(
  said: Said,
  kind: 'fixed' | 'filled' | 'none',
  content: ContentClass,
  fail: (text: string) => void,
): PadSpec | undefined {
  const usual = usualPad(kind, content)
  const pad = said.pad === 'none' ? undefined : (said.pad ?? usual)
  if (!said.trimmed) return pad
  if (!pad) fail('there is no padding that could be trimmed')
  return pad && { ...pad, trim: true }
}

function readOptions(options: readonly string[], fail: (text: string) => void): Said {
  const said: Said = {}
  const set = (values: Said) => {
    for (const key of Object.keys(values)) {
      if (Object.hasOwn(said, key)) fail(`two options say the same thing: ${options.join(', ')}`)
    }
    Object.assign(said, values)
  }
  for (const option of options) {
    const values = readOption(option)
    if (values) set(values)
    else fail(`"${option.slice(0, 60)}" is not an option${suggest(option, OPTIONS)}`)
  }
  return said
}

const OPTIONS: readonly string[] = [
  ...Object.keys(MASKS),
  ...Object.keys(DATA),
  ...PREFIXES.map(prefix => `length ${prefix}`),
  'length inclusive',
  ...Object.keys(UNITS).map(unit => `counts ${unit}`),
  'zeros left',
  'spaces right',
  'pad * left',
  'trimmed',
  'exact',
  'filled',
]

function readOption(option: string): Said | undefined {
  if (Object.hasOwn(MASKS, option)) return { mask: option as FieldMask }
  if (Object.hasOwn(DATA, option)) return { data: option as DataEncoding }
  if (option === 'trimmed') return { trimmed: true }
  if (option === 'exact') return { pad: 'none' }
  if (option === 'filled') return { filled: true }
  const [first, ...rest] = option.split(/\s+/)
  if (first === 'counts' && rest.length === 1 && Object.hasOwn(UNITS, rest[0] ?? '')) {
    return { unit: rest[0] as LengthUnit }
  }
  if (first === 'length') return readLengthOption(rest)
  const pad = PAD.exec(option)
  return pad ? { pad: readPad(pad) } : undefined
}

function readLengthOption(words: readonly string[]): Said | undefined {
  const inclusive = words.at(-1) === 'inclusive'
  const [prefix, more] = inclusive ? words.slice(0, -1) : words
  if (more !== undefined || (prefix === undefined && !inclusive)) return undefined
  if (prefix !== undefined && !(PREFIXES as readonly string[]).includes(prefix)) return undefined
  return {
    ...(prefix === undefined ? {} : { prefix: prefix as (typeof PREFIXES)[number] }),
    ...(inclusive ? { inclusive } : {}),
  }
}

function readPad([, word, code, char, side, trimmed]: readonly (string | undefined)[]): PadSpec {
  const padding =
    code === undefined ? char : String.fromCodePoint(Number.parseInt(code, 16) % 0x110000)
  return {
    side: side === ' left' ? 'left' : 'right',
    char: padding ?? (word === 'zeros' ? '0' : ' '),
    trim: trimmed !== undefined,
  }
}
