import type { NadiError, Secret } from '#base'
import type { Message, MessageKind, Meaning, Reason } from '#message'
import type { DescribedField, PackConversation, PackRead, PackRecovery } from './pack.ts'

/**
 * A counterpart's dialect over HTTP: JSON, forms, XML, XML-RPC or SOAP. A frame is one HTTP message
 * (#http). As with every pack the mapping is two-way: the link writes requests and reads answers,
 * the simulator and our own server side read requests and write answers.
 *
 *     link        write(request) ─seal─▶ … ─▶ readAnswer(frame, asked)
 *     callback    … ─▶ opens ─▶ readCallback          (they tell us later)
 *     server      … ─▶ opens ─▶ readRequest ─▶ write(answer) ─seal─▶
 */
export interface HttpPack {
  readonly transport: 'http'
  readonly name: string
  readonly conversation: PackConversation
  readonly recovery: Readonly<Record<string, PackRecovery>>
  readonly products: readonly string[]
  /** Names of the credentials that this dialect needs, for the check of a link's configuration. */
  readonly credentials: readonly CredentialSpec[]
  /** Products that are bought without asking first: the switch quotes them by itself. */
  readonly withoutInquiry: readonly string[]
  /** Whether the dialect has such a message about a product: not every one can be undone. */
  carries(kind: MessageKind, product: string): boolean
  /** The dialect carries `reference.own`, so a txn must have one. */
  readonly needsOwnReference: boolean

  /**
   * The same dialect with the credentials of one link. Reading and writing throw
   * PACK_CREDENTIAL when one is used that was not given.
   */
  with(credentials: Credentials): HttpPack

  /** Message to frame, unsealed. A response needs the request that it answers: see `asked`. */
  write(message: Message, asked?: Message): Uint8Array
  /** The answer to `asked`: what it does not say again is taken from there. Never throws. */
  readAnswer(frame: Uint8Array, asked: Message): PackRead
  /** A request of theirs, on the server side. Never throws on bad input. */
  readRequest(frame: Uint8Array): PackRead
  /** What they tell us by themselves about an earlier request: a response without its question. */
  readonly callback: HttpCallback | undefined
  /**
   * The frame of an answer to what could not be read or may not enter. `asked` is what came: where
   * codes hold a service (SNAP), it is that of what it asked for.
   */
  writeReject(error: NadiError, reason: Reason, asked?: Uint8Array): Uint8Array

  /**
   * Puts on what proves who sent it: signatures, timestamps, tokens. Done at the moment of sending,
   * as it holds the time; the journal keeps the frame without it.
   */
  seal(frame: Uint8Array, context: SealContext): Uint8Array
  /** Whether the seal of a frame from the other side is good; else why not, without any secret. */
  opens(frame: Uint8Array, context: SealContext): SealProblem | undefined
  /** How a token is fetched; undefined where the dialect has none. */
  readonly session: HttpSession | undefined

  /** What an answer or callback is matched by: equal for a request and all that answers it. */
  matchKey(message: Message): string
  codeOf(reason: Reason): string
  meaningOf(kind: MessageKind, code: string): { meaning: Meaning; reason: Reason }
  /** For people: one line a value with its path, masked unless `unsafe`. */
  describe(frame: Uint8Array, options?: { unsafe?: boolean }): DescribedField[]
}

export type CredentialSpec = {
  readonly name: string
  readonly text: string
  /** A private or public key in PEM, or a plain secret or name. */
  readonly kind: 'secret' | 'private-key' | 'public-key' | 'name'
  readonly optional: boolean
}

/** By the names that the dialect gives them: `username`, `apiKey`, `clientSecret`. */
export type Credentials = Readonly<Record<string, Secret<string>>>

export type SealContext = {
  readonly nowMs: number
  /** The token of the session, where there is one. */
  readonly token?: string
  /** Fresh for each sending, digits (X-EXTERNAL-ID and the like). */
  readonly nonce: string
  /** opens() only: what the request that this frame answers was sealed with, where it matters. */
  readonly asked?: Uint8Array
}

export type SealProblem = {
  readonly tag: 'missing' | 'forged' | 'stale' | 'unknown-sender'
  /** The header or field that is wrong. */
  readonly path: string
}

export interface HttpSession {
  /** The request for a token, sealed by its own rules. */
  request(context: SealContext): Uint8Array
  /** Undefined when the answer is a no. */
  read(answer: Uint8Array): { readonly token: string; readonly expiresInMs: number } | undefined
  /** On the server side: whether this request asks for a token, and the answer that gives one. */
  asks(frame: Uint8Array): boolean
  writeAnswer(token: string, expiresInMs: number): Uint8Array
}

export interface HttpCallback {
  readonly method: string
  /** The path at which a counterpart would call; our listener has a prefix of its own for the link. */
  readonly target: string
  read(frame: Uint8Array): PackRead
  /** The other way round, unsealed: what the simulator sends. Throws as `write` does. */
  write(message: Message): Uint8Array
  /** What they are answered when it was taken, and when it was refused. */
  writeAnswer(taken: boolean): Uint8Array
}
