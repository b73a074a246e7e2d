import { NadiError } from '#base'
import { isKeyType, KEY_KINDS, KEY_TYPES, mayDo } from '../../key-types.ts'
import type { KeyKind, KeyType, KeyTypeName, KeyUse } from '../../key-types.ts'
import { blockHeaderOf } from '../grammar/index.ts'
import type { BlockHeader } from '../grammar/index.ts'
import { endOfKey } from '../grammar/key-text.ts'

/**
 * A key as this keeper hands it out. Host keys do not tell all that the interface wants to know (a
 * variant key nothing at all, a key block not ZAK from TAK, nor two parts from three), so it
 * stands before them; for a variant key with mode of use and exportability, too:
 *
 *     ZPK/TDES2/S10096P0TB00S0002…       ZPK/TDES2/BS/U1EF828AA8F6B80EB83E19FBC373F3A85
 *
 * What stands there is held against the block's header, and the box holds a key to its type. Only
 * the mode and exportability of a variant key are nobody's but ours: a variant LMK has no place
 * for them. A key block alone is taken, too, as its header has it.
 */
export type HostKey = {
  readonly type: KeyTypeName
  readonly kind: KeyKind
  /** As host commands have it. */
  readonly text: string
  readonly mode: string
  /** X9.143: N not at all, E in a key block, S also in a legacy scheme. */
  readonly exportability: string
}

/** `modeOfUse` and `exportability` are for variant keys; without them they are the type's usual. */
export function opaque(
  type: KeyTypeName,
  kind: KeyKind,
  text: string,
  { modeOfUse, exportability }: Partial<BlockHeader> = {},
): string {
  if (text.startsWith('S')) return `${type}/${kind}/${text}`
  const usual = usualOf(type)
  return `${type}/${kind}/${modeOfUse ?? usual.mode}${exportability ?? usual.exportability}/${text}`
}

function usualOf(type: KeyTypeName): Pick<HostKey, 'mode' | 'exportability'> {
  const { mode, exportable }: KeyType = KEY_TYPES[type]
  return { mode, exportability: exportable ? 'S' : 'N' }
}

/** Throws HSM_KEY when it is no key of this keeper. */
export function hostKey(key: string, path: string): HostKey {
  const [, typeText = '', kindText = '', said, whole] = PARTS.exec(key) ?? []
  const text = whole ?? key
  const header = blockHeaderOf(text)
  if (!isWhole(text)) throw notOurs(path)
  const type = whole === undefined ? typeIn(text) : typeText
  if (type === undefined || !isKeyType(type)) throw notOurs(path)
  const kind = whole === undefined ? kindIn(text) : kindText
  if (!isKind(kind) || !fits(type, kind, header)) throw notOurs(path)
  // A block says these itself; a variant key must have them said.
  if ((header === undefined) !== (said !== undefined)) throw notOurs(path)
  const mode = header?.modeOfUse ?? said?.charAt(0) ?? ''
  const exportability = header?.exportability ?? said?.charAt(1) ?? ''
  return { type, kind, text, mode, exportability }
}

const PARTS = /^([A-Z_]+)\/(\w+)\/(?:([BCDEGNVX][ENS])\/)?([^/]+)$/

/** The key, if it may do this. Throws HSM_KEY, HSM_KEY_USAGE. */
export function hostKeyFor(key: string, path: string, use: KeyUse): HostKey {
  const found = hostKey(key, path)
  if (mayDo(found.type, found.mode, use)) return found
  throw new NadiError('HSM_KEY_USAGE', { path, expected: `a key for: ${use}`, actual: found.type })
}

/**
 * The kind of key in a block, as far as its length tells: of two that are as long the one that is
 * usual.
 *
 *     block 0   48 digits TDES2   64 TDES3
 *     block 1   64 digits TDES2 or TDES3, AES128 or AES192   96 AES256
 */
export function kindIn(block: string): KeyKind | undefined {
  const header = blockHeaderOf(block)
  if (header?.optionalBlocks !== '00') return undefined
  const digits = block.length - 17 - (header.version === '1' ? 16 : 8)
  if (header.algorithm === 'A') return digits > 64 ? 'AES256' : 'AES128'
  return header.version === '0' && digits > 48 ? 'TDES3' : 'TDES2'
}

export function isAesKind(kind: KeyKind): boolean {
  return KEY_KINDS[kind].algorithm === 'A'
}

/** One whole key, and nothing else, as host commands write keys. */
function isWhole(text: string): boolean {
  if (!/^[UTXYS]/.test(text)) return false
  try {
    return endOfKey(text, 0, 16, '') === text.length
  } catch {
    return false
  }
}

/** The type whose blocks look like that; of two alike the one whose mode of use is the block's. */
function typeIn(text: string): KeyTypeName | undefined {
  const header = blockHeaderOf(text)
  if (!header) return undefined
  const types = Object.entries<KeyType>(KEY_TYPES).filter(([, { usage }]) => usage === header.usage)
  const [found] = types.find(([, { mode }]) => mode === header.modeOfUse) ?? types[0] ?? []
  return found as KeyTypeName | undefined
}

function isKind(text: string | undefined): text is KeyKind {
  return text !== undefined && Object.hasOwn(KEY_KINDS, text)
}

function fits(type: KeyTypeName, kind: KeyKind, header: ReturnType<typeof blockHeaderOf>): boolean {
  const { usage, kinds }: KeyType = KEY_TYPES[type]
  if (!kinds.includes(kind)) return false
  return !header || (header.usage === usage && header.algorithm === KEY_KINDS[kind].algorithm)
}

function notOurs(path: string): NadiError {
  return new NadiError('HSM_KEY', { path })
}
