import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { isNadiError, programFolder } from '#base'
import {
  compileSpec,
  compileTable,
  importJpos,
  importMoov,
  type ImportResult,
  type IsoCodec,
  type Leniency,
  type MessageSpec,
  type Note,
  type TableText,
} from '#iso8583'
import type { Pack } from '#pack'
import type { Context } from '../context.ts'
import { ConfigProblems, placesOf } from '../settings.ts'
import { UsageError } from '../usage.ts'

/** A dialect that a command was told of, whatever it was written in. */
export type Dialect = {
  readonly name: string
  /** What it was read from, for people. */
  readonly origin: string
  readonly spec: MessageSpec
  readonly codec: IsoCodec
  /** What an import could not say. */
  readonly notes: readonly Note[]
  /** The dialect of a counterpart: it knows more of its messages than the fields. */
  readonly pack?: Pack
}

const FILE_BYTES_MAX = 4_000_000

export function specsFolder(): string {
  return join(programFolder(), 'specs')
}

/** Names of the tables that are shipped. */
export function shippedNames(): string[] {
  const folder = specsFolder()
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => name.endsWith('.yaml'))
    .map(name => basename(name, '.yaml'))
    .sort()
}

/** A shipped table's name, a pack's, or a file: a table of ours, jPOS XML or moov JSON. */
export async function readDialect(
  context: Context,
  name: string,
  lenient: readonly Leniency[] = [],
): Promise<Dialect> {
  const shipped = join(specsFolder(), `${name}.yaml`)
  if (/^[\w.-]+$/.test(name) && existsSync(shipped)) return fromFile(shipped, lenient, name)
  if (existsSync(name) && statSync(name).isFile()) return fromFile(name, lenient)
  const { packs, problems } = await packsOf(context)
  const pack = packs.get(name)
  if (pack) return fromPack(pack, lenient)
  const own = problems.filter(({ path }) => path.includes(`/${name}/`))
  if (own.length > 0) throw new ConfigProblems(own)
  const known = [...shippedNames(), ...packs.keys()].join(', ')
  throw new UsageError(`there is no dialect and no file ${name}; there are ${known}`)
}

/** All that is at hand: what is shipped and the packs. What does not compile is left out. */
export async function allDialects(context: Context): Promise<Dialect[]> {
  const tables = shippedNames().flatMap(name => {
    const dialect = quietly(() => fromFile(join(specsFolder(), `${name}.yaml`), [], name))
    return dialect ? [dialect] : []
  })
  const { packs } = await packsOf(context)
  return [
    ...tables,
    ...[...packs.values()].flatMap(pack => quietly(() => fromPack(pack, [])) ?? []),
  ]
}

export async function packsOf({ options, terminal }: Context) {
  const { loadPacks } = await import('#config')
  const { protocolsFolder } = await placesOf(options, terminal.env)
  return loadPacks(protocolsFolder)
}

function fromFile(file: string, lenient: readonly Leniency[], name?: string): Dialect {
  const result = readSpec(file)
  if (result.problems) throw new ConfigProblems(result.problems)
  const { spec, notes } = result
  return {
    name: name ?? spec.name,
    origin: name === undefined ? file : `specs/${name}.yaml`,
    spec,
    codec: compileSpec(spec, { lenient }),
    notes,
  }
}

/** A file in any of the three languages, told apart by what it begins with. */
export function readSpec(file: string): ImportResult {
  const text = readText(file)
  const start = text.replace(/^\uFEFF/, '').trimStart()
  if (start.startsWith('<')) return importJpos(file, text)
  if (start.startsWith('{')) return importMoov(file, text)
  const result = compileTable([{ path: file, text }, ...tablesBeside(file)])
  return result.problems ? { problems: result.problems } : { spec: result.spec, notes: [] }
}

export function readText(file: string): string {
  try {
    const { size } = statSync(file)
    if (size > FILE_BYTES_MAX)
      throw new UsageError(`${file} is larger than ${FILE_BYTES_MAX} bytes`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { code = '' } = error as NodeJS.ErrnoException
    throw new UsageError(`the file ${file} cannot be read (${code})`)
  }
}

const TABLES_MAX = 200

/** What a table may extend: its neighbours, then what is shipped. */
function tablesBeside(file: string): TableText[] {
  const folders = [...new Set([dirname(file), specsFolder()])]
  return folders
    .flatMap(folder =>
      existsSync(folder) ? readdirSync(folder).map(name => join(folder, name)) : [],
    )
    .filter(path => /^\.ya?ml$/.test(extname(path)) && path !== file)
    .slice(0, TABLES_MAX)
    .flatMap(path => {
      const text = quietly(() => readText(path))
      return text === undefined ? [] : [{ path, text }]
    })
}

function fromPack(pack: Pack, lenient: readonly Leniency[]): Dialect {
  const { spec } = pack.codec
  const codec = compileSpec(spec, { lenient })
  return { name: pack.name, origin: `protocols/${pack.name}`, spec, codec, notes: [], pack }
}

function quietly<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (isNadiError(error) || error instanceof UsageError || error instanceof ConfigProblems) {
      return undefined
    }
    throw error
  }
}
