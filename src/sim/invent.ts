import { businessDate, rupiah, WIB_OFFSET_MS, ZERO } from '#base'
import type { Bill } from '#message'

/**
 * Customers made from their number: the same number has the same name, tariff, readings and bills
 * every time and in every process, so that nothing has to be stored and two books can be compared.
 */

/** FNV-1a over the digits with a salt, then a finalizer: every bit of the result is usable. */
export function hash(text: string, salt: number): number {
  let value = 0x811c9dc5 ^ salt
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

/** Twelve digits that are the same for the same text. */
export function serialNumber(text: string): string {
  const parts = [hash(text, 21), hash(text, 22)]
  return parts.map(part => String(part % 1_000_000).padStart(6, '1')).join('')
}

export type Tariff = {
  readonly tariff: string
  readonly powerVa: number
  /** Price of one kWh in minor units. */
  readonly kwhMinor: number
  /** Value added tax on energy, per cent: large households only. */
  readonly vatPercent: number
}

/** The common tariffs, small ones more than once since most customers have those. */
const TARIFFS: readonly Tariff[] = [
  { tariff: 'R1', powerVa: 450, kwhMinor: 41_500, vatPercent: 0 },
  { tariff: 'R1', powerVa: 900, kwhMinor: 60_500, vatPercent: 0 },
  { tariff: 'R1M', powerVa: 900, kwhMinor: 135_200, vatPercent: 0 },
  { tariff: 'R1M', powerVa: 900, kwhMinor: 135_200, vatPercent: 0 },
  { tariff: 'R1', powerVa: 1_300, kwhMinor: 144_470, vatPercent: 0 },
  { tariff: 'R1', powerVa: 1_300, kwhMinor: 144_470, vatPercent: 0 },
  { tariff: 'R1', powerVa: 2_200, kwhMinor: 144_470, vatPercent: 0 },
  { tariff: 'R2', powerVa: 3_500, kwhMinor: 169_953, vatPercent: 0 },
  { tariff: 'R2', powerVa: 5_500, kwhMinor: 169_953, vatPercent: 0 },
  { tariff: 'R3', powerVa: 6_600, kwhMinor: 169_953, vatPercent: 11 },
  { tariff: 'B2', powerVa: 16_500, kwhMinor: 144_470, vatPercent: 0 },
  { tariff: 'P1', powerVa: 10_600, kwhMinor: 169_953, vatPercent: 0 },
]

/** The invented tariff of a number. */
export function inventTariff(number: string): Tariff {
  return TARIFFS[hash(number, 1) % TARIFFS.length] as Tariff
}

const FLOWERS = 'MELATI KENANGA CEMPAKA MAWAR ANGGREK DAHLIA SAKURA SERUNI TERATAI WIJAYA KUSUMA'
const FIRST = FLOWERS.split(' ')
const SECOND = ['CONTOH', 'REKAAN', 'UMPAMA', 'MISAL', 'KHAYAL', 'ANDAIAN', 'TELADAN']
const THIRD = ['SATU', 'DUA', 'TIGA', 'EMPAT', 'LIMA', 'ENAM', 'TUJUH', 'DELAPAN', 'SEMBILAN']

/** A name that nobody bears, at most 25 characters: MELATI REKAAN TUJUH. */
export function inventName(number: string): string {
  const draw = hash(number, 2)
  const first = FIRST[draw % FIRST.length]
  const second = SECOND[(draw >>> 8) % SECOND.length]
  return `${first} ${second} ${THIRD[(draw >>> 16) % THIRD.length]}`
}

export function inventAddress(number: string): string {
  const draw = hash(number, 3)
  return `JL ${FIRST[draw % FIRST.length]} NO ${1 + ((draw >>> 8) % 199)}`
}

/** A day as bills see it: YYYYMMDD in WIB, and its month counted since year 0. */
export type Today = { readonly date: string; readonly month: number }

const DAY_MS = 86_400_000
let dayCached = -1
let todayCached: Today = { date: '', month: 0 }

/** Remembered for as long as it stays the same day: asked for at every request. */
export function todayOf(nowMs: number): Today {
  const day = Math.floor((nowMs + WIB_OFFSET_MS) / DAY_MS)
  if (day === dayCached) return todayCached
  const date = businessDate(nowMs)
  todayCached = { date, month: Number(date.slice(0, 4)) * 12 + Number(date.slice(4, 6)) - 1 }
  dayCached = day
  return todayCached
}

const PERIODS = new Map<number, string>()

/** YYYYMM of a month. */
export function periodOf(month: number): string {
  const known = PERIODS.get(month)
  if (known !== undefined) return known
  const period = `${Math.floor(month / 12)}${String((month % 12) + 1).padStart(2, '0')}`
  PERIODS.set(month, period)
  return period
}

const FIRST_MONTH = 2020 * 12

/**
 * The meter readings at the end of so many months from one on. A straight line with some noise, so
 * that one month's end is the next month's beginning and readings never fall.
 */
function readings(number: string, powerVa: number, fromMonth: number, count: number): number[] {
  // 720 hours a month at 10 to 30 % of the power, in kWh.
  const monthly = Math.ceil((powerVa * 72 * (10 + (hash(number, 4) % 21))) / 10_000)
  const first = hash(number, 5) % 1000
  const noiseMax = monthly >> 1
  const told: number[] = []
  for (let month = fromMonth; month < fromMonth + count; month++) {
    told.push(first + (month - FIRST_MONTH) * monthly + (hash(number, month) % noiseMax))
  }
  return told
}

/** The bills of so many months from one on, as told on a day; late since the 21st of their month. */
export function inventBills(
  number: string,
  tariff: Tariff,
  fromMonth: number,
  count: number,
  today: Today,
): PlnBill[] {
  const ends = readings(number, tariff.powerVa, fromMonth - 1, count + 1)
  const bills: PlnBill[] = []
  for (let i = 0; i < count; i++) {
    const used: readonly [number, number] = [ends[i] as number, ends[i + 1] as number]
    bills.push(inventBill(number, tariff, fromMonth + i, used, today))
  }
  return bills
}

function inventBill(
  number: string,
  tariff: Tariff,
  month: number,
  [from, to]: readonly [number, number],
  today: Today,
): PlnBill {
  const period = periodOf(month)
  const energyRupiah = Math.ceil(((to - from) * tariff.kwhMinor) / 100)
  const vatRupiah = Math.floor((energyRupiah * tariff.vatPercent) / 100)
  const incentiveRupiah = hash(number, month + 7) % 8 === 0 ? Math.floor(energyRupiah / 20) : 0
  const billRupiah = energyRupiah + vatRupiah - incentiveRupiah
  return {
    period,
    dueDate: `${period}20`,
    readDate: `${period}01`,
    amountMinor: rupiah(billRupiah),
    incentiveMinor: incentiveRupiah === 0 ? ZERO : rupiah(-incentiveRupiah),
    vatMinor: vatRupiah === 0 ? ZERO : rupiah(vatRupiah),
    penaltyMinor: rupiah(lateFeeRupiah(tariff.powerVa, billRupiah) * monthsLate(month, today)),
    offPeak: [stand(from), stand(to)],
    peak: [NO_READING, NO_READING],
    reactive: [NO_READING, NO_READING],
  }
}

/** PLN tells all of this of every month. */
export type PlnBill = Required<Omit<Bill, 'miscMinor' | 'reading'>>

export const NO_READING = '00000000'

function stand(kwh: number): string {
  return String(kwh).padStart(8, '0')
}

/** How many twentieths have passed since the bill fell due; three at most are charged. */
function monthsLate(month: number, today: Today): number {
  const passed = today.month - month + (Number(today.date.slice(6)) > 20 ? 1 : 0)
  return Math.min(3, Math.max(0, passed))
}

/**
 * The late fee (BK) of one month, Permen ESDM 27/2017: fixed up to 5,500 VA; 3 % above, at least
 * Rp 75,000 up to 14,000 VA and Rp 100,000 above.
 */
export function lateFeeRupiah(powerVa: number, billRupiah: number): number {
  if (powerVa <= 900) return 3_000
  if (powerVa <= 1_300) return 5_000
  if (powerVa <= 2_200) return 10_000
  if (powerVa <= 5_500) return 50_000
  return Math.max(powerVa <= 14_000 ? 75_000 : 100_000, Math.floor((billRupiah * 3) / 100))
}
