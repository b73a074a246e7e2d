/**
 * The same operations with the npm package node-forge, whose ciphers are JavaScript: its objects,
 * too, are made once and started anew for each call. Bytes are binary strings in there.
 */
import forge from 'node-forge'
import type { cipher as forgeCipher } from 'node-forge'

type Cipher = forgeCipher.BlockCipher
const ZEROS_8 = '\0'.repeat(8)
const ZEROS_16 = '\0'.repeat(16)

/** Format 0 under one double length key into format 0 under another, with all checks of the PIN. */
export function pinTranslation(
  fromKey: Uint8Array,
  intoKey: Uint8Array,
  pan: string,
): (block: Uint8Array) => Buffer {
  const from = forge.cipher.createDecipher('3DES-ECB', tripled(fromKey))
  const into = forge.cipher.createCipher('3DES-ECB', tripled(intoKey))
  const account = Buffer.from(`0000${pan.slice(-13, -1)}`, 'hex')
  return block => {
    const clear = Buffer.from(run(from, binary(block)), 'latin1')
    const field = clear.map((byte, at) => byte ^ (account[at] as number))
    const text = Buffer.from(field).toString('hex')
    const [, digits = '', pin = ''] = /^0([4-9a-c])(\d{4,12})f*$/.exec(text) ?? []
    if (pin.length !== Number.parseInt(digits, 16)) throw new RangeError('no PIN block')
    return Buffer.from(run(into, binary(clear)), 'latin1')
  }
}

/** X9.19 with padding 1 over data of whole blocks, more than one. */
export function retailMac(key: Uint8Array): (data: Uint8Array) => Buffer {
  const chain = forge.cipher.createCipher('DES-CBC', binary(key.subarray(0, 8)))
  const last = forge.cipher.createCipher('3DES-ECB', tripled(key))
  return data => {
    const first = data.length - 8
    const out = Buffer.from(run(chain, binary(data.subarray(0, first)), ZEROS_8), 'latin1')
    const end = data.subarray(first).map((byte, at) => byte ^ (out[first - 8 + at] as number))
    return Buffer.from(run(last, binary(end)), 'latin1')
  }
}

/** AES-CMAC over data of whole blocks, with the subkey for such (SP 800-38B) worked out before. */
export function cmac(key: Uint8Array, subkey: Uint8Array): (data: Uint8Array) => Buffer {
  const chain = forge.cipher.createCipher('AES-CBC', binary(key))
  return data => {
    const input = Buffer.from(data)
    const last = data.length - 16
    for (let i = 0; i < 16; i++)
      input[last + i] = (input[last + i] as number) ^ (subkey[i] as number)
    return Buffer.from(run(chain, binary(input), ZEROS_16).slice(last), 'latin1')
  }
}

/** Whole blocks only: what `finish` would do is padding. */
function run(cipher: Cipher, bytes: string, iv?: string): string {
  cipher.start(iv === undefined ? {} : { iv })
  cipher.update(forge.util.createBuffer(bytes))
  return cipher.output.getBytes()
}

function tripled(key: Uint8Array): string {
  return binary(Buffer.concat([key, key.subarray(0, 8)]))
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
