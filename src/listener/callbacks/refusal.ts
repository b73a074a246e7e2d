/** A no of the listener itself, before anybody was handed the request, and the status it is told by. */
export const REFUSALS = {
  'no-route': 404,
  stranger: 403,
  /** No room, or the listener is closing; nothing was begun. */
  busy: 503,
  encoding: 415,
  'too-long': 413,
  unreadable: 400,
  /** It takes too long; what was begun goes on. */
  late: 503,
  failed: 503,
} as const

export type Refusal = keyof typeof REFUSALS

/** What a refusal looks like in the caller's dialect: an answer's frame (#http). `target` is '' where HTTP itself could not be read. */
export type TellRefusal = (why: Refusal, target: string) => Uint8Array
