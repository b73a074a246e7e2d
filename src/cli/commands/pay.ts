import type { Command } from 'commander'
import { formatMoney, minor, ZERO } from '#base'
import { type Message, type Outcome, REASONS } from '#message'
import type { ApiCounter } from '../api-counter.ts'
import { inquireOverApi, sellOverApi } from '../api-sale.ts'
import { billLines, dueLines } from '../bill.ts'
import type { Context } from '../context.ts'
import { Counter, type CounterOptions, type Ending } from '../counter.ts'
import { amount, digitsOnly, milliseconds } from '../parse.ts'
import type { Act } from '../program.ts'
import { receipt } from '../receipt.ts'
import { EXIT, UsageError } from '../usage.ts'

type InquireOptions = Omit<CounterOptions, 'timeoutMs'> & {
  readonly timeout?: string
  readonly http?: boolean
}

type PayOptions = InquireOptions & {
  readonly amount?: string
  readonly bills?: number
  readonly unsold?: number
  readonly yes?: boolean
  readonly reverseOnTimeout?: boolean
  readonly adviseOnTimeout?: boolean
}

export function inquireCommand(program: Command, act: Act): void {
  const command = program
    .command('inquire')
    .argument('<product>', 'pln-postpaid, pln-prepaid, pulsa-telkomsel, …')
    .argument('<customer>', 'subscriber, meter or registration number')
    .description('ask for a bill, as a partner does')
    .addHelpText('after', '\nExample:\n  $ nadi inquire pln-postpaid 999900000015')
  withLine(command).action(
    act(async (context, product: string, customer: string, options: InquireOptions) => {
      const api = await apiCounterOf(context, product, options)
      if (api) return inquireOverApi(context, api, numberOf(customer))
      const counter = await counterOf(context, product, options)
      try {
        const quoted = await counter.inquire(numberOf(customer))
        context.print(quoted, () => showQuote(context, counter, quoted))
        return quoted.outcome?.meaning === 'approved' ? EXIT.ok : EXIT.failed
      } finally {
        await counter.close()
      }
    }),
  )
}

export function payCommand(program: Command, act: Act): void {
  const command = program
    .command('pay')
    .argument('<product>', 'pln-postpaid, pln-prepaid, pulsa-telkomsel, …')
    .argument('<customer>', 'subscriber, meter or registration number')
    .description('ask for a bill, pay it and print the receipt, as a partner does')
    .option('--amount <amount>', 'prepaid: what to buy, without the fee')
    .option('--bills <count>', 'postpaid: how many of the bills, oldest first', digitsOnly)
    .option('--unsold <which>', 'prepaid: buy unsold token 1 or 2 instead of a new one', digitsOnly)
    .option('-y, --yes', 'pay without asking')
    .option('--reverse-on-timeout', 'postpaid: undo a payment whose outcome is not known')
    .option('--advise-on-timeout', 'prepaid: have such a purchase confirmed')
    .addHelpText(
      'after',
      '\nExamples:\n  $ nadi pay pln-postpaid 999900000015\n  $ nadi pay pln-prepaid 99000000010 --amount 100.000 --yes\n  $ nadi pay pulsa-telkomsel 999900000960 --amount 10.000',
    )
  withLine(command).action(
    act(async (context, product: string, customer: string, options: PayOptions) => {
      const api = await apiCounterOf(context, product, options)
      if (api)
        return sellOverApi(context, api, numberOf(customer), await choiceOf(context, options))
      const counter = await counterOf(context, product, options)
      try {
        return await sell(context, counter, numberOf(customer), options)
      } finally {
        await counter.close()
      }
    }),
  )
}

function withLine(command: Command): Command {
  return command
    .option('--partner <id>', 'which partner of the configuration asks; the first one by default')
    .option('--listener <name>', 'which listener it dials; the first one by default')
    .option('--http', 'over the HTTP API, as what the listener has no words for is sold anyway')
    .option('--to <host:port>', 'dials this address instead')
    .option('--timeout <time>', 'how long an answer may take (40s, 500ms)')
}

async function counterOf(
  context: Context,
  product: string,
  options: InquireOptions,
): Promise<Counter> {
  const { timeout, http: _, ...line } = options
  const timeoutMs = timeout === undefined ? undefined : await milliseconds(timeout)
  return new Counter(await context.config(), product, {
    ...line,
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
}

/** The counter over HTTP, where it is wanted or the frames of the listener cannot say the product. */
async function apiCounterOf(
  context: Context,
  code: string,
  { partner, listener, to, timeout, http = false }: InquireOptions,
): Promise<ApiCounter | undefined> {
  const config = await context.config()
  const product = config.products.get(code)
  const dialed = config.listeners.find(({ name }) => listener === undefined || name === listener)
  const said = dialed && config.packs.get(dialed.pack)?.products.includes(code)
  if (!product || (said && !http)) return undefined
  const timeoutMs = timeout === undefined ? undefined : await milliseconds(timeout)
  const { ApiCounter: Counter } = await import('../api-counter.ts')
  return new Counter(config, product, {
    ...(partner !== undefined && { partner }),
    ...(to !== undefined && { to }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
}

async function choiceOf(context: Context, { amount: asked, bills, yes }: PayOptions) {
  const amountMinor = asked === undefined ? undefined : await amount(asked)
  const must = context.terminal.interactive && !yes && !context.json
  return {
    ...(amountMinor !== undefined && { amountMinor }),
    ...(bills !== undefined && { bills }),
    agrees: async () => !must || agrees(context, 'Pay it?'),
  }
}

function numberOf(customer: string): string {
  if (/^\d{4,32}$/.test(customer)) return customer
  throw new UsageError(`no customer number: ${customer}; wanted are digits`)
}

// ── one sale ─────────────────────────────────────────────────────────────────────────────────

/** Inquiry, question, payment, and what is done when nobody knows how it ended. */
async function sell(
  context: Context,
  counter: Counter,
  customer: string,
  options: PayOptions,
): Promise<number> {
  const { terminal, json } = context
  const amountMinor = options.amount === undefined ? undefined : await amount(options.amount)
  const quoted = await counter.inquire(customer)
  if (quoted.outcome?.meaning !== 'approved') {
    context.print({ result: 'declined', inquiry: quoted }, () =>
      showQuote(context, counter, quoted),
    )
    return EXIT.failed
  }
  const payment = counter.payment(quoted, {
    ...(amountMinor !== undefined && { amountMinor }),
    ...(options.bills !== undefined && { billsPaid: options.bills }),
    ...(options.unsold !== undefined && { option: options.unsold }),
  })
  if (!json) {
    showQuote(context, counter, quoted)
    showDue(context, counter, payment)
  }
  const ask = terminal.interactive && !options.yes && !json
  if (ask && !(await agrees(context, 'Pay it?'))) {
    terminal.out('Nothing was paid.')
    return EXIT.failed
  }
  const first = await counter.pay(payment)
  const ending =
    first.result === 'unknown' ? await findOut(context, counter, payment, options) : first
  const lines = ending.result === 'paid' && ending.answer ? receipt(ending.answer) : []
  const { result, outcome, answer } = ending
  context.print({ result, outcome, inquiry: quoted, payment, answer, receipt: lines }, () =>
    showEnding(context, ending, lines, payment),
  )
  return result === 'paid' ? EXIT.ok : EXIT.failed
}

const HOW = {
  reverse: { kind: 'reversal', question: 'Reverse it?' },
  advise: { kind: 'advice', question: 'Have it confirmed (advice)?' },
} as const

/** By the product's own way, when that was asked for. */
async function findOut(
  context: Context,
  counter: Counter,
  payment: Message,
  options: PayOptions,
): Promise<Ending> {
  const { terminal, json } = context
  const unknown: Ending = {
    result: 'unknown',
    outcome: { meaning: 'unknown', reason: 'timeout' },
  }
  const { recovery } = counter.product.policy
  if (recovery === 'check') return unknown
  if (!json) terminal.out(terminal.paint.yellow('No answer in time: the outcome is not known yet.'))
  const { kind, question } = HOW[recovery]
  const told = kind === 'reversal' ? options.reverseOnTimeout : options.adviseOnTimeout
  const wanted = told || (terminal.interactive && !json && (await agrees(context, question)))
  return wanted ? counter.settle(payment, kind) : unknown
}

async function agrees({ terminal }: Context, question: string): Promise<boolean> {
  return /^\s*(y|yes|ya)\s*$/i.test(await terminal.ask(`${question} [y/N] `))
}

// ── for people ───────────────────────────────────────────────────────────────────────────────

function showQuote({ terminal }: Context, counter: Counter, quoted: Message): void {
  const { out, err, paint } = terminal
  const { outcome } = quoted
  const by = paint.dim(`as partner ${counter.identity.partner} over ${counter.address}`)
  out(`${paint.bold(counter.product.title)} ${by}`)
  if (outcome?.meaning === 'approved') for (const line of billLines(quoted, paint)) out(line)
  else err(`${paint.red('No bill:')} ${outcomeText(outcome)}`)
}

function showDue({ terminal }: Context, { product }: Counter, payment: Message): void {
  const { amountMinor = ZERO, adminMinor = ZERO, bills, billsPaid } = payment
  if (bills && billsPaid !== undefined && billsPaid < bills.length)
    terminal.out(`  paying the first ${billsPaid} of ${bills.length}`)
  terminal.out('')
  for (const line of dueLines(amountMinor, adminMinor, product.feeInside)) terminal.out(line)
  terminal.out('')
}

function showEnding(
  { terminal }: Context,
  { result, outcome }: Ending,
  lines: readonly string[],
  payment: Message,
): void {
  const { out, err, paint } = terminal
  const { amountMinor = ZERO } = payment
  switch (result) {
    case 'paid':
      for (const line of lines) out(`  ${line}`.trimEnd())
      if (lines.length === 0) out(`${paint.green('Paid:')} ${outcomeText(outcome)}.`)
      return
    case 'declined':
      return err(`${paint.red('Not paid:')} ${outcomeText(outcome)}`)
    case 'reversed':
      return err(`${paint.yellow('Reversed:')} ${formatMoney(minor(amountMinor))} was not taken.`)
    case 'unknown': {
      const customer = payment.registration?.number ?? payment.customer?.id ?? ''
      err(paint.yellow('Whether it was paid is not known yet; Nadi is finding out. See:'))
      return err(`  nadi txn list --kind payment --customer ${customer}`)
    }
  }
}

function outcomeText(outcome: Outcome | undefined): string {
  if (!outcome) return 'no answer'
  const { code = '', reason } = outcome
  return `${code} ${REASONS[reason]}`.trim()
}
