// src/iso8583/import/index.ts — dialects as other programs describe them, and back.
export { importJpos } from './jpos.ts'
export {
  bitmapSpecOfJposClass,
  fieldSpecOfJposClass,
  JPOS_CLASSES,
  type JposField,
  valueSpecOfJposClass,
} from './jpos-classes.ts'
export type { ImportResult, Note } from './result.ts'
export { importMoov } from './moov.ts'
export { exportMoov, type MoovExport } from './moov-export.ts'
