// src/message/index.ts — the normalized message, its dictionary, masks and outcomes. Pure.
export type { Entry, Mask, Path, ValueKind } from './dictionary.ts'
export { DICTIONARY, isPath } from './dictionary.ts'
export { masked, maskValue } from './mask.ts'
export type {
  Bill,
  Customer,
  Meaning,
  Message,
  MessageKind,
  Original,
  Outcome,
  Reason,
  References,
  Registration,
  Token,
} from './message.ts'
export { APPROVED, declined, isReason, REASONS, respond } from './message.ts'
