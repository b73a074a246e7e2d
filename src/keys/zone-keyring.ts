import type { Clock } from '#base'
import type { KeyKind, KeyTypeName, MadeKey, PaymentHsm, ZoneKeyring } from '#hsm'
import { activating } from './lifecycle.ts'
import type { KeyAct, KeyRecord } from './record.ts'
import type { KeyShelf } from './shelf.ts'

type Parts = {
  readonly shelf: KeyShelf
  readonly hsm: PaymentHsm
  readonly clock: Clock
  readonly overlapMs: number
  record(type: KeyTypeName, kind: KeyKind, made: MadeKey, how: string): Promise<KeyRecord>
  known(zone: string, type: KeyTypeName, checkValue: string): Promise<void>
}

/** One zone's keys. What it answers at once is as new as the book in memory. */
export function zoneKeyring(zone: string, parts: Parts): ZoneKeyring {
  const { shelf, hsm, clock, overlapMs } = parts
  return {
    active: type => shelf.slots.of(zone, type).active?.block,
    accepted(type) {
      const { previous, both, alone } = shelf.slots.of(zone, type)
      // By the time itself, so that an overlap ends though the store is away.
      return previous && (previous.acceptedUntilMs ?? 0) > clock.nowMs() ? both : alone
    },
    /** Throws KEY_KNOWN for a key that was replaced before, KEY_STORE. */
    async agree(type, made, how) {
      const isActive = (): boolean =>
        shelf.slots.of(zone, type).active?.checkValue === made.checkValue
      if (isActive()) return
      const { kind } = await hsm.describeKey(made.key)
      const key = await parts.record(type, kind, made, how)
      if (isActive()) return
      await parts.known(zone, type, made.checkValue).catch((error: unknown) => {
        // The same exchange twice at once: the other one was faster.
        if (!isActive()) throw error
      })
      await shelf.change(({ keys }) => {
        if (isActive()) return undefined
        const put = activating(keys, key, clock.nowMs(), overlapMs)
        return { put, acts: put.map(each => actOf(each, key, how, clock.nowMs())) }
      })
    },
  }
}

function actOf(each: KeyRecord, key: KeyRecord, why: string, atMs: number): KeyAct {
  const { id, zone, type, state } = each
  const act = each.id === key.id ? 'exchange' : state === 'revoked' ? 'revoke' : 'replace'
  return { atMs, act, subject: id, zone, type, by: key.by, why }
}
