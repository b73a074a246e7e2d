import { NadiError } from '#base'
import { dukptKey } from '../crypto/dukpt.ts'
import { AES_KSN_BYTES, aesDukptKey } from '../crypto/dukpt-aes.ts'
import { KEY_KINDS } from '../key-types.ts'
import type { KeyKind } from '../key-types.ts'
import { hexBytes } from '../request.ts'
import type { KeySafe } from './key-safe.ts'

/** A key for one calculation, of a block or derived for one transaction. */
export type LentKey = { readonly bytes: Uint8Array; readonly algorithm: 'T' | 'A' | 'H' }

export type Derivation = {
  readonly key: string
  readonly ksn: string
  readonly purpose: 'pin' | 'mac-request' | 'mac-response'
  readonly kind: KeyKind
}

const TDES_KSN_BYTES = 10

/**
 * The key of one transaction (DUKPT) of a BDK. One of TDES gives double-length TDES keys and nothing
 * else (X9.24-1); one of AES gives what the terminal was set up for, if it is no stronger than the
 * BDK itself (X9.24-3:2017, 6.2).
 */
export function derivedKey(safe: KeySafe, { key, ksn, purpose, kind }: Derivation): LentKey {
  const bdk = safe.open(key, 'key', 'derive')
  if (bdk.algorithm === 'T') {
    if (kind !== 'TDES2')
      throw new NadiError('HSM_KEY_USAGE', { path: 'key', expected: `a BDK that gives ${kind}` })
    const bytes = dukptKey(bdk.bytes, hexBytes(ksn, 'ksn', [TDES_KSN_BYTES]), purpose)
    return { bytes, algorithm: 'T' }
  }
  const { algorithm, strength } = KEY_KINDS[kind]
  if (kind.startsWith('HMAC') || strength > KEY_KINDS[bdk.kind].strength)
    throw new NadiError('HSM_NOT_PERMITTED', { path: 'derived', expected: 'a kind the BDK gives' })
  const serial = hexBytes(ksn, 'ksn', [AES_KSN_BYTES])
  const bytes = aesDukptKey(bdk.bytes, serial, purpose, kind as Exclude<KeyKind, `HMAC${string}`>)
  return { bytes, algorithm }
}
