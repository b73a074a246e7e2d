// src/journal/index.ts — what happened: the promise and its keepers.
export type * from './journal.ts'
export type { MemoryJournalOptions } from './memory.ts'
export { MemoryJournal, MemoryStore } from './memory.ts'
export type { PostgresJournalOptions } from './postgres/journal.ts'
export { PostgresJournal } from './postgres/journal.ts'
