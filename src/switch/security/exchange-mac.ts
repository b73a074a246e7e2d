import type { KeyTypeName, ZoneKeys } from '#hsm'
import type { FrameMac } from './frame-mac.ts'
import type { ExchangeMac } from './key-exchange.ts'

/**
 * MACs on messages of the key exchange: under the key that is active when one leaves, and with any
 * that may come in. Before the first MAC key was agreed there is nothing to make one with, so they
 * go, and come, without.
 */
export function exchangeMac(mac: FrameMac, keys: ZoneKeys, type: KeyTypeName): ExchangeMac {
  const begun = (): boolean => keys.active(type) !== undefined
  return {
    // A copy, since it may be said more than once.
    seal: async draft => Uint8Array.from(begun() ? await mac.seal(draft) : draft.build()),
    holds: async message => !begun() || (await mac.verify(message)) === undefined,
  }
}
