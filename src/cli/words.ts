import { type AmountMinor, formatMoney, localTime, minor } from '#base'

/** How times, ages and amounts are written for people. Pure. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `20 Nov 2026 09:15:30`, WIB. */
export function formatTime(atMs: number): string {
  const text = localTime(atMs)
  const time = `${text.slice(8, 10)}:${text.slice(10, 12)}:${text.slice(12, 14)}`
  return `${formatDay(text)} ${time}`
}

/** `20 Nov 2026` of YYYYMMDD…; what is no date stands as it is. */
export function formatDay(text: string): string {
  const month = MONTHS[Number(text.slice(4, 6)) - 1]
  return month ? `${text.slice(6, 8)} ${month} ${text.slice(0, 4)}` : text
}

/** `Nov 2026` of YYYYMM. */
export function formatPeriod(text: string): string {
  const month = MONTHS[Number(text.slice(4, 6)) - 1]
  return month ? `${month} ${text.slice(0, 4)}` : text
}

const AGES = [
  { ms: 86_400_000, name: 'd' },
  { ms: 3_600_000, name: 'h' },
  { ms: 60_000, name: 'min' },
  { ms: 1000, name: 's' },
] as const

/** The two largest units: `3 d 4 h`, `2 min 5 s`, `7 s`; below a second `42 ms`. */
export function formatAge(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  const first = AGES.findIndex(unit => ms >= unit.ms)
  const words: string[] = []
  let rest = ms
  for (const unit of AGES.slice(first, first + 2)) {
    const count = Math.floor(rest / unit.ms)
    if (count > 0) words.push(`${count} ${unit.name}`)
    rest -= count * unit.ms
  }
  return words.join(' ')
}

/** `+Rp 260.500`, `-Rp 2.500`. */
export function signedMoney(amount: AmountMinor): string {
  return amount < 0n ? formatMoney(amount) : `+${formatMoney(amount)}`
}

/** Amounts from JSON may have been small numbers. */
export function amountOf(value: bigint | number): AmountMinor {
  return minor(value)
}

/** Cut to a width, with an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
