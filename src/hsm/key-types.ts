/**
 * All that is known about kinds of key; nobody looks at names in ifs, and usage is checked with what
 * stands here, at every use.
 *
 *     kinds    what it may be, the usual one first
 *     may      what it may do; its block's mode of use can narrow that, never widen it
 *     usage    key usage of its key block (X9.143); `also` are those that come in from others as it
 *     mode     mode of use of its block here, `peerMode` in the block that the other end gets
 *     variant  key type code of Thales: variant, then the code of the LMK pair
 *     macs     the MACs that it makes: one algorithm a key, as the usages of X9.143 have it
 */
export const KEY_TYPES = {
  ZMK: {
    text: 'zone master key: wraps keys on their way',
    kinds: ['TDES2', 'TDES3', 'AES128', 'AES192', 'AES256'],
    may: ['wrap', 'unwrap'],
    usage: 'K0',
    also: ['K1', '52'],
    mode: 'B',
    variant: '000',
    exportable: false,
  },
  TMK: {
    text: 'terminal master key: wraps keys for a terminal',
    kinds: ['TDES2', 'TDES3', 'AES128', 'AES192', 'AES256'],
    may: ['wrap'],
    usage: 'K0',
    also: ['K1', '51'],
    mode: 'E',
    peerMode: 'D',
    variant: '80D',
    exportable: true,
  },
  ZPK: {
    text: 'zone PIN key',
    kinds: ['TDES2', 'TDES3', 'AES128', 'AES192', 'AES256'],
    may: ['encrypt-pin', 'decrypt-pin'],
    usage: 'P0',
    also: ['72'],
    mode: 'B',
    variant: '001',
    exportable: true,
  },
  TPK: {
    text: 'terminal PIN key: PINs come under it and never go',
    kinds: ['TDES2', 'TDES3', 'AES128', 'AES192', 'AES256'],
    may: ['decrypt-pin'],
    usage: 'P0',
    also: ['71'],
    mode: 'D',
    peerMode: 'E',
    variant: '70D',
    exportable: true,
  },
  BDK: {
    text: 'base derivation key of DUKPT',
    kinds: ['TDES2', 'AES128', 'AES192', 'AES256'],
    may: ['derive'],
    usage: 'B0',
    mode: 'X',
    variant: '009',
    exportable: true,
  },
  ZAK: {
    text: 'zone authentication key: retail MAC',
    kinds: ['TDES2', 'TDES3'],
    may: ['make-mac', 'check-mac'],
    macs: ['retail'],
    usage: 'M3',
    mode: 'C',
    variant: '008',
    exportable: true,
  },
  ZAK_CBC: {
    text: 'zone authentication key: CBC-MAC',
    kinds: ['TDES2', 'TDES3'],
    may: ['make-mac', 'check-mac'],
    macs: ['cbc'],
    usage: 'M1',
    also: ['M0'],
    mode: 'C',
    variant: '008',
    exportable: true,
  },
  TAK: {
    text: 'terminal authentication key: retail MAC',
    kinds: ['TDES2', 'TDES3'],
    may: ['make-mac', 'check-mac'],
    macs: ['retail'],
    usage: 'M3',
    mode: 'C',
    variant: '003',
    exportable: true,
  },
  CMAC: {
    text: 'authentication key for CMAC',
    kinds: ['AES128', 'AES192', 'AES256', 'TDES2', 'TDES3'],
    may: ['make-mac', 'check-mac'],
    macs: ['cmac'],
    usage: 'M6',
    also: ['M5'],
    mode: 'C',
    variant: '008',
    exportable: true,
  },
  HMAC: {
    text: 'authentication key for HMAC-SHA-256',
    kinds: ['HMAC256', 'HMAC128', 'HMAC512'],
    may: ['make-mac', 'check-mac'],
    macs: ['hmac'],
    usage: 'M7',
    mode: 'C',
    variant: '10C',
    exportable: true,
  },
  ZEK: {
    text: 'zone encryption key',
    kinds: ['TDES2', 'TDES3', 'AES128', 'AES192', 'AES256'],
    may: ['encrypt', 'decrypt'],
    usage: 'D0',
    also: ['21', '22'],
    mode: 'B',
    variant: '00A',
    exportable: true,
  },
  PVK: {
    text: 'PIN verification key (Visa PVV)',
    kinds: ['TDES2'],
    may: ['make-pvv', 'check-pvv'],
    usage: 'V2',
    also: ['V0'],
    mode: 'C',
    variant: '002',
    exportable: true,
  },
  PVK_IBM: {
    text: 'PIN verification key (IBM 3624)',
    kinds: ['TDES2', 'TDES3'],
    may: ['make-offset', 'check-offset'],
    usage: 'V1',
    also: ['V0'],
    mode: 'C',
    variant: '002',
    exportable: true,
  },
  CVK: {
    text: 'card verification key',
    kinds: ['TDES2'],
    may: ['make-cvv', 'check-cvv'],
    usage: 'C0',
    also: ['11', '12', '13'],
    mode: 'C',
    variant: '402',
    exportable: true,
  },
} as const satisfies Record<string, KeyType>

export type KeyTypeName = keyof typeof KEY_TYPES

export type KeyType = {
  readonly text: string
  readonly kinds: readonly [KeyKind, ...KeyKind[]]
  readonly may: readonly KeyUse[]
  readonly macs?: readonly MacAlgorithm[]
  readonly usage: string
  readonly also?: readonly string[]
  readonly mode: string
  readonly peerMode?: string
  readonly variant: string
  /** May leave the keeper under a ZMK. */
  readonly exportable: boolean
}

/**
 *     retail  ISO 9797-1 algorithm 3 (X9.19), TDES     cbc   algorithm 1 (X9.9; with TDES ISO 16609)
 *     cmac    SP 800-38B, of the key's own cipher      hmac  SHA-256
 */
export type MacAlgorithm = 'retail' | 'cbc' | 'cmac' | 'hmac'

/**
 * Algorithm letter of X9.143, length, and strength in bits (SP 800-57: what a key may wrap has no
 * more of it). HMAC keys are not of a cipher, and wrap nothing.
 */
export const KEY_KINDS = {
  TDES2: { algorithm: 'T', bytes: 16, strength: 80 },
  TDES3: { algorithm: 'T', bytes: 24, strength: 112 },
  AES128: { algorithm: 'A', bytes: 16, strength: 128 },
  AES192: { algorithm: 'A', bytes: 24, strength: 192 },
  AES256: { algorithm: 'A', bytes: 32, strength: 256 },
  HMAC128: { algorithm: 'H', bytes: 16, strength: 128 },
  HMAC256: { algorithm: 'H', bytes: 32, strength: 256 },
  HMAC512: { algorithm: 'H', bytes: 64, strength: 256 },
} as const satisfies Record<string, KindRow>

export type KeyKind = keyof typeof KEY_KINDS
type KindRow = {
  readonly algorithm: 'T' | 'A' | 'H'
  readonly bytes: number
  readonly strength: number
}

/** What is done with a key, and the letter that a mode of use must have in it. */
const USES = {
  wrap: 'E',
  unwrap: 'D',
  'encrypt-pin': 'E',
  'decrypt-pin': 'D',
  encrypt: 'E',
  decrypt: 'D',
  'make-mac': 'G',
  'check-mac': 'V',
  'make-pvv': 'G',
  'check-pvv': 'V',
  'make-offset': 'G',
  'check-offset': 'V',
  'make-cvv': 'G',
  'check-cvv': 'V',
  derive: 'X',
} as const

export type KeyUse = keyof typeof USES

/** Modes of use of X9.143 as far as symmetric keys have them; those of signatures allow nothing here. */
const MODES: Readonly<Record<string, string>> = {
  B: 'ED',
  C: 'GV',
  D: 'D',
  E: 'E',
  G: 'G',
  N: 'EDGVX',
  V: 'V',
  X: 'X',
}

/** Whether a key of this type, with this mode of use, may do that. */
export function mayDo(name: KeyTypeName, mode: string, use: KeyUse): boolean {
  const { may }: KeyType = KEY_TYPES[name]
  return may.includes(use) && MODES[mode]?.includes(USES[use]) === true
}

export function makesMac(name: KeyTypeName, algorithm: MacAlgorithm): boolean {
  const { macs = [] }: KeyType = KEY_TYPES[name]
  return macs.includes(algorithm)
}

/** Whether a block with this usage may come in as a key of this type. */
export function mayComeAs(name: KeyTypeName, usage: string): boolean {
  const { usage: own, also = [] }: KeyType = KEY_TYPES[name]
  return own === usage || also.includes(usage)
}

export function isKeyType(text: string): text is KeyTypeName {
  return Object.hasOwn(KEY_TYPES, text)
}

/** The kind of key that so many bytes of an algorithm are. */
export function kindOf(algorithm: string, bytes: number): KeyKind | undefined {
  const found = Object.entries(KEY_KINDS).find(
    ([, row]) => row.algorithm === algorithm && row.bytes === bytes,
  )
  return found?.[0] as KeyKind | undefined
}
