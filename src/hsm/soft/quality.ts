import { NadiError, type Random } from '#base'
import { cmac, hmac } from '../crypto/mac.ts'
import { cipherOf } from '../crypto/cipher.ts'
import { isOdd, isSingle, isWeak, oddParity } from '../crypto/parity.ts'
import { KEY_KINDS } from '../key-types.ts'
import type { KeyKind } from '../key-types.ts'
import { wrong } from '../request.ts'

/** What bytes must be to be a key, and what shows which key they are. */

/** A new key: for TDES of odd parity, no two parts alike, none of them weak. */
export function freshKey(kind: KeyKind, random: Random): Buffer {
  const { algorithm, bytes } = KEY_KINDS[kind]
  for (;;) {
    const key = Buffer.alloc(bytes)
    key.set(random.bytes(bytes))
    if (algorithm !== 'T') return key
    key.set(oddParity(key))
    if (!isSingle(key) && !isWeak(key)) return key
  }
}

/**
 * A TDES key from outside that nothing proves but its parity: what comes out under the wrong ZMK is
 * random, and has odd parity once in 65,536 times. Throws HSM_KEY_PARITY, HSM_REQUEST.
 */
export function checkForeignKey(kind: KeyKind, key: Uint8Array, path: string): void {
  if (!isOdd(key)) throw new NadiError('HSM_KEY_PARITY', { path })
  checkFormedKey(kind, key, path)
}

/** A key that components gave, or a block that is authentic; its parity was set. */
export function checkFormedKey(kind: KeyKind, key: Uint8Array, path: string): void {
  if (key.every(byte => byte === 0)) throw wrong(path, 'a key that is not all zeros')
  if (KEY_KINDS[kind].algorithm !== 'T') return
  if (isSingle(key)) throw wrong(path, 'a key whose parts differ')
  if (isWeak(key)) throw wrong(path, 'a key of which no part is weak')
}

/**
 * Three bytes of TDES over zeros, five of AES-CMAC over zeros (X9.24-1:2017, annex A). For HMAC no
 * standard has one; ours is five bytes of it over 16 zeros.
 */
export function checkValueOfKey(algorithm: 'T' | 'A' | 'H', key: Uint8Array): string {
  const zeros = Buffer.alloc(algorithm === 'T' ? 8 : 16)
  const value = {
    T: () => cipherOf(key, 'T').encrypt(zeros).subarray(0, 3),
    A: () => cmac(key, 'A', zeros).subarray(0, 5),
    H: () => hmac(key, 'sha256', zeros).subarray(0, 5),
  }[algorithm]()
  return value.toString('hex').toUpperCase()
}
