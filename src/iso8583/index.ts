// src/iso8583/index.ts — frame ⇄ fields, compiled from field tables; framing. Pure.
export type {
  CompileOptions,
  IsoCodec,
  IsoDraft,
  IsoEntry,
  IsoMessage,
  IsoPart,
  IsoPath,
  IsoProblem,
  IsoWriter,
  PlainMessage,
  PlainValue,
} from './codec/codec.ts'
export { compileSpec } from './codec/compile.ts'
export { CLASSES, KIND_OF_CHAR } from './codec/content.ts'
export {
  adviceOf,
  isAdvice,
  isNetwork,
  isRepeat,
  isRequest,
  isResponse,
  isReversal,
  repeatOf,
  responseOf,
  reversalOf,
  versionOf,
} from './codec/mti.ts'
export type {
  BitmapSpec,
  CompositeSpec,
  ContentClass,
  FieldMask,
  FieldSpec,
  Leniency,
  MessageSpec,
  OverlaySpec,
} from './codec/spec.ts'
export { LENIENCIES } from './codec/spec.ts'
export { latin1Text, latin1Write } from './codec/text.ts'
export type { CardTrack, Track1, Track2, Track3 } from './codec/tracks.ts'
export {
  formatTrack1,
  formatTrack2,
  formatTrack3,
  parseTrack1,
  parseTrack2,
  parseTrack3,
} from './codec/tracks.ts'
export type { Channel, ChannelName } from './framing/channels.ts'
export { CHANNELS } from './framing/channels.ts'
export type { FramingOptions } from './framing/compile.ts'
export { compileFraming } from './framing/compile.ts'
export type { Framer, FrameReader, Measure, OnFrame } from './framing/framing.ts'
export { measureBy } from './framing/measure.ts'
export type { FramingSpec, HeaderForm, LengthForm } from './framing/spec.ts'
export { importJpos } from './import/jpos.ts'
export { importMoov } from './import/moov.ts'
export { exportMoov } from './import/moov-export.ts'
export type { ImportResult, Note } from './import/result.ts'
export type { TableResult, TableText } from './tables/compile.ts'
export { compileTable } from './tables/compile.ts'
export { toTable } from './tables/write-table.ts'
