import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { programFolder } from '#base'
import type { TableText } from '#iso8583'
import { compilePack, type PackFiles, type PackResult, type Problem } from '#pack'
import { readSources, readTables } from './packs.ts'

/** One pack as it lies on the disk, for tools that look at packs one by one. */
export type PackFolder = {
  readonly name: string
  /** As a person would type it. */
  readonly folder: string
  readonly files: PackFiles
  /** The text of samples.yaml. */
  readonly samples: string | undefined
  readonly readme: boolean
  /** Of pack.yaml and fields.yaml, without comments and empty lines. */
  readonly lines: number
}

/** The packs of `protocols/`, and of folders elsewhere; each may extend the others. */
export class PackFolders {
  readonly #protocols: string
  readonly #sources: Map<string, PackFiles>
  readonly #tables: readonly TableText[]
  readonly problems: readonly Problem[]

  constructor(protocols: string, specsFolder: string = join(programFolder(), 'specs')) {
    const problems: Problem[] = []
    this.#protocols = protocols
    this.#sources = readSources(protocols, problems)
    this.#tables = readTables(specsFolder, problems)
    this.problems = problems
  }

  get names(): readonly string[] {
    return [...this.#sources.keys()].toSorted()
  }

  /** By its name, or by its folder anywhere; undefined when there is neither. */
  find(nameOrFolder: string): PackFolder | undefined {
    if (!nameOrFolder.includes('/') && this.#sources.has(nameOrFolder)) {
      return this.#read(join(this.#protocols, nameOrFolder))
    }
    const folder = resolve(nameOrFolder)
    if (!existsSync(join(folder, 'pack.yaml'))) return undefined
    const found = this.#read(folder)
    this.#sources.set(found.name, found.files)
    return found
  }

  /** The paths of its problems are those of the files. */
  compile({ name, folder }: PackFolder, nowMs: () => number): PackResult {
    const result = compilePack(name, this.#sources, this.#tables, nowMs)
    if (!('problems' in result)) return result
    const problems = result.problems.map(({ path, text }) => ({
      path: path.startsWith(`${name}/`)
        ? join(folder, path.slice(name.length + 1))
        : join(shown(this.#protocols), path),
      text,
    }))
    return { problems }
  }

  #read(folder: string): PackFolder {
    const there = new Set(readdirSync(folder))
    const textOf = (file: string) =>
      there.has(file) ? readFileSync(join(folder, file), 'utf8') : undefined
    const files: Record<string, string> = {}
    for (const file of ['pack.yaml', 'fields.yaml']) {
      const text = textOf(file)
      if (text !== undefined) files[file] = text
    }
    return {
      name: basename(folder),
      folder: shown(folder),
      files,
      samples: textOf('samples.yaml'),
      readme: there.has('README.md'),
      lines: Object.values(files).reduce((sum, text) => sum + linesOf(text), 0),
    }
  }
}

function linesOf(text: string): number {
  return text.split('\n').filter(line => !/^\s*(?:#|$)/.test(line)).length
}

/** From where one stands, when it lies below. */
function shown(folder: string): string {
  const from = relative(process.cwd(), folder)
  return from === '' || from.startsWith('..') ? folder : from
}
