import type { FieldSpec, IsoCodec, MessageSpec } from '#iso8583'
import type { ValueKind } from '#message'
import { NUMBER_DIGITS_MAX } from './format-basics.ts'

/** The field table of a pack, compiled, and what the compilation of its messages asks of it. */
export type Dialect = {
  readonly spec: MessageSpec
  readonly codec: IsoCodec
  /** By number. */
  readonly fields: readonly (FieldSpec | undefined)[]
  /** The highest number that there is: the codec lets no other through. */
  readonly numberMax: number
}

/** Data elements are numbered from 1 to 192. */
export const ELEMENT_MAX = 192

export function makeDialect(spec: MessageSpec, codec: IsoCodec): Dialect {
  const fields = Array.from({ length: ELEMENT_MAX + 1 }, (): FieldSpec | undefined => undefined)
  for (const field of spec.fields) fields[Number(field.id)] = field
  const numberMax = Math.max(...spec.fields.map(({ id }) => Number(id)))
  return { spec, codec, fields, numberMax }
}

/** How many characters its value has at most: bytes are told as two hexadecimal digits each. */
export function charactersOf({ content, size, length }: FieldSpec): number {
  if (size === 0 && (length.form === 'rest' || length.form === 'ber')) return Infinity
  return content === 'b' ? size * 2 : size
}

const SAYABLE: readonly string[] = ['n', 'a', 'an', 'anp', 'ans']

/** The format of a value that is the whole element, where the pack says no other. */
export function formatOf(field: FieldSpec, kind: ValueKind): string {
  const { content, length } = field
  const said = content === 'b' ? 'an' : SAYABLE.includes(content) ? content : 'ans'
  const size = Math.min(charactersOf(field), TEXT_MAX)
  if (length.form === 'fixed') return `${said}${size}`
  // A value that is no text has its own words: that no format fits is told by them.
  return kind === 'integer' ? `n..${Math.min(size, NUMBER_DIGITS_MAX)}` : `${said}..${size}`
}

const TEXT_MAX = 9999
