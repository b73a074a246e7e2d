import type { Clock } from '#base'

/**
 * Store and forward: what must get to a destination, however late. The obligation itself is
 * durable already (it was committed with the state that owes it, and recovery brings it back after
 * a crash); this keeps its time in the running process:
 *
 *   later ──its time comes──▶ ready ──link up, and room──▶ going ──released──▶ gone
 *                               └── link down: parked, first in, first out, until it is up
 *
 * When a link comes back after an hour, what waited leaves at the pace the destination can take
 * (`goingMax` at once), not as one wave. One slow obligation does not block those behind it.
 */
export class StoreAndForward {
  readonly #clock: Clock
  readonly #goingMax: number
  readonly #isUp: (destination: string) => boolean
  readonly #queues = new Map<string, Queue>()

  constructor(clock: Clock, isUp: (destination: string) => boolean, goingMax: number) {
    this.#clock = clock
    this.#isUp = isUp
    this.#goingMax = goingMax
  }

  /** Runs `go` at `atMs`, or later when the destination is up and has room; it holds the place until it releases it. */
  schedule(destination: string, atMs: number, go: Go): void {
    const queue = this.#queue(destination)
    queue.later++
    this.#clock.at(atMs, () => {
      queue.later--
      queue.ready.push(go)
      this.nudge(destination)
    })
  }

  /** Lets go what may go. Called when anything changes; it looks at the state and nothing else. */
  nudge(destination: string): void {
    const queue = this.#queue(destination)
    while (queue.going < this.#goingMax && queue.ready.length > 0 && this.#isUp(destination)) {
      queue.going++
      const go = queue.ready.shift() as Go
      go(once(() => this.#release(destination, queue)))
    }
  }

  depths(): { destination: string; later: number; ready: number; going: number }[] {
    return [...this.#queues].map(([destination, { later, ready, going }]) => ({
      destination,
      later,
      ready: ready.length,
      going,
    }))
  }

  #release(destination: string, queue: Queue): void {
    queue.going--
    this.nudge(destination)
  }

  #queue(destination: string): Queue {
    let queue = this.#queues.get(destination)
    if (!queue) this.#queues.set(destination, (queue = { later: 0, ready: [], going: 0 }))
    return queue
  }
}

type Queue = { later: number; readonly ready: Go[]; going: number }

/** Its turn has come. Calls `release` when it has ended, one way or the other. */
export type Go = (release: () => void) => void

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    run()
  }
}
