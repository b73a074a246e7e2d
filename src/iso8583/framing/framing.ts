/**
 * How messages are told apart in a stream of bytes. Described as data (a pack's `framing:`, or a
 * name of CHANNELS), compiled into a Framer; incremental, in place, bounded.
 */
export interface Framer {
  /** A new reader for one connection's incoming bytes. */
  reader(): FrameReader
  /**
   * The frame with its header and trailer, as it goes out: with the header given, or else with the
   * one that the spec sends. Throws FRAME_LENGTH when it is too long.
   */
  wrap(frame: Uint8Array, header?: Uint8Array): Uint8Array
  /** The header of the answer to a frame that came with this one: source and destination changed. */
  answerHeader(header: Uint8Array): Uint8Array
  /** The largest body that is accepted. */
  readonly frameBytesMax: number
  /** What says "I am still here", or undefined where the framing has no such frame. */
  readonly keepAlive: Uint8Array | undefined
  /** Whoever gets a keep-alive sends one back. */
  readonly keepAliveAnswered: boolean
  /** Frames end where the line is silent: the driver must call `reader.pause`. */
  readonly endsByPause: boolean
}

export interface FrameReader {
  /**
   * Takes a chunk and calls `onFrame` with each whole body in it, in order. A body is a view that
   * is valid until `onFrame` returns: whoever keeps it copies it; so is its header, which is empty
   * where the framing has none. Frames that lie within one chunk are not copied. Throws
   * FRAME_LENGTH on a header that cannot be (zero, too long, not digits); the stream is then beyond
   * repair and the connection must be closed.
   */
  push(chunk: Uint8Array, onFrame: OnFrame, onKeepAlive?: () => void): void
  /** Nothing came for a while. Ends a frame where the framing says so, otherwise does nothing. */
  pause(onFrame: OnFrame): void
  /** Bytes of an unfinished frame. */
  readonly bytesPending: number
}

export type OnFrame = (frame: Uint8Array, header: Uint8Array) => void

/**
 * Bytes of the first message in `bytes`, or undefined when it is not all there yet. For framings
 * that only the codec can end; throws NadiError when there is no message at all.
 */
export type Measure = (bytes: Uint8Array) => number | undefined
