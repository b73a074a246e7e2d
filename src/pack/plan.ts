import type { Message, MessageKind } from '#message'
import type { Cursor } from './cursor.ts'
import type { Layout } from './layout.ts'
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
}

export type Element = {
  readonly number: number
  /** `de48`: the beginning of every path below it. */
  readonly field: string
  /** Bytes of the length before its text in the frame; -1 where its value is not the frame's own text. */
  readonly prefix: number
  readonly optional: boolean
  /** What it says, for descriptions; undefined when its whole text is one thing. */
  readonly layouts: readonly Layout[]
  readonly path: string
  read(cursor: Cursor, into: Message): void
  /**
   * The whole value where it is one text that the field table checks; else it is put together by
   * `write`. Undefined from it: the message does not say it.
   */
  readonly text?: ((from: Message) => string | undefined) | undefined
  write(writer: ValueWriter, from: Message): void
  /** The wire's text of a value, padded: what keys are made of. */
  readonly normalise?: ((value: string) => string) | undefined
  /** Whether an optional element is written. */
  has(from: Message): boolean
}
