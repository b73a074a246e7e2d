// src/journal/index.ts — what happened: the promise and its keepers.
export type * from './journal.ts'
