import {
  blockHeaderOf,
  COMMANDS,
  MODES_OF_USE,
  ROLES,
  rolesOfCode,
  TYPE_OF_BLOCK,
} from '../grammar/index.ts'
import type {
  Command,
  CommandCode,
  Field,
  Key,
  Keys,
  KeyType,
  Role,
  RoleName,
  Values,
} from '../grammar/index.ts'
import { HostRefusal } from '../host-codes.ts'
import type { HostCode } from '../host-codes.ts'
import { isOdd } from '../../crypto/parity.ts'
import { atallaVariant } from '../../crypto/variant.ts'
import type { Lmk, OpenKey } from './lmk.ts'
import { openUnder } from './wrapping.ts'

/** The keys of one command, opened by what the grammar says of them. */
export type OpenKeys = {
  /** The key in that field, which the grammar says is always there. */
  get(name: string): OpenKey
  list(name: string): readonly OpenKey[]
  /** The type code that the key in that field has, and a key made in its place would have. */
  code(name: string): string
}

type KeyField = Key | Keys

/** The key fields of each command's request, in their order, groups laid open. */
const KEY_FIELDS = new Map<string, readonly KeyField[]>(
  Object.entries<Command>(COMMANDS).map(([code, { request }]) => [code, keyFields(request)]),
)

function keyFields(fields: readonly Field[]): KeyField[] {
  return fields.flatMap(field => {
    if (field.kind === 'key' || field.kind === 'keys') return [field]
    return field.kind === 'when' || field.kind === 'tail' ? keyFields(field.fields) : []
  })
}

export type OpenOptions = {
  /** Terminal keys have types of their own (70D, 80D) instead of sharing 002. */
  readonly pci: boolean
}

/** A key that was opened before, as what, and whether its parity is odd. */
type Kept = {
  readonly key: OpenKey
  readonly odd: boolean
  readonly lmk: Lmk
  readonly code: string
}
const KEPT_MAX = 4096

/** Opens keys, and remembers those it has opened: a switch uses the same few all day. */
export class KeyOpener {
  readonly #options: OpenOptions
  readonly #kept = new Map<string, Kept>()

  constructor(options: OpenOptions) {
    this.#options = options
  }

  /** All keys of a request. Throws HostRefusal with what is wrong with the first that is wrong. */
  openAll(command: CommandCode, values: Values, lmk: Lmk): OpenKeys {
    const open = new Map<string, readonly OpenKey[]>()
    const codes = new Map<string, string>()
    for (const field of KEY_FIELDS.get(command) ?? []) {
      const value = values[field.name]
      if (value === undefined) continue
      const type = resolve(field.type, values, lmk, this.#options, badOf(command))
      codes.set(field.name, type.code)
      const texts = typeof value === 'string' ? [value] : (value as readonly string[])
      const atalla = textOf(values, 'atallaVariant')
      const keys = texts.map(text => this.#openOne(field, text, type, lmk, { open, atalla }))
      open.set(field.name, keys)
    }
    return {
      get: name => open.get(name)?.[0] ?? missing(name),
      list: name => open.get(name) ?? [],
      code: name => codes.get(name) ?? missing(name),
    }
  }

  /** Whether such a type code goes with such an LMK. */
  knows(code: string, { scheme }: Lmk): boolean {
    if (code === TYPE_OF_BLOCK) return scheme === 'key-block'
    return scheme === 'variant' && rolesOfCode(code).length > 0
  }

  /** The type code of a kind of key, as this box is set. */
  codeOf(role: RoleName): string {
    return codeOf(role, this.#options)
  }

  #openOne(
    field: KeyField,
    text: string,
    type: ResolvedType,
    lmk: Lmk,
    { open, atalla }: Wrapping,
  ): OpenKey {
    const under = field.kind === 'key' ? field.under : undefined
    if (under !== undefined) {
      const wrapping = open.get(under)?.[0] ?? missing(under)
      const key = openUnder(withVariant(wrapping, atalla), text, type.code)
      checkUsage(key, type.roles, field)
      return key
    }
    const { key, odd } = this.#openUnderLmk(text, type.code, lmk)
    if (key.algorithm === 'T' && !odd) {
      throw new HostRefusal(key.bytes.every(byte => byte === 0) ? '11' : field.parity, field.name)
    }
    checkUsage(key, type.roles, field)
    return key
  }

  #openUnderLmk(text: string, code: string, lmk: Lmk): Kept {
    const found = this.#kept.get(text)
    if (found?.lmk === lmk && found.code === code) return found
    const key = lmk.open(text, code)
    const kept = { key, odd: key.algorithm === 'A' || isOdd(key.bytes), lmk, code }
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
    this.#kept.set(text, kept)
    return kept
  }
}

/** What a key may be under besides the LMK: keys opened before it, in a variant or not. */
type Wrapping = {
  readonly open: ReadonlyMap<string, readonly OpenKey[]>
  readonly atalla: string
}

function withVariant(wrapping: OpenKey, digit: string): OpenKey {
  if (digit === '' || wrapping.algorithm === 'A') return wrapping
  return { ...wrapping, bytes: atallaVariant(wrapping.bytes, Number(digit)) }
}

type ResolvedType = { readonly code: string; readonly roles: readonly RoleName[] }

function resolve(
  type: KeyType,
  values: Values,
  lmk: Lmk,
  options: OpenOptions,
  bad: HostCode,
): ResolvedType {
  if (typeof type === 'string') return { code: codeOf(type, options), roles: [type] }
  if ('by' in type) {
    const role = type.of[textOf(values, type.by)]
    if (role === undefined) throw new HostRefusal('15', type.by)
    return { code: codeOf(role, options), roles: [role] }
  }
  if ('pair' in type) {
    const pair = textOf(values, type.pair)
    if (pair !== 'FF') return { code: `0${pair}`, roles: rolesOfCode(`0${pair}`) }
    return typed(textOf(values, type.code ?? ''), undefined, lmk, '04')
  }
  return typed(textOf(values, type.code), type.roles, lmk, bad)
}

/** FFF under a key block LMK, and every other code under a variant one. */
function typed(
  code: string,
  roles: readonly RoleName[] | undefined,
  lmk: Lmk,
  bad: HostCode,
): ResolvedType {
  if ((code === TYPE_OF_BLOCK) !== (lmk.scheme === 'key-block'))
    throw new HostRefusal(bad, 'keyType')
  if (code === TYPE_OF_BLOCK) return { code, roles: roles ?? [] }
  const known = rolesOfCode(code)
  const allowed = roles === undefined ? known : known.filter(role => roles.includes(role))
  if (allowed.length === 0) throw new HostRefusal(bad, 'keyType')
  return { code, roles: allowed }
}

function codeOf(role: RoleName, { pci }: OpenOptions): string {
  const { code, pci: apart }: Role = ROLES[role]
  return pci && apart !== undefined ? apart : code
}

/** A block says what its key is for, and that is held to. */
function checkUsage({ header }: OpenKey, roles: readonly RoleName[], field: KeyField): void {
  if (!header) return
  const usages = roles.flatMap((role): readonly string[] => ROLES[role].usages)
  if (roles.length > 0 && !usages.includes(header.usage)) throw new HostRefusal('A6', field.name)
  const use = field.kind === 'key' ? field.use : 'any'
  if (!MODES_OF_USE[use].includes(header.modeOfUse)) throw new HostRefusal('A8', field.name)
}

/** The error code for a key type that cannot be: the M commands have one of their own. */
function badOf(command: CommandCode): HostCode {
  return /^M[0268]$/.test(command) ? '05' : '04'
}

function textOf(values: Values, name: string): string {
  const value = values[name]
  return typeof value === 'string' ? value.toUpperCase() : ''
}

/** The LMK that the first key block among the values says it is under; undefined without one. */
export function lmkInKeys(command: CommandCode, values: Values): string | undefined {
  for (const { name } of KEY_FIELDS.get(command) ?? []) {
    const value = values[name]
    for (const text of typeof value === 'string' ? [value] : ((value ?? []) as readonly string[])) {
      const header = blockHeaderOf(text)
      if (header && /^\d\d$/.test(header.lmk)) return header.lmk
    }
  }
  return undefined
}

function missing(name: string): never {
  throw new HostRefusal('15', name)
}
