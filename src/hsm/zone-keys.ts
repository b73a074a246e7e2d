import type { KeyTypeName } from './key-types.ts'

/**
 * The keys that one link or listener shares with its counterpart, as whoever uses them sees them.
 * They change while traffic runs: so they are asked for at each use, and never kept.
 */
export interface ZoneKeys {
  /** What we protect with; undefined before the first key was agreed. */
  active(type: KeyTypeName): string | undefined
  /** What may come in: the active key, then the one before it while the two overlap. */
  accepted(type: KeyTypeName): readonly string[]
}
