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

/** Who had a key agreed, and why: it stays on record with the key. */
export type KeyCause = { readonly by: string; readonly why: string }

/** The same for whoever agrees new keys with the counterpart, by a network-key exchange. */
export interface ZoneKeyring extends ZoneKeys {
  /** Since when the active key is that, in milliseconds since 1970. */
  activeSinceMs(type: KeyTypeName): number | undefined
  /** A key that was given to the counterpart and that it has not confirmed: it may have it or not. */
  offered(type: KeyTypeName): MadeKey | undefined
  /** Durable when it resolves: from here on the key may be told to the counterpart. */
  offer(type: KeyTypeName, made: MadeKey, cause: KeyCause): Promise<void>
  /** The counterpart refused what was offered: it is thrown away. */
  withdraw(type: KeyTypeName, cause: KeyCause): Promise<void>
  /**
   * Durable when it resolves: the key is active, and the one before it is accepted until the overlap
   * ends. The key that is active already, told by its check value, changes nothing: an exchange may
   * be repeated.
   */
  agree(type: KeyTypeName, made: MadeKey, cause: KeyCause): Promise<void>
}
