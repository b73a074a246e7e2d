import type { Command } from 'commander'
import type { CheckedKeyView, KeyStoryView, MigrationView, ZoneKeyView } from '#admin'
import type { Context } from '../context.ts'
import type { Act } from '../program.ts'
import { type Column, printTable } from '../table.ts'
import { EXIT } from '../usage.ts'
import { formatTime } from '../words.ts'
import { OPERATOR, whoOf, type WhoOptions, withWho } from '../key-words.ts'
import { keyComponentsCommand } from './key-components.ts'
import { keyHandingCommands } from './key-handing.ts'
import { COLUMNS, pathOf } from './key-columns.ts'

type MakeOptions = WhoOptions & { readonly kind?: string; readonly activate?: true }
type ImportOptions = MakeOptions & { readonly under?: string; readonly checkValue?: string }
type ListOptions = { zone?: string; type?: string; state?: string; all?: true }

/** Keys that we share with counterparts, and what operators do with them. */
export function keyCommand(program: Command, act: Act): void {
  const key = program.command('key').description('keys that are shared with counterparts')
  addList(key, act)
  addMaking(key, act)
  keyHandingCommands(key, act)
  keyComponentsCommand(key, act)
  addSteps(key, act)
  addCare(key, act)
}

// ── list, show ───────────────────────────────────────────────────────────────────────────────

function addList(key: Command, act: Act): void {
  key
    .command('list')
    .description('keys by zone, with their check values; never the keys')
    .option('--zone <name>', 'of one link or listener')
    .option('--type <type>', 'ZMK, ZPK, ZAK, …')
    .option('--state <state>', 'pending, active, previous or revoked')
    .option('--all', 'revoked ones, too')
    .addHelpText('after', '\nExample:\n  $ nadi key list --zone bank')
    .action(
      act(async (context, { all, ...filter }: ListOptions) => {
        const query = { ...filter, ...(all && { all: '1' }) }
        const admin = await context.admin()
        const { keys } = await admin.get<{ keys: ZoneKeyView[] }>('/v1/keys', query)
        context.print(keys, () => printTable(context.terminal, keys, COLUMNS, 'No keys.'))
      }),
    )
  key
    .command('show')
    .argument('<id>', 'the 8 characters of its id')
    .description('one key with everything that was done to it')
    .addHelpText('after', '\nExample:\n  $ nadi key show 7Q2M9XTV')
    .action(
      act(async (context, id: string) => {
        const story = await (await context.admin()).get<KeyStoryView>(pathOf(id))
        context.print(story, () => {
          printTable(context.terminal, [story], COLUMNS, '')
          context.terminal.out('')
          printTable(context.terminal, story.acts, ACTS, 'No acts.')
        })
      }),
    )
}

const ACTS: readonly Column<KeyStoryView['acts'][number]>[] = [
  { title: 'AT (WIB)', text: row => formatTime(row.atMs) },
  { title: 'ACT', text: row => row.act },
  { title: 'BY', text: row => row.by },
  { title: 'WHY', text: row => row.why },
  { title: 'DETAIL', text: row => row.detail ?? '' },
]

// ── generate, import ─────────────────────────────────────────────────────────────────────────

function addMaking(key: Command, act: Act): void {
  withWho(
    key
      .command('generate')
      .argument('<zone>', 'the link or listener that it is for, or lab')
      .argument('<type>', 'ZMK, ZPK, ZAK, …')
      .description('a new key; it waits until somebody activates it'),
  )
    .option('--kind <kind>', 'TDES2, TDES3, AES128, …; the usual one of the type by default')
    .option('--activate', 'in use at once')
    .addHelpText('after', "\nExample:\n  $ nadi key generate bank ZPK --reason 'ticket 4711'")
    .action(
      act(async (context, zone: string, type: string, options: MakeOptions) => {
        const { kind, activate } = options
        const body = { zone, type, kind, activate, ...whoOf(context, options) }
        printKey(context, await (await context.admin()).post<ZoneKeyView>('/v1/keys', body))
      }),
    )
  withWho(
    key
      .command('import')
      .argument('<zone>', 'the link or listener that it is for')
      .argument('<type>', 'ZMK, ZPK, ZAK, …')
      .argument('<wrapped>', 'the key under the ZMK, or - to read it from the input')
      .description('takes in a key that the partner sent under a ZMK'),
  )
    .option('--under <id>', "the ZMK; the zone's active one by default; lmk: our own LMK")
    .option('--check-value <digits>', 'what the partner says; X, U, Y and T need one')
    .option('--kind <kind>', 'where the key does not say it')
    .option('--activate', 'in use at once')
    .addHelpText(
      'after',
      "\nExample:\n  $ nadi key import bank ZPK - --check-value 08D7B4 --reason 'letter of 20/11' <key.txt",
    )
    .action(
      act(async (context, zone: string, type: string, text: string, options: ImportOptions) => {
        const { kind, activate, under, checkValue } = options
        const wrapped = text === '-' ? (await context.terminal.readAll(8192)).trim() : text
        const of = { zone, type, wrapped, kind, under, checkValue, activate }
        const body = { ...of, ...whoOf(context, options) }
        printKey(context, await (await context.admin()).post<ZoneKeyView>('/v1/keys/import', body))
      }),
    )
}

/** The key in a row, as after every act on one. */
function printKey(context: Context, key: ZoneKeyView): void {
  context.print(key, () => printTable(context.terminal, [key], COLUMNS, ''))
}

// ── activate, revoke ─────────────────────────────────────────────────────────────────────────

const STEPS = [
  ['activate', 'puts a pending key to use; the one before it is accepted until the overlap ends'],
  ['revoke', 'throws a key away for ever; its record stays'],
] as const

function addSteps(key: Command, act: Act): void {
  for (const [name, text] of STEPS)
    withWho(key.command(name).argument('<id>', 'the 8 characters of its id').description(text))
      .addHelpText('after', `\nExample:\n  $ nadi key ${name} 7Q2M9XTV --reason 'ticket 4711'`)
      .action(
        act(async (context, id: string, options: WhoOptions) => {
          const admin = await context.admin()
          const path = `${pathOf(id)}/${name}`
          printKey(context, await admin.post<ZoneKeyView>(path, whoOf(context, options)))
        }),
      )
}

// ── check, migrate ───────────────────────────────────────────────────────────────────────────

function addCare(key: Command, act: Act): void {
  key
    .command('check')
    .description('the HSM opens every key; says which are bad, and which are past their time')
    .option('--reason <text>', 'why; it goes on record', 'routine check')
    .option(...OPERATOR)
    .addHelpText('after', '\nEnds with 1 when a key is bad or past its time.\n\n$ nadi key check')
    .action(
      act(async (context, options: WhoOptions) => {
        const admin = await context.admin()
        const who = whoOf(context, options)
        const { keys } = await admin.post<{ keys: CheckedKeyView[] }>('/v1/keys/check', who)
        context.print(keys, () => printTable(context.terminal, keys, CHECKED, 'No keys.'))
        return keys.every(({ result, pastDue }) => result === 'good' && !pastDue)
          ? EXIT.ok
          : EXIT.failed
      }),
    )
  withWho(
    key.command('migrate').description('puts every key under the LMK of now (lmkBefore: in conf)'),
  )
    .addHelpText('after', "\nExample:\n  $ nadi key migrate --reason 'new LMK, ceremony of 25/11'")
    .action(
      act(async (context, options: WhoOptions) => {
        const admin = await context.admin()
        const done = await admin.post<MigrationView>('/v1/keys/migrate', whoOf(context, options))
        context.print(done, () => {
          const { out, paint } = context.terminal
          out(paint.green(`${done.moved} moved to the LMK ${done.lmk}, ${done.stayed} were there.`))
        })
      }),
    )
}

const CHECKED: readonly Column<CheckedKeyView>[] = [
  ...(COLUMNS.slice(0, 6) as Column<CheckedKeyView>[]),
  {
    title: 'RESULT',
    text: row => row.result,
    brush: (row, paint) => (row.result === 'good' ? paint.green : paint.red),
  },
  { title: 'LMK', text: row => (row.otherLmk ? 'another' : '') },
  {
    title: '',
    text: row => (row.pastDue ? 'past its time' : ''),
    brush: (_, paint) => paint.yellow,
  },
]
