import { type AmountMinor, formatMoney, minor, plain, ZERO } from '#base'
import { isReason, REASONS } from '#message'
import type { ApiCounter, ApiEnding, ApiTold } from './api-counter.ts'
import { dueLines } from './bill.ts'
import type { Context } from './context.ts'
import { table } from './table.ts'
import { EXIT, UsageError } from './usage.ts'
import { formatPeriod } from './words.ts'

/** One sale over the partners' HTTP API, as `nadi inquire` and `nadi pay` show it. */

type Choice = {
  /** Without the fee. */
  readonly amountMinor?: AmountMinor
  readonly bills?: number
  /** Whether a person must agree first. */
  readonly agrees: () => Promise<boolean>
}

export async function inquireOverApi(
  context: Context,
  counter: ApiCounter,
  customer: string,
): Promise<number> {
  const inquiry = await counter.inquire(customer)
  context.print(inquiry.body, () => showBill(context, counter, inquiry))
  return inquiry.status === 201 ? EXIT.ok : EXIT.failed
}

export async function sellOverApi(
  context: Context,
  counter: ApiCounter,
  customer: string,
  { amountMinor, bills, agrees }: Choice,
): Promise<number> {
  const { json, terminal } = context
  const inquiry = await counter.inquire(customer)
  if (inquiry.status !== 201) {
    const told = { result: 'declined', inquiry: inquiry.body }
    context.print(told, () => showBill(context, counter, inquiry))
    return EXIT.failed
  }
  const due = dueOf(inquiry, bills)
  const buying = amountMinor ?? due
  if (buying === undefined) throw new UsageError('say how much with --amount, without the fee')
  if (!json) {
    showBill(context, counter, inquiry)
    terminal.out('')
    for (const line of dueLines(buying, minorOf(inquiry.body['fee']) ?? ZERO, false))
      terminal.out(line)
    terminal.out('')
    if (!(await agrees())) {
      terminal.out('Nothing was paid.')
      return EXIT.failed
    }
  }
  const ending = await counter.pay(inquiry, moneyIn(buying), bills)
  const { result, payment, receipt } = ending
  context.print({ result, inquiry: inquiry.body, payment: payment.body, receipt }, () =>
    showEnding(context, ending, customer),
  )
  return result === 'paid' ? EXIT.ok : EXIT.failed
}

// ── for people ───────────────────────────────────────────────────────────────────────────────

type Told = Readonly<Record<string, unknown>>
type Bill = { readonly period: string; readonly due: unknown }

function showBill({ terminal }: Context, counter: ApiCounter, { status, body }: ApiTold): void {
  const { out, err, paint } = terminal
  const by = paint.dim(`as partner ${counter.partner} over ${counter.address}`)
  out(`${paint.bold(counter.product.title)} ${by}`)
  if (status !== 201) return err(`${paint.red('No bill:')} ${problemText(body)}`)
  const customer = (body['customer'] ?? {}) as Told
  for (const name of ['id', 'name', 'address', 'tariff'])
    if (typeof customer[name] === 'string')
      out(`  ${paint.dim((name === 'id' ? 'customer' : name).padEnd(14))}${plain(customer[name])}`)
  const bills = billsOf(body)
  if (bills.length === 0) return
  const columns = [
    { title: 'BILL', text: ({ period }: Bill) => formatPeriod(period.replace('-', '')) },
    { title: 'DUE', right: true, text: ({ due }: Bill) => formatMoney(minorOf(due) ?? ZERO) },
  ]
  out('')
  for (const line of table(bills, columns, paint)) out(`  ${line}`)
}

function showEnding(
  { terminal }: Context,
  { result, payment, receipt }: ApiEnding,
  customer: string,
): void {
  const { out, err, paint } = terminal
  switch (result) {
    case 'paid':
      for (const line of receipt) out(`  ${line}`.trimEnd())
      if (receipt.length === 0) out(paint.green('Paid.'))
      return
    case 'declined':
    case 'reversed':
      return err(`${paint.red('Not paid:')} ${problemText(payment.body)}`)
    case 'unknown':
      err(paint.yellow('Whether it was paid is not known yet; Nadi is finding out. See:'))
      return err(`  nadi txn list --kind payment --customer ${customer}`)
  }
}

function problemText({ detail, reason, title }: Told): string {
  if (typeof reason === 'string' && isReason(reason)) return REASONS[reason]
  const text = [detail, reason, title].find(one => typeof one === 'string')
  return plain(text ?? 'no reason was given')
}

// ── what stands in JSON ──────────────────────────────────────────────────────────────────────

function billsOf({ bills }: Told): readonly Bill[] {
  return Array.isArray(bills) ? (bills as Bill[]) : []
}

/** What so many of the bills come to, oldest first; undefined where the payer says how much. */
function dueOf({ body }: ApiTold, count: number | undefined): AmountMinor | undefined {
  if (count === undefined) return minorOf(body['amount'])
  const bills = billsOf(body)
  if (count > bills.length) throw new UsageError(`there are ${bills.length} bills to choose from`)
  return minor(bills.slice(0, count).reduce((sum, { due }) => sum + (minorOf(due) ?? ZERO), 0n))
}

/** `{ "value": "1500.00" }` */
function minorOf(money: unknown): AmountMinor | undefined {
  const { value } = (money ?? {}) as { readonly value?: unknown }
  return typeof value === 'string' ? minor(BigInt(value.replace('.', ''))) : undefined
}

function moneyIn(amount: AmountMinor): { value: string; currency: 'IDR' } {
  const digits = String(amount).padStart(3, '0')
  return { value: `${digits.slice(0, -2)}.${digits.slice(-2)}`, currency: 'IDR' }
}
