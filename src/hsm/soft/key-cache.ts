/** Keys that fit in; with their blocks they take about a kilobyte each. */
const KEPT_MAX = 1024

/**
 * Opened keys by their blocks, those used last kept longest. A key that is dropped is wiped, so
 * nobody else may hold on to it.
 */
export class KeyCache<K extends { readonly bytes: Uint8Array }> {
  readonly #max: number
  readonly #kept = new Map<string, K>()

  constructor(max = KEPT_MAX) {
    this.#max = max
  }

  get(block: string): K | undefined {
    const key = this.#kept.get(block)
    if (!key) return undefined
    // A Map remembers in which order its entries came: the first one is the one longest unused.
    this.#kept.delete(block)
    this.#kept.set(block, key)
    return key
  }

  set(block: string, key: K): void {
    if (this.#kept.size >= this.#max) {
      const [eldest] = this.#kept
      if (eldest) this.#drop(...eldest)
    }
    this.#kept.set(block, key)
  }

  clear(): void {
    for (const [block, key] of this.#kept) this.#drop(block, key)
  }

  #drop(block: string, key: K): void {
    key.bytes.fill(0)
    this.#kept.delete(block)
  }
}
