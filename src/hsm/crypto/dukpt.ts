import { addTo, cipherOf, cipherOnce, xor } from './cipher.ts'
import { Kept } from './kept.ts'

/**
 * TDES DUKPT (X9.24-1): from the base key and the key serial number to the key of one transaction.
 * The last 21 bits of the serial number count transactions; each of their ones is one derivation.
 *
 *     FFFF9876543210E 00001     initial key ──bit 20──▶ … ──bit 0──▶ transaction key ──▶ variant
 *     device          counter   (of all zeros)                                          for a purpose
 */
const COUNTER_BITS = 21
const MASK = Buffer.from('C0C0C0C000000000C0C0C0C000000000', 'hex')

/** What a transaction's key is used for: each purpose has a variant of its own. */
export type DukptPurpose = keyof typeof PURPOSES
const PURPOSES = {
  pin: Buffer.from('00000000000000FF00000000000000FF', 'hex'),
  'mac-request': Buffer.from('000000000000FF00000000000000FF00', 'hex'),
  'mac-response': Buffer.from('00000000FF00000000000000FF000000', 'hex'),
  'data-request': Buffer.from('0000000000FF00000000000000FF0000', 'hex'),
  'data-response': Buffer.from('000000FF00000000000000FF00000000', 'hex'),
} as const

const wipe = (key: Uint8Array): void => void key.fill(0)
/** A device's initial key serves all its transactions; a transaction's key its PIN and its MACs. */
const initialKeys = new Kept<Buffer>(1024, wipe)
const transactionKeys = new Kept<Buffer>(256, wipe)

/** The key of one transaction for one purpose. `ksn` has 10 bytes, filled with F on the left. */
export function dukptKey(bdk: Uint8Array, ksn: Uint8Array, purpose: DukptPurpose): Buffer {
  const key = xor(keptTransactionKey(bdk, ksn), PURPOSES[purpose])
  if (!purpose.startsWith('data')) return key
  // Data keys are encrypted under themselves, half by half (X9.24-1:2009, A.4.1).
  const data = cipherOnce(key, 'T').encrypt(key)
  key.fill(0)
  return data
}

export function transactionKey(bdk: Uint8Array, ksn: Uint8Array): Buffer {
  return Buffer.from(keptTransactionKey(bdk, ksn))
}

/** Forgets all keys that were derived. */
export function forgetDukptKeys(): void {
  initialKeys.clear()
  transactionKeys.clear()
}

function keptTransactionKey(bdk: Uint8Array, ksn: Uint8Array): Buffer {
  return transactionKeys.of(bdk, ksn, () => deriveTransactionKey(bdk, ksn))
}

function deriveTransactionKey(bdk: Uint8Array, ksn: Uint8Array): Buffer {
  const register = Buffer.from(ksn.subarray(2, 10))
  const counter = register.readUIntBE(5, 3) & 0x1fffff
  register.writeUIntBE(register.readUIntBE(5, 3) & ~0x1fffff & 0xffffff, 5, 3)
  let key: Buffer = Buffer.from(initialKey(bdk, ksn))
  for (let bit = 1 << (COUNTER_BITS - 1); bit > 0; bit >>= 1) {
    if ((counter & bit) === 0) continue
    register.writeUIntBE(register.readUIntBE(5, 3) | bit, 5, 3)
    const next = derived(key, register)
    key.fill(0)
    key = next
  }
  return key
}

function initialKey(bdk: Uint8Array, ksn: Uint8Array): Buffer {
  const serial = Buffer.from(ksn.subarray(0, 8))
  serial.writeUInt8(serial.readUInt8(7) & 0xe0, 7)
  return initialKeys.of(bdk, serial, () => {
    const masked = xor(bdk, MASK)
    const halves = [cipherOf(bdk, 'T').encrypt(serial), cipherOf(masked, 'T').encrypt(serial)]
    masked.fill(0)
    return Buffer.concat(halves)
  })
}

/** The right half by the key, the left one by the key masked. */
function derived(key: Buffer, register: Uint8Array): Buffer {
  const masked = xor(key, MASK)
  const next = Buffer.concat([half(masked, register), half(key, register)])
  masked.fill(0)
  return next
}

/** What is encrypted and added again; none of these keys is ever used a second time. */
function half(key: Buffer, register: Uint8Array): Buffer {
  const right = key.subarray(8)
  const out = cipherOnce(key.subarray(0, 8), 'T').encrypt(xor(register, right))
  addTo(out, right, 0, 8)
  return out
}
