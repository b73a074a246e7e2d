import type { KeyTypeName } from './key-types.ts'
import type { MadeKey } from './payment-hsm.ts'

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

/** The same for whoever agrees new keys with the counterpart, by a network-key exchange. */
export interface ZoneKeyring extends ZoneKeys {
  /**
   * Durable when it resolves: the key is active, and the one before it is accepted until the overlap
   * ends. The key that is active already, told by its check value, changes nothing: an exchange may
   * be repeated.
   */
  agree(type: KeyTypeName, made: MadeKey, how: string): Promise<void>
}
