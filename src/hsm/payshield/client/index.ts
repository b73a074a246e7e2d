// src/hsm/payshield/client/index.ts — the way to a box.
export type { PoolOptions, PoolStatus } from './pool.ts'
export { HostPool } from './pool.ts'
