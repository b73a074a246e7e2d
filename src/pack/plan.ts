import type { IsoEntry, IsoMessage, IsoPart, IsoWriter } from '#iso8583'
import type { Message, MessageKind, Outcome } from '#message'
import type { Cursor } from './cursor.ts'
import type { Layout, Part } from './layout.ts'
import type { ValueWriter } from './value-writer.ts'

/**
 * What one kind of message about one product looks like. Which plan a frame is read by is decided
 * by its type and product; which variant, by direction and, for responses, by the response code,
 * because failure answers are often shorter than success answers.
 */
export type Plan = {
  readonly kind: MessageKind
  /** Network messages have none. */
  readonly product: string | undefined
  readonly mti: Mtis
  readonly request: Variant
  readonly approved: Variant
  readonly declined: Variant
  /** Elements of which an answer has what the request had. */
  readonly echoed: readonly number[]
}

export type Mtis = {
  readonly request: string
  readonly response: string
  /** Sent again because no answer came; undefined where the dialect has no such type. */
  readonly repeat: string | undefined
  readonly repeatResponse: string | undefined
}

export type Variant = {
  readonly elements: readonly Element[]
  /** By number; undefined where this message has no such element. */
  readonly byNumber: readonly (Element | undefined)[]
  /** 32 elements a word, as in IsoMessage.word. */
  readonly allowed: readonly number[]
  readonly required: readonly number[]
  /** Made for this variant alone; undefined where it has what only the general way can do. */
  readonly straightRead: StraightRead | undefined
  readonly straightWrite: StraightWrite | undefined
}

/**
 * Reads a message whose elements are known to be those of the variant; undefined when anything is
 * not as it should be: the general way then tells what. `b` are the frame's bytes and `t` its text.
 */
export type StraightRead = (
  b: Uint8Array,
  t: string,
  m: IsoMessage,
  repeat: boolean,
  outcome: Outcome | undefined,
) => Message | undefined

/** Writes all elements; false, with the frame half written, when the general way has to. */
export type StraightWrite = (writer: IsoWriter, from: Message) => boolean

/** What stands in one place of a message: a data element, or a part of a composite. */
export type Piece = {
  /** `de48`, `de48.PI`: the beginning of every path below it. */
  readonly field: string
  readonly optional: boolean
  /** What it says, for descriptions; undefined when its whole text is one thing. */
  readonly layouts: readonly Layout[]
  readonly path: string
  /** The one part that it is, where it is a value alone. */
  readonly part?: Part | undefined
  read(cursor: Cursor, into: Message): void
  /**
   * The whole value where it is one text that the field table checks; else it is put together by
   * `write`. Undefined from it: the message does not say it.
   */
  readonly text?: ((from: Message) => string | undefined) | undefined
  write(writer: ValueWriter, from: Message): void
  /** The wire's text of a value, padded: what keys are made of. */
  readonly normalise?: ((value: string) => string) | undefined
  /** Which of several layouts a message is written in; -1 when it has not enough for any. */
  readonly which?: ((from: Message) => number) | undefined
  /** Whether an optional one is written. */
  has(from: Message): boolean
}

export type Element = Piece & {
  readonly number: number
  /** Bytes of the length before its text in the frame; -1 where its value is not the frame's own text. */
  readonly prefix: number
  /** What is mapped part by part. */
  readonly inside: Inside | undefined
}

/** The inside of a composite, mapped part by part. */
export type Inside = {
  /** The pieces in it, and those inside of them. */
  readonly pieces: readonly Piece[]
  /** The piece of a part, by its ids from the element on: `PI`, `F0.9F02`. */
  pieceOf(ids: string): Piece | undefined
  /** `offset` is where the element begins, for what is missing. */
  read(parts: readonly IsoPart[], offset: number, cursor: Cursor, into: Message): void
  write(writer: ValueWriter, from: Message): readonly IsoEntry[]
  has(from: Message): boolean
}

/** All pieces of some elements, also those inside of composites. */
export function piecesOf(elements: readonly Element[]): readonly Piece[] {
  return elements.flatMap(element => element.inside?.pieces ?? [element])
}
