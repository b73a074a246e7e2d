import type { NadiError } from '#base'
import type { Leniency, MessageSpec } from './spec.ts'

/** A compiled dialect. Every choice is looked up once, at compile time. */
export interface IsoCodec {
  readonly spec: MessageSpec
  /**
   * Finds the fields of a frame in place: offsets and structure are checked, values are made when
   * they are asked for. Strict: throws NadiError CODEC_* with path, byte offset, expected and actual.
   * The message refers to `frame`, which must not change while it is used.
   */
  parse(frame: Uint8Array): IsoMessage
  /** The same without throwing: what could be read, and the error if there is one. */
  parsePartly(frame: Uint8Array): {
    readonly message: IsoMessage
    readonly error: NadiError | undefined
  }
  /** A message to be filled. */
  create(mti: string): IsoDraft
  /**
   * Bytes before the value of a data element whose characters are the frame's own, one a byte, in
   * every message: 0 where its length is fixed, else those of its ASCII length. -1 for all others,
   * whose values are to be asked for by `get`.
   */
  prefixOf(number: number): number
  /** Writes frames in place, one after the other: for who puts values together piece by piece. */
  writer(): IsoWriter
  /**
   * Resolves a path once, so that reading by it looks nothing up: `55.9F02`, `48.3`, `127.25.4`;
   * of repeated tags `55.9F02[1]` is the second. Throws CODEC_PATH when no such field can be.
   */
  path(path: string): IsoPath
  /** The frame of plain values, `{mti, fields: {'2': '…', '127': {'25': …}}}`; binary as hex. */
  fromPlain(plain: PlainMessage): Uint8Array
  /**
   * All that is wrong with a message by the overlays that match it: what must and must not be there,
   * always or by what else is, values that are not allowed, and, beside its request, what an answer
   * should have repeated.
   */
  validate(message: IsoMessage, request?: IsoMessage): readonly IsoProblem[]
}

/**
 * Writes one frame after another where it will lie. Fields come in ascending order between `begin`
 * and `end`; each is written, and checked, as it comes. After an error the next `begin` starts anew.
 */
export interface IsoWriter {
  begin(mti: string, header?: Uint8Array): this
  /** Throws CODEC_VALUE with the path when a value does not fit, or comes too late. */
  set(number: number, value: string): this
  /** Data as it is on the wire, without its length. */
  setBytes(number: number, value: Uint8Array): this
  /** These of a message of the same codec, as far as they are there, as they lie in it. */
  copy(message: IsoMessage, numbers: readonly number[]): this
  /** A value whose characters stand in bytes, one a byte. */
  setText(number: number, characters: Uint8Array, length: number): this
  /** A composite from its parts; numbered ones are put in order, tags keep theirs. */
  setParts(number: number, parts: readonly IsoEntry[]): this
  /** Opens a plain text field, whose value is then written piece by piece, until `close`. */
  open(number: number): this
  /** A whole number of so many digits, zeros to its left. */
  digits(value: number, width: number): this
  text(value: string): this
  /** Writes the length of the open field, and checks its value. */
  close(): this
  end(): Uint8Array
}

/** One thing that is wrong with a message that could be read. */
export type IsoProblem = {
  readonly code: 'CODEC_RULE'
  readonly path: string
  readonly rule: 'mandatory' | 'forbidden' | 'allowed' | 'echoed'
  /** What the dialect wants there, with the condition under which it does. */
  readonly expected: string
  /** Both in a sentence. Never holds the value. */
  readonly text: string
}

/** A path that was resolved against one spec. Throws nothing when the field is not there. */
export interface IsoPath {
  readonly text: string
  read(message: IsoMessage): string | undefined
  readBytes(message: IsoMessage): Uint8Array | undefined
}

/** A parsed frame: offsets into it. */
export interface IsoMessage {
  readonly codec: IsoCodec
  readonly frame: Uint8Array
  readonly header: Uint8Array
  readonly mti: string
  /** Data elements that are there, ascending. */
  readonly numbers: readonly number[]
  has(number: number): boolean
  /** Presence bits, 32 data elements a word; the highest bit of the first is data element 1. */
  word(index: number): number
  /** Where the n-th data element that is there begins and ends, with its length; from 0. */
  startAt(index: number): number
  endAt(index: number): number
  /** The value of a data element as text (binary as upper-case hex), or undefined. */
  get(number: number): string | undefined
  /** The value's raw bytes: a view into the frame. */
  raw(number: number): Uint8Array | undefined
  at(path: string): string | undefined
  /** What a composite holds, in its order on the wire; undefined for what is none. */
  parts(number: number): readonly IsoPart[] | undefined
  /** All values, nested: for tools. */
  toPlain(): PlainMessage
  /** A draft of the answer: the response type of this message, and the given fields copied raw. */
  answer(copied: readonly number[]): IsoDraft
  /** A draft with every field copied raw. `draft().build()` is byte-identical to the frame. */
  draft(): IsoDraft
}

/** One part of a composite. */
export type IsoPart = {
  readonly id: string
  /** Empty where it has parts of its own. */
  readonly value: string
  /** Where its data begin in the frame; of what hexadecimal says, where that begins. */
  readonly offset: number
  readonly parts: readonly IsoPart[] | undefined
}

/** A part to be written. */
export type IsoEntry = { readonly id: string; readonly value: string | readonly IsoEntry[] }

/** A message being written. Fields may be set in any order. */
export interface IsoDraft {
  readonly mti: string
  /** The bytes before the MTI; zeros when they are not set, those of the message that is copied. */
  setHeader(header: Uint8Array): this
  set(number: number, value: string): this
  /** Data as it is on the wire, without its length: what `raw` gives. */
  setBytes(number: number, value: Uint8Array): this
  /** Nested: `55.9F02`. */
  setAt(path: string, value: string): this
  remove(number: number): this
  /** Throws CODEC_VALUE with the path when a value does not fit. */
  build(): Uint8Array
}

/**
 * A text, parts by id, or the values of a repeated tag. Tags whose order on the wire is not that of
 * the object's keys have it beside them, `$order: ['9F26', '82']`. A header is told as `header`.
 */
export type PlainValue = string | { readonly [id: string]: PlainValue } | readonly PlainValue[]
export type PlainMessage = {
  readonly header?: string
  readonly mti: string
  readonly fields: { readonly [id: string]: PlainValue }
}

export type CompileOptions = { readonly lenient?: readonly Leniency[] }

/** Throws CODEC_SPEC naming the field when the spec contradicts itself. */
export type CompileSpec = (spec: MessageSpec, options?: CompileOptions) => IsoCodec
