const CAPACITY_START = 4096
/** So many bytes behind the last may be looked at, whatever they are. */
export const SLACK_BYTES = 4

/**
 * The bytes that are being scanned, copied into one place. A frame's bytes come from anywhere; here
 * they can be looked at four at a time, which makes checking every character against its class cost
 * less than the copy saves. Positions are those of the frame.
 *
 * There is one Wire for whole messages: whoever loads it uses it before anyone else can (scanning is
 * synchronous and calls nobody outside).
 */
export class Wire {
  bytes = new Uint8Array(CAPACITY_START)
  view = new DataView(this.bytes.buffer)

  load(frame: Uint8Array): void {
    if (frame.length + SLACK_BYTES > this.bytes.length) this.#grow(frame.length + SLACK_BYTES)
    this.bytes.set(frame)
  }

  #grow(length: number): void {
    this.bytes = new Uint8Array(2 ** Math.ceil(Math.log2(length)))
    this.view = new DataView(this.bytes.buffer)
  }
}

/** The one for messages. */
export const WIRE = new Wire()

/** A Wire of its own, for bytes that were decoded from others (a composite inside of hexadecimal). */
export function wireOf(bytes: Uint8Array): Wire {
  const wire = new Wire()
  wire.load(bytes)
  return wire
}
