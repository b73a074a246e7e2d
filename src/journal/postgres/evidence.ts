import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { assert, type Random, type Secret, type TxnId, txnIdMs } from '#base'
import { GrowingBytes } from './growing.ts'
import type { Evidence } from '../journal.ts'

/**
 * The frames of one record, encrypted together with AES-256-GCM:
 *
 *     ┌────────┬────────────┬─────────────────────────┬────────┐
 *     │ layout │ nonce      │ frames, encrypted       │ tag    │
 *     │ 1: 1 B │ 12 B       │                         │ 16 B   │
 *     └────────┴────────────┴─────────────────────────┴────────┘
 *
 *     a frame:  at ms  flags  via            pack           bytes
 *               6 B    1 B    2 B + UTF-8    2 B + UTF-8    4 B + bytes      lengths big-endian
 *
 *     flags:    1 destination's side, else source's    2 out, else in
 *
 * The place it belongs to (partner, txn, version) is authenticated with it: evidence moved to
 * another record does not open. Each day has a key of its own, derived by HKDF-SHA-256, so that
 * random nonces stay far below the 2^32 that NIST SP 800-38D (section 8.3) allows one key.
 */
const LAYOUT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + NONCE_BYTES
const DAY_MS = 86_400_000
const DAY_KEYS_MAX = 32
const NAMES_MAX = 256

const FLAG_DESTINATION = 1
const FLAG_OUT = 2

export type EvidencePlace = {
  readonly partner: string
  readonly id: TxnId
  readonly version: number
}

export class EvidenceSafe {
  readonly #key: Secret<Uint8Array>
  readonly #random: Random
  readonly #dayKeys = new Map<number, KeyObject>()
  /** Links, listeners and packs are few, and named in every frame. */
  readonly #names = new Map<string, Buffer>()
  /** Frames on their way into the cipher. */
  readonly #plain = new GrowingBytes(16_384)

  constructor(key: Secret<Uint8Array>, random: Random) {
    assert(key.reveal().length === 32, 'the evidence key has 32 bytes')
    this.#key = key
    this.#random = random
  }

  /** Seals the frames at the end of `out`; answers how many bytes that took. */
  seal(place: EvidencePlace, frames: readonly Evidence[], out: GrowingBytes): number {
    const start = out.length
    const plain = this.#plain
    plain.clear()
    for (const frame of frames) this.#write(frame)
    const nonce = this.#random.bytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#dayKey(place.id), nonce)
    cipher.setAAD(placeBytes(place))
    out.number(LAYOUT, 1)
    out.bytes(nonce)
    out.bytes(cipher.update(plain.from(0)))
    cipher.final()
    out.bytes(cipher.getAuthTag())
    return out.length - start
  }

  /** Throws when it was changed, or belongs to another record, or to another key. */
  open(place: EvidencePlace, sealed: Uint8Array): Evidence[] {
    assert(sealed[0] === LAYOUT && sealed.length >= HEAD_BYTES + TAG_BYTES, 'sealed evidence')
    const nonce = sealed.subarray(1, HEAD_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', this.#dayKey(place.id), nonce, {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(placeBytes(place))
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    const open = decipher.update(sealed.subarray(HEAD_BYTES, sealed.length - TAG_BYTES))
    decipher.final()
    return readFrames(open)
  }

  #write({ atMs, side, direction, via, pack, bytes }: Evidence): void {
    const plain = this.#plain
    plain.number(atMs, 6)
    plain.number(
      (side === 'destination' ? FLAG_DESTINATION : 0) | (direction === 'out' ? FLAG_OUT : 0),
      1,
    )
    for (const name of [this.#nameBytes(via), this.#nameBytes(pack)]) {
      plain.number(name.length, 2)
      plain.bytes(name)
    }
    plain.number(bytes.length, 4)
    plain.bytes(bytes)
  }

  #nameBytes(name: string): Buffer {
    let bytes = this.#names.get(name)
    if (!bytes) {
      bytes = Buffer.from(name)
      if (this.#names.size >= NAMES_MAX) this.#names.clear()
      this.#names.set(name, bytes)
    }
    return bytes
  }

  #dayKey(id: TxnId): KeyObject {
    const day = Math.floor(txnIdMs(id) / DAY_MS)
    let key = this.#dayKeys.get(day)
    if (!key) {
      const salt = new Uint8Array(0)
      const bytes = hkdfSync('sha256', this.#key.reveal(), salt, `nadi evidence ${day}`, 32)
      // A key object is made once; bytes would be made into one for every record, thrice the cost.
      key = createSecretKey(Buffer.from(bytes))
      if (this.#dayKeys.size >= DAY_KEYS_MAX) this.#dayKeys.clear()
      this.#dayKeys.set(day, key)
    }
    return key
  }
}

function placeBytes({ partner, id, version }: EvidencePlace): Buffer {
  return Buffer.from(`${partner}/${id}/${version}`)
}

function readFrames(bytes: Buffer): Evidence[] {
  const frames: Evidence[] = []
  let at = 0
  const take = (length: number) => {
    assert(at + length <= bytes.length, 'evidence holds whole frames')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const atMs = take(6).readUIntBE(0, 6)
    const flags = take(1).readUInt8()
    const via = take(take(2).readUInt16BE()).toString()
    const pack = take(take(2).readUInt16BE()).toString()
    frames.push({
      atMs,
      side: flags & FLAG_DESTINATION ? 'destination' : 'source',
      direction: flags & FLAG_OUT ? 'out' : 'in',
      via,
      pack,
      bytes: Uint8Array.from(take(take(4).readUInt32BE())),
    })
  }
  return frames
}
