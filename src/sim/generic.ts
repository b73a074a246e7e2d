import { minor, rupiah, ZERO } from '#base'
import { type Bill, dueOfBills, type Message } from '#message'
import type { Desk, DeskContext } from './desk.ts'
import { periodBit, sameAmount } from './desk.ts'
import { hash, inventAddress, inventName, periodOf, serialNumber, todayOf } from './invent.ts'

/**
 * Products that are no electricity: bills of water, telephone, insurance and the like, and what is
 * bought without any bill. As everywhere here, numbers that begin with 9999 have bills made from the
 * number itself, and all others are unknown; a telephone number may be any.
 */

const INVENTED = '9999'
const BILLS_MAX = 3
const ADMIN = rupiah(2_500)

/** Bills by month, the oldest first. */
export const bills: Desk = {
  reversible: true,
  numberOf,
  keyOf,
  wrongReference: () => undefined,

  quote(number, message, at) {
    if (!number.startsWith(INVENTED)) return 'customer-unknown'
    const owed = unpaid(number, message, at)
    if (owed.length === 0) return 'already-paid'
    return {
      amountMinor: dueOfBills(owed),
      currency: 'IDR',
      customer: {
        ...message.customer,
        id: number,
        name: inventName(number),
        address: inventAddress(number),
      },
      billsOutstanding: owed.length,
      bills: owed,
      adminMinor: minor(ADMIN * BigInt(owed.length)),
      reference: { ...message.reference, switching: serialNumber(`${number} ${at.nowMs}`) },
    }
  },

  check(number, message, at) {
    if (!number.startsWith(INVENTED)) return 'customer-unknown'
    const owed = unpaid(number, message, at)
    if (owed.length === 0) return 'already-paid'
    if (!sameAmount(message.amountMinor, dueOfBills(owed))) return 'amount-invalid'
    return owed.reduce((bits, bill) => bits | periodBit(bill.period), 0)
  },

  receipt: (number, message) => ({
    reference: { ...message.reference, biller: `REF${serialOf(number, message)}` },
  }),
}

/** Bought for the price of the product: airtime, vouchers. It cannot be given back. */
export const topUp: Desk = {
  reversible: false,
  numberOf,
  keyOf,
  wrongReference: () => undefined,
  quote: (_number, { amountMinor = ZERO }) => ({ amountMinor, adminMinor: ZERO }),
  check: (number, message) => {
    if (!/^(?:0|62|9999)\d{6,14}$/.test(number)) return 'customer-unknown'
    return message.amountMinor === undefined ? 'amount-invalid' : 0
  },
  receipt: (number, message) => ({ serial: serialOf(number, message) }),
}

/** Money for an account, told by its number. */
export const transfer: Desk = {
  ...topUp,
  quote(number, message) {
    if (!number.startsWith(INVENTED)) return 'customer-unknown'
    const name = inventName(number)
    return {
      ...(message.amountMinor !== undefined && { amountMinor: message.amountMinor }),
      adminMinor: ZERO,
      ...(message.transfer && { transfer: { ...message.transfer, name } }),
      ...(message.customer && { customer: { ...message.customer, name } }),
    }
  },
  check: (number, message) => {
    if (!number.startsWith(INVENTED)) return 'customer-unknown'
    return message.amountMinor === undefined ? 'amount-invalid' : 0
  },
  receipt: (number, message) => ({
    reference: { ...message.reference, biller: serialOf(number, message) },
  }),
}

function numberOf({ customer, transfer, registration }: Message): string {
  const { id, meter } = customer ?? {}
  return id ?? meter ?? transfer?.account ?? registration?.number ?? ''
}

function keyOf(message: Message): string {
  const { reference, original, bank = '', terminal = '', trace } = message
  if (reference?.own !== undefined) return `own ${reference.own}`
  // An advice has a time of its own; an audit number is used once a day.
  return `${bank}|${terminal}|${original?.trace ?? trace}|${numberOf(message)}`
}

function unpaid(number: string, message: Message, at: DeskContext): Bill[] {
  const count = message.months ?? 1 + (hash(number, 11) % BILLS_MAX)
  const wanted = at.setting?.bills ?? count
  const { month } = todayOf(at.nowMs)
  const all = Array.from({ length: wanted }, (_, i) => inventBill(number, month - wanted + 1 + i))
  return all.filter(({ period }) => (at.paidPeriods & periodBit(period)) === 0)
}

function inventBill(number: string, month: number): Bill {
  const draw = hash(number, month)
  const from = 100 + (hash(number, 12) % 900) + month * 20
  const reading = (value: number) => String(value % 1_000_000).padStart(6, '0')
  return {
    period: periodOf(month),
    amountMinor: rupiah(25_000 + (draw % 200) * 500),
    penaltyMinor: draw % 5 === 0 ? rupiah(5_000) : ZERO,
    miscMinor: ZERO,
    reading: [reading(from), reading(from + 20)],
  }
}

/** The same for the same purchase, however often it is asked for. */
function serialOf(number: string, message: Message): string {
  return serialNumber(`${number} ${keyOf(message)}`)
}
