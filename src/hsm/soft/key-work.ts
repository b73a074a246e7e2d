import { NadiError, type Random } from '#base'
import { unwrapBlock, wrapBlock, wrappingAlgorithm } from '../crypto/key-block.ts'
import { oddParity } from '../crypto/parity.ts'
import { decryptUnder, encryptUnder } from '../crypto/variant.ts'
import { isKeyType, KEY_KINDS, KEY_TYPES, kindOf, mayComeAs, mayDo } from '../key-types.ts'
import type { KeyKind, KeyType, KeyTypeName } from '../key-types.ts'
import type { ExportScheme, KeyFacts, KeyParity, MadeComponent, MadeKey } from '../payment-hsm.ts'
import { checkNumber, checkTable, wrong } from '../request.ts'
import { factsOf, keepingOf } from './key-safe.ts'
import type { Keeping, KeySafe, OpenKey } from './key-safe.ts'
import { checkForeignKey, checkFormedKey, checkValueOfKey, freshKey } from './quality.ts'

const COMPONENTS_MAX = 9
const RANDOM_BYTES_MAX = 4096

/** Making keys, taking them in, giving them out. Key bytes are wiped as soon as they are wrapped. */
export class KeyWork {
  readonly #safe: KeySafe
  readonly #random: Random

  constructor(safe: KeySafe, random: Random) {
    this.#safe = safe
    this.#random = random
  }

  random(bytes: number): Uint8Array {
    checkNumber(bytes, 'bytes', 1, RANDOM_BYTES_MAX)
    return Uint8Array.from(this.#random.bytes(bytes))
  }

  generateKey(type: KeyTypeName, kind?: KeyKind): MadeKey {
    const keeping = usualKeeping(type, kind)
    return this.#keep(keeping, freshKey(keeping.kind, this.#random))
  }

  generateComponent(type: KeyTypeName, kind?: KeyKind): MadeComponent {
    const keeping = usualKeeping(type, kind)
    const clear = freshKey(keeping.kind, this.#random)
    return { ...this.#keepComponent(keeping, clear), clear }
  }

  takeComponent(type: KeyTypeName, clear: Uint8Array, kind?: KeyKind): MadeKey {
    const keeping = usualKeeping(type, kind)
    const { bytes } = KEY_KINDS[keeping.kind]
    if (clear.length !== bytes) throw wrong('component', `${bytes} bytes`)
    const made = this.#keepComponent(keeping, clear)
    clear.fill(0)
    return made
  }

  formKey(type: KeyTypeName, components: readonly string[]): MadeKey {
    checkNumber(components.length, 'components', 2, COMPONENTS_MAX)
    const parts = components.map((block, n) => this.#safe.component(block, `components[${n}]`))
    const kind = (parts[0] as OpenKey).kind
    if (parts.some(part => part.type !== type || part.kind !== kind))
      throw new NadiError('HSM_KEY_USAGE', {
        path: 'components',
        expected: `components of one ${type}`,
      })
    const key = sumOf(parts)
    checkFormedKey(kind, key, 'components')
    return this.#keep(keepingOf(type, kind, KEY_KINDS[kind].algorithm), key)
  }

  importKey(type: KeyTypeName, wrapped: string, under: string, parity: KeyParity = 'odd'): MadeKey {
    checkType(type)
    const zmk = this.#safe.open(under, 'under', 'unwrap')
    const block = /^(?:R(?=[A-D])|S(?=[01])|(?=[A-D]))(.+)$/.exec(wrapped)?.[1]
    const { keeping, bytes } = block
      ? fromBlock(type, block, zmk)
      : fromHex(type, wrapped, zmk, parity)
    checkStrength(keeping, zmk)
    return this.#keep(keeping, bytes)
  }

  exportKey(block: string, under: string, scheme: ExportScheme): MadeKey {
    const key = this.#safe.look(block, 'key')
    const zmk = this.#safe.open(under, 'under', 'wrap')
    checkLeave(key, scheme)
    checkStrength(key, zmk)
    const sealed = scheme === 'R' ? blockFor(key, zmk, this.#random) : hexFor(key, zmk, scheme)
    return { key: sealed, checkValue: checkValueOfKey(key.algorithm, key.bytes) }
  }

  rewrapKey(block: string): MadeKey {
    const key = this.#safe.look(block, 'key')
    const checkValue = checkValueOfKey(key.algorithm, key.bytes)
    return { key: this.#safe.wrap(key, key.bytes), checkValue }
  }

  checkValue(block: string): string {
    const { algorithm, bytes } = this.#safe.look(block, 'key')
    return checkValueOfKey(algorithm, bytes)
  }

  describeKey(block: string): KeyFacts {
    return factsOf(this.#safe.look(block, 'key'))
  }

  sealDecimalisation(table: string): string {
    checkTable(table)
    return this.#safe.wrapTable(table)
  }

  #keep(keeping: Keeping, key: Buffer): MadeKey {
    const made = {
      key: this.#safe.wrap(keeping, key),
      checkValue: checkValueOfKey(keeping.algorithm, key),
    }
    key.fill(0)
    return made
  }

  #keepComponent(keeping: Keeping, clear: Uint8Array): MadeKey {
    return {
      key: this.#safe.wrapComponent(keeping, clear),
      checkValue: checkValueOfKey(keeping.algorithm, clear),
    }
  }
}

type Foreign = { readonly keeping: Keeping; readonly bytes: Buffer }

function checkType(type: KeyTypeName): void {
  if (!isKeyType(type)) throw wrong('type', Object.keys(KEY_TYPES).join(', '))
}

function usualKeeping(type: KeyTypeName, wanted: KeyKind | undefined): Keeping {
  checkType(type)
  const { kinds }: KeyType = KEY_TYPES[type]
  const kind = wanted ?? kinds[0]
  if (!kinds.includes(kind)) throw wrong('kind', kinds.join(', '))
  return keepingOf(type, kind, KEY_KINDS[kind].algorithm)
}

/** Components added up (xor), and wiped. */
function sumOf(parts: readonly OpenKey[]): Buffer {
  const sum = Buffer.alloc(parts[0]?.bytes.length ?? 0)
  for (const { bytes } of parts) {
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (bytes[i] as number)
    bytes.fill(0)
  }
  if (parts[0]?.algorithm === 'T') sum.set(oddParity(sum))
  return sum
}

/** Out of a key block, which says what the key is for; that is kept to. */
function fromBlock(type: KeyTypeName, block: string, zmk: OpenKey): Foreign {
  if (wrappingAlgorithm(block.charAt(0)) !== zmk.algorithm)
    throw new NadiError('HSM_KEY_USAGE', { path: 'under', expected: 'the cipher of the block' })
  const bytes = unwrapBlock(zmk.bytes, block)
  if (!bytes) throw new NadiError('HSM_KEY', { path: 'key' })
  const [algorithm, mode, exportability] = [block.charAt(7), block.charAt(8), block.charAt(11)]
  const uses = KEY_TYPES[type].may
  if (!mayComeAs(type, block.slice(5, 7)) || !uses.some(use => mayDo(type, mode, use)))
    throw new NadiError('HSM_KEY_USAGE', { path: 'key', expected: `a block of ${type}` })
  const kind = kindFor(type, algorithm, bytes.length)
  // The block's MAC proves the key, so parity need not: the standard's own examples have none.
  if (algorithm === 'T') bytes.set(oddParity(bytes))
  checkFormedKey(kind, bytes, 'key')
  return { keeping: { ...keepingOf(type, kind, algorithm as 'T'), mode, exportability }, bytes }
}

/** Out of hexadecimal digits in ECB: they say nothing of their type, so the caller's word counts. */
function fromHex(type: KeyTypeName, wrapped: string, zmk: OpenKey, parity: KeyParity): Foreign {
  const found = /^(?:([UX])([0-9A-F]{32})|([TY])([0-9A-F]{48}))$/i.exec(wrapped)
  if (!found) throw wrong('key', 'R or S and a block, U or X and 32 digits, T or Y and 48')
  if (zmk.algorithm !== 'T') throw wrong('under', 'a TDES key for this scheme')
  if (KEY_TYPES[type].usage === 'K0')
    throw new NadiError('HSM_NOT_PERMITTED', { path: 'key', expected: 'a key block' })
  const letter = wrapped.charAt(0).toUpperCase()
  const bytes = decryptUnder(zmk.bytes, letter, Buffer.from(wrapped.slice(1), 'hex'))
  const kind = kindFor(type, 'T', bytes.length)
  if (parity === 'any') bytes.set(oddParity(bytes))
  checkForeignKey(kind, bytes, 'key')
  return { keeping: keepingOf(type, kind, 'T'), bytes }
}

function kindFor(type: KeyTypeName, algorithm: string, bytes: number): KeyKind {
  const { kinds }: KeyType = KEY_TYPES[type]
  const kind = kindOf(algorithm, bytes)
  if (kind === undefined || !kinds.includes(kind)) throw wrong('key', kinds.join(', '))
  return kind
}

/** X9.143: N must not leave; E may leave in a key block only; S also in a legacy scheme. */
function checkLeave({ type, exportability }: OpenKey, scheme: ExportScheme): void {
  if (!['R', 'X', 'U'].includes(scheme)) throw wrong('scheme', 'R, X or U')
  const enough = scheme === 'R' ? 'ES' : 'S'
  if (!KEY_TYPES[type].exportable || !enough.includes(exportability))
    throw new NadiError('HSM_NOT_PERMITTED', { path: 'key', expected: 'a key that may leave' })
}

/** No key under a weaker one (PCI PIN, annex C). */
function checkStrength(key: Keeping, zmk: OpenKey): void {
  if (KEY_KINDS[zmk.kind].strength < KEY_KINDS[key.kind].strength)
    throw new NadiError('HSM_NOT_PERMITTED', { path: 'under', expected: 'a stronger key' })
}

function blockFor(key: OpenKey, zmk: OpenKey, random: Random): string {
  const { usage, mode, peerMode = mode }: KeyType = KEY_TYPES[key.type]
  const version = zmk.algorithm === 'A' ? 'D' : 'B'
  // The other end of the key gets its own mode, unless the key came here with a narrower one.
  const peers = key.mode === mode ? peerMode : key.mode
  const header = `${version}0000${usage}${key.algorithm}${peers}00N0000`
  return `R${wrapBlock(zmk.bytes, header, key.bytes, random, key.algorithm === 'T' ? 24 : 32)}`
}

function hexFor(key: OpenKey, zmk: OpenKey, scheme: 'X' | 'U'): string {
  if (key.algorithm !== 'T' || zmk.algorithm !== 'T')
    throw new NadiError('HSM_NOT_PERMITTED', { path: 'scheme', expected: 'R for such keys' })
  const letter = { X: ['X', 'Y'], U: ['U', 'T'] }[scheme][key.kind === 'TDES3' ? 1 : 0] as string
  return letter + encryptUnder(zmk.bytes, letter, key.bytes).toString('hex').toUpperCase()
}
