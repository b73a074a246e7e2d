import { DEPTH_MAX } from './composite.ts'
import { compileData } from './data.ts'
import { compilePrefix } from './lengths.ts'
import { NUMBER_MAX } from './numbers.ts'
import { badSpec } from './rejects.ts'
import type { BitmapSpec, CompositeSpec, FieldSpec, MessageSpec } from './spec.ts'
import { TERMINATOR_HEX } from './terminator.ts'
import { isTag } from './tlv.ts'

const SIZE_MAX = 2 ** 31 - 1
const HEADER_BYTES_MAX = 1024

/** Throws CODEC_SPEC, naming the field, where a spec contradicts itself. */
export function checkSpec(spec: MessageSpec): void {
  checkWhole('headerBytes', spec.headerBytes, 0, HEADER_BYTES_MAX)
  for (const version of spec.mti.versions) checkWhole('mti', version, 0, 9)
  checkBitmap(spec.bitmap, 'bitmap')
  checkNumbered(spec.fields, '', NUMBER_MAX)
  spec.fields.forEach(field => checkField(field, field.id, 0))
  checkThird(spec)
  for (const overlay of spec.overlays) {
    for (const pattern of overlay.when.mti) {
      if (!/^[0-9.]{4}$/.test(pattern)) throw badSpec('overlays', `"${pattern}" is no MTI pattern`)
    }
    checkNumbered(overlay.fields, 'overlay ', NUMBER_MAX)
    overlay.fields.forEach(field => checkField(field, field.id, 0))
  }
}

function checkThird({ bitmap, fields }: MessageSpec): void {
  const { tertiaryField } = bitmap
  if (tertiaryField === undefined) return
  checkWhole('bitmap.tertiaryField', tertiaryField, 2, 128)
  if (bitmap.bytes !== 8 || bitmap.most > 2) {
    throw badSpec('bitmap', 'a third bitmap inside of a field stands behind two of 8 bytes')
  }
  if (fields.some(({ id }) => id === String(tertiaryField))) {
    throw badSpec(String(tertiaryField), 'this number holds the third bitmap')
  }
}

function checkBitmap({ encoding, bytes, extension, most }: BitmapSpec, path: string): void {
  if (encoding === 'none') return
  checkWhole(`${path}.bytes`, bytes, 1, 32)
  if (extension === 'auto') checkWhole(`${path}.most`, most, 1, 24)
  if (path === 'bitmap' && bytes * (extension === 'auto' ? most : 1) * 8 > NUMBER_MAX) {
    throw badSpec(path, `there are at most ${NUMBER_MAX} data elements`)
  }
}

function checkNumbered(fields: readonly FieldSpec[], path: string, most: number): void {
  checkUnique(fields, path)
  for (const { id } of fields) {
    const number = Number(id)
    const whole = /^[1-9][0-9]{0,3}$/.test(id) && number <= most
    if (!whole) throw badSpec(`${path}${id}`, `numbers go from 1 to ${most}`)
  }
}

function checkUnique(fields: readonly FieldSpec[], path: string): void {
  const seen = new Set<string>()
  for (const { id } of fields) {
    if (seen.has(id)) throw badSpec(`${path}${id}`, 'it is described twice')
    seen.add(id)
  }
}

function checkField(spec: FieldSpec, path: string, depth: number): void {
  const { size, sizeMin, length, pad, filled, children } = spec
  checkWhole(path, size, 0, SIZE_MAX)
  if (sizeMin !== undefined) checkWhole(path, sizeMin, 0, size)
  if (pad && pad.char.length !== 1) throw badSpec(path, 'padding is one character')
  if (length.form === 'prefix') checkPrefix(spec, path)
  if (length.form === 'until') checkTerminator(length.terminator, size, path)
  const data = compileData(spec, { path, anyContent: false, lowerCaseHex: false })
  const whole = length.form === 'fixed' || length.form === 'until' || filled
  if (whole && data.bytesOf(size) < 0) {
    throw badSpec(path, `${size} ${spec.unit} are no whole number of bytes`)
  }
  if (filled && length.form !== 'prefix') {
    throw badSpec(path, 'only a length before it can say how much of it is filled')
  }
  if (depth > DEPTH_MAX) throw badSpec(path, `fields nest at most ${DEPTH_MAX} deep`)
  if (children) checkComposite(children, path, depth)
}

function checkTerminator(terminator: string, size: number, path: string): void {
  if (!TERMINATOR_HEX.test(terminator)) {
    throw badSpec(path, `a terminator is 1 to 4 bytes in upper-case hexadecimal`)
  }
  if (size === 0) throw badSpec(path, 'what ends at a terminator needs a size')
}

function checkPrefix({ length, size, unit }: FieldSpec, path: string): void {
  if (length.form !== 'prefix') return
  checkWhole(path, length.digits, 1, 6)
  const prefix = compilePrefix(length)
  const told = length.encoding === 'hex-bcd' ? 0 : size + (length.inclusive ? prefix.bytes : 0)
  if (told > prefix.most) {
    throw badSpec(path, `${size} ${unit} do not fit a length of ${prefix.text}`)
  }
}

function checkComposite(spec: CompositeSpec, path: string, depth: number): void {
  const inside = (fields: readonly FieldSpec[]): void =>
    fields.forEach(field => checkField(field, `${path}.${field.id}`, depth + 1))
  switch (spec.kind) {
    case 'positional':
      checkUnique(spec.fields, `${path}.`)
      return inside(spec.fields)
    case 'bitmapped': {
      const { bitmap } = spec
      checkBitmap(bitmap, `${path}.bitmap`)
      checkWhole(path, spec.headerBytes, 0, HEADER_BYTES_MAX)
      const most = bitmap.bytes * 8 * (bitmap.extension === 'auto' ? bitmap.most : 1)
      checkNumbered(spec.fields, `${path}.`, bitmap.encoding === 'none' ? 9999 : most)
      return inside(spec.fields)
    }
    case 'ber-tlv':
      checkTags(spec.fields, path)
      return inside(spec.fields)
    case 'tagged':
      checkUnique(spec.fields, `${path}.`)
      checkWhole(path, spec.tag.size, 1, 16)
      if (spec.length.form !== 'prefix' && spec.length.form !== 'ber') {
        throw badSpec(path, 'behind a tag stands a length')
      }
      return inside(spec.fields)
    case 'datasets':
      for (const { id, form, fields } of spec.datasets) {
        if (!/^[0-9A-F]{2}(?:-[0-9A-F]{2})?$/.test(id)) {
          throw badSpec(`${path}.${id}`, 'a dataset is one byte, or a range of them')
        }
        if (form === 'tlv') checkTags(fields, `${path}.${id}`)
        else checkUnique(fields, `${path}.${id}.`)
        fields.forEach(field => checkField(field, `${path}.${id}.${field.id}`, depth + 2))
      }
  }
}

function checkTags(fields: readonly FieldSpec[], path: string): void {
  checkUnique(fields, `${path}.`)
  for (const { id } of fields) {
    if (!isTag(id)) throw badSpec(`${path}.${id}`, 'it is no BER tag in upper-case hexadecimal')
  }
}

function checkWhole(path: string, value: number, from: number, to: number): void {
  if (Number.isInteger(value) && value >= from && value <= to) return
  throw badSpec(path, `${value} is no whole number from ${from} to ${to}`)
}
