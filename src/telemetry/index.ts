// src/telemetry/index.ts — log, metrics, health.
export type { Log, LogFields } from './log.ts'
export { NO_LOG } from './log.ts'
