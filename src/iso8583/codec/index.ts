// src/iso8583/codec/index.ts — the codec of any dialect, for the siblings and the face above.
export type * from './codec.ts'
export { compileSpec } from './compile.ts'
export {
  adviceOf,
  isAdvice,
  isNetwork,
  isRepeat,
  isRequest,
  isResponse,
  isReversal,
  type MtiVersion,
  repeatOf,
  responseOf,
  reversalOf,
  versionOf,
} from './mti.ts'
export { ORDER_KEY } from './plain.ts'
export type * from './spec.ts'
export { LENIENCIES } from './spec.ts'
export type { CardTrack, Track1, Track2, Track3 } from './tracks.ts'
export {
  formatTrack1,
  formatTrack2,
  formatTrack3,
  parseTrack1,
  parseTrack2,
  parseTrack3,
} from './tracks.ts'
