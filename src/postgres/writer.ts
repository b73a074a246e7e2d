import type { Client, QueryConfig, QueryResult, QueryResultRow } from 'pg'
import { assert, type Clock, errorText, NadiError, type Random } from '#base'
import type { Log } from '#telemetry'
import type { Database } from './database.ts'
import { sqlState } from './state.ts'

export type WriterOptions = {
  readonly database: Database
  /** The node's name: whoever holds its lock may write for it. */
  readonly node: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Settings of the session beside those that keep it durable; whoever writes the SQL knows them. */
  readonly settings?: string
  /** How long `start` waits for a predecessor's lock, which the server may take to be alive still. */
  readonly lockWaitMs?: number
  /** Called each time that the writer has come up, and each time it went down. */
  readonly onChange: (up: boolean) => void
}

const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 5_000

/** No batch takes this long on a server that is well; then the connection is given up as broken. */
const STATEMENT_TIMEOUT_MS = 20_000
const ANSWER_TIMEOUT_MS = 30_000

/** A server of one's own may have softer defaults; and a vanished daemon must not keep its lock long. */
const SESSION = `SET synchronous_commit = on; SET tcp_keepalives_idle = 10;
                 SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3`

/**
 * The one connection that writes, and the node's lock with it:
 *
 *     down ──connected, lock taken──▶ up ──broken──▶ down ──backoff──▶ …      close() from anywhere
 *
 * The lock is the session's, on the very connection that writes. So a node whose connection broke
 * cannot write until it has the lock again, and two daemons of one name can never write in turns.
 */
export class Writer {
  readonly #options: WriterOptions
  #client: Client | undefined
  #backoffMs = BACKOFF_MIN_MS
  #cancelRetry: (() => void) | undefined
  #closed = false

  constructor(options: WriterOptions) {
    this.#options = options
  }

  get up(): boolean {
    return this.#client !== undefined
  }

  /** Connects and takes the lock; NODE_RUNNING when another daemon of this name keeps it. */
  async start(): Promise<void> {
    const { clock, lockWaitMs = 10_000, node } = this.#options
    const untilMs = clock.nowMs() + lockWaitMs
    while (!(await this.#connect())) {
      if (clock.nowMs() >= untilMs) throw new NadiError('NODE_RUNNING', { actual: node })
      await new Promise<void>(resolve => {
        clock.at(clock.nowMs() + 200, resolve)
      })
    }
  }

  /** Throws what the server says; `isBroken` tells whether the outcome is unknown. */
  async query<R extends QueryResultRow>(query: QueryConfig): Promise<QueryResult<R>> {
    const client = this.#client
    if (!client) throw new ConnectionBroken('the writer is not connected')
    try {
      return await client.query<R>(query)
    } catch (error) {
      if (isBroken(error)) {
        this.#drop(client)
        throw new ConnectionBroken(errorText(error), { cause: error })
      }
      throw error
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelRetry?.()
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => {})
  }

  /** False when another session holds the lock. */
  async #connect(): Promise<boolean> {
    const { database, node, onChange, settings = '' } = this.#options
    const client = await database.connect({
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      application_name: `nadi ${node}`,
    })
    try {
      await client.query(`${SESSION}; ${settings}`)
      const lock = await client.query<{ taken: boolean }>(
        'SELECT pg_try_advisory_lock($1, hashtext($2)) AS taken',
        [LOCK_CLASS, lockName(database.schema, node)],
      )
      if (this.#closed || !lock.rows[0]?.taken) {
        await client.end()
        return false
      }
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
    client.on('end', () => this.#drop(client))
    client.on('error', () => this.#drop(client))
    this.#client = client
    this.#backoffMs = BACKOFF_MIN_MS
    onChange(true)
    return true
  }

  #drop(client: Client): void {
    if (this.#client !== client) return
    this.#client = undefined
    // What never answered may never end either; the socket goes at once.
    client.connection.stream.destroy()
    this.#options.onChange(false)
    if (!this.#closed) this.#retry()
  }

  #retry(): void {
    const { clock, random, log } = this.#options
    const delayMs = this.#backoffMs * (0.5 + random.next() / 2)
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS)
    this.#cancelRetry = clock.at(clock.nowMs() + delayMs, () => {
      assert(!this.#client, 'one writer at a time')
      this.#connect().then(
        up => {
          if (up || this.#closed) return
          log.warn('another session holds the lock of this node')
          this.#retry()
        },
        (error: unknown) => {
          log.warn('the database cannot be reached', { text: errorText(error) })
          if (!this.#closed) this.#retry()
        },
      )
    })
  }
}

/** Distinguishes our advisory locks from those of others in the same database ('nadi' in ASCII). */
export const LOCK_CLASS = 0x6e616469

export function lockName(schema: string, node: string): string {
  return `${schema} ${node}`
}

/** The connection broke while a query was in flight: nobody knows whether it got through. */
export class ConnectionBroken extends Error {
  override readonly name = 'ConnectionBroken'
}

/**
 * Class 08 is the connection, 57P0x a server that stops, crashed or starts, 25006 one that became a
 * standby; and whatever is no answer of a server at all.
 */
function isBroken(error: unknown): boolean {
  const state = sqlState(error)
  if (state === undefined) return true
  return state.startsWith('08') || state.startsWith('57P') || state === '25006'
}
