import { inspect } from 'node:util'

/**
 * A value that does not show itself: logged, inspected, put into a string or into JSON it prints
 * as `[secret]`. Only `reveal()` gives it out, and that word is easy to search for.
 */
export class Secret<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  reveal(): T {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
