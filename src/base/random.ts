import { randomBytes } from 'node:crypto'

/** The only place that touches real chance (DESIGN.md, law 7). Everyone else is handed a Random. */
export interface Random {
  /** A number from 0 up to, not including, 1. */
  next(): number
  bytes(count: number): Uint8Array
}

/** Cryptographic chance from the operating system, drawn a block at a time. */
export class SystemRandom implements Random {
  #block = randomBytes(4096)
  #at = 0

  next(): number {
    const bytes = this.bytes(6)
    let value = 0
    for (const byte of bytes) value = value * 256 + byte
    return value / 2 ** 48
  }

  bytes(count: number): Uint8Array {
    if (count > this.#block.length) return randomBytes(count)
    if (this.#at + count > this.#block.length) {
      this.#block = randomBytes(4096)
      this.#at = 0
    }
    return this.#block.subarray(this.#at, (this.#at += count))
  }
}

/** Repeatable chance from one seed (sfc32, PractRand-clean): for simulations and tests, never for keys. */
export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    this.#c = 0x9e3779b9
    for (let i = 0; i < 12; i++) this.#draw()
  }

  next(): number {
    return this.#draw() / 2 ** 32
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#draw() & 0xff)
  }

  #draw(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}

/** A whole number from `from` up to and including `to`. */
export function between(random: Random, from: number, to: number): number {
  return from + Math.floor(random.next() * (to - from + 1))
}

/** True with the given probability. */
export function chance(random: Random, probability: number): boolean {
  return random.next() < probability
}

export function oneOf<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[Math.floor(random.next() * items.length)] as T
}
