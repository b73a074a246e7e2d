import type { KeyTypeName } from '#hsm'
import type { KeyAct, KeyBook, KeyChange, KeyRecord, KeyState } from './record.ts'

export type KeyFilter = {
  readonly id?: string
  readonly zone?: string
  readonly type?: KeyTypeName
  readonly state?: KeyState
  readonly checkValue?: string
}

/**
 * Where records of keys are kept: in memory, or in PostgreSQL. Both pass one suite. Several daemons
 * may share one: each change names the version that it was decided on, and only one of two that
 * name the same is made. Throws KEY_STORE when it cannot be reached.
 */
export interface KeyRecords {
  load(): Promise<KeyBook>
  /** Durable when it answers true; false when somebody else has changed the book since. */
  commit(version: number, change: KeyChange): Promise<boolean>
  /** Revoked ones, too; the newest first, at most a thousand. */
  find(filter: KeyFilter): Promise<KeyRecord[]>
  /** What was done to a key, the oldest first. */
  acts(subject: string): Promise<KeyAct[]>
  /** Calls back when the book may have changed, by whomever. */
  watch(onChange: () => void): void
  close(): Promise<void>
}

export const FOUND_MAX = 1000
