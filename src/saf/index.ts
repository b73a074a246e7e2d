// src/saf/index.ts — store and forward: what must get there, however late.
export { StoreAndForward } from './saf.ts'
