// src/link/index.ts — destinations we dial: the machine, matching, windows.
export type * from './link.ts'
export type { DialedLinkParts } from './dialed.ts'
export { DialedLink } from './dialed.ts'
