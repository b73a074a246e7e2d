import type { Secret } from '#base'
import type { TlsOptions } from './connect.ts'

/** Where a counterpart is reached over HTTP. */
export type HttpPlace = {
  /** `https://api.example.id`, or with a path that stands before every target of the dialect. */
  readonly url: string
  readonly tls?: TlsOptions
}

export type HttpLinkOptions = {
  /** Exchanges under way at once, each on a connection of its own; above it a request is not sent. */
  readonly inFlightMax: number
  readonly connectTimeoutMs: number
  readonly tlsTimeoutMs: number
  /** From the request's last byte to the answer's headers, and from those to its last byte. */
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  /** An answer may still come so long after its deadline; then the line is hung up. */
  readonly lateWaitMs: number
  readonly headerBytesMax: number
  /** Of the body as it is read: after decompression, where there is one. */
  readonly bodyBytesMax: number
  /** A connection idle for this long is closed by us: sooner than the counterpart would. */
  readonly keepAliveMs: number
  readonly tokenTimeoutMs: number
  /** Between one attempt to get a token and the next. */
  readonly reconnectMinMs: number
  readonly reconnectMaxMs: number
  readonly circuit: CircuitOptions
  /** As for links that dial: how long, and how many, requests that ended are remembered. */
  readonly lateMemoryMs: number
  readonly lateMemoryMax: number
}

/** When a counterpart is left alone, and for how long. */
export type CircuitOptions = {
  /** The newest so many requests count, those of the last so many milliseconds. */
  readonly countMax: number
  readonly windowMs: number
  /** Fewer than this tell nothing. */
  readonly countMin: number
  /** The part of them, 0 to 1, that must have failed. 1 and a high countMin: almost never. */
  readonly failureRate: number
  /** Up to half as much again is added by chance, so that many nodes do not come back in step. */
  readonly coolDownMs: number
  /** After that, so many requests at once may try; as many must be answered well. */
  readonly probes: number
}

/** What an HTTP link must know of a dialect; made from a pack by the switch. */
export interface HttpDialect<T> {
  /**
   * Puts on what proves who we are, at the moment of sending: time, signature, token. Throws when a
   * credential is missing: then nothing is sent.
   */
  seal(frame: Uint8Array, token: string | undefined): Uint8Array
  /** `sealed` is the request as it left. What cannot be read is content, too: an unclear outcome. */
  read(frame: Uint8Array, asked: T, sealed: Uint8Array): HttpRead<T>
  /** Undefined where the dialect has no token. */
  readonly session: HttpSessionDialect | undefined
}

export type HttpRead<T> = {
  readonly content: T
  /** They do not take the token that it was sealed with. */
  readonly tokenRefused: boolean
}

export type HttpSessionDialect = {
  /** The request for a token, sealed. */
  request(): Uint8Array
  /** Undefined when the answer is a no. */
  read(answer: Uint8Array): Grant | undefined
}

export type Grant = { readonly token: string; readonly expiresInMs: number }

/** Client certificate and key in PEM, beside what the counterpart is held to. */
export type ClientCertificate = { readonly certificate: string; readonly key: Secret<string> }
