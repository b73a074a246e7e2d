import type { AmountMinor, Clock, Random, Secret, TxnId } from '#base'
import { errorText, NadiError } from '#base'
import { type Database, LOCK_CLASS, sqlState, Writer } from '#postgres'
import type { Log } from '#telemetry'
import { commitValues, dayAt, dayOf, judgeValues } from './batch.ts'
import { checkCommit } from '../check.ts'
import { COMMIT_SQL, JUDGE_SQL, SESSION_SETTINGS } from './columns.ts'
import { EvidenceSafe } from './evidence.ts'
import { GroupCommit, type GroupStats, type Outcome } from './group.ts'
import type * as J from '../journal.ts'
import { type Candidate, candidate, type Member, Preparation } from './member.ts'
import { auditDatabase } from './audit.ts'
import { JournalReads } from './read.ts'
import { failure, remedyOf } from './remedy.ts'

export type PostgresJournalOptions = {
  readonly database: Database
  /** The node's name; one daemon at a time writes under it. */
  readonly node: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** 32 bytes. */
  readonly evidenceKey: Secret<Uint8Array>
  /** Commits that may wait at once; one more is JOURNAL_FULL. */
  readonly queueMax?: number
  readonly membersMax?: number
  /** How long a commit whose connection broke is asked again before it is given up as unknown. */
  readonly retryMs?: number
  /** Days in which a request key is unique: today and the days before. */
  readonly keyDays?: number
  readonly lockWaitMs?: number
  /** Told of each batch that has come to its end: for the metrics. */
  readonly onBatch?: (commits: number, tookMs: number) => void
}

const MAINTAIN_MS = 3600_000
const RETRIES_MAX = 5
const RECONNECT_PAUSE_MS = 10
/** A batch takes milliseconds; one that takes this long is stuck. */
const STALL_MS = 2_000

/** The verdicts of judge_batch (002_commit_batch.sql). */
const NOT_REFUSED = 0
const DUPLICATE_KEY = 1
const DUPLICATE_INQUIRY = 2
const CONFLICT = 3

const DONE: J.CommitResult = { tag: 'committed' }

/**
 * The journal in PostgreSQL. Commits are grouped (group.ts); one batch is one call of
 * commit_batch, hence one round trip and one database transaction. When some members have to be
 * refused it does nothing; judge_batch tells who, and the others go again.
 *
 * A batch whose connection broke may have got through. It is handed in again as it was, and what
 * then looks taken is compared with what is stored: our own record there means committed.
 */
export class PostgresJournal implements J.Journal {
  readonly #options: PostgresJournalOptions
  readonly #preparation: Preparation
  readonly #reads: JournalReads
  readonly #group: GroupCommit<Candidate>
  readonly #writer: Writer
  readonly #keyDays: number
  /** Days whose partitions are known to be there. */
  readonly #days = new Set<number>()
  #judging = false
  #waitingForWriter: (() => void)[] = []
  #cancelMaintain: (() => void) | undefined
  #closed = false
  /** When the batch that is on its way left. */
  #busySinceMs: number | undefined

  private constructor(options: PostgresJournalOptions) {
    const { database, clock, random, evidenceKey, keyDays = 2 } = options
    this.#options = options
    this.#keyDays = keyDays
    const safe = new EvidenceSafe(evidenceKey, random)
    this.#preparation = new Preparation(safe)
    this.#reads = new JournalReads(database, clock, safe, keyDays)
    this.#group = new GroupCommit({
      run: candidates => this.#runBatch(candidates),
      queueMax: options.queueMax ?? 16_384,
      membersMax: options.membersMax ?? 1_024,
      bytesMax: 8_000_000,
      clock,
    })
    this.#writer = new Writer({
      ...options,
      settings: SESSION_SETTINGS,
      onChange: up => this.#changed(up),
    })
  }

  /** Throws NODE_RUNNING when another daemon of this node's name holds the database. */
  static async open(options: PostgresJournalOptions): Promise<PostgresJournal> {
    const journal = new PostgresJournal(options)
    try {
      await journal.#writer.start()
      await journal.maintain()
    } catch (error) {
      await journal.close()
      throw error
    }
    return journal
  }

  /** A server that hangs is as good as none: who waits behind its batch would wait in vain. */
  get available(): boolean {
    if (this.#closed || !this.#writer.up) return false
    const { clock } = this.#options
    return this.#busySinceMs === undefined || clock.nowMs() - this.#busySinceMs < STALL_MS
  }

  /** Batches and members so far, for the metrics. */
  get stats(): Readonly<GroupStats> {
    return this.#group.stats
  }

  /** Commits that wait for the next batch. */
  get waiting(): number {
    return this.#group.waiting
  }

  async commit(commit: J.Commit): Promise<J.CommitResult> {
    if (!this.available) throw new NadiError('JOURNAL_UNAVAILABLE')
    const one = candidate(commit, checkCommit(commit))
    this.#preparation.add(one)
    return this.#group.submit(one)
  }

  find(partner: string, id: TxnId): Promise<J.StoredTxn | undefined> {
    return this.#read(() => this.#reads.find(partner, id))
  }

  findByKey(partner: string, key: string): Promise<J.StoredTxn | undefined> {
    return this.#read(() => this.#reads.findByKey(partner, key))
  }

  findAnywhere(id: TxnId): Promise<J.StoredTxn | undefined> {
    return this.#read(() => this.#reads.findAnywhere(id))
  }

  async *open(): AsyncGenerator<J.StoredTxn> {
    try {
      yield* this.#reads.open(this.#options.node, LOCK_CLASS)
    } catch (error) {
      throw failure(error)
    }
  }

  list(filter: J.TxnFilter): Promise<J.TxnRow[]> {
    return this.#read(() => this.#reads.list(filter))
  }

  story(partner: string, id: TxnId): Promise<J.Story | undefined> {
    return this.#read(() => this.#reads.story(partner, id))
  }

  balances(partner?: string): Promise<J.Balance[]> {
    return this.#read(() => this.#reads.balances(partner))
  }

  audit(): Promise<J.AuditReport> {
    return this.#read(() => auditDatabase(this.#options.database))
  }

  openSummary(): Promise<J.OpenSummary[]> {
    return this.#read(() => this.#reads.openSummary())
  }

  newestId(): Promise<TxnId | undefined> {
    return this.#read(() => this.#reads.newestId())
  }

  /** Makes the partitions of today and tomorrow; runs by itself at the start and every hour. */
  async maintain(): Promise<void> {
    const { clock, log } = this.#options
    this.#cancelMaintain?.()
    this.#cancelMaintain = clock.at(clock.nowMs() + MAINTAIN_MS, () => {
      this.maintain().catch((error: unknown) => {
        log.warn('partitions could not be made', { text: errorText(error) })
      })
    })
    const today = dayAt(clock.nowMs())
    await this.#makeDays([today, today + 1])
  }

  /** Takes nothing more, brings what waits to its end, and gives the node's lock back. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelMaintain?.()
    await this.#group.idle()
    await this.#writer.close()
  }

  async #makeDays(days: Iterable<number>): Promise<void> {
    for (const day of days) {
      if (this.#days.has(day)) continue
      await this.#options.database.pool.query('SELECT make_day($1)', [day])
      this.#days.add(day)
    }
  }

  #changed(up: boolean): void {
    const { log } = this.#options
    if (up) log.info('the journal is up')
    else log.warn('the journal lost its connection')
    if (!up) return
    for (const go of this.#waitingForWriter.splice(0)) go()
  }

  async #runBatch(candidates: readonly Candidate[]): Promise<readonly Outcome[]> {
    const { clock, onBatch } = this.#options
    const fromMs = clock.nowMs()
    this.#busySinceMs = fromMs
    const members = this.#preparation.take(candidates)
    const outcomes = await this.#run(members, false)
    this.#busySinceMs = undefined
    onBatch?.(members.length, clock.nowMs() - fromMs)
    return outcomes
  }

  /** One batch, as often as it takes; `again` when it may have got through before. */
  async #run(members: readonly Member[], again: boolean): Promise<Outcome[]> {
    const { clock, retryMs = 10_000, log } = this.#options
    let untilMs = Infinity
    for (let retries = 0; ;) {
      try {
        await this.#daysOf(members)
        // Where one was refused the next is likely to be, so it is judged before it is tried.
        if (this.#judging) return await this.#judge(members, again)
        await this.#commitAll(members, false)
        return members.map(() => DONE)
      } catch (error) {
        const remedy = remedyOf(error)
        if (remedy === 'judge') {
          this.#judging = true
          if (++retries <= RETRIES_MAX) continue
        } else if (remedy === 'reconnect') {
          again = true
          untilMs = Math.min(untilMs, clock.nowMs() + retryMs)
          await this.#pause(RECONNECT_PAUSE_MS)
          if (clock.nowMs() < untilMs && (await this.#writerUp(untilMs))) continue
        } else if (remedy === 'repeat' && ++retries <= RETRIES_MAX) {
          this.#judging = true
          await this.#pause(10 * retries)
          continue
        } else if (remedy === 'split' || remedy === 'repeat') {
          if (members.length > 1) return this.#split(members, again)
          log.error('the journal refused a commit', { state: sqlState(error) })
          return [new NadiError('JOURNAL_REFUSED', { actual: sqlState(error) ?? '' })]
        } else log.error('the journal cannot write', { state: sqlState(error) })
        return members.map(() => new NadiError('JOURNAL_UNAVAILABLE'))
      }
    }
  }

  /** One of these breaks the batch: halves, until it is alone. */
  async #split(members: readonly Member[], again: boolean): Promise<Outcome[]> {
    const middle = members.length >> 1
    const left = await this.#run(members.slice(0, middle), again)
    return [...left, ...(await this.#run(members.slice(middle), again))]
  }

  async #commitAll(members: readonly Member[], judged: boolean): Promise<void> {
    await this.#writer.query({
      name: 'commit batch',
      text: COMMIT_SQL,
      values: commitValues(this.#options.node, members, this.#keyDays, judged),
    })
  }

  async #judge(members: readonly Member[], again: boolean): Promise<Outcome[]> {
    const { rows } = await this.#writer.query<{ verdicts: number[]; details: string[] }>({
      name: 'judge batch',
      text: JUDGE_SQL,
      values: judgeValues(members, this.#keyDays),
    })
    const { verdicts = [], details = [] } = rows[0] ?? {}
    const good = members.filter((_, m) => verdicts[m] === NOT_REFUSED)
    this.#judging = good.length < members.length
    if (good.length > 0) await this.#commitAll(good, true)
    return members.map((member, m) => {
      const verdict = verdicts[m] ?? NOT_REFUSED
      if (verdict === NOT_REFUSED) return DONE
      const detail = BigInt(details[m] ?? 0)
      return again ? this.#oursOr(member, verdict, detail) : this.#result(member, verdict, detail)
    })
  }

  /** A commit never fails for a missing partition: an id of an unknown day makes it first. */
  #daysOf(members: readonly Member[]): Promise<void> | undefined {
    const missing = new Set<number>()
    for (const { commit } of members) {
      const day = dayOf(commit.head.id)
      if (commit.expects === 0 && !this.#days.has(day)) missing.add(day)
    }
    return missing.size === 0 ? undefined : this.#makeDays(missing)
  }

  #result(
    { commit }: Member,
    verdict: number,
    detail: bigint,
  ): J.CommitResult | Promise<J.CommitResult> {
    if (verdict === CONFLICT) return { tag: 'conflict', version: Number(detail) }
    if (verdict === DUPLICATE_KEY) return this.#duplicate(commit, 'key', detail)
    if (verdict === DUPLICATE_INQUIRY) return this.#duplicate(commit, 'inquiry', detail)
    return { tag: 'insufficient-funds', availableMinor: detail as AmountMinor }
  }

  async #duplicate({ head }: J.Commit, on: 'key' | 'inquiry', id: bigint): Promise<J.CommitResult> {
    const existing = await this.find(head.partner, id as TxnId)
    if (!existing) throw new NadiError('JOURNAL_UNAVAILABLE')
    return { tag: 'duplicate', on, existing }
  }

  /** Handed in for the second time: is the record that stands in its place our own? */
  async #oursOr(member: Member, verdict: number, detail: bigint): Promise<J.CommitResult> {
    const { head, expects, records, tag } = member.commit
    const last = records[records.length - 1]
    const { data = 0, state = 0, evidence = 0 } = member.parts[records.length - 1] ?? {}
    const bytes = member.bytes.subarray(member.bytes.length - data - state - evidence)
    const stored = await this.#read(() =>
      this.#options.database.pool.query(
        `SELECT FROM record WHERE partner = $1 AND txn_id = $2 AND day = $3 AND version = $4
            AND at_ms = $5 AND event = $6 AND tag = $7 AND state = $8
            AND coalesce(data, '') = $9 AND coalesce(evidence, '') = $10`,
        [
          head.partner,
          `${head.id}`,
          dayOf(head.id),
          expects + records.length,
          last?.atMs,
          last?.event,
          tag,
          bytes.toString('utf8', data, data + state),
          bytes.toString('utf8', 0, data),
          bytes.subarray(data + state),
        ],
      ),
    )
    return stored.rowCount === 1 ? DONE : this.#result(member, verdict, detail)
  }

  async #read<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      throw failure(error)
    }
  }

  async #writerUp(untilMs: number): Promise<boolean> {
    const { clock } = this.#options
    while (!this.#writer.up && clock.nowMs() < untilMs)
      await new Promise<void>(go => {
        const cancel = clock.at(untilMs, go)
        this.#waitingForWriter.push(() => {
          cancel()
          go()
        })
      })
    return this.#writer.up
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#options
    return new Promise(go => {
      clock.at(clock.nowMs() + ms, go)
    })
  }
}
