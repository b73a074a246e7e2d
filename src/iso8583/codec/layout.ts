import { Bitmap } from './bitmap.ts'
import { fieldCompiler } from './compile-field.ts'
import { checkSpec } from './check-spec.ts'
import type { Field } from './field.ts'
import { MtiCodec } from './mti.ts'
import { NUMBER_MAX } from './numbers.ts'
import { compileOverlays, type Overlay, type Variants } from './overlay.ts'
import type { BitmapSpec, FieldSpec, Leniency, MessageSpec } from './spec.ts'

/** A dialect with every choice looked up: what parsing, reading and writing work by. */
export type Layout = {
  readonly spec: MessageSpec
  readonly headerBytes: number
  readonly mti: MtiCodec
  /** Undefined where fields come one after the other, without one. */
  readonly bitmap: Bitmap | undefined
  /** By number. */
  readonly fields: readonly (Field | undefined)[]
  /** Those of them that are the same in every message. */
  readonly steady: readonly (Field | undefined)[]
  /** Numbers in the table's order, for dialects without a bitmap. */
  readonly order: readonly number[]
  /** The data element that holds the third bitmap, and that bitmap. */
  readonly tertiary: { readonly number: number; readonly bitmap: Bitmap } | undefined
  readonly overlays: readonly Overlay[]
  /** Fields that look different in some messages; undefined when there are none. */
  readonly variants: Variants | undefined
  /** Some field may end with the data, without its terminator. */
  readonly openEnds: boolean
  /** Neither: every field lies in every message in the same way, and can be copied as it lies. */
  readonly lieAlike: boolean
  readonly lenient: ReadonlySet<Leniency>
}

export function compileLayout(spec: MessageSpec, lenient: ReadonlySet<Leniency>): Layout {
  checkSpec(spec)
  const compile = fieldCompiler(lenient)
  const fields = Array.from({ length: NUMBER_MAX + 1 }, (): Field | undefined => undefined)
  const compileOne = (field: FieldSpec): Field => compile.field(field, field.id, 0)
  for (const field of spec.fields) fields[Number(field.id)] = compileOne(field)
  const lowerCase = lenient.has('lower-case-hex')
  const { bitmap } = spec
  const { tertiaryField } = bitmap
  const third: BitmapSpec = { ...bitmap, extension: 'always', most: 1 }
  const { overlays, variants } = compileOverlays(spec.overlays, compileOne)
  const steady = fields.map((field, number) => (variants?.numbers.has(number) ? undefined : field))
  const openEnds = [spec, ...spec.overlays].some(({ fields: all }) => all.some(mayEndOpen))
  return {
    spec,
    headerBytes: spec.headerBytes,
    mti: new MtiCodec(spec.mti, lenient.has('reserved-mti')),
    bitmap: bitmap.encoding === 'none' ? undefined : new Bitmap(bitmap, 'bitmap', lowerCase),
    fields,
    steady,
    order: spec.fields.map(({ id }) => Number(id)),
    tertiary:
      tertiaryField === undefined
        ? undefined
        : { number: tertiaryField, bitmap: new Bitmap(third, String(tertiaryField), lowerCase) },
    overlays,
    variants,
    openEnds,
    lieAlike: variants === undefined && !openEnds,
    lenient,
  }
}

function mayEndOpen({ length }: FieldSpec): boolean {
  return length.form === 'until' && length.open
}
