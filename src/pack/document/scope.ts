import type { Check } from '../check.ts'
import type { CredentialSpec } from '../http-pack.ts'
import type { MapTree } from '../source.ts'
import type { Notation } from './format.ts'

/** What the compilation of one value may name. */
export type ValueScope = {
  readonly check: Check
  readonly credentials: ReadonlyMap<string, CredentialSpec>
  readonly layouts: MapTree | undefined
  /** `bills[].` inside of a list. */
  readonly prefix: string
}

const TEXT: Notation = { json: 'string', loose: false }

/** What most values have. */
export const PLAIN = {
  notation: TEXT,
  blank: false,
  derived: false,
  path: undefined,
  expected: 'text',
  has: () => false,
} as const
