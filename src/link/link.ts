import type { Framer } from '#iso8583'

/**
 * A link is a way out: a destination that we dial, with its conversation (sign-on, echo), its
 * window of requests in flight and the matching of answers to requests. It moves frames and
 * matches keys; what is in a frame (`T`, the pack's decoded content) it only carries.
 */
export interface Link<T> {
  readonly name: string
  readonly state: LinkStateName
  /** A request may leave now, as far as the state goes: up, or probing with a probe to spare. */
  readonly ready: boolean
  readonly inFlight: number
  start(): void
  /**
   * Sends now or not at all; exactly one of the outcomes follows, never before `request` returns.
   * Nothing is queued for later: storing and forwarding is someone else's work.
   * Throws FRAME_LENGTH, and then no outcome follows, when the framing cannot carry the frame.
   */
  request(request: LinkRequest<T>): void
  /** Signs on anew on the live connection (the counterpart says it forgot us); resolves when done. */
  signOnAgain(): Promise<boolean>
  /**
   * Called on every change of state, and when there is room for another probe, for whoever waits
   * for the link to come up.
   */
  onState(listener: (state: LinkStateName) => void): void
  /** Takes no more, lets what is in flight finish until the deadline, signs off, hangs up. */
  drain(deadlineMs: number): Promise<void>
  status(): LinkStatus
}

/** Of a link that dials, all but `tripped` and `probing`; of one over HTTP, all but `dialing`. */
export type LinkStateName =
  'down' | 'dialing' | 'signing-on' | 'up' | 'tripped' | 'probing' | 'draining' | 'stopped'

export type LinkRequest<T> = {
  readonly key: string
  readonly frame: Uint8Array
  readonly deadlineMs: number
  /** What the frame says, where an answer can only be read beside its question (HTTP). */
  readonly asked?: T
  /** Once, exactly. */
  done(outcome: LinkOutcome<T>): void
  /**
   * An answer that comes after `done`: late, when that said sent-no-answer, or a second one, when
   * it said answered. Any number of times, within the link's memory: so this function, and all
   * that it refers to, is kept for long, and should refer to little.
   */
  readonly late: (answer: Answer<T>) => void
}

export type Answer<T> = {
  readonly content: T
  readonly frame: Uint8Array
  readonly atMs: number
  /** It came by itself (a callback) and was read without its question, so it may say less. */
  readonly alone?: true
}

export type LinkOutcome<T> =
  | ({ readonly tag: 'answered' } & Answer<T>)
  /** No byte of it left: it may take another route. */
  | { readonly tag: 'not-sent'; readonly why: NotSent }
  /** It may have been done. */
  | { readonly tag: 'sent-no-answer'; readonly why: 'deadline' | 'broken' }

/**
 *   down          no connection, or none to be had by the deadline
 *   full          as many are in flight as may be
 *   duplicate-key one with the same key is in flight
 *   draining      the link takes no more
 *   tripped       too many failed of late: the counterpart is left alone for a while
 *   unsealed      it could not be signed: no token, no credential, no HSM
 *   pin           the PIN that it should take along is none
 */
export type NotSent =
  'down' | 'full' | 'duplicate-key' | 'draining' | 'tripped' | 'unsealed' | 'pin'

/** What the link must know of a dialect; made from a pack by the switch. */
export interface LinkDialect<T> {
  /** Length header, trailer and limits. */
  readonly framing: Framer
  /** The frame is a copy that the content may go on pointing into. */
  read(frame: Uint8Array): LinkRead<T>
  /** Conversation; undefined where the dialect has none. Each call makes a new message. */
  signOn?(): Conversation<T>
  signOff?(): Conversation<T>
  echo?(): Conversation<T>
}

export type Conversation<T> = {
  readonly key: string
  readonly frame: Uint8Array
  /** Whether this answer is a yes. */
  accepts(content: T): boolean
}

export type LinkRead<T> =
  | { readonly tag: 'response'; readonly key: string; readonly content: T }
  /** They ask us (an echo of theirs): the answer to give, if any. */
  | { readonly tag: 'request'; readonly answer: Uint8Array | undefined }
  | { readonly tag: 'unreadable'; readonly why: string }

/**
 * Looks at each frame that comes before the link does: MACs, keys. `pass` goes on with it as it is to
 * be read, at once, later or never; `reply` answers it on the connection that it came by.
 */
export interface LinkGuard {
  admit(
    frame: Uint8Array,
    pass: (frame: Uint8Array) => void,
    reply: (frame: Uint8Array) => void,
  ): void
}

export type LinkOptions = {
  readonly inFlightMax: number
  readonly dialTimeoutMs: number
  readonly signOnTimeoutMs: number
  /** Echo after this long without a byte from the peer; 0 never. */
  readonly echoIdleMs: number
  /** An echo unanswered for this long means a half-open connection: hang up. */
  readonly echoTimeoutMs: number
  readonly reconnectMinMs: number
  readonly reconnectMaxMs: number
  /**
   * How long requests that ended are remembered, so that a late or second answer finds its own.
   * At most lateMemoryMax unanswered ones, and as many answered ones; the newer half is certain.
   */
  readonly lateMemoryMs: number
  readonly lateMemoryMax: number
}

export type LinkStatus = {
  readonly name: string
  readonly state: LinkStateName
  readonly peer: string
  readonly sinceMs: number
  readonly inFlight: number
  readonly sent: number
  readonly answered: number
  readonly late: number
  readonly unmatched: number
  readonly unanswered: number
  readonly notSent: number
  readonly reconnects: number
  readonly lastError: string | undefined
}
