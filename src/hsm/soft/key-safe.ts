import { NadiError } from '#base'
import { isKeyType, KEY_TYPES, kindOf, mayDo } from '../key-types.ts'
import type { KeyKind, KeyType, KeyTypeName, KeyUse } from '../key-types.ts'
import type { KeyFacts } from '../payment-hsm.ts'
import { KeyCache } from './key-cache.ts'
import { labelIn, withLabel } from './label.ts'
import type { Lmk } from './memory-lmk.ts'

/** A key out of its block. It belongs to the safe: whoever is lent it must not change or keep it. */
export type OpenKey = {
  readonly type: KeyTypeName
  readonly kind: KeyKind
  readonly algorithm: 'T' | 'A' | 'H'
  readonly bytes: Buffer
  /** Mode of use and exportability, as X9.143 writes them. */
  readonly mode: string
  readonly exportability: string
}

/** What a key is to be kept as. */
export type Keeping = Pick<OpenKey, 'type' | 'kind' | 'algorithm' | 'mode' | 'exportability'>

/** Padded to these lengths, a block does not tell how long its key is (X9.143, 5.2). */
const PADDED_BYTES = { T: 24, A: 32, H: 64 } as const
const COMPONENT = 'component:'
const TABLE = 'decimalisation'
/** A numeric usage is for whoever makes the block to give a meaning (X9.143, 6.3.1). */
const TABLE_USAGE = '10'

/**
 * Keys under the LMK: key blocks with the header of X9.143. It says what a key is for and cannot be
 * changed without the LMK; a label (LB) tells types apart that the standard writes alike (ZPK and
 * TPK are both P0), and components from keys.
 *
 *     D 0144 P0 T B 00 E 02 00   LB 07 ZPK  PB 09 …   encrypted length, key, chance   MAC
 *
 * Opened keys are remembered for a while, since a switch uses the same few all day; what is
 * forgotten is wiped.
 */
export class KeySafe {
  readonly #lmk: Lmk
  readonly #opened = new KeyCache<OpenKey>()

  constructor(lmk: Lmk) {
    this.#lmk = lmk
  }

  /** The key in a block, if it may do this. Throws HSM_KEY, HSM_KEY_USAGE. */
  open(block: string, path: string, use: KeyUse): OpenKey {
    const key = this.look(block, path)
    if (mayDo(key.type, key.mode, use)) return key
    throw new NadiError('HSM_KEY_USAGE', { path, expected: `a key for: ${use}`, actual: key.type })
  }

  /** The same, whatever it is for: to describe it, or to wrap it anew. */
  look(block: string, path: string): OpenKey {
    let key = this.#opened.get(block)
    if (!key) {
      key = this.#open(block, path, label => label)
      this.#opened.set(block, key)
    }
    return key
  }

  /** A component; its bytes are the caller's to wipe. */
  component(block: string, path: string): OpenKey {
    return this.#open(block, path, label => {
      if (label.startsWith(COMPONENT)) return label.slice(COMPONENT.length)
      throw new NadiError('HSM_KEY_USAGE', { path, expected: 'a component' })
    })
  }

  wrap(key: Keeping, bytes: Uint8Array): string {
    return this.#wrap(this.#headerOf(key), key.type, bytes, PADDED_BYTES[key.algorithm])
  }

  wrapComponent(key: Keeping, bytes: Uint8Array): string {
    const header = this.#headerOf({ ...key, exportability: 'N' })
    return this.#wrap(header, COMPONENT + key.type, bytes, PADDED_BYTES[key.algorithm])
  }

  /** A decimalisation table, under the LMK like a key and of no use as one. */
  wrapTable(table: string): string {
    const bytes = Buffer.from(table, 'latin1')
    return this.#wrap(
      `${this.#lmk.version}0000${TABLE_USAGE}AN00N0000`,
      TABLE,
      bytes,
      PADDED_BYTES.A,
    )
  }

  /** Throws HSM_KEY, HSM_KEY_USAGE. */
  table(block: string, path: string): string {
    const bytes = this.#unwrap(block, path)
    if (labelIn(block) !== TABLE || block.slice(5, 7) !== TABLE_USAGE)
      throw new NadiError('HSM_KEY_USAGE', { path, expected: 'a decimalisation table' })
    return bytes.toString('latin1')
  }

  /** Forgets all keys. */
  wipe(): void {
    this.#opened.clear()
  }

  #headerOf({ type, algorithm, mode, exportability }: Keeping): string {
    const { version } = this.#lmk
    return `${version}0000${KEY_TYPES[type].usage}${algorithm}${mode}00${exportability}0000`
  }

  #wrap(header: string, label: string, bytes: Uint8Array, paddedBytes: number): string {
    return this.#lmk.wrap(withLabel(header, label), bytes, paddedBytes)
  }

  #open(block: string, path: string, nameIn: (label: string) => string): OpenKey {
    const bytes = this.#unwrap(block, path)
    const type = nameIn(labelIn(block) ?? '')
    const [algorithm, mode, exportability] = [block.charAt(7), block.charAt(8), block.charAt(11)]
    const kind = kindOf(algorithm, bytes.length)
    if (!isKeyType(type) || kind === undefined || block.slice(5, 7) !== KEY_TYPES[type].usage)
      throw new NadiError('HSM_KEY_USAGE', { path, expected: 'a key' })
    return { type, kind, algorithm: algorithm as 'T', bytes, mode, exportability }
  }

  #unwrap(block: string, path: string): Buffer {
    const bytes = this.#lmk.unwrap(block)
    if (bytes) return bytes
    throw new NadiError('HSM_KEY', { path })
  }
}

/** As keys of this type are kept where nobody says other; S may leave in a legacy scheme, too. */
export function keepingOf(type: KeyTypeName, kind: KeyKind, algorithm: 'T' | 'A' | 'H'): Keeping {
  const { mode, exportable }: KeyType = KEY_TYPES[type]
  return { type, kind, algorithm, mode, exportability: exportable ? 'S' : 'N' }
}

export function factsOf({ type, kind, exportability }: OpenKey): KeyFacts {
  return { type, kind, exportable: KEY_TYPES[type].exportable && exportability !== 'N' }
}
