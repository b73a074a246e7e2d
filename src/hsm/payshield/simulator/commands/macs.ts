import { timingSafeEqual } from 'node:crypto'
import { latin1 } from '#base'
import type { MAC_COMMANDS } from '../../grammar/macs.ts'
import { HostRefusal } from '../../host-codes.ts'
import type { BoxState, Call, Handlers } from '../call.ts'
import { cipherOf } from '../../../crypto/cipher.ts'
import { dukptKey } from '../../../crypto/dukpt.ts'
import { cbcMac, cmac, padded, retailMac, retailPart } from '../../../crypto/mac.ts'
import { cvvOf } from '../../../crypto/pin-check.ts'
import type { OpenKey } from '../lmk.ts'
import { encrypted } from './data.ts'
import { bytesOf, digitsOf } from './pin-text.ts'

const ZERO_BLOCK = Buffer.alloc(8)

export const macHandlers: Handlers<keyof typeof MAC_COMMANDS> = {
  MA: ({ request, keys, box }) => ({
    values: { mac: shortMac(keys.get('tak'), guessed(request.data, box)) },
  }),
  MC: ({ request, keys, box }) => {
    const data = matching(keys.get('tak'), request.data, request.mac, box)
    return { code: data ? '00' : '01', values: {} }
  },
  ME: ({ request, keys, box }) => {
    const data = matching(keys.get('tak'), request.data, request.mac, box)
    if (!data) throw new HostRefusal('01', 'mac')
    return { values: { newMac: shortMac(keys.get('destination'), data) } }
  },
  MQ: ({ request, keys }) => {
    const { bytes } = keys.get('zak')
    const iv = request.iv === undefined ? ZERO_BLOCK : bytesOf(request.iv)
    const blocks = zeroFilled(request.data)
    return { values: { mac: digitsOf(cbcMac(cipherOf(bytes, 'T'), iv, blocks)) } }
  },
  MS: ({ request, keys }) => {
    const { bytes } = keys.get('key')
    if (bytes.length !== (request.keyLength === '0' ? 8 : 16)) throw new HostRefusal('27', 'key')
    const iv = request.iv === undefined ? ZERO_BLOCK : bytesOf(request.iv)
    const blocks = zeroFilled(request.data)
    const make = isLast(request.part) ? retailMac : retailPart
    return { values: { mac: digitsOf(make(bytes, iv, blocks)) } }
  },
  M6: call => ({ values: { mac: anyMac(call) } }),
  M8: call => {
    const { request } = call
    const made = anyMac(call)
    if (!isLast(request.mode)) return { values: { nextIv: made } }
    return { code: same(made, (request.mac ?? '').toUpperCase()) ? '00' : '01', values: {} }
  },
  GW: ({ request, keys }) => {
    const { bytes } = keys.get('bdk')
    if (bytes.length !== 16) throw new HostRefusal('27', 'bdk')
    const key = dukptKey(bytes, bytesOf(request.ksn), 'mac-request')
    const blocks = zeroFilled(request.data)
    const made = digitsOf(retailMac(key, ZERO_BLOCK, blocks))
    if (request.mode === '4') return { values: { newMac: made } }
    return { code: same(made, (request.mac ?? '').toUpperCase()) ? '00' : '01', values: {} }
  },
  CW: ({ request, keys }) => ({ values: { value: cvv(keys.get('cvk'), request) } }),
  CY: ({ request, keys }) => ({
    code: same(cvv(keys.get('cvk'), request), request.value) ? '00' : '01',
    values: {},
  }),
  M0: call => encrypted(call, 'encrypt'),
  M2: call => encrypted(call, 'decrypt'),
}

function cvv(
  { bytes }: OpenKey,
  { account, expiry, service }: { account: string; expiry: string; service: string },
): string {
  if (bytes.length !== 16) throw new HostRefusal('27', 'cvk')
  return cvvOf(bytes, account, expiry, service)
}

// M6 and M8

type MacRequest = Call<'M6'>['request'] | Call<'M8'>['request']

/** The MAC, or of a first or middle part the value that the next part goes on from. */
function anyMac({ request, keys }: { request: MacRequest; keys: Call<'M6'>['keys'] }): string {
  const key = keys.get('key')
  const { algorithm, mode } = request
  const digits = isLast(mode) ? (request.macSize === '0' ? 8 : 16) : 32
  const made = algorithm === '6' ? cmacPart(request, key) : isoMac(request, key)
  return digitsOf(made).slice(0, digits)
}

function isoMac({ algorithm, mode, padding, data, iv }: MacRequest, key: OpenKey): Buffer {
  if ((key.algorithm === 'A') !== (algorithm === '5')) throw new HostRefusal('A7', 'algorithm')
  const cipher = cipherOf(key.bytes, key.algorithm)
  const chain = iv === undefined ? Buffer.alloc(cipher.blockBytes) : bytesOf(iv)
  const blocks = partBlocks(data, mode, padding, cipher.blockBytes)
  if (algorithm !== '3') return cbcMac(cipher, chain, blocks)
  return isLast(mode) ? retailMac(key.bytes, chain, blocks) : retailPart(key.bytes, chain, blocks)
}

/** CMAC pads by itself; a part that is not the last is whole blocks and never the last of them. */
function cmacPart({ mode, data, iv }: MacRequest, key: OpenKey): Buffer {
  const cipher = cipherOf(key.bytes, key.algorithm)
  const chain = iv === undefined ? Buffer.alloc(cipher.blockBytes) : bytesOf(iv)
  if (isLast(mode)) return cmac(key.bytes, key.algorithm, data, chain)
  return cbcMac(cipher, chain, partBlocks(data, mode, '0', cipher.blockBytes))
}

function isLast(part: string): boolean {
  return part === '0' || part === '3'
}

/** MQ and MS fill up every part, not the last one only. */
function zeroFilled(data: Uint8Array): Buffer {
  return padded(data, '1', 8) ?? ZERO_BLOCK
}

/** Only the last part is padded; the others must be whole blocks. */
function partBlocks(
  data: Uint8Array,
  part: string,
  padding: '0' | '1' | '2' | '3',
  blockBytes: number,
): Buffer {
  // Method 3 begins with the length of all the data, which nobody knows of a message in parts.
  if (padding === '3' && part !== '0') throw new HostRefusal('09', 'padding')
  const blocks = padded(data, isLast(part) ? padding : '0', blockBytes)
  if (!blocks) throw new HostRefusal('06', 'data')
  return blocks
}

// MA, MC, ME

/** X9.9: algorithm 1, zeros to a whole block, the left half of the result. */
function shortMac({ bytes }: OpenKey, data: Uint8Array): string {
  const blocks = zeroFilled(data)
  return digitsOf(cbcMac(cipherOf(bytes, 'T'), ZERO_BLOCK, blocks)).slice(0, 8)
}

/** The data for which the MAC is right, as it came or expanded; undefined for neither. */
function matching(
  key: OpenKey,
  data: Uint8Array,
  mac: string,
  box: BoxState,
): Uint8Array | undefined {
  const forms = [data, expanded(data, box)].filter(form => form !== undefined)
  return forms.find(form => same(shortMac(key, form), mac.toUpperCase()))
}

function guessed(data: Uint8Array, box: BoxState): Uint8Array {
  return expanded(data, box) ?? data
}

/**
 * Public transcripts write the bytes of these commands as hexadecimal digits. What is all digits,
 * but not all decimal ones, is taken for such where the box is set to.
 */
function expanded(data: Uint8Array, { settings }: BoxState): Uint8Array | undefined {
  if (!settings.expandedData || data.length % 2 !== 0) return undefined
  const text = latin1(data)
  return /^[0-9A-F]+$/.test(text) && /[A-F]/.test(text) ? bytesOf(text) : undefined
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
