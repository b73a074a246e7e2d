import { type AmountMinor, minor, NadiError } from '#base'
import { below, type QrObject, readObjects } from './objects.ts'
import type { RawObject } from './code.ts'

/** What a value must look like, and the same in words. */
export type Form = readonly [pattern: RegExp, expected: string]

/** Printable characters of ASCII (EMVCo: alphanumeric special). */
export const ascii = (max: number): Form => [
  new RegExp(`^[\\x20-\\x7e]{1,${max}}$`),
  `1 to ${max} printable characters`,
]

/**
 * The objects of a code or of a template in it, taken one after the other; what was not taken is
 * left for `rest`. Whatever is wrong is thrown with its path and offset, never with its value.
 */
export class Reader {
  readonly path: string
  readonly #objects: Map<string, QrObject>
  readonly #at: number

  /** Throws QRIS_SYNTAX. */
  constructor(text: string, path: string, at: number) {
    this.path = path
    this.#at = at
    this.#objects = readObjects(text, path, at)
  }

  get ids(): string[] {
    return [...this.#objects.keys()]
  }

  /** Throws QRIS_VALUE when it has another form. */
  take(id: string, [pattern, expected]: Form): string | undefined {
    const object = this.#objects.get(id)
    if (!object) return undefined
    if (!pattern.test(object.value)) throw this.wrong(id, expected)
    this.#objects.delete(id)
    return object.value
  }

  /** Throws QRIS_MISSING when it is not there. */
  need(id: string, form: Form): string {
    const value = this.take(id, form)
    if (value !== undefined) return value
    throw new NadiError('QRIS_MISSING', { path: below(this.path, id), offset: this.#at })
  }

  /** The objects inside of an object. */
  open(id: string): Reader | undefined {
    const object = this.#objects.get(id)
    if (!object) return undefined
    this.#objects.delete(id)
    return new Reader(object.value, below(this.path, id), object.offset + 4)
  }

  amount(id: string): AmountMinor | undefined {
    const text = this.take(id, AMOUNT)
    if (text === undefined) return undefined
    const [whole = '', sen = ''] = text.split('.')
    return minor(BigInt(whole) * 100n + BigInt(sen.padEnd(2, '0')))
  }

  /** As they stand, in the order of their ids; undefined when there are none. */
  rest(): readonly RawObject[] | undefined {
    const left = [...this.#objects.values()].map(({ id, value }) => ({ id, value }))
    return left.length === 0 ? undefined : left.sort((a, b) => Number(a.id) - Number(b.id))
  }

  wrong(id: string, expected: string): NadiError {
    const { offset = this.#at } = this.#objects.get(id) ?? {}
    return new NadiError('QRIS_VALUE', { path: below(this.path, id), offset, expected })
  }
}

/** `1000`, `1000.` and `1000.00` are the same (QRIS 4.7); nothing of nought. */
const AMOUNT: Form = [
  /^(?=.{1,13}$)(?=.*[1-9])\d+(\.\d{0,2})?$/,
  'an amount above 0 of up to 13 characters, with a point before up to two decimals',
]
