import { assert } from '#base'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** What a header that came back may be: of a request in flight, of an earlier one, of none. */
export type Known = 'used' | 'never'

/**
 * Message headers of one connection: a number that goes up by one, in as many characters as the
 * box is set to. The box gives each back with its answer, which is how answers find their requests.
 */
export class Headers {
  readonly #length: number
  readonly #count: number
  #sent = 0

  constructor(length: number) {
    assert(length >= 1 && length <= 255, 'a message header has 1 to 255 characters')
    this.#length = length
    this.#count = ALPHABET.length ** Math.min(length, 8)
  }

  /** How many requests may be in flight, so that a late answer is not taken for another's. */
  get inFlightMax(): number {
    return Math.max(1, Math.floor(this.#count / 2))
  }

  next(): string {
    return this.#write(this.#sent++ % this.#count)
  }

  /** Whether such a header was ever sent and can still be told from those to come. */
  known(header: string): Known {
    const number = this.#read(header)
    if (number === undefined) return 'never'
    const newest = this.#sent - 1
    const back = (((newest - number) % this.#count) + this.#count) % this.#count
    return back < Math.min(this.#sent, this.inFlightMax) ? 'used' : 'never'
  }

  #write(number: number): string {
    let text = ''
    for (let rest = number; text.length < Math.min(this.#length, 8);) {
      text = ALPHABET.charAt(rest % ALPHABET.length) + text
      rest = Math.floor(rest / ALPHABET.length)
    }
    return text.padStart(this.#length, '0')
  }

  #read(header: string): number | undefined {
    let number = 0
    for (const character of header) {
      const digit = ALPHABET.indexOf(character)
      if (digit < 0) return undefined
      number = number * ALPHABET.length + digit
    }
    return number < this.#count ? number : undefined
  }
}
