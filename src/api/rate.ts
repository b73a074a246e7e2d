import type { Rate } from './parts.ts'

type Bucket = { tokens: number; atMs: number }

/**
 * Token buckets by name: so many a second, so many at once. Memory is bounded: of more names than
 * fit the one that was quiet the longest is forgotten, and with it at most one burst.
 */
export class Buckets {
  readonly #rate: Rate
  readonly #namesMax: number
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate, namesMax: number) {
    this.#rate = rate
    this.#namesMax = namesMax
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes one; returns 0, or the milliseconds until there is one again. */
  take(name: string, nowMs: number): number {
    const { perSecond, burst } = this.#rate
    const known = this.#buckets.get(name)
    const bucket = known ?? { tokens: burst, atMs: nowMs }
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1000)
    bucket.atMs = nowMs
    this.#touch(name, bucket, known !== undefined)
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 1000) / perSecond)
    bucket.tokens -= 1
    return 0
  }

  #touch(name: string, bucket: Bucket, known: boolean): void {
    if (known) this.#buckets.delete(name)
    else if (this.#buckets.size >= this.#namesMax)
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest)
        break
      }
    this.#buckets.set(name, bucket)
  }
}

/** How many are at work under each name, and in all. */
export class InFlight {
  readonly #perNameMax: number
  readonly #max: number
  readonly #counts = new Map<string, number>()
  #total = 0

  constructor(perNameMax: number, max: number) {
    this.#perNameMax = perNameMax
    this.#max = max
  }

  get total(): number {
    return this.#total
  }

  enter(name: string): boolean {
    const count = this.#counts.get(name) ?? 0
    if (count >= this.#perNameMax || this.#total >= this.#max) return false
    this.#counts.set(name, count + 1)
    this.#total++
    return true
  }

  leave(name: string): void {
    const count = this.#counts.get(name) ?? 0
    if (count <= 1) this.#counts.delete(name)
    else this.#counts.set(name, count - 1)
    this.#total--
  }
}
