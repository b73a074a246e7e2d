/**
 * Node's fastest ways between bytes and strings; public, but left out of its type declarations.
 * All take any Uint8Array as `this`.
 */
type Natives = {
  readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string
  readonly hexSlice: (this: Uint8Array, start: number, end: number) => string
  readonly utf8Write: (this: Uint8Array, text: string, at: number, length: number) => number
  readonly latin1Write: (this: Uint8Array, text: string, at: number, length: number) => number
}
const natives = Buffer.prototype as unknown as Natives
const { latin1Slice, hexSlice, utf8Write } = natives

/** One byte a character. */
export function latin1Text(bytes: Uint8Array, start: number, end: number): string {
  return start === end ? '' : latin1Slice.call(bytes, start, end)
}

/** Characters of one byte each; of others the lower byte. */
export function latin1Write(bytes: Uint8Array, text: string, at: number): void {
  natives.latin1Write.call(bytes, text, at, text.length)
}

const chars = String.fromCharCode

/**
 * The same for the lengths that most fixed elements have: amounts, times, numbers, codes. A few such
 * values are made from their bytes sooner than a native call returns; undefined for other lengths.
 */
export function shortText(b: Uint8Array, at: number, length: number): string | undefined {
  switch (length) {
    case 2:
      return chars(b[at]!, b[at + 1]!)
    case 3:
      return chars(b[at]!, b[at + 1]!, b[at + 2]!)
    case 4:
      return chars(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!)
    case 6:
      return chars(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!, b[at + 5]!)
    case 12:
      // prettier-ignore
      return chars(
        b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!, b[at + 5]!,
        b[at + 6]!, b[at + 7]!, b[at + 8]!, b[at + 9]!, b[at + 10]!, b[at + 11]!,
      )
    default:
      return undefined
  }
}

/** Upper-case hexadecimal: how binary values are told. */
export function hexText(bytes: Uint8Array, start: number, end: number): string {
  return start === end ? '' : hexSlice.call(bytes, start, end).toUpperCase()
}

/**
 * Writes ASCII text. A character that is none leaves bytes from 0x80 up, never ASCII ones; false
 * when not all of the text had room because of such.
 */
export function writeAscii(bytes: Uint8Array, text: string, at: number): boolean {
  return utf8Write.call(bytes, text, at, text.length) === text.length
}

const HEX = '0123456789ABCDEF'

/** Each nibble of hexadecimal digits in either case, by character; -1 for anything else. */
export const NIBBLE_OF_CHAR = new Int8Array(256).map((_, code) =>
  HEX.indexOf(String.fromCharCode(code).toUpperCase()),
)
/** Upper-case digit of a nibble, as a byte. */
export const CHAR_OF_NIBBLE = Uint8Array.from(HEX, char => char.charCodeAt(0))
