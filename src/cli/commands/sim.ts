import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { parse } from 'yaml'
import { errorText, Secret } from '#base'
import type { HttpPack, Pack } from '#pack'
import type { ReconFormat } from '#sim'
import type { Context } from '../context.ts'
import type { Act } from '../program.ts'
import { placesOf } from '../settings.ts'
import { collect, milliseconds, portNumber } from '../parse.ts'
import { UsageError } from '../usage.ts'
import { anyPackOf } from './iso.ts'
import { simPayShieldCommand } from './sim-payshield.ts'

type SimOptions = {
  readonly host: string
  readonly port: number
  readonly controlPort?: number
  readonly book?: string
  readonly delay?: readonly string[]
  readonly credentials?: string
  readonly callbackUrl?: string
  readonly reconFolder?: string
}

type SetOptions = {
  readonly delayMs?: string
  readonly code?: string
  readonly codeShare?: number
  readonly drop?: number
  readonly duplicate?: number
  readonly garble?: number
  readonly cut?: number
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
  const sim = program
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
    .option(
      '--credentials <file>',
      'YAML file with the credentials of a dialect over HTTP, by name (lab-NAME without it)',
    )
    .option('--callback-url <url>', 'where a dialect over HTTP tells what became of a payment')
    .option('--recon-folder <folder>', "where each day's reconciliation files are written")
    .addHelpText(
      'after',
      `
Examples:
  $ nadi sim pln-2003-115 --port 18583 --delay deadline=5s
  $ nadi sim digiflazz --port 18601 --callback-url http://127.0.0.1:8081/digiflazz
  $ nadi sim set 127.0.0.1:18602 --drop 0.1 --delay-ms 200`,
    )
    .action(
      act(async (context, packName: string, options: SimOptions) => {
        const { host, port, controlPort, book, delay } = options
        const pack = withCredentials(await anyPackOf(context, packName), options.credentials)
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
          ...(options.callbackUrl !== undefined && { callbackUrl: options.callbackUrl }),
          ...(options.reconFolder !== undefined && {
            reconFolder: options.reconFolder,
            reconFormat: await reconFormatOf(context, packName),
          }),
          timing,
        })
        await running.ended
      }),
    )
  setCommand(sim, act)
  reconCommand(sim, act)
  simPayShieldCommand(sim, act)
}

/** Trouble for everyone, while the simulator runs: what is not given is off. */
function setCommand(sim: Command, act: Act): void {
  sim
    .command('set')
    .argument('<control>', "host:port of a simulator's control port")
    .description('change how a running simulator behaves; without options it is honest again')
    .option('--delay-ms <ms>', 'every answer waits so long; FROM-TO draws from a range')
    .option('--code <code>', 'answers bear this response code')
    .option('--code-share <share>', 'in this share of the cases, 0 to 1', shareOf)
    .option('--drop <share>', 'requests that get no answer', shareOf)
    .option('--duplicate <share>', 'answers that come twice', shareOf)
    .option('--garble <share>', 'answers that are garbage', shareOf)
    .option('--cut <share>', 'connections that are cut instead of an answer', shareOf)
    .action(
      act(async ({ terminal }, control: string, options: SetOptions) => {
        const { delayMs, ...rest } = options
        const body = { ...rest, ...(delayMs !== undefined && { delayMs: rangeOf(delayMs) }) }
        const url = `http://${control}/scenario`
        const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) }).catch(
          (error: unknown) => {
            throw new UsageError(`no simulator answers at ${control} (${errorText(error)})`)
          },
        )
        const text = await answer.text()
        if (!answer.ok) throw new UsageError(text.trim())
        terminal.out(text.trim())
      }),
    )
}

function reconCommand(sim: Command, act: Act): void {
  sim
    .command('recon')
    .argument('<control>', "host:port of a simulator's control port")
    .description('have a running simulator write the reconciliation files of today so far')
    .action(
      act(async ({ terminal }, control: string) => {
        const answer = await fetch(`http://${control}/recon`, { method: 'POST' }).catch(
          (error: unknown) => {
            throw new UsageError(`no simulator answers at ${control} (${errorText(error)})`)
          },
        )
        const text = await answer.text()
        if (!answer.ok) throw new UsageError(text.trim())
        terminal.out(text.trim())
      }),
    )
}

/** How the pack's counterpart writes them; plain CSV where its folder does not say. */
async function reconFormatOf({ options, terminal }: Context, name: string): Promise<ReconFormat> {
  const { PLAIN_CSV, readReconFormat } = await import('#sim')
  const path = join((await placesOf(options, terminal.env)).protocolsFolder, name, 'recon.yaml')
  return existsSync(path) ? readReconFormat(path, readFileSync(path, 'utf8')) : PLAIN_CSV
}

function shareOf(text: string): number {
  const share = Number(text)
  if (text.trim() !== '' && share >= 0 && share <= 1) return share
  throw new UsageError(`${text} is no share; wanted is a number from 0 to 1`)
}

function rangeOf(text: string): number | [number, number] {
  const found = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(text)
  if (!found) throw new UsageError(`--delay-ms cannot be ${text}; wanted is 200 or 100-500`)
  return found[2] === undefined ? Number(found[1]) : [Number(found[1]), Number(found[2])]
}

/** What both sides of the lab know, where no file says other: `lab-apiKey` for apiKey. */
function withCredentials(pack: Pack | HttpPack, file: string | undefined): Pack | HttpPack {
  if (!('transport' in pack)) return pack
  const told = file === undefined ? {} : readCredentials(file)
  const entries = pack.credentials
    .filter(({ name, kind }) => name in told || kind === 'secret' || kind === 'name')
    .map(({ name }) => [name, new Secret(told[name] ?? `lab-${name}`)] as const)
  return pack.with(Object.fromEntries(entries))
}

function readCredentials(file: string): Record<string, string> {
  try {
    const told: unknown = parse(readFileSync(file, 'utf8'), { schema: 'failsafe' })
    if (typeof told === 'object' && told !== null) return told as Record<string, string>
  } catch (error) {
    throw new UsageError(`the file ${file} cannot be read (${errorText(error)})`)
  }
  throw new UsageError(`the file ${file} must hold a map of credentials by name`)
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
