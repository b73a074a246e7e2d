// src/txn/index.ts — everything the rest of the switch may know about a payment's life.
export { next } from './next.ts'
export type { Policy, Recovery } from './policy.ts'
export type { Action, Finding, Step, TxnEvent, TxnState, TxnTag } from './state.ts'
export { FINAL, isFinal, moneyOf } from './state.ts'
export type { Question, Told } from './tell.ts'
export { tell } from './tell.ts'
