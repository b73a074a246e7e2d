import { isNadiError } from '#base'
import type { IsoCodec, PlainMessage, PlainValue } from '#iso8583'
import type { Dialect } from './dialect.ts'
import type { Read } from './view.ts'

/** A message in another dialect, and what of it could not be said there. */
export type Converted = {
  readonly frame: Uint8Array
  readonly lost: readonly { readonly path: string; readonly text: string }[]
}

/**
 * Data elements keep their numbers and values. Each is tried by itself, so one that does not fit
 * costs only itself. Throws when not even the message type can be said.
 */
export function convert({ plain, message }: Read, to: Dialect): Converted {
  const { codec } = to
  const mti = versioned(plain.mti, to)
  const fields: Record<string, PlainValue> = {}
  const lost: Converted['lost'][number][] = []
  const base = { mti, ...(to.spec.headerBytes > 0 ? headerFor(plain, to) : {}) }
  if (plain.header !== undefined && to.spec.headerBytes === 0) {
    lost.push({ path: 'header', text: 'there is none' })
  }
  for (const [id, value] of Object.entries(plain.fields)) {
    const whole = typeof value === 'string' ? undefined : message.get(Number(id))
    // A composite goes over with its parts, or else as a whole.
    const tried = [value, ...(whole === undefined ? [] : [whole])].map(one => ({
      one,
      problem: problemOf(codec, { ...base, fields: { [id]: one } }),
    }))
    const fits = tried.find(({ problem }) => problem === undefined)
    if (fits) fields[id] = fits.one
    else lost.push({ path: id, text: tried[0]?.problem ?? '' })
  }
  return { frame: codec.fromPlain({ ...base, fields }), lost }
}

/** Elements that are numbers: zeros before them change nothing. */
const NUMBERS = ['11']

/**
 * What stands against saying these fields. A value that is filled up to another one does: 091530 is
 * half past nine, and 000000091530 is not.
 */
function problemOf(codec: IsoCodec, plain: PlainMessage): string | undefined {
  try {
    const { fields } = codec.parse(codec.fromPlain(plain)).toPlain()
    const other = Object.entries(plain.fields).some(([id, before]) => {
      const after = fields[id]
      if (typeof before !== 'string' || typeof after !== 'string') return false
      const equal = before.trimEnd() === after.trimEnd()
      return !equal && !(NUMBERS.includes(id) && Number(before) === Number(after))
    })
    return other ? 'it would be filled up to another value' : undefined
  } catch (error) {
    if (!isNadiError(error)) throw error
    const { expected, actual } = error
    return expected === undefined
      ? error.message
      : `wanted is ${expected}${actual ? `, not ${actual}` : ''}`
  }
}

function headerFor({ header }: PlainMessage, { spec }: Dialect): { header: string } {
  const same = header?.length === spec.headerBytes * 2
  return { header: same ? header : '00'.repeat(spec.headerBytes) }
}

/** The same type in the version of the other dialect, when that has only one. */
function versioned(mti: string, { spec }: Dialect): string {
  const { versions } = spec.mti
  const [only] = versions
  if (only === undefined || versions.length > 1 || versions.includes(Number(mti[0]))) return mti
  return `${only}${mti.slice(1)}`
}
