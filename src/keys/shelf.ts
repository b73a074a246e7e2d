import { type Clock, errorText, NadiError } from '#base'
import type { Log } from '#telemetry'
import { ending } from './lifecycle.ts'
import { applied } from './record.ts'
import type { HalfMadeKey, KeyAct, KeyBook, KeyChange, KeyRecord } from './record.ts'
import type { KeyRecords } from './records.ts'
import { Slots } from './slots.ts'

export type ShelfOptions = {
  readonly records: KeyRecords
  readonly clock: Clock
  readonly log: Log
}

/** More rivals in a row than this are no coincidence. */
const TRIES_MAX = 50
const RETRY_MS = 5000
const ITSELF = 'nadi'

/**
 * The book in memory, as new as its keeper says. Changes of this process go one after the other;
 * one that another daemon was faster than is decided anew on what that one left.
 *
 * What ends by time (overlaps, half-made keys) is ended here by the clock.
 */
export class KeyShelf {
  readonly #records: KeyRecords
  readonly #clock: Clock
  readonly #log: Log
  #book: KeyBook = { version: -1, keys: [], halves: [] }
  #slots = new Slots([])
  readonly #counts = new Map<string, number>()
  #last: Promise<unknown> = Promise.resolve()
  #cancelTimer: () => void = () => {}
  #closed = false

  private constructor({ records, clock, log }: ShelfOptions) {
    this.#records = records
    this.#clock = clock
    this.#log = log
  }

  /** Throws KEY_STORE. */
  static async open(options: ShelfOptions): Promise<KeyShelf> {
    const shelf = new KeyShelf(options)
    shelf.#take(await options.records.load())
    options.records.watch(() => shelf.#look())
    shelf.#look()
    return shelf
  }

  get keys(): readonly KeyRecord[] {
    return this.#book.keys
  }

  get halves(): readonly HalfMadeKey[] {
    return this.#book.halves
  }

  /** Acts of this process, since it started. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  get slots(): Slots {
    return this.#slots
  }

  /** Durable when it resolves. `decide` throws what stands against it, and may be asked again. */
  change(decide: (book: KeyBook) => KeyChange | undefined): Promise<void> {
    const changed = this.#last.then(() => this.#change(decide))
    this.#last = changed.catch(() => {})
    return changed
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    await this.#last
    await this.#records.close()
  }

  async #change(decide: (book: KeyBook) => KeyChange | undefined): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const book = this.#book
      const change = decide(book)
      if (!change) return
      if (await this.#records.commit(book.version, change)) {
        for (const { act } of change.acts) this.#counts.set(act, (this.#counts.get(act) ?? 0) + 1)
        return this.#take(applied(book, change))
      }
      this.#take(await this.#records.load())
    }
    throw new NadiError('KEY_STORE', { hint: 'others are changing it all the time' })
  }

  /** An older book than the one at hand is no news. */
  #take(book: KeyBook): void {
    if (book.version <= this.#book.version) return
    this.#book = book
    this.#slots = new Slots(book.keys)
    this.#arm()
  }

  #look(): void {
    if (this.#closed) return
    this.#records.load().then(
      book => this.#take(book),
      (error: unknown) => this.#log.warn('keys cannot be read', { text: errorText(error) }),
    )
  }

  #arm(): void {
    this.#cancelTimer()
    const ends = [
      ...this.#book.keys.flatMap(({ state, acceptedUntilMs }) =>
        state === 'previous' && acceptedUntilMs !== undefined ? [acceptedUntilMs] : [],
      ),
      ...this.#book.halves.map(({ expiresAtMs }) => expiresAtMs),
    ]
    if (ends.length > 0 && !this.#closed) this.#wake(Math.min(...ends))
  }

  #wake(atMs: number): void {
    this.#cancelTimer = this.#clock.at(atMs, () => {
      this.change(({ keys, halves }) => timeIsUp(keys, halves, this.#clock.nowMs())).catch(
        (error: unknown) => {
          // Nothing hangs on it: whether a key is accepted is looked up by time, too.
          this.#log.warn('keys cannot be ended', { text: errorText(error) })
          if (!this.#closed) this.#wake(this.#clock.nowMs() + RETRY_MS)
        },
      )
    })
  }
}

function timeIsUp(
  keys: readonly KeyRecord[],
  halves: readonly HalfMadeKey[],
  atMs: number,
): KeyChange | undefined {
  const put = ending(keys, atMs)
  const late = halves.filter(({ expiresAtMs }) => expiresAtMs <= atMs)
  if (put.length === 0 && late.length === 0) return undefined
  const act = ({ id, zone, type }: KeyRecord | HalfMadeKey, name: string, why: string): KeyAct => ({
    atMs,
    act: name,
    subject: id,
    zone,
    type,
    by: ITSELF,
    why,
  })
  return {
    put,
    dropHalves: late.map(({ id }) => id),
    acts: [
      ...put.map(key => act(key, 'revoke', 'the overlap ended')),
      ...late.map(half => act(half, 'expire', 'not all components came in time')),
    ],
  }
}
