import { HostRefusal } from '../../host-codes.ts'
import type { Call } from '../call.ts'
import { cfb, cipherOf, decryptCbc, encryptCbc } from '../../../crypto/cipher.ts'
import type { BlockCipher } from '../../../crypto/cipher.ts'
import { dukptKey } from '../../../crypto/dukpt.ts'
import type { OpenKey } from '../lmk.ts'
import { bytesOf, digitsOf } from './pin-text.ts'

type Direction = 'encrypt' | 'decrypt'
type Made = { readonly output: Uint8Array; readonly nextIv?: string }

/** M0 and M2: data under a key for data, or under the key of one transaction of a device. */
export function encrypted(
  { request, keys }: Call<'M0'> | Call<'M2'>,
  direction: Direction,
): { readonly values: Made } {
  const cipher = cipherFor(keys.get('key'), request.ksn)
  const { mode, data, iv } = request
  if (mode === '00') {
    checkBlocks(data, cipher)
    return { values: { output: cipher[direction](data) } }
  }
  return { values: chained(cipher, mode, bytesOf(iv ?? ''), data, direction) }
}

function cipherFor(key: OpenKey, ksn: string | undefined): BlockCipher {
  if (ksn === undefined) return cipherOf(key.bytes, key.algorithm)
  if (key.bytes.length !== 16) throw new HostRefusal('27', 'key')
  return cipherOf(dukptKey(key.bytes, bytesOf(ksn), 'data-request'), 'T')
}

/** With the value that the next piece of the same data goes on from. */
function chained(
  cipher: BlockCipher,
  mode: '01' | '02' | '03',
  iv: Buffer,
  data: Uint8Array,
  direction: Direction,
): Made {
  if (mode !== '01') {
    const feedbackBytes = mode === '02' ? 1 : cipher.blockBytes
    if (data.length === 0) throw new HostRefusal('06', 'data')
    const { output, nextIv } = cfb(cipher, iv, data, feedbackBytes, direction)
    return { output, nextIv: digitsOf(nextIv) }
  }
  checkBlocks(data, cipher)
  const output =
    direction === 'encrypt' ? encryptCbc(cipher, iv, data) : decryptCbc(cipher, iv, data)
  const secret = direction === 'encrypt' ? output : data
  return { output, nextIv: digitsOf(Buffer.from(secret.subarray(-cipher.blockBytes))) }
}

function checkBlocks(data: Uint8Array, { blockBytes }: BlockCipher): void {
  if (data.length === 0 || data.length % blockBytes !== 0) throw new HostRefusal('06', 'data')
}
