import type { Command } from 'commander'
import type { ExchangedKeyView, HandedKeyView, RotatedKeyView } from '#admin'
import type { Context } from '../context.ts'
import { whoOf, type WhoOptions, withWho } from '../key-words.ts'
import type { Act } from '../program.ts'
import { printTable } from '../table.ts'
import { COLUMNS, pathOf } from './key-columns.ts'

type HandOptions = WhoOptions & { readonly under?: string; readonly scheme: string }
type RotateOptions = WhoOptions & {
  readonly byHand?: true
  readonly under?: string
  readonly scheme?: string
  readonly kind?: string
}

/** New keys for the counterpart: agreed over the line, or under a ZMK into somebody's hands. */
export function keyHandingCommands(key: Command, act: Act): void {
  withWho(
    key
      .command('rotate')
      .argument('<zone>', 'the link or listener')
      .argument('<type>', 'ZPK, ZAK, …')
      .description('a new key: agreed over the line where the zone has an exchange, else by hand'),
  )
    .option('--by-hand', 'handed over by you, though the line could; activate it when they have it')
    .option('--under <id>', "by hand: the ZMK; the zone's active one by default")
    .option('--scheme <scheme>', 'by hand: R key block (the default); X and U are legacy')
    .option('--kind <kind>', 'by hand: like the active one by default')
    .addHelpText('after', ROTATE_HELP)
    .action(
      act(async (context, zone: string, type: string, options: RotateOptions) => {
        const { under, scheme, kind, byHand } = options
        const body = { zone, type, kind, under, scheme, byHand, ...whoOf(context, options) }
        const admin = await context.admin()
        // The counterpart may take its time, and is asked more than once.
        const done = await admin.post<RotatedKeyView>('/v1/keys/rotate', body, EXCHANGE_MS)
        if ('wrapped' in done) printHanded(context, done)
        else printExchanged(context, done)
      }),
    )
  withWho(
    key
      .command('export')
      .argument('<id>', 'the 8 characters of its id')
      .description('a key under a ZMK, for the partner'),
  )
    .option('--under <id>', "the ZMK; the zone's active one by default")
    .option('--scheme <scheme>', 'R key block; X and U are legacy', 'R')
    .addHelpText('after', "\nExample:\n  $ nadi key export 7Q2M9XTV --reason 'they lost it'")
    .action(
      act(async (context, id: string, options: HandOptions) => {
        const { under, scheme } = options
        const body = { under, scheme, ...whoOf(context, options) }
        const admin = await context.admin()
        printHanded(context, await admin.post<HandedKeyView>(`${pathOf(id)}/export`, body))
      }),
    )
}

const EXCHANGE_MS = 900_000
const ROTATE_HELP = `
Ends with 1 when the counterpart refuses the key or does not answer: the old one stays in use.

Example:
  $ nadi key rotate bank ZPK --reason 'yearly'`

function printExchanged(context: Context, { key, exchange, checkValue }: ExchangedKeyView): void {
  context.print({ key, exchange, checkValue }, () => {
    const { out, paint } = context.terminal
    printTable(context.terminal, [key], COLUMNS, '')
    const how =
      exchange === 'asked' ? 'They gave it, and we took it' : 'We gave it, and they took it'
    out(`\n${how}: in use on both sides. Check value ${paint.bold(checkValue)}.`)
  })
}

function printHanded(context: Context, handed: HandedKeyView): void {
  context.print(handed, () => {
    const { out, paint } = context.terminal
    printTable(context.terminal, [handed.key], COLUMNS, '')
    out(`\nUnder the ZMK ${handed.under}, for the partner:`)
    out(paint.bold(handed.wrapped))
    out(`Check value ${paint.bold(handed.checkValue)}: compare it by another way.`)
    if (handed.key.state === 'pending')
      out(`When they have it: nadi key activate ${handed.key.id} --reason …`)
  })
}
