// src/pack/index.ts — fields ⇄ message, described by data. Pure.
export type { PackFiles, PackResult } from './compile.ts'
export { compilePack } from './compile.ts'
export type * from './http-pack.ts'
export type * from './pack.ts'
export type { Sample } from './samples.ts'
export { readSamples } from './samples.ts'
export type { Problem } from './source.ts'
