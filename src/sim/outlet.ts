import type { Clock } from '#base'
import type { Connection } from '#net'

/**
 * The way out of one connection. Bytes leave at once, unless an answer is just dripping out byte by
 * byte (whatever comes then waits behind it, or two answers would mix) or one is held to share its
 * packet with the next.
 */
export class Outlet {
  readonly #connection: Connection
  readonly #clock: Clock
  #closed = false
  #held: Uint8Array | undefined
  /** Answers behind the one that drips; undefined when none does. */
  #behind: Uint8Array[] | undefined

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  send(bytes: Uint8Array): void {
    if (this.#closed) return
    if (this.#behind) {
      this.#behind.push(bytes)
      return
    }
    // Written in one turn, so they leave as one packet.
    if (this.#held) this.#release()
    // A peer that does not read its answers is left; a simulator must not grow for it.
    if (!this.#connection.write(bytes)) this.close('the peer does not read')
  }

  /** Waits for the next answer, at most so long. */
  hold(bytes: Uint8Array, waitMs: number): void {
    if (this.#closed) return
    if (this.#held || this.#behind) {
      this.send(bytes)
      return
    }
    this.#held = bytes
    this.#clock.at(this.#clock.nowMs() + waitMs, () => {
      if (this.#held === bytes) this.#release()
    })
  }

  drip(bytes: Uint8Array, everyMs: number): void {
    if (this.#closed) return
    if (this.#behind) {
      this.#behind.push(bytes)
      return
    }
    if (this.#held) this.#release()
    this.#behind = []
    this.#drop(bytes, 0, everyMs)
  }

  close(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#connection.destroy(reason)
  }

  /** The connection is gone. */
  closed(): void {
    this.#closed = true
  }

  #drop(bytes: Uint8Array, at: number, everyMs: number): void {
    if (this.#closed) return
    if (at === bytes.length) {
      const behind = this.#behind ?? []
      this.#behind = undefined
      for (const answer of behind) this.send(answer)
      return
    }
    this.#connection.write(bytes.subarray(at, at + 1))
    this.#clock.at(this.#clock.nowMs() + everyMs, () => this.#drop(bytes, at + 1, everyMs))
  }

  #release(): void {
    const held = this.#held
    this.#held = undefined
    if (held && !this.#closed) this.#connection.write(held)
  }
}
