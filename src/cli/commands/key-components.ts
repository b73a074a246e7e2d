import type { Command } from 'commander'
import type { ComponentView, HalfMadeKeyView } from '#admin'
import type { Context } from '../context.ts'
import { keyId, whoOf, type WhoOptions, withWho } from '../key-words.ts'
import { digitsOnly } from '../parse.ts'
import type { Act } from '../program.ts'
import { readComponent } from '../secret-input.ts'
import { printTable } from '../table.ts'
import { UsageError } from '../usage.ts'
import { formatTime } from '../words.ts'

type EnterOptions = WhoOptions & {
  readonly draw?: true
  readonly file?: string
  readonly checkValue?: string
}
type BeginOptions = EnterOptions & { readonly kind?: string; readonly parts: number }

/** Keys of components, each entered by another operator (dual control, split knowledge). */
export function keyComponentsCommand(key: Command, act: Act): void {
  const components = key
    .command('components')
    .description('keys of components, each entered by another operator')
  components
    .command('list')
    .description('keys that wait for further components')
    .addHelpText('after', '\nExample:\n  $ nadi key components list')
    .action(
      act(async context => {
        const admin = await context.admin()
        const { halves } = await admin.get<{ halves: HalfMadeKeyView[] }>('/v1/key-components')
        context.print(halves, () => printHalves(context, halves))
      }),
    )
  entering(
    components
      .command('begin')
      .argument('<zone>', 'the link or listener that the key is for')
      .argument('<type>', 'mostly ZMK')
      .description('enters the first component of a new key'),
  )
    .option('--kind <kind>', 'TDES2, TDES3, AES128, …; the usual one of the type by default')
    .option('--parts <count>', 'how many components make the key', digitsOnly, 2)
    .addHelpText('after', "\nExample:\n  $ nadi key components begin bank ZMK --reason 'ceremony'")
    .action(
      act(async (context, zone: string, type: string, options: BeginOptions) => {
        const { kind, parts } = options
        await send(context, '/v1/key-components', { zone, type, kind, parts }, options)
      }),
    )
  entering(
    components
      .command('enter')
      .argument('<id>', 'of the half-made key')
      .description('enters one more component; the last one forms the key'),
  )
    .addHelpText('after', "\nExample:\n  $ nadi key components enter 7Q2M9XTV --reason 'ceremony'")
    .action(
      act(async (context, id: string, options: EnterOptions) => {
        await send(context, `/v1/key-components/${keyId(id)}`, {}, options)
      }),
    )
  withWho(
    components
      .command('cancel')
      .argument('<id>', 'of the half-made key')
      .description('throws away what was entered so far'),
  )
    .addHelpText(
      'after',
      "\nExample:\n  $ nadi key components cancel 7Q2M9XTV --reason 'typed wrong'",
    )
    .action(
      act(async (context, id: string, options: WhoOptions) => {
        const path = `/v1/key-components/${keyId(id)}/cancel`
        const admin = await context.admin()
        const done = await admin.post<{ cancelled: string }>(path, whoOf(context, options))
        context.print(done, () => context.terminal.out(`${done.cancelled} is thrown away.`))
      }),
    )
}

function entering(command: Command): Command {
  return withWho(command)
    .option('--file <file>', 'the component in a file of mode 0600, or - for the input')
    .option('--draw', 'the HSM draws the component and shows it, once')
    .option('--check-value <digits>', 'of the component, as on its envelope; another is refused')
}

async function send(
  context: Context,
  path: string,
  of: Readonly<Record<string, string | number | undefined>>,
  options: EnterOptions,
): Promise<void> {
  const { draw, file, checkValue } = options
  if (draw && file !== undefined) throw new UsageError('--draw and --file exclude one another')
  const admin = await context.admin()
  const query = { ...of, checkValue, draw: draw && '1', ...whoOf(context, options) }
  const component = draw ? new Uint8Array(0) : await readComponent(context.terminal, file)
  try {
    print(context, await admin.postBytes<ComponentView>(path, query, component))
  } finally {
    component.fill(0)
  }
}

function print(context: Context, view: ComponentView): void {
  context.print(view, () => {
    const { out, paint } = context.terminal
    const { half, checkValue, component, key } = view
    if (component !== undefined) {
      out('Your component, for your envelope; it is not shown again:')
      out(paint.bold(component.replace(/.{4}(?=.)/g, '$& ')))
    }
    out(`Check value of your component: ${paint.bold(checkValue)}`)
    if (!key) {
      const left = half.parts - half.entered.length
      out(`${left} more, each by somebody else, until ${formatTime(half.expiresAtMs)}:`)
      return out(`  nadi key components enter ${half.id} --reason …`)
    }
    out(paint.green(`The ${key.type} ${key.id} is formed. Its check value: ${key.checkValue}`))
    out('Compare it with the partner by another way, then:')
    out(`  nadi key activate ${key.id} --reason …`)
  })
}

function printHalves({ terminal }: Context, halves: readonly HalfMadeKeyView[]): void {
  printTable(
    terminal,
    halves,
    [
      { title: 'HALF-MADE', text: row => row.id },
      { title: 'ZONE', text: row => row.zone },
      { title: 'TYPE', text: row => row.type },
      { title: 'KIND', text: row => row.kind },
      { title: 'ENTERED', text: row => `${row.entered.length} of ${row.parts}` },
      { title: 'BY', text: row => row.entered.map(({ by }) => by).join(', ') },
      { title: 'UNTIL (WIB)', text: row => formatTime(row.expiresAtMs) },
    ],
    'No half-made keys.',
  )
}
