/** The only place that touches real time (DESIGN.md, law 7). Everyone else is handed a Clock. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z. Never runs backwards within one process. */
  nowMs(): number
  /** Runs `run` once, at `atMs` or as soon after as can be; returns the way to call it off. */
  at(atMs: number, run: () => void): () => void
}

type Entry = { atMs: number; order: number; run: (() => void) | undefined }

/**
 * A binary heap of what is due, earliest first, then in the order it was asked for. Calling off
 * only empties the entry (most deadlines are called off, and finding them would cost more than
 * dropping them when they surface); when more than half are empty the heap is rebuilt.
 */
export class Timers {
  #heap: Entry[] = []
  #order = 0
  #empty = 0

  get nextMs(): number | undefined {
    this.#dropEmpty()
    return this.#heap[0]?.atMs
  }

  get size(): number {
    return this.#heap.length - this.#empty
  }

  add(atMs: number, run: () => void): () => void {
    const entry: Entry = { atMs, order: this.#order++, run }
    this.#heap.push(entry)
    this.#up(this.#heap.length - 1)
    return () => {
      if (!entry.run) return
      entry.run = undefined
      this.#empty++
      if (this.#empty > 64 && this.#empty * 2 > this.#heap.length) this.#rebuild()
    }
  }

  /** Takes out the earliest entry that is due by `nowMs`. */
  take(nowMs: number): { atMs: number; run: () => void } | undefined {
    this.#dropEmpty()
    const first = this.#heap[0]
    if (!first || first.atMs > nowMs) return undefined
    this.#pop()
    const run = first.run as () => void
    first.run = undefined
    return { atMs: first.atMs, run }
  }

  #dropEmpty(): void {
    while (this.#heap[0] && !this.#heap[0].run) {
      this.#pop()
      this.#empty--
    }
  }

  #rebuild(): void {
    this.#heap = this.#heap.filter(entry => entry.run)
    this.#empty = 0
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#down(i)
  }

  #pop(): void {
    const last = this.#heap.pop() as Entry
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    this.#down(0)
  }

  #up(index: number): void {
    const heap = this.#heap
    const entry = heap[index] as Entry
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as Entry
      if (before(above, entry)) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  #down(index: number): void {
    const heap = this.#heap
    const entry = heap[index] as Entry
    for (;;) {
      let child = index * 2 + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right && before(right, heap[child] as Entry)) child++
      const below = heap[child] as Entry
      if (before(entry, below)) break
      heap[index] = below
      index = child
    }
    heap[index] = entry
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** Real time. One operating-system timer for all that is due, however many requests wait. */
export class SystemClock implements Clock {
  readonly #timers = new Timers()
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Infinity
  #lastMs = 0

  nowMs(): number {
    const nowMs = Date.now()
    return (this.#lastMs = nowMs > this.#lastMs ? nowMs : this.#lastMs)
  }

  at(atMs: number, run: () => void): () => void {
    const cancel = this.#timers.add(atMs, run)
    if (atMs < this.#timerAtMs) this.#arm(atMs)
    return () => {
      cancel()
      if (this.#timers.size === 0) this.#disarm() // a process with nothing left to do may end
    }
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timerAtMs = Infinity
  }

  #arm(atMs: number): void {
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    // setTimeout takes at most 2^31-1 ms; waking early only means arming again.
    this.#timer = setTimeout(
      () => this.#due(),
      Math.min(Math.max(0, atMs - this.nowMs()), 2 ** 31 - 1),
    )
  }

  #due(): void {
    this.#timerAtMs = Infinity
    try {
      for (let due; (due = this.#timers.take(this.nowMs()));) due.run()
    } finally {
      const nextMs = this.#timers.nextMs
      if (nextMs !== undefined) this.#arm(nextMs)
    }
  }
}

/** Invented time: a day passes in a microsecond, in order. Used by the simulated world and tests. */
export class VirtualClock implements Clock {
  readonly #timers = new Timers()
  #nowMs: number

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  at(atMs: number, run: () => void): () => void {
    return this.#timers.add(Math.max(atMs, this.#nowMs), run)
  }

  /** When the next thing is due, or undefined when nothing is. */
  get nextMs(): number | undefined {
    return this.#timers.nextMs
  }

  /** Moves to the next thing due, at most to `endMs`, and runs it; false when nothing is due by then. */
  step(endMs: number): boolean {
    const due = this.#timers.take(endMs)
    if (!due) return false
    this.#nowMs = due.atMs
    due.run()
    return true
  }

  /** Runs all that is due until `endMs`, letting promises settle between one thing and the next. */
  async runUntil(endMs: number): Promise<void> {
    await settled()
    while (this.step(endMs)) await settled()
    this.#nowMs = Math.max(endMs, this.#nowMs)
  }
}

/** Resolves when every promise that could settle without time or I/O has settled. */
export function settled(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve)
  })
}
