import type { Client, PoolClient } from 'pg'
import { type Clock, errorText, NadiError } from '#base'
import type { KeyKind, KeyTypeName } from '#hsm'
import type { Database } from '#postgres'
import type { Log } from '#telemetry'
import type {
  EnteredComponent,
  HalfMadeKey,
  KeyAct,
  KeyBook,
  KeyChange,
  KeyOrigin,
  KeyRecord,
  KeyState,
} from './record.ts'
import { FOUND_MAX } from './records.ts'
import type { KeyFilter, KeyRecords } from './records.ts'

export type PostgresKeyOptions = {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
}

/** What a broken listener missed is read by then. */
const REREAD_MS = 10_000
const RECONNECT_MS = 1000

/**
 * Records of keys in PostgreSQL. Rows and acts are written in one transaction, which also tells
 * the other daemons (NOTIFY); each listens on a connection of its own, and reads anew now and then
 * in case that one broke without a word.
 */
export class PostgresKeyRecords implements KeyRecords {
  readonly #database: Database
  readonly #clock: Clock
  readonly #log: Log
  readonly #channel: string
  #listener: Client | undefined
  #cancels: (() => void)[] = []
  #closed = false

  constructor({ database, clock, log }: PostgresKeyOptions) {
    this.#database = database
    this.#clock = clock
    this.#log = log
    this.#channel = `keys ${database.schema}`.slice(0, 63)
  }

  load(): Promise<KeyBook> {
    return reached(() =>
      this.#database.snapshot(async client => {
        const book = await client.query<{ version: string }>('SELECT version FROM key_book')
        const keys = await client.query<KeyColumns>(
          `SELECT ${KEY_NAMES} FROM zone_key WHERE state <> 'revoked' ORDER BY made_at_ms, id`,
        )
        const halves = await client.query<HalfColumns>(
          `SELECT ${HALF_NAMES} FROM half_made_key ORDER BY begun_at_ms, id`,
        )
        const version = Number(book.rows[0]?.version ?? 0)
        return { version, keys: keys.rows.map(keyOf), halves: halves.rows.map(halfOf) }
      }),
    )
  }

  commit(version: number, change: KeyChange): Promise<boolean> {
    return reached(async () => {
      const client = await this.#database.pool.connect()
      let broken = true
      try {
        // Whatever the server's own setting is: what is agreed with a partner must not be lost.
        await client.query('BEGIN')
        await client.query('SET LOCAL synchronous_commit = on')
        const { rowCount } = await client.query(
          'UPDATE key_book SET version = version + 1 WHERE version = $1',
          [version],
        )
        if (rowCount === 1) {
          await write(client, change)
          await client.query('SELECT pg_notify($1, $2)', [this.#channel, String(version + 1)])
        }
        await client.query(rowCount === 1 ? 'COMMIT' : 'ROLLBACK')
        broken = false
        return rowCount === 1
      } finally {
        client.release(broken)
      }
    })
  }

  async find({ id, zone, type, state, checkValue }: KeyFilter): Promise<KeyRecord[]> {
    const { rows } = await reached(() =>
      this.#database.pool.query<KeyColumns>(
        `SELECT ${KEY_NAMES} FROM zone_key
          WHERE ($1::text IS NULL OR id = $1) AND ($2::text IS NULL OR zone = $2)
            AND ($3::text IS NULL OR type = $3) AND ($4::text IS NULL OR state = $4)
            AND ($5::text IS NULL OR check_value = $5)
          ORDER BY made_at_ms DESC LIMIT ${FOUND_MAX}`,
        [id ?? null, zone ?? null, type ?? null, state ?? null, checkValue ?? null],
      ),
    )
    return rows.map(keyOf)
  }

  async acts(subject: string): Promise<KeyAct[]> {
    const { rows } = await reached(() =>
      this.#database.pool.query<ActColumns>(
        `SELECT at_ms, act, subject, zone, type, by_whom, why, detail FROM key_act
          WHERE subject = $1 ORDER BY seq`,
        [subject],
      ),
    )
    return rows.map(({ at_ms, by_whom: by, detail, ...row }) => ({
      ...row,
      by,
      atMs: Number(at_ms),
      ...(detail !== null && { detail }),
    }))
  }

  watch(onChange: () => void): void {
    this.#listen(onChange)
    this.#every(REREAD_MS, onChange)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const cancel of this.#cancels) cancel()
    await this.#listener?.end().catch(() => {})
  }

  #every(periodMs: number, run: () => void): void {
    if (this.#closed) return
    this.#later(periodMs, () => {
      run()
      this.#every(periodMs, run)
    })
  }

  #listen(onChange: () => void): void {
    if (this.#closed) return
    this.#connect(onChange).catch((error: unknown) => {
      this.#log.warn('changes of keys are not heard', { text: errorText(error) })
      this.#later(RECONNECT_MS, () => this.#listen(onChange))
    })
  }

  async #connect(onChange: () => void): Promise<void> {
    const client = await this.#database.connect()
    if (this.#closed) return client.end()
    this.#listener = client
    client.on('notification', onChange)
    client.once('end', () => this.#later(RECONNECT_MS, () => this.#listen(onChange)))
    await client.query(`LISTEN ${client.escapeIdentifier(this.#channel)}`)
    onChange()
  }

  #later(afterMs: number, run: () => void): void {
    if (this.#closed) return
    const cancel = this.#clock.at(this.#clock.nowMs() + afterMs, () => {
      this.#cancels = this.#cancels.filter(each => each !== cancel)
      if (!this.#closed) run()
    })
    this.#cancels.push(cancel)
  }
}

async function write(client: PoolClient, change: KeyChange): Promise<void> {
  const { put = [], putHalf, dropHalves = [], acts } = change
  for (const key of put) await client.query(PUT_KEY, valuesOf(key))
  if (putHalf) await client.query(PUT_HALF, halfValuesOf(putHalf))
  if (dropHalves.length > 0)
    await client.query('DELETE FROM half_made_key WHERE id = ANY ($1)', [dropHalves])
  for (const { atMs, act, subject, zone, type, by, why, detail } of acts)
    await client.query(
      `INSERT INTO key_act (at_ms, act, subject, zone, type, by_whom, why, detail)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [atMs, act, subject, zone, type, by, why, detail ?? null],
    )
}

type KeyColumns = {
  id: string
  zone: string
  type: KeyTypeName
  kind: KeyKind
  block: string
  lmk: string
  check_value: string
  state: KeyState
  origin: KeyOrigin
  made_at_ms: string
  active_at_ms: string | null
  previous_at_ms: string | null
  accepted_until_ms: string | null
  revoked_at_ms: string | null
  by_whom: string
  why: string
}

const KEY_NAMES = `id, zone, type, kind, block, lmk, check_value, state, origin, made_at_ms,
  active_at_ms, previous_at_ms, accepted_until_ms, revoked_at_ms, by_whom, why`

/** What a key is never changes; how it is kept and how far it has come does. */
const PUT_KEY = `INSERT INTO zone_key (${KEY_NAMES})
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
  ON CONFLICT (id) DO UPDATE SET block = excluded.block, lmk = excluded.lmk, state = excluded.state,
    active_at_ms = excluded.active_at_ms, previous_at_ms = excluded.previous_at_ms,
    accepted_until_ms = excluded.accepted_until_ms, revoked_at_ms = excluded.revoked_at_ms`

function valuesOf(key: KeyRecord): unknown[] {
  return [
    key.id,
    key.zone,
    key.type,
    key.kind,
    key.block,
    key.lmk,
    key.checkValue,
    key.state,
    key.origin,
    key.madeAtMs,
    key.activeAtMs ?? null,
    key.previousAtMs ?? null,
    key.acceptedUntilMs ?? null,
    key.revokedAtMs ?? null,
    key.by,
    key.why,
  ]
}

function keyOf(row: KeyColumns): KeyRecord {
  const { check_value: checkValue, by_whom: by, made_at_ms, active_at_ms, previous_at_ms } = row
  const { id, zone, type, kind, block, lmk, state, origin, why } = row
  const { accepted_until_ms, revoked_at_ms } = row
  return {
    id,
    zone,
    type,
    kind,
    block,
    lmk,
    checkValue,
    state,
    origin,
    by,
    why,
    madeAtMs: Number(made_at_ms),
    ...(active_at_ms !== null && { activeAtMs: Number(active_at_ms) }),
    ...(previous_at_ms !== null && { previousAtMs: Number(previous_at_ms) }),
    ...(accepted_until_ms !== null && { acceptedUntilMs: Number(accepted_until_ms) }),
    ...(revoked_at_ms !== null && { revokedAtMs: Number(revoked_at_ms) }),
  }
}

type HalfColumns = {
  id: string
  zone: string
  type: KeyTypeName
  kind: KeyKind
  parts: number
  components: EnteredComponent[]
  lmk: string
  begun_at_ms: string
  expires_at_ms: string
  why: string
}

const HALF_NAMES = 'id, zone, type, kind, parts, components, lmk, begun_at_ms, expires_at_ms, why'

const PUT_HALF = `INSERT INTO half_made_key (${HALF_NAMES})
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  ON CONFLICT (id) DO UPDATE SET components = excluded.components`

function halfValuesOf(half: HalfMadeKey): unknown[] {
  const { id, zone, type, kind, parts, components, lmk, begunAtMs, expiresAtMs, why } = half
  const json = JSON.stringify(components)
  return [id, zone, type, kind, parts, json, lmk, begunAtMs, expiresAtMs, why]
}

function halfOf({ begun_at_ms, expires_at_ms, ...row }: HalfColumns): HalfMadeKey {
  return { ...row, begunAtMs: Number(begun_at_ms), expiresAtMs: Number(expires_at_ms) }
}

type ActColumns = {
  at_ms: string
  act: string
  subject: string
  zone: string
  type: string
  by_whom: string
  why: string
  detail: string | null
}

async function reached<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof NadiError) throw error
    throw new NadiError('KEY_STORE', { hint: errorText(error), cause: error })
  }
}
