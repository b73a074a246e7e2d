import { Client, type ClientBase, type ClientConfig, Pool, type PoolClient } from 'pg'
import { errorText, NadiError } from '#base'
import type { Log } from '#telemetry'
import { migrate } from './migrate.ts'

/** Where a server is and who we are to it. A `DATABASE_URL` is one string. */
export type Connection = string | Readonly<ClientConfig>

export type DatabaseOptions = {
  readonly connection: Connection
  readonly log: Log
  /** All tables live in one schema of their own, so that the database may be shared. */
  readonly schema?: string
  /** Connections for reading, beside the writer's. */
  readonly readersMax?: number
}

const VERSION_MIN = 15

/** A reader that takes longer than this would hold back vacuum for all. */
const READ_TIMEOUT_MS = 60_000

/** A database that was checked and migrated: a pool for reading, and the way to further connections. */
export class Database {
  readonly schema: string
  readonly pool: Pool
  readonly #connection: Connection
  readonly #log: Log

  private constructor({ connection, log, schema = 'nadi', readersMax = 4 }: DatabaseOptions) {
    this.schema = schema
    this.#connection = connection
    this.#log = log
    this.pool = new Pool({
      ...clientConfig(connection),
      max: readersMax,
      statement_timeout: READ_TIMEOUT_MS,
      // The pool waits for what this returns, though its types do not say so.
      onConnect: ((client: ClientBase) => client.query(`SET search_path = ${quoted(schema)}`)) as (
        client: ClientBase,
      ) => void,
    })
    // A reader that breaks while idle is replaced when next one is needed; it is no news.
    this.pool.on('error', error => this.#log.debug('a reader broke', { text: errorText(error) }))
  }

  /** Throws POSTGRES_VERSION when the server is too old, and what `pg` throws when none answers. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const database = new Database(options)
    try {
      const client = await database.connect()
      try {
        await checkVersion(client)
        await migrate(client, database.schema, options.log)
      } finally {
        await client.end()
      }
    } catch (error) {
      await database.close()
      throw error
    }
    return database
  }

  /** A connection outside the pool, with the search path set; whoever asks ends it. */
  async connect(settings: Readonly<ClientConfig> = {}): Promise<Client> {
    const client = new Client({ ...clientConfig(this.#connection), ...settings })
    // Without a listener a broken connection would stop the process; the query in flight tells.
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query(`SET search_path = ${quoted(this.schema)}`)
      return client
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
  }

  /** Everything that `read` asks sees one and the same moment. */
  async snapshot<T>(read: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect()
    let broken = true
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      await client.query('SET LOCAL statement_timeout = 0')
      const result = await read(client)
      await client.query('COMMIT')
      broken = false
      return result
    } finally {
      client.release(broken)
    }
  }

  async close(): Promise<void> {
    await this.pool.end()
  }
}

export function clientConfig(connection: Connection): ClientConfig {
  return {
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: 'nadi',
    ...(typeof connection === 'string' ? { connectionString: connection } : connection),
  }
}

async function checkVersion(client: Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string; server_version: string }>(
    `SELECT current_setting('server_version_num') AS server_version_num,
            current_setting('server_version') AS server_version`,
  )
  const row = rows[0]
  if (row && Number(row.server_version_num) >= VERSION_MIN * 10_000) return
  throw new NadiError('POSTGRES_VERSION', {
    expected: `${VERSION_MIN} or later`,
    actual: row?.server_version ?? 'no version',
  })
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
