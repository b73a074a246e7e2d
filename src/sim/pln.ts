import { minor } from '#base'
import { type Bill, dueOfBills, type Message, type Reason } from '#message'
import { postpaidOf, prepaidOf, registrationOf } from './customers.ts'
import type { PrepaidAccount } from './customers.ts'
import { keyByReference, keyByTime, periodBit, sameAmount } from './desk.ts'
import type { Desk } from './desk.ts'
import { breakdown, receiptNumber, tokenNumber } from './purchase.ts'
import { isOurReference } from './references.ts'

/** PLN's three products. */

export const postpaid: Desk = {
  reversible: true,
  numberOf: message => message.customer?.id ?? '',
  keyOf: keyByTime,
  wrongReference: wrongSwitcherReference,

  quote(number, _message, at) {
    const account = postpaidOf(number, at.nowMs, at.setting)
    if (!account) return 'customer-unknown'
    const bills = unpaid(account.bills, at.paidPeriods)
    if (bills.length === 0) return 'already-paid'
    const all = account.bills.length
    return {
      amountMinor: dueOfBills(bills),
      currency: 'IDR',
      customer: account.customer,
      reference: { switching: at.references.next('SIM', number) },
      billsOutstanding: account.outstanding - (all - bills.length),
      bills,
      adminMinor: minor((account.adminMinor * BigInt(bills.length)) / BigInt(all)),
    }
  },

  check(number, message, at) {
    const account = postpaidOf(number, at.nowMs, at.setting)
    if (!account) return 'customer-unknown'
    const bills = unpaid(account.bills, at.paidPeriods)
    const asked = message.billsPaid ?? message.bills?.length ?? 0
    if (bills.length === 0 || anyPaid(message, asked, at.paidPeriods)) return 'already-paid'
    const oldest = bills.slice(0, asked)
    if (asked < 1 || oldest.length < asked) return 'reference-mismatch'
    if (!sameAmount(message.amountMinor, dueOfBills(oldest))) return 'amount-invalid'
    return oldest.reduce((bits, bill) => bits | periodBit(bill.period), 0)
  },

  receipt: () => ({ infoText: `${INFO} Atau Hubungi PLN Terdekat` }),
}

export const prepaid: Desk = {
  reversible: false,
  numberOf: message => meterOrId(message).number,
  keyOf: message => keyByReference(meterOrId(message).number, message),

  wrongReference(number, message) {
    const { biller } = message.reference ?? {}
    if (!biller || !isOurReference(biller, number)) return 'biller-reference-invalid'
    return wrongSwitcherReference(number, message)
  },

  quote(number, message, at) {
    const { knownBy } = meterOrId(message)
    const account = prepaidOf(number, knownBy, at.setting)
    if (!account) return 'customer-unknown'
    return {
      customer: { ...account.customer, knownBy },
      reference: {
        switching: at.references.next('SIM', number),
        biller: at.references.next('PLN', number),
      },
      adminMinor: account.adminMinor,
      token: { kwhMax: account.kwhMax, unsold: account.unsold },
    }
  },

  check(number, message, at) {
    const account = prepaidOf(number, meterOrId(message).knownBy, at.setting)
    if (!account) return 'customer-unknown'
    const { amountMinor, token } = message
    if (amountMinor === undefined) return 'amount-invalid'
    const option = token?.option ?? 0
    if (option > 0) return checkUnsold(account, option, message)
    return breakdown(account, amountMinor) ? 0 : 'below-minimum'
  },

  receipt(number, message, at) {
    const { knownBy } = meterOrId(message)
    const account = prepaidOf(number, knownBy, at.setting)
    const { amountMinor, trace, token, reference } = message
    const bought = account && amountMinor !== undefined && breakdown(account, amountMinor)
    if (!bought) return {}
    const option = token?.option ?? 0
    const { token: digits, receipt } = numbersOf(
      number,
      message,
      option === 0 ? trace : `unsold ${option}`,
    )
    return {
      customer: { ...account.customer, knownBy },
      reference: { ...reference, receipt },
      adminMinor: account.adminMinor,
      token: {
        ...bought,
        number: digits,
        option,
        kwhMax: account.kwhMax,
        unsold: account.unsold,
      },
      infoText: INFO,
    }
  },
}

export const registration: Desk = {
  reversible: true,
  numberOf: message => message.registration?.number ?? '',
  keyOf: keyByTime,
  wrongReference: wrongSwitcherReference,

  quote(number, _message, at) {
    const account = registrationOf(number, at.nowMs)
    if (!account) return 'registration-unknown'
    if (at.paidPeriods !== 0) return 'already-paid'
    return {
      amountMinor: minor(account.registration.totalMinor ?? 0n),
      currency: 'IDR',
      customer: account.customer,
      reference: {
        switching: at.references.next('SIM', number),
        biller: at.references.next('PLN', number),
      },
      registration: account.registration,
      adminMinor: account.adminMinor,
    }
  },

  check(number, message, at) {
    const account = registrationOf(number, at.nowMs)
    if (!account) return 'registration-unknown'
    if (at.paidPeriods !== 0) return 'already-paid'
    const total = account.registration.totalMinor ?? 0n
    return sameAmount(message.amountMinor, total) ? 1 : 'amount-invalid'
  },

  receipt(number, _message, at) {
    const account = registrationOf(number, at.nowMs)
    if (!account) return {}
    const { customer, registration, adminMinor } = account
    return { customer, registration, adminMinor, infoText: INFO }
  },
}

/** Desks by Nadi's product codes. */
export const PLN_DESKS: Readonly<Record<string, Desk>> = {
  'pln-postpaid': postpaid,
  'pln-prepaid': prepaid,
  'pln-nontaglis': registration,
}

const INFO = 'Informasi Hubungi Call Center 123'

function unpaid(bills: Bill[], paidPeriods: number): Bill[] {
  if (paidPeriods === 0) return bills
  return bills.filter(bill => (paidPeriods & periodBit(bill.period)) === 0)
}

function anyPaid({ bills = [] }: Message, asked: number, paidPeriods: number): boolean {
  if (paidPeriods === 0) return false
  return bills.slice(0, asked).some(bill => (paidPeriods & periodBit(bill.period)) !== 0)
}

function wrongSwitcherReference(number: string, { reference }: Message): Reason | undefined {
  const switching = reference?.switching
  return switching && isOurReference(switching, number) ? undefined : 'no-inquiry'
}

function meterOrId({ customer }: Message): { number: string; knownBy: 'id' | 'meter' } {
  const { id = '', meter = '', knownBy } = customer ?? {}
  if (knownBy === 'id' || (knownBy === undefined && /^0*$/.test(meter))) {
    return { number: id, knownBy: 'id' }
  }
  return { number: meter, knownBy: 'meter' }
}

/** An unsold token is sold for just the amount that it was bought for. */
function checkUnsold(account: PrepaidAccount, option: number, message: Message): number | Reason {
  const unsold = account.unsold[option - 1]
  if (!unsold) return 'amount-invalid'
  return sameAmount(message.amountMinor, unsold.amountMinor) ? 0 : 'amount-invalid'
}

/** Token and receipt number of a sale; the published sample has its own. */
function numbersOf(number: string, { amountMinor }: Message, sale: string) {
  if (number === SAMPLE_SALE.meter && amountMinor === SAMPLE_SALE.amountMinor) return SAMPLE_SALE
  return { token: tokenNumber(number, sale), receipt: receiptNumber(number, sale) }
}

const SAMPLE_SALE = {
  meter: '99000000010',
  amountMinor: minor(10_250_000n),
  receipt: '00000077',
  token: '12345678901234567890',
} as const
