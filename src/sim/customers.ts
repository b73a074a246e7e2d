import { minor, rupiah, ZERO, type AmountMinor } from '#base'
import type { Customer, Registration } from '#message'
import {
  hash,
  inventAddress,
  inventBills,
  inventName,
  inventTariff,
  NO_READING,
  periodOf,
  type PlnBill,
  todayOf,
  type Today,
} from './invent.ts'
import { Recent } from './recent.ts'

/**
 * Who the biller knows: the customers of the published samples with just their bills, and every
 * number that begins with 9999. All other numbers are unknown.
 */

const BILLS_MAX = 4
const INVENTED = '9999'
const ADMIN_PER_BILL_MINOR = rupiah(2_500)

/** What a scenario wants of the customer: so many bills, so many unsold tokens. */
export type Setting = {
  readonly bills?: number
  readonly outstanding?: number
  readonly unsold?: number
}

export type PostpaidAccount = {
  readonly customer: Customer
  readonly outstanding: number
  /** Oldest first, at most four. Paid ones are still in it. */
  readonly bills: PlnBill[]
  /** Of all bills together. */
  readonly adminMinor: AmountMinor
}

export type PrepaidAccount = {
  readonly customer: Customer
  readonly adminMinor: AmountMinor
  readonly kwhMinor: number
  readonly vatPercent: number
  readonly kwhMax: number
  readonly installmentMinor: AmountMinor
  /** Amounts of tokens that were bought and never delivered. */
  readonly unsold: { amountMinor: AmountMinor }[]
}

export type RegistrationAccount = {
  readonly customer: Customer
  readonly registration: Registration
  readonly adminMinor: AmountMinor
}

/** The bills of a subscriber at an instant, or undefined when nobody has that number. */
export function postpaidOf(
  id: string,
  nowMs: number,
  setting: Setting = NO_SETTING,
): PostpaidAccount | undefined {
  if (id === SAMPLE_POSTPAID.customer.id) return SAMPLE_POSTPAID
  if (id.length !== 12 || !id.startsWith(INVENTED)) return undefined
  const today = todayOf(nowMs)
  if (setting !== NO_SETTING) return inventPostpaid(id, today, setting)
  // A payment follows its inquiry, so the bills are still known.
  const known = RECENT.get(id)
  if (known?.today === today) return known.account
  const account = inventPostpaid(id, today, setting)
  RECENT.set(id, { today, account })
  return account
}

const NO_SETTING: Setting = {}
const RECENT = new Recent<{ today: Today; account: PostpaidAccount }>(8192)

function inventPostpaid(id: string, today: Today, setting: Setting): PostpaidAccount {
  const tariff = inventTariff(id)
  const draw = hash(id, 6)
  const told = setting.bills ?? 1 + (draw % BILLS_MAX)
  // One customer in four owes more than is told; nine months at most.
  const more = (draw >>> 8) % 4 === 0 ? (draw >>> 16) % (10 - told) : 0
  const outstanding = setting.outstanding ?? (setting.bills === undefined ? told + more : told)
  const oldest = today.month - outstanding + 1
  return {
    customer: {
      id,
      name: inventName(id),
      tariff: tariff.tariff,
      powerVa: tariff.powerVa,
      ...UNIT,
    },
    outstanding,
    bills: inventBills(id, tariff, oldest, told, today),
    adminMinor: minor(ADMIN_PER_BILL_MINOR * BigInt(told)),
  }
}

/** A prepaid customer by meter number or by subscriber number. */
export function prepaidOf(
  number: string,
  knownBy: 'id' | 'meter',
  setting: Setting = {},
): PrepaidAccount | undefined {
  if (number === SAMPLE_PREPAID.customer[knownBy]) return SAMPLE_PREPAID
  if (number.length !== (knownBy === 'id' ? 12 : 11) || !number.startsWith(INVENTED)) {
    return undefined
  }
  const tariff = inventTariff(number)
  const draw = hash(number, 8)
  // The other number has the same middle digits; what was typed is always told back unchanged.
  const meter = knownBy === 'meter' ? number : number.slice(0, 11)
  const id = knownBy === 'id' ? number : `${number}${draw % 10}`
  return {
    customer: {
      id,
      meter,
      name: inventName(number),
      tariff: tariff.tariff,
      powerVa: tariff.powerVa,
      distribution: '99',
      ...UNIT,
    },
    adminMinor: ADMIN_PER_BILL_MINOR,
    kwhMinor: tariff.kwhMinor,
    vatPercent: tariff.vatPercent,
    kwhMax: Math.min(99_999, Math.ceil((tariff.powerVa * 720) / 1000)),
    installmentMinor: draw % 16 === 0 ? rupiah(10_000) : ZERO,
    unsold: UNSOLD.slice(0, setting.unsold ?? 0),
  }
}

/** The bill of a non-taglis registration. */
export function registrationOf(number: string, nowMs: number): RegistrationAccount | undefined {
  if (number === SAMPLE_REGISTRATION.registration.number) return SAMPLE_REGISTRATION
  if (number.length !== 13 || !number.startsWith(INVENTED)) return undefined
  const tariff = inventTariff(number)
  const draw = hash(number, 9)
  const service = SERVICES[draw % SERVICES.length] as (typeof SERVICES)[number]
  const fee = rupiah(1_000 * (50 + ((draw >>> 4) % 2_000)))
  const deposit = draw % 2 === 0 ? ZERO : rupiah(1_000 * (10 + ((draw >>> 16) % 500)))
  const total = minor(fee + deposit)
  const { month } = todayOf(nowMs)
  return {
    customer: {
      id: number.slice(0, 12),
      name: inventName(number),
      address: inventAddress(number),
      tariff: tariff.tariff,
      powerVa: tariff.powerVa,
      ...UNIT,
    },
    registration: {
      number,
      area: '01',
      code: service.code,
      name: service.name,
      registeredOn: `${periodOf(month)}01`,
      expiresOn: `${periodOf(month + 1)}28`,
      totalMinor: total,
      billerMinor: total,
      components: [
        { type: '01', amountMinor: fee },
        ...(deposit > 0n ? [{ type: '02', amountMinor: deposit }] : []),
      ],
      mutation: `MUT${number}`.padEnd(32, '0'),
    },
    adminMinor: ZERO,
  }
}

const UNIT = { unit: '99101', unitPhone: '123' } as const
const UNSOLD = [{ amountMinor: rupiah(50_000) }, { amountMinor: rupiah(100_000) }]
const SERVICES = [
  { code: '001', name: 'PASANG BARU' },
  { code: '002', name: 'PERUBAHAN DAYA' },
  { code: '003', name: 'PENYAMBUNGAN SEMENTARA' },
] as const

const SAMPLE_POSTPAID: PostpaidAccount = {
  customer: {
    id: '999900000015',
    name: 'PELANGGAN UJI SATU',
    tariff: 'R1',
    powerVa: 1_300,
    ...UNIT,
  },
  outstanding: 3,
  bills: [
    sampleBill('202610', 125_000, 5_000, ['00012000', '00012095']),
    sampleBill('202611', 130_500, 0, ['00012095', '00012194']),
  ],
  adminMinor: rupiah(2_500),
}

function sampleBill(
  period: string,
  amount: number,
  penalty: number,
  offPeak: [string, string],
): PlnBill {
  return {
    period,
    dueDate: '00000000',
    readDate: '00000000',
    amountMinor: rupiah(amount),
    incentiveMinor: ZERO,
    vatMinor: ZERO,
    penaltyMinor: rupiah(penalty),
    offPeak,
    peak: [NO_READING, NO_READING],
    reactive: [NO_READING, NO_READING],
  }
}

const SAMPLE_PREPAID: PrepaidAccount = {
  customer: {
    id: '999900000023',
    meter: '99000000010',
    name: 'PELANGGAN UJI DUA',
    tariff: 'R1M',
    powerVa: 900,
    distribution: '99',
    ...UNIT,
  },
  adminMinor: rupiah(2_500),
  kwhMinor: 135_200,
  vatPercent: 0,
  kwhMax: 1_500,
  installmentMinor: ZERO,
  unsold: [],
}

const SAMPLE_REGISTRATION: RegistrationAccount = {
  customer: {
    id: '999900000023',
    name: 'PELANGGAN UJI TIGA',
    address: 'JL CONTOH NO 1',
    tariff: 'R1M',
    powerVa: 900,
    ...UNIT,
  },
  registration: {
    number: '9999912345678',
    area: '01',
    code: '001',
    name: 'PASANG BARU',
    registeredOn: '20261101',
    expiresOn: '20261201',
    totalMinor: rupiah(937_000),
    billerMinor: rupiah(937_000),
    components: [{ type: '01', amountMinor: rupiah(937_000) }],
    mutation: 'MUT9999912345678'.padEnd(32, '0'),
  },
  adminMinor: ZERO,
}
