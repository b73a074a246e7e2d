// src/listener/index.ts — sources that dial us: sessions and admission.
export type * from './listener.ts'
export type { ListenerParts } from './frames.ts'
export { FrameListener } from './frames.ts'
