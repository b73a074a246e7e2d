import { type AmountMinor, formatMoney, minor, plain, ZERO } from '#base'
import { type Bill, dueOfBill, type Message } from '#message'
import { table } from './table.ts'
import type { Paint } from './terminal.ts'
import { formatDay, formatPeriod } from './words.ts'

/** What the customer owes, as the answer to an inquiry tells it; for people. */
export function billLines(quoted: Message, paint: Paint): string[] {
  const { customer = {}, registration, token } = quoted
  const facts: [string, string | undefined][] = [
    ['customer', customer.id],
    ['meter', customer.meter],
    ['name', customer.name],
    ['tariff', customer.tariff && `${customer.tariff} / ${customer.powerVa ?? 0} VA`],
    ['registration', registration?.number],
    ['transaction', registration?.name],
    ['expires', registration?.expiresOn && formatDay(registration.expiresOn)],
    ['at most', token?.kwhMax === undefined ? undefined : `${token.kwhMax} kWh`],
    ['unsold tokens', token?.unsold?.map(unsoldText).join(', ')],
  ]
  const known = facts.filter(([, value]) => value !== undefined && value !== '')
  return [
    ...known.map(([name, value = '']) => `  ${paint.dim(name.padEnd(14))}${plain(value)}`),
    ...billTable(quoted, paint),
  ]
}

function unsoldText({ amountMinor }: { amountMinor: AmountMinor }, index: number): string {
  return `${index + 1}: ${formatMoney(amountMinor)}`
}

function billTable({ bills, billsOutstanding = 0 }: Message, paint: Paint): string[] {
  if (!bills) return []
  const columns = [
    { title: 'BILL', text: (bill: Bill) => formatPeriod(bill.period) },
    { title: 'AMOUNT', right: true, text: (bill: Bill) => formatMoney(bill.amountMinor) },
    {
      title: 'LATE FEE',
      right: true,
      text: (bill: Bill) => formatMoney(bill.penaltyMinor ?? ZERO),
    },
    {
      title: 'DUE',
      right: true,
      text: (bill: Bill) => formatMoney(dueOfBill(bill)),
    },
  ]
  const more = billsOutstanding - bills.length
  return [
    '',
    ...table(bills, columns, paint).map(line => `  ${line}`),
    ...(more > 0 ? [paint.yellow(`  and ${more} more, to be paid after these`)] : []),
  ]
}

/** What one payment costs the customer. */
export function dueLines(
  amountMinor: AmountMinor,
  adminMinor: AmountMinor,
  inside: boolean,
): string[] {
  const bill = inside ? minor(amountMinor - adminMinor) : amountMinor
  const rows: [string, AmountMinor][] = [
    ['charge', bill],
    ['fee', adminMinor],
    ['to pay', minor(bill + adminMinor)],
  ]
  return rows.map(
    ([name, value]) => `  ${name.padEnd(14)}${formatMoney(value ?? ZERO).padStart(20)}`,
  )
}
