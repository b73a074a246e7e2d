import type { FieldSpec } from './field.ts'
import { compileField, type FieldCodec } from './field.ts'
import { FIELD_NUMBER_MAX } from './fields.ts'

/** A dialect's field table as data: what the standard prints, one line a data element. */
export type TableSpec = {
  /** Whether bit 1 may announce a second bitmap (fields 65 to 128). */
  readonly bitmap: { readonly encoding: 'hex'; readonly secondary: boolean }
  readonly fields: readonly FieldSpec[]
}

export type FieldTable = {
  readonly spec: TableSpec
  /** By number; undefined where the dialect defines nothing. */
  readonly codecs: readonly (FieldCodec | undefined)[]
}

export function compileTable(spec: TableSpec): FieldTable {
  const length = FIELD_NUMBER_MAX + 1
  const codecs = Array.from({ length }, (): FieldCodec | undefined => undefined)
  for (const field of spec.fields) codecs[field.number] = compileField(field)
  return { spec, codecs }
}
