type Remembered<V> = { readonly value: V; readonly untilMs: number }

/**
 * Remembers by key for a time, up to a number. Kept as two generations: when the younger one is
 * half of the number or has run for the whole time, it becomes the older one and what was older is
 * forgotten at once. So nothing is deleted one by one, and the newer half is always there.
 */
export class Memory<V> {
  readonly #forMs: number
  readonly #generationMax: number
  #young = new Map<string, Remembered<V>>()
  #old = new Map<string, Remembered<V>>()
  #youngSinceMs = 0

  constructor(forMs: number, max: number) {
    this.#forMs = forMs
    this.#generationMax = Math.ceil(max / 2)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  remember(key: string, value: V, nowMs: number): void {
    if (this.#generationMax === 0 || this.#forMs === 0) return
    this.#turn(nowMs)
    this.#young.set(key, { value, untilMs: nowMs + this.#forMs })
  }

  recall(key: string, nowMs: number): V | undefined {
    const found = this.#young.get(key) ?? this.#old.get(key)
    return found && nowMs < found.untilMs ? found.value : undefined
  }

  #turn(nowMs: number): void {
    const full = this.#young.size >= this.#generationMax
    if (!full && nowMs - this.#youngSinceMs < this.#forMs) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngSinceMs = nowMs
  }
}
