import type { QueryConfig, QueryResultRow } from 'pg'
import {
  type AmountMinor,
  type BusinessDate,
  type Clock,
  fromJson,
  type TxnId,
  txnIdMs,
} from '#base'
import type { AccountName, PostingReason } from '#ledger'
import type { Database } from '#postgres'
import { dayAt, dayOf } from './batch.ts'
import type { EvidenceSafe } from './evidence.ts'
import type * as J from '../journal.ts'

const OPEN_PAGE = 200

type TxnColumns = {
  id: string
  amount_minor: string
  changed_at_ms: string
  inquiry_id: string | null
  business_date: number
  version: number
  partner: string
  kind: J.TxnKind
  product: string
  customer: string
  partner_key: string | null
  content: string | null
  tag: string
  step: string | null
  destination: string
  due_at_ms: string
}

type RecordColumns = {
  record_version: number
  at_ms: string
  event: string
  record_tag: string
  data: string | null
  state: string | null
  evidence: Buffer | null
}

const TXN = `t.id, t.amount_minor, t.changed_at_ms, t.inquiry_id, t.business_date, t.version,
  t.partner, t.kind, t.product, t.customer, t.partner_key, t.content, t.tag,
  o.step, o.destination, o.due_at_ms`
const RECORD = `r.version AS record_version, r.at_ms, r.event, r.tag AS record_tag, r.data, r.state`
const FROM_TXN = `txn t LEFT JOIN open_txn o ON o.partner = t.partner AND o.id = t.id`
const FROM_ALL = `${FROM_TXN} JOIN record r ON r.partner = t.partner AND r.txn_id = t.id AND r.day = t.day`

/** The reading half of the Postgres keeper. Each question bounds the days, so that only those it needs are opened. */
export class JournalReads {
  readonly #database: Database
  readonly #clock: Clock
  readonly #safe: EvidenceSafe
  readonly #keyDays: number

  constructor(database: Database, clock: Clock, safe: EvidenceSafe, keyDays: number) {
    this.#database = database
    this.#clock = clock
    this.#safe = safe
    this.#keyDays = keyDays
  }

  async find(partner: string, id: TxnId): Promise<J.StoredTxn | undefined> {
    const rows = await this.#ask<TxnColumns & RecordColumns>({
      name: 'find',
      text: `SELECT ${TXN}, ${RECORD} FROM ${FROM_ALL}
              WHERE t.partner = $1 AND t.id = $2 AND t.day = $3 AND r.day = $3 ORDER BY r.version`,
      values: [partner, `${id}`, dayOf(id)],
    })
    return storedTxn(rows)
  }

  /** Looks as far back as keys are unique. */
  async findByKey(partner: string, key: string): Promise<J.StoredTxn | undefined> {
    const from = dayAt(this.#clock.nowMs()) - this.#keyDays + 1
    const [row] = await this.#ask<{ id: string }>({
      name: 'find by key',
      text: 'SELECT id FROM txn WHERE partner_key = $1 AND day >= $2 LIMIT 1',
      values: [`${partner} ${key}`, from],
    })
    return row && this.find(partner, BigInt(row.id) as TxnId)
  }

  /** The key begins with the partner, so every partner of that day is tried, each by one look into the index. */
  async findAnywhere(id: TxnId): Promise<J.StoredTxn | undefined> {
    const partners = await this.#partnersOf(dayOf(id))
    const rows = await this.#ask<TxnColumns & RecordColumns>({
      text: `SELECT ${TXN}, ${RECORD} FROM ${FROM_ALL}
              WHERE t.partner = ANY($1) AND t.id = $2 AND t.day = $3 AND r.day = $3 ORDER BY r.version`,
      values: [partners, `${id}`, dayOf(id)],
    })
    return storedTxn(rows)
  }

  /**
   * This node's, and those of nodes that do not run now: a node runs as long as it holds its lock
   * (postgres/writer.ts), which the server shows in pg_locks, the two numbers as unsigned ones.
   */
  async *open(node: string, lockClass: number): AsyncGenerator<J.StoredTxn> {
    const open = await this.#ask<{ partner: string; id: string }>({
      text: `SELECT partner, id FROM open_txn o
              WHERE node = $1 OR NOT EXISTS (
                SELECT FROM pg_locks l
                 WHERE l.locktype = 'advisory' AND l.classid = $2 AND l.objsubid = 2
                   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND l.objid::bigint = hashtext(current_schema() || ' ' || o.node)::bigint & 4294967295)
              ORDER BY id`,
      values: [node, lockClass],
    })
    for (let at = 0; at < open.length; at += OPEN_PAGE)
      yield* await this.#openPage(open.slice(at, at + OPEN_PAGE))
  }

  async #openPage(page: readonly { partner: string; id: string }[]): Promise<J.StoredTxn[]> {
    const rows = await this.#ask<TxnColumns & RecordColumns>({
      text: `SELECT ${TXN}, ${RECORD} FROM unnest($1::text[], $2::bigint[]) AS u (partner, id)
               JOIN txn t ON t.partner = u.partner AND t.id = u.id AND t.day BETWEEN $3 AND $4
               JOIN open_txn o ON o.partner = t.partner AND o.id = t.id
               JOIN record r ON r.partner = t.partner AND r.txn_id = t.id AND r.day = t.day AND r.day BETWEEN $3 AND $4
              ORDER BY t.id, r.version`,
      values: [
        page.map(({ partner }) => partner),
        page.map(({ id }) => id),
        dayOf(BigInt(page[0]?.id ?? 0) as TxnId),
        dayOf(BigInt(page[page.length - 1]?.id ?? 0) as TxnId),
      ],
    })
    const byId = Map.groupBy(rows, ({ id }) => id)
    return [...byId.values()].flatMap(rows => storedTxn(rows) ?? [])
  }

  /** Day by day from the newest back, until there are enough. */
  async list(filter: J.TxnFilter): Promise<J.TxnRow[]> {
    const { partner, state, kind, product, customer, sinceMs, limit } = filter
    const sinceDay = dayAt(sinceMs ?? 0)
    const values: unknown[] = []
    const conditions: string[] = []
    const where = (column: string, value: unknown) => {
      values.push(value)
      conditions.push(`${column} $${values.length}`)
    }
    where('t.day >=', sinceDay)
    if (sinceMs !== undefined) where('t.id >=', `${firstId(sinceMs)}`)
    if (partner !== undefined) where('t.partner =', partner)
    if (state !== undefined && state !== 'open') where('t.tag =', state)
    if (kind !== undefined) where('t.kind =', kind)
    if (product !== undefined) where('t.product =', product)
    if (customer !== undefined) where('t.customer =', customer)
    if (state === 'open') {
      const from = `open_txn o JOIN txn t ON t.partner = o.partner AND t.id = o.id AND t.day = day_of(o.id)`
      return this.#rows(from, conditions, values, limit)
    }
    const found: J.TxnRow[] = []
    for (const day of await this.#days()) {
      if (found.length >= limit || day < sinceDay) break
      const ofDay = [`t.day = ${day}`]
      const rows = await this.#rows(
        FROM_TXN,
        [...conditions, ...ofDay],
        values,
        limit - found.length,
      )
      found.push(...rows)
    }
    return found
  }

  async #rows(from: string, conditions: string[], values: unknown[], limit: number) {
    const rows = await this.#ask<TxnColumns>({
      text: `SELECT ${TXN} FROM ${from} WHERE ${conditions.join(' AND ')}
              ORDER BY t.id DESC LIMIT ${Math.trunc(limit)}`,
      values,
    })
    return rows.map(txnRow)
  }

  async story(partner: string, id: TxnId): Promise<J.Story | undefined> {
    const txn = await this.find(partner, id)
    if (!txn) return undefined
    const sealed = await this.#ask<{ version: number; evidence: Buffer }>({
      text: `SELECT version, evidence FROM record
              WHERE partner = $1 AND txn_id = $2 AND day = $3 AND evidence IS NOT NULL`,
      values: [partner, `${id}`, dayOf(id)],
    })
    const frames = new Map(
      sealed.map(({ version, evidence }) => [
        version,
        this.#safe.open({ partner, id, version }, evidence),
      ]),
    )
    const records = txn.records.map(record => {
      const own = frames.get(record.version)
      return own ? { ...record, frames: own } : record
    })
    return { ...txn, records, postings: await this.#postings(partner, id) }
  }

  async #postings(partner: string, id: TxnId): Promise<J.StoredPosting[]> {
    const rows = await this.#ask<{
      version: number
      at_ms: string
      reason: PostingReason
      accounts: AccountName[]
      amounts: string[]
    }>({
      text: `SELECT version, at_ms, reason, accounts, amounts FROM posting
              WHERE partner = $1 AND txn_id = $2 AND day = $3 ORDER BY version, nth`,
      values: [partner, `${id}`, dayOf(id)],
    })
    return rows.map(({ version, at_ms, reason, accounts, amounts }) => ({
      version,
      atMs: Number(at_ms),
      reason,
      legs: accounts.map((account, index) => ({
        account,
        amountMinor: BigInt(amounts[index] ?? 0) as AmountMinor,
      })),
    }))
  }

  async balances(partner?: string): Promise<J.Balance[]> {
    const rows = await this.#ask<{ partner: string; account: AccountName; balance_minor: string }>({
      text: `SELECT partner, account, balance_minor FROM account
              WHERE $1::text IS NULL OR partner = $1 ORDER BY partner, account`,
      values: [partner ?? null],
    })
    return rows.map(({ partner, account, balance_minor }) => ({
      partner,
      account,
      balanceMinor: BigInt(balance_minor) as AmountMinor,
    }))
  }

  async openSummary(): Promise<J.OpenSummary[]> {
    const rows = await this.#ask<{
      tag: string
      product: string
      partner: string
      count: string
      oldest: string
    }>({
      text: `SELECT tag, product, partner, count(*), min(id) AS oldest FROM open_txn
              GROUP BY tag, product, partner ORDER BY tag, product, partner`,
    })
    return rows.map(({ count, oldest, ...names }) => ({
      ...names,
      count: Number(count),
      oldestAtMs: txnIdMs(BigInt(oldest) as TxnId),
    }))
  }

  async newestId(): Promise<TxnId | undefined> {
    for (const day of await this.#days()) {
      const partners = await this.#partnersOf(day)
      if (partners.length === 0) continue
      const [row] = await this.#ask<{ id: string }>({
        text: `SELECT max(newest.id) AS id FROM unnest($1::text[]) AS u (partner), LATERAL (
                 SELECT t.id FROM txn t WHERE t.partner = u.partner AND t.day = $2
                  ORDER BY t.id DESC LIMIT 1) AS newest`,
        values: [partners, day],
      })
      return row && (BigInt(row.id) as TxnId)
    }
    return undefined
  }

  /** The days that have partitions, newest first. */
  async #days(): Promise<number[]> {
    const rows = await this.#ask<{ day: number }>({
      text: `SELECT to_date(right(c.relname, 8), 'YYYYMMDD') - date '1970-01-01' AS day
               FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
              WHERE i.inhparent = 'txn'::regclass ORDER BY day DESC`,
    })
    return rows.map(({ day }) => day)
  }

  /** Jumps through the index from one partner to the next; there are few partners and many txns. */
  async #partnersOf(day: number): Promise<string[]> {
    const next = `(SELECT t.partner FROM txn t WHERE t.day = $1 %
                    ORDER BY t.partner LIMIT 1)`
    const rows = await this.#ask<{ partner: string }>({
      text: `WITH RECURSIVE p (partner) AS (
               ${next.replace('%', '')}
               UNION ALL
               SELECT ${next.replace('%', 'AND t.partner > p.partner')} FROM p WHERE p.partner IS NOT NULL)
             SELECT partner FROM p WHERE partner IS NOT NULL`,
      values: [day],
    })
    return rows.map(({ partner }) => partner)
  }

  async #ask<R extends QueryResultRow>(query: QueryConfig): Promise<R[]> {
    return (await this.#database.pool.query<R>(query)).rows
  }
}

/** The first id that a millisecond can have. */
function firstId(atMs: number): bigint {
  return BigInt(Math.max(0, atMs - txnIdMs(0n as TxnId))) << 19n
}

function txnRow(row: TxnColumns): J.TxnRow {
  const id = BigInt(row.id) as TxnId
  return {
    id,
    partner: row.partner,
    businessDate: String(row.business_date) as BusinessDate,
    kind: row.kind,
    product: row.product,
    customer: row.customer,
    amountMinor: BigInt(row.amount_minor) as AmountMinor,
    ...(row.partner_key !== null && { key: row.partner_key.slice(row.partner.length + 1) }),
    ...(row.content !== null && { content: row.content }),
    ...(row.inquiry_id !== null && { inquiryId: BigInt(row.inquiry_id) as TxnId }),
    version: row.version,
    tag: row.tag,
    owes:
      row.step === null
        ? undefined
        : { step: row.step, destination: row.destination, dueAtMs: Number(row.due_at_ms) },
    openedAtMs: txnIdMs(id),
    changedAtMs: Number(row.changed_at_ms),
  }
}

function storedTxn(rows: readonly (TxnColumns & RecordColumns)[]): J.StoredTxn | undefined {
  const [first] = rows
  const last = rows[rows.length - 1]
  if (!first || !last) return undefined
  return {
    ...txnRow(first),
    state: fromJson(last.state ?? 'null'),
    records: rows.map(({ record_version, at_ms, event, record_tag, data }) => ({
      version: record_version,
      atMs: Number(at_ms),
      event,
      tag: record_tag,
      ...(data !== null && { data: fromJson(data) }),
    })),
  }
}
