/**
 * The signatures that were used, each for as long as it would be believed: a request is taken once.
 * They lie in a few generations by the time that they name, and a generation that nobody would
 * believe any more is dropped whole:
 *
 *     │ ·· too old ·· │◀── window ── now ── window ──▶│ ·· too far ahead ·· │
 *          dropped      generation  generation  generation
 *
 * Of a signature 48 of its 256 bits are kept, which are as good as random: a million of them would
 * refuse one request in some hundred million that was no replay. Bounded: a key that has used up its
 * share has to wait, rather than be believed unseen.
 */
export class Replays {
  readonly #windowMs: number
  readonly #perKeyMax: number
  readonly #byKey = new Map<string, Map<number, Set<number>>>()

  constructor(windowMs: number, perKeyMax: number) {
    this.#windowMs = windowMs
    this.#perKeyMax = perKeyMax
  }

  /** Takes a signature that was found good and whose time lies within the window. */
  take(
    key: string,
    signature: Uint8Array,
    timeMs: number,
    nowMs: number,
  ): 'fresh' | 'used' | 'full' {
    let generations = this.#byKey.get(key)
    if (!generations) this.#byKey.set(key, (generations = new Map()))
    this.#drop(generations, nowMs)
    const generation = Math.floor(timeMs / this.#windowMs)
    const mark = Buffer.from(signature).readUIntBE(0, 6)
    if (generations.get(generation)?.has(mark)) return 'used'
    let count = 0
    for (const { size } of generations.values()) count += size
    if (count >= this.#perKeyMax) return 'full'
    const marks = generations.get(generation) ?? new Set()
    generations.set(generation, marks.add(mark))
    return 'fresh'
  }

  #drop(generations: Map<number, Set<number>>, nowMs: number): void {
    const oldestMs = nowMs - this.#windowMs
    for (const generation of generations.keys())
      if ((generation + 1) * this.#windowMs <= oldestMs) generations.delete(generation)
  }
}
