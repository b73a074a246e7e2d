import { parse } from 'yaml'
import { z } from 'zod'
import { errorText, NadiError } from '#base'
import { DICTIONARY, isPath } from '#message'

/**
 * `recon.yaml` of a pack: how its counterpart writes the payments of a day, for reconciliation.
 *
 *     - products: [pln-postpaid]
 *       name: '{partner}-50501-99-{date}.ftr'
 *       separator: '|'
 *       header: 'H|{partner}|50501|{date}'
 *       trailer: 'T|{count}|{amount}'
 *       line: bill                       one a month; `payment`: one each
 *       columns: [sentAt, bank, customer.id, bill.period, amountMinor rupiah, is 1]
 *
 * A column is a path of the payment's message, or `bill.` and one of its bills; amounts are written
 * as `rupiah` or `sen`. What is not there is empty. In names and lines there are `{partner}`,
 * `{date}` (YYYYMMDD), `{count}` and `{amount}` (rupiah).
 */
export type ReconFormat = readonly ReconFile[]

export type ReconFile = {
  readonly products: readonly string[] | undefined
  readonly name: string
  readonly separator: string
  readonly header: string | undefined
  readonly trailer: string | undefined
  readonly line: 'payment' | 'bill'
  readonly columns: readonly Column[]
}

export type Column =
  | { readonly tag: 'is'; readonly text: string }
  | { readonly tag: 'path'; readonly path: readonly string[]; readonly of: 'payment' | 'bill' }
  | {
      readonly tag: 'money'
      readonly path: readonly string[]
      readonly of: 'payment' | 'bill'
      readonly unit: 'rupiah' | 'sen'
    }

const FILE = z.strictObject({
  products: z.array(z.string()).optional(),
  // A name, and nothing that leads out of the folder.
  name: z.string().regex(/^[A-Za-z0-9{][A-Za-z0-9{}._-]*$/),
  separator: z.string().min(1).max(3).default(','),
  header: z.string().optional(),
  trailer: z.string().optional(),
  line: z.enum(['payment', 'bill']).default('payment'),
  columns: z.array(z.string()).min(1).max(60),
})

/** Throws CONF_INVALID with what is wrong. */
export function readReconFormat(path: string, text: string): ReconFormat {
  let told: unknown
  try {
    told = parse(text, { schema: 'failsafe', maxAliasCount: 0 })
  } catch (error) {
    throw new NadiError('CONF_INVALID', { path, actual: errorText(error) })
  }
  const read = z.array(FILE).min(1).max(20).safeParse(told)
  if (!read.success)
    throw new NadiError('CONF_INVALID', { path, actual: z.prettifyError(read.error) })
  return read.data.map(({ columns, products, header, trailer, ...rest }) => ({
    ...rest,
    products,
    header,
    trailer,
    columns: columns.map(column => columnOf(path, column)),
  }))
}

function columnOf(path: string, column: string): Column {
  const fixed = /^is (.*)$/.exec(column)?.[1]
  if (fixed !== undefined) return { tag: 'is', text: fixed }
  const [name = '', unit, ...more] = column.split(' ')
  const ofBill = name.startsWith('bill.')
  const known = ofBill ? name.replace('bill.', 'bills[].') : name
  if (!isPath(known) || more.length > 0)
    throw new NadiError('CONF_INVALID', {
      path,
      expected: 'a path of the message, "bill." and one of its bills, or "is TEXT"',
      actual: column,
    })
  const of = ofBill ? 'bill' : 'payment'
  const parts = (ofBill ? name.slice('bill.'.length) : name).split('.')
  const isMoney = DICTIONARY[known].kind === 'money'
  if (!isMoney && unit === undefined) return { tag: 'path', path: parts, of }
  if (isMoney && (unit === 'rupiah' || unit === 'sen'))
    return { tag: 'money', path: parts, of, unit }
  const expected = isMoney ? `${name} rupiah or ${name} sen` : name
  throw new NadiError('CONF_INVALID', { path, expected, actual: column })
}

/** Of packs without recon.yaml. */
export const PLAIN_CSV: ReconFormat = readReconFormat(
  'recon.yaml',
  `
- name: '{partner}-{date}.csv'
  header: 'time,product,customer,reference,audit number,bank,terminal,amount'
  columns: [sentAt, product, customer.id, reference.switching, trace, bank, terminal, amountMinor rupiah]
`,
)
