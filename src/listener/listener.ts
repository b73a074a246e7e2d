import type { Framer } from '#iso8583'
import type { Acceptor } from '#net'

/**
 * A listener is a way in: sources that dial us. It moves frames and keeps the limits; what a frame
 * means it does not know. One slow, greedy or hostile source must not be felt by another.
 */
export interface Listener {
  readonly name: string
  listen(): Promise<{ address: string }>
  /** Takes no new connections and reads no new frames; resolves when all answers owed have left. */
  drain(deadlineMs: number): Promise<void>
  status(): ListenerStatus
}

export type ListenerHandlers = {
  onOpen(session: Session): void
  /**
   * One request. Exactly one `session.answer` or `session.silence` is owed for it. `crowded` says
   * that more requests are in flight than the listener may take: the handler answers no at once.
   * The frame is a view that is valid until this returns. `header` is the framing's own, in front of
   * the frame (a TPDU, BASE24's start): it goes back with the answer; empty where there is none.
   */
  onFrame(session: Session, frame: Uint8Array, crowded: boolean, header: Uint8Array): void
  onClose(session: Session, reason: string): void
}

export interface Session {
  readonly id: number
  readonly peer: string
  readonly openedAtMs: number
  readonly open: boolean
  /**
   * Answers one request, which came with this header. On a session that has closed it does nothing
   * but settle the count.
   */
  answer(frame: Uint8Array, header?: Uint8Array): void
  /** Says something that nobody asked for (key exchange); nothing on a session that has closed. */
  tell(frame: Uint8Array): void
  /** Settles one request that gets no answer. */
  silence(): void
  close(reason: string): void
}

export type ListenerOptions = {
  readonly name: string
  readonly acceptor: Acceptor
  readonly framing: Framer
  readonly connectionsMax: number
  readonly connectionsPerPeerMax: number
  /** In flight on one session; at the limit the session is not read until answers leave. */
  readonly inFlightPerSessionMax: number
  /** In flight on all sessions together; above it requests are `crowded`. */
  readonly inFlightMax: number
  /** A session that lets this much pile up unread is closed. */
  readonly bytesPendingMax: number
  /** A session without any frame for this long is closed; 0 never. */
  readonly idleTimeoutMs: number
  /** An unfinished frame must be whole after this long. */
  readonly frameTimeoutMs: number
  readonly handlers: ListenerHandlers
}

export type ListenerStatus = {
  readonly name: string
  readonly address: string
  readonly sessions: number
  readonly inFlight: number
  readonly accepted: number
  readonly refused: number
  readonly frames: number
  readonly badFrames: number
}
