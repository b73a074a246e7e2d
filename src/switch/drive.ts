import { assert, type Clock, formatTxnId, isNadiError, NadiError, type TxnId } from '#base'
import type { Commit, CommitResult } from '#journal'
import { book } from '#ledger'
import type { StoreAndForward } from '#saf'
import { next, type Question, type TxnEvent, type TxnState } from '#txn'
import { Askers, TIMEOUT, UNAVAILABLE } from './askers.ts'
import type { Incoming } from './incoming.ts'
import type { Live } from './live.ts'
import type { SwitchParts } from './options.ts'
import { commitOf, type Entry, type Payment } from './payment.ts'
import { Performer } from './perform.ts'
import type { Refusals } from './refusals.ts'

/** Between one try and the next while the journal is away; doubled each time. */
const WAIT_MIN_MS = 100
const WAIT_MAX_MS = 2000

/**
 * Drives payments: one event at a time through the machine, made durable, then made visible.
 *
 *   entry ─▶ next ─▶ frames that will leave ─▶ book ─▶ journal.commit ─▶ answers, sends
 *                                                          │ durable first, visible after (law 1)
 */
export class Driver {
  readonly #parts: SwitchParts
  readonly #clock: Clock
  readonly #live: Live
  readonly #refusals: Refusals
  readonly #askers: Askers
  readonly #performer: Performer

  constructor(parts: SwitchParts, live: Live, saf: StoreAndForward, refusals: Refusals) {
    this.#parts = parts
    this.#clock = parts.clock
    this.#live = live
    this.#refusals = refusals
    this.#askers = new Askers(parts)
    this.#performer = new Performer(
      parts,
      saf,
      (payment, entry) => this.post(payment, entry),
      (partner, id, entryFor) => void this.#postLate(partner, id, entryFor),
    )
  }

  /** Puts it into the payment's mailbox; one entry at a time is applied, in order. */
  post(payment: Payment, entry: Entry): void {
    payment.mailbox.push(entry)
    if (!payment.busy) void this.#empty(payment)
  }

  /** The same, with somebody on the line: answered when the entry is applied and the state allows it. */
  ask(payment: Payment, entry: Entry, incoming: Incoming, question: Question): void {
    const asker = this.#askers.add(payment, incoming, question)
    this.post(payment, { ...entry, asker })
  }

  /** The payment is looked up anew: by now it may be final and in the journal only. */
  async #postLate(
    partner: string,
    id: TxnId,
    entryFor: (payment: Payment) => Entry | undefined,
  ): Promise<void> {
    const payment = await this.#bringBack(partner, id)
    const entry = payment && entryFor(payment)
    if (entry) this.post(payment, entry)
    else if (payment) this.#live.leave(payment)
  }

  async #bringBack(partner: string, id: TxnId): Promise<Payment | undefined> {
    for (let waitMs = WAIT_MIN_MS; ; waitMs = Math.min(waitMs * 2, WAIT_MAX_MS)) {
      const known = this.#live.byId(id)
      if (known) return known
      try {
        const stored = await this.#parts.journal.find(partner, id)
        return stored && this.#live.of(stored)
      } catch (error) {
        if (!(error instanceof NadiError)) throw error
      }
      await this.#pause(waitMs)
    }
  }

  async #empty(payment: Payment): Promise<void> {
    payment.busy = true
    for (let entry; (entry = payment.mailbox.shift());) {
      if (entry.asker) entry.asker.ready = true
      if (entry.release) payment.release = entry.release
      await this.#apply(payment, entry)
      if (!isAsking(payment.state)) this.#release(payment)
      entry.applied?.()
    }
    payment.busy = false
    this.#live.leave(payment)
  }

  async #apply(payment: Payment, entry: Entry): Promise<void> {
    const before = payment.state
    const { policy, biller } = payment.product
    const step = entry.event ? next(before, entry.event, policy) : { state: before, actions: [] }
    const { state } = step
    if (state === before && !isNoted(entry)) return this.#askers.tellAll(payment)

    const plans = step.actions.map(action => this.#performer.plan(payment, action))
    if (entry.details) payment.details = { ...payment.details, ...entry.details }
    const told = this.#askers.toldIn(payment, state)
    const frames = [
      ...(entry.frames ?? []),
      ...plans.flatMap(plan => plan.frames),
      ...told.flatMap(({ evidence }) => evidence ?? []),
    ]
    const data = Object.assign(
      {},
      entry.data,
      ...plans.map(plan => plan.data),
    ) as Entry['data'] & {}
    const postings = book(before, state, payment.price, biller)
    const commit = commitOf(
      payment,
      { ...entry, data },
      state,
      this.#clock.nowMs(),
      frames,
      postings,
    )

    const result = await this.#commit(payment, commit, state !== before)
    if (result?.tag !== 'committed') return this.#notCommitted(payment, result)

    payment.state = state
    payment.version += commit.records.length
    if (state.tag !== 'sending') payment.carried = undefined
    const { id, partner, product } = payment.head
    if (before.tag !== state.tag)
      this.#parts.observer.paymentChanged(id, product, partner, before.tag, state.tag)
    for (const one of told) this.#askers.answer(payment, one)
    for (const plan of plans) plan.perform()
    this.#askers.tellAll(payment)
  }

  /**
   * Commits, and does not give up on a step that must be taken: while the journal is away the
   * payment waits in memory, and its partner with it. Undefined when it was given up.
   */
  async #commit(
    payment: Payment,
    commit: Commit,
    needed: boolean,
  ): Promise<CommitResult | undefined> {
    for (let waitMs = WAIT_MIN_MS; ; waitMs = Math.min(waitMs * 2, WAIT_MAX_MS)) {
      try {
        return await this.#parts.journal.commit(commit)
      } catch (error) {
        if (!(error instanceof NadiError)) throw error
        if (!this.#mayTryAgain(payment, commit, needed, error)) return undefined
      }
      await this.#pause(waitMs)
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      this.#clock.at(this.#clock.nowMs() + ms, resolve)
    })
  }

  #mayTryAgain(payment: Payment, commit: Commit, needed: boolean, error: NadiError): boolean {
    // Nothing has left yet and nothing will: a no can be given at once. But the hold may have
    // become durable unseen, so that has to be found out before the payment is forgotten.
    if (commit.expects === 0) {
      payment.abandoned = true
      this.#askers.refuseAll(payment, UNAVAILABLE)
      return isNadiError(error, 'JOURNAL_UNAVAILABLE')
    }
    if (needed && !isNadiError(error, 'JOURNAL_REFUSED')) return true
    const { code } = error
    this.#parts.log.error('a record was not stored', { txn: formatTxnId(payment.id), code })
    return false
  }

  #notCommitted(payment: Payment, result: CommitResult | undefined): void {
    switch (result?.tag) {
      case 'insufficient-funds':
        for (const { incoming, callOff } of payment.askers.splice(0)) {
          callOff()
          void this.#refusals.recorded(incoming, 'deposit-insufficient', 'deposit')
        }
        return
      case 'duplicate':
        return this.#live.join(payment, result.existing)
      case 'conflict':
        // Another node has taken it over: that one goes on with it.
        this.#parts.log.warn('lost a step to another node', { txn: formatTxnId(payment.id) })
        this.#live.forget(payment)
        return this.#askers.refuseAll(payment, TIMEOUT)
      case 'committed':
        return assert(false, 'a committed step is no refusal')
      case undefined:
        return this.#askers.tellAll(payment)
    }
  }

  #release(payment: Payment): void {
    payment.release?.()
    payment.release = undefined
  }
}

/** Events that are recorded although they change nothing: somebody will ask about them. */
const NOTED: ReadonlySet<TxnEvent['tag']> = new Set([
  'late-approved',
  'late-declined',
  'undone',
  'stands',
  'nothing',
  'undo-asked',
])

function isNoted({ event }: Entry): boolean {
  return !event || NOTED.has(event.tag)
}

function isAsking(state: TxnState): boolean {
  return 'phase' in state && state.phase === 'asking'
}
