import type { DataEncoding, FieldSpec, LengthSpec, PadSpec } from '../codec/spec.ts'
import { dataOf, unitOf, usualPad, type Defaults, type Place } from './line.ts'

/** The line that `parseLine` reads as this field: only what the defaults do not say. */
export function writeLine(field: FieldSpec, place: Place, defaults: Defaults): string {
  const { content, length, name, mask } = field
  const data = dataOf(content, defaults)
  const options = [
    mask,
    field.data === data ? undefined : field.data,
    ...lengthOptions(length, defaults),
    field.unit === unitOf(content, field.data) ? undefined : `counts ${field.unit}`,
    field.filled ? 'filled' : undefined,
    padOption(field),
  ].filter(option => option !== undefined)
  const head = [lengthWord(field, place), content, sizeText(field, place), nameText(name)]
  return [head.filter(word => word !== '').join(' '), ...options].join(', ')
}

function lengthWord({ length, data }: FieldSpec, place: Place): string {
  if (length.form === 'prefix') return `${'L'.repeat(length.digits)}VAR`
  if (length.form === 'until' && place === 'element') return untilWords(length, data)
  return length.form === 'fixed' || place === 'value' ? '' : length.form
}

/** One byte of ASCII as its character, all else in hexadecimal. */
function untilWords(
  { terminator, open }: LengthSpec & { readonly form: 'until' },
  data: DataEncoding,
): string {
  const char = data === 'ascii' ? Buffer.from(terminator, 'hex').toString('latin1') : ''
  // Neither what separates options and quotes names, nor letters and digits.
  const plain = /^[!#-&(-+./:-@[-`{-~-]$/.test(char)
  return `until ${plain ? char : `0x${terminator.toLowerCase()}`}${open ? ' or end' : ''}`
}

function lengthOptions(length: LengthSpec, defaults: Defaults): string[] {
  if (length.form !== 'prefix') return []
  const encoding = length.encoding === defaults.lengths ? '' : ` ${length.encoding}`
  const inclusive = length.inclusive ? ' inclusive' : ''
  return encoding || inclusive ? [`length${encoding}${inclusive}`] : []
}

function sizeText({ content, length, size, sizeMin }: FieldSpec, place: Place): string {
  const sign = content === 'x+n' ? 1 : 0
  const exact = length.form === 'fixed' || (place === 'value' && sizeMin === size)
  if (exact) return String(size - sign)
  return `${sizeMin === undefined ? '' : sizeMin - sign}..${size - sign}`
}

/** A name that would be read as something else stands in quotes. */
function nameText(name: string): string {
  return /^[\w(][^",\\\n]*$/.test(name) && name.trim() === name && !/^(?:bits|bytes)\b/.test(name)
    ? name
    : name === ''
      ? ''
      : JSON.stringify(name)
}

function padOption(field: FieldSpec): string | undefined {
  const { content, pad, filled, length } = field
  const kind = filled ? 'filled' : length.form === 'fixed' ? 'fixed' : 'none'
  const usual = usualPad(kind, content)
  if (same(pad, usual)) return undefined
  if (!pad) return 'exact'
  if (usual && same(pad, { ...usual, trim: true })) return 'trimmed'
  return `${padWord(pad.char)} ${pad.side}${pad.trim ? ' trimmed' : ''}`
}

function padWord(char: string): string {
  if (char === '0') return 'zeros'
  if (char === ' ') return 'spaces'
  if (/^[!-+\--~]$/.test(char) && char !== '"') return `pad ${char}`
  return `pad 0x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`
}

function same(a: PadSpec | undefined, b: PadSpec | undefined): boolean {
  return a?.side === b?.side && a?.char === b?.char && a?.trim === b?.trim
}
