import { timingSafeEqual } from 'node:crypto'
import type { Random } from '#base'
import { headerEnd } from '../soft/label.ts'
import type { Lmk } from '../soft/memory-lmk.ts'
import type { Token } from './token.ts'

const MAC_BYTES = 16
const IV_BYTES = 16
const CHECK_VALUE_BYTES = 5

/**
 * Keys under an LMK that no memory of ours has. X9.143 derives the keys of a block from the LMK,
 * which would bring as good as the LMK out of the token; so a block of version P has two keys that
 * both stay there. The header is that of X9.143, in the clear and under the MAC:
 *
 *     ┌──────────────┬─────────┬──────────────────────────────┬───────────────────────────┐
 *     │ header (16…) │ IV (16) │ AES-CBC: bits, key, chance   │ AES-CMAC of all that (16) │
 *     └──────────────┴─────────┴──────────────────────────────┴───────────────────────────┘
 *       text           all the rest as hexadecimal
 */
export class TokenLmk implements Lmk {
  readonly version = 'P'
  readonly checkValue: string
  readonly #token: Token
  readonly #random: Random

  constructor(token: Token, random: Random) {
    this.#token = token
    this.#random = random
    const value = token.cmac(Buffer.alloc(16)).subarray(0, CHECK_VALUE_BYTES)
    this.checkValue = value.toString('hex').toUpperCase()
  }

  wrap(header: string, key: Uint8Array, paddedBytes: number): string {
    const clear = withLength(key, paddedBytes, this.#random)
    const length = header.length + 2 * (IV_BYTES + clear.length + MAC_BYTES)
    const text = header.charAt(0) + String(length).padStart(4, '0') + header.slice(5)
    const iv = Buffer.from(this.#random.bytes(IV_BYTES))
    const body = Buffer.concat([iv, this.#token.encryptCbc(iv, clear)])
    clear.fill(0)
    const mac = this.#token.cmac(Buffer.concat([Buffer.from(text, 'latin1'), body]))
    return text + Buffer.concat([body, mac]).toString('hex').toUpperCase()
  }

  unwrap(block: string): Buffer | undefined {
    const end = headerEnd(block)
    if (end === undefined || !block.startsWith(this.version)) return undefined
    const rest = bytesOf(block.slice(end))
    if (!rest || Number(block.slice(1, 5)) !== block.length) return undefined
    const body = rest.subarray(0, -MAC_BYTES)
    if (body.length <= IV_BYTES || body.length % IV_BYTES !== 0) return undefined
    const wanted = this.#token.cmac(
      Buffer.concat([Buffer.from(block.slice(0, end), 'latin1'), body]),
    )
    if (!timingSafeEqual(wanted, rest.subarray(-MAC_BYTES))) return undefined
    return keyIn(this.#token.decryptCbc(body.subarray(0, IV_BYTES), body.subarray(IV_BYTES)))
  }

  /** The keys are the token's own; only the way to them is ours to end. */
  wipe(): void {
    this.#token.close()
  }
}

/** Its length in bits, the key, and chance up to whole blocks. */
function withLength(key: Uint8Array, paddedBytes: number, random: Random): Buffer {
  const size = Math.ceil((2 + Math.max(paddedBytes, key.length)) / IV_BYTES) * IV_BYTES
  const clear = Buffer.alloc(size)
  clear.writeUInt16BE(key.length * 8)
  clear.set(key, 2)
  clear.set(random.bytes(size - 2 - key.length), 2 + key.length)
  return clear
}

function keyIn(clear: Buffer): Buffer | undefined {
  const length = clear.readUInt16BE(0) / 8
  const key = Buffer.alloc(Number.isInteger(length) && length <= clear.length - 2 ? length : 0)
  key.set(clear.subarray(2, 2 + key.length))
  clear.fill(0)
  return key.length === 0 ? undefined : key
}

function bytesOf(hex: string): Buffer | undefined {
  return /^(?:[0-9A-F]{2})*$/.test(hex) ? Buffer.from(hex, 'hex') : undefined
}
