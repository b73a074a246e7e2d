import type { Clock } from '#base'
import type { KeyCause, KeyKind, KeyTypeName, MadeKey, PaymentHsm, ZoneKeyring } from '#hsm'
import { activating, isOffered, revoking, wrongState } from './lifecycle.ts'
import type { KeyAct, KeyRecord } from './record.ts'
import type { KeyShelf } from './shelf.ts'

type Parts = {
  readonly shelf: KeyShelf
  readonly hsm: PaymentHsm
  readonly clock: Clock
  readonly overlapMs: number
  record(type: KeyTypeName, kind: KeyKind, made: MadeKey, cause: KeyCause): Promise<KeyRecord>
  /** Throws KEY_KNOWN for a key that the zone has or had, but for the one of this id. */
  known(zone: string, type: KeyTypeName, checkValue: string, but?: string): Promise<void>
}

/** One zone's keys. What it answers at once is as new as the book in memory. */
export function zoneKeyring(zone: string, parts: Parts): ZoneKeyring {
  const { shelf, hsm, clock, overlapMs } = parts
  const slot = (type: KeyTypeName) => shelf.slots.of(zone, type)
  const recorded = async (type: KeyTypeName, made: MadeKey, cause: KeyCause) => {
    const { kind } = await hsm.describeKey(made.key)
    return parts.record(type, kind, made, cause)
  }
  const act = (name: string, { id, type }: KeyRecord, { by, why }: KeyCause): KeyAct => ({
    atMs: clock.nowMs(),
    act: name,
    subject: id,
    zone,
    type,
    by,
    why,
  })
  return {
    active: type => slot(type).active?.block,
    activeSinceMs: type => slot(type).active?.activeAtMs,
    accepted(type) {
      const { previous, both, alone } = slot(type)
      // By the time itself, so that an overlap ends though the store is away.
      return previous && (previous.acceptedUntilMs ?? 0) > clock.nowMs() ? both : alone
    },
    offered(type) {
      const { offered } = slot(type)
      return offered && { key: offered.block, checkValue: offered.checkValue }
    },
    /** Throws KEY_STORE. */
    async offer(type, made, cause) {
      const key = await recorded(type, made, cause)
      await shelf.change(() => ({ put: [key], acts: [act('offer', key, cause)] }))
    },
    /** Throws KEY_STORE. */
    async withdraw(type, cause) {
      await shelf.change(({ keys }) => {
        const put = keys
          .filter(key => key.zone === zone && key.type === type && isOffered(key))
          .map(key => revoking(key, clock.nowMs()))
        return put.length === 0
          ? undefined
          : { put, acts: put.map(key => act('withdraw', key, cause)) }
      })
    },
    /** Throws KEY_KNOWN for a key that was replaced before, KEY_STORE. */
    async agree(type, made, cause) {
      const isActive = (): boolean => slot(type).active?.checkValue === made.checkValue
      if (isActive()) return
      const { offered } = slot(type)
      const ours = offered?.checkValue === made.checkValue ? offered : undefined
      const key = ours ?? (await recorded(type, made, cause))
      if (isActive()) return
      await parts.known(zone, type, made.checkValue, ours?.id).catch((error: unknown) => {
        // The same exchange twice at once: the other one was faster.
        if (!isActive()) throw error
      })
      await shelf.change(({ keys }) => {
        if (isActive()) return undefined
        if (ours && !keys.some(({ id }) => id === ours.id)) throw wrongState(ours, 'one in use')
        // What we offered before is overtaken: nothing of ours will be confirmed any more.
        const overtaken = keys
          .filter(each => each.zone === zone && each.type === type && isOffered(each))
          .filter(({ id }) => id !== key.id)
          .map(each => revoking(each, clock.nowMs()))
        const put = [...overtaken, ...activating(keys, key, clock.nowMs(), overlapMs)]
        return { put, acts: put.map(each => act(nameOf(each, key), each, cause)) }
      })
    },
  }
}

function nameOf(each: KeyRecord, key: KeyRecord): string {
  if (each.id === key.id) return 'exchange'
  return each.state === 'revoked' ? 'revoke' : 'replace'
}
