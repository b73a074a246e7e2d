import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import type { Act } from '../program.ts'
import { collect, milliseconds, portNumber } from '../parse.ts'
import { UsageError } from '../usage.ts'
import { packOf } from './iso.ts'

type SimOptions = {
  readonly host: string
  readonly port: number
  readonly controlPort?: number
  readonly book?: string
  readonly delay?: readonly string[]
}

type Delays = { [Key in (typeof DELAYS)[keyof typeof DELAYS]]?: number }

/** What may be made slower or faster: the word, and how the simulator calls it. */
const DELAYS = {
  deadline: 'deadlineMs',
  late: 'lateByMs',
  slow: 'slowByMs',
  'byte-by-byte': 'byteByMs',
  merged: 'mergeWaitMs',
} as const

export function simCommand(program: Command, act: Act): void {
  program
    .command('sim')
    .argument('<pack>', 'the dialect that it speaks')
    .description('run a simulated biller made of a protocol pack')
    .requiredOption('--port <port>', 'where it listens; 0 is any that is free', portNumber)
    .option('--host <host>', 'the address that it listens on', '127.0.0.1')
    .option('--control-port <port>', 'HTTP port to change its behaviour while it runs', portNumber)
    .option('--book <file>', 'keeps what was paid, so that it outlives the process')
    .option(
      '--delay <name=time>',
      `how long a slow scenario waits (${Object.keys(DELAYS).join(', ')}); repeatable`,
      collect,
    )
    .addHelpText('after', '\nExample:\n  $ nadi sim pln-2003-115 --port 18583 --delay deadline=5s')
    .action(
      act(async (context, packName: string, options: SimOptions) => {
        const { host, port, controlPort, book, delay } = options
        const pack = await packOf(context, packName)
        const timing = await delaysOf(delay ?? [])
        if (book !== undefined) mkdirSync(dirname(book), { recursive: true })
        const { runSimulator } = await import('#sim')
        const running = await runSimulator({
          pack,
          host,
          port,
          say: line => context.terminal.out(line),
          ...(controlPort !== undefined && { controlPort }),
          ...(book !== undefined && { bookFile: book }),
          timing,
        })
        await running.ended
      }),
    )
}

/** `slow=3s`, or plain milliseconds. */
async function delaysOf(texts: readonly string[]): Promise<Delays> {
  const delays: Delays = {}
  for (const text of texts) {
    const [name = '', time = ''] = text.split('=', 2)
    if (!isDelay(name)) {
      const names = Object.keys(DELAYS).join(', ')
      throw new UsageError(`--delay cannot be ${text}; wanted is NAME=3s, and names are ${names}`)
    }
    delays[DELAYS[name]] = await milliseconds(time)
  }
  return delays
}

function isDelay(name: string): name is keyof typeof DELAYS {
  return Object.hasOwn(DELAYS, name)
}
