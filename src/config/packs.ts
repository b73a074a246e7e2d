import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, errorText, programFolder, SystemClock } from '#base'
import type { TableText } from '#iso8583'
import { compilePack, type HttpPack, type Pack, type PackFiles, type Problem } from '#pack'

/** The files of a pack's folder that are part of the pack itself. */
const PACK_FILES = ['pack.yaml', 'fields.yaml']

/**
 * Reads every pack under `folder` (`protocols/`); they may speak by the tables of the standards,
 * which lie in `specsFolder`. A pack with problems is left out, and all its problems are told as
 * `protocols/pln-2003-111/pack.yaml:12`. Times without a year are read by the clock's.
 */
export function loadPacks(
  folder: string,
  specsFolder = join(programFolder(), 'specs'),
  clock: Pick<Clock, 'nowMs'> = new SystemClock(),
): {
  readonly packs: ReadonlyMap<string, Pack>
  readonly httpPacks: ReadonlyMap<string, HttpPack>
  readonly problems: readonly Problem[]
} {
  const packs = new Map<string, Pack>()
  const httpPacks = new Map<string, HttpPack>()
  const problems: Problem[] = []
  const sources = readSources(folder, problems)
  const tables = readTables(specsFolder, problems)
  for (const name of sources.keys()) {
    const result = compilePack(name, sources, tables, () => clock.nowMs())
    if ('pack' in result) packs.set(name, result.pack)
    else if ('httpPack' in result) httpPacks.set(name, result.httpPack)
    else
      for (const problem of result.problems) addOnce(problems, join(folder, problem.path), problem)
  }
  return { packs, httpPacks, problems }
}

/** A problem that several packs inherit is told once. */
function addOnce(problems: Problem[], path: string, { text }: Problem): void {
  if (!problems.some(one => one.path === path && one.text === text)) problems.push({ path, text })
}

export function readSources(folder: string, problems: Problem[]): Map<string, PackFiles> {
  const sources = new Map<string, PackFiles>()
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      const present = PACK_FILES.filter(file => existsSync(join(folder, entry.name, file)))
      sources.set(
        entry.name,
        Object.fromEntries(
          present.map(file => [file, readFileSync(join(folder, entry.name, file), 'utf8')]),
        ),
      )
    }
  } catch (error) {
    problems.push({ path: folder, text: errorText(error) })
  }
  return sources
}

export function readTables(folder: string, problems: Problem[]): TableText[] {
  try {
    return readdirSync(folder)
      .filter(file => file.endsWith('.yaml'))
      .map(file => ({ path: file, text: readFileSync(join(folder, file), 'utf8') }))
  } catch (error) {
    problems.push({ path: folder, text: errorText(error) })
    return []
  }
}
