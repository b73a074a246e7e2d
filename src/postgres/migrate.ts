import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import type { Client } from 'pg'
import type { Log } from '#telemetry'

/**
 * Brings the schema to the newest migration, each run once and all new ones in one transaction.
 * Several daemons may start at once: the runner's advisory lock lets one through at a time, and
 * the others then find nothing left to do.
 */
export async function migrate(client: Client, schema: string, log: Log): Promise<void> {
  const done = await runner({
    dbClient: client,
    dir: migrationsFolder(),
    direction: 'up',
    schema,
    createSchema: true,
    migrationsTable: 'migration',
    advisoryLockMode: 'wait',
    logger: {
      info: () => {},
      warn: text => log.warn('migration', { text }),
      error: text => log.error('migration', { text }),
    },
  })
  for (const { name } of done) log.info('migration done', { name, schema })
}

/** The SQL files stay in src/postgres when this file is compiled to dist/src/postgres. */
function migrationsFolder(): string {
  const beside = fileURLToPath(new URL('migrations', import.meta.url))
  return existsSync(beside)
    ? beside
    : fileURLToPath(new URL('../../../src/postgres/migrations', import.meta.url))
}
