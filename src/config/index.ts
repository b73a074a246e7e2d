// src/config/index.ts — conf/ and protocols/ → options, or the list of everything wrong with them.
export type { OperatorConfig } from './admin.ts'
export type {
  ApiListenerConfig,
  BillerConfig,
  CallbackListenerConfig,
  Config,
  HttpLinkConfig,
  LabConfig,
  LinkConfig,
  ListenerConfig,
  ListenerLimits,
  LogLevel,
  PartnerApiConfig,
  PartnerConfig,
  ProductConfig,
  SimulatorConfig,
  SnapBankConfig,
  SnapListenerConfig,
} from './config.ts'
export type { HsmConfig } from './hsm.ts'
export { loadConfig, placesFrom } from './load.ts'
export type { PackFolder } from './pack-folders.ts'
export { PackFolders } from './pack-folders.ts'
export { loadPacks } from './packs.ts'
export type { ConfigPlaces, ConfigResult } from './read.ts'
export type { KeptSecret } from './secrets.ts'
export { ensureSecret } from './secrets.ts'
export type { Problem } from '#pack'
export type { Identity } from '#switch'
export { durationMs, formatDuration, rupiahMinor, timeOfDayMs } from './values.ts'
