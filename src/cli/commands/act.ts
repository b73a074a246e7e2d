import type { Command } from 'commander'
import type { ApprovedActView, WaitingActView } from '#admin'
import { plain, toJson } from '#base'
import type { Context } from '../context.ts'
import { whoOf, type WhoOptions, withWho } from '../key-words.ts'
import type { Act } from '../program.ts'
import { type Column, printTable } from '../table.ts'
import { UsageError } from '../usage.ts'
import { formatTime } from '../words.ts'

/** Acts that take two operators: what waits, and what the second one says of it. */
export function actCommand(program: Command, act: Act): void {
  const acts = program.command('act').description('acts that wait for a second operator')
  acts
    .command('list')
    .description('what waits for approval')
    .addHelpText('after', '\nExample:\n  $ nadi act list')
    .action(
      act(async context => {
        const admin = await context.admin()
        const { acts: waiting } = await admin.get<{ acts: WaitingActView[] }>('/v1/acts')
        context.print(waiting, () =>
          printTable(context.terminal, waiting, COLUMNS, 'Nothing waits.'),
        )
      }),
    )
  withWho(
    acts
      .command('approve')
      .argument('<id>', 'as act list has it')
      .description('has it done; not for the operator who asked'),
  )
    .addHelpText('after', "\nExample:\n  $ nadi act approve 7F00A1B2C3 --reason 'ceremony, seen'")
    .action(
      act(async (context, id: string, options: WhoOptions) => {
        const admin = await context.admin()
        const who = whoOf(context, options)
        const done = await admin.post<ApprovedActView>(`${pathOf(id)}/approve`, who, EXCHANGE_MS)
        context.print(done, () => {
          context.terminal.out(context.terminal.paint.green('Approved and done.'))
          context.terminal.out(plain(toJson(done.result, 2)))
        })
      }),
    )
  withWho(
    acts
      .command('refuse')
      .argument('<id>', 'as act list has it')
      .description('nothing is done, and it waits no longer'),
  )
    .addHelpText('after', "\nExample:\n  $ nadi act refuse 7F00A1B2C3 --reason 'not agreed'")
    .action(
      act(async (context, id: string, options: WhoOptions) => {
        const admin = await context.admin()
        const gone = await admin.post<WaitingActView>(
          `${pathOf(id)}/refuse`,
          whoOf(context, options),
        )
        context.print(gone, () => sayRefused(context, gone))
      }),
    )
}

/** What is approved may be an exchange with a counterpart that takes its time. */
const EXCHANGE_MS = 900_000

function sayRefused({ terminal }: Context, { act, subject, by }: WaitingActView): void {
  terminal.out(`${act} ${subject}, asked by ${by}, is not done.`)
}

const COLUMNS: readonly Column<WaitingActView>[] = [
  { title: 'WAITING', text: row => row.id, brush: (_, paint) => paint.bold },
  { title: 'ACT', text: row => row.act },
  { title: 'OF', text: row => row.subject },
  { title: 'ASKED BY', text: row => row.by },
  { title: 'WHY', text: row => plain(row.reason) },
  { title: 'UNTIL (WIB)', text: row => formatTime(row.expiresAtMs) },
]

function pathOf(id: string): string {
  if (!/^[0-9A-Fa-f]{10}$/.test(id)) throw new UsageError(`no waiting act: ${id}`)
  return `/v1/acts/${id.toUpperCase()}`
}
