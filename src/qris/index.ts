// src/qris/index.ts — QRIS codes (EMVCo merchant-presented mode) read and made. Pure.
export type {
  Criteria,
  QrisAccount,
  QrisAdditional,
  QrisCode,
  QrisLocalized,
  QrisNational,
  QrisTip,
  RawObject,
} from './code.ts'
export { ADDITIONAL_IDS, CRITERIA } from './code.ts'
export { crc16 } from './crc.ts'
export { makeQris } from './make.ts'
export { isQrisPan, nnsOf, withCheckDigit } from './pan.ts'
export { CODE_CHARS_MAX, rawObjects, readQris } from './read.ts'
