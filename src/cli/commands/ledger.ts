import type { Command } from 'commander'
import { formatMoney, plain } from '#base'
import type { AuditView, BalanceView } from '#admin'
import type { Context } from '../context.ts'
import type { Act } from '../program.ts'
import { printTable } from '../table.ts'
import { EXIT } from '../usage.ts'

/** It walks through every posting. */
const AUDIT_TIMEOUT_MS = 30 * 60_000

export function ledgerCommand(program: Command, act: Act): void {
  const ledger = program.command('ledger').description('accounts, and the proof that they agree')
  ledger
    .command('balance')
    .description('every account; positive is what is owed to its owner')
    .option('--partner <id>', 'of one partner')
    .addHelpText('after', '\nExample:\n  $ nadi ledger balance --partner 4519001')
    .action(
      act(async (context, { partner }: { partner?: string }) => {
        const answer = await (
          await context.admin()
        ).get<{ balances: BalanceView[] }>('/v1/ledger/balances', { partner })
        const { balances } = answer
        context.print(balances, () => printBalances(context, balances))
      }),
    )
  ledger
    .command('audit')
    .description('prove from the journal that every posting balances and no money is missing')
    .addHelpText('after', '\nExample:\n  $ nadi ledger audit')
    .action(
      act(async context => {
        const audit = await (
          await context.admin()
        ).get<AuditView>('/v1/ledger/audit', {}, AUDIT_TIMEOUT_MS)
        context.print(audit, () => printAudit(context, audit))
        return audit.agrees ? EXIT.ok : EXIT.failed
      }),
    )
}

function printBalances({ terminal }: Context, balances: readonly BalanceView[]): void {
  const { paint } = terminal
  printTable(
    terminal,
    balances,
    [
      { title: 'PARTNER', text: row => row.partner },
      { title: 'ACCOUNT', text: row => row.account },
      {
        title: 'BALANCE',
        right: true,
        text: row => formatMoney(row.balanceMinor),
        brush: row => (row.balanceMinor < 0n ? paint.red : text => text),
      },
    ],
    'No accounts.',
  )
  if (balances.length === 0) return
  const total = balances.reduce((sum, { balanceMinor }) => sum + balanceMinor, 0n)
  const text = `All together: ${formatMoney(total as BalanceView['balanceMinor'])}`
  terminal.out(total === 0n ? paint.dim(text) : paint.red(text))
}

function printAudit({ terminal: { out, paint } }: Context, audit: AuditView): void {
  const { postings, accounts, totalMinor, heldMinor, openPayments, problems } = audit
  const facts: [string, string][] = [
    ['postings', String(postings)],
    ['accounts', String(accounts)],
    ['sum of all accounts', formatMoney(totalMinor)],
    ['on hold', formatMoney(heldMinor)],
    ['open payments', String(openPayments)],
  ]
  for (const [name, value] of facts) out(`${paint.dim(name.padEnd(20))}${value.padStart(24)}`)
  for (const { check, text } of problems) out(`${paint.red(plain(check).padEnd(12))}${plain(text)}`)
  out(
    problems.length === 0
      ? paint.green('The ledger agrees with the journal.')
      : paint.red(`The ledger does not agree with the journal: ${problems.length} problems.`),
  )
}
