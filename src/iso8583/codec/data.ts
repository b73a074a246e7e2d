import { bcdData, signedBcdData } from './data-bcd.ts'
import { binaryData, hexData } from './data-bytes.ts'
import { textData, zonedData } from './data-text.ts'
import type { Out } from './out.ts'
import type { FieldSpec } from './spec.ts'
import type { Wire } from './wire.ts'

/**
 * How values of one field become bytes and the other way round. Knows neither prefix nor padding.
 * `units` are those of the field; values are text, as they are told to people and packs.
 */
export interface Data {
  /** Bytes on the wire of so many units, or -1 when there is no whole number of them. */
  bytesOf(units: number): number
  /** Units of so many bytes on the wire, at most. */
  unitsOf(bytes: number): number
  /** Units of these bytes, where they can tell more than how many they are: by a filler F. */
  unitsIn?(bytes: Uint8Array, start: number, end: number): number
  /** Units that a value takes. */
  measure(value: string): number
  /** Characters of a value of so many units, or -1 where that is not fixed. */
  charactersOf(units: number): number
  /** Throws CODEC_CONTENT unless all of it is of the field's class. */
  check(wire: Wire, start: number, end: number, units: number): void
  read(bytes: Uint8Array, start: number, end: number, units: number): string
  /** What is wrong with a value for this class and encoding, or undefined. */
  wrong(value: string): string | undefined
  /** Writes a value that was found right. */
  write(out: Out, value: string): void
}

export type DataOptions = {
  readonly path: string
  /** Values are not checked against their class. */
  readonly anyContent: boolean
  readonly lowerCaseHex: boolean
}

export function compileData(spec: FieldSpec, options: DataOptions): Data {
  switch (spec.data) {
    case 'ascii':
    case 'ebcdic-037':
    case 'ebcdic-500':
    case 'ebcdic-1047':
      return textData(spec, spec.data, options)
    case 'zoned-ebcdic':
      return zonedData(spec, options)
    case 'binary':
      return binaryData(spec)
    case 'hex-ascii':
    case 'hex-ebcdic':
      return hexData(spec, options)
    case 'sign-bcd':
    case 'sign-bcd-right-0':
      return signedBcdData(spec, options)
    default:
      return bcdData(spec, options)
  }
}
