import { createHmac, createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { addTo, cipherOf, encryptCbc } from './cipher.ts'
import type { Algorithm, BlockCipher } from './cipher.ts'
import { Kept } from './kept.ts'

/** Padding methods of ISO 9797-1; 0 is none, for data that is whole blocks already. */
export type Padding = '0' | '1' | '2' | '3'

/**
 * Whole blocks; undefined when there is no padding and they are not. Data that needs none is given
 * back as it is, not as a copy.
 *
 *     1  data 00…      2  data 80 00…      3  length in bits, data 00…
 */
export function padded(data: Uint8Array, padding: Padding, blockBytes: number): Buffer | undefined {
  const whole = data.length > 0 && data.length % blockBytes === 0
  switch (padding) {
    case '0':
      return whole ? bufferOver(data) : undefined
    case '1':
      return whole ? bufferOver(data) : filled(data, data.length, 0, blockBytes)
    case '2': {
      const out = filled(data, data.length + 1, 0, blockBytes)
      out[data.length] = 0x80
      return out
    }
    case '3': {
      const out = filled(data, Math.max(1, data.length), blockBytes, blockBytes)
      // The length is a number of the block's size; its upper half stays zero below 2^32 bits.
      out.writeUInt32BE(data.length * 8, blockBytes - 4)
      return out
    }
  }
}

/** `data` from `at` on in as many zeros as `length` bytes from there need in whole blocks. */
function filled(data: Uint8Array, length: number, at: number, blockBytes: number): Buffer {
  const blocks = Math.max(1, Math.ceil((at + length) / blockBytes))
  const out = Buffer.alloc(blocks * blockBytes)
  out.set(data, at)
  return out
}

/** The last block of CBC over whole blocks: algorithm 1, and what parts hand to one another. */
export function cbcMac(cipher: BlockCipher, iv: Uint8Array, blocks: Uint8Array): Buffer {
  return encryptCbc(cipher, iv, blocks).subarray(-cipher.blockBytes)
}

/**
 * Algorithm 3 (X9.19): CBC under the first key, and the others only over the last value. The last
 * block goes through E(K1), D(K2), E(K1 or K3), which is TDES under the whole key.
 */
export function retailMac(key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Buffer {
  const cipher = cipherOf(key, 'T')
  const at = blocks.length - 8
  const last = Buffer.allocUnsafe(8)
  for (let i = 0; i < 8; i++) last[i] = blocks[at + i] as number
  if (at === 0) addTo(last, iv, 0, 8)
  else {
    const chain = cipher.first.encryptCbc(iv, blocks.subarray(0, at))
    for (let i = 0; i < 8; i++) last[i] = (last[i] as number) ^ (chain[at - 8 + i] as number)
  }
  return cipher.encrypt(last)
}

/** The chain of algorithm 3 over all parts but the last. */
export function retailPart(key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Buffer {
  return cbcMac(cipherOf(key, 'T').first, iv, blocks)
}

/** CMAC (SP 800-38B), from a chain value on: none for a message in one part. */
export function cmac(
  key: Uint8Array,
  algorithm: Algorithm,
  data: Uint8Array,
  iv?: Uint8Array,
): Buffer {
  return cmacWith(cipherOf(key, algorithm), data, iv)
}

export function cmacWith(cipher: BlockCipher, data: Uint8Array, iv?: Uint8Array): Buffer {
  const { blockBytes, subkeys } = cipher
  const { length } = data
  const whole = length > 0 && length % blockBytes === 0
  const size = whole ? length : length - (length % blockBytes) + blockBytes
  const input = Buffer.allocUnsafe(size)
  input.set(data)
  if (!whole) {
    input[length] = 0x80
    for (let i = length + 1; i < size; i++) input[i] = 0
  }
  addTo(input, whole ? subkeys[0] : subkeys[1], size - blockBytes, blockBytes)
  if (iv) addTo(input, iv, 0, blockBytes)
  const out = cipher.chainOver(input)
  // It may have been a key (in key blocks).
  input.fill(0)
  return out.subarray(size - blockBytes)
}

/** The same over a buffer that is nobody's any more: what is in it is wiped. */
export function cmacOver(cipher: BlockCipher, data: Buffer): Buffer {
  const { blockBytes, subkeys } = cipher
  const last = data.length - blockBytes
  if (last < 0 || data.length % blockBytes !== 0) {
    const mac = cmacWith(cipher, data)
    data.fill(0)
    return mac
  }
  addTo(data, subkeys[0], last, blockBytes)
  const out = cipher.chainOver(data)
  data.fill(0)
  return last === 0 ? out : out.subarray(last)
}

export type HmacHash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'

const NOTHING = new Uint8Array()
const hmacKeys = new Kept<KeyObject>(256)

/** HMAC (FIPS 198-1, RFC 2104), whole. */
export function hmac(key: Uint8Array, hash: HmacHash, data: Uint8Array): Buffer {
  const secret = hmacKeys.of(key, NOTHING, () => createSecretKey(key))
  return createHmac(hash, secret).update(data).digest()
}

/** Forgets all HMAC keys that were used. */
export function forgetHmacKeys(): void {
  hmacKeys.clear()
}

function bufferOver(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.length)
}
