import type { LinkRequest } from './link.ts'

export type Entry<T> = {
  readonly request: LinkRequest<T>
  /** Calls the request back: true when no byte of it has left, and none will. */
  readonly recall: () => boolean
  /** Calls the deadline off. */
  readonly callOff: () => void
}

/** Requests in flight by key, and no more of them than the counterpart takes. */
export class Pending<T> {
  readonly #max: number
  readonly #byKey = new Map<string, Entry<T>>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#byKey.size
  }

  refuses(key: string): 'full' | 'duplicate-key' | undefined {
    if (this.#byKey.has(key)) return 'duplicate-key'
    return this.#byKey.size >= this.#max ? 'full' : undefined
  }

  add(entry: Entry<T>): void {
    this.#byKey.set(entry.request.key, entry)
  }

  /** Takes the request out; undefined when none has this key. */
  take(key: string): Entry<T> | undefined {
    const entry = this.#byKey.get(key)
    if (entry) this.#byKey.delete(key)
    return entry
  }

  /** Takes it out if it is this very request, and not a later one with the same key. */
  takeOwn(request: LinkRequest<T>): Entry<T> | undefined {
    return this.#byKey.get(request.key)?.request === request ? this.take(request.key) : undefined
  }

  takeAll(): Entry<T>[] {
    const entries = [...this.#byKey.values()]
    this.#byKey.clear()
    return entries
  }

  keys(): Iterable<string> {
    return this.#byKey.keys()
  }
}
