import type { HostCode } from '../host-codes.ts'
import type { KeyType, KeyUse } from './key-type.ts'

/**
 * How the fields of a host command stand on the wire. A field is data; `read.ts` and `write.ts`
 * make functions of it, and the tests make arbitrary values of it. `bad` is the error code of a
 * field that is there but cannot be: 15 where a field has no code of its own.
 */
export type Field = Single | When | Tail

export type Single =
  | Digits
  | Hex
  | Text
  | Choice
  | Flag
  | Letter
  | Until
  | Key
  | Cipher
  | Account
  | Pin
  | RestHex
  | Counted
  | Message
  | ToEnd
  | Keys
  | Chain

type Named<N extends string> = { readonly name: N; readonly bad?: HostCode }

/** Decimal digits, as many as it says. */
export type Digits<N extends string = string> = Named<N> & {
  readonly kind: 'digits'
  readonly length: number
}
/** Hexadecimal digits, as many as it says. */
export type Hex<N extends string = string> = Named<N> & {
  readonly kind: 'hex'
  readonly length: number
}
/** Printable characters, as many as it says. */
export type Text<N extends string = string> = Named<N> & {
  readonly kind: 'text'
  readonly length: number
}
/** One of a few values of equal length. */
export type Choice<N extends string = string, V extends string = string> = Named<N> & {
  readonly kind: 'choice'
  readonly values: readonly V[]
}
/**
 * One character that may stand there or not; what follows cannot begin with it, or, with `before`,
 * begins with one of those characters when the flag is there.
 */
export type Flag<N extends string = string, V extends string = string> = Named<N> & {
  readonly kind: 'flag'
  readonly values: readonly V[]
  readonly before?: string
}
/** A key scheme: the letter that says how a key is written. */
export type Letter<N extends string = string> = Named<N> & { readonly kind: 'scheme' }
/** Decimal digits up to a delimiter, which belongs to the field. */
export type Until<N extends string = string> = Named<N> & {
  readonly kind: 'until'
  readonly delimiter: string
  readonly lengthMax: number
}
/**
 * The digits of a key that has no letter. `by` names a length flag (0, 1, 2) before it; `shared`
 * says how many such keys stand side by side from it on, all single or all double: ZMKs are either
 * on a box, and what is there tells which. `like` is as many as another field's key has.
 */
export type Bare =
  | 16
  | 32
  | { readonly by: string }
  | { readonly shared: string | number }
  | { readonly like: string }
/**
 * A key. Its length follows from its first character: U and X 32 digits, T and Y 48, S and R what
 * the block's own header says, anything else `bare` digits without a letter.
 */
export type Key<N extends string = string> = Named<N> & {
  readonly kind: 'key'
  readonly type: KeyType
  readonly bare: Bare
  /** The field whose key it is encrypted under; under the LMK without it. */
  readonly under?: string
  /** What the command does with it. */
  readonly use: KeyUse
  /** The error code when its parity is not odd. */
  readonly parity: '10' | '11'
}
/** A block or an IV: 16 digits, 32 where the key of that name is an AES key. */
export type Cipher<N extends string = string> = Named<N> & {
  readonly kind: 'cipher'
  readonly key: string
}
/**
 * The account number: its 12 rightmost digits without the check digit. Where one of the PIN block
 * formats named is 04 it has 18 digits; where one is 48 it is the whole number, ended by `;`.
 */
export type Account<N extends string = string> = Named<N> & {
  readonly kind: 'account'
  readonly formats: readonly string[]
}
/**
 * A PIN under the LMK, which is digits, or a clear one, padded with F. How long it is is a setting
 * of the box (5 to 13); so it is what the fields behind it leave.
 */
export type Pin<N extends string = string> = Named<N> & {
  readonly kind: 'pin'
  readonly clear: boolean
}
/** Hexadecimal digits, as many as are left: check values and MACs, whose length the request asks. */
export type RestHex<N extends string = string> = Named<N> & { readonly kind: 'rest-hex' }
/**
 * A length, then as many bytes. `short` is the error code when fewer are there. `expandable` data
 * may also come as hexadecimal digits, twice as many as the length says: so public transcripts
 * and some clients have it.
 */
export type Counted<N extends string = string> = Named<N> & {
  readonly kind: 'counted'
  readonly digits: number
  readonly radix: 10 | 16
  readonly short: HostCode
  readonly expandable: boolean
}
/**
 * A length in characters (4 hexadecimal digits), then data as the format flag of that name says:
 * 0 bytes, 1 hexadecimal digits, 2 text.
 */
export type Message<N extends string = string> = Named<N> & {
  readonly kind: 'message'
  readonly format: string
  readonly expandable: boolean
}
/** Bytes up to the end of the message, which can bear no trailer then. */
export type ToEnd<N extends string = string> = Named<N> & { readonly kind: 'to-end' }
/** As many keys as an earlier field says. */
export type Keys<N extends string = string> = Named<N> & {
  readonly kind: 'keys'
  readonly count: string | number
  readonly type: KeyType
  readonly bare: Bare
  readonly parity: '10' | '11'
}
/** Whole commands or responses, each with its length in 4 decimal digits. */
export type Chain<N extends string = string> = Named<N> & {
  readonly kind: 'chain'
  readonly count: string
}

/**
 * Fields that are there when an earlier one (of the request too, in a response) has such a value.
 * `NAME.usage` is the usage of a key block in that field; a field that is not there is ''.
 */
export interface When<F extends readonly Field[] = readonly Field[]> {
  readonly kind: 'when'
  readonly field: string
  readonly values: readonly string[]
  readonly fields: F
}
/** Fields that may follow at the end, behind a delimiter of their own; tails come in any order. */
export interface Tail<F extends readonly Field[] = readonly Field[]> {
  readonly kind: 'tail'
  readonly delimiter: string
  readonly fields: F
}

/** What every command may have at its end: the number of an LMK, and a trailer that is echoed. */
export const LMK_DELIMITER = '%'
export const TRAILER = '\x19'
export const TRAILER_LENGTH_MAX = 32

export function digits<const N extends string>(name: N, length: number, bad?: HostCode): Digits<N> {
  return { kind: 'digits', name, length, ...(bad && { bad }) }
}

export function hex<const N extends string>(name: N, length: number, bad?: HostCode): Hex<N> {
  return { kind: 'hex', name, length, ...(bad && { bad }) }
}

export function text<const N extends string>(name: N, length: number): Text<N> {
  return { kind: 'text', name, length }
}

export function choice<const N extends string, const V extends string>(
  name: N,
  values: readonly V[],
  bad?: HostCode,
): Choice<N, V> {
  return { kind: 'choice', name, values, ...(bad && { bad }) }
}

export function flag<const N extends string, const V extends string>(
  name: N,
  values: readonly V[],
  before?: string,
): Flag<N, V> {
  return { kind: 'flag', name, values, ...(before !== undefined && { before }) }
}

export function scheme<const N extends string>(name: N): Letter<N> {
  return { kind: 'scheme', name, bad: '26' }
}

export function until<const N extends string>(
  name: N,
  delimiter: string,
  lengthMax: number,
  bad?: HostCode,
): Until<N> {
  return { kind: 'until', name, delimiter, lengthMax, ...(bad && { bad }) }
}

type KeyMore = Partial<Pick<Key, 'bare' | 'under' | 'use' | 'parity'>>

export function key<const N extends string>(name: N, type: KeyType, more: KeyMore = {}): Key<N> {
  return { kind: 'key', name, type, bare: 16, use: 'any', parity: '10', ...more }
}

export function cipher<const N extends string>(name: N, keyName: string): Cipher<N> {
  return { kind: 'cipher', name, key: keyName }
}

export function account<const N extends string>(name: N, ...formats: string[]): Account<N> {
  return { kind: 'account', name, formats, bad: '22' }
}

export function pin<const N extends string>(name: N, form: 'under LMK' | 'clear'): Pin<N> {
  return { kind: 'pin', name, clear: form === 'clear' }
}

export function restHex<const N extends string>(name: N): RestHex<N> {
  return { kind: 'rest-hex', name }
}

export function counted<const N extends string>(
  name: N,
  digits: number,
  radix: 10 | 16,
  { short = '80', expandable = false }: Partial<Pick<Counted, 'short' | 'expandable'>> = {},
): Counted<N> {
  return { kind: 'counted', name, digits, radix, short, expandable }
}

export function message<const N extends string>(
  name: N,
  format: string,
  expandable = false,
): Message<N> {
  return { kind: 'message', name, format, expandable, bad: '06' }
}

export function toEnd<const N extends string>(name: N): ToEnd<N> {
  return { kind: 'to-end', name }
}

export function keys<const N extends string>(
  name: N,
  count: string | number,
  type: KeyType,
  bare: Bare = 16,
): Keys<N> {
  return { kind: 'keys', name, count, type, bare, parity: '10' }
}

export function chain<const N extends string>(name: N, count: string): Chain<N> {
  return { kind: 'chain', name, count }
}

export function when<const F extends readonly Field[]>(
  field: string,
  values: readonly string[],
  ...fields: F
): When<F> {
  return { kind: 'when', field, values, fields }
}

export function tail<const F extends readonly Field[]>(delimiter: string, ...fields: F): Tail<F> {
  return { kind: 'tail', delimiter, fields }
}
