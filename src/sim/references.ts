import { between, localTime, type Clock, type Random } from '#base'
import { hash } from './invent.ts'

/**
 * The biller's references, 32 characters, unique. The last seven are a check over the rest and the
 * customer, so that a payment's reference can be told for ours without remembering any inquiry,
 * even one from before a restart:
 *
 *     SIM 20261120091500 0001K2ZQ 0G7F3QA
 *     └┬┘ └─────┬──────┘ └──┬───┘ └──┬──┘
 *     3    14 time, WIB  8 sequence  7 check
 */
export class References {
  readonly #clock: Clock
  #sequence: number

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    // Somewhere in the middle, so that a restart within one second does not repeat.
    this.#sequence = between(random, 0, 2 ** 36)
  }

  /** `mark` is three characters: which kind of reference it is. */
  next(mark: string, customer: string): string {
    this.#sequence = (this.#sequence + 1) % 36 ** 8
    const sequence = this.#sequence.toString(36).toUpperCase().padStart(8, '0')
    const body = `${mark}${localTime(this.#clock.nowMs())}${sequence}`
    return body + check(body, customer)
  }
}

/** Whether a reference was given out by us, in an inquiry of this customer. */
export function isOurReference(reference: string, customer: string): boolean {
  return reference.length === 32 && reference.slice(25) === check(reference.slice(0, 25), customer)
}

function check(body: string, customer: string): string {
  return hash(body + customer, 15)
    .toString(36)
    .toUpperCase()
    .padStart(7, '0')
}
