/**
 * The least that these operations can be with plain node:crypto: OpenSSL objects made once and used
 * again, keys as KeyObjects, everything for exactly one case and nothing checked but what the
 * operation itself is about. It is the limit that the HSM's own code is measured against.
 */
import { createCipheriv, createDecipheriv, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { Cipheriv, Decipheriv } from 'node:crypto'

type Ciphers = { readonly encrypt: Cipheriv; readonly decrypt: Decipheriv }

function ecb(name: string, key: Uint8Array): Ciphers {
  const secret = createSecretKey(key)
  return {
    encrypt: createCipheriv(name, secret, null).setAutoPadding(false),
    decrypt: createDecipheriv(name, secret, null).setAutoPadding(false),
  }
}

function cbc(name: string, key: Uint8Array, blockBytes: number): Cipheriv {
  return createCipheriv(name, createSecretKey(key), Buffer.alloc(blockBytes)).setAutoPadding(false)
}

/** Format 0 under one double length key into format 0 under another, with all checks of the PIN. */
export function pinTranslation(
  fromKey: Uint8Array,
  intoKey: Uint8Array,
  pan: string,
): (block: Uint8Array) => Buffer {
  const from = ecb('des-ede-ecb', fromKey).decrypt
  const into = ecb('des-ede-ecb', intoKey).encrypt
  const account = Buffer.from(`0000${pan.slice(-13, -1)}`, 'hex')
  return block => {
    const clear = from.update(block)
    for (let i = 0; i < 8; i++) clear[i] = (clear[i] as number) ^ (account[i] as number)
    const length = clear[0] as number
    if (length < 4 || length > 12) throw new RangeError('no PIN block')
    for (let at = 0; at < 14; at++) {
      const byte = clear[1 + (at >> 1)] as number
      const nibble = at % 2 === 0 ? byte >> 4 : byte & 15
      if (at < length ? nibble > 9 : nibble !== 15) throw new RangeError('no PIN block')
    }
    for (let i = 0; i < 8; i++) clear[i] = (clear[i] as number) ^ (account[i] as number)
    const made = into.update(clear)
    clear.fill(0)
    return made
  }
}

/** X9.19 with padding 1 over data of whole blocks, more than one. */
export function retailMac(key: Uint8Array): (data: Uint8Array) => Buffer {
  const left = key.subarray(0, 8)
  const chain = cbc('des-ede-cbc', Buffer.concat([left, left]), 8)
  const last = ecb('des-ede-ecb', key).encrypt
  let before: Uint8Array = Buffer.alloc(8)
  return data => {
    const first = data.length - 8
    const input = Buffer.allocUnsafe(first)
    input.set(data.subarray(0, first))
    for (let i = 0; i < 8; i++) input[i] = (input[i] as number) ^ (before[i] as number)
    const out = chain.update(input)
    before = out.subarray(first - 8)
    const end = Buffer.allocUnsafe(8)
    for (let i = 0; i < 8; i++) end[i] = (data[first + i] as number) ^ (before[i] as number)
    return last.update(end)
  }
}

/** AES-CMAC over data of whole blocks, more than one, with the subkey worked out before. */
export function cmac(key: Uint8Array): (data: Uint8Array) => Buffer {
  const name = `aes-${key.length * 8}`
  const subkey = doubled(ecb(`${name}-ecb`, key).encrypt.update(Buffer.alloc(16)))
  const chain = cbc(`${name}-cbc`, key, 16)
  let before: Uint8Array = Buffer.alloc(16)
  return data => {
    const input = Buffer.allocUnsafe(data.length)
    input.set(data)
    const last = data.length - 16
    for (let i = 0; i < 16; i++) {
      input[i] = (input[i] as number) ^ (before[i] as number)
      input[last + i] = (input[last + i] as number) ^ (subkey[i] as number)
    }
    before = chain.update(input).subarray(last)
    return before as Buffer
  }
}

/** X9.143 version D without optional blocks, its two keys worked out before. */
export function keyBlockUnwrap(
  encryption: Uint8Array,
  authentication: Uint8Array,
): (block: string) => Buffer {
  const decrypt = ecb('aes-256-ecb', encryption).decrypt
  const authenticate = cmac(authentication)
  return block => {
    const macAt = block.length - 32
    const mac = Buffer.from(block.slice(macAt), 'hex')
    const body = Buffer.from(block.slice(16, macAt), 'hex')
    const clear = decrypt.update(body)
    for (let i = 0; i < 16; i++) clear[i] = (clear[i] as number) ^ (mac[i] as number)
    for (let i = 16; i < clear.length; i++)
      clear[i] = (clear[i] as number) ^ (body[i - 16] as number)
    const covered = Buffer.allocUnsafe(16 + clear.length)
    covered.write(block.slice(0, 16), 'latin1')
    covered.set(clear, 16)
    const holds = timingSafeEqual(authenticate(covered), mac)
    covered.fill(0)
    const bytes = clear.readUInt16BE(0) >> 3
    if (!holds || bytes + 2 > clear.length) throw new RangeError('no key block')
    return clear.subarray(2, 2 + bytes)
  }
}

/** Times x in GF(2^128), as SP 800-38B wants it for the subkeys. */
function doubled(block: Buffer): Buffer {
  const value = BigInt(`0x${block.toString('hex')}`) << 1n
  const folded = value >> 128n ? (value ^ 0x87n) & ((1n << 128n) - 1n) : value
  return Buffer.from(folded.toString(16).padStart(32, '0'), 'hex')
}
