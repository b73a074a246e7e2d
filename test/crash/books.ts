import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, Secret, SystemClock, SystemRandom } from '#base'
import { loadConfig, placesFrom } from '#config'
import { type Journal, PostgresJournal } from '#journal'
import { Database, startEmbedded } from '#postgres'
import { NO_LOG } from '#telemetry'
import { type Daemon, ROOT } from '../e2e/daemon.ts'

/** The journal of a daemon that has ended, opened for reading as another node would. */
export async function openBooks(daemon: Daemon): Promise<{
  readonly journal: Journal
  readonly billerOf: (product: string) => string
  close(): Promise<void>
}> {
  const { varFolder, folder } = daemon
  const env = { NADI_VAR: varFolder, NADI_CONF: join(folder, 'conf') }
  const loaded = loadConfig(placesFrom(env, ROOT))
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems))
  const { products } = loaded.config
  const [clock, random, log] = [new SystemClock(), new SystemRandom(), NO_LOG]
  const server = await startEmbedded({ varFolder, clock, random, log })
  const database = await Database.open({ connection: server.connection, log })
  const key = fromHex(readFileSync(join(varFolder, 'evidence.key'), 'utf8').trim())
  const evidenceKey = new Secret(key ?? new Uint8Array())
  const node = 'crash-test'
  const journal = await PostgresJournal.open({ database, node, clock, random, log, evidenceKey })
  return {
    journal,
    billerOf: product => products.get(product)?.biller ?? '',
    async close() {
      await journal.close()
      await database.close()
      await server.stop()
    },
  }
}
