import { NadiError } from '#base'
import type { KeyRecord } from './record.ts'

/** How keys go from one state to the next. Pure: records in, records out. */

/**
 * The changes that make a key the active one of its zone and type: the one that was previous is
 * revoked, the active one becomes previous, in this order.
 */
export function activating(
  keys: readonly KeyRecord[],
  key: KeyRecord,
  nowMs: number,
  overlapMs: number,
): KeyRecord[] {
  if (key.state !== 'pending') throw wrongState(key, 'a pending key')
  const beside = keys.filter(({ zone, type }) => zone === key.zone && type === key.type)
  const gone = beside.filter(({ state }) => state === 'previous').map(each => revoking(each, nowMs))
  const before = beside
    .filter(({ state }) => state === 'active')
    .map(each =>
      overlapMs === 0
        ? revoking(each, nowMs)
        : {
            ...each,
            state: 'previous' as const,
            previousAtMs: nowMs,
            acceptedUntilMs: nowMs + overlapMs,
          },
    )
  return [...gone, ...before, { ...key, state: 'active', activeAtMs: nowMs }]
}

/** The record stays, the key goes. */
export function revoking(key: KeyRecord, nowMs: number): KeyRecord {
  if (key.state === 'revoked') throw wrongState(key, 'a key that is not revoked')
  return { ...key, state: 'revoked', block: '', revokedAtMs: nowMs }
}

/** Previous keys whose overlap is over. */
export function ending(keys: readonly KeyRecord[], nowMs: number): KeyRecord[] {
  return keys
    .filter(({ state, acceptedUntilMs = 0 }) => state === 'previous' && acceptedUntilMs <= nowMs)
    .map(key => revoking(key, nowMs))
}

/** Given to the counterpart by an exchange, and waiting for its answer. */
export function isOffered({ state, origin }: KeyRecord): boolean {
  return state === 'pending' && origin === 'exchanged'
}

export function wrongState({ id, state }: KeyRecord, expected: string): NadiError {
  return new NadiError('KEY_STATE', { path: id, expected, actual: state })
}
