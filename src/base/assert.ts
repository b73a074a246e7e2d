/**
 * A bug is not an error to be handled: the process stops, systemd starts it again and recovery
 * brings every open txn to its end. Assertions state what is always so.
 */
export function assert(condition: unknown, text: string): asserts condition {
  if (!condition) throw new AssertionFailed(text)
}

/** Marks what the types say cannot be reached; the compiler refuses it when a case is missing. */
export function unreachable(value: never): never {
  throw new AssertionFailed(`unreachable: ${String(value)}`)
}

/** Thrown by `assert` only. Nobody catches it but the daemon's last line, which stops the process. */
export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed'
}
