import type { Brand } from './brand.ts'

/** Date and time without a zone as it stands on the wire, YYYYMMDDhhmmss; in this trade WIB. */
export type LocalTime = Brand<string, 'LocalTime'>
/** A day of business, YYYYMMDD. It rolls at the cutover, not at midnight. */
export type BusinessDate = Brand<string, 'BusinessDate'>

/** WIB, western Indonesian time: UTC+7 the whole year. */
export const WIB_OFFSET_MS = 7 * 3600_000
const DAY_MS = 86_400_000
const DAY_S = 86_400

let secondCached = -1
let textCached = '' as LocalTime

/** The wall clock in WIB, to the second. */
export function localTime(atMs: number): LocalTime {
  const second = Math.floor(atMs / 1000) + WIB_OFFSET_MS / 1000
  if (second === secondCached) return textCached
  const day = Math.floor(second / DAY_S)
  const ofDay = second - day * DAY_S
  const minute = Math.floor(ofDay / 60)
  const time = two(Math.floor(minute / 60)) + two(minute % 60) + two(ofDay % 60)
  textCached = (dayText(day) + time) as LocalTime
  secondCached = second
  return textCached
}

/**
 * The instant of a local time, or undefined when it is not a time that exists. By plain arithmetic:
 * most dialects have their times checked in every message, and a Date costs twenty times as much.
 */
export function localTimeMs(text: string): number | undefined {
  if (text.length !== 14) return undefined
  const century = pair(text, 0)
  const yearOf = pair(text, 2)
  const month = pair(text, 4)
  const day = pair(text, 6)
  const hour = pair(text, 8)
  const minute = pair(text, 10)
  const second = pair(text, 12)
  if (century < 0 || yearOf < 0 || second < 0 || second > 59) return undefined
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return undefined
  const days = dayNumber(century * 100 + yearOf, month, day)
  if (days === undefined) return undefined
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 - WIB_OFFSET_MS
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

function dateText(utcMs: number): BusinessDate {
  return dayText(Math.floor(utcMs / DAY_MS))
}

let dayCached = Number.NaN
let dateCached = '' as BusinessDate

/** YYYYMMDD of a day, counted from 1970-01-01. */
function dayText(day: number): BusinessDate {
  if (day === dayCached) return dateCached
  const text = new Date(day * DAY_MS).toISOString()
  dateCached = (text.slice(0, 4) + text.slice(5, 7) + text.slice(8, 10)) as BusinessDate
  dayCached = day
  return dateCached
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Days from 1970-01-01 to this one of the Gregorian calendar; undefined when there is none such. */
function dayNumber(year: number, month: number, day: number): number | undefined {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = (MONTH_DAYS[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0)
  if (day < 1 || day > days) return undefined
  // Years that begin in March have their odd day last.
  const y = month > 2 ? year : year - 1
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const leaps = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400)
  return y * 365 + leaps + ofYear - DAYS_TO_1970
}

/** From 1 March of year 0. */
const DAYS_TO_1970 = 719_468

/** Two digits as a number, or -1. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

function two(number: number): string {
  return number < 10 ? `0${number}` : `${number}`
}
