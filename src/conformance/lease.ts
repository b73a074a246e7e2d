import type { Clock } from '#base'

/** A clock whose appointments can all be called off: what one case waits for ends with that case. */
export class LeasedClock implements Clock {
  readonly #clock: Clock
  readonly #callOffs = new Set<() => void>()
  #ended = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  at(atMs: number, run: () => void): () => void {
    if (this.#ended) return () => {}
    const cancel = this.#clock.at(atMs, () => {
      this.#callOffs.delete(callOff)
      run()
    })
    const callOff = (): void => {
      this.#callOffs.delete(callOff)
      cancel()
    }
    this.#callOffs.add(callOff)
    return callOff
  }

  end(): void {
    this.#ended = true
    for (const callOff of this.#callOffs) callOff()
  }
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise(resolve => {
    clock.at(clock.nowMs() + ms, resolve)
  })
}

/** Looks again and again until it is so; whether it ever was, by the end of that time. */
export async function until(
  clock: Clock,
  withinMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const endsAtMs = clock.nowMs() + withinMs
  while (!(await isSo())) {
    if (clock.nowMs() >= endsAtMs) return false
    await pause(clock, LOOK_EVERY_MS)
  }
  return true
}

const LOOK_EVERY_MS = 5
