// src/net/index.ts — bytes between two ends: over TCP, or in memory.
export type {
  Acceptor,
  Connection,
  ConnectionHandlers,
  Dialer,
  DialHandlers,
} from './connection.ts'
export type { MemoryNetworkOptions } from './memory.ts'
export { MemoryNetwork } from './memory.ts'
export { Seldom } from './seldom.ts'
export type { TcpOptions } from './tcp.ts'
export { TcpAcceptor, TcpDialer } from './tcp.ts'
export type { MemoryFaults } from './wire.ts'
export { NO_FAULTS } from './wire.ts'
