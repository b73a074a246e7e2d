// src/iso8583/index.ts — frame ⇄ fields, compiled from field tables; framing; describe.
export type { Framer, FrameReader } from './framing.ts'
