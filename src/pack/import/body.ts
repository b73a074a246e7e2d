import { type Role, roleOf } from './guess.ts'
import { lineOf, type Line, type Side } from './line.ts'
import { type Content, type DraftedKind, type Field, type Operation, tidy } from './model.ts'
import type { Notes } from './notes.ts'

/** A field with its line; `undefined` line: nobody knows what it means. */
type Mapped = {
  readonly field: Field
  readonly line: Line | undefined
  readonly list: boolean
  readonly fields: readonly Mapped[]
  /** It, or something in it, is part of the core. */
  readonly core: boolean
  readonly root?: boolean
}

/** One side of an operation as it is mapped, and what was found in it. */
export type Body = {
  readonly mapped: readonly Mapped[]
  /** Lines under `credentials` that it needs. */
  readonly credentials: ReadonlyMap<string, string>
  readonly outcome: { readonly path: string; readonly field: Field } | undefined
  readonly roles: ReadonlySet<Role>
}

/** What a key of a body can be, but for its marks. */
const KEY = /^(?:#|@?(?:[\w-]+:)?[\w.$-]+)$/
/** Stands in no name. */
const SEPARATOR = ' '

/** Says of each field of a body what it is, where its name is clear; all else is remarked. */
export class BodyMapper {
  readonly #notes: Notes

  constructor(notes: Notes) {
    this.#notes = notes
  }

  body(operation: Operation, kind: DraftedKind, request: boolean): Body {
    const { name, content, answers } = operation
    const given = request ? operation.request : operation.response
    const where = `${name}, ${request ? 'request' : 'answer'}`
    return this.#body(given, kind, request, request ? content : answers, where)
  }

  /** Headers of HTTP, which are no document. */
  headers({ name, headerFields }: Operation, kind: DraftedKind): Body {
    return this.#body(headerFields, kind, true, 'form', `${name}, headers`)
  }

  soapHeader(fields: readonly Field[]): Body {
    return this.#body(fields, 'inquiry', true, 'soap 1.1', 'the SOAP header')
  }

  #body(
    given: readonly Field[],
    kind: DraftedKind,
    request: boolean,
    content: Content,
    where: string,
  ): Body {
    const all = [...leavesOf(given)].map(roleOf)
    const side: Side = {
      kind,
      request,
      json: content === 'json',
      item: false,
      hasAdmin: all.includes('admin'),
      hasTotal: all.includes('total'),
    }
    const found = new Found()
    const mapped = given.flatMap(field => this.#field(field, side, found, where, ''))
    // The element of XML that holds all else is what messages are told apart by.
    const flat = content === 'json' || content === 'form'
    const rooted = flat ? mapped : mapped.map(one => ({ ...one, core: true, root: true }))
    const { credentials, outcome, roles } = found
    return { mapped: rooted, credentials, outcome, roles }
  }

  #field(field: Field, side: Side, found: Found, where: string, around: string): Mapped[] {
    const path = around === '' ? field.key : `${around}${SEPARATOR}${field.key}`
    if (!KEY.test(field.key)) {
      this.#notes.remark(
        field,
        `"${tidy(field.key)}" (${where}) is no name for a pack, and left out`,
      )
      return []
    }
    if (field.many) return this.#list(field, side, found, where, path)
    if (field.type === 'map') {
      const fields = field.fields.flatMap(one => this.#field(one, side, found, where, path))
      const core = fields.some(one => one.core)
      return [{ field, line: undefined, list: false, fields, core }]
    }
    // The path of a code is written with dots.
    const dotted = path.split('.').length > path.split(SEPARATOR).length
    const known = roleOf(field)
    const role = known === 'outcome' && dotted ? undefined : known
    const line = role && found.may(role) ? lineOf(role, field, side) : undefined
    if (line && role) found.take(role, line, field, path)
    else this.#unknown(field, side, where)
    return [{ field, line, list: false, fields: [], core: line?.core === true }]
  }

  /** A list of bills is known by what its items hold; the message has no other place for lists. */
  #list(field: Field, side: Side, found: Found, where: string, path: string): Mapped[] {
    const items = { ...side, item: true }
    const own = new Found()
    const roles = new Set(field.fields.map(roleOf))
    const bills = !side.request && !side.item && (roles.has('period') || roles.has('amount'))
    if (!bills || found.listed) {
      const text = `"${tidy(field.name)}" (${where}) is a list, and left out: say what it holds with [bills] or [details]`
      this.#notes.remark(field, text)
      return []
    }
    found.listed = true
    const leaves = field.fields.filter(({ type, many }) => type !== 'map' && !many)
    const fields = leaves.flatMap(one => this.#field(one, items, own, where, path))
    const text = `"${tidy(field.name)}" (${where}) is taken for the bills by what its items hold`
    this.#notes.remark(field, text)
    return [{ field, line: undefined, list: true, fields, core: false }]
  }

  #unknown(field: Field, { request }: Side, where: string): void {
    const { name, typeName, required } = field
    const role = roleOf(field)
    const hint = role === undefined ? '' : '; its name was clear, but not here'
    const then = request && required ? ', and is required: it is not sent until a line says it' : ''
    const text = `"${tidy(name)}" (${where}, ${tidy(typeName)}) is not mapped${then}${hint}`
    this.#notes.remark(field, text)
  }
}

class Found {
  readonly credentials = new Map<string, string>()
  readonly roles = new Set<Role>()
  outcome: Body['outcome']
  listed = false

  /** A value of the message is told once; of the first field that may be it. */
  may(role: Role): boolean {
    return role === 'user' || role === 'secret' || !this.roles.has(role)
  }

  take(role: Role, { text }: Line, field: Field, path: string): void {
    this.roles.add(role)
    if (role === 'outcome') this.outcome = { path: path.replaceAll(SEPARATOR, '.'), field }
    if (role !== 'user' && role !== 'secret') return
    const kind = role === 'secret' ? 'secret' : 'name'
    this.credentials.set(text.replace('credential ', ''), `${kind}, ${tidy(field.name)} of ours`)
  }
}

function* leavesOf(fields: readonly Field[]): Iterable<Field> {
  for (const field of fields) {
    if (field.many) continue
    if (field.type === 'map') yield* leavesOf(field.fields)
    else yield field
  }
}

/**
 * A body as lines of YAML. Of a refusal all but the code may be missing: failure answers are often
 * shorter than success answers.
 */
export function writeBody({ mapped }: Body, refusal: boolean, indent: string): string[] {
  return mapped.flatMap(({ field, line, list, fields, core, root }): string[] => {
    const told = holdsOutcome(fields) || line?.text.startsWith('outcome')
    const only = refusal ? root === true || told : core
    const key = list ? `${field.key}[bills 1..24]` : field.key
    const written = quoted(`${key}${only === true ? '' : '?'}`)
    const comment = commentOn(field, line !== undefined)
    if (field.type !== 'map' && !list) {
      return [`${indent}${written}: ${line?.text ?? unused(field)} # ${comment}`]
    }
    if (fields.length === 0) return root === true ? [`${indent}${written}: {} # ${comment}`] : []
    const inner = writeInner(fields, refusal, `${indent}  `)
    return [`${indent}${written}: # ${comment}`, ...inner]
  })
}

function writeInner(mapped: readonly Mapped[], refusal: boolean, indent: string): string[] {
  const body = { mapped, credentials: new Map(), outcome: undefined, roles: new Set<Role>() }
  return writeBody(body, refusal, indent)
}

function holdsOutcome(fields: readonly Mapped[]): boolean {
  return fields.some(({ line, fields: inner }) =>
    line ? line.text.startsWith('outcome') : holdsOutcome(inner),
  )
}

function unused({ type }: Field): string {
  return type === 'integer' || type === 'decimal' ? 'unused number' : 'unused'
}

function commentOn({ typeName, required, type, many, values = [] }: Field, known: boolean): string {
  const must = required ? 'required ' : ''
  const one = `${must}${tidy(typeName, 40)}`
  const listed = values.length > 0 ? `, one of ${tidy(values.join(' '), 60)}` : ''
  if (type === 'map' || many) return one
  return known ? `${one}${listed}; GUESSED by its name` : `${one}${listed}; FILL IN`
}

/** A text of YAML that is read back as it is. */
export function quoted(text: string): string {
  return /^[A-Za-z_][\w-]*\??$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`
}
