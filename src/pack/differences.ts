/** How much of what differs is told: the first places are enough to look for. */
const TOLD_MAX = 3

/**
 * In what two values differ, a line a place: `bills[1].penaltyMinor: 500000n is told, 0n is read`.
 * `partly`: what is told may say more than what is read.
 */
export function differences(told: unknown, read: unknown, partly = false): readonly string[] {
  const found: string[] = []
  compare(told, read, '', partly, found)
  return found.length <= TOLD_MAX
    ? found
    : [...found.slice(0, TOLD_MAX), `and ${found.length - TOLD_MAX} more`]
}

function compare(
  told: unknown,
  read: unknown,
  path: string,
  partly: boolean,
  found: string[],
): void {
  if (isObject(told) && isObject(read) && Array.isArray(told) === Array.isArray(read)) {
    for (const key of new Set([...Object.keys(told), ...Object.keys(read)])) {
      if (partly && !Object.hasOwn(read, key)) continue
      const inside = Array.isArray(told) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
      compare(told[key], read[key], inside, partly, found)
    }
    return
  }
  if (!Object.is(told, read)) found.push(`${path}: ${shown(told)} is told, ${shown(read)} is read`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'object' ? 'a part with parts' : JSON.stringify(value)
}
