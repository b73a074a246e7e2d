// src/message/index.ts — the normalized message, its dictionary, masks and outcomes. Pure.
export type { Entry, Mask, Path, ValueKind } from './dictionary.ts'
export { DICTIONARY, isPath } from './dictionary.ts'
export { masked, maskValue } from './mask.ts'
export type {
  Bill,
  Card,
  Customer,
  Detail,
  Fault,
  Meaning,
  Message,
  MessageKind,
  Original,
  Outcome,
  Qr,
  Reason,
  References,
  Registration,
  Token,
  Transfer,
} from './message.ts'
export {
  APPROVED,
  CARD_REASONS,
  declined,
  dueOfBill,
  dueOfBills,
  isReason,
  REASONS,
  respond,
} from './message.ts'
