/**
 * How messages are told apart in a stream of bytes. Described as data (a pack's `framing:`),
 * compiled into a Framer; incremental, in place, bounded.
 */
export interface Framer {
  /** A new reader for one connection's incoming bytes. */
  reader(): FrameReader
  /** The frame with its header and trailer, as it goes out. Throws FRAME_LENGTH when it is too long. */
  wrap(frame: Uint8Array): Uint8Array
  /** The largest body that is accepted. */
  readonly frameBytesMax: number
}

export interface FrameReader {
  /**
   * Takes a chunk and calls `onFrame` with each whole body in it, in order. A body is a view that
   * is valid until `onFrame` returns: whoever keeps it copies it. Frames that lie within one chunk
   * are not copied. Throws FRAME_LENGTH on a header that cannot be (zero, too long, not digits);
   * the stream is then beyond repair and the connection must be closed.
   */
  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void
  /** Bytes of an unfinished frame. */
  readonly bytesPending: number
}
