import pg from 'pg'

/** SQLSTATE of a server's refusal, or undefined when it was no server that spoke (EPIPE looks like one). */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}
