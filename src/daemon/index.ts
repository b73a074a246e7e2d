// src/daemon/index.ts — the process: wiring and lifecycle.
export { runDaemon } from './run.ts'
export type { Wired, World } from './wire.ts'
export { wire } from './wire.ts'
