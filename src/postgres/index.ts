// src/postgres/index.ts — the embedded server, connections, migrations.
export type { Connection, DatabaseOptions } from './database.ts'
export { Database } from './database.ts'
export type { EmbeddedOptions, EmbeddedServer } from './embedded.ts'
export { startEmbedded } from './embedded.ts'
export type { WriterOptions } from './writer.ts'
export { ConnectionBroken, LOCK_CLASS, lockName, Writer } from './writer.ts'
export { sqlState } from './state.ts'
