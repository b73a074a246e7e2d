import { readdirSync, readFileSync } from 'node:fs'
import { compileSpec } from '../../src/iso8583/codec/compile.ts'
import type { IsoCodec } from '../../src/iso8583/codec/codec.ts'
import { LENIENCIES, type Leniency } from '../../src/iso8583/codec/spec.ts'
import { compileTable, type TableText } from '../../src/iso8583/tables/index.ts'

/** Compiled elsewhere, the targets still read the tables of the project. */
const ROOT = process.env['NADI_FUZZ_ROOT'] ?? new URL('../../', import.meta.url).pathname

/** The standards, and tables that have every feature. */
export const TABLES: readonly TableText[] = ['specs', 'fuzz/tables'].flatMap(folder =>
  readdirSync(`${ROOT}/${folder}`)
    .filter(name => name.endsWith('.yaml'))
    .toSorted()
    .map(name => ({ path: name, text: readFileSync(`${ROOT}/${folder}/${name}`, 'utf8') })),
)

export type Dialect = { readonly codec: IsoCodec; readonly strict: boolean }

/** Each of them as it is, and with every leniency there is. */
export const DIALECTS: readonly Dialect[] = TABLES.flatMap(table => {
  const { spec, problems } = compileTable([table, ...TABLES])
  if (!spec) throw new Error(`${problems[0]?.path}: ${problems[0]?.text}`)
  const lenient = Object.keys(LENIENCIES) as Leniency[]
  return [
    { codec: compileSpec(spec), strict: true },
    { codec: compileSpec(spec, { lenient }), strict: false },
  ]
})
