import { timingSafeEqual } from 'node:crypto'
import { NadiError } from '#base'
import { cipherOf } from '../crypto/cipher.ts'
import { cbcMac, cmac, hmac, padded, retailMac } from '../crypto/mac.ts'
import { cvvOf } from '../crypto/pin-check.ts'
import { makesMac } from '../key-types.ts'
import type { KeyUse } from '../key-types.ts'
import type { CipherOf, CvvOf, MacAlgorithm, MacOf } from '../payment-hsm.ts'
import { checkData, checkNumber, checkPan, digits, wrong } from '../request.ts'
import { derivedKey } from './derived-keys.ts'
import type { LentKey } from './derived-keys.ts'
import type { KeySafe } from './key-safe.ts'

/** Fewer bytes of a MAC could be guessed. */
const MAC_BYTES_MIN = 4
const ZEROS = new Uint8Array(16)

/** MACs, card verification values, encryption. */
export class DataWork {
  readonly #safe: KeySafe

  constructor(safe: KeySafe) {
    this.#safe = safe
  }

  generateMac(request: MacOf): Uint8Array {
    return this.#mac(request, 'make-mac')
  }

  verifyMac(request: MacOf & { readonly mac: Uint8Array }): boolean {
    const made = this.#mac(request, 'check-mac')
    return made.length === request.mac.length && timingSafeEqual(made, request.mac)
  }

  generateCvv(request: CvvOf): string {
    return this.#cvv(request, 'make-cvv')
  }

  verifyCvv(request: CvvOf & { readonly cvv: string }): boolean {
    const given = digits(request.cvv, 'cvv', 3)
    return timingSafeEqual(Buffer.from(this.#cvv(request, 'check-cvv')), Buffer.from(given))
  }

  encrypt(request: CipherOf): Uint8Array {
    const { cipher, iv, data } = this.#cipher(request, 'encrypt')
    return Uint8Array.from(iv ? cipher.encryptCbc(iv, data) : cipher.encrypt(data))
  }

  decrypt(request: CipherOf): Uint8Array {
    const { cipher, iv, data } = this.#cipher(request, 'decrypt')
    return Uint8Array.from(iv ? cipher.decryptCbc(iv, data) : cipher.decrypt(data))
  }

  #mac(request: MacOf, use: KeyUse): Uint8Array {
    const { algorithm, padding = 1, data, macBytes } = request
    if (![1, 2, 3].includes(padding)) throw wrong('padding', '1, 2 or 3')
    checkData(data)
    const mac = macOf(this.#macKey(request, use), algorithm, padding, data)
    checkNumber(macBytes, 'macBytes', MAC_BYTES_MIN, mac.length)
    return Uint8Array.from(mac.subarray(0, macBytes))
  }

  #macKey(request: MacOf, use: KeyUse): LentKey {
    const { key, ksn, algorithm, direction = 'request', derived } = request
    if (ksn !== undefined) {
      const kind = derived ?? this.#usualKind(key, algorithm)
      return derivedKey(this.#safe, { key, ksn, purpose: `mac-${direction}`, kind })
    }
    const open = this.#safe.open(key, 'key', use)
    if (makesMac(open.type, algorithm)) return open
    const expected = `a key for ${algorithm}`
    throw new NadiError('HSM_KEY_USAGE', { path: 'key', expected, actual: open.type })
  }

  #usualKind(bdk: string, algorithm: MacAlgorithm): 'AES128' | 'TDES2' {
    return algorithm === 'cmac' && this.#safe.look(bdk, 'key').algorithm === 'A'
      ? 'AES128'
      : 'TDES2'
  }

  #cvv({ cvk, pan, expiry, service }: CvvOf, use: KeyUse): string {
    const { bytes } = this.#safe.open(cvk, 'cvk', use)
    checkPan(pan)
    return cvvOf(bytes, pan, digits(expiry, 'expiry', 4), digits(service, 'service', 3))
  }

  #cipher({ key, mode, iv, data }: CipherOf, use: KeyUse) {
    if (mode !== 'ecb' && mode !== 'cbc') throw wrong('mode', 'ecb or cbc')
    const { bytes, algorithm } = this.#safe.open(key, 'key', use)
    const cipher = cipherOf(bytes, algorithm === 'A' ? 'A' : 'T')
    const { blockBytes } = cipher
    checkData(data, blockBytes)
    if (iv && (mode === 'ecb' || iv.length !== blockBytes))
      throw wrong('iv', mode === 'ecb' ? 'none' : `${blockBytes} bytes`)
    return { cipher, data, iv: mode === 'cbc' ? (iv ?? ZEROS.subarray(0, blockBytes)) : undefined }
  }
}

/** `retail` and `cbc` are of TDES; that the key goes with the algorithm has been looked at. */
function macOf(
  { bytes, algorithm: cipher }: LentKey,
  algorithm: MacAlgorithm,
  padding: 1 | 2 | 3,
  data: Uint8Array,
): Buffer {
  if (algorithm === 'hmac') return hmac(bytes, 'sha256', data)
  if (algorithm === 'cmac') return cmac(bytes, cipher === 'A' ? 'A' : 'T', data)
  if (cipher !== 'T') throw wrong('derived', 'TDES2 or TDES3 for this algorithm')
  // Only without padding (0) can there be no whole blocks.
  const blocks = padded(data, `${padding}`, 8) as Buffer
  const iv = ZEROS.subarray(0, 8)
  return algorithm === 'retail'
    ? retailMac(bytes, iv, blocks)
    : cbcMac(cipherOf(bytes, 'T'), iv, blocks)
}
