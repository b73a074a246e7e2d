import type { Command } from 'commander'
import type { StatusView } from '#admin'
import { SystemClock } from '#base'
import type { Act } from '../program.ts'
import { type Column, printTable, stateBrush } from '../table.ts'
import { formatAge } from '../words.ts'

type LinkRow = StatusView['links'][number]

export function linkCommand(program: Command, act: Act): void {
  const link = program.command('link').description('the links to billers and banks')
  link
    .command('list')
    .description('every link with its state and its counts')
    .addHelpText('after', '\nExample:\n  $ nadi link list')
    .action(
      act(async context => {
        const { links } = await (await context.admin()).get<{ links: LinkRow[] }>('/v1/links')
        const columns = linkColumns(new SystemClock().nowMs())
        context.print(links, () => printTable(context.terminal, links, columns, 'No links.'))
      }),
    )
}

export function linkColumns(nowMs: number): readonly Column<LinkRow>[] {
  return [
    { title: 'LINK', text: row => row.name },
    { title: 'STATE', text: row => row.state, brush: (row, paint) => stateBrush(row.state, paint) },
    { title: 'FOR', right: true, text: row => formatAge(nowMs - row.sinceMs) },
    { title: 'PEER', text: row => row.peer },
    { title: 'IN FLIGHT', right: true, text: row => row.inFlight },
    { title: 'SENT', right: true, text: row => row.sent },
    { title: 'ANSWERED', right: true, text: row => row.answered },
    { title: 'UNANSWERED', right: true, text: row => row.unanswered },
    { title: 'LATE', right: true, text: row => row.late },
    { title: 'REDIALS', right: true, text: row => row.reconnects },
    { title: 'LAST ERROR', text: row => row.lastError ?? '' },
  ]
}
