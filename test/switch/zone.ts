import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '#base'
import { type KeyTypeName, type MadeKey, SoftHsm, type ZoneKeyring } from '#hsm'
import type { Log } from '#telemetry'
import { NO_LOG } from '#telemetry'

/** Keys of one end of a zone, in memory: the active one first, then the one before it. */
export class Ring implements ZoneKeyring {
  readonly #keys = new Map<KeyTypeName, MadeKey[]>()
  readonly #offered = new Map<KeyTypeName, MadeKey>()
  readonly #sinceMs = new Map<KeyTypeName, number>()
  /** How often a new key was agreed. */
  agreed = 0

  active(type: KeyTypeName): string | undefined {
    return this.#keys.get(type)?.[0]?.key
  }

  accepted(type: KeyTypeName): readonly string[] {
    return (this.#keys.get(type) ?? []).map(({ key }) => key)
  }

  checkValue(type: KeyTypeName): string | undefined {
    return this.#keys.get(type)?.[0]?.checkValue
  }

  activeSinceMs(type: KeyTypeName): number | undefined {
    return this.#keys.has(type) ? (this.#sinceMs.get(type) ?? 0) : undefined
  }

  offered(type: KeyTypeName): MadeKey | undefined {
    return this.#offered.get(type)
  }

  async offer(type: KeyTypeName, made: MadeKey): Promise<void> {
    await soon()
    this.#offered.set(type, made)
  }

  async withdraw(type: KeyTypeName): Promise<void> {
    await soon()
    this.#offered.delete(type)
  }

  /** As the store does it: durable a little later, and the same key changes nothing. */
  async agree(type: KeyTypeName, made: MadeKey, _cause?: unknown): Promise<void> {
    await soon()
    this.#offered.delete(type)
    const before = this.#keys.get(type) ?? []
    if (before[0]?.checkValue === made.checkValue) return
    this.agreed++
    this.#sinceMs.set(type, Date.now())
    this.#keys.set(type, [made, ...before].slice(0, 2))
  }
}

function soon(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve)
  })
}

/** An HSM of one's own, with an LMK of its own. */
export async function startHsm(
  log: Log = NO_LOG,
): Promise<{ hsm: SoftHsm; end: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-zone-'))
  writeFileSync(join(folder, 'lmk'), randomBytes(32), { mode: 0o600 })
  const hsm = await SoftHsm.start({
    lmk: { from: 'file', path: join(folder, 'lmk') },
    lab: false,
    clock: new SystemClock(),
    log,
  })
  const end = async (): Promise<void> => {
    await hsm.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { hsm, end }
}

/** A double-length key with odd parity. */
export function clearKey(): Buffer {
  return oddParity(randomBytes(16))
}

export function oddParity(bytes: Uint8Array): Buffer {
  const odd = bytes.map(byte => {
    const ones = (byte >> 1).toString(2).replaceAll('0', '').length
    return (byte & 0xfe) | (ones % 2 === 0 ? 1 : 0)
  })
  return Buffer.from(odd)
}

/** Puts a key that is known in clear into an HSM, as custodians do: in two components. */
export async function formZmk(hsm: SoftHsm, clear: Uint8Array): Promise<MadeKey> {
  const one = oddParity(randomBytes(clear.length))
  const two = Buffer.from(clear.map((byte, at) => byte ^ (one[at] as number)))
  const kind = clear.length === 24 ? 'TDES3' : 'TDES2'
  const parts = [
    await hsm.takeComponent('ZMK', one, kind),
    await hsm.takeComponent('ZMK', two, kind),
  ]
  return hsm.formKey(
    'ZMK',
    parts.map(({ key }) => key),
  )
}

/** Under the ZMK, in ECB: scheme X. */
export function wrapX(zmk: Uint8Array, key: Uint8Array): string {
  return `X${ecb(zmk, key).toString('hex').toUpperCase()}`
}

export function unwrapX(zmk: Uint8Array, digits: string): Buffer {
  const decipher = createDecipheriv('des-ede-ecb', zmk, null).setAutoPadding(false)
  return decipher.update(Buffer.from(digits, 'hex'))
}

export function ecb(key: Uint8Array, data: Uint8Array): Buffer {
  const name = key.length === 24 ? 'des-ede3-ecb' : 'des-ede-ecb'
  return createCipheriv(name, key, null).setAutoPadding(false).update(data)
}

/** X9.19 with padding 1. */
export function retailMac(key: Uint8Array, data: Uint8Array): Buffer {
  const padded = Buffer.alloc(Math.ceil(data.length / 8) * 8)
  padded.set(data)
  const left = key.subarray(0, 8)
  const single = Buffer.concat([left, left])
  const before = padded.subarray(0, -8)
  const iv = Buffer.alloc(8)
  const chain = createCipheriv('des-ede-cbc', single, iv).setAutoPadding(false).update(before)
  const last = Buffer.from(padded.subarray(-8))
  const value = before.length > 0 ? chain.subarray(-8) : iv
  for (let at = 0; at < 8; at++) last[at] = (last[at] as number) ^ (value[at] as number)
  return ecb(key, last)
}

/** ISO 9564 format 0 under a zone PIN key. */
export function pinBlock(key: Uint8Array, pin: string, pan: string): string {
  const field = Buffer.from(`0${pin.length.toString(16)}${pin}`.padEnd(16, 'F'), 'hex')
  const account = Buffer.from(`0000${pan.slice(-13, -1)}`, 'hex')
  const clear = Buffer.from(field.map((byte, at) => byte ^ (account[at] as number)))
  return ecb(key, clear).toString('hex').toUpperCase()
}
