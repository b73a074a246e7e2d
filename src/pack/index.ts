// src/pack/index.ts — fields ⇄ message, described by data.
export type * from './pack.ts'
