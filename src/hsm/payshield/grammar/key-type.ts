/**
 * What the keys of host commands are for. `code` is the type under a variant LMK: the variant, then
 * the code of the LMK pair. `usages` are the key block usages that may stand in for it: those of
 * X9.143 and the numeric ones of Thales. `pci` is the type code where the box keeps the terminal
 * keys apart (its PCI setting), instead of having them share 002.
 */
export const ROLES = {
  ZMK: role('000', ['K0', '52']),
  ZMK_COMPONENT: role('100', ['K0', '52']),
  KML: role('200', ['55']),
  KEKR: role('300', ['54']),
  KEKS: role('400', ['54']),
  ZPK: role('001', ['P0', '72']),
  TPK: role('002', ['P0', '71'], '70D'),
  TMK: role('002', ['K0', '51'], '80D'),
  PVK: role('002', ['V0', 'V1', 'V2']),
  IKEY: role('302', ['B1']),
  CVK: role('402', ['C0', '11', '12', '13']),
  TAK: role('003', ['M0', 'M1', 'M3', 'M5', 'M6']),
  WWK: role('006', ['01']),
  ZAK: role('008', ['M0', 'M1', 'M3', 'M5', 'M6']),
  BDK: role('009', ['B0']),
  BDK2: role('609', ['B0', '41']),
  BDK3: role('809', ['B0', '42']),
  BDK4: role('909', ['B0', '43']),
  MK_AC: role('109', ['E0']),
  MK_SMI: role('209', ['E2']),
  MK_SMC: role('309', ['E1']),
  MK_DAC: role('409', ['E3']),
  MK_DN: role('509', ['E4']),
  MK_CVC3: role('709', ['E6', '32']),
  ZEK: role('00A', ['D0', '22']),
  DEK: role('00B', ['D0', '21']),
  TEK: role('30B', ['D0', '23']),
  HMAC: role('10C', ['M7', '61', '62', '63', '64', '65']),
  TKR: role('90D', ['73']),
} as const satisfies Record<string, Role>

export type RoleName = keyof typeof ROLES

export type Role = {
  readonly code: string
  readonly usages: readonly string[]
  readonly pci: string | undefined
}

/** What is done with the key, which a key block's mode of use must allow. */
export type KeyUse = keyof typeof MODES_OF_USE

/** The modes of use of X9.143 that allow it; N is without restriction. */
export const MODES_OF_USE = {
  encrypt: 'NBE',
  decrypt: 'NBD',
  generate: 'NCG',
  verify: 'NCV',
  derive: 'NX',
  /** Only looked at: a check value, a migration. */
  any: 'NBCDEGSTVXY',
} as const

/** Which kind of key a field holds: always the same, or told by another field. */
export type KeyType =
  | RoleName
  /** A type code of three characters, FFF for a key block; with `roles` only of these kinds. */
  | { readonly code: string; readonly roles?: readonly RoleName[] }
  /** A flag that chooses. */
  | { readonly by: string; readonly of: Readonly<Record<string, RoleName>> }
  /** The code of an LMK pair in two characters; FF leaves it to the type code of that field. */
  | { readonly pair: string; readonly code?: string }

/** The type code of a key that says itself, in its block, what it is for. */
export const TYPE_OF_BLOCK = 'FFF'

/** The kinds of key that a type code stands for: none, one, or the three that share 002. */
export function rolesOfCode(code: string): readonly RoleName[] {
  return BY_CODE.get(code.toUpperCase()) ?? []
}

const BY_CODE = new Map<string, RoleName[]>()
for (const [name, { code, pci }] of Object.entries<Role>(ROLES)) {
  for (const one of pci === undefined ? [code] : [code, pci]) {
    BY_CODE.set(one, [...(BY_CODE.get(one) ?? []), name as RoleName])
  }
}

function role<const U extends string>(code: string, usages: readonly U[], pci?: string) {
  return { code, usages, pci }
}
