import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { businessDate, localTime, type LocalTime } from '#base'
import type { Bill, Message } from '#message'
import type { Book, Payment } from './book.ts'
import { periodBit } from './desk.ts'
import { deskFor } from './desk-for.ts'
import { PLN_DESKS } from './pln.ts'
import type { Column, ReconFile, ReconFormat } from './recon-format.ts'
import type { References } from './references.ts'
import { scenarioOf } from './scenarios.ts'

export type ReconText = { readonly name: string; readonly lines: number; readonly text: string }

/** The payments that stood at the end of a day (YYYYMMDD, WIB), as the counterpart writes them. */
export function reconTexts(book: Book, format: ReconFormat, date: string): ReconText[] {
  const paid = [...book.entries()].filter(
    ({ state, atMs }) => state === 'paid' && businessDate(atMs) === date,
  )
  return format.flatMap(file => {
    const own = paid.filter(({ account }) => file.products?.includes(productOf(account)) ?? true)
    const partners = new Set(own.map(({ partner = '' }) => partner))
    return [...partners].map(partner =>
      fileOf(
        file,
        own.filter(one => (one.partner ?? '') === partner),
        partner,
        date,
      ),
    )
  })
}

/** Writes them into a folder, each whole or not at all; answers where. */
export function writeRecon(
  folder: string,
  book: Book,
  format: ReconFormat,
  date: string,
): { readonly file: string; readonly lines: number }[] {
  mkdirSync(folder, { recursive: true })
  return reconTexts(book, format, date).map(({ name, lines, text }) => {
    const file = join(folder, name)
    writeFileSync(`${file}.part`, text)
    renameSync(`${file}.part`, file)
    return { file, lines }
  })
}

function fileOf(
  file: ReconFile,
  payments: readonly Payment[],
  partner: string,
  date: string,
): ReconText {
  const { separator, columns, header, trailer } = file
  const lines = payments.flatMap(payment =>
    rowsOf(file, payment).map(row =>
      columns.map(column => cellOf(column, row, separator)).join(separator),
    ),
  )
  const total = payments.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
  const fill = (text: string): string =>
    text
      .replaceAll('{partner}', partner === '' ? 'partner' : partner)
      .replaceAll('{date}', date)
      .replaceAll('{count}', String(lines.length))
      .replaceAll('{amount}', String(total / 100n))
  const around = [
    ...(header === undefined ? [] : [fill(header)]),
    ...lines,
    ...(trailer === undefined ? [] : [fill(trailer)]),
  ]
  const name = fill(file.name).replace(/[^A-Za-z0-9._-]/g, '')
  return { name, lines: lines.length, text: around.map(line => `${line}\n`).join('') }
}

type Row = { readonly payment: Message; readonly bill: Bill | undefined }

function rowsOf({ line }: ReconFile, entry: Payment): Row[] {
  const payment = paymentOf(entry)
  const bills = payment.bills ?? []
  if (line === 'payment' || bills.length === 0) return [{ payment, bill: undefined }]
  return bills.map(bill => ({ payment, bill }))
}

/** Customers are made from their number, so a payment can be told again in full from the book. */
function paymentOf(entry: Payment): Message {
  const { account, trace, sentAt, bank, terminal, reference, amountMinor, periods, atMs } = entry
  const product = productOf(account)
  const number = account.slice(product.length + 1)
  const isMeter = product === 'pln-prepaid' && number.length === 11
  const asked: Message = {
    kind: 'payment',
    direction: 'request',
    repeat: false,
    product,
    trace,
    sentAt: (sentAt === '' ? localTime(atMs) : sentAt) as LocalTime,
    bank,
    terminal,
    amountMinor,
    ...(entry.partner !== undefined && { partner: entry.partner }),
    ...(entry.channel !== undefined && { channel: entry.channel }),
    ...(product === 'pln-nontaglis'
      ? { registration: { number } }
      : { customer: isMeter ? { meter: number, knownBy: 'meter' } : { id: number } }),
    reference: { switching: reference },
  }
  const desk = PLN_DESKS[product] ?? deskFor(asked)
  const setting = scenarioOf(number)?.setting
  const context = { nowMs: atMs, paidPeriods: 0, setting, references: NO_REFERENCES }
  const quote = desk.quote(number, asked, context)
  const told = typeof quote === 'string' ? {} : quote
  const receipt = desk.receipt(number, asked, context)
  const bills = told.bills?.filter(({ period }) => (periods & periodBit(period)) !== 0)
  return {
    ...told,
    ...receipt,
    ...asked,
    customer: { ...told.customer, ...receipt.customer, ...asked.customer },
    reference: { ...receipt.reference, switching: reference },
    ...(bills && { bills }),
  }
}

/** A quote that is told again gives out no reference. */
const NO_REFERENCES = { next: () => '' } as unknown as References

function productOf(account: string): string {
  return account.slice(0, account.indexOf('/'))
}

function cellOf(column: Column, { payment, bill }: Row, separator: string): string {
  if (column.tag === 'is') return column.text
  let value: unknown = column.of === 'bill' ? bill : payment
  for (const part of column.path)
    value = typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined
  if (typeof value === 'bigint')
    return String(column.tag === 'money' && column.unit === 'sen' ? value : value / 100n)
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  // A separator or the end of a line inside of a value would be read as one.
  return text
    .replaceAll(separator, ' ')
    .replace(/[\p{Cc}]/gu, ' ')
    .trim()
}
