import { type Clock, formatTxnId, type TxnId } from '#base'
import type { Journal } from '#journal'
import type { Attempt, EventFilter, EventKey, StoredEvent, WebhookStore } from '../store.ts'
import { eventId, parseEventId } from './event.ts'

/** An event as people look at it. */
export type EventView = {
  readonly id: string
  readonly partner: string
  readonly payment: string
  readonly type: string
  readonly atMs: number
  readonly state: string
  readonly attempts: number
  /** While it waits. */
  readonly dueAtMs?: number
}

export type EventStory = EventView & { readonly log: readonly AttemptView[] }

export type AttemptView = {
  readonly nth: number
  readonly atMs: number
  readonly tookMs: number
  readonly status?: number
  readonly problem?: string
}

/** The delivery log, for partner support: read it, and have an event told again. */
export class WebhookDesk {
  readonly #store: WebhookStore
  readonly #journal: Pick<Journal, 'findAnywhere'>
  readonly #clock: Clock
  readonly #nudge: () => void

  constructor(
    store: WebhookStore,
    journal: Pick<Journal, 'findAnywhere'>,
    clock: Clock,
    nudge: () => void,
  ) {
    this.#store = store
    this.#journal = journal
    this.#clock = clock
    this.#nudge = nudge
  }

  async list(filter: EventFilter): Promise<EventView[]> {
    return (await this.#store.list(filter)).map(eventView)
  }

  async show(id: string): Promise<EventStory | undefined> {
    const key = await this.#find(id)
    const event = key && (await this.#eventOf(key))
    if (!event) return undefined
    const log = await this.#store.attempts(event)
    return { ...eventView(event), log: log.map(attemptView) }
  }

  /** The event, told once more from the beginning of the schedule; undefined when there is none. */
  async replay(id: string): Promise<EventView | undefined> {
    const key = await this.#find(id)
    if (!key || !(await this.#store.replay(key, this.#clock.nowMs()))) return undefined
    this.#nudge()
    const event = await this.#eventOf(key)
    return event && eventView(event)
  }

  async #find(id: string): Promise<EventKey | undefined> {
    const key = parseEventId(id)
    const owner = key && (await this.#journal.findAnywhere(key.txn))
    return owner && { ...key, partner: owner.partner }
  }

  async #eventOf({ partner, txn, version }: EventKey): Promise<StoredEvent | undefined> {
    const events = await this.#store.list({ partner, txn, limit: ENDS_MAX })
    return events.find(event => event.version === version)
  }
}

/** A payment is paid, and then perhaps reversed; more ends it cannot have. */
const ENDS_MAX = 16

function eventView(event: StoredEvent): EventView {
  const { partner, txn, type, atMs, state, attempts, dueAtMs } = event
  const payment: string = formatTxnId(txn satisfies TxnId)
  const waits = state === 'waiting' ? { dueAtMs } : {}
  return { id: eventId(event), partner, payment, type, atMs, state, attempts, ...waits }
}

function attemptView({ nth, atMs, tookMs, status, problem }: Attempt): AttemptView {
  return {
    nth,
    atMs,
    tookMs,
    ...(status !== undefined && { status }),
    ...(problem !== undefined && { problem }),
  }
}
