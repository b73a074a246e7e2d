import type { Message, MessageKind, Outcome, Path } from '#message'
import type { Target } from '../access.ts'
import type { CodeTable } from '../codes.ts'
import type { CredentialBook } from './credentials.ts'
import type { Notation } from './format.ts'
import type { DocNode, Source } from './node.ts'
import type { Products } from './products.ts'

/** A value that is read after all others, and in which item of a list it stands. */
export type Later = {
  readonly part: LeafPart
  readonly node: DocNode
  readonly into: Target
  readonly index: number
}

/** What reading or writing one document stands on. */
export class Context {
  readonly kind: MessageKind
  readonly products: Products
  readonly codes: CodeTable
  readonly credentials: CredentialBook
  /** The message that is written, or made by reading. */
  readonly message: Message
  /** Where the text that is read comes from, for offsets. */
  source: Source | undefined
  outcome: Outcome | undefined
  /** Written: the code, and the texts of other fields that together say it, by their paths. */
  code = ''
  fields: ReadonlyMap<string, string> | undefined
  /** Read: two fields say different things about the outcome. */
  contradicted = false
  /** Read: what stands on values that may come later in the document. */
  readonly later: Later[] = []
  /** In a list: which item. */
  index = 0

  constructor(
    kind: MessageKind,
    message: Message,
    {
      products,
      codes,
      credentials,
    }: { products: Products; codes: CodeTable; credentials: CredentialBook },
  ) {
    this.kind = kind
    this.message = message
    this.products = products
    this.codes = codes
    this.credentials = credentials
    this.outcome = message.outcome
  }
}

/** One scalar of a document: how its text becomes a part of the message, and the other way round. */
export type Value = {
  readonly notation: Notation | { readonly json: 'boolean'; readonly loose: boolean }
  /** Empty text stands for "not there". */
  readonly blank: boolean
  /** It is read after all others, because it stands on them. */
  readonly derived: boolean
  /** The path of the message that it says. */
  readonly path: Path | undefined
  /** The text that it always is. */
  readonly constant?: string
  readonly credential?: string
  readonly expected: string
  /** Characters, where it is always as many. */
  readonly width?: number
  /** False when the text is not in the shape. */
  read(text: string, into: Target, context: Context): boolean
  /** Undefined when the message does not say it. Throws when it cannot be said so. */
  write(from: Target, context: Context): string | undefined
  /** Whether the message says something here. */
  has(from: Target, context: Context): boolean
  /** Of what proves the sender: what it should be, given the message. */
  proof?(from: Target, context: Context): string
}

/**
 * A body, compiled: parts in the order in which they are written.
 *
 *     leaf      a scalar
 *     map       an object, or an element with children
 *     list      an array, or elements of the same name: one item of a list of the message each
 *     inside    a whole document as the text of a scalar (NuSOAP)
 */
export type Part = LeafPart | MapPart | ListPart | InsidePart
type Base = {
  readonly name: string
  /** The name as JSON has it before the value, in UTF-8. */
  readonly key: Uint8Array
  readonly optional: boolean
  /** `data.desc.detail[].periode` */
  readonly path: string
}
export type LeafPart = Base & {
  readonly tag: 'leaf'
  readonly value: Value
  /** It is there in some messages only, and elsewhere neither written nor looked at. */
  readonly when?: (context: Context) => boolean
}
export type MapPart = Base & { readonly tag: 'map'; readonly shape: Shape }
export type ListPart = Base & {
  readonly tag: 'list'
  readonly list: ListAccess
  readonly min: number
  readonly max: number
  /** An item is a map, or a scalar. */
  readonly item: Shape | Value
}
export type InsidePart = Base & {
  readonly tag: 'inside'
  readonly content: 'json' | 'xml'
  readonly shape: Shape
  readonly read: (text: string) => DocNode
  readonly write: (from: Target, context: Context) => string
}

export type Shape = {
  readonly parts: readonly Part[]
  /** Somewhere in it stands a document inside of a text. */
  readonly nested: boolean
  readonly names: ReadonlySet<string>
  readonly unknown: 'kept' | 'refused'
}

export type ListAccess = {
  readonly get: (target: Target) => readonly Target[] | undefined
  readonly set: (target: Target, items: readonly Target[]) => void
  readonly empty: () => Target
}

export function isShape(item: Shape | Value): item is Shape {
  return 'parts' in item
}
