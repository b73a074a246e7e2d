import { plain } from '#base'
import type { Command } from 'commander'
import type { EventStoryView, EventView } from '#admin'
import type { Act } from '../program.ts'
import { type Column, printTable } from '../table.ts'
import type { Paint } from '../terminal.ts'
import { UsageError } from '../usage.ts'
import { formatAge, formatTime } from '../words.ts'

type ListOptions = {
  readonly partner?: string
  readonly state?: string
  readonly payment?: string
  readonly limit?: string
}
type ReplayOptions = { readonly reason: string; readonly by?: string }

/** How partners were told of the ends of their payments, and telling them once more. */
export function webhookCommand(program: Command, act: Act): void {
  const webhook = program
    .command('webhook')
    .description('what partners were told, and what came of it')
  webhook
    .command('list')
    .description('events, the newest payment first')
    .option('--partner <id>', 'of one partner')
    .option('--state <state>', 'waiting, delivered or failed')
    .option('--payment <id>', 'of one payment')
    .option('--limit <count>', 'how many; 50 by default')
    .addHelpText('after', '\nExample:\n  $ nadi webhook list --state failed')
    .action(
      act(async (context, options: ListOptions) => {
        const admin = await context.admin()
        const query = { ...options }
        const { webhooks } = await admin.get<{ webhooks: EventView[] }>('/v1/webhooks', query)
        context.print(webhooks, () =>
          printTable(context.terminal, webhooks, COLUMNS, 'No webhooks.'),
        )
      }),
    )
  webhook
    .command('show')
    .argument('<id>', 'evt_…')
    .description('one event with every attempt to tell it')
    .addHelpText('after', '\nExample:\n  $ nadi webhook show evt_06D3K8M2P4QR_3')
    .action(
      act(async (context, id: string) => {
        const event = await (await context.admin()).get<EventStoryView>(pathOf(id))
        context.print(event, () => {
          printTable(context.terminal, [event], COLUMNS, '')
          context.terminal.out('')
          printTable(context.terminal, event.log, ATTEMPTS, 'Not sent yet.')
        })
      }),
    )
  webhook
    .command('replay')
    .argument('<id>', 'evt_…')
    .description('tells it once more, from the beginning of the schedule; the same webhook-id')
    .requiredOption('--reason <text>', 'why; it goes on record')
    .option('--by <name>', 'who wants it; the user of this process by default')
    .addHelpText(
      'after',
      "\nExample:\n  $ nadi webhook replay evt_06D3K8M2P4QR_3 --reason 'their server was down'",
    )
    .action(
      act(async (context, id: string, options: ReplayOptions) => {
        const { reason, by = context.whoami() } = options
        const admin = await context.admin()
        const event = await admin.post<EventView>(`${pathOf(id)}/replay`, { reason, by })
        context.print(event, () => {
          const { out, paint } = context.terminal
          out(paint.green(`${event.id} is told again to ${event.partner}.`))
        })
      }),
    )
}

const COLUMNS: readonly Column<EventView>[] = [
  { title: 'EVENT', text: row => row.id },
  { title: 'PARTNER', text: row => row.partner },
  { title: 'WHAT', text: row => row.type },
  { title: 'AT', text: row => formatTime(row.atMs) },
  { title: 'STATE', text: row => row.state, brush: stateBrush },
  { title: 'ATTEMPTS', right: true, text: row => row.attempts },
  { title: 'NEXT', text: row => (row.dueAtMs === undefined ? '' : formatTime(row.dueAtMs)) },
]

const ATTEMPTS: readonly Column<EventStoryView['log'][number]>[] = [
  { title: 'ATTEMPT', right: true, text: row => row.nth },
  { title: 'AT', text: row => formatTime(row.atMs) },
  { title: 'TOOK', right: true, text: row => formatAge(row.tookMs) },
  { title: 'ANSWER', text: row => row.status ?? plain(row.problem ?? '') },
]

function stateBrush({ state }: EventView, paint: Paint): (text: string) => string {
  if (state === 'delivered') return paint.green
  return state === 'failed' ? paint.red : paint.yellow
}

function pathOf(id: string): string {
  if (!/^evt_[0-9A-Za-z]{12}_\d{1,6}$/.test(id)) throw new UsageError(`no webhook id: ${id}`)
  return `/v1/webhooks/${id}`
}
