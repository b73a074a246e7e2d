import type { Brand } from './brand.ts'

/** Date and time without a zone as it stands on the wire, YYYYMMDDhhmmss; in this trade WIB. */
export type LocalTime = Brand<string, 'LocalTime'>
/** A day of business, YYYYMMDD. It rolls at the cutover, not at midnight. */
export type BusinessDate = Brand<string, 'BusinessDate'>

/** WIB, western Indonesian time: UTC+7 the whole year. */
export const WIB_OFFSET_MS = 7 * 3600_000
const DAY_MS = 86_400_000

let secondCached = -1
let textCached = '' as LocalTime

/** The wall clock in WIB, to the second. */
export function localTime(atMs: number): LocalTime {
  const second = Math.floor(atMs / 1000)
  if (second === secondCached) return textCached
  textCached = new Date(second * 1000 + WIB_OFFSET_MS)
    .toISOString()
    .slice(0, 19)
    .replace(/[-T:]/g, '') as LocalTime
  secondCached = second
  return textCached
}

/** The instant of a local time, or undefined when it is not a time that exists. */
export function localTimeMs(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const utcMs = Date.UTC(year, month - 1, day, hour, minute, second)
  const same = new Date(utcMs).toISOString().slice(0, 19).replace(/[-T:]/g, '') === text
  return same ? utcMs - WIB_OFFSET_MS : undefined
}

/** The business date at an instant; from the cutover (ms after midnight WIB) on it is the next day's. */
export function businessDate(atMs: number, cutoverMs: number = DAY_MS): BusinessDate {
  return dateText(atMs + WIB_OFFSET_MS + DAY_MS - cutoverMs)
}

export function addDays(date: string, days: number): BusinessDate {
  const utcMs = Date.UTC(
    Number(date.slice(0, 4)),
    Number(date.slice(4, 6)) - 1,
    Number(date.slice(6, 8)),
  )
  return dateText(utcMs + days * DAY_MS)
}

/** Whether YYYYMMDD is a day that exists. */
export function isDate(text: string): boolean {
  return /^\d{8}$/.test(text) && addDays(text, 0) === text
}

let dayCached = -1
let dateCached = '' as BusinessDate

function dateText(utcMs: number): BusinessDate {
  const day = Math.floor(utcMs / DAY_MS)
  if (day === dayCached) return dateCached
  dateCached = new Date(utcMs).toISOString().slice(0, 10).replaceAll('-', '') as BusinessDate
  dayCached = day
  return dateCached
}
