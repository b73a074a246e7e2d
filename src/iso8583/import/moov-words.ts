import type { ContentClass, DataEncoding, LengthSpec, LengthUnit } from '../codec/spec.ts'

/** What an encoding of moov-io/iso8583 means, and what a length before it counts. */
export const MOOV_ENCODINGS: Readonly<Record<string, readonly [DataEncoding, LengthUnit]>> = {
  ASCII: ['ascii', 'characters'],
  EBCDIC: ['ebcdic-037', 'characters'],
  EBCDIC1047: ['ebcdic-1047', 'characters'],
  BCD: ['bcd-left-0', 'digits'],
  LBCD: ['bcd-right-0', 'digits'],
  Binary: ['binary', 'bytes'],
  HexToASCII: ['hex-ascii', 'bytes'],
  ASCIIToHex: ['binary', 'bytes'],
}

export const MOOV_TYPES = [
  'String',
  'Numeric',
  'Binary',
  'Hex',
  'Bitmap',
  'Composite',
  'Track1',
  'Track2',
  'Track3',
] as const

/** `ASCII.LLL`, `Hex.Fixed`, `BerTLV`, `None.Fixed`. Hexadecimal lengths have two digits an L. */
export function lengthOfPrefix(prefix: string): LengthSpec | undefined {
  if (prefix === 'BerTLV') return { form: 'ber' }
  const match = /^(ASCII|EBCDIC|EBCDIC1047|BCD|Binary|Hex|None)\.(Fixed|L{1,6})$/.exec(prefix)
  if (!match) return undefined
  const [, family, digits] = match as unknown as [string, string, string]
  if (digits === 'Fixed') return { form: 'fixed' }
  if (family === 'None') return undefined
  const encoding = FAMILIES[family]
  const count = digits.length * (family === 'Hex' ? 2 : 1)
  return encoding && count <= 6
    ? { form: 'prefix', encoding, digits: count, inclusive: false }
    : undefined
}

const FAMILIES: Readonly<Record<string, (LengthSpec & { form: 'prefix' })['encoding']>> = {
  ASCII: 'ascii',
  EBCDIC: 'ebcdic',
  EBCDIC1047: 'ebcdic',
  BCD: 'bcd',
  Binary: 'binary',
  Hex: 'hex-ascii',
}

/** The prefix that says this length, or undefined where moov has none. */
export function prefixOfLength(length: LengthSpec, data: DataEncoding): string | undefined {
  const family = familyOf(data)
  if (length.form === 'fixed') return `${family}.Fixed`
  if (length.form === 'ber') return 'BerTLV'
  if (length.form !== 'prefix' || length.inclusive || length.encoding === 'hex-bcd')
    return undefined
  const own = Object.entries(FAMILIES).find(([, encoding]) => encoding === length.encoding)?.[0]
  const digits = length.encoding === 'hex-ascii' ? length.digits / 2 : length.digits
  const known = Number.isInteger(digits) && digits <= 4
  return own !== undefined && known ? `${own}.${'L'.repeat(digits)}` : undefined
}

function familyOf(data: DataEncoding): string {
  if (data.startsWith('bcd')) return 'BCD'
  if (data.startsWith('ebcdic')) return 'EBCDIC'
  if (data === 'hex-ascii') return 'Hex'
  return data === 'binary' ? 'Binary' : 'ASCII'
}

/** The encoding that says this data, or undefined where moov has none. */
export function encodingOfData(data: DataEncoding): string | undefined {
  return Object.entries(MOOV_ENCODINGS).find(([, [own]]) => own === data)?.[0]
}

/** Fields of moov are not checked against a class, so a String may hold all that is printed. */
export function contentOfType(type: string, data: DataEncoding): ContentClass {
  if (type === 'Track2' || type === 'Track3') return 'z'
  if (data === 'binary' || data.startsWith('hex')) return 'b'
  return type === 'Numeric' || data.startsWith('bcd') ? 'n' : 'ans'
}
