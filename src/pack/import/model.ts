import { NadiError } from '#base'
import type { Problem } from '../source.ts'
import type { Notes } from './notes.ts'

/** What an import could not say, or guessed and asks about: `biller.wsdl:12`, and what. */
export type Remark = Problem

export const KINDS_DRAFTED = ['inquiry', 'payment', 'status'] as const
export type DraftedKind = (typeof KINDS_DRAFTED)[number]

/** One element, attribute or member of a message, as the description has it. */
export type Field = {
  /** As a key of the pack: `b:rc`, `@id`, `rc`. */
  readonly key: string
  /** Without prefix: what its meaning is guessed by. */
  readonly name: string
  readonly type: 'text' | 'integer' | 'decimal' | 'boolean' | 'map'
  /** As the description calls it, for people. */
  readonly typeName: string
  readonly required: boolean
  readonly many: boolean
  readonly fields: readonly Field[]
  readonly line: number
  /** The only texts it may have, where the description lists them. */
  readonly values?: readonly string[]
}

export type Operation = {
  readonly name: string
  readonly line: number
  /** What else tells what it is for: its path. */
  readonly place?: string
  /** `POST /h2h/server.php`; in braces what was found to stand in the target. */
  readonly call: string
  /** Of what the request is, and what its answer. */
  readonly content: Content
  readonly answers: Content
  /** Those that are the same in every request. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Headers that tell something of the message. */
  readonly headerFields: readonly Field[]
  readonly request: readonly Field[]
  readonly response: readonly Field[]
}

export type Content = 'json' | 'form' | 'xml' | 'soap 1.1' | 'soap 1.2'

/** How a request proves that it is ours: a header and its line under `seal`. */
export type Seal = {
  readonly header: string
  readonly rule: string
  readonly credentials: readonly (readonly [name: string, line: string])[]
}

/** How all of it proves that it is ours. */
export type Proof = {
  readonly seals: readonly Seal[]
  /** OAuth2 client credentials: where a token is fetched, and for what. */
  readonly session?: { readonly call: string; readonly scope: string }
  /** A user name token of WS-Security, with the password or its digest. */
  readonly userNameToken?: 'text' | 'digest'
}

/** A described interface, whatever it was described in. */
export type Described = {
  readonly file: string
  readonly title: string
  readonly language: 'WSDL 1.1' | 'OpenAPI 3'
  readonly content: Content
  readonly namespaces: ReadonlyMap<string, string>
  /** Where it is served, for the link's file; undefined when the description does not say. */
  readonly server: string | undefined
  readonly operations: readonly Operation[]
  readonly proof: Proof
  /** What stands in the SOAP header of requests. */
  readonly soapHeader: readonly Field[]
  readonly notes: Notes
}

/** What whoever imports knows better than a guess. */
export type ImportOptions = {
  /** Our name of the product. */
  readonly product: string
  /** Which operation is which, by its name. */
  readonly operations?: Readonly<Partial<Record<DraftedKind, string>>>
}

/** The draft of a pack. Its samples are written by the pack itself, once it is compiled. */
export type PackDraft = {
  readonly pack: string
  readonly readme: string
  readonly kinds: readonly DraftedKind[]
  /** Those whose answers tell a code: no other answer is known for a success or a refusal. */
  readonly answered: readonly DraftedKind[]
  /** The code that was taken for a success. */
  readonly approvedCode: string
  readonly refusedCode: string
  readonly unknownCode: string
  readonly remarks: readonly Remark[]
}

export const IMPORT_LIMITS = {
  textCharsMax: 4_000_000,
  /** Of the file itself: elements in elements, maps in maps. */
  depthMax: 64,
  nodesMax: 200_000,
  /** Of one message, with all that its types hold. */
  fieldsMax: 500,
  fieldDepthMax: 8,
  operationsMax: 200,
  remarksMax: 500,
} as const

/** Throws DOCUMENT_SYNTAX: the description is not what it must be. */
export function refuse(file: string, line: number, expected: string): never {
  throw new NadiError('DOCUMENT_SYNTAX', { path: `${file}:${line}`, expected })
}

/** Throws DOCUMENT_LIMIT: the description is larger or deeper than is read. */
export function refuseSize(file: string, line: number, expected: string): never {
  throw new NadiError('DOCUMENT_LIMIT', { path: `${file}:${line}`, expected })
}

/** On one line, short, and without anything that would act on a terminal. */
export function tidy(text: string, charsMax = 80): string {
  return text.replace(BLANKS, ' ').trim().slice(0, charsMax)
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const BLANKS = /[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g
