import type { ContentClass, DataEncoding, FieldMask, LengthUnit } from '../codec/spec.ts'

/**
 * Every word of the table language with its meaning: the checker, the writer and the schema for
 * editors all read them here.
 */
export const CLASSES: Readonly<Record<ContentClass, string>> = {
  a: 'letters',
  n: 'digits',
  s: 'special characters',
  an: 'letters and digits',
  as: 'letters, spaces and special characters',
  ns: 'digits, spaces and special characters',
  ans: 'printable characters',
  anp: 'letters, digits and spaces',
  b: 'bytes; `b 64 bits` and `b 8` are the same',
  z: 'digits and separators of tracks 2 and 3',
  'x+n': 'C or D, then so many digits',
  h: 'hexadecimal digits in upper case',
  any: 'anything at all',
}

/** Classes under another name, with the encoding that comes with it. */
export const CLASS_ALIASES: Readonly<Record<string, readonly [ContentClass, DataEncoding]>> = {
  cn: ['n', 'bcd-right-f'],
}

export const DATA: Readonly<Record<DataEncoding, string>> = {
  ascii: 'one byte a character, ISO 8859-1',
  'ebcdic-037': 'EBCDIC, code page 037',
  'ebcdic-500': 'EBCDIC, code page 500',
  'ebcdic-1047': 'EBCDIC, code page 1047',
  'bcd-left-0': 'two digits a byte, an odd one with a 0 on its left',
  'bcd-right-0': 'two digits a byte, an odd one with a 0 on its right',
  'bcd-left-f': 'two digits a byte, an odd one with an F on its left',
  'bcd-right-f': 'two digits a byte, an odd one with an F on its right',
  binary: 'the bytes themselves',
  'hex-ascii': 'bytes as two hexadecimal characters each',
  'hex-ebcdic': 'bytes as two hexadecimal characters each, in EBCDIC',
  'zoned-ebcdic': 'EBCDIC digits, the last of which carries the sign',
  'sign-bcd': 'C or D in ASCII, then BCD with an odd digit on the right',
  'sign-bcd-right-0': 'C or D in ASCII, then BCD with an odd digit on the left',
}
export const TEXTS = ['ascii', 'ebcdic-037', 'ebcdic-500', 'ebcdic-1047'] as const
export const BCDS = ['bcd-left-0', 'bcd-right-0', 'bcd-left-f', 'bcd-right-f'] as const
export const BYTES = ['binary', 'hex-ascii', 'hex-ebcdic'] as const
export const PREFIXES = ['ascii', 'ebcdic', 'bcd', 'binary', 'hex-ascii', 'hex-bcd'] as const

export const MASKS: Readonly<Record<FieldMask, string>> = {
  pan: 'shows the first six and the last four',
  track: 'shows the account number in it as pan does, and nothing else',
  pin: 'is never shown',
  hidden: 'is not shown',
  name: 'shows the first letters',
  token: 'is not shown',
  partial: 'shows the first four and the last two',
}

export const UNITS: Readonly<Record<LengthUnit, string>> = {
  characters: 'characters of the value',
  digits: 'digits of the value',
  bytes: 'bytes of the value',
  encoded: 'bytes on the wire',
  nibbles: 'half bytes on the wire',
}

export const VERSIONS: Readonly<Record<string, number>> = { 1987: 0, 1993: 1, 2003: 2 }

/** The keys of each section, what they say, and how their value is written. */
export const SECTIONS = {
  table: {
    table: ['its name, by which others extend it', 'text'],
    title: ['what a person calls it', 'text'],
    extends: ['tables whose entries this one changes, the later over the earlier', 'text'],
    header: ['bytes before the MTI: `9 bytes`', 'text'],
    defaults: ['encodings of all elements that do not say their own', 'defaults'],
    mti: ['`ascii`, `bcd` …, and the versions that are accepted: `ascii, 1987 1993`', 'text'],
    bitmap: ['`hex, secondary`, `binary, primary only`, `binary, tertiary in 65`', 'text'],
    fields: ['the data elements by number', 'fields'],
    messages: ['what holds for some messages only, by MTI', 'messages'],
  },
  defaults: {
    text: ['how characters are written', TEXTS],
    digits: ['how n and z are written', [...TEXTS, ...BCDS]],
    bytes: ['how b is written', BYTES],
    lengths: ['how lengths before values are written', PREFIXES],
  },
  field: {
    is: ['the element itself: `LLLVAR ans ..999 private data, hidden`', 'line'],
    defaults: ['encodings of the parts that do not say their own', 'defaults'],
    positional: ['its parts, one after the other, by number', 'fields'],
    shorter: ['`allowed`: it may end after any part', ['allowed', 'no']],
    bitmapped: ['its parts by the bit that announces them', 'fields'],
    bitmap: ['its own bitmap: `binary, 8 bytes, always`', 'text'],
    header: ['bytes before its bitmap: `1 byte`', 'text'],
    'ber-tlv': ['its parts by BER tag', 'fields'],
    tagged: ['its parts by tag', 'fields'],
    tag: ['the tag: `ascii 2`, `binary 1`', 'text'],
    length: ['the length behind the tag: `ascii 3`, `binary 1`, `ber`', 'text'],
    order: ['`length first`, and `length first, counting the tag`', 'text'],
    datasets: ['its datasets by identifier', 'datasets'],
    unknown: ['parts that are not named here: `keep` or `error`', ['keep', 'error']],
  },
  dataset: {
    name: ['what a person calls it', 'text'],
    tlv: ['its parts by BER tag', 'fields'],
    dbm: ['its parts by their number in the dataset bitmap', 'fields'],
  },
  message: {
    mti: ['MTI patterns, `.` for any digit, where the key is not one', 'text'],
    processing: ['first digits of the processing code', 'text'],
    response: ['response codes', 'text'],
    mandatory: ['elements that must be there: `2-4, 7, 55.9F02`', 'text'],
    conditional: [
      '`38: when 39 is 00, else forbidden`; or elements without a stated rule',
      'rules',
    ],
    forbidden: ['elements that must not be there', 'text'],
    echoed: ['elements that the answer repeats', 'text'],
    allowed: ['values that an element may have', 'values'],
    fields: ['elements that are laid out otherwise in these messages', 'fields'],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Key>>>>

/** Meaning, and the form of the value: a named form, or the words that it may be. */
export type Key = readonly [meaning: string, form: KeyForm]
export type KeyForm =
  | 'text'
  | 'line'
  | 'fields'
  | 'defaults'
  | 'datasets'
  | 'messages'
  | 'values'
  | 'rules'
  | readonly string[]

export const COMPOSITES = ['positional', 'bitmapped', 'ber-tlv', 'tagged', 'datasets'] as const
export type Composite = (typeof COMPOSITES)[number]

/** Keys that only make sense beside one kind of composite. */
export const BESIDE: Readonly<Record<string, readonly Composite[]>> = {
  shorter: ['positional'],
  bitmap: ['bitmapped'],
  header: ['bitmapped'],
  tag: ['tagged'],
  length: ['tagged'],
  order: ['tagged'],
  unknown: ['ber-tlv', 'tagged', 'datasets'],
}

export const LIMITS = {
  textCharsMax: 1_000_000,
  /** Deeper than any dialect, shallow enough for the stack. */
  depthMax: 24,
  extendsMax: 8,
  problemsMax: 200,
  sizeMax: 999_999,
} as const
