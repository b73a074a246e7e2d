/**
 * Timestamps of the counterpart. A signed request is good only near the moment at which it was
 * signed; an old one is somebody's recording.
 */
export function withinWindow(thenMs: number, nowMs: number, windowMs: number): boolean {
  return Math.abs(nowMs - thenMs) <= windowMs
}

const ISO =
  /^(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):?(\d{2}):?(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})$/

/** The instant of an ISO 8601 time with its zone, in ms, or undefined when it is not one. */
export function isoMs(text: string): number | undefined {
  const match = ISO.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const localMs = Date.UTC(year, month - 1, day, hour, minute, second)
  const given = match.slice(1, 7).join('')
  // Date.UTC carries a 31 February over into March; such a time does not exist.
  const exists = new Date(localMs).toISOString().slice(0, 19).replace(/[-T:]/g, '') === given
  return exists ? localMs - offsetMs(match[8] as string) : undefined
}

/** `Z`, `+07:00` or `+0700` in ms. */
export function offsetMs(zone: string): number {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(-2))
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

/** `2026-11-20T09:15:00+07:00`: the clock of western Indonesia, as SNAP wants it. */
export function isoWib(atMs: number): string {
  const local = new Date(Math.floor(atMs / 1000) * 1000 + 7 * 3_600_000)
  return `${local.toISOString().slice(0, 19)}+07:00`
}
