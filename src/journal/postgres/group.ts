import { BoundedQueue, type Clock, NadiError } from '#base'
import type { CommitResult } from '../journal.ts'

export type Grouped = {
  /** What no two members of one batch may share. */
  readonly claims: readonly string[]
  /** About how many bytes it adds to its batch. */
  readonly size: number
  /** Nobody waits for it: it leaves with the next that is waited for, or when it has lingered enough. */
  readonly mayLinger: boolean
}

/** What became of one member; a promise where finding it out takes a further look, a failure as a value. */
export type Outcome = CommitResult | Promise<CommitResult> | NadiError

export type GroupOptions<M> = {
  /** Makes one batch durable: one outcome for each member, in order. Never throws. */
  readonly run: (members: readonly M[]) => Promise<readonly Outcome[]>
  /** Commits that may wait; one more is JOURNAL_FULL. */
  readonly queueMax: number
  readonly membersMax: number
  readonly bytesMax: number
  readonly clock: Clock
}

export type GroupStats = { batches: number; members: number; lastMembers: number }

type Waiting<M> = {
  readonly member: M
  readonly resolve: (result: CommitResult | Promise<CommitResult>) => void
  readonly reject: (failure: NadiError) => void
}

/** Below this a batch costs more for its own sake than for its members. */
const BURST = 64

const LINGER_MS = 20

/**
 * Group commit: while one batch is on its way the next gathers, and leaves when the first is back.
 * No timer: a lone commit leaves at once, unless nobody waits for it (mayLinger). Commits that
 * share a txn, a request key or an inquiry
 * travel in different batches, in the order in which they were handed in, so that a batch can be
 * judged as a set.
 */
export class GroupCommit<M extends Grouped> {
  readonly stats: GroupStats = { batches: 0, members: 0, lastMembers: 0 }
  readonly #options: GroupOptions<M>
  readonly #queue: BoundedQueue<Waiting<M>>
  /** Held back by a claim of the batch before; first in the next one. */
  #held: Waiting<M>[] = []
  /** Of those that wait, how many are waited for. */
  #hurried = 0
  #running: Promise<void> | undefined
  #lingering: (() => void) | undefined

  constructor(options: GroupOptions<M>) {
    this.#options = options
    this.#queue = new BoundedQueue(options.queueMax)
  }

  get waiting(): number {
    return this.#queue.size + this.#held.length
  }

  submit(member: M): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      if (this.waiting >= this.#options.queueMax || !this.#queue.push({ member, resolve, reject }))
        return reject(new NadiError('JOURNAL_FULL'))
      if (!member.mayLinger) this.#hurried++
      if (!member.mayLinger) this.#go()
      else if (!this.#running) this.#linger()
    })
  }

  /** Resolves when nothing waits and nothing is on its way. */
  async idle(): Promise<void> {
    while (this.waiting > 0 || this.#running) {
      this.#go()
      await this.#running
    }
  }

  #go(): void {
    this.#lingering?.()
    this.#lingering = undefined
    this.#running ??= this.#run()
  }

  #linger(): void {
    const { clock } = this.#options
    this.#lingering ??= clock.at(clock.nowMs() + LINGER_MS, () => this.#go())
  }

  async #run(): Promise<void> {
    // What the same turn of the event loop hands in travels together. Of a burst the first half goes
    // ahead: else all would come back together, and keeper and callers would wait in turns forever.
    await Promise.resolve()
    let most = this.waiting > BURST ? this.waiting >> 1 : Infinity
    do {
      const batch = this.#take(Math.min(most, this.#options.membersMax))
      most = Infinity
      this.stats.batches++
      this.stats.members += batch.length
      this.stats.lastMembers = batch.length
      const outcomes = await this.#options.run(batch.map(({ member }) => member))
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index] as Outcome
        if (outcome instanceof NadiError) reject(outcome)
        else resolve(outcome)
      }
    } while (this.#hurried > 0)
    this.#running = undefined
    if (this.waiting > 0) this.#linger()
  }

  #take(membersMax: number): Waiting<M>[] {
    const { bytesMax } = this.#options
    const batch: Waiting<M>[] = []
    const later: Waiting<M>[] = []
    const claimed = new Set<string>()
    let taken = 0
    let bytes = 0
    while (batch.length < membersMax && later.length < membersMax && bytes < bytesMax) {
      const next = this.#held[taken] ?? this.#queue.shift()
      if (!next) break
      taken++
      const { claims } = next.member
      const free = !claims.some(claim => claimed.has(claim))
      // Who has to wait claims as well: whoever comes after it must not overtake it.
      for (const claim of claims) claimed.add(claim)
      if (free) bytes += next.member.size
      if (free && !next.member.mayLinger) this.#hurried--
      if (free) batch.push(next)
      else later.push(next)
    }
    this.#held = [...later, ...this.#held.slice(taken)]
    return batch
  }
}
