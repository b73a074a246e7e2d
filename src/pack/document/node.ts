import { NadiError, type ErrorCode, type ErrorDetail } from '#base'

/**
 * A document as it was read, whatever it was written in. Every scalar is text: a number keeps the
 * digits that were sent, because money is read from them and a double would not hold them.
 *
 *     text number boolean null   scalars of JSON and XML-RPC
 *     plain                      a scalar of a form, which has no types
 *     map list                   of JSON and XML-RPC
 *     element                    of XML: attributes (as `@name`) and children by name, and its text
 */
export type NodeTag = 'text' | 'number' | 'boolean' | 'null' | 'plain' | 'map' | 'list' | 'element'

export class DocNode {
  readonly tag: NodeTag
  /** Of scalars and elements. */
  text: string
  /** Of maps and elements, beside `items`; the same name can stand twice only in an element. */
  readonly names: string[]
  readonly items: DocNode[]
  /** Where it begins in the text. */
  readonly at: number

  constructor(tag: NodeTag, text: string, names: string[], items: DocNode[], at: number) {
    this.tag = tag
    this.text = text
    this.names = names
    this.items = items
    this.at = at
  }
}

/** Shared by all scalars, and never written to. */
export const NO_NAMES: string[] = []
export const NO_ITEMS: DocNode[] = []

export function scalar(tag: NodeTag, text: string, at: number): DocNode {
  return new DocNode(tag, text, NO_NAMES, NO_ITEMS, at)
}

/** The child of that name. `hint` is where it stood in the last document: usually there again. */
export function childOf(node: DocNode, name: string, hint: number): DocNode | undefined {
  const { names } = node
  if (names[hint] === name) return node.items[hint]
  const at = names.indexOf(name)
  return at < 0 ? undefined : node.items[at]
}

/** What stands at `data.rc`, or undefined. */
export function nodeAt(root: DocNode, path: readonly string[]): DocNode | undefined {
  let node: DocNode | undefined = root
  for (const name of path) {
    if (node.tag === 'list') node = node.items[0]
    node = node && childOf(node, name, -1)
    if (!node) return undefined
  }
  return node
}

/** A path, and where each of its names stood in the last document: usually there again. */
export type Steps = { readonly names: readonly string[]; readonly hints: number[] }

export function stepsOf(names: readonly string[]): Steps {
  return { names, hints: names.map(() => -1) }
}

/** The same as `nodeAt`, for a path that is looked for in every document. */
export function nodeBy(root: DocNode, { names, hints }: Steps): DocNode | undefined {
  let node: DocNode | undefined = root
  for (let i = 0; i < names.length; i++) {
    if (node.tag === 'list') node = node.items[0]
    if (!node) return undefined
    const name = names[i] as string
    let at = hints[i] as number
    if (node.names[at] !== name) {
      at = node.names.indexOf(name)
      if (at < 0) return undefined
      hints[i] = at
    }
    node = node.items[at]
    if (!node) return undefined
  }
  return node
}

/** The limits of what is read. */
export type DocLimits = {
  readonly bytesMax: number
  readonly depthMax: number
  /** Values, elements and attributes together. */
  readonly nodesMax: number
}

export const DOC_LIMITS: DocLimits = { bytesMax: 262_144, depthMax: 24, nodesMax: 10_000 }

/** The text of a document and where in its frame it begins, to tell byte offsets. */
export type Source = {
  readonly text: string
  readonly base: number
  readonly limits: DocLimits
  /** Characters are bytes: ISO 8859-1. */
  readonly latin1: boolean
}

export function wrongAt(
  source: Source,
  code: ErrorCode,
  at: number,
  detail: Omit<ErrorDetail, 'offset'>,
): NadiError {
  const { text, base, latin1 } = source
  const offset = base + (latin1 ? at : Buffer.byteLength(text.slice(0, at)))
  return new NadiError(code, { ...detail, offset })
}
