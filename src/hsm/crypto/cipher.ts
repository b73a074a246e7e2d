import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'
import type { Cipheriv, Decipheriv, KeyObject } from 'node:crypto'
import { assert } from '#base'
import { Kept } from './kept.ts'

/** A block cipher under one key, a whole number of blocks at a time. */
export interface BlockCipher {
  readonly blockBytes: 8 | 16
  /** Each block for itself (ECB). */
  encrypt(data: Uint8Array): Buffer
  decrypt(data: Uint8Array): Buffer
  /** CBC from an IV on. */
  encryptCbc(iv: Uint8Array, data: Uint8Array): Buffer
  decryptCbc(iv: Uint8Array, data: Uint8Array): Buffer
  /** CBC from zeros on, over a buffer that is the cipher's from here: what is in it changes. */
  chainOver(data: Buffer): Buffer
  /** The cipher of the key's first 8 bytes: DES, for the chain of a retail MAC. */
  readonly first: BlockCipher
  /** What CMAC adds to a last block that is whole, and to one that was filled up (SP 800-38B). */
  readonly subkeys: readonly [whole: Uint8Array, filled: Uint8Array]
}

/** T is TDES with 8 (DES), 16 or 24 bytes of key, A is AES with 16, 24 or 32. */
export type Algorithm = 'T' | 'A'

/**
 * OpenSSL's own objects cost more to make than a block costs, and in ECB `update` with whole
 * blocks keeps no state; so they are kept and used again. Never `final`: it would end them. Part of
 * a block would stay in them and come out with the next one's, so they are never given that.
 */
class NodeCipher implements BlockCipher {
  readonly blockBytes: 8 | 16
  readonly #mode: string
  readonly #key: KeyObject
  #encrypting: Cipheriv | undefined
  #decrypting: Decipheriv | undefined
  #chaining: Cipheriv | undefined
  /** The last block that `#chaining` gave out: what it will add to the next one. */
  #chain: Uint8Array
  #first: BlockCipher | undefined
  #subkeys: readonly [Uint8Array, Uint8Array] | undefined

  constructor(key: Uint8Array, algorithm: Algorithm) {
    this.blockBytes = algorithm === 'A' ? 16 : 8
    this.#mode = modeOf(key, algorithm)
    this.#chain = new Uint8Array(this.blockBytes)
    this.#key = secretOf(key, algorithm)
  }

  encrypt(data: Uint8Array): Buffer {
    this.#checkWhole(data)
    this.#encrypting ??= createCipheriv(`${this.#mode}-ecb`, this.#key, null).setAutoPadding(false)
    return this.#encrypting.update(data)
  }

  decrypt(data: Uint8Array): Buffer {
    this.#checkWhole(data)
    this.#decrypting ??= createDecipheriv(`${this.#mode}-ecb`, this.#key, null).setAutoPadding(
      false,
    )
    return this.#decrypting.update(data)
  }

  encryptCbc(iv: Uint8Array, data: Uint8Array): Buffer {
    const own = Buffer.from(data)
    if (own.length > 0) addTo(own, iv, 0, this.blockBytes)
    const out = this.chainOver(own)
    // It may have been a key.
    own.fill(0)
    return out
  }

  decryptCbc(iv: Uint8Array, data: Uint8Array): Buffer {
    const clear = this.decrypt(data)
    const { blockBytes } = this
    if (clear.length > 0) addTo(clear, iv, 0, blockBytes)
    for (let i = blockBytes; i < clear.length; i++)
      clear[i] = (clear[i] as number) ^ (data[i - blockBytes] as number)
    return clear
  }

  /**
   * One call of OpenSSL for all blocks. Its object goes on with the chain of the call before, so
   * that is taken out of the first block again.
   */
  chainOver(data: Buffer): Buffer {
    const { blockBytes } = this
    this.#checkWhole(data)
    if (data.length === 0) return data
    this.#chaining ??= createCipheriv(`${this.#mode}-cbc`, this.#key, this.#chain).setAutoPadding(
      false,
    )
    const chain = this.#chain
    addTo(data, chain, 0, blockBytes)
    const out = this.#chaining.update(data)
    const last = out.length - blockBytes
    for (let i = 0; i < blockBytes; i++) chain[i] = out[last + i] as number
    return out
  }

  get first(): BlockCipher {
    if (this.#first) return this.#first
    const key = this.#key.export()
    this.#first = new NodeCipher(key.subarray(0, 8), 'T')
    key.fill(0)
    return this.#first
  }

  get subkeys(): readonly [Uint8Array, Uint8Array] {
    if (this.#subkeys) return this.#subkeys
    const whole = doubled(this.encrypt(new Uint8Array(this.blockBytes)))
    return (this.#subkeys = [whole, doubled(whole)])
  }

  #checkWhole(data: Uint8Array): void {
    assert(data.length % this.blockBytes === 0, 'a cipher is given whole blocks')
  }
}

/** DES is TDES with one key twice: OpenSSL 3 keeps plain DES among what it calls legacy. */
function modeOf({ length }: Uint8Array, algorithm: Algorithm): string {
  if (algorithm === 'A') return `aes-${length * 8}`
  return length === 24 ? 'des-ede3' : 'des-ede'
}

function secretOf(key: Uint8Array, algorithm: Algorithm): KeyObject {
  if (algorithm === 'A' || key.length !== 8) return createSecretKey(key)
  const twice = Buffer.concat([key, key])
  const secret = createSecretKey(twice)
  twice.fill(0)
  return secret
}

const KEPT_MAX = 2048
const kept = {
  T: new Kept<BlockCipher>(KEPT_MAX),
  A: new Kept<BlockCipher>(KEPT_MAX),
}
const NOTHING = new Uint8Array()

/** The cipher of a key: 8, 16 or 24 bytes of TDES, 16, 24 or 32 of AES. */
export function cipherOf(key: Uint8Array, algorithm: Algorithm): BlockCipher {
  return kept[algorithm].of(key, NOTHING, () => new NodeCipher(key, algorithm))
}

/** The same for a key that is used once, on the way to another: it takes nobody's place. */
export function cipherOnce(key: Uint8Array, algorithm: Algorithm): BlockCipher {
  return new NodeCipher(key, algorithm)
}

/** Forgets all keys that were used. */
export function forgetCiphers(): void {
  kept.T.clear()
  kept.A.clear()
}

export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(a.length)
  for (let i = 0; i < a.length; i++) out[i] = (a[i] ?? 0) ^ (b[i] ?? 0)
  return out
}

/** Adds (xor) the first `count` bytes of `mask` to those of `data` from `at` on. */
export function addTo(data: Uint8Array, mask: Uint8Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) data[at + i] = (data[at + i] as number) ^ (mask[i] as number)
}

/** CBC over whole blocks. */
export function encryptCbc(cipher: BlockCipher, iv: Uint8Array, data: Uint8Array): Buffer {
  return cipher.encryptCbc(iv, data)
}

export function decryptCbc(cipher: BlockCipher, iv: Uint8Array, data: Uint8Array): Buffer {
  return cipher.decryptCbc(iv, data)
}

/** CFB with a feedback of as many bytes: 1, or a whole block. The data may have any length. */
export function cfb(
  cipher: BlockCipher,
  iv: Uint8Array,
  data: Uint8Array,
  feedbackBytes: number,
  direction: 'encrypt' | 'decrypt',
): { readonly output: Buffer; readonly nextIv: Buffer } {
  const output = Buffer.allocUnsafe(data.length)
  let register: Buffer = Buffer.from(iv)
  for (let at = 0; at < data.length; at += feedbackBytes) {
    const piece = data.subarray(at, at + feedbackBytes)
    const made = xor(piece, cipher.encrypt(register))
    output.set(made, at)
    const secret = direction === 'encrypt' ? made : piece
    register = Buffer.concat([register.subarray(secret.length), secret])
  }
  return { output, nextIv: register }
}

/** Times x in the field of the block's size: x^64 + x^4 + x^3 + x + 1, or x^128 + x^7 + x^2 + x + 1. */
function doubled(block: Uint8Array): Uint8Array {
  const last = block.length - 1
  const out = new Uint8Array(block.length)
  for (let i = 0; i <= last; i++) out[i] = ((block[i] as number) << 1) | ((block[i + 1] ?? 0) >> 7)
  const carry = (block[0] as number) >> 7
  out[last] = (out[last] as number) ^ (carry * (block.length === 16 ? 0x87 : 0x1b))
  return out
}
