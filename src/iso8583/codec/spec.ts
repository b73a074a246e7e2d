/**
 * A dialect of ISO 8583 as plain data: what the standard's own table prints, taken apart into
 * choices that do not depend on each other. The YAML tables, the jPOS and moov importers and the
 * shipped standards all become this; `compileSpec` makes a codec of it. Nothing in here is a
 * function, so a spec can be printed, compared and exported.
 *
 *     a field on the wire:   [ length prefix ][ padding ][ data ][ padding ][ terminator ]
 *                              LengthSpec       PadSpec   DataEncoding,       LengthSpec
 *                                                         then content class
 */
export type MessageSpec = {
  readonly name: string
  readonly title: string
  /** Bytes before the MTI that belong to the message (not to the framing), kept as they are. */
  readonly headerBytes: number
  readonly mti: MtiSpec
  readonly bitmap: BitmapSpec
  readonly fields: readonly FieldSpec[]
  /** What holds for some message types only. */
  readonly overlays: readonly OverlaySpec[]
}

export type MtiSpec = {
  /** `none`: messages of this dialect have no MTI (sub-messages). */
  readonly encoding: TextEncoding | 'bcd' | 'none'
  /** Version digits that are accepted: 0 for 1987, 1 for 1993, 2 for 2003; empty accepts any. */
  readonly versions: readonly number[]
}

export type BitmapSpec = {
  /** hex: 16 characters a bitmap, in the text encoding. none: fields come without one, in order. */
  readonly encoding: 'binary' | 'hex-ascii' | 'hex-ebcdic' | 'none'
  /** Bytes of one bitmap as bits (not characters): 8 for a message, 2 to 8 and more in composites. */
  readonly bytes: number
  /**
   * auto       bit 1 of each bitmap announces the next one, contiguous (secondary, tertiary)
   * always     `bytes` are always there, bit 1 says nothing
   * forbidden  bit 1 must not be set
   * A nested bitmap whose bit 1 is a real subfield is `always`.
   */
  readonly extension: 'auto' | 'always' | 'forbidden'
  /** How many bitmaps there may be with `auto`: 2 for fields to 128, 3 to 192. */
  readonly most: number
  /**
   * The tertiary bitmap stands inside this data element instead of behind the secondary one: `most`
   * is 2 then, and the element is not among the fields.
   */
  readonly tertiaryField?: number
}

export type FieldSpec = {
  /** `2`, or inside composites `25`, `9F02`, `PI`. Ids of bitmapped and positional fields are numbers. */
  readonly id: string
  readonly name: string
  readonly content: ContentClass
  readonly data: DataEncoding
  readonly length: LengthSpec
  /** What a length counts; `size` counts the same. */
  readonly unit: LengthUnit
  /**
   * Exactly so many units where the length is fixed, at most so many where it varies. The sign of
   * x+n is counted. Fixed and 0: the bit alone is the field, nothing of it is on the wire.
   */
  readonly size: number
  readonly sizeMin?: number
  readonly pad?: PadSpec
  /**
   * The length varies but the area does not: `size` units always follow the prefix. Behind the
   * value they hold `pad.char`, or zero bytes where the data is binary.
   */
  readonly filled?: boolean
  readonly mask?: FieldMask
  readonly children?: CompositeSpec
}

/** Content classes of ISO 8583-1, section 4.2 (attributes), with what dialects add. */
export type ContentClass =
  | 'a'
  | 'n'
  | 's'
  | 'an'
  /** Letters, digits and spaces. */
  | 'anp'
  | 'as'
  | 'ns'
  | 'ans'
  /** Bytes; the value is told as upper-case hexadecimal, whatever the data encoding is. */
  | 'b'
  /** Tracks 2 and 3: 0 to 9 : ; < = > ?, and D. In BCD the separator is the nibble D, told as `=`. */
  | 'z'
  /** Amount with sign: C or D, then digits. */
  | 'x+n'
  /** Upper-case hexadecimal digits as text; the nibbles of BCD data, whatever they are. */
  | 'h'
  /** Anything at all. */
  | 'any'

export type TextEncoding = 'ascii' | 'ebcdic-037' | 'ebcdic-500' | 'ebcdic-1047'

export type DataEncoding =
  | TextEncoding
  /**
   * Two digits a byte. Which side an odd digit leaves empty, and with what: 0 or F. Of class z, the
   * separator `=` is the half byte D; of class h, all sixteen half bytes are digits.
   */
  | 'bcd-left-0'
  | 'bcd-right-0'
  | 'bcd-left-f'
  | 'bcd-right-f'
  | 'binary'
  /** Bytes as hexadecimal characters. */
  | 'hex-ascii'
  | 'hex-ebcdic'
  /** EBCDIC digits whose last one carries the sign in its zone (0xD_ is minus). */
  | 'zoned-ebcdic'
  /** Sign character in ASCII, digits in BCD (x+n): odd ones with the zero on the left, or right. */
  | 'sign-bcd'
  | 'sign-bcd-right-0'

export type LengthSpec =
  | { readonly form: 'fixed' }
  | {
      readonly form: 'prefix'
      /**
       * `bcd`: digits, two a byte, odd ones with a leading zero. `binary`: big-endian bytes.
       * `hex-ascii`: hexadecimal characters. `hex-bcd`: as bcd, but it counts half-bytes of the data
       * whatever the unit is.
       */
      readonly encoding: 'ascii' | 'ebcdic' | 'bcd' | 'binary' | 'hex-ascii' | 'hex-bcd'
      /** Decimal or hexadecimal digits, or bytes for binary: 1 to 6. */
      readonly digits: number
      /** The length counts its own prefix too. */
      readonly inclusive: boolean
    }
  /** All that is left of the message or composite. */
  | { readonly form: 'rest' }
  /**
   * All before a terminator, which is no part of the value and cannot be in it: 1 to 4 bytes as they
   * lie on the wire, in hexadecimal (`1C`, `0D0A`). `open`: as the last of a message or composite the
   * value may end with it instead, and then it is written without a terminator.
   */
  | { readonly form: 'until'; readonly terminator: string; readonly open: boolean }
  /** The prefix of BER (ITU-T X.690 8.1.3): short, or long with up to 4 bytes. */
  | { readonly form: 'ber' }

export type LengthUnit =
  | 'characters'
  /** Digits of the value in BCD, without what fills up an odd one. */
  | 'digits'
  /** Bytes of the value: one of them is two characters on the wire where the data is hexadecimal. */
  | 'bytes'
  /** Bytes on the wire, whatever they encode. */
  | 'encoded'
  /** Half bytes on the wire, so always an even number: an odd digit counts as two. */
  | 'nibbles'

/**
 * What fills a value up where the length is fixed (or the area `filled`). Without one a value must
 * have the exact length. `trim`: it is taken off again when a value is read.
 */
export type PadSpec = {
  readonly side: 'left' | 'right'
  readonly char: string
  readonly trim: boolean
}

/** What of it may be shown. pan: first six and last four. */
export type FieldMask = 'pan' | 'track' | 'pin' | 'hidden' | 'name' | 'token' | 'partial'

export type CompositeSpec =
  /** One after the other; `shorter` says that it may end early. */
  | {
      readonly kind: 'positional'
      readonly shorter: boolean
      readonly fields: readonly FieldSpec[]
    }
  /** Its own bitmap, then the fields that it names (DE127, 127.25). */
  | {
      readonly kind: 'bitmapped'
      readonly bitmap: BitmapSpec
      readonly headerBytes: number
      readonly fields: readonly FieldSpec[]
    }
  /** BER-TLV (EMV, DE55): tag, BER length, value; constructed tags hold further ones. */
  | {
      readonly kind: 'ber-tlv'
      readonly fields: readonly FieldSpec[]
      readonly unknown: UnknownTags
    }
  /**
   * Tag and length of fixed width, in either order. The length stands here and not in the fields,
   * whose own `length` is `rest`; the same holds for the fields of BER-TLV and of TLV datasets.
   */
  | {
      readonly kind: 'tagged'
      readonly tag: {
        readonly encoding: TextEncoding | 'bcd-left-0' | 'binary'
        readonly size: number
      }
      readonly length: LengthSpec
      /** `length-tag`: the length comes first and counts the tag too when `lengthCountsTag`. */
      readonly order: 'tag-length' | 'length-tag'
      readonly lengthCountsTag: boolean
      readonly fields: readonly FieldSpec[]
      readonly unknown: UnknownTags
    }
  /** ISO 8583:2003/2023 datasets: identifier, 2-byte length, then BER-TLV (01 to 70) or a bitmap (71 to FE). */
  | {
      readonly kind: 'datasets'
      readonly datasets: readonly DatasetSpec[]
      readonly unknown: UnknownTags
    }

export type DatasetSpec = {
  /** One byte as two hexadecimal digits, or a range that is laid out alike: `71-FE`. */
  readonly id: string
  readonly name: string
  readonly form: 'tlv' | 'dbm'
  readonly fields: readonly FieldSpec[]
}

/** Tags that the spec does not name: kept byte for byte in their place, or an error. */
export type UnknownTags = 'keep' | 'error'

/** What holds for some message types: which fields must, may and must not be there, and more. */
export type OverlaySpec = {
  readonly when: {
    /** MTI patterns, `.` for any digit: `02.0`. */
    readonly mti: readonly string[]
    /** First digits of the processing code (DE3), or a response code (DE39). */
    readonly processing?: readonly string[]
    readonly response?: readonly string[]
  }
  readonly mandatory: readonly string[]
  /** Under conditions that are not stated here, so nothing is checked. */
  readonly conditional: readonly string[]
  readonly forbidden: readonly string[]
  /** What else must or must not be there, by what is. */
  readonly conditions?: readonly ConditionSpec[]
  /** Fields whose value a response must repeat. */
  readonly echoed: readonly string[]
  readonly allowed: readonly { readonly path: string; readonly values: readonly string[] }[]
  /** Another layout for fields in these messages only. */
  readonly fields: readonly FieldSpec[]
}

/**
 * `38: mandatory when 39 is 00, else forbidden`. The condition is a list of alternatives, each of
 * which is a list of tests that all hold.
 */
export type ConditionSpec = {
  readonly path: string
  readonly demand: 'mandatory' | 'forbidden'
  readonly when: readonly (readonly TestSpec[])[]
  /** What holds where the condition does not. */
  readonly otherwise: 'mandatory' | 'forbidden' | 'allowed'
}

/** A test with values holds for no field that is not there, `is-not` neither. */
export type TestSpec =
  | { readonly path: string; readonly test: 'there' | 'not-there' }
  | {
      readonly path: string
      readonly test: 'is' | 'is-not' | 'starts' | 'starts-not'
      readonly values: readonly string[]
    }

/** Deviations that are accepted, each by its name; none unless a link names it. */
export const LENIENCIES = {
  'trailing-bytes': 'bytes after the last field are passed over',
  'content-class': 'values are not checked against their class',
  'undefined-zero-bits': 'bits beyond the table may be set when nothing follows them',
  'lower-case-hex': 'hexadecimal bitmaps and data in lower case',
  'short-composite': 'positional composites may end early',
  'reserved-mti': 'message types that ISO reserves are taken',
  'tlv-padding': 'zero bytes between and behind BER-TLV objects are passed over',
} as const
export type Leniency = keyof typeof LENIENCIES
