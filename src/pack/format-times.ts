import { addDays, localTime, localTimeMs, WIB_OFFSET_MS } from '#base'
import { checkDigits, type Format } from './format-basics.ts'
import { unsayable } from './value-writer.ts'

/** Tells the time, for what stands on the wire without its year. */
export type Now = () => number

/**
 * MMDDhhmmss, in GMT or in local time (ISO 8583:1987, data element 7). The year is the one that
 * brings it nearest to now, so that the turn of the year is no matter.
 */
export function timeWithoutYear(nowMs: Now, gmt: boolean): Format {
  const offsetMs = gmt ? WIB_OFFSET_MS : 0
  return {
    width: 10,
    kinds: ['local-time'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(10, name)
      checkDigits(cursor, start, 10, name)
      const atMs = nearest(cursor.text.slice(start, start + 10), nowMs(), offsetMs)
      if (atMs === undefined) throw cursor.wrong('PACK_FORMAT', name, start, 'a time that exists')
      return localTime(atMs)
    },
    write(writer, value: string, name) {
      const atMs = localTimeMs(value)
      if (atMs === undefined) throw unsayable(name, 'a time that exists')
      writer.text(localTime(atMs - offsetMs).slice(4), 10, 'n', name)
    },
    normalise: value => value.slice(4),
  }
}

/** MMDD of a date; zeros are no date and stay zeros. */
export function dateWithoutYear(nowMs: Now): Format {
  return {
    width: 4,
    kinds: ['date'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(4, name)
      checkDigits(cursor, start, 4, name)
      const wire = cursor.text.slice(start, start + 4)
      if (wire === '0000') return '00000000'
      const atMs = nearest(`${wire}120000`, nowMs(), 0)
      if (atMs === undefined) {
        throw cursor.wrong('PACK_FORMAT', name, start, 'a date that exists, or zeros')
      }
      return localTime(atMs).slice(0, 8)
    },
    write(writer, value: string, name) {
      if (value.length !== 8) throw unsayable(name, 'YYYYMMDD')
      writer.text(value.slice(4), 4, 'n', name)
    },
  }
}

/** What a dialect says of a local time beside the time itself. */
export type TimePart = keyof typeof PARTS_OF_TIME

export function partOfTime(part: TimePart): Format {
  const { width, rest, say }: PartOfTime = PARTS_OF_TIME[part]
  return {
    width,
    kinds: ['local-time'],
    blank: '0',
    partial: true,
    read(cursor, name) {
      const start = cursor.take(width, name)
      checkDigits(cursor, start, width, name)
      if (rest && localTimeMs(rest(cursor.text.slice(start, start + width))) === undefined) {
        throw cursor.wrong('PACK_FORMAT', name, start, `${part} that exists`)
      }
      return undefined
    },
    write(writer, value: string, name) {
      if (localTimeMs(value) === undefined) throw unsayable(name, 'a time that exists')
      writer.text(say(value), width, 'n', name)
    },
  }
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** ISO 8601 in UTC with milliseconds, which no other time here has: checked, and told without them. */
export function isoTime(): Format {
  const width = 24
  return {
    width,
    kinds: ['local-time'],
    blank: ' ',
    partial: true,
    read(cursor, name) {
      const start = cursor.take(width, name)
      const text = cursor.text.slice(start, start + width)
      if (!ISO_TIME.test(text) || Number.isNaN(Date.parse(text))) {
        throw cursor.wrong('PACK_FORMAT', name, start, '2026-11-20T02:15:00.000Z')
      }
    },
    write(writer, value: string, name) {
      const atMs = localTimeMs(value)
      if (atMs === undefined) throw unsayable(name, 'a time that exists')
      writer.text(new Date(atMs).toISOString(), width, 'ans', name)
    },
  }
}

type PartOfTime = {
  readonly width: number
  /** The time that it belongs to, filled up with what exists in any case. */
  readonly rest: ((wire: string) => string) | undefined
  readonly say: (value: string) => string
}

const PARTS_OF_TIME = {
  hhmmss: { width: 6, rest: wire => `20000101${wire}`, say: value => value.slice(8) },
  MMDD: { width: 4, rest: wire => `2000${wire}000000`, say: value => value.slice(4, 8) },
  /** The day after: when what is done today settles. */
  'MMDD+1': {
    width: 4,
    rest: wire => `2000${wire}000000`,
    say: value => addDays(value.slice(0, 8), 1).slice(4),
  },
  /** Some time near it, such as that of the other side's own clock. */
  'about YYYYMMDDhhmmss': { width: 14, rest: wire => wire, say: value => value },
  // The last digit of the year, the day of the year, the hour: how retrieval numbers begin.
  YDDDhh: {
    width: 6,
    rest: undefined,
    say: value => value.slice(3, 4) + dayOfYear(value) + value.slice(8, 10),
  },
} as const satisfies Readonly<Record<string, PartOfTime>>

function dayOfYear(value: string): string {
  const [year, month, day] = [value.slice(0, 4), value.slice(4, 6), value.slice(6, 8)].map(Number)
  const days = Date.UTC(year as number, (month as number) - 1, day) - Date.UTC(year as number, 0, 0)
  return String(days / 86_400_000).padStart(3, '0')
}

/** The instant of MMDDhhmmss that lies nearest to now; undefined when no year has it. */
function nearest(wire: string, nowMs: number, offsetMs: number): number | undefined {
  const year = Number(localTime(nowMs).slice(0, 4))
  let best: number | undefined
  for (const one of [year - 1, year, year + 1]) {
    const wallMs = localTimeMs(`${one}${wire}`)
    if (wallMs === undefined) continue
    const atMs = wallMs + offsetMs
    if (best === undefined || Math.abs(atMs - nowMs) < Math.abs(best - nowMs)) best = atMs
  }
  return best
}
