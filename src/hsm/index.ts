// src/hsm/index.ts — keys and what may be done with them.
export type {
  CommandCode,
  HostCode,
  HostCodeKind,
  HostLmk,
  PayShieldHsmOptions,
  PayShieldSimulator,
  PoolOptions,
  PoolStatus,
  RequestOf,
  ResponseOf,
  SimulatorOptions,
} from './payshield/index.ts'
export {
  COMMANDS,
  HOST_CODES,
  HostPool,
  PayShieldHsm,
  payShieldKey,
  payShieldSimulator,
} from './payshield/index.ts'
export type { HsmErrorKind } from './errors.ts'
export { HSM_ERROR_KINDS, hsmErrorKind } from './errors.ts'
export type { KeyType, KeyUse } from './key-types.ts'
export { KEY_KINDS, KEY_TYPES } from './key-types.ts'
export type * from './payment-hsm.ts'
export type { Pkcs11HsmOptions } from './pkcs11/pkcs11-hsm.ts'
export { Pkcs11Hsm } from './pkcs11/pkcs11-hsm.ts'
export type { TokenOptions } from './pkcs11/token.ts'
export type { LmkSource } from './soft/lmk.ts'
export type { SoftHsmOptions } from './soft/soft-hsm.ts'
export { SoftHsm } from './soft/soft-hsm.ts'
export type { LmkPlace } from './soft/wire.ts'
export type { KeyCause, ZoneKeyring, ZoneKeys } from './zone-keys.ts'
