import type { KeyTypeName, PinFormat } from '#hsm'
import type { ExchangeSettings } from './exchange-profile.ts'
import type { MacProfile } from './frame-mac.ts'

/** How a link or listener is protected, as its file says it (`security:`). */
export type SecurityProfile = {
  readonly mac?: MacProfile
  readonly pin?: PinProfile
  readonly session?: SessionProfile
  readonly exchange?: ExchangeSettings
  /**
   * Elements with card data that must not be kept (track data): from a source they are handed on
   * beside the message and never stored, and to a destination they go at the moment of sending.
   */
  readonly card: readonly number[]
}

/** Where a PIN block stands, how it is made up, and under which key. */
export type PinProfile = {
  readonly field: number
  readonly format: PinFormat
  readonly keyType: KeyTypeName
}

/**
 * Proof of the session key in each request (Arranet): the audit number and FFFF as eight bytes,
 * encrypted under it, in hexadecimal.
 */
export type SessionProfile = { readonly field: number; readonly keyType: KeyTypeName }
