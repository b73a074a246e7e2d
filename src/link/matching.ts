import { AssertionFailed, errorText } from '#base'
import type { Clock } from '#base'
import { Seldom } from '#net'
import type { Log } from '#telemetry'
import type { Answer, LinkOptions, LinkRequest, NotSent } from './link.ts'
import { Memory } from './memory.ts'
import { explainUnmatched } from './nearest.ts'
import { Pending } from './pending.ts'

/** All that is remembered of a request that ended: frames and callers are let go. */
type Late<T> = LinkRequest<T>['late']

/** What became of an answer. */
export type Matched = 'answered' | 'late' | 'unmatched'

type MatchingOptions = Pick<LinkOptions, 'inFlightMax' | 'lateMemoryMs' | 'lateMemoryMax'>

/**
 * Brings answers to their requests by key. A request that ended is remembered for a while, so that
 * a late answer or a second one still finds it; what matches nothing is counted and explained.
 */
export class Matching<T> {
  readonly #clock: Clock
  readonly #log: Log
  readonly #unmatchedLog: Seldom
  readonly #pending: Pending<T>
  // Apart, so that a flood of answers does not push out the few that are still waited for.
  readonly #unanswered: Memory<Late<T>>
  readonly #answered: Memory<Late<T>>
  readonly #onEmpty: () => void
  readonly counts = { sent: 0, answered: 0, late: 0, unmatched: 0, unanswered: 0, notSent: 0 }

  constructor(options: MatchingOptions, { clock, log, onEmpty }: MatchingParts) {
    const { inFlightMax, lateMemoryMs, lateMemoryMax } = options
    this.#clock = clock
    this.#log = log
    this.#onEmpty = onEmpty
    this.#unmatchedLog = new Seldom(clock)
    this.#pending = new Pending(inFlightMax)
    this.#unanswered = new Memory(lateMemoryMs, lateMemoryMax)
    this.#answered = new Memory(lateMemoryMs, lateMemoryMax)
  }

  get inFlight(): number {
    return this.#pending.size
  }

  refuses(key: string): NotSent | undefined {
    return this.#pending.refuses(key)
  }

  /** The outcome of a request that was refused, in its own turn of the queue. */
  notSent(request: LinkRequest<T>, why: NotSent): void {
    this.counts.notSent++
    queueMicrotask(() => safely(this.#log, () => request.done({ tag: 'not-sent', why })))
  }

  /**
   * It is on its way. Where that takes a while (a connection is made first, a token fetched),
   * `recall` calls it back (true when no byte of it has left, and none will), and `left` is owed
   * when the first byte leaves.
   */
  sent(request: LinkRequest<T>, recall?: () => boolean): void {
    const { key, deadlineMs } = request
    this.#pending.add({
      request,
      recall: recall ?? ALREADY_GONE,
      callOff: this.#clock.at(deadlineMs, () => this.#expired(key)),
    })
    if (!recall) this.left()
  }

  left(): void {
    this.counts.sent++
  }

  /** It was on its way, and no byte of it left after all. */
  unsent(request: LinkRequest<T>, why: NotSent): void {
    const entry = this.#pending.takeOwn(request)
    if (!entry) return
    entry.callOff()
    this.#unsentEnd(request, why)
    if (this.#pending.size === 0) this.#onEmpty()
  }

  /** Its own exchange broke, or was given up. */
  lost(request: LinkRequest<T>, why: 'deadline' | 'broken'): void {
    const entry = this.#pending.takeOwn(request)
    if (!entry) return
    entry.callOff()
    this.#unansweredEnd(request, why)
    if (this.#pending.size === 0) this.#onEmpty()
  }

  answer(key: string, answer: Answer<T>): Matched {
    const entry = this.#pending.take(key)
    if (!entry) return this.#late(key, answer)
    entry.callOff()
    const { request } = entry
    this.#answered.remember(key, request.late, answer.atMs)
    this.counts.answered++
    safely(this.#log, () => request.done({ tag: 'answered', ...answer }))
    if (this.#pending.size === 0) this.#onEmpty()
    return 'answered'
  }

  /** The connection is gone: whatever was sent may or may not have been done. */
  broken(): void {
    for (const { request, recall, callOff } of this.#pending.takeAll()) {
      callOff()
      if (recall()) this.#unsentEnd(request, 'down')
      else this.#unansweredEnd(request, 'broken')
    }
  }

  #expired(key: string): void {
    const entry = this.#pending.take(key)
    if (!entry) return
    const { request, recall } = entry
    if (recall()) this.#unsentEnd(request, 'down')
    else this.#unansweredEnd(request, 'deadline')
    if (this.#pending.size === 0) this.#onEmpty()
  }

  #unsentEnd(request: LinkRequest<T>, why: NotSent): void {
    this.counts.notSent++
    safely(this.#log, () => request.done({ tag: 'not-sent', why }))
  }

  #unansweredEnd(request: LinkRequest<T>, why: 'deadline' | 'broken'): void {
    this.counts.unanswered++
    this.#unanswered.remember(request.key, request.late, this.#clock.nowMs())
    safely(this.#log, () => request.done({ tag: 'sent-no-answer', why }))
  }

  #late(key: string, answer: Answer<T>): Matched {
    const { atMs } = answer
    const late = this.#answered.recall(key, atMs) ?? this.#unanswered.recall(key, atMs)
    if (!late) return this.#unmatched(key)
    this.counts.late++
    safely(this.#log, () => late(answer))
    return 'late'
  }

  #unmatched(key: string): Matched {
    this.counts.unmatched++
    this.#explain(key)
    return 'unmatched'
  }

  #explain(key: string): void {
    const passedOver = this.#unmatchedLog.take()
    if (passedOver === undefined) return
    const reason = explainUnmatched(key, this.#pending.keys())
    this.#log.warn('an answer matches no request', { ...reason, passedOver })
  }
}

const ALREADY_GONE = (): boolean => false

export type MatchingParts = {
  readonly clock: Clock
  readonly log: Log
  /** Nothing is in flight any more. */
  readonly onEmpty: () => void
}

/** Calls back into someone else's code: what goes wrong there must not hurt the link or others. */
export function safely(log: Log, run: () => void): void {
  try {
    run()
  } catch (error) {
    // A bug is not survived: it goes up to where the process stops.
    if (error instanceof AssertionFailed) throw error
    log.error('a callback failed', { error: errorText(error) })
  }
}
