/**
 * Field classes of jPOS, value by value, against what jPOS itself writes and reads. The vectors are
 * read from `NADI_REFERENCE` or ../shared/reference, and are no part of the project.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { isNadiError } from '#base'
import { compileSpec } from '../../../src/iso8583/codec/compile.ts'
import type { IsoCodec, PlainValue } from '../../../src/iso8583/codec/codec.ts'
import type { FieldSpec, MessageSpec } from '../../../src/iso8583/codec/spec.ts'
import {
  fieldSpecOfJposClass,
  INEXPRESSIBLE_CLASSES,
  jposClass,
} from '../../../src/iso8583/import/jpos-classes.ts'

type Value = string | { readonly hex: string } | { readonly bits: readonly number[] } | null
type Vector = {
  readonly class: string
  readonly length: number
  readonly pad: boolean
  readonly in: Value
  readonly packed?: string
  readonly out?: Value
  readonly consumed?: number
  readonly packError?: string
  readonly unpackError?: string
}

const folder = resolve(process.env['NADI_REFERENCE'] ?? '../shared/reference')
const file = resolve(folder, 'iso8583-field-vectors.jsonl')
const skip = existsSync(file) ? false : 'the reference vectors are not here'

/** What these vectors hold and we do otherwise on purpose. */
const OTHERWISE: Readonly<Record<string, string>> = {
  ...INEXPRESSIBLE_CLASSES,
  IF_UNUSED: 'a number that is not defined',
  IF_NOP: 'nothing on the wire is nothing, whatever the value',
  IFA_BITMAP: 'bitmaps are not fields',
  IFB_BITMAP: 'bitmaps are not fields',
  IFE_BITMAP: 'bitmaps are not fields',
  X92_BITMAP: 'bitmaps are not fields',
}

/** A message of one field, without anything around it. */
function codecOf(field: FieldSpec): IsoCodec {
  const spec: MessageSpec = {
    name: 'vector',
    title: 'one field',
    headerBytes: 0,
    mti: { encoding: 'none', versions: [] },
    bitmap: { encoding: 'none', bytes: 8, extension: 'forbidden', most: 1 },
    fields: [field],
    overlays: [],
  }
  return compileSpec(spec)
}

t.test('field classes write and read what jPOS does', { skip }, async t => {
  const vectors = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Vector)
  const classes = Map.groupBy(vectors, vector => vector.class)
  for (const [name, rows] of classes) {
    const why = Object.hasOwn(OTHERWISE, name) ? OTHERWISE[name] : undefined
    t.test(name, { skip: why ?? false }, async t => {
      const wrong = rows.flatMap(row => {
        const text = differenceOf(row)
        return text === undefined ? [] : [`${JSON.stringify(row)}: ${text}`]
      })
      t.same(wrong.slice(0, 3), [], `${rows.length} vectors, ${wrong.length} differ`)
    })
  }
})

function differenceOf(row: Vector): string | undefined {
  const { length, pad } = row
  const jpos = { id: '2', name: 'x', length, pad, ...tokenOf(row) }
  const field = fieldSpecOfJposClass(row.class, jpos)
  if (!field) return 'no such class'
  const codec = codecOf(field)
  let frame: Uint8Array
  try {
    frame = codec.fromPlain({ mti: '', fields: { '2': plain(row.in, field, row.class) } })
  } catch (error) {
    if (!isNadiError(error)) throw error
    if (row.packError !== undefined || isLaxity(row)) return undefined
    return error.message
  }
  if (row.packError !== undefined) return isOurLaxity(row) ? undefined : 'it should not be written'
  const hex = Buffer.from(frame).toString('hex')
  if (hex !== row.packed) return `written as ${hex}`
  const message = codec.parse(frame)
  const [value] = [message.toPlain().fields['2']]
  const out = plain(row.class === 'IF_TCHAR' ? row.in : (row.out ?? ''), field, row.class)
  if (JSON.stringify(value) !== JSON.stringify(out) && !readsWrong(row)) {
    return `read as ${JSON.stringify(value)}`
  }
  const again = Buffer.from(message.draft().build()).toString('hex')
  return again === hex ? undefined : 'written differently again'
}

/** Without a token jPOS writes `null` behind the value, and cannot read it. */
function tokenOf({ class: name }: Vector): { readonly token?: string } {
  return name === 'IF_TCHAR' ? { token: 'null' } : {}
}

/** jPOS shortens what is too long, or writes a length that lost a digit; we refuse the value. */
function isLaxity({ class: name, in: value, length }: Vector): boolean {
  const size = typeof value === 'string' ? value.length : 0
  if (name === 'IF_ECHAR' || name === 'IFELPE_LLLCHAR') return size > length
  return name === 'IFB_LLHEX' && length === 99
}

/** What jPOS refuses and we do not: limits in whole bytes, and two of its own. */
function isOurLaxity({ class: name, length }: Vector): boolean {
  if (name === 'IFEP_LLLCHAR' || name === 'IFEP_LLCHAR') return length === 99
  if (name.endsWith('_AMOUNT2003')) return length < 12
  return ['IFEB_LLNUM', 'IFEB_LLLNUM', 'IFA_LLBNUM'].includes(name)
}

/** What jPOS writes and does not read back: the filler as a digit, some EBCDIC letters A to F. */
function readsWrong({ class: name }: Vector): boolean {
  return name === 'IFEB_LLLNUM' || name === 'IFE_BINARY'
}

function plain(value: Value, field: FieldSpec, name: string): PlainValue {
  let text = ''
  if (typeof value === 'string') text = value
  else if (value !== null && 'hex' in value) {
    const latin = field.content !== 'b' && !jposClass(name)?.tag
    text = latin ? Buffer.from(value.hex, 'hex').toString('latin1') : value.hex.toUpperCase()
  }
  const { children } = field
  return children?.kind === 'tagged' ? { [children.fields[0]?.id ?? '']: text } : text
}
