import { CLASSES, type ContentClass, KIND_OF_CHAR } from '#iso8583'
import type { ValueKind } from '#message'
import type { Cursor } from './cursor.ts'
import type { ValueWriter } from './value-writer.ts'

/**
 * How one value stands on the wire: `n12`, `ans25`, `YYYYMMDD`, `rupiah x+n10`. Reading and writing
 * are each other's inverse. `name` goes into error paths only.
 */
export type Format = {
  /** Characters; undefined when it takes the rest of the data element. */
  readonly width: number | undefined
  /** At most so many, where it takes the rest. */
  readonly widthMax?: number
  /** It tells only a part of the value: checked when read, and another place must tell all of it. */
  readonly partial?: boolean
  /** The kinds of value of the normalized message that can be said this way. */
  readonly kinds: readonly ValueKind[]
  /** How an absent optional value stands on the wire: zeros, or spaces, or nothing at all. */
  readonly blank: '0' | ' ' | ''
  readonly read: (this: void, cursor: Cursor, name: string) => unknown
  readonly write: (this: void, writer: ValueWriter, value: never, name: string) => void
  /** The wire's text of a value, padded: what keys are made of. Fixed texts and digits only. */
  readonly normalise?: (value: string) => string
  /** The same in data, for those that straight code is made for; others go the general way. */
  readonly form?: Form
}

export type Form =
  | { readonly tag: 'digits' | 'integer'; readonly width: number }
  | { readonly tag: 'text' | 'zero-left'; readonly content: ContentClass; readonly width: number }
  | { readonly tag: 'rest'; readonly content: ContentClass; readonly max: number }
  | {
      readonly tag: 'money'
      /** Digits alone, without what stands before them. */
      readonly digits: number
      readonly before: '' | 'sign' | 'fee' | 'exponent' | 'currency'
      /** Decimals that it is written with, and read with where no exponent tells. */
      readonly decimals: number
    }
  | { readonly tag: 'hundredths'; readonly digits: number }
  /** Where year, month and day stand. */
  | { readonly tag: 'date'; readonly year: number; readonly month: number; readonly day: number }
  | { readonly tag: 'month' }
  | { readonly tag: 'time' }
  | { readonly tag: 'one-of'; readonly words: ReadonlyMap<string, string>; readonly width: number }

export const ZERO_CODE = 0x30
/** Above this many digits a number is no longer exact in a double. */
export const NUMBER_DIGITS_MAX = 15

export function readNumber(cursor: Cursor, width: number, name: string): number {
  const start = cursor.take(width, name)
  const { text } = cursor
  let value = 0
  for (let at = start; at < start + width; at++) {
    const digit = text.charCodeAt(at) - ZERO_CODE
    if (digit < 0 || digit > 9) throw cursor.wrong('CODEC_CONTENT', name, at, 'digits')
    value = value * 10 + digit
  }
  return value
}

export function checkDigits(cursor: Cursor, start: number, width: number, name: string): void {
  const { text } = cursor
  for (let at = start; at < start + width; at++) {
    const digit = text.charCodeAt(at) - ZERO_CODE
    if (digit < 0 || digit > 9) throw cursor.wrong('CODEC_CONTENT', name, at, 'digits')
  }
}

export function checkClass(
  cursor: Cursor,
  start: number,
  end: number,
  content: ContentClass,
  name: string,
): void {
  // The data element itself was checked to be printable when it was decoded.
  if (content === 'ans') return
  const { bits, text: allowed } = CLASSES[content]
  const { text } = cursor
  for (let at = start; at < end; at++) {
    if (((KIND_OF_CHAR[text.charCodeAt(at)] as number) & bits) === 0) {
      throw cursor.wrong('CODEC_CONTENT', name, at, allowed)
    }
  }
}
