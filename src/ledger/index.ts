// src/ledger/index.ts — accounts, postings, and which step of a txn books what.
export type { AccountName, Leg, Posting, PostingReason } from './account.ts'
export { NEVER_NEGATIVE, posting } from './account.ts'
export { book, bookDeposit } from './book.ts'
