// src/link/index.ts — destinations we dial: the machine, matching, windows.
export type * from './link.ts'
