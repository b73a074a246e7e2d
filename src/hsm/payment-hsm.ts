import type { KeyKind, KeyTypeName, MacAlgorithm } from './key-types.ts'

export type { KeyKind, KeyTypeName, MacAlgorithm } from './key-types.ts'

/**
 * What a switch needs an HSM for, whoever keeps it: a worker thread of our own (SoftHsm), a
 * payShield over TCP (PayShieldHsm), a PKCS#11 token (Pkcs11Hsm). Keys come and go as opaque blocks
 * only, each wrapped under the keeper's own LMK; a block of one keeper means nothing to another.
 *
 * A no of the trade is a value (a MAC that does not hold, a wrong PIN). All else is a NadiError:
 *
 *     HSM_KEY            the block is not authentic, or not this keeper's
 *     HSM_KEY_PARITY     a key from outside has no odd parity: mostly it came under another ZMK
 *     HSM_KEY_USAGE      the key is of another type, or may not do this
 *     HSM_PIN_BLOCK      the PIN block holds no PIN
 *     HSM_REQUEST        a value does not fit; `path` names it
 *     HSM_NOT_PERMITTED  no keeper does that, or not this one, or not with its settings
 *     HSM_BUSY           full: nothing was done, ask again
 *     HSM_UNAVAILABLE    the keeper is away: nothing is known of what was asked
 *
 * `hsmErrorKind` tells the few kinds behind them. Every operation may be repeated; none keeps
 * anything between calls.
 */
export interface PaymentHsm {
  readonly capabilities: HsmCapabilities
  status(): Promise<HsmStatus>
  close(): Promise<void>

  random(bytes: number): Promise<Uint8Array>

  // Keys

  /** A new random key of this type. */
  generateKey(type: KeyTypeName, kind?: KeyKind): Promise<MadeKey>
  /** One component of a key to be, for one custodian: in clear once, never again. */
  generateComponent(type: KeyTypeName, kind?: KeyKind): Promise<MadeComponent>
  /**
   * Takes a component that a custodian typed in; its check value shows that it was typed right.
   * Whoever has the bytes wipes them.
   */
  takeComponent(type: KeyTypeName, clear: Uint8Array, kind?: KeyKind): Promise<MadeKey>
  /** The key of two or more components, each a block of `takeComponent` or `generateComponent`. */
  formKey(type: KeyTypeName, components: readonly string[]): Promise<MadeKey>
  /**
   * A key that came under a shared key (ZMK). How it is written tells the scheme:
   *
   *     R, or A to D   X9.143 block            S      Thales key block
   *     X, Y           ECB of two, three parts  U, T   the same with Thales' variants
   *
   * What a block says of exportability and mode of use is kept to from then on. Parity `any` takes a
   * TDES key of schemes X to T whose parity is not odd, and corrects it: for counterparts that do not
   * keep to it (Arranet). Then nothing but the first use shows that it came under the right ZMK.
   */
  importKey(type: KeyTypeName, wrapped: string, under: string, parity?: KeyParity): Promise<MadeKey>
  /** The other way round, for keys that may leave. X and U are legacy (PCI PIN 18-3). */
  exportKey(key: string, under: string, scheme: ExportScheme): Promise<MadeKey>
  /**
   * The same key under the LMK of now, out of a block under that one or the one before it, where the
   * keeper was given both (`movesKeys`).
   */
  rewrapKey(key: string): Promise<MadeKey>
  /** Three bytes of TDES over zeros, five of AES-CMAC (X9.24-1:2017, annex A), as hexadecimal. */
  checkValue(key: string): Promise<string>
  /** What the block says its key is, without opening it to anyone. */
  describeKey(key: string): Promise<KeyFacts>

  // PINs

  translatePin(request: TranslatePin): Promise<string>
  /** False is a wrong PIN. */
  verifyPinPvv(request: PinFrom & PvvOf & { readonly pvv: string }): Promise<boolean>
  verifyPinIbm(request: PinFrom & IbmOf & { readonly offset: string }): Promise<boolean>
  /** The PVV of the PIN in a block: for the issuer's own files. */
  generatePvv(request: PinFrom & PvvOf): Promise<string>
  /** The offset of the PIN in a block, as many digits as are checked. */
  generateOffset(request: PinFrom & IbmOf): Promise<string>
  /** Puts a decimalisation table of 16 digits under the LMK: done once, at a key ceremony. */
  sealDecimalisation(table: string): Promise<string>

  // MACs, CVVs, data

  generateMac(request: MacOf): Promise<Uint8Array>
  /** False is a MAC that does not hold. The comparison takes the same time whatever is given. */
  verifyMac(request: MacOf & { readonly mac: Uint8Array }): Promise<boolean>
  generateCvv(request: CvvOf): Promise<string>
  verifyCvv(request: CvvOf & { readonly cvv: string }): Promise<boolean>
  encrypt(request: CipherOf): Promise<Uint8Array>
  decrypt(request: CipherOf): Promise<Uint8Array>
}

/**
 * How a keeper differs from the others; asked before, not found out by surprise. What is not listed
 * here is answered HSM_NOT_PERMITTED.
 */
export type HsmCapabilities = {
  readonly keeper: 'soft' | 'payshield' | 'pkcs11'
  /** The kinds of key that it keeps. */
  readonly kinds: readonly KeyKind[]
  /** A key that was changed is always known for it; else only by its parity, most of the time. */
  readonly authenticatesKeys: boolean
  readonly pinFormats: readonly PinFormat[]
  readonly macs: readonly MacAlgorithm[]
  /** Ciphers of the base keys that it derives PIN keys of. */
  readonly dukpt: readonly ('TDES' | 'AES')[]
  readonly dukptMacs: readonly DukptMac[]
  /** The longest MAC that it gives; others are refused, not cut. */
  readonly macBytesMax: number
  readonly exportSchemes: readonly ExportScheme[]
  /** Components over this interface; other keepers take them at a console of their own. */
  readonly components: boolean
  /** Keys can be put under a new LMK over this interface. */
  readonly movesKeys: boolean
  /** Tables for IBM 3624 can be put under the LMK over this interface. */
  readonly sealsDecimalisation: boolean
  /** The longest data of one MAC or encryption. */
  readonly dataBytesMax: number
  /** Operations under way at once; one more is HSM_BUSY. */
  readonly inFlightMax: number
}

/** Odd where nothing is said. */
export type KeyParity = 'odd' | 'any'

export type ExportScheme = 'R' | 'X' | 'U'

/** Algorithm and direction of a MAC under a key of one transaction. */
export type DukptMac = `${Exclude<MacAlgorithm, 'hmac'>}-${'request' | 'response'}`

export type HsmStatus = {
  readonly up: boolean
  /** Of the LMK; `test` says that it is a published one. */
  readonly lmkCheckValue: string
  readonly test: boolean
  readonly inFlight: number
  /** What it says of itself: firmware, library. */
  readonly about: string
}

export type MadeKey = { readonly key: string; readonly checkValue: string }
export type MadeComponent = MadeKey & {
  /** For the custodian's eyes; whoever shows it wipes it. */
  readonly clear: Uint8Array
}

export type KeyFacts = {
  readonly type: KeyTypeName
  readonly kind: KeyKind
  readonly exportable: boolean
}

/** ISO 9564-1: 0, 1, 3 in 8 bytes under TDES, 4 in 16 under AES. */
export type PinFormat = 0 | 1 | 3 | 4

export type PinFrom = {
  /** A ZPK or TPK; a BDK when `ksn` is given. */
  readonly key: string
  /** Key serial number of DUKPT in hexadecimal: 10 bytes with TDES, 12 with AES. */
  readonly ksn?: string
  /**
   * Of AES DUKPT, what the terminal's PIN key is. Where nothing is said: AES128 for format 4, TDES2
   * for the others.
   */
  readonly derived?: KeyKind
  /** Hexadecimal. */
  readonly pinBlock: string
  readonly format: PinFormat
  /** The whole account number. */
  readonly pan: string
}

/**
 * From one zone into another, for the same account: there is one `pan` for both ends. Never into
 * format 1, which is bound to no account (ISO 9564-1): HSM_NOT_PERMITTED, before anything is opened.
 */
export type TranslatePin = PinFrom & { readonly intoKey: string; readonly intoFormat: PinFormat }

/** Visa: a pair of keys and which one of six it is. */
export type PvvOf = { readonly pvk: string; readonly pvki: string }

/**
 * IBM 3624. `decimalisation` is the table under the LMK (`sealDecimalisation`); in clear it is never
 * taken, since whoever may choose it can ask PINs out. `validation` is 12 characters with one N for
 * the last five of the account's 12 digits, or all 16 digits. `pinLength` digits are checked.
 */
export type IbmOf = {
  readonly pvk: string
  readonly decimalisation: string
  readonly validation: string
  readonly pinLength: number
}

export type MacOf = {
  /** A key whose type has this algorithm; a BDK when `ksn` is given. */
  readonly key: string
  readonly ksn?: string
  /** Of DUKPT: which way the message goes, seen from the terminal. Request where nothing is said. */
  readonly direction?: 'request' | 'response'
  /** Of AES DUKPT, what the working key is. Where nothing is said: AES128 for CMAC, else TDES2. */
  readonly derived?: KeyKind
  readonly algorithm: MacAlgorithm
  /** Of ISO 9797-1; CMAC and HMAC pad by themselves. */
  readonly padding?: 1 | 2 | 3
  readonly data: Uint8Array
  /** The leftmost so many bytes are the MAC. */
  readonly macBytes: number
}

export type CvvOf = {
  readonly cvk: string
  readonly pan: string
  readonly expiry: string
  readonly service: string
}

export type CipherOf = {
  readonly key: string
  readonly mode: 'ecb' | 'cbc'
  readonly iv?: Uint8Array
  /** Whole blocks. */
  readonly data: Uint8Array
}
