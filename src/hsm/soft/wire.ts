import { type ErrorCode, NadiError } from '#base'
import type { LmkSource } from './lmk.ts'
import type { Packed } from './packed.ts'
import type { TokenOptions } from '../pkcs11/token.ts'

/** What goes between the main thread and the worker; the requests themselves: packed.ts. */
export type WorkerSetup = LmkPlace & {
  /** Opens keys that are under the LMK before this one; nothing is wrapped under it any more. */
  readonly before?: LmkPlace
}

/** Where an LMK is: in a secret, or in a token. */
export type LmkPlace =
  | { readonly tag: 'soft'; readonly lmk: LmkSource; readonly lab: boolean }
  | { readonly tag: 'pkcs11'; readonly token: TokenOptions }

/** Requests to carry out, or the word to wipe all keys and end. */
export type ToWorker = Packed | 'wipe'

export type Refusal = {
  readonly code: ErrorCode
  readonly path?: string
  readonly expected?: string
  readonly actual?: string
  readonly hint?: string
}

export type FromWorker =
  | { readonly tag: 'ready'; readonly lmkCheckValue: string; readonly test: boolean }
  | { readonly tag: 'refused'; readonly refusal: Refusal }
  | { readonly tag: 'answers'; readonly answers: Packed }

/** An error as it can be cloned, and back: a class does not outlive the way between threads. */
export function refusalOf({ code, path, expected, actual, hint }: NadiError): Refusal {
  return {
    code,
    ...(path !== undefined && { path }),
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { actual }),
    ...(hint !== undefined && { hint }),
  }
}

export function errorOf({ code, ...detail }: Refusal): NadiError {
  return new NadiError(code, detail)
}
