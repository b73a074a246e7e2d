import type { NadiError } from '#base'
import type { Framer, IsoCodec } from '#iso8583'
import type { Message, MessageKind, Meaning, Reason } from '#message'

/**
 * A counterpart's dialect, made from a folder under protocols/. The mapping is two-way, so the same
 * pack serves the link (write request, read response), the listener (read request, write response),
 * the simulator and the tests. The language of those folders is told in protocols/README.md.
 */
export interface Pack {
  readonly name: string
  readonly framing: Framer
  /** The codec of its field table, for tools. */
  readonly codec: IsoCodec
  readonly conversation: PackConversation
  /** By product: the trade's way to find out about an unanswered payment. Configuration may change it. */
  readonly recovery: Readonly<Record<string, PackRecovery>>
  /** The products that this dialect can carry. */
  readonly products: readonly string[]

  /**
   * Digits of its audit numbers (DE11). Whoever numbers messages for it keeps to that many and does
   * not use one twice on a day.
   */
  readonly traceDigits: number
  /**
   * The number that a payment is known by (`reference.own`), made of the message when it is sent for
   * the first time. Undefined where the audit number is enough: then whatever asks about a payment
   * has that one, else one of its own.
   */
  readonly makeReference: ((message: Message) => string) | undefined

  /** Whether the dialect has such a message about a product: not every one is asked first, or undone. */
  carries(kind: MessageKind, product: string): boolean

  /** Frame to message. Never throws on bad input: what cannot be read is a reject, which is a value. */
  read(frame: Uint8Array): PackRead
  /** Message to frame. Throws CODEC_VALUE or PACK_MISSING_FIELD, with the path, when it cannot be said. */
  write(message: Message): Uint8Array
  /**
   * The answer to a frame that could not be read: its own fields as far as they could be read, the
   * response type and the code of `reason`. Undefined when not even its type was readable.
   */
  writeReject(reject: Reject, reason: Reason): Uint8Array | undefined
  /** What an answer is matched by; equal for a request and its response. Parts separated, normalised. */
  matchKey(message: Message): string

  /** The wire's code for a reason, and what a code means in an answer to that kind of message. */
  codeOf(reason: Reason): string
  meaningOf(kind: MessageKind, code: string): { meaning: Meaning; reason: Reason }

  /** For people: one line a field, nested, masked unless `unsafe`. Reads as far as it can. */
  describe(frame: Uint8Array, options?: { unsafe?: boolean }): DescribedField[]
}

export type PackRead =
  | { readonly tag: 'message'; readonly message: Message }
  | { readonly tag: 'reject'; readonly reject: Reject }

export type Reject = {
  readonly error: NadiError
  /** Undefined when the type itself could not be read. */
  readonly mti: string | undefined
  /** The fields read before the error, as text by number. Not for logs: unmasked. */
  readonly fields: ReadonlyMap<number, string>
  /** What to say when it is answered: `format-error`, or `product-unknown`. */
  readonly reason: Reason
  /** An answer to it makes no sense: it is itself an answer. */
  readonly response: boolean
}

export type DescribedField = {
  /** `39`, `48.bills[0].penalty` */
  readonly path: string
  readonly name: string
  readonly offset: number
  readonly length: number
  /** Masked when the table says so. */
  readonly value: string
  /** What the value means: `success`, `Rp 260.500`. */
  readonly meaning?: string
}

/** How the two sides talk besides business: defaults that a link's or listener's file may change. */
export type PackConversation = {
  readonly signOn: boolean
  readonly echoIdleMs: number
  readonly responseTimeoutMs: number
}

/**
 * How an unanswered payment is found out (DESIGN.md, law 2): undone, advised until it is done, or
 * asked about; so many times, so far apart.
 */
export type PackRecovery = {
  readonly policy: 'reverse' | 'advise' | 'check'
  readonly attempts: number
  readonly spacingMs: number
}
