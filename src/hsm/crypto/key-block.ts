import { timingSafeEqual } from 'node:crypto'
import type { Random } from '#base'
import { cipherOf, cipherOnce } from './cipher.ts'
import type { Algorithm, BlockCipher } from './cipher.ts'
import { Kept } from './kept.ts'
import { cbcMac, cmacOver, cmacWith } from './mac.ts'

/**
 * Key blocks: a header that says what the key is for, the key and its length encrypted, and a MAC
 * over both, so that none can be used as another. `text` is without the letter before it.
 *
 *     version  keys of the block           encrypted     IV               MAC
 *     0, A, C  KBPK xor 45…, 4D…           CBC           8 of header      4 bytes over the ciphertext
 *     B        TDES-CMAC of KBPK           CBC           MAC              8 bytes over the clear
 *     D        AES-CMAC of KBPK            CBC           MAC              16 bytes over the clear
 *     1        AES-CMAC of KBPK            CBC           16 of header     8 bytes over the ciphertext
 *
 *     version 1  length 4  usage 2  algorithm 1  mode 1  key version 2  exportable 1  count 2  2
 *     optional blocks: name 2  length 2 (or 00, 02, length 4)  data
 *     hexadecimal: encrypted (bits of the key 2 bytes, key, random)  MAC
 *
 * Sources: ANSI X9.143-2021 (A, B, C, D); Thales key blocks 0 and 1 by their published vectors.
 */
type Construction = {
  readonly algorithm: Algorithm
  readonly keys: 'variants' | 'derived'
  /** What the MAC covers, and what the IV is. */
  readonly over: 'cipher' | 'clear'
  readonly macBytes: number
  /** New blocks are made so; A and C are for reading what others still have. */
  readonly writes: boolean
}

const CONSTRUCTIONS: Readonly<Record<string, Construction>> = {
  A: { algorithm: 'T', keys: 'variants', over: 'cipher', macBytes: 4, writes: false },
  C: { algorithm: 'T', keys: 'variants', over: 'cipher', macBytes: 4, writes: false },
  '0': { algorithm: 'T', keys: 'variants', over: 'cipher', macBytes: 4, writes: true },
  B: { algorithm: 'T', keys: 'derived', over: 'clear', macBytes: 8, writes: true },
  D: { algorithm: 'A', keys: 'derived', over: 'clear', macBytes: 16, writes: true },
  '1': { algorithm: 'A', keys: 'derived', over: 'cipher', macBytes: 8, writes: true },
}

const HEADER_LENGTH = 16
/** Four digits of length. */
const TEXT_LENGTH_MAX = 9999
const KEY_BYTES_MIN = 8

/** The algorithm of the key that such a block is made under; undefined for no version known. */
export function wrappingAlgorithm(version: string): Algorithm | undefined {
  return CONSTRUCTIONS[version]?.algorithm
}

/** The key in a block; undefined when it is not authentic or its lengths contradict one another. */
export function unwrapBlock(kbpk: Uint8Array, text: string): Buffer | undefined {
  const construction = CONSTRUCTIONS[text.charAt(0)]
  const headerLength = headerEnd(text)
  if (!construction || headerLength === undefined || !fits(kbpk, construction)) return undefined
  const { macBytes, over } = construction
  const cipher = blockKeys(kbpk, construction)
  const { blockBytes } = cipher.encryption
  const rest = Buffer.from(text.slice(headerLength), 'hex')
  const bodyBytes = rest.length - macBytes
  // Decoding stops at the first character that is no digit, so the length tells.
  if (rest.length * 2 !== text.length - headerLength) return undefined
  if (bodyBytes < blockBytes || bodyBytes % blockBytes !== 0) return undefined
  const body = rest.subarray(0, bodyBytes)
  const mac = rest.subarray(bodyBytes)
  const covered = Buffer.allocUnsafe(headerLength + bodyBytes)
  covered.write(text.slice(0, headerLength), 'latin1')
  const iv = over === 'clear' ? mac : covered.subarray(0, blockBytes)
  const clear = cipher.encryption.decryptCbc(iv, body)
  covered.set(over === 'clear' ? clear : body, headerLength)
  const wanted = macOver(construction, cipher.mac, covered)
  const key = wanted && timingSafeEqual(mac, wanted) ? keyIn(clear) : undefined
  clear.fill(0)
  return key
}

/**
 * Wraps a key under a header whose length digits are filled in here. `paddedBytes` is the length of
 * key that the block shall look like it has. Throws TypeError for a version that is not written, a
 * KBPK that it cannot have, or a block that is too long.
 */
export function wrapBlock(
  kbpk: Uint8Array,
  header: string,
  key: Uint8Array,
  random: Random,
  paddedBytes = key.length,
): string {
  const construction = CONSTRUCTIONS[header.charAt(0)]
  if (!construction?.writes || !fits(kbpk, construction)) throw new TypeError('no such key block')
  const { macBytes, over } = construction
  const cipher = blockKeys(kbpk, construction)
  const { blockBytes } = cipher.encryption
  const clear = withLength(key, blockBytes, random, paddedBytes)
  const length = header.length + 2 * (clear.length + macBytes)
  if (length > TEXT_LENGTH_MAX) throw new TypeError('the key block is too long')
  const text = header.charAt(0) + String(length).padStart(4, '0') + header.slice(5)
  const head = Buffer.from(text, 'latin1')
  const encrypt = (iv: Uint8Array): Buffer => cipher.encryption.encryptCbc(iv, clear)
  const body = over === 'clear' ? clear : encrypt(head.subarray(0, blockBytes))
  const covered = Buffer.concat([head, body])
  const mac = macOver(construction, cipher.mac, covered)
  if (!mac) throw new TypeError('the header of a key block is whole cipher blocks')
  const encrypted = over === 'clear' ? encrypt(mac) : body
  clear.fill(0)
  return text + hexOf(encrypted) + hexOf(mac)
}

/** Forgets all keys that blocks were made under. */
export function forgetBlockKeys(): void {
  kept.variants.clear()
  kept.T.clear()
  kept.A.clear()
}

function fits({ length }: Uint8Array, { algorithm }: Construction): boolean {
  return length === 16 || length === 24 || (algorithm === 'A' && length === 32)
}

/** Where the header ends: behind its optional blocks; undefined when it contradicts itself. */
function headerEnd(text: string): number | undefined {
  if (text.length < HEADER_LENGTH) return undefined
  const count = decimal(text, 12, 14)
  if (decimal(text, 1, 5) !== text.length || count === undefined) return undefined
  let at = HEADER_LENGTH
  for (let left = count; left > 0; left--) {
    const length = optionalLength(text, at)
    if (length === undefined || at + length > text.length) return undefined
    at += length
  }
  // Other characters would lose their upper half under the MAC, and read as two things.
  return isPrintable(text, at) ? at : undefined
}

function isPrintable(text: string, length: number): boolean {
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at)
    if (code <= 0x20 || code >= 0x7f) return false
  }
  return true
}

function decimal(text: string, from: number, to: number): number | undefined {
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value
}

/** Two digits that count themselves; longer ones have 00, how many digits, and as many digits. */
function optionalLength(text: string, at: number): number | undefined {
  const short = hexNumber(text.slice(at + 2, at + 4))
  if (short !== 0) return short !== undefined && short >= 4 ? short : undefined
  const digits = hexNumber(text.slice(at + 4, at + 6)) ?? 0
  const long = digits > 0 ? hexNumber(text.slice(at + 6, at + 6 + digits)) : undefined
  return long !== undefined && long >= 6 + digits ? long : undefined
}

function hexNumber(text: string): number | undefined {
  return /^[0-9A-Fa-f]{2,8}$/.test(text) ? Number.parseInt(text, 16) : undefined
}

/** A copy of the key, which is its holder's to wipe. */
function keyIn(clear: Buffer): Buffer | undefined {
  const bits = clear.readUInt16BE(0)
  const bytes = bits / 8
  if (bits % 8 !== 0 || bytes < KEY_BYTES_MIN || 2 + bytes > clear.length) return undefined
  const key = Buffer.allocUnsafe(bytes)
  clear.copy(key, 0, 2)
  return key
}

function withLength(
  key: Uint8Array,
  blockBytes: number,
  random: Random,
  paddedBytes: number,
): Buffer {
  const used = 2 + key.length
  const room = 2 + Math.max(paddedBytes, key.length)
  const clear = Buffer.alloc(Math.ceil(room / blockBytes) * blockBytes)
  clear.writeUInt16BE(key.length * 8)
  clear.set(key, 2)
  clear.set(random.bytes(clear.length - used), used)
  return clear
}

/** Undefined where whole blocks are needed and the header is none. What is covered in clear is wiped. */
function macOver(
  { keys, macBytes }: Construction,
  cipher: BlockCipher,
  covered: Buffer,
): Buffer | undefined {
  const { blockBytes } = cipher
  if (keys === 'derived') {
    const mac = cmacOver(cipher, covered)
    return macBytes === blockBytes ? mac : mac.subarray(0, macBytes)
  }
  if (covered.length % blockBytes !== 0) return undefined
  return cbcMac(cipher, Buffer.alloc(blockBytes), covered).subarray(0, macBytes)
}

type BlockKeys = { readonly encryption: BlockCipher; readonly mac: BlockCipher }

/** Both keys of a block, kept: a KBPK opens many blocks. */
function blockKeys(kbpk: Uint8Array, { algorithm, keys }: Construction): BlockKeys {
  if (keys === 'variants')
    return kept.variants.of(kbpk, NOTHING, () => ({
      encryption: variant(kbpk, 0x45),
      mac: variant(kbpk, 0x4d),
    }))
  return kept[algorithm].of(kbpk, NOTHING, () => ({
    encryption: derived(kbpk, algorithm, 0x0000),
    mac: derived(kbpk, algorithm, 0x0001),
  }))
}

const NOTHING = new Uint8Array()
const KEPT_MAX = 256
const kept = {
  variants: new Kept<BlockKeys>(KEPT_MAX),
  T: new Kept<BlockKeys>(KEPT_MAX),
  A: new Kept<BlockKeys>(KEPT_MAX),
}

function variant(kbpk: Uint8Array, mask: number): BlockCipher {
  const key = kbpk.map(byte => byte ^ mask)
  const cipher = cipherOnce(key, 'T')
  key.fill(0)
  return cipher
}

/**
 * Key derivation of X9.143: CMAC over a counter, what for, and how long.
 *
 *     counter 1   usage 2   00   algorithm 2   bits 2
 */
function derived(kbpk: Uint8Array, algorithm: Algorithm, usage: number): BlockCipher {
  const from = cipherOf(kbpk, algorithm)
  const kind = algorithm === 'T' ? kbpk.length / 8 - 2 : kbpk.length / 8
  const key = Buffer.alloc(Math.ceil(kbpk.length / from.blockBytes) * from.blockBytes)
  const input = Buffer.alloc(8)
  input.writeUInt16BE(usage, 1)
  input.writeUInt16BE(kind, 4)
  input.writeUInt16BE(kbpk.length * 8, 6)
  for (let at = 0; at < key.length; at += from.blockBytes) {
    input[0] = at / from.blockBytes + 1
    const part = cmacWith(from, input)
    key.set(part, at)
    part.fill(0)
  }
  const cipher = cipherOnce(key.subarray(0, kbpk.length), algorithm)
  key.fill(0)
  return cipher
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex').toUpperCase()
}
