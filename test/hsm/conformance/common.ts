import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { type ErrorCode, isNadiError, type NadiError } from '#base'
import {
  KEY_KINDS,
  type HsmCapabilities,
  type KeyKind,
  type PaymentHsm,
  type PinFormat,
} from '#hsm'
import { isOdd, isSingle, oddParity } from '../../../src/hsm/crypto/parity.ts'
import { accountFor, openPin, sealPin } from '../../../src/hsm/crypto/pin-block.ts'
import { bytes, hex, type HsmUnderTest, random, type Vault } from '../vault.ts'

// What the suites share: the vectors, keys, and the word for what must be refused.

/** One promise: what it is asked, with what the keeper says that it can. */
export type Suite = (t: Test, vault: Vault, can: HsmCapabilities) => Promise<void>
export type Suites = Readonly<Record<string, Suite>>

export type Row = Readonly<
  Record<string, string> & { padding?: number; c: string[]; kcvs: string[] }
>
const VECTORS = JSON.parse(
  readFileSync(new URL('../fixtures/crypto-vectors.json', import.meta.url), 'utf8'),
) as Record<string, Row[]>
export const rows = (group: string): Row[] => VECTORS[group] ?? []

const CODES = { 0: '01', 1: '05', 3: '47', 4: '48' } as const
export const ZPK = 'C7152C20BC2C830EA7EC9E8334ABE3FE'
export const ZPK_INTO = '0123456789ABCDEFFEDCBA9876543210'
export const AES_ZPK = '00112233445566778899AABBCCDDEEFF'
export const PAN = '4111111111111111'
export const TDES_BDK = '0123456789ABCDEFFEDCBA9876543210'
export const AES_BDK = 'FEDCBA9876543210F1F1F1F1F1F1F1F1'
export const DUKPT_PAN = '4012345678909'

/** A key as it may come in without a block around it. */
export const good = (key: string): boolean => isOdd(bytes(key)) && !isSingle(bytes(key))

export function sealed(key: string, format: PinFormat, pin: string, pan: string): string {
  const algorithm = format === 4 ? 'A' : 'T'
  const code = CODES[format]
  return hex(sealPin({ bytes: bytes(key), algorithm }, code, pin, accountFor(code, pan), random))
}

export function opened(key: string, format: PinFormat, block: string, pan: string): string {
  const algorithm = format === 4 ? 'A' : 'T'
  const code = CODES[format]
  return openPin({ bytes: bytes(key), algorithm }, code, bytes(block), accountFor(code, pan))
}

/** Fails the test unless it is refused with this code; tells what was thrown. */
export async function refused(
  t: Test,
  code: ErrorCode,
  what: Promise<unknown>,
  title: string,
): Promise<NadiError | undefined> {
  const error = await what.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  t.ok(isNadiError(error, code), `${title}: ${code}`, { found: String(error) })
  return isNadiError(error) ? error : undefined
}

export function kindOf(kbpk: string, algorithm: 'T' | 'A'): KeyKind {
  const bits = kbpk.length * 4
  return algorithm === 'A' ? (`AES${bits}` as 'AES128') : bits === 192 ? 'TDES3' : 'TDES2'
}

/** A ZMK of this value, of two components; undefined for one that no keeper would take. */
export async function formed(
  hsm: PaymentHsm,
  clear: string,
  kind: KeyKind,
): Promise<string | undefined> {
  const whole = bytes(clear)
  if (kind.startsWith('TDES') && isSingle(oddParity(whole))) return undefined
  const one = Buffer.from(random.bytes(whole.length))
  const other = Buffer.from(whole.map((byte, at) => byte ^ (one[at] as number)))
  const parts = [
    await hsm.takeComponent('ZMK', one, kind),
    await hsm.takeComponent('ZMK', other, kind),
  ]
  return (
    await hsm.formKey(
      'ZMK',
      parts.map(part => part.key),
    )
  ).key
}

/** A ZMK of the test's own, of components: for keepers that take them. */
export async function aZmk(
  hsm: PaymentHsm,
  kind: 'TDES3' | 'AES256',
): Promise<HsmUnderTest['zmk']> {
  const length = KEY_KINDS[kind].bytes
  const drawn = Buffer.from(random.bytes(length))
  const clear = kind === 'TDES3' ? oddParity(drawn) : drawn
  const key = await formed(hsm, hex(clear), kind)
  if (key === undefined) return aZmk(hsm, kind)
  return { key, clear }
}
