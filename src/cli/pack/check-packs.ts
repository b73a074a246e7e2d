import { plain } from '#base'
import { PackFolders, type PackFolder } from '#config'
import type { Problem } from '#pack'
import type { Context } from '../context.ts'
import { placesOf } from '../settings.ts'
import { printTable } from '../table.ts'
import { EXIT, UsageError } from '../usage.ts'
import { checkPack, type PackReport } from './check.ts'

/** `nadi pack check`: everything that is wrong with packs, at once. */
export async function checkPacks(context: Context, wanted: readonly string[]): Promise<number> {
  const folders = await packFolders(context)
  const asked = wanted.length === 0 ? folders.names : wanted
  const packs = asked.map(one => packFolder(folders, one)).map(one => checkPack(folders, one))
  const problems = [...folders.problems, ...packs.flatMap(one => one.problems)]
  const ok = problems.length === 0
  context.print({ ok, problems, packs }, () => print(context, packs, problems))
  return ok ? EXIT.ok : EXIT.failed
}

export async function packFolders({ options, terminal }: Context): Promise<PackFolders> {
  return new PackFolders((await placesOf(options, terminal.env)).protocolsFolder)
}

/** Throws UsageError, saying which there are. */
export function packFolder(folders: PackFolders, asked: string): PackFolder {
  const found = folders.find(asked)
  if (found) return found
  throw new UsageError(
    `there is no pack ${asked}, and no folder with a pack.yaml; there are ${folders.names.join(', ')}`,
  )
}

function print(
  { terminal }: Context,
  packs: readonly PackReport[],
  problems: readonly Problem[],
): void {
  const { out, err, paint } = terminal
  for (const { path, text } of problems) err(`${paint.bold(plain(path))}: ${plain(text)}`)
  printTable(
    terminal,
    packs,
    [
      { title: 'PACK', text: ({ pack }) => pack },
      { title: 'OVER', text: ({ transport = '' }) => transport },
      { title: 'PRODUCTS', text: ({ products }) => products.length, right: true },
      { title: 'LINES', text: ({ lines }) => lines, right: true },
      { title: 'SAMPLES', text: ({ samples }) => samples, right: true },
      {
        title: 'STATE',
        text: ({ problems: wrong }) => (wrong.length === 0 ? 'good' : `${wrong.length} wrong`),
        brush: ({ problems: wrong }) => (wrong.length === 0 ? paint.green : paint.red),
      },
    ],
    'There are no packs.',
  )
  for (const { path, text } of packs.flatMap(({ notes }) => notes))
    out(paint.dim(`${plain(path)}: ${plain(text)}`))
}
