import { applied } from './record.ts'
import type { KeyAct, KeyBook, KeyChange, KeyRecord } from './record.ts'
import { FOUND_MAX } from './records.ts'
import type { KeyFilter, KeyRecords } from './records.ts'

/** What several keepers in memory may share, as several daemons share a database. */
export class KeyMemory {
  book: KeyBook = { version: 0, keys: [], halves: [] }
  readonly all = new Map<string, KeyRecord>()
  readonly acts: KeyAct[] = []
  readonly watchers = new Set<() => void>()
}

/** Records in memory: for simulations and tests. */
export class MemoryKeyRecords implements KeyRecords {
  readonly #memory: KeyMemory
  #onChange: (() => void) | undefined

  constructor(memory = new KeyMemory()) {
    this.#memory = memory
  }

  async load(): Promise<KeyBook> {
    return this.#memory.book
  }

  async commit(version: number, change: KeyChange): Promise<boolean> {
    const memory = this.#memory
    if (memory.book.version !== version) return false
    memory.book = applied(memory.book, change)
    for (const key of change.put ?? []) memory.all.set(key.id, key)
    memory.acts.push(...change.acts)
    for (const tell of memory.watchers) queueMicrotask(tell)
    return true
  }

  async find({ id, zone, type, state, checkValue }: KeyFilter): Promise<KeyRecord[]> {
    const wanted = Object.entries({ id, zone, type, state, checkValue }).filter(
      ([, value]) => value !== undefined,
    )
    return [...this.#memory.all.values()]
      .filter(key => wanted.every(([name, value]) => key[name as keyof KeyRecord] === value))
      .toSorted((a, b) => b.madeAtMs - a.madeAtMs)
      .slice(0, FOUND_MAX)
  }

  async acts(subject: string): Promise<KeyAct[]> {
    return this.#memory.acts.filter(act => act.subject === subject)
  }

  watch(onChange: () => void): void {
    this.#onChange = onChange
    this.#memory.watchers.add(onChange)
  }

  async close(): Promise<void> {
    if (this.#onChange) this.#memory.watchers.delete(this.#onChange)
  }
}
