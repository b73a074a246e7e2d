import { account, choice, digits, hex, key, tail, text } from './field.ts'
import type { KeyUse, RoleName } from './key-type.ts'

/** Runs of fields that many commands share. */

/** `;`, then scheme under ZMK or TMK, scheme under LMK, type of the check value; see `legacy.ts`. */
export const schemes = tail(
  ';',
  text('schemeZmk', 1),
  text('schemeLmk', 1),
  text('checkValueType', 1),
)

/** `#`, then what stands in the header of the key block that is made. */
export const blockHeader = tail(
  '#',
  text('usage', 2),
  text('algorithm', 2),
  text('modeOfUse', 1),
  text('keyVersion', 2),
  text('exportability', 1),
  digits('optionalBlocks', 2, 'AB'),
)

/** Whose key and which transaction: the KSN is padded with F on the left. */
export const dukpt = [hex('descriptor', 3), hex('ksn', 20)] as const

export const pinFormat = digits('format', 2, '23')
export const pan = account('account', 'format')

/** IBM 3624: what the natural PIN is made of. The validation data has one N for 5 account digits. */
export const ibm = [hex('decimalisation', 16, '25'), text('validation', 12)] as const

/** A key whose kind the type code before it tells, one of those that the command is for. */
export const typedKey = (use: KeyUse, ...roles: RoleName[]) =>
  key('key', { code: 'keyType', roles }, { use })

/** The keys under which a PIN comes from a terminal (002, 70D) or from another switch (001). */
export const pinKeyType = choice('keyType', ['001', '002', '70D', 'FFF'], '04')
