import { type ErrorCode, isNadiError } from '#base'

/**
 * What an error of an HSM means to a program, whichever keeper it comes from. That a PIN or a MAC is
 * wrong is none of them: it is a value.
 */
export type HsmErrorKind =
  'keyParity' | 'keyUsage' | 'pinBlock' | 'notPermitted' | 'badRequest' | 'unavailable'

export const HSM_ERROR_KINDS = {
  HSM_KEY: 'keyUsage',
  HSM_KEY_PARITY: 'keyParity',
  HSM_KEY_USAGE: 'keyUsage',
  HSM_PIN_BLOCK: 'pinBlock',
  HSM_NOT_PERMITTED: 'notPermitted',
  HSM_REQUEST: 'badRequest',
  HSM_LMK: 'unavailable',
  HSM_RESPONSE: 'unavailable',
  HSM_BUSY: 'unavailable',
  HSM_UNAVAILABLE: 'unavailable',
} as const satisfies Partial<Record<ErrorCode, HsmErrorKind>>

/** Undefined for anything that is no error of an HSM. */
export function hsmErrorKind(error: unknown): HsmErrorKind | undefined {
  if (!isNadiError(error)) return undefined
  return (HSM_ERROR_KINDS as Partial<Record<ErrorCode, HsmErrorKind>>)[error.code]
}
