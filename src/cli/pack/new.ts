import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PackFolders } from '#config'
import type { Context } from '../context.ts'
import { placesOf } from '../settings.ts'
import { EXIT, UsageError } from '../usage.ts'
import { checkPack, sampleCredentials } from './check.ts'
import { httpSamples, isoSamples } from './sample-text.ts'
import { type Body, httpSkeleton } from './skeleton/http.ts'
import { isoFieldsSkeleton, isoSkeleton } from './skeleton/iso.ts'
import { skeletonDrafts } from './skeleton/messages.ts'
import { readmeSkeleton } from './skeleton/readme.ts'

export type NewOptions = {
  readonly transport: 'iso8583' | 'http'
  readonly body?: Body
  readonly product: string
  readonly in?: string
}

const LAB = { outlet: 'LOKET01', apiKey: 'contoh-kunci' }
const SENT_AT_MS = Date.UTC(2026, 10, 20, 2, 15)

/** `nadi pack new`: a folder with a whole dialect that passes `nadi pack check` at once. */
export async function newPack(
  context: Context,
  name: string,
  options: NewOptions,
): Promise<number> {
  const { transport, product, body = 'json' } = options
  if (transport === 'iso8583' && options.body !== undefined)
    throw new UsageError('--body is for --transport http')
  const protocols = (await placesOf(context.options, context.terminal.env)).protocolsFolder
  const folder = await emptyFolder(context, name, options.in)
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
  write('README.md', readmeSkeleton(name, product))
  if (transport === 'http') write('pack.yaml', httpSkeleton(name, product, body))
  else {
    write('pack.yaml', isoSkeleton(name, product))
    write('fields.yaml', isoFieldsSkeleton(name))
  }
  write('samples.yaml', samplesFor(new PackFolders(protocols), folder, product, body))
  return tell(context, protocols, folder)
}

/** Throws UsageError: nothing that is there is written over. */
export async function emptyFolder(
  { options, terminal }: Context,
  name: string,
  where: string | undefined,
): Promise<string> {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name))
    throw new UsageError(`a pack cannot be called ${name}; wanted are small letters, digits and -`)
  const folder = join(where ?? (await placesOf(options, terminal.env)).protocolsFolder, name)
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new UsageError(`${folder} is there already, and is not written over`)
  mkdirSync(folder, { recursive: true })
  return folder
}

function samplesFor(folders: PackFolders, folder: string, product: string, body: Body): string {
  const found = folders.find(folder)
  const result = found && folders.compile(found, () => SENT_AT_MS)
  if (result && 'pack' in result)
    return isoSamples(result.pack, skeletonDrafts(product, { iso: true }))
  if (result && 'httpPack' in result) {
    const { httpPack } = result
    const pack = httpPack.with(sampleCredentials(httpPack, LAB))
    return httpSamples(pack, LAB, skeletonDrafts(product, { form: body === 'form' }))
  }
  // What is wrong with it is told by the check that follows.
  return '[]\n'
}

/** Says what was made, and that it is sound. */
export function tell(context: Context, protocols: string, folder: string): number {
  const { terminal } = context
  const folders = new PackFolders(protocols)
  const found = folders.find(folder)
  const report = found && checkPack(folders, found)
  const problems = report?.problems ?? []
  context.print({ ok: problems.length === 0, folder, problems }, () => {
    for (const { path, text } of problems) terminal.err(`${path}: ${text}`)
    terminal.out(`${folder}: ${report?.lines ?? 0} lines, ${report?.samples ?? 0} samples.`)
    terminal.out(
      `Go through pack.yaml (FILL IN), and after every change: nadi pack check ${folder}`,
    )
  })
  return problems.length === 0 ? EXIT.ok : EXIT.failed
}
