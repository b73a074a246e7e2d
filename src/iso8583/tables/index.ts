// src/iso8583/tables/index.ts — a dialect as a text that reads like the standard's own table.
export { checkSpec, type Contradiction } from './check.ts'
export { compileTable, type TableResult, type TableText } from './compile.ts'
export { type Problem } from './tree.ts'
export { toTable } from './write-table.ts'
export { tableSchema } from './schema.ts'
