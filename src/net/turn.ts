/**
 * All that is written to a connection within one turn of the event loop leaves as one write: a
 * write is a system call and costs more than the whole codec. Connections with something to send
 * stand in one list, which is emptied when the turn has handled everything that was ready.
 */
export interface Flushable {
  flush(): void
}

let waiting: Flushable[] = []
let spare: Flushable[] = []

/** Has `flush` called at the end of this turn; the caller asks once a turn. */
export function atEndOfTurn(connection: Flushable): void {
  if (waiting.push(connection) === 1) setImmediate(flushAll)
}

function flushAll(): void {
  const connections = waiting
  waiting = spare
  for (const connection of connections) connection.flush()
  connections.length = 0
  spare = connections
}

const JOINED_BYTES = 128 * 1024
let joined = Buffer.allocUnsafeSlow(JOINED_BYTES)

/**
 * The parts as one run of bytes. The bytes stand in a buffer that the next call overwrites, so
 * whoever cannot let go of them in time calls `keepJoined`.
 */
export function join(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array
  if (bytes > JOINED_BYTES) return Buffer.concat(parts, bytes)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined.subarray(0, bytes)
}

/** Gives up the buffer of the last `join` to whoever still reads it. */
export function keepJoined(): void {
  joined = Buffer.allocUnsafeSlow(JOINED_BYTES)
}
