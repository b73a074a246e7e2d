import { plain } from '#base'
import type { Command } from 'commander'
import type { StatusView } from '#admin'
import type { Act } from '../program.ts'
import { printTable, stateBrush } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { formatAge } from '../words.ts'
import { linkColumns } from './link.ts'

export function statusCommand(program: Command, act: Act): void {
  program
    .command('status')
    .description('how the running switch stands: its ways in and out, and what is open')
    .addHelpText('after', '\nExample:\n  $ nadi status --json')
    .action(
      act(async context => {
        const status = await (await context.admin()).get<StatusView>('/v1/status')
        context.print(status, () => printStatus(status, context.terminal))
      }),
    )
}

function printStatus(status: StatusView, terminal: Terminal): void {
  const { out, paint } = terminal
  const { node, ready, problems, uptimeMs, journal, inMemory, nowMs, open } = status
  const how = ready ? paint.green('ready') : paint.red('not ready')
  const name = paint.bold(plain(node.name))
  out(`${name} (node ${node.number}, version ${node.version}) is ${how}, up ${formatAge(uptimeMs)}`)
  for (const problem of problems) out(`  ${paint.red(plain(problem))}`)
  const kept = journal.available ? paint.green('available') : paint.red('not available')
  out(
    `journal ${kept}, in memory ${inMemory.payments} payments and ${inMemory.inquiries} inquiries`,
  )

  out('')
  printTable(terminal, status.links, linkColumns(nowMs), 'No links.')
  out('')
  printTable(
    terminal,
    status.listeners,
    [
      { title: 'LISTENER', text: row => row.name },
      { title: 'ADDRESS', text: row => row.address },
      { title: 'SESSIONS', right: true, text: row => row.sessions },
      { title: 'IN FLIGHT', right: true, text: row => row.inFlight },
      { title: 'FRAMES', right: true, text: row => row.frames },
      { title: 'UNREADABLE', right: true, text: row => row.badFrames },
      { title: 'REFUSED', right: true, text: row => row.refused },
    ],
    'No listeners.',
  )
  out('')
  if (!open) out(paint.red('What is open is not known while the journal is away.'))
  else
    printTable(
      terminal,
      open,
      [
        { title: 'OPEN', text: row => row.state, brush: row => stateBrush(row.state, paint) },
        { title: 'TXNS', right: true, text: row => row.count },
        { title: 'OLDEST', right: true, text: row => formatAge(row.oldestAgeMs) },
      ],
      'Nothing is open: every payment has come to its end.',
    )
  const owed = status.owed.filter(({ later, ready: due, going }) => later + due + going > 0)
  if (owed.length === 0) return
  out('')
  printTable(
    terminal,
    owed,
    [
      { title: 'OWED TO', text: row => row.destination },
      { title: 'LATER', right: true, text: row => row.later },
      { title: 'DUE', right: true, text: row => row.ready },
      { title: 'UNDER WAY', right: true, text: row => row.going },
    ],
    '',
  )
}
