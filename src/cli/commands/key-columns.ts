import type { ZoneKeyView } from '#admin'
import { keyId } from '../key-words.ts'
import type { Column } from '../table.ts'
import type { Paint } from '../terminal.ts'
import { formatTime } from '../words.ts'

/** Keys as rows: all that may be told of one. */
export const COLUMNS: readonly Column<ZoneKeyView>[] = [
  { title: 'KEY', text: row => row.id, brush: (_, paint) => paint.bold },
  { title: 'ZONE', text: row => row.zone },
  { title: 'TYPE', text: row => row.type },
  { title: 'KIND', text: row => row.kind },
  { title: 'CHECK VALUE', text: row => row.checkValue },
  { title: 'STATE', text: row => row.state, brush: keyBrush },
  { title: 'ORIGIN', text: row => row.origin },
  { title: 'SINCE (WIB)', text: row => formatTime(sinceMs(row)) },
  { title: 'UNTIL (WIB)', text: row => timeOf(row.acceptedUntilMs) },
  { title: 'BY', text: row => row.by },
  {
    title: '',
    text: row => (row.pastDue ? 'past its time' : ''),
    brush: (_, paint) => paint.yellow,
  },
]

function sinceMs({ revokedAtMs, previousAtMs, activeAtMs, madeAtMs }: ZoneKeyView): number {
  return revokedAtMs ?? previousAtMs ?? activeAtMs ?? madeAtMs
}

function timeOf(atMs: number | undefined): string {
  return atMs === undefined ? '' : formatTime(atMs)
}

function keyBrush({ state }: ZoneKeyView, paint: Paint): (text: string) => string {
  if (state === 'active') return paint.green
  return state === 'revoked' ? paint.dim : paint.yellow
}

/** Of one key in the admin API. */
export function pathOf(id: string): string {
  return `/v1/keys/${keyId(id)}`
}
