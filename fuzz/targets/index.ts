// fuzz/targets/index.ts — what is fuzzed: each takes any bytes, and throws when something is wrong.
import './sparse.ts'
import { decode, encode } from './decode.ts'
import { frames, gzip } from './frames.ts'
import { host } from './host.ts'
import { jpos, moov, table } from './texts.ts'

export { decode, encode, frames, gzip, host, jpos, moov, table }
export const TARGETS = { decode, encode, frames, gzip, host, jpos, moov, table } as const
