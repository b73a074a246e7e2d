import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  type Node as YamlNode,
} from 'yaml'
import { IMPORT_LIMITS, refuse, refuseSize } from './model.ts'

/** A description in YAML or JSON, in which every value knows its line. All scalars are texts. */
export type Item = {
  readonly line: number
  readonly text: string | undefined
  readonly list: readonly Item[] | undefined
  readonly map: ReadonlyMap<string, Item> | undefined
}

/** Less than of XML: reading it takes longer. */
const TEXT_CHARS_MAX = 2_000_000
const TOKENS_MAX = 600_000

/**
 * Reads YAML or JSON, which is YAML. Aliases are refused, so nothing can be made to grow. Throws
 * DOCUMENT_SYNTAX or DOCUMENT_LIMIT with file and line.
 */
export function readItems(file: string, text: string): Item {
  if (text.length > TEXT_CHARS_MAX) refuseSize(file, 1, `at most ${TEXT_CHARS_MAX} characters`)
  checkTokens(file, text)
  const lines = new LineCounter()
  const document = parsed(file, text, lines)
  const lineAt = (offset: number) => lines.linePos(offset).line
  const [error] = document.errors
  if (error) refuse(file, lineAt(error.pos[0]), `YAML or JSON (${error.message.slice(0, 120)})`)
  return new ItemReader(file, lineAt).read(document.contents, 1, 0)
}

/** Before a plain text, in what the lexer tells. */
const SCALAR = '\u001f'

/**
 * The lexer alone refuses what would take the parser long: its time grows with the square of the
 * depth, so brackets within brackets, and lists within lists on one line, end here. By indentation
 * nothing gets deep so cheaply.
 */
function checkTokens(file: string, text: string): void {
  const { depthMax } = IMPORT_LIMITS
  let [line, count, brackets, dashes, before] = [1, 0, 0, 0, '']
  for (const token of new Lexer().lex(text)) {
    const plain = before === SCALAR
    before = token
    if (++count > TOKENS_MAX) refuseSize(file, line, `at most ${TOKENS_MAX} tokens`)
    if (token.includes('\n')) {
      line += token.split('\n').length - 1
      dashes = 0
    }
    if (plain) continue
    if (token === '[' || token === '{') brackets++
    else if (token === ']' || token === '}') brackets--
    else if (token === '-' || token === '?') dashes++
    if (brackets > depthMax || dashes > depthMax)
      refuseSize(file, line, `at most ${depthMax} levels`)
  }
}

function parsed(file: string, text: string, lineCounter: LineCounter) {
  try {
    // Whether keys are there twice is looked at below: the parser compares each with each.
    const options = { schema: 'failsafe', lineCounter, prettyErrors: false } as const
    return parseDocument(text, { ...options, uniqueKeys: false })
  } catch (error) {
    // Each level of nesting is a call within a call.
    if (error instanceof RangeError) return refuseSize(file, 1, 'a document of less depth')
    throw error
  }
}

class ItemReader {
  readonly #file: string
  readonly #lineAt: (offset: number) => number
  #count = 0

  constructor(file: string, lineAt: (offset: number) => number) {
    this.#file = file
    this.#lineAt = lineAt
  }

  read(node: YamlNode | null, around: number, depth: number): Item {
    const { nodesMax, depthMax } = IMPORT_LIMITS
    const line = node?.range ? this.#lineAt(node.range[0]) : around
    if (++this.#count > nodesMax) refuseSize(this.#file, line, `at most ${nodesMax} values`)
    if (depth > depthMax) refuseSize(this.#file, line, `at most ${depthMax} levels`)
    if (isAlias(node)) refuse(this.#file, line, 'no alias')
    const none = { line, text: undefined, list: undefined, map: undefined }
    if (isSeq<YamlNode>(node))
      return { ...none, list: node.items.map(one => this.read(one, line, depth + 1)) }
    if (!isMap<YamlNode, YamlNode | null>(node))
      return isScalar(node) ? { ...none, text: String(node.value) } : none
    const map = new Map<string, Item>()
    for (const { key, value } of node.items) {
      const at = key.range ? this.#lineAt(key.range[0]) : line
      if (!isScalar(key)) refuse(this.#file, at, 'a key that is a text')
      const name = String(key.value)
      if (map.has(name)) refuse(this.#file, at, `"${name.slice(0, 40)}" once`)
      // The line of a key is where a person looks.
      map.set(name, { ...this.read(value, at, depth + 1), line: at })
    }
    return { ...none, map }
  }
}

export function get(item: Item | undefined, ...keys: readonly string[]): Item | undefined {
  return keys.reduce<Item | undefined>((at, key) => at?.map?.get(key), item)
}

export function textAt(item: Item | undefined, ...keys: readonly string[]): string | undefined {
  return get(item, ...keys)?.text
}
