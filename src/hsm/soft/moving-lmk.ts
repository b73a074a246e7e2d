import type { Lmk } from './memory-lmk.ts'

/** Two LMKs while keys move from one to the other: both open, the new one only wraps. */
export class MovingLmk implements Lmk {
  readonly version: string
  readonly checkValue: string
  readonly #now: Lmk
  readonly #before: Lmk

  constructor(now: Lmk, before: Lmk) {
    this.version = now.version
    this.checkValue = now.checkValue
    this.#now = now
    this.#before = before
  }

  wrap(header: string, key: Uint8Array, paddedBytes: number): string {
    return this.#now.wrap(header, key, paddedBytes)
  }

  unwrap(block: string): Buffer | undefined {
    return this.#now.unwrap(block) ?? this.#before.unwrap(block)
  }

  wipe(): void {
    this.#now.wipe()
    this.#before.wipe()
  }
}
