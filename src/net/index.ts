// src/net/index.ts — bytes between two ends: over TCP, or in memory.
export type {
  Acceptor,
  Connection,
  ConnectionHandlers,
  Dialer,
  DialHandlers,
} from './connection.ts'
