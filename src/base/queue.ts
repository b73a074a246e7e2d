import { assert } from './assert.ts'

/** First in, first out, with a limit; full is an answer (false), not a longer queue (law 8). */
export class BoundedQueue<T> {
  readonly #limit: number
  #items: (T | undefined)[] = []
  #head = 0

  constructor(limit: number) {
    assert(limit > 0, 'a queue needs room for one')
    this.#limit = limit
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T): boolean {
    if (this.size >= this.#limit) return false
    this.#items.push(item)
    return true
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
