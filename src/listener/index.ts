// src/listener/index.ts — sources that dial us: sessions and admission.
export type * from './listener.ts'
