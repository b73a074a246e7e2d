import type { QueryResultRow } from 'pg'
import { NadiError, type TxnId } from '#base'
import type { Database } from '#postgres'
import type {
  Attempt,
  Ended,
  EventFilter,
  EventKey,
  EventState,
  EventType,
  KeyClaim,
  NewEvent,
  Next,
  RequestStore,
  StoredEvent,
  WebhookStore,
} from './store.ts'

type Claimed = 'new' | 'same' | 'other'

type Waiting = {
  readonly claim: KeyClaim
  readonly resolve: (claimed: Claimed) => void
  readonly reject: (error: NadiError) => void
}

const BATCH_MAX = 512
const WAITING_MAX = 10_000

/**
 * Idempotency-Keys in PostgreSQL. Claims that come while one batch is being written travel in the
 * next: one statement and one flush for all of them.
 */
export class PostgresRequests implements RequestStore {
  readonly #database: Database
  #waiting: Waiting[] = []
  #running = false

  constructor(database: Database) {
    this.#database = database
  }

  claim(claim: KeyClaim): Promise<Claimed> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= WAITING_MAX) return reject(new NadiError('JOURNAL_FULL'))
      this.#waiting.push({ claim, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  async contentOf(partner: string, key: string): Promise<string | undefined> {
    const [row] = await ask<{ content: string }>(
      this.#database,
      'SELECT content FROM api_request WHERE partner = $1 AND key = $2',
      [partner, key],
    )
    return row?.content
  }

  async forget(beforeMs: number): Promise<void> {
    await ask(this.#database, 'DELETE FROM api_request WHERE at_ms < $1', [beforeMs])
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      try {
        const claimed = await this.#write(batch.map(({ claim }) => claim))
        for (const [at, { resolve }] of batch.entries()) resolve(claimed[at] ?? 'other')
      } catch (error) {
        const failure = error instanceof NadiError ? error : unavailable(error)
        for (const { reject } of batch) reject(failure)
      }
    }
    this.#running = false
  }

  /** One statement cannot judge the same key twice: the second waits for the next batch. */
  #take(): Waiting[] {
    const names = new Set<string>()
    const batch: Waiting[] = []
    const later: Waiting[] = []
    for (const one of this.#waiting) {
      const name = `${one.claim.partner} ${one.claim.key}`
      if (batch.length >= BATCH_MAX || names.has(name)) later.push(one)
      else {
        names.add(name)
        batch.push(one)
      }
    }
    this.#waiting = later
    return batch
  }

  /**
   * The update changes nothing: it waits for another node's row and then shows what it holds. In
   * order, so that two nodes cannot wait for each other. It does not wait for the disk, unless one of
   * them is `lasting`: the log is written in order, so whoever sees a payment durable sees its claim
   * durable too, and a claim that a crash takes away was for nothing that had begun.
   */
  async #write(claims: readonly KeyClaim[]): Promise<Claimed[]> {
    const rows = await ask<{ partner: string; key: string; content: string; made: boolean }>(
      this.#database,
      `WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', $5, true))
       INSERT INTO api_request AS r (partner, key, content, at_ms)
         SELECT u.* FROM soon,
                unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS u ORDER BY 1, 2
       ON CONFLICT (partner, key) DO UPDATE SET at_ms = r.at_ms
       RETURNING r.partner, r.key, r.content, (r.xmax = 0) AS made`,
      [
        claims.map(({ partner }) => partner),
        claims.map(({ key }) => key),
        claims.map(({ content }) => content),
        claims.map(({ atMs }) => atMs),
        claims.some(({ lasting }) => lasting) ? 'on' : 'off',
      ],
      'api-claim',
    )
    const byName = new Map(rows.map(row => [`${row.partner} ${row.key}`, row]))
    return claims.map(({ partner, key, content }) => {
      const row = byName.get(`${partner} ${key}`)
      return row?.made ? 'new' : row?.content === content ? 'same' : 'other'
    })
  }
}

type EventColumns = {
  partner: string
  txn_id: string
  version: number
  type: EventType
  at_ms: string
  state: EventState
  attempts: number
  tries: number
  due_at_ms: string
}

const EVENT =
  'e.partner, e.txn_id, e.version, e.type, e.at_ms, e.state, e.attempts, e.tries, e.due_at_ms'

/** Webhooks in PostgreSQL. Ends come into webhook_ended by a trigger, in the end's own transaction. */
export class PostgresWebhooks implements WebhookStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async subscribe(partners: readonly string[]): Promise<void> {
    await this.#ask(
      `WITH gone AS (DELETE FROM webhook_partner WHERE partner <> ALL ($1))
       INSERT INTO webhook_partner SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`,
      [partners],
    )
  }

  noteEnd(): void {}

  async ended(limit: number): Promise<Ended[]> {
    const rows = await this.#ask<{ seq: string; partner: string; txn_id: string }>(
      'SELECT seq, partner, txn_id FROM webhook_ended ORDER BY seq LIMIT $1',
      [limit],
    )
    return rows.map(({ seq, partner, txn_id }) => ({
      seq: BigInt(seq),
      partner,
      txn: BigInt(txn_id) as TxnId,
    }))
  }

  async expand(seqs: readonly bigint[], events: readonly NewEvent[], nowMs: number): Promise<void> {
    await this.#ask(
      `WITH gone AS (DELETE FROM webhook_ended WHERE seq = ANY ($1::bigint[]))
       INSERT INTO webhook_event (partner, txn_id, version, type, at_ms, due_at_ms)
         SELECT u.*, $7 FROM unnest($2::text[], $3::bigint[], $4::integer[], $5::text[], $6::bigint[]) AS u
       ON CONFLICT DO NOTHING`,
      [
        seqs.map(String),
        events.map(({ partner }) => partner),
        events.map(({ txn }) => String(txn)),
        events.map(({ version }) => version),
        events.map(({ type }) => type),
        events.map(({ atMs }) => atMs),
        nowMs,
      ],
    )
  }

  async claimDue(
    room: ReadonlyMap<string, number>,
    nowMs: number,
    untilMs: number,
  ): Promise<StoredEvent[]> {
    const rows = await this.#ask<EventColumns>(
      `UPDATE webhook_event e SET due_at_ms = $4
         FROM (SELECT d.* FROM unnest($1::text[], $2::integer[]) AS u (partner, room), LATERAL (
                 SELECT partner, txn_id, version FROM webhook_event
                  WHERE state = 'waiting' AND partner = u.partner AND due_at_ms <= $3
                  ORDER BY due_at_ms LIMIT u.room FOR UPDATE SKIP LOCKED) d) d
        WHERE e.partner = d.partner AND e.txn_id = d.txn_id AND e.version = d.version
       RETURNING ${EVENT}`,
      [[...room.keys()], [...room.values()], nowMs, untilMs],
    )
    return rows.map(eventOf)
  }

  async conclude(key: EventKey, attempt: Omit<Attempt, 'nth'>, next: Next): Promise<void> {
    const state = next.tag === 'later' ? 'waiting' : next.tag
    const dueAtMs = next.tag === 'later' ? next.dueAtMs : null
    const { atMs, tookMs, status, problem } = attempt
    await this.#ask(
      `WITH e AS (
         UPDATE webhook_event SET state = $4, attempts = attempts + 1, tries = tries + 1,
                due_at_ms = coalesce($5, due_at_ms)
          WHERE partner = $1 AND txn_id = $2 AND version = $3
         RETURNING partner, txn_id, version, attempts)
       INSERT INTO webhook_attempt (partner, txn_id, version, nth, at_ms, took_ms, status, problem)
         SELECT partner, txn_id, version, attempts, $6, $7, $8, $9 FROM e`,
      [...valuesOf(key), state, dueAtMs, atMs, Math.round(tookMs), status ?? null, problem ?? null],
    )
  }

  async nextDueMs(partners: readonly string[]): Promise<number | undefined> {
    const [row] = await this.#ask<{ due: string | null }>(
      `SELECT due_at_ms AS due FROM webhook_event
        WHERE state = 'waiting' AND partner = ANY ($1) ORDER BY due_at_ms LIMIT 1`,
      [partners],
    )
    return row?.due == null ? undefined : Number(row.due)
  }

  async list({ partner, state, txn, limit }: EventFilter): Promise<StoredEvent[]> {
    const rows = await this.#ask<EventColumns>(
      `SELECT ${EVENT} FROM webhook_event e
        WHERE ($1::text IS NULL OR partner = $1) AND ($2::text IS NULL OR state = $2)
          AND ($3::bigint IS NULL OR txn_id = $3)
        ORDER BY txn_id DESC, version DESC LIMIT $4`,
      [partner ?? null, state ?? null, txn === undefined ? null : String(txn), limit],
    )
    return rows.map(eventOf)
  }

  async attempts(key: EventKey): Promise<Attempt[]> {
    const rows = await this.#ask<{
      nth: number
      at_ms: string
      took_ms: number
      status: number | null
      problem: string | null
    }>(
      `SELECT nth, at_ms, took_ms, status, problem FROM webhook_attempt
        WHERE partner = $1 AND txn_id = $2 AND version = $3 ORDER BY nth`,
      valuesOf(key),
    )
    return rows.map(({ nth, at_ms, took_ms, status, problem }) => ({
      nth,
      atMs: Number(at_ms),
      tookMs: took_ms,
      status: status ?? undefined,
      problem: problem ?? undefined,
    }))
  }

  async replay(key: EventKey, nowMs: number): Promise<boolean> {
    const rows = await this.#ask(
      `UPDATE webhook_event SET state = 'waiting', tries = 0, due_at_ms = $4
        WHERE partner = $1 AND txn_id = $2 AND version = $3 RETURNING 1`,
      [...valuesOf(key), nowMs],
    )
    return rows.length > 0
  }

  async prune(beforeMs: number): Promise<void> {
    await this.#ask("DELETE FROM webhook_event WHERE state <> 'waiting' AND at_ms < $1", [beforeMs])
  }

  #ask<R extends QueryResultRow>(text: string, values: unknown[]): Promise<R[]> {
    return ask<R>(this.#database, text, values)
  }
}

function valuesOf({ partner, txn, version }: EventKey): unknown[] {
  return [partner, String(txn), version]
}

function eventOf(row: EventColumns): StoredEvent {
  const { partner, txn_id, version, type, at_ms, state, attempts, tries, due_at_ms } = row
  return {
    partner,
    txn: BigInt(txn_id) as TxnId,
    version,
    type,
    atMs: Number(at_ms),
    state,
    attempts,
    tries,
    dueAtMs: Number(due_at_ms),
  }
}

async function ask<R extends QueryResultRow>(
  { pool }: Database,
  text: string,
  values: unknown[],
  /** With it the statement is prepared, once on each connection. */
  name?: string,
): Promise<R[]> {
  try {
    return (await pool.query<R>(name === undefined ? { text, values } : { name, text, values }))
      .rows
  } catch (error) {
    throw unavailable(error)
  }
}

function unavailable(cause: unknown): NadiError {
  return new NadiError('JOURNAL_UNAVAILABLE', { cause })
}
