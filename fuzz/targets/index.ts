// fuzz/targets/index.ts — what is fuzzed: each takes any bytes, and throws when something is wrong.
import './sparse.ts'
export { decode, encode } from './decode.ts'
export { frames, gzip } from './frames.ts'
export { jpos, moov, table } from './texts.ts'
