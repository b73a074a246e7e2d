import { writeFileSync } from 'node:fs'
import { exportMoov, toTable, type Note } from '#iso8583'
import type { Context } from '../context.ts'
import { ConfigProblems } from '../settings.ts'
import { EXIT, UsageError } from '../usage.ts'
import { readDialect, readSpec } from './dialect.ts'

type FileOptions = { readonly output?: string; readonly strict?: boolean }

/** Any of the three languages in; a table of ours out. */
export async function importFile(
  context: Context,
  file: string,
  options: FileOptions,
): Promise<number> {
  const result = readSpec(file)
  if (result.problems) throw new ConfigProblems(result.problems)
  const { spec, notes } = result
  return deliver(context, toTable(spec), notes, options, `${spec.fields.length} data elements`)
}

export async function exportSpec(
  context: Context,
  name: string,
  options: FileOptions & { readonly to: string },
): Promise<number> {
  const { spec } = await readDialect(context, name)
  const { text, notes } =
    options.to === 'table' ? { text: toTable(spec), notes: [] } : exportMoov(spec)
  return deliver(context, text, notes, options, `${spec.fields.length} data elements`)
}

function deliver(
  { terminal }: Context,
  text: string,
  notes: readonly Note[],
  { output, strict }: FileOptions,
  what: string,
): number {
  for (const note of notes) terminal.err(terminal.paint.yellow(`${note.path}: ${note.text}`))
  if (output === undefined) terminal.out(text.trimEnd())
  else {
    write(output, text)
    terminal.out(
      `${output}: ${what}${notes.length > 0 ? `, ${notes.length} things to look at` : ''}`,
    )
  }
  return strict && notes.length > 0 ? EXIT.failed : EXIT.ok
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, `${text.trimEnd()}\n`)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw new UsageError(`the file ${file} cannot be written (${code})`)
  }
}
