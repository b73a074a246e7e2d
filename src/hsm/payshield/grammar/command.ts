import type { HostCode } from '../host-codes.ts'
import type { Field, Single, Tail, When } from './field.ts'

/** One host command: what is asked, what is answered, and who may ask. */
export type Command<
  R extends readonly Field[] = readonly Field[],
  S extends readonly Field[] = readonly Field[],
> = {
  readonly title: string
  readonly request: R
  readonly response: S
  /** Error codes besides 00 under which the response has its fields. */
  readonly warnings?: readonly HostCode[]
  /** Needs the authorised state: someone with a key or card stands before the box. */
  readonly authorised?: true
  /** Shows or takes a PIN in clear: off unless the box is told otherwise. */
  readonly clearPin?: true
}

export function command<const R extends readonly Field[], const S extends readonly Field[]>(
  title: string,
  request: R,
  response: S,
  more: Pick<Command, 'warnings' | 'authorised' | 'clearPin'> = {},
): Command<R, S> {
  return { title, request, response, ...more }
}

/**
 * The second character goes up by one: A0 is answered by A1, CY by CZ. What has no next one is no
 * command of any box, and comes back as it is.
 */
export function responseCodeOf(code: string): string {
  const last = code.charAt(1)
  return (
    code.charAt(0) + (/^[0-8A-Y]$/.test(last) ? String.fromCharCode(last.charCodeAt(0) + 1) : last)
  )
}

type ValueOf<F extends Single> = F extends { kind: 'counted' | 'message' | 'to-end' }
  ? Uint8Array
  : F extends { kind: 'keys' | 'chain' }
    ? readonly string[]
    : F extends { kind: 'choice' | 'flag'; values: readonly (infer V)[] }
      ? V
      : string

type Always<F extends Field> = F extends Single ? (F extends { kind: 'flag' } ? never : F) : never
type Inside<F extends Field> = F extends When<infer G> | Tail<infer G> ? G[number] : never
/** Flags, and all that stands in groups; groups stand in groups at most twice. */
type Sometimes<F extends Field> =
  Extract<F, { kind: 'flag' }> | Extract<Inside<F>, Single> | Extract<Inside<Inside<F>>, Single>

type Flat<T> = { readonly [K in keyof T]: T[K] }

/** The values of fields by name, as a program sees them. */
export type ValuesOf<F extends readonly Field[]> = Flat<
  { readonly [G in Always<F[number]> as G['name']]: ValueOf<G> } & {
    readonly [G in Sometimes<F[number]> as G['name']]?: ValueOf<G>
  }
>

/** Values of any command; what the reader makes and the writer takes. */
export type Values = Readonly<Record<string, string | Uint8Array | readonly string[] | undefined>>
