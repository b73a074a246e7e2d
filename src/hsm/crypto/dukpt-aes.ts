import { cipherOf, cipherOnce } from './cipher.ts'
import type { BlockCipher } from './cipher.ts'
import { Kept } from './kept.ts'

/**
 * AES DUKPT (X9.24-3:2017): every key is derived from another by encrypting a description of it.
 *
 *     01  n  usage  algorithm  bits   then, for an initial key:   initial key id (8)
 *     1   1  2      2          2      for all others: right half of that id (4), counter (4)
 *
 * `n` counts the blocks of a key longer than one. The key serial number is the initial key id and
 * the counter: 12 bytes. A counter's ones, from the left, are the derivations on the way.
 */
const USAGES = {
  'key-encryption': 0x0002,
  pin: 0x1000,
  'mac-request': 0x2000,
  'mac-response': 0x2001,
  'mac-both': 0x2002,
  'data-request': 0x3000,
  'data-response': 0x3001,
  'data-both': 0x3002,
} as const
const KEY_DERIVATION = 0x8000
const INITIAL_KEY = 0x8001

export type AesPurpose = keyof typeof USAGES
/** What the working key is for: AES or HMAC of as many bits, or TDES of two or three parts. */
export type WorkingKind = keyof typeof KINDS

const KINDS = {
  TDES2: { code: 0, bytes: 16 },
  TDES3: { code: 1, bytes: 24 },
  AES128: { code: 2, bytes: 16 },
  AES192: { code: 3, bytes: 24 },
  AES256: { code: 4, bytes: 32 },
  HMAC128: { code: 5, bytes: 16 },
  HMAC192: { code: 5, bytes: 24 },
  HMAC256: { code: 5, bytes: 32 },
} as const

export const AES_KSN_BYTES = 12
/** Of the counter; devices pass over numbers with more ones (X9.24-3:2017, 6.3). */
const ONES_MAX = 16
const UPDATE_COUNTER = Buffer.from('FFFFFFFF', 'hex')

const wipe = (key: Uint8Array): void => void key.fill(0)
/** A device's initial key serves all its transactions; a transaction's key its PIN and its MACs. */
const initialKeys = new Kept<Buffer>(1024, wipe)
const transactionKeys = new Kept<Buffer>(256, wipe)

/** Whether a device can have used this number: its counter is not zero and has 16 ones at most. */
export function isAesKsn(ksn: Uint8Array): boolean {
  if (ksn.length !== AES_KSN_BYTES) return false
  let ones = 0
  for (let rest = counterOf(ksn); rest !== 0; rest = (rest & (rest - 1)) >>> 0) ones++
  return ones >= 1 && ones <= ONES_MAX
}

/** The key that all working keys of one transaction come from, of the base key's own length. */
export function aesTransactionKey(bdk: Uint8Array, ksn: Uint8Array): Buffer {
  return Buffer.from(keptTransactionKey(bdk, ksn))
}

/** The working key of one transaction. */
export function aesDukptKey(
  bdk: Uint8Array,
  ksn: Uint8Array,
  purpose: AesPurpose,
  kind: WorkingKind = 'AES128',
): Buffer {
  const from = cipherOnce(keptTransactionKey(bdk, ksn), 'A')
  return derive(from, kind, USAGES[purpose], ksn.subarray(4, 12))
}

/** The key that a device is given, of the base key's own length. */
export function aesInitialKey(bdk: Uint8Array, initialKeyId: Uint8Array): Buffer {
  return derive(cipherOf(bdk, 'A'), kindOf(bdk), INITIAL_KEY, initialKeyId)
}

/** The key under which a device gets its next initial key: that of the highest counter. */
export function aesUpdateKey(
  bdk: Uint8Array,
  initialKeyId: Uint8Array,
  kind: WorkingKind = 'AES128',
): Buffer {
  return aesDukptKey(bdk, Buffer.concat([initialKeyId, UPDATE_COUNTER]), 'key-encryption', kind)
}

/** Forgets all keys that were derived. */
export function forgetAesDukptKeys(): void {
  initialKeys.clear()
  transactionKeys.clear()
}

function keptTransactionKey(bdk: Uint8Array, ksn: Uint8Array): Buffer {
  return transactionKeys.of(bdk, ksn, () => deriveTransactionKey(bdk, ksn))
}

function deriveTransactionKey(bdk: Uint8Array, ksn: Uint8Array): Buffer {
  const id = ksn.subarray(0, 8)
  const counter = counterOf(ksn)
  const about = Buffer.from(ksn.subarray(4, 12))
  const initial = initialKeys.of(bdk, id, () => aesInitialKey(bdk, id))
  let key: Buffer = Buffer.from(initial)
  let working = 0
  for (let bit = 31; bit >= 0; bit--) {
    if (((counter >>> bit) & 1) === 0) continue
    working = (working | (2 ** bit)) >>> 0
    about.writeUInt32BE(working, 4)
    const next = derive(cipherOnce(key, 'A'), kindOf(bdk), KEY_DERIVATION, about)
    key.fill(0)
    key = next
  }
  return key
}

/** `about` is the last 8 bytes of the description. */
function derive(cipher: BlockCipher, kind: WorkingKind, usage: number, about: Uint8Array): Buffer {
  const { code, bytes } = KINDS[kind]
  const blocks = Math.ceil(bytes / 16)
  const descriptions = Buffer.alloc(blocks * 16)
  for (let n = 0; n < blocks; n++) {
    const at = n * 16
    descriptions[at] = 0x01
    descriptions[at + 1] = n + 1
    descriptions.writeUInt16BE(usage, at + 2)
    descriptions.writeUInt16BE(code, at + 4)
    descriptions.writeUInt16BE(bytes * 8, at + 6)
    descriptions.set(about, at + 8)
  }
  return cipher.encrypt(descriptions).subarray(0, bytes)
}

function kindOf({ length }: Uint8Array): WorkingKind {
  if (length === 32) return 'AES256'
  return length === 24 ? 'AES192' : 'AES128'
}

function counterOf(ksn: Uint8Array): number {
  return new DataView(ksn.buffer, ksn.byteOffset, ksn.length).getUint32(8)
}
