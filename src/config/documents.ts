import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '#base'
import {
  type Document,
  isMap,
  isNode,
  isPair,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'
import type { Problem } from '#pack'
import { suggestion } from './suggestion.ts'

/** Where something stands in a file: `['pln-postpaid', 'links', 0]`. */
export type Keys = readonly (string | number)[]

/** One file of conf/, parsed but not yet understood. */
export class ConfFile {
  /** As it is shown to people: `conf/links/pln.yaml`. */
  readonly shown: string
  readonly document: Document.Parsed
  readonly #lines: LineCounter
  /** What was changed from outside, and by which words: `admin.port` → `--set admin.port=0`. */
  readonly #overrides: { readonly keys: Keys; readonly words: string }[] = []

  constructor(shown: string, document: Document.Parsed, lines: LineCounter) {
    this.shown = shown
    this.document = document
    this.#lines = lines
  }

  get content(): unknown {
    return this.document.toJS()
  }

  set(keys: Keys, node: Node, words: string): void {
    this.document.setIn(keys, node)
    this.#overrides.push({ keys, words })
  }

  /** `conf/admin.yaml:7`: the line of what stands there, or of the nearest thing around it. */
  where(keys: Keys): string {
    const override = this.#overrides.findLast(({ keys: set }) =>
      set.every((key, index) => String(key) === String(keys[index])),
    )
    if (override) return override.words
    for (let length = keys.length; length > 0; length--) {
      const offset = this.#offset(keys.slice(0, length))
      if (offset !== undefined) return `${this.shown}:${this.#lines.linePos(offset).line}`
    }
    return `${this.shown}:1`
  }

  /** A map's entry begins with its key; an element of a list with itself. */
  #offset(keys: Keys): number | undefined {
    const last = keys.at(-1)
    const around = keys.length === 1 ? this.document.contents : this.#node(keys.slice(0, -1))
    if (isMap(around)) {
      const pair = around.items.find(({ key }) => String(key) === String(last))
      return isPair(pair) && isNode(pair.key) ? pair.key.range?.[0] : undefined
    }
    return this.#node(keys)?.range?.[0]
  }

  #node(keys: Keys): Node | undefined {
    const node = this.document.getIn(keys, true)
    return isNode(node) ? node : undefined
  }
}

export type ConfFiles = ReadonlyMap<string, ConfFile | undefined>

/** The files of conf/, by what they are about; undefined where they cannot be read. */
export type Documents = {
  readonly nadi: ConfFile | undefined
  readonly partners: ConfFile | undefined
  readonly billers: ConfFile | undefined
  readonly products: ConfFile | undefined
  /** One file each; the file's name is its name. Undefined: it is there, but cannot be read. */
  readonly listeners: ConfFiles | undefined
  readonly links: ConfFiles | undefined
}

const FILES = {
  nadi: 'the node, its limits, the admin API, the log and the lab',
  partners: 'who may dial us',
  billers: 'who we send to',
  products: 'what is sold',
} as const
const FOLDERS = ['listeners', 'links'] as const
const FILE_BYTES_MAX = 1024 * 1024

export function readDocuments(
  confFolder: string,
  shownFolder: string,
): { documents: Documents; problems: Problem[] } {
  const problems: Problem[] = []
  const list = (folder: string): string[] | undefined => {
    try {
      return readdirSync(join(confFolder, folder)).toSorted()
    } catch (error) {
      problems.push({ path: join(shownFolder, folder), text: unreadable(error) })
      return undefined
    }
  }
  const read = (path: string): ConfFile | undefined => {
    const result = readDocument(join(confFolder, path), join(shownFolder, path))
    if (result instanceof ConfFile) return result
    problems.push(...result)
    return undefined
  }
  const readFolder = (folder: string): ConfFiles | undefined => {
    const files = new Map<string, ConfFile | undefined>()
    const entries = list(folder)?.filter(looksLikeYaml)
    for (const entry of entries ?? []) {
      if (entry.endsWith('.yaml')) files.set(entry.slice(0, -5), read(join(folder, entry)))
      else problems.push(wrongEnding(join(shownFolder, folder, entry)))
    }
    return entries && files
  }

  const entries = list('')
  if (!entries) return { documents: NO_DOCUMENTS, problems }
  problems.push(...strangers(entries, shownFolder))
  const missing = (path: string, text: string): undefined => {
    problems.push({ path: join(shownFolder, path), text: `is missing; it says ${text}` })
  }
  const file = (key: keyof typeof FILES): ConfFile | undefined =>
    entries.includes(`${key}.yaml`) ? read(`${key}.yaml`) : missing(`${key}.yaml`, FILES[key])
  const documents: Documents = {
    nadi: file('nadi'),
    partners: file('partners'),
    billers: file('billers'),
    products: file('products'),
    listeners: readFolder('listeners'),
    links: readFolder('links'),
  }
  return { documents, problems }
}

const NO_DOCUMENTS: Documents = {
  nadi: undefined,
  partners: undefined,
  billers: undefined,
  products: undefined,
  listeners: undefined,
  links: undefined,
}

/** A file that nobody reads is a mistake that nobody would notice. */
function strangers(entries: readonly string[], shownFolder: string): Problem[] {
  const known = Object.keys(FILES).map(key => `${key}.yaml`)
  return entries
    .filter(entry => looksLikeYaml(entry) && !known.includes(entry))
    .map(entry => ({
      path: join(shownFolder, entry),
      text: `this file is not read${suggestion(entry, known)}, ${FOLDERS.map(folder => `${folder}/NAME.yaml`).join(', ')}`,
    }))
}

function looksLikeYaml(entry: string): boolean {
  return /\.ya?ml$/i.test(entry) && !entry.startsWith('.')
}

function wrongEnding(path: string): Problem {
  return { path, text: 'the name of a configuration file ends in .yaml' }
}

function readDocument(path: string, shown: string): ConfFile | Problem[] {
  let text: string
  try {
    if (statSync(path).size > FILE_BYTES_MAX)
      return [{ path: shown, text: `is larger than ${FILE_BYTES_MAX} bytes` }]
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    return [{ path: shown, text: unreadable(error) }]
  }
  return parseText(text, shown)
}

export function parseText(text: string, shown: string): ConfFile | Problem[] {
  const lines = new LineCounter()
  const at = (offset: number): string => `${shown}:${lines.linePos(offset).line || 1}`
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      schema: 'failsafe',
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: 'silent',
    })
    // One slip makes the parser stumble over all that follows; its first words tell where it was.
    const problems: Problem[] = [...document.errors, ...document.warnings]
      .slice(0, 3)
      .map(({ pos, message }) => ({ path: at(pos[0]), text: firstLine(message) }))
    const offset = (node: Node): number => node.range?.[0] ?? 0
    // One place says one thing: what is written once and means many lines is hard to read and to check.
    visit(document, {
      Alias(_, node) {
        problems.push({ path: at(offset(node)), text: `*${node.source}: write the value itself` })
      },
    })
    if (problems.length === 0 && !isMap(document.contents))
      problems.push({ path: `${shown}:1`, text: 'must hold settings, one `name: value` a line' })
    return problems.length > 0 ? problems : new ConfFile(shown, document, lines)
  } catch (error) {
    // Nesting that is deeper than the parser's stack ends here.
    return [{ path: shown, text: `is not YAML: ${firstLine(errorText(error))}` }]
  }
}

function unreadable(error: unknown): string {
  if (error instanceof TypeError) return 'is not UTF-8 text'
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'is missing'
  if (code === 'EACCES') return 'may not be read by this user'
  if (code === 'ENOTDIR' || code === 'EISDIR') return `is not what it should be (${code})`
  return `cannot be read (${code ?? errorText(error)})`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
