/**
 * Bytes between two ends, whatever carries them: TCP in the daemon, memory in the simulated world.
 * Links and listeners are written against these four types and never see a socket.
 */
export interface Connection {
  /** Who is on the other side, for logs: `127.0.0.1:50312`. */
  readonly peer: string
  /** Bytes handed to `write` and not yet taken by the other side's operating system. */
  readonly bytesPending: number
  /**
   * Queues bytes. All that is written within one turn of the event loop leaves as one write.
   * False, and nothing is taken, when more than the limit waits already (the caller closes, since
   * the peer does not read), before it is connected, and when either side has ended it.
   * The bytes are read later, so the caller must not reuse the buffer.
   */
  write(bytes: Uint8Array): boolean
  /**
   * Ends after what was written has left; `destroy` ends at once. Both lead to `onClose`, once; after
   * `end` that may take as long as the peer likes, so the caller destroys when it is too long.
   * Until then what the peer still sends goes on coming to `onData`.
   */
  end(): void
  destroy(reason?: string): void
  /** Stops and starts taking bytes from the peer: back pressure. */
  pause(): void
  resume(): void
}

export interface ConnectionHandlers {
  /** The chunk belongs to the callee only until it returns. */
  onData(chunk: Uint8Array): void
  /** Once; whatever ended it. */
  onClose(reason: string): void
}

export interface DialHandlers extends ConnectionHandlers {
  onConnect(): void
}

/** The way out. */
export interface Dialer {
  /** Begins to connect; `onConnect` or `onClose` follows, never before this returns. */
  dial(handlers: DialHandlers): Connection
}

/** The way in. */
export interface Acceptor {
  /** Begins to listen; resolves with the address when connections are taken. Throws PORT_TAKEN. */
  listen(onConnection: (connection: Connection) => ConnectionHandlers): Promise<{ address: string }>
  /** Takes no further connections; those that are stay. */
  close(): Promise<void>
}
