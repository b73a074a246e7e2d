import { localTime, type TxnId, txnIdMs } from '#base'

/**
 * The switch's own reference of an inquiry (swref), 32 characters:
 *
 *     SWX 20261120091500 00A1B2C3D4E5F60
 *     ─┬─ ──────┬─────── ───────┬───────
 *   prefix   time, WIB     id, 15 hexadecimal digits
 *
 * It leads straight to the inquiry without a look-up table, and a mistyped one is noticed, since
 * the time in it must be the id's own.
 */
export function makeReference(prefix: string, id: TxnId): string {
  return prefix + localTime(txnIdMs(id)) + id.toString(16).toUpperCase().padStart(15, '0')
}

/** The inquiry that a reference names, or undefined when it is none of ours. */
export function readReference(prefix: string, reference: string): TxnId | undefined {
  const digits = reference.slice(17)
  if (!/^[0-9A-F]{15}$/.test(digits)) return undefined
  const id = BigInt(`0x${digits}`) as TxnId
  return makeReference(prefix, id) === reference ? id : undefined
}
