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
  /** The kinds of value of the normalized message that can be said this way. */
  readonly kinds: readonly ValueKind[]
  /** How an absent optional value stands on the wire: zeros, or spaces, or nothing at all. */
  readonly blank: '0' | ' ' | ''
  readonly read: (this: void, cursor: Cursor, name: string) => unknown
  readonly write: (this: void, writer: ValueWriter, value: never, name: string) => void
  /** The wire's text of a value, padded: what keys are made of. Fixed texts and digits only. */
  readonly normalise?: (value: string) => string
}

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
