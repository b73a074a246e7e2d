import { type ErrorCode, NadiError } from '#base'
import type { Operation } from './keeper.ts'
import type { LmkSource } from './lmk.ts'
import type { TokenOptions } from '../pkcs11/token.ts'

/** What goes between the main thread and the worker: requests of one turn together, answers alike. */
export type WorkerSetup = LmkPlace & {
  /** Opens keys that are under the LMK before this one; nothing is wrapped under it any more. */
  readonly before?: LmkPlace
}

/** Where an LMK is: in a secret, or in a token. */
export type LmkPlace =
  | { readonly tag: 'soft'; readonly lmk: LmkSource; readonly lab: boolean }
  | { readonly tag: 'pkcs11'; readonly token: TokenOptions }

export type Call = readonly [id: number, operation: Operation, args: readonly unknown[]]

/** Calls to carry out, or the word to wipe all keys and end. */
export type ToWorker = readonly Call[] | 'wipe'

export type Refusal = {
  readonly code: ErrorCode
  readonly path?: string
  readonly expected?: string
  readonly actual?: string
  readonly hint?: string
}

export type Reply =
  | readonly [id: number, ok: true, value: unknown]
  | readonly [id: number, ok: false, refusal: Refusal]

export type FromWorker =
  | { readonly tag: 'ready'; readonly lmkCheckValue: string; readonly test: boolean }
  | { readonly tag: 'refused'; readonly refusal: Refusal }
  | { readonly tag: 'replies'; readonly replies: readonly Reply[] }

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
