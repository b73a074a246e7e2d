// src/pricing/index.ts — what does it cost, who earns what? Pure.
export type { FeeSchedule, Price } from './price.ts'
export { adminOf, price } from './price.ts'
