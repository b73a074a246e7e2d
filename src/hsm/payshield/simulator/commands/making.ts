import { LETTER_LENGTHS } from '../../grammar/index.ts'
import type { RequestOf } from '../../grammar/index.ts'
import { HostRefusal } from '../../host-codes.ts'
import type { HostCode } from '../../host-codes.ts'
import { xor } from '../../../crypto/cipher.ts'
import { isOdd, isSingle, isWeak, oddParity } from '../../../crypto/parity.ts'
import type { BoxState } from '../call.ts'
import type { OpenKey, Sealing } from '../lmk.ts'

/** Keys that come into being: at random, from components, from another party. */

export type BlockAttributes = NonNullable<Sealing['header']>

/** Algorithm and length as commands write them: T1 to T3, A1 to A3. */
const ALGORITHMS: Readonly<Record<string, { algorithm: 'T' | 'A'; bytes: number }>> = {
  T1: { algorithm: 'T', bytes: 8 },
  T2: { algorithm: 'T', bytes: 16 },
  T3: { algorithm: 'T', bytes: 24 },
  A1: { algorithm: 'A', bytes: 16 },
  A2: { algorithm: 'A', bytes: 24 },
  A3: { algorithm: 'A', bytes: 32 },
}

export type NewKey = {
  readonly bytes: Uint8Array
  readonly algorithm: 'T' | 'A'
  readonly header: BlockAttributes | undefined
}

type HeaderFields = Pick<
  RequestOf<'A0'>,
  'usage' | 'algorithm' | 'modeOfUse' | 'keyVersion' | 'exportability' | 'optionalBlocks'
>

/** What stands behind `#`, if anything. Throws 15, A7, AB. */
export function attributesOf(fields: HeaderFields): BlockAttributes | undefined {
  const { usage, algorithm, modeOfUse, keyVersion, exportability, optionalBlocks } = fields
  if (usage === undefined) return undefined
  if (optionalBlocks !== '00') throw new HostRefusal('AB', 'optionalBlocks')
  if (!ALGORITHMS[algorithm ?? '']) throw new HostRefusal('A7', 'algorithm')
  if (!/^[ENS]$/.test(exportability ?? '')) throw new HostRefusal('AA', 'exportability')
  if (!/^[BCDEGNSVXY]$/.test(modeOfUse ?? '')) throw new HostRefusal('A8', 'modeOfUse')
  return {
    usage,
    algorithm: algorithm?.charAt(0) ?? '',
    modeOfUse: modeOfUse ?? '',
    keyVersion: keyVersion ?? '00',
    exportability: exportability ?? 'N',
  }
}

/** A key at random, of the length that its scheme or its attributes say. */
export function randomKey(
  box: BoxState,
  letter: string,
  algorithmText: string | undefined,
  header: BlockAttributes | undefined,
): NewKey {
  if (letter === 'S' || letter === 'R') {
    const known = ALGORITHMS[algorithmText ?? '']
    if (!header || !known) throw new HostRefusal('A7', 'algorithm')
    return { bytes: freshBytes(box, known), algorithm: known.algorithm, header }
  }
  const bytes = (LETTER_LENGTHS[letter] ?? 16) / 2
  return { bytes: freshBytes(box, { algorithm: 'T', bytes }), algorithm: 'T', header: undefined }
}

/** Odd parity, no weak part, and never a longer key that is a shorter one in disguise. */
export function freshBytes(
  box: BoxState,
  { algorithm, bytes }: { algorithm: 'T' | 'A'; bytes: number },
): Uint8Array {
  for (;;) {
    // A copy: what the random source hands out is a view of its own store.
    const random = Buffer.from(box.random.bytes(bytes))
    if (algorithm === 'A') return random
    const key = oddParity(random)
    if (!isSingle(key) && !isWeak(key)) return key
  }
}

/** The components one over the other, with odd parity. Throws B5, 27, 11, 75. */
export function formed(components: readonly OpenKey[]): OpenKey {
  const [first, ...others] = components
  if (!first) throw new HostRefusal('03', 'components')
  let bytes: Uint8Array = first.bytes
  for (const other of others) {
    if (other.bytes.length !== bytes.length) throw new HostRefusal('27', 'components')
    if (!sameKind(first, other)) throw new HostRefusal('B5', 'components')
    bytes = xor(bytes, other.bytes)
  }
  if (first.algorithm === 'T') bytes = oddParity(bytes)
  if (isZero(bytes)) throw new HostRefusal('11', 'components')
  return { ...first, bytes }
}

function sameKind({ header: a }: OpenKey, { header: b }: OpenKey): boolean {
  if (!a || !b) return a === b
  return a.usage === b.usage && a.algorithm === b.algorithm && a.modeOfUse === b.modeOfUse
}

/** Zeros with corrected parity are ones. */
function isZero(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte <= 1)
}

/**
 * A key that came from another party: its parity is corrected, and 01 says so. Throws 11 for
 * zeros, 75 for a longer key that is a single one.
 */
export function imported(key: OpenKey): { readonly key: OpenKey; readonly code: HostCode } {
  const { bytes, algorithm } = key
  if (bytes.every(byte => byte === 0)) throw new HostRefusal('11', 'key')
  if (algorithm === 'A') return { key, code: '00' }
  const odd = isOdd(bytes)
  const corrected = odd ? bytes : oddParity(bytes)
  if (isSingle(corrected)) throw new HostRefusal('75', 'key')
  return { key: { ...key, bytes: corrected }, code: odd ? '00' : '01' }
}
