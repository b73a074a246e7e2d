import type { TxnId } from '#base'
import type {
  Attempt,
  Ended,
  EventFilter,
  EventKey,
  KeyClaim,
  NewEvent,
  Next,
  RequestStore,
  StoredEvent,
  WebhookStore,
} from './store.ts'

/** Keeps in memory what postgres.ts keeps on disk: for worlds whose journal is in memory too. */
export class MemoryRequests implements RequestStore {
  readonly #claims = new Map<string, KeyClaim>()

  async claim(claim: KeyClaim): Promise<'new' | 'same' | 'other'> {
    const name = `${claim.partner} ${claim.key}`
    const first = this.#claims.get(name)
    if (!first) this.#claims.set(name, claim)
    return !first ? 'new' : first.content === claim.content ? 'same' : 'other'
  }

  async contentOf(partner: string, key: string): Promise<string | undefined> {
    return this.#claims.get(`${partner} ${key}`)?.content
  }

  async forget(beforeMs: number): Promise<void> {
    for (const [name, { atMs }] of this.#claims) if (atMs < beforeMs) this.#claims.delete(name)
  }
}

type Kept = { event: StoredEvent; readonly attempts: Attempt[] }

export class MemoryWebhooks implements WebhookStore {
  readonly #partners = new Set<string>()
  readonly #events = new Map<string, Kept>()
  #ended: Ended[] = []
  #seq = 0n

  async subscribe(partners: readonly string[]): Promise<void> {
    this.#partners.clear()
    for (const partner of partners) this.#partners.add(partner)
  }

  noteEnd(partner: string, txn: TxnId): void {
    if (this.#partners.has(partner)) this.#ended.push({ seq: ++this.#seq, partner, txn })
  }

  async ended(limit: number): Promise<Ended[]> {
    return this.#ended.slice(0, limit)
  }

  async expand(seqs: readonly bigint[], events: readonly NewEvent[], nowMs: number): Promise<void> {
    for (const event of events) {
      const name = nameOf(event)
      if (this.#events.has(name)) continue
      const fresh = { state: 'waiting', attempts: 0, tries: 0, dueAtMs: nowMs } as const
      this.#events.set(name, { event: { ...event, ...fresh }, attempts: [] })
    }
    this.#ended = this.#ended.filter(({ seq }) => !seqs.includes(seq))
  }

  async claimDue(
    room: ReadonlyMap<string, number>,
    nowMs: number,
    untilMs: number,
  ): Promise<StoredEvent[]> {
    const due = this.#waiting([...room.keys()]).filter(({ event }) => event.dueAtMs <= nowMs)
    due.sort((a, b) => a.event.dueAtMs - b.event.dueAtMs)
    const taken = [...Map.groupBy(due, ({ event }) => event.partner)].flatMap(([partner, some]) =>
      some.slice(0, room.get(partner)),
    )
    return taken.map(kept => (kept.event = { ...kept.event, dueAtMs: untilMs }))
  }

  async conclude(key: EventKey, attempt: Omit<Attempt, 'nth'>, next: Next): Promise<void> {
    const kept = this.#events.get(nameOf(key))
    if (!kept) return
    const { attempts, tries } = kept.event
    kept.attempts.push({ ...attempt, nth: attempts + 1 })
    const counted = { ...kept.event, attempts: attempts + 1, tries: tries + 1 }
    kept.event =
      next.tag === 'later' ? { ...counted, dueAtMs: next.dueAtMs } : { ...counted, state: next.tag }
  }

  async nextDueMs(partners: readonly string[]): Promise<number | undefined> {
    const due = this.#waiting(partners).map(({ event }) => event.dueAtMs)
    return due.length === 0 ? undefined : Math.min(...due)
  }

  async list({ partner, state, txn, limit }: EventFilter): Promise<StoredEvent[]> {
    return [...this.#events.values()]
      .map(({ event }) => event)
      .filter(
        event =>
          (partner === undefined || event.partner === partner) &&
          (state === undefined || event.state === state) &&
          (txn === undefined || event.txn === txn),
      )
      .sort((a, b) => (a.txn === b.txn ? b.version - a.version : a.txn < b.txn ? 1 : -1))
      .slice(0, limit)
  }

  async attempts(key: EventKey): Promise<Attempt[]> {
    return this.#events.get(nameOf(key))?.attempts.slice() ?? []
  }

  async replay(key: EventKey, nowMs: number): Promise<boolean> {
    const kept = this.#events.get(nameOf(key))
    if (kept) kept.event = { ...kept.event, state: 'waiting', tries: 0, dueAtMs: nowMs }
    return kept !== undefined
  }

  async prune(beforeMs: number): Promise<void> {
    for (const [name, { event }] of this.#events)
      if (event.state !== 'waiting' && event.atMs < beforeMs) this.#events.delete(name)
  }

  #waiting(partners: readonly string[]): Kept[] {
    return [...this.#events.values()].filter(
      ({ event }) => event.state === 'waiting' && partners.includes(event.partner),
    )
  }
}

function nameOf({ partner, txn, version }: EventKey): string {
  return `${partner} ${txn} ${version}`
}
