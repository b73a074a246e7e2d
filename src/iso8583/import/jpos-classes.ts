import type {
  BitmapSpec,
  CompositeSpec,
  ContentClass,
  DataEncoding,
  FieldSpec,
  LengthSpec,
  LengthUnit,
  PadSpec,
  TextEncoding,
} from '../codec/spec.ts'
import { TERMINATOR_HEX } from '../codec/terminator.ts'

/** One field as a packager file gives it: its attributes, numbers read. */
export type JposField = {
  readonly id: string
  readonly name: string
  /** Digits, characters or bytes of the value, whichever the class counts. */
  readonly length: number
  /** For BCD: `true` fills an odd digit up on the left; else on the right. */
  readonly pad: boolean
  /** Spaces on the right are no part of the value. */
  readonly trim?: boolean
  /** The binary length counts its own bytes too. */
  readonly inclusive?: boolean
  /** The tag on the wire, where the class writes one and it is not the id; or what ends the value. */
  readonly token?: string
}

/** What a field class of jPOS means, in the choices of a FieldSpec. */
export type JposClass = {
  readonly content: ContentClass
  /** `bcd`: left-0 with pad, else right-0. `bcd-f`: left-0 with pad, else right-f. `sign-bcd` likewise. */
  readonly data: DataEncoding | 'bcd' | 'bcd-f'
  readonly length: 'fixed' | 'rest' | 'none' | 'until' | Prefix
  readonly unit: LengthUnit
  readonly pad?: PadSpec
  readonly filled?: boolean
  /** The class does not look at the length that the file gives. */
  readonly unlimited?: boolean
  /** The class writes a tag of its own: such fields stand in a tagged composite. */
  readonly tag?: JposTag
  /** What ends the value where the file's token does not say it. */
  readonly terminator?: string
}

export type JposTag = {
  readonly encoding: TextEncoding
  readonly size: number
  readonly order: 'tag-length' | 'length-tag'
  readonly lengthCountsTag: boolean
}

/** Encoding and digits of a length: `ascii 2`. */
type Prefix = `${'ascii' | 'ebcdic' | 'bcd' | 'binary'} ${1 | 2 | 3 | 4 | 5 | 6}`

/** jPOS writes EBCDIC in code page 1047, always. */
const EBCDIC = 'ebcdic-1047'
const ZEROS_LEFT: PadSpec = { side: 'left', char: '0', trim: false }
const SPACES_RIGHT: PadSpec = { side: 'right', char: ' ', trim: false }
const SPACES_TRIMMED: PadSpec = { side: 'right', char: ' ', trim: true }

const chars = (data: TextEncoding, length: JposClass['length']): JposClass => ({
  content: 'ans',
  data,
  length,
  unit: 'characters',
  ...(length === 'fixed' ? { pad: SPACES_RIGHT } : {}),
})

const nums = (data: JposClass['data'], length: JposClass['length']): JposClass => ({
  content: 'n',
  data,
  length,
  unit: data.startsWith('bcd') ? 'digits' : 'characters',
  ...(length === 'fixed' ? { pad: ZEROS_LEFT } : {}),
})

const bytes = (
  length: JposClass['length'],
  data: 'binary' | 'hex-ascii' | 'hex-ebcdic' = 'binary',
): JposClass => ({ content: 'b', data, length, unit: 'bytes' })

/** The tag, then the length. */
const tag = (encoding: TextEncoding, size: number): JposTag => ({
  encoding,
  size,
  order: 'tag-length',
  lengthCountsTag: false,
})
/** The length, which counts the tag, then the tag. */
const lengthThenTag = (encoding: TextEncoding): JposTag => ({
  encoding,
  size: 2,
  order: 'length-tag',
  lengthCountsTag: true,
})

const amount = (data: DataEncoding): JposClass => ({
  content: 'x+n',
  data,
  length: 'fixed',
  unit: 'characters',
  pad: ZEROS_LEFT,
})

const { pad: _, ...amount2003 } = nums('ascii', 'fixed')

/**
 * All field classes by their name without the package. The names are a small language of their own
 * (A ASCII, B BCD or binary, E EBCDIC; L a digit of length, H a binary length), but it has too many
 * exceptions to be parsed, so they are all written down.
 */
export const JPOS_CLASSES: Readonly<Record<string, JposClass>> = {
  IF_CHAR: chars('ascii', 'fixed'),
  IF_ECHAR: chars(EBCDIC, 'fixed'),
  IF_NOP: { content: 'any', data: 'ascii', length: 'none', unit: 'characters' },
  IF_FCHAR: chars('ascii', 'rest'),
  IF_FBINARY: bytes('rest'),
  IF_TCHAR: { ...chars('ascii', 'until'), unlimited: true },
  IF_FSTCHAR: { ...chars('ascii', 'until'), terminator: '5C' },
  IF_FSTBINARY: { ...bytes('until'), terminator: 'FF' },

  IFA_NUMERIC: nums('ascii', 'fixed'),
  IFA_AMOUNT: amount('ascii'),
  IFA_AMOUNT2003: amount2003,
  IFA_LLNUM: nums('ascii', 'ascii 2'),
  IFA_LLLNUM: nums('ascii', 'ascii 3'),
  IFA_LLBNUM: { ...nums('bcd', 'ascii 2'), unit: 'nibbles' },
  IFA_FLLNUM: { ...nums('ascii', 'ascii 2'), filled: true, pad: SPACES_TRIMMED },
  IFA_LCHAR: chars('ascii', 'ascii 1'),
  IFA_LLCHAR: chars('ascii', 'ascii 2'),
  IFA_LLLCHAR: chars('ascii', 'ascii 3'),
  IFA_LLLLCHAR: chars('ascii', 'ascii 4'),
  IFA_LLLLLCHAR: chars('ascii', 'ascii 5'),
  IFA_LLLLLLCHAR: chars('ascii', 'ascii 6'),
  IFA_FLLCHAR: { ...chars('ascii', 'ascii 2'), filled: true, pad: SPACES_TRIMMED },
  IFA_BINARY: bytes('fixed', 'hex-ascii'),
  IFA_BITMAP: bytes('fixed', 'hex-ascii'),
  IFA_LBINARY: bytes('ascii 1'),
  IFA_LLBINARY: bytes('ascii 2'),
  IFA_LLLBINARY: bytes('ascii 3'),
  IFA_LLLLBINARY: bytes('ascii 4'),
  IFA_LLLLLBINARY: bytes('ascii 5'),
  IFA_LLLLLLBINARY: bytes('ascii 6'),
  IFA_LLABINARY: bytes('ascii 2', 'hex-ascii'),
  IFA_LLLABINARY: bytes('ascii 3', 'hex-ascii'),

  IFB_NUMERIC: nums('bcd', 'fixed'),
  IFB_FNUMERIC: nums('bcd-f', 'fixed'),
  IFB_AMOUNT: amount('sign-bcd'),
  IFB_AMOUNT2003: { ...amount2003, data: 'bcd', unit: 'digits' },
  IFB_HEX: { ...nums('bcd-f', 'fixed'), content: 'h' },
  IFB_LLNUM: nums('bcd', 'bcd 2'),
  IFB_LLLNUM: nums('bcd', 'bcd 3'),
  IFB_FLLNUM: nums('bcd-f', 'bcd 2'),
  IFB_FLLLNUM: nums('bcd-f', 'bcd 3'),
  IFB_LLHNUM: nums('bcd', 'binary 1'),
  IFB_LLLHNUM: nums('bcd', 'binary 2'),
  IFB_LLCHAR: chars('ascii', 'bcd 2'),
  IFB_LLLCHAR: chars('ascii', 'bcd 3'),
  IFB_LLLLCHAR: chars('ascii', 'bcd 4'),
  IFB_LLLLLLCHAR: chars('ascii', 'bcd 6'),
  IFB_LLHCHAR: chars('ascii', 'binary 1'),
  IFB_LLLHCHAR: chars('ascii', 'binary 2'),
  IFB_LLHECHAR: chars(EBCDIC, 'binary 1'),
  IFB_LLLHECHAR: chars(EBCDIC, 'binary 2'),
  IFB_BINARY: bytes('fixed'),
  IFB_BITMAP: bytes('fixed'),
  Base1_BITMAP126: bytes('fixed'),
  IFB_LLBINARY: bytes('bcd 2'),
  IFB_LLLBINARY: bytes('bcd 3'),
  IFB_LLLLBINARY: bytes('bcd 4'),
  IFB_LHBINARY: bytes('binary 1'),
  IFB_LLHBINARY: bytes('binary 1'),
  IFB_LLLHBINARY: bytes('binary 2'),
  IFB_LLHFBINARY: { ...bytes('binary 1'), filled: true },
  IFB_LLHEX: { ...bytes('bcd 2'), unit: 'nibbles' },
  IFB_LLLHEX: { ...bytes('bcd 3'), unit: 'nibbles' },

  IFE_CHAR: chars(EBCDIC, 'fixed'),
  IFE_NUMERIC: nums(EBCDIC, 'fixed'),
  IFE_SIGNED_NUMERIC: nums('zoned-ebcdic', 'fixed'),
  IFE_AMOUNT: amount(EBCDIC),
  IFE_LNUM: nums(EBCDIC, 'ebcdic 1'),
  IFE_LLNUM: nums(EBCDIC, 'ebcdic 2'),
  IFE_LLLNUM: nums(EBCDIC, 'ebcdic 3'),
  IFE_LCHAR: chars(EBCDIC, 'ebcdic 1'),
  IFE_LLCHAR: chars(EBCDIC, 'ebcdic 2'),
  IFE_LLLCHAR: chars(EBCDIC, 'ebcdic 3'),
  IFE_LLLLCHAR: chars(EBCDIC, 'ebcdic 4'),
  IFE_BINARY: bytes('fixed', 'hex-ebcdic'),
  IFE_BITMAP: bytes('fixed', 'hex-ebcdic'),
  IFE_LBINARY: bytes('ebcdic 1'),
  IFE_LLBINARY: bytes('ebcdic 2'),
  IFE_LLLBINARY: bytes('ebcdic 3'),
  IFE_LLLLBINARY: bytes('ebcdic 4'),
  // Every byte is sent through the code page, as if it were a character of Latin-1.
  IFE_LLLEBINARY: { ...chars(EBCDIC, 'ebcdic 3'), content: 'any' },
  // The length is that of the bytes; a half byte F at the end says that the digits are odd.
  IFEB_LLNUM: { ...nums('bcd-right-f', 'ebcdic 2'), unit: 'encoded' },
  IFEB_LLLNUM: { ...nums('bcd-right-f', 'ebcdic 3'), unit: 'encoded' },
  IFAE_LLCHAR: chars(EBCDIC, 'ascii 2'),
  IFEA_LLCHAR: chars('ascii', 'ebcdic 2'),
  X92_BITMAP: bytes('fixed', 'hex-ascii'),

  IFA_TTLCHAR: { ...chars('ascii', 'ascii 1'), tag: tag('ascii', 2) },
  IFA_TTLLCHAR: { ...chars('ascii', 'ascii 2'), tag: tag('ascii', 2) },
  IFA_TTLLLCHAR: { ...chars('ascii', 'ascii 3'), tag: tag('ascii', 2) },
  IFA_TTLLLLCHAR: { ...chars('ascii', 'ascii 4'), tag: tag('ascii', 2) },
  IFA_TTTLLLCHAR: { ...chars('ascii', 'ascii 3'), tag: tag('ascii', 3) },
  IFA_TTLBINARY: { ...bytes('ascii 1'), tag: tag('ascii', 2) },
  IFA_TTLLBINARY: { ...bytes('ascii 2'), tag: tag('ascii', 2) },
  IFA_TTLLLBINARY: { ...bytes('ascii 3'), tag: tag('ascii', 2) },
  IFA_TTLLLLBINARY: { ...bytes('ascii 4'), tag: tag('ascii', 2) },
  IFTA_LLCHAR: { ...chars('ascii', 'ascii 2'), tag: tag('ascii', 2) },
  IFTA_LLLCHAR: { ...chars('ascii', 'ascii 3'), tag: tag('ascii', 2) },
  IFTA_LLNUM: { ...nums('ascii', 'ascii 2'), tag: tag('ascii', 2) },
  IFTA_LLLNUM: { ...nums('ascii', 'ascii 3'), tag: tag('ascii', 2) },
  IFTA_LLBINARY: { ...bytes('ascii 2'), tag: tag('ascii', 2) },
  IFTA_LLLBINARY: { ...bytes('ascii 3'), tag: tag('ascii', 2) },
  IFTB_LLBINARY: { ...bytes('bcd 2'), tag: tag('ascii', 2) },
  IFMC_LLCHAR: { ...chars('ascii', 'ascii 2'), tag: tag('ascii', 2) },
  IFMC_LLLCHAR: { ...chars('ascii', 'ascii 3'), tag: tag('ascii', 2) },
  IFMC_LLBINARY: { ...bytes('ascii 2'), tag: tag('ascii', 2) },
  IFMC_LLLBINARY: { ...bytes('ascii 3'), tag: tag('ascii', 2) },
  IFEMC_LLCHAR: { ...chars(EBCDIC, 'ebcdic 2'), tag: tag('ascii', 2) },
  IFEMC_LLLCHAR: { ...chars(EBCDIC, 'ebcdic 3'), tag: tag(EBCDIC, 4) },
  IFEPE_LLCHAR: { ...chars(EBCDIC, 'ebcdic 2'), tag: tag(EBCDIC, 2) },
  IFEPE_LLLCHAR: { ...chars(EBCDIC, 'ebcdic 3'), tag: tag(EBCDIC, 3) },
  IFEPE_LLBINARY: { ...bytes('ebcdic 2'), tag: tag(EBCDIC, 2) },
  IFIPM_LLLCHAR: { ...chars('ascii', 'ascii 3'), tag: tag('ascii', 4) },
  IFEP_LLCHAR: { ...chars('ascii', 'ascii 2'), tag: lengthThenTag('ascii') },
  IFEP_LLLCHAR: { ...chars('ascii', 'ebcdic 3'), tag: lengthThenTag(EBCDIC) },
  IFEP_LLLBINARY: { ...bytes('ebcdic 3'), tag: lengthThenTag(EBCDIC) },
  IFELPE_LLLCHAR: { ...chars(EBCDIC, 'ebcdic 3'), tag: lengthThenTag(EBCDIC), unlimited: true },
}

/** Classes that files name although they do not exist, and the one that is meant. */
export const MEANT_CLASSES: Readonly<Record<string, string>> = { IFA_LLHBINARY: 'IFB_LLHBINARY' }

/** Classes whose meaning no FieldSpec has, and why. */
export const INEXPRESSIBLE_CLASSES: Readonly<Record<string, string>> = {
  IFMC_TCC: 'whether it is there shows only in the character that follows',
  IFEMC_TCC: 'whether it is there shows only in the character that follows',
}

/** The name of a class without its package and the spaces around it. */
export function simpleClassName(className: string): string {
  const trimmed = className.trim()
  return trimmed.slice(trimmed.lastIndexOf('.') + 1)
}

export function jposClass(className: string): JposClass | undefined {
  const name = simpleClassName(className)
  const known = MEANT_CLASSES[name] ?? name
  return Object.hasOwn(JPOS_CLASSES, known) ? JPOS_CLASSES[known] : undefined
}

/** The longest value, in what the class counts, that its length prefix can say; else undefined. */
export function lengthMaxOf({ length, unit, tag }: JposClass): number | undefined {
  if (!length.includes(' ')) return undefined
  const [encoding, digits] = length.split(' ') as [string, string]
  const most = (encoding === 'binary' ? 256 : 10) ** Number(digits) - 1
  if (unit === 'nibbles') return most >> 1
  return tag?.lengthCountsTag ? most - tag.size : most
}

/**
 * The field that a class means, or undefined where the class is unknown or has no meaning here. A
 * class that writes its own tag becomes a tagged composite of one; `valueSpecOfJposClass` gives
 * what stands inside of it.
 */
export function fieldSpecOfJposClass(className: string, field: JposField): FieldSpec | undefined {
  const kind = jposClass(className)
  if (!kind || (kind.length === 'until' && !terminatorOf(kind, field.token))) return undefined
  if (!kind.tag) return plainField(kind, field)
  const { id, name } = field
  const inside = valueField(kind, field)
  const common = { data: kind.tag.encoding, unit: 'characters', size: 0 } as const
  const length = { form: 'rest' } as const
  return { id, name, content: 'any', ...common, length, children: taggedOf(kind, [inside]) }
}

/**
 * The value of a class that writes a tag, as it stands in a tagged composite: its id is the tag. A
 * value that ends at a terminator cannot stand there, since the length behind the tag ends it.
 */
export function valueSpecOfJposClass(className: string, field: JposField): FieldSpec | undefined {
  const kind = jposClass(className)
  return kind?.length === 'until' ? undefined : kind && valueField(kind, field)
}

/** The bytes in hexadecimal by which values of such a class end, or undefined when nothing says it. */
export function terminatorOf(
  { content, terminator }: JposClass,
  token: string | undefined,
): string | undefined {
  if (token === undefined) return terminator
  // Binary classes have it in hexadecimal, others as it is.
  const hex = content === 'b' ? token : Buffer.from(token, 'latin1').toString('hex')
  return TERMINATOR_HEX.test(hex.toUpperCase()) ? hex.toUpperCase() : undefined
}

/** The composite that fields of a class with a tag of its own make together. */
export function taggedOf(
  kind: JposClass,
  fields: readonly FieldSpec[],
): CompositeSpec & { kind: 'tagged' } {
  const { encoding, size, order, lengthCountsTag } = kind.tag as JposTag
  return {
    kind: 'tagged',
    tag: { encoding, size },
    length: lengthOf(kind, false),
    order,
    lengthCountsTag,
    fields,
    unknown: 'error',
  }
}

/** The bitmap that a bitmap class means; bytes above eight are further bitmaps of eight. */
export function bitmapSpecOfJposClass(className: string, length: number): BitmapSpec | undefined {
  const name = simpleClassName(className)
  const encoding = jposClass(name)?.data
  if (!/_BITMAP(?:126)?$/.test(name) || !encoding) return undefined
  const one = name === 'X92_BITMAP' || name === 'Base1_BITMAP126' || length <= 8
  return {
    encoding: encoding as BitmapSpec['encoding'],
    bytes: Math.min(length, 8),
    extension: one ? 'always' : 'auto',
    most: one ? 1 : Math.min(3, Math.ceil(length / 8)),
  }
}

function valueField(kind: JposClass, field: JposField): FieldSpec {
  const id = kind.tag ? (field.token ?? field.id).padStart(kind.tag.size, '0') : field.id
  const { pad: _, ...spec } = plainField(kind, { ...field, id })
  return { ...spec, length: { form: 'rest' } }
}

function plainField(kind: JposClass, field: JposField): FieldSpec {
  const pad = field.trim && kind.pad ? { ...kind.pad, trim: true } : kind.pad
  return {
    id: field.id,
    name: field.name,
    content: kind.content,
    data: dataOf(kind, field.pad),
    length: lengthOf(kind, field.inclusive === true, field.token),
    unit: kind.unit,
    size: sizeOf(kind, field.length),
    ...(pad ? { pad } : {}),
    ...(kind.filled ? { filled: true } : {}),
  }
}

function dataOf({ data }: JposClass, pad: boolean): DataEncoding {
  if (data === 'bcd') return pad ? 'bcd-left-0' : 'bcd-right-0'
  if (data === 'bcd-f') return pad ? 'bcd-left-0' : 'bcd-right-f'
  return data === 'sign-bcd' && !pad ? 'sign-bcd-right-0' : data
}

function lengthOf(kind: JposClass, inclusive: boolean, token?: string): LengthSpec {
  const { length } = kind
  if (length === 'until') {
    return { form: 'until', terminator: terminatorOf(kind, token) ?? '', open: false }
  }
  if (length === 'rest') return { form: 'rest' }
  if (length === 'fixed' || length === 'none') return { form: 'fixed' }
  const [encoding, digits] = length.split(' ') as ['ascii' | 'ebcdic' | 'bcd' | 'binary', string]
  const own = inclusive && encoding === 'binary'
  return { form: 'prefix', encoding, digits: Number(digits), inclusive: own }
}

/** Of values that no length limits. */
const SIZE_MAX = 999_999

/** A length of 0 before a value that varies sets no limit; above what the prefix can say there is none. */
function sizeOf(kind: JposClass, length: number): number {
  if (kind.length === 'none') return 0
  const most = kind.length === 'until' ? SIZE_MAX : lengthMaxOf(kind)
  const open = kind.unlimited || length === 0
  const size = most !== undefined && (open || length > most) ? most : length
  if (kind.unit === 'encoded') return Math.ceil(size / 2)
  if (kind.unit !== 'nibbles') return size
  return kind.content === 'b' ? size * 2 : size + (size % 2)
}
