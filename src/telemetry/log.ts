/** Structured logging as the rest of the house sees it; the daemon hands in pino, tests a list. */
export interface Log {
  debug(text: string, fields?: LogFields): void
  info(text: string, fields?: LogFields): void
  warn(text: string, fields?: LogFields): void
  error(text: string, fields?: LogFields): void
  child(fields: LogFields): Log
}

/** Never holds message content: ids, codes, states, counts, durations, error codes and paths. */
export type LogFields = Readonly<Record<string, unknown>>

/** For the simulated world and for tests that look at behaviour only. */
export const NO_LOG: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => NO_LOG,
}
