import { plain } from '#base'
import type { Command } from 'commander'
import type { Problem } from '#pack'
import type { Act } from '../program.ts'
import { readConfig } from '../settings.ts'
import type { Terminal } from '../terminal.ts'
import { EXIT } from '../usage.ts'

export function checkCommand(program: Command, act: Act): void {
  program
    .command('check')
    .description('read conf/ and protocols/, and say everything that is wrong with them')
    .addHelpText('after', '\nExample:\n  $ nadi check --conf /etc/nadi')
    .action(
      act(async context => {
        const { terminal, options } = context
        const result = await readConfig(options, terminal.env)
        if ('problems' in result) {
          const { problems } = result
          context.print({ ok: false, problems }, () => printProblems(problems, terminal))
          return EXIT.failed
        }
        const { packs, httpPacks, listeners, apis, callbacks, snaps, links, httpLinks } =
          result.config
        const { products, partners } = result.config
        const counts = {
          packs: packs.size + httpPacks.size,
          listeners: listeners.length + apis.length + callbacks.length + snaps.length,
          links: links.length + httpLinks.length,
          products: products.size,
          partners: partners.size,
        }
        context.print({ ok: true, problems: [], ...counts }, () => {
          const words = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
          terminal.out(`${terminal.paint.green('The configuration is good')}: ${words.join(', ')}.`)
        })
        return EXIT.ok
      }),
    )
}

/** Each with its place, as editors understand it: `conf/products.yaml:12: …`. */
export function printProblems(problems: readonly Problem[], { err, paint }: Terminal): void {
  for (const { path, text } of problems) err(`${paint.bold(plain(path))}: ${plain(text)}`)
  const count = problems.length === 1 ? 'One problem' : `${problems.length} problems`
  err(paint.red(`${count}: the configuration is wrong, and nothing starts on it.`))
}
