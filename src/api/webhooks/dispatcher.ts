import {
  type Clock,
  errorText,
  formatTxnId,
  NadiError,
  type Random,
  type Secret,
  type TxnId,
} from '#base'
import type { Looks } from '#switch'
import type { Log } from '#telemetry'
import type { Next, StoredEvent, WebhookStore } from '../store.ts'
import { eventBody, eventId, eventsOf } from './event.ts'
import type { Sender, Sent } from './sender.ts'
import { webhookHeaders } from './sign.ts'

export type WebhookTarget = {
  readonly url: string
  /** Every one of them signs, the newest first. */
  readonly secrets: readonly Secret<string>[]
}

export type WebhookOptions = {
  /** From one attempt to the next; after the last one it is given up. */
  readonly retriesMs: readonly number[]
  /** How long an event that came to its end can be read and replayed. */
  readonly keepMs: number
}

export type WebhookParts = {
  readonly store: WebhookStore
  readonly looks: Pick<Looks, 'payment'>
  readonly targets: ReadonlyMap<string, WebhookTarget>
  readonly sender: Sender
  readonly options: WebhookOptions
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Under way at once to one partner: a slow one must not be felt by another. */
const PER_PARTNER_MAX = 4
const EXPAND_MAX = 200
/** An attempt that nobody concluded is begun again after this long: its process has died. */
const LEASE_MS = 120_000
/** Other nodes' payments, and what a crash left, are found at this pace. */
const POLL_MS = 15_000
const FAILED_POLL_MS = 2_000
const PRUNE_MS = 3_600_000
/** So much of a wait is chance, so that what failed together does not come again together. */
const JITTER = 0.1
/** The endpoint is gone and wants no more of it (Standard Webhooks). */
const GONE = 410

/**
 * Tells partners of the ends of their payments. What has to be told is in the store with the end
 * itself, so a crash at any moment loses none; it may be told twice, under the same id.
 *
 * Whatever happens (an end, a free place, a timer), one `#run` looks at the store and does what is
 * due. Events never act; they only nudge.
 */
export class WebhookDispatcher {
  readonly #parts: WebhookParts
  readonly #inFlight = new Map<string, number>()
  readonly #sending = new Set<Promise<void>>()
  #running: Promise<void> | undefined
  #again = false
  #stopped = false
  #wake: (() => void) | undefined
  #pruneAtMs = 0

  constructor(parts: WebhookParts) {
    this.#parts = parts
  }

  /** Throws JOURNAL_UNAVAILABLE. */
  async start(): Promise<void> {
    await this.#parts.store.subscribe([...this.#parts.targets.keys()])
    this.nudge()
  }

  /** A payment has come to its end. */
  noteEnd(partner: string, txn: TxnId): void {
    if (!this.#parts.targets.has(partner)) return
    this.#parts.store.noteEnd(partner, txn)
    this.nudge()
  }

  nudge(): void {
    if (this.#stopped || this.#parts.targets.size === 0) return
    this.#again = true
    this.#running ??= this.#run()
  }

  /** Begins no attempt any more, and waits for those under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake?.()
    await this.#running
    await Promise.all(this.#sending)
    await this.#parts.sender.close()
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    let nextMs = clock.nowMs() + FAILED_POLL_MS
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false
        await this.#expand()
        await this.#begin()
        await this.#prune()
        nextMs = await this.#nextMs()
      }
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      nextMs = clock.nowMs() + FAILED_POLL_MS
      log.warn('webhooks wait for the journal', { code: error.code, text: errorText(error.cause) })
    }
    // From here on without waiting: a nudge must find either a run that looks again, or none.
    this.#running = undefined
    this.#wake?.()
    if (!this.#stopped) this.#wake = clock.at(nextMs, () => this.nudge())
  }

  /** What is due and has no place yet is begun when a place is free. */
  async #nextMs(): Promise<number> {
    const { clock, store, targets } = this.#parts
    const dueMs = (await store.nextDueMs([...targets.keys()])) ?? Infinity
    const pollMs = clock.nowMs() + POLL_MS
    return dueMs > clock.nowMs() ? Math.min(dueMs, pollMs) : pollMs
  }

  /** Makes events of the ends that were remembered. */
  async #expand(): Promise<void> {
    const { store, looks, clock, log } = this.#parts
    for (;;) {
      const ended = await store.ended(EXPAND_MAX)
      if (ended.length === 0) return
      const payments = await Promise.all(
        ended.map(({ partner, txn }) => looks.payment(partner, txn)),
      )
      for (const [at, look] of payments.entries())
        if (!look)
          log.error('an end cannot be told: its product is not configured', {
            txn: formatTxnId(ended[at]?.txn ?? (0n as TxnId)),
          })
      const events = payments.flatMap(look => (look ? eventsOf(look) : []))
      const seqs = ended.map(({ seq }) => seq)
      await store.expand(seqs, events, clock.nowMs())
      if (ended.length < EXPAND_MAX) return
    }
  }

  async #begin(): Promise<void> {
    const { store, clock, targets } = this.#parts
    const room = new Map<string, number>()
    for (const partner of targets.keys()) {
      const free = PER_PARTNER_MAX - (this.#inFlight.get(partner) ?? 0)
      if (free > 0) room.set(partner, free)
    }
    if (room.size === 0) return
    const nowMs = clock.nowMs()
    for (const event of await store.claimDue(room, nowMs, nowMs + LEASE_MS)) {
      this.#count(event.partner, 1)
      const sending = this.#attempt(event).finally(() => {
        this.#sending.delete(sending)
        this.#count(event.partner, -1)
        this.nudge()
      })
      this.#sending.add(sending)
    }
  }

  /** Once, and what came of it is on record; when that fails it is done again after the lease. */
  async #attempt(event: StoredEvent): Promise<void> {
    const { store, clock, log } = this.#parts
    const atMs = clock.nowMs()
    try {
      const sent = await this.#send(event, atMs)
      const next = this.#nextAfter(sent, event.tries)
      const tookMs = clock.nowMs() - atMs
      const status = sent.tag === 'answered' ? sent.status : undefined
      const problem = sent.tag === 'failed' ? sent.problem : undefined
      await store.conclude(event, { atMs, tookMs, status, problem }, next)
      const { partner } = event
      const fields = { partner, event: eventId(event), status, problem }
      if (next.tag === 'failed') log.warn('a webhook was given up', fields)
      else if (next.tag === 'later') log.info('a webhook is tried again later', fields)
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      log.warn('an attempt at a webhook is not on record', { code: error.code })
    }
  }

  async #send(event: StoredEvent, nowMs: number): Promise<Sent> {
    const { looks, targets, sender } = this.#parts
    const target = targets.get(event.partner)
    const look = await looks.payment(event.partner, event.txn)
    const end = look?.ends.find(({ version }) => version === event.version)
    if (!target || !look || !end) return { tag: 'failed', problem: 'gone' }
    const body = eventBody(look, end)
    return sender.post(
      target.url,
      webhookHeaders(eventId(event), nowMs, body, target.secrets),
      body,
    )
  }

  #nextAfter(sent: Sent, tries: number): Next {
    const { options, clock, random } = this.#parts
    if (sent.tag === 'answered' && sent.status >= 200 && sent.status < 300)
      return { tag: 'delivered' }
    const waitMs = options.retriesMs[tries]
    if (waitMs === undefined || (sent.tag === 'answered' && sent.status === GONE))
      return { tag: 'failed' }
    const jitterMs = waitMs * JITTER * random.next()
    return { tag: 'later', dueAtMs: Math.ceil(clock.nowMs() + waitMs + jitterMs) }
  }

  #count(partner: string, change: number): void {
    this.#inFlight.set(partner, (this.#inFlight.get(partner) ?? 0) + change)
  }

  async #prune(): Promise<void> {
    const { clock, store, options } = this.#parts
    const nowMs = clock.nowMs()
    if (nowMs < this.#pruneAtMs) return
    this.#pruneAtMs = nowMs + PRUNE_MS
    await store.prune(nowMs - options.keepMs)
  }
}
