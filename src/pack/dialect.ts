import { type FieldSpec, type IsoCodec, type MessageSpec } from '#iso8583'

/** The field table of a pack, compiled, and what the compilation of its messages asks of it. */
export type Dialect = {
  readonly spec: MessageSpec
  readonly codec: IsoCodec
  /** By number. */
  readonly fields: readonly (FieldSpec | undefined)[]
}

/** Data elements are numbered from 1 to 192. */
export const ELEMENT_MAX = 192

export function makeDialect(spec: MessageSpec, codec: IsoCodec): Dialect {
  const fields = Array.from({ length: ELEMENT_MAX + 1 }, (): FieldSpec | undefined => undefined)
  for (const field of spec.fields) fields[Number(field.id)] = field
  return { spec, codec, fields }
}

/** How many characters its value has at most: bytes are told as two hexadecimal digits each. */
export function charactersOf({ content, size }: FieldSpec): number {
  return content === 'b' ? size * 2 : size
}

const SAYABLE: readonly string[] = ['n', 'a', 'an', 'anp', 'ans']

/** The format of a value that is the whole element, where the pack says no other. */
export function formatOf(field: FieldSpec): string {
  const { content, length } = field
  const said = content === 'b' ? 'an' : SAYABLE.includes(content) ? content : 'ans'
  return `${said}${length.form === 'fixed' ? '' : '..'}${charactersOf(field)}`
}
