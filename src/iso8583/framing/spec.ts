/**
 * How one frame stands in a stream. Each part may be missing; nothing in here is a function, so a
 * framing can be printed, compared and written in a file.
 *
 *     ┌────────┬────────┬───────┬──────────────────┬──────┬─────────┐
 *     │ before │ length │ after │ header           │ body │ trailer │
 *     └────────┴────────┴───────┴──────────────────┴──────┴─────────┘
 *       constant          constant  TPDU, VIP header   what the codec reads
 */
export type FramingSpec = {
  readonly length: LengthForm
  /** What the length counts besides the body. The header is counted unless it says no. */
  readonly counts: {
    readonly itself: boolean
    readonly trailer: boolean
    readonly header?: boolean
    /** The bytes before and after the length too. */
    readonly constants?: boolean
  }
  /** Constant bytes as hexadecimal; `..` is any byte when read, and zero when written. */
  readonly before?: string
  readonly after?: string
  readonly header?: HeaderForm
  /** The byte or bytes after each body. */
  readonly trailer?: number | readonly number[]
  /** Frames of length zero are accepted, so many one after the other. */
  readonly keepAlive?: { readonly answered: boolean; readonly inARowMax: number }
  /** The body is compressed; the length counts it as it was before. Then there is nothing else. */
  readonly compressed?: 'gzip'
  /** The largest body, uncompressed. */
  readonly frameBytesMax: number
}

export type LengthForm =
  | {
      readonly form: 'binary'
      readonly bytes: 1 | 2 | 3 | 4
      readonly order: 'big' | 'little'
    }
  /** Two digits a byte. */
  | { readonly form: 'bcd'; readonly bytes: 1 | 2 | 3 | 4 }
  | { readonly form: 'decimal' | 'hex'; readonly digits: number }
  /**
   * No length:
   * trailer   the trailer ends a frame and cannot stand inside a body
   * message   the codec reads on until its message is whole
   * pause     a frame is what came before the line was silent
   */
  | { readonly form: 'none'; readonly ends: 'trailer' | 'message' | 'pause' }
  /** No length: text that ends with `text`, which belongs to it; white space may stand between. */
  | { readonly form: 'document'; readonly text: string }

export type HeaderForm =
  /** Always so many bytes, whatever they mean. An answer sends back what came. */
  | { readonly form: 'opaque'; readonly bytes: number; readonly send?: string }
  /**
   * Transport protocol data unit, 5 bytes: 60, destination (2), source (2); ISO 8583 over NACs.
   * With `swap`, an answer goes back to where the request came from.
   */
  | { readonly form: 'tpdu'; readonly send?: string; readonly swap: boolean }
  /**
   * Visa's BASE I header, 22 bytes: its length, flags and format, text format, total length (2),
   * destination (3), source (3), round trip control, flags (2), status (3), batch, reserved (3),
   * user information. A second header may stand behind the first (rejects).
   */
  | { readonly form: 'base1'; readonly source: string; readonly destination: string }
  /**
   * BASE24's start: `ISO`, product (2), release (2), status (3), originator, responder: 12
   * characters. An answer has `responder` in the last place.
   */
  | { readonly form: 'base24'; readonly send?: string; readonly responder: string }
