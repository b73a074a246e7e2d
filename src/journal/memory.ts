import { assert, type AmountMinor, type Clock, fromJson, NadiError, txnIdMs } from '#base'
import type { TxnId } from '#base'
import { type AccountName, NEVER_NEGATIVE } from '#ledger'
import { auditStore } from './memory-audit.ts'
import { checkCommit, type CommitTexts } from './check.ts'
import type * as J from './journal.ts'
import { changesOf } from './legs.ts'

/** One txn as it lies in the store: JSON stays text, so that nobody can change it from outside. */
export type MemoryTxn = {
  readonly head: J.TxnHead
  version: number
  tag: string
  stateText: string
  owes: J.Obligation | undefined
  changedAtMs: number
  readonly records: (Omit<J.NewRecord, 'data'> & { dataText: string; version: number })[]
  readonly postings: J.StoredPosting[]
}

/** What is durable. It outlives the journal that wrote it, as a disk outlives a process. */
export class MemoryStore {
  readonly txns = new Map<TxnId, MemoryTxn>()
  readonly keys = new Map<string, TxnId>()
  readonly inquiries = new Map<string, TxnId>()
  readonly open = new Set<TxnId>()
  /** By partner, then by account. */
  readonly balances = new Map<string, Map<AccountName, bigint>>()
}

export type MemoryJournalOptions = {
  readonly clock: Clock
  /** Defaults to a new, empty one. */
  readonly store?: MemoryStore
  /** How long the next commit takes to become durable; without it no time passes at all. */
  readonly commitDelayMs?: () => number
  /** Commits that may wait at once; one more is JOURNAL_FULL. */
  readonly inFlightMax?: number
}

type Pending = {
  readonly commit: J.Commit
  readonly texts: CommitTexts
  readonly cancel: () => void
}

/** The journal of the simulated world and of tests that look at behaviour only. */
export class MemoryJournal implements J.Journal {
  readonly store: MemoryStore
  readonly #clock: Clock
  readonly #commitDelayMs: (() => number) | undefined
  readonly #inFlightMax: number
  /** In the order they were handed in, which is the order they become durable in. */
  readonly #pending = new Set<Pending>()
  #lastDueMs = 0
  #state: 'up' | 'down' | 'closed' | 'crashed' = 'up'

  constructor({ clock, store, commitDelayMs, inFlightMax }: MemoryJournalOptions) {
    this.store = store ?? new MemoryStore()
    this.#clock = clock
    this.#commitDelayMs = commitDelayMs
    this.#inFlightMax = inFlightMax ?? 16_384
  }

  get available(): boolean {
    return this.#state === 'up'
  }

  /** Takes the keeper away, or gives it back: commits are refused at once while it is away. */
  setAvailable(available: boolean): void {
    if (this.#state === 'up' || this.#state === 'down') this.#state = available ? 'up' : 'down'
  }

  async commit(commit: J.Commit): Promise<J.CommitResult> {
    if (this.#state === 'crashed') return new Promise(() => {})
    if (this.#state !== 'up') throw new NadiError('JOURNAL_UNAVAILABLE')
    const texts = checkCommit(commit)
    if (!this.#commitDelayMs) return this.#apply(commit, texts)
    if (this.#pending.size >= this.#inFlightMax) throw new NadiError('JOURNAL_FULL')
    const dueMs = Math.max(this.#clock.nowMs() + this.#commitDelayMs(), this.#lastDueMs)
    this.#lastDueMs = dueMs
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        commit,
        texts,
        cancel: this.#clock.at(dueMs, () => {
          this.#pending.delete(pending)
          try {
            resolve(this.#apply(commit, texts))
          } catch (error) {
            reject(error)
          }
        }),
      }
      this.#pending.add(pending)
    })
  }

  /**
   * The process dies. What is in flight is never answered; `durable` is asked for each commit in
   * order whether it had reached the disk, and from the first no on all are lost, since batches
   * are made durable one after another. Open a new journal over the same `store` afterwards.
   */
  crash(durable: () => boolean = () => false): void {
    this.#state = 'crashed'
    let lost = false
    for (const { commit, texts, cancel } of this.#pending) {
      cancel()
      lost ||= !durable()
      if (!lost) this.#apply(commit, texts)
    }
    this.#pending.clear()
  }

  async find(partner: string, id: TxnId): Promise<J.StoredTxn | undefined> {
    const txn = this.store.txns.get(id)
    return txn?.head.partner === partner ? stored(txn) : undefined
  }

  async findByKey(partner: string, key: string): Promise<J.StoredTxn | undefined> {
    const id = this.store.keys.get(`${partner} ${key}`)
    return id === undefined ? undefined : stored(this.#txn(id))
  }

  async findAnywhere(id: TxnId): Promise<J.StoredTxn | undefined> {
    const txn = this.store.txns.get(id)
    return txn && stored(txn)
  }

  async *open(): AsyncGenerator<J.StoredTxn> {
    for (const id of [...this.store.open].sort(ascending)) {
      const txn = this.#txn(id)
      if (txn.owes) yield stored(txn)
    }
  }

  async list(filter: J.TxnFilter): Promise<J.TxnRow[]> {
    const found = [...this.store.txns.values()].filter(txn => matches(txn, filter))
    found.sort((a, b) => ascending(b.head.id, a.head.id))
    return found.slice(0, filter.limit).map(row)
  }

  async story(partner: string, id: TxnId): Promise<J.Story | undefined> {
    const txn = this.store.txns.get(id)
    if (txn?.head.partner !== partner) return undefined
    const records = txn.records.map(record => ({
      ...storedRecord(record),
      ...(record.frames && { frames: record.frames }),
    }))
    return { ...stored(txn), records, postings: [...txn.postings] }
  }

  async balances(partner?: string): Promise<J.Balance[]> {
    const all: J.Balance[] = []
    for (const [owner, accounts] of this.store.balances) {
      if (partner !== undefined && owner !== partner) continue
      for (const [account, balance] of accounts)
        all.push({ partner: owner, account, balanceMinor: balance as AmountMinor })
    }
    return all.sort((a, b) => compare(a.partner, b.partner) || compare(a.account, b.account))
  }

  async audit(): Promise<J.AuditReport> {
    return auditStore(this.store)
  }

  async openSummary(): Promise<J.OpenSummary[]> {
    const sums = new Map<string, J.OpenSummary>()
    for (const id of this.store.open) {
      const { head, tag } = this.#txn(id)
      const name = `${tag} ${head.product} ${head.partner}`
      const before = sums.get(name)
      sums.set(name, {
        tag,
        product: head.product,
        partner: head.partner,
        count: (before?.count ?? 0) + 1,
        oldestAtMs: Math.min(before?.oldestAtMs ?? Infinity, txnIdMs(id)),
      })
    }
    return [...sums.values()]
  }

  async newestId(): Promise<TxnId | undefined> {
    let newest: TxnId | undefined
    for (const id of this.store.txns.keys()) if (newest === undefined || id > newest) newest = id
    return newest
  }

  async close(): Promise<void> {
    if (this.#state !== 'crashed') this.#state = 'closed'
  }

  #txn(id: TxnId): MemoryTxn {
    const txn = this.store.txns.get(id)
    assert(txn, 'the store lists a txn that it does not hold')
    return txn
  }

  #apply(commit: J.Commit, texts: CommitTexts): J.CommitResult {
    const { head, expects } = commit
    const refusal = expects === 0 ? this.#taken(head) : undefined
    if (refusal) return refusal
    const txn = this.store.txns.get(head.id)
    const version = txn?.head.partner === head.partner ? txn.version : 0
    if (version !== expects) return { tag: 'conflict', version }
    if (txn && version === 0) throw new NadiError('JOURNAL_REFUSED', { path: 'head.id' })
    const accounts = this.store.balances.get(head.partner) ?? new Map<AccountName, bigint>()
    const changes = changesOf(commit)
    for (const [account, change] of changes) {
      const balance = accounts.get(account) ?? 0n
      if (change < 0n && balance + change < 0n && NEVER_NEGATIVE.includes(account))
        return { tag: 'insufficient-funds', availableMinor: balance as AmountMinor }
    }
    for (const [account, change] of changes)
      accounts.set(account, (accounts.get(account) ?? 0n) + change)
    if (changes.size > 0) this.store.balances.set(head.partner, accounts)
    this.#write(txn ?? this.#begin(head), commit, texts)
    return { tag: 'committed' }
  }

  /** The promise that another txn holds already, if any. */
  #taken({ partner, key, inquiryId }: J.TxnHead): J.CommitResult | undefined {
    const byKey = key === undefined ? undefined : this.store.keys.get(`${partner} ${key}`)
    if (byKey !== undefined)
      return { tag: 'duplicate', on: 'key', existing: stored(this.#txn(byKey)) }
    const byInquiry =
      inquiryId === undefined ? undefined : this.store.inquiries.get(`${partner} ${inquiryId}`)
    if (byInquiry !== undefined)
      return { tag: 'duplicate', on: 'inquiry', existing: stored(this.#txn(byInquiry)) }
    return undefined
  }

  #begin(head: J.TxnHead): MemoryTxn {
    const { id, partner, key, inquiryId } = head
    const txn: MemoryTxn = {
      head: { ...head },
      version: 0,
      tag: '',
      stateText: 'null',
      owes: undefined,
      changedAtMs: 0,
      records: [],
      postings: [],
    }
    this.store.txns.set(id, txn)
    if (key !== undefined) this.store.keys.set(`${partner} ${key}`, id)
    if (inquiryId !== undefined) this.store.inquiries.set(`${partner} ${inquiryId}`, id)
    return txn
  }

  #write(txn: MemoryTxn, { head, records, tag, postings, owes }: J.Commit, texts: CommitTexts) {
    for (const [index, { atMs, event, tag, frames }] of records.entries()) {
      const copies = frames?.map(frame => ({ ...frame, bytes: frame.bytes.slice() }))
      txn.records.push({
        atMs,
        event,
        tag,
        dataText: texts.data[index] ?? '',
        version: ++txn.version,
        ...(copies && copies.length > 0 && { frames: copies }),
      })
      txn.changedAtMs = atMs
    }
    for (const { reason, legs } of postings)
      txn.postings.push({ reason, legs, version: txn.version, atMs: txn.changedAtMs })
    txn.tag = tag
    txn.stateText = texts.state
    txn.owes = owes && { ...owes }
    if (owes) this.store.open.add(head.id)
    else this.store.open.delete(head.id)
  }
}

function matches({ head, tag, owes }: MemoryTxn, filter: J.TxnFilter): boolean {
  const { partner, state, kind, product, customer, sinceMs } = filter
  return (
    (partner === undefined || head.partner === partner) &&
    (state === undefined || (state === 'open' ? owes !== undefined : tag === state)) &&
    (kind === undefined || head.kind === kind) &&
    (product === undefined || head.product === product) &&
    (customer === undefined || head.customer === customer) &&
    (sinceMs === undefined || txnIdMs(head.id) >= sinceMs)
  )
}

function row({ head, version, tag, owes, changedAtMs }: MemoryTxn): J.TxnRow {
  return { ...head, version, tag, owes, openedAtMs: txnIdMs(head.id), changedAtMs }
}

function stored(txn: MemoryTxn): J.StoredTxn {
  return { ...row(txn), state: fromJson(txn.stateText), records: txn.records.map(storedRecord) }
}

function storedRecord({ version, atMs, event, tag, dataText }: MemoryTxn['records'][number]) {
  return { version, atMs, event, tag, ...(dataText !== '' && { data: fromJson(dataText) }) }
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
