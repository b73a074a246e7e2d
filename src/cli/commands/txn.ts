import { type Command, Option } from 'commander'
import { formatMoney, localTimeMs, parseTxnId, SystemClock } from '#base'
import type { StoryView, TxnView } from '#admin'
import type { Act } from '../program.ts'
import type { Context } from '../context.ts'
import { owedText, storyLines } from '../story.ts'
import { printTable, stateBrush } from '../table.ts'
import { UsageError } from '../usage.ts'
import { formatAge, formatTime } from '../words.ts'
import { digitsOnly } from '../parse.ts'

export function txnCommand(program: Command, act: Act): void {
  const txn = program.command('txn').description('payments, inquiries and deposits')
  addList(txn, act)
  addShow(txn, act)
  addResolve(txn, act)
}

// ── list ─────────────────────────────────────────────────────────────────────────────────────

type ListOptions = {
  readonly state?: string
  readonly kind?: string
  readonly partner?: string
  readonly product?: string
  readonly customer?: string
  readonly since?: number
  readonly limit: number
}

function addList(txn: Command, act: Act): void {
  txn
    .command('list')
    .description('txns, newest first')
    .option('--state <state>', 'open, unknown, suspect, paid, declined, reversed, …')
    .option('--kind <kind>', 'payment, inquiry or deposit')
    .option('--partner <id>', 'of one partner')
    .option('--product <code>', 'of one product')
    .option('--customer <number>', 'of one customer, meter or registration number')
    .option('--since <when>', '30m, 24h (ago), or YYYY-MM-DD[Thh:mm[:ss]] in WIB', sinceMs)
    .option('--limit <count>', 'how many at most, up to 1000', digitsOnly, 50)
    .addHelpText('after', '\nExample:\n  $ nadi txn list --state unknown --since 24h')
    .action(
      act(async (context, options: ListOptions) => {
        const { since, state, kind, partner, product, customer, limit } = options
        const query = { state, kind, partner, product, customer, limit, sinceMs: since }
        const { txns } = await (await context.admin()).get<{ txns: TxnView[] }>('/v1/txns', query)
        context.print(txns, () => printTxns(context, txns))
      }),
    )
}

function printTxns({ terminal }: Context, txns: readonly TxnView[]): void {
  const nowMs = clock.nowMs()
  const { paint } = terminal
  printTable(
    terminal,
    txns,
    [
      { title: 'TXN', text: row => row.id, brush: () => paint.bold },
      { title: 'OPENED (WIB)', text: row => formatTime(row.openedAtMs) },
      { title: 'KIND', text: row => row.kind },
      { title: 'STATE', text: row => row.state, brush: row => stateBrush(row.state, paint) },
      { title: 'PRODUCT', text: row => row.product },
      { title: 'CUSTOMER', text: row => row.customer },
      { title: 'AMOUNT', right: true, text: row => formatMoney(row.amountMinor) },
      { title: 'PARTNER', text: row => row.partner },
      { title: 'AGE', right: true, text: row => (row.owes ? formatAge(row.ageMs) : '') },
      { title: 'NEXT', text: row => (row.owes ? owedText(row.owes, nowMs) : '') },
    ],
    'No such txns.',
  )
}

// ── show ─────────────────────────────────────────────────────────────────────────────────────

type ShowOptions = ActOptions & {
  readonly frames?: boolean
  readonly hex?: boolean
  readonly unsafe?: boolean
}

type ActOptions = { readonly by?: string; readonly reason?: string }

function addShow(txn: Command, act: Act): void {
  txn
    .command('show')
    .argument('<id>', 'the 12 characters of its id')
    .description('the whole story of one txn: events, frames, postings, and who is owed what next')
    .option('--frames', 'every field of every frame')
    .option('--hex', 'the bytes of every frame')
    .option('--unsafe', 'names, tokens and the like in clear; recorded in the audit log')
    .option('--reason <text>', 'why they must be seen in clear')
    .option('--by <name>', 'who wants to see them; the user of this process by default')
    .addHelpText('after', '\nExample:\n  $ nadi txn show 0D2ZDH8SG000 --frames')
    .action(
      act(async (context, id: string, options: ShowOptions) => {
        const { unsafe, reason, frames = false, hex = false } = options
        if (unsafe && !reason) throw new UsageError('--unsafe needs --reason: it goes on record')
        const path = `/v1/txns/${txnId(id)}`
        const by = options.by ?? context.whoami()
        const query = unsafe ? { unsafe: '1', by, reason } : {}
        const story = await (await context.admin()).get<StoryView>(path, query)
        context.print(story, () => printStory(context, story, frames, hex))
      }),
    )
}

function printStory({ terminal }: Context, story: StoryView, frames: boolean, hex: boolean): void {
  const { paint } = terminal
  const lines = storyLines(story, clock.nowMs(), { paint, frames, hex })
  for (const line of lines) terminal.out(line)
}

// ── resolve ──────────────────────────────────────────────────────────────────────────────────

function addResolve(txn: Command, act: Act): void {
  txn
    .command('resolve')
    .argument('<id>', 'the 12 characters of its id')
    .description('decide a suspect payment, as you learned from the biller that it ended')
    .addOption(
      new Option('--as <outcome>', 'how it ended')
        .choices(['paid', 'reversed'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'how you know; it goes on record')
    .option('--by <name>', 'who decides; the user of this process by default')
    .addHelpText(
      'after',
      "\nExample:\n  $ nadi txn resolve 0D2ZDH8SG000 --as paid --reason 'PLN confirmed, ticket 4711'",
    )
    .action(
      act(async (context, id: string, options: ActOptions & { as: 'paid' | 'reversed' }) => {
        const { as, reason, by = context.whoami() } = options
        const path = `/v1/txns/${txnId(id)}/resolve`
        const body = { as, reason, by }
        const story = await (await context.admin()).post<StoryView>(path, body)
        context.print(story, () => printStory(context, story, false, false))
      }),
    )
}

const clock = new SystemClock()

/** Read out on the telephone or copied with a blank around it, it is still the same id. */
function txnId(text: string): string {
  if (parseTxnId(text.trim()) !== undefined) return text.trim()
  throw new UsageError(`no txn id: ${text}; wanted are its 12 letters and digits`)
}

const AGO = /^(\d{1,6})(s|m|h|d)$/
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

function sinceMs(text: string): number {
  const ago = AGO.exec(text)
  if (ago) return clock.nowMs() - Number(ago[1]) * UNIT_MS[ago[2] as keyof typeof UNIT_MS]
  const digits = text.replace(/[-:T ]/g, '')
  const atMs = /^\d{4}-\d\d-\d\d/.test(text) ? localTimeMs(digits.padEnd(14, '0')) : undefined
  if (atMs !== undefined) return atMs
  throw new UsageError(`--since cannot be ${text}; wanted is 30m, 24h, 7d or 2026-11-20T09:15`)
}
