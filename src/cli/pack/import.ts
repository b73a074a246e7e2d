import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { isNadiError, NadiError } from '#base'
import { PackFolders } from '#config'
import { type ImportOptions, importOpenapi, importWsdl, KINDS_DRAFTED, type PackDraft } from '#pack'
import type { Context } from '../context.ts'
import { placesOf } from '../settings.ts'
import { EXIT, UsageError } from '../usage.ts'
import { checkPack, sampleCredentials } from './check.ts'
import { emptyFolder } from './new.ts'
import { type Draft, httpSamples } from './sample-text.ts'
import { skeletonDrafts } from './skeleton/messages.ts'

export type PackImportOptions = {
  readonly product: string
  readonly name?: string
  readonly in?: string
  readonly operation?: readonly string[]
}

const LANGUAGES = { wsdl: importWsdl, openapi: importOpenapi } as const
const FILE_BYTES_MAX = 4_000_000
const SEALED_AT_MS = Date.UTC(2026, 10, 20, 2, 15)

/** `nadi pack import wsdl`: the first draft of a pack, with what it could not express. */
export function importWsdlPack(context: Context, file: string, options: PackImportOptions) {
  return importPack(context, 'wsdl', file, options)
}

/** `nadi pack import openapi`: the same from OpenAPI. */
export function importOpenapiPack(context: Context, file: string, options: PackImportOptions) {
  return importPack(context, 'openapi', file, options)
}

async function importPack(
  context: Context,
  language: keyof typeof LANGUAGES,
  file: string,
  options: PackImportOptions,
): Promise<number> {
  const { product, name = nameOf(file) } = options
  if (!/^[a-z0-9][a-z0-9-]*$/.test(product))
    throw new UsageError(`a product cannot be called ${product}`)
  const draft = LANGUAGES[language](file, textOf(file), {
    product,
    operations: operationsOf(options.operation ?? []),
  })
  const protocols = (await placesOf(context.options, context.terminal.env)).protocolsFolder
  const folder = await emptyFolder(context, name, options.in)
  const write = (inside: string, text: string) => writeFileSync(join(folder, inside), text)
  write('README.md', draft.readme)
  write('pack.yaml', draft.pack)
  const folders = new PackFolders(protocols)
  write('samples.yaml', samplesFor(folders, folder, product, draft))
  return tell(context, folders, folder, draft)
}

function textOf(file: string): string {
  const size = statSync(file, { throwIfNoEntry: false })
  if (!size?.isFile()) throw new UsageError(`there is no file ${file}`)
  if (size.size > FILE_BYTES_MAX) {
    throw new NadiError('DOCUMENT_LIMIT', {
      path: `${file}:1`,
      expected: `at most ${FILE_BYTES_MAX} bytes`,
    })
  }
  return readFileSync(file, 'utf8')
}

function nameOf(file: string): string {
  const plain = basename(file, extname(file)).toLowerCase()
  return (
    plain
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^[^a-z]+|-+$/g, '')
      .slice(0, 40) || 'biller'
  )
}

/** `--operation inquiry=getBill` */
function operationsOf(given: readonly string[]): NonNullable<ImportOptions['operations']> {
  return Object.fromEntries(
    given.map(one => {
      const [kind = '', ...name] = one.split('=')
      if (!KINDS_DRAFTED.some(known => known === kind) || name.length === 0)
        throw new UsageError(`${one} must read KIND=NAME; kinds are ${KINDS_DRAFTED.join(', ')}`)
      return [kind, name.join('=')]
    }),
  )
}

function samplesFor(
  folders: PackFolders,
  folder: string,
  product: string,
  draft: PackDraft,
): string {
  const found = folders.find(folder)
  const result = found && folders.compile(found, () => SEALED_AT_MS)
  // What is wrong with it is told by the check that follows.
  if (!result || !('httpPack' in result)) return '[]\n'
  const { httpPack } = result
  const values = Object.fromEntries(httpPack.credentials.map(({ name }) => [name, `lab-${name}`]))
  const pack = httpPack.with(sampleCredentials(httpPack, values))
  const drafts = draftsFor(product, draft)
  try {
    return httpSamples(pack, values, drafts)
  } catch (error) {
    if (!isNadiError(error)) throw error
    return '[]\n'
  }
}

/** The conversation of a new pack, of the kinds that this one has, in the codes that it has. */
function draftsFor(product: string, draft: PackDraft): Draft[] {
  const { kinds, answered, approvedCode, refusedCode, unknownCode } = draft
  return skeletonDrafts(product, {}).flatMap(one => {
    const { kind, outcome } = one.message
    if (!kinds.some(known => known === kind)) return []
    if (!outcome) return [one]
    // Without a code nothing tells a success from a refusal, so no answer can be shown.
    if (!answered.some(known => known === kind) || outcome.meaning === 'nothing') return []
    const [reason, code] =
      outcome.meaning === 'approved'
        ? (['approved', approvedCode] as const)
        : outcome.meaning === 'unknown'
          ? (['timeout', unknownCode] as const)
          : (['other-error', refusedCode] as const)
    return [{ ...one, message: { ...one.message, outcome: { ...outcome, reason, code } } }]
  })
}

/** Says what was made, what is wrong with it, and what the description did not tell. */
function tell(context: Context, folders: PackFolders, folder: string, draft: PackDraft): number {
  const { terminal } = context
  const found = folders.find(folder)
  const report = found && checkPack(folders, found)
  const problems = report?.problems ?? []
  const { kinds, remarks } = draft
  const ok = problems.length === 0
  context.print({ ok, folder, kinds, problems, remarks }, () => {
    for (const { path, text } of problems) terminal.err(`${path}: ${text}`)
    for (const { path, text } of remarks) terminal.out(`${path}: ${text}`)
    terminal.out(`${folder}: ${report?.lines ?? 0} lines, ${report?.samples ?? 0} samples.`)
    const next = `nadi pack check ${folder}`
    terminal.out(`Go through pack.yaml (GUESSED, FILL IN), and after every change: ${next}`)
  })
  return ok ? EXIT.ok : EXIT.failed
}
