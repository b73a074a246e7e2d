import { type Field, IMPORT_LIMITS, tidy } from './model.ts'
import type { Notes } from './notes.ts'
import type { Prefixes } from './prefixes.ts'
import { get, type Item, textAt } from './yaml.ts'

/** Types within types, of one message. */
const STEPS_MAX = 5_000

/**
 * Schemas of OpenAPI as fields. Bounded in depth and count; a schema within itself ends there, with a
 * remark. A reference that leads to itself is refused.
 */
export class JsonSchemaReader {
  readonly #notes: Notes
  readonly #root: Item
  readonly #prefixes: Prefixes
  #xml = false
  #count = 0
  #steps = 0

  constructor(notes: Notes, root: Item, prefixes: Prefixes) {
    this.#notes = notes
    this.#root = root
    this.#prefixes = prefixes
  }

  /** What a reference refers to, at last; undefined when it is not in this file. */
  resolve(item: Item | undefined): Item | undefined {
    const seen = new Set<Item>()
    let at = item
    for (let ref = textAt(at, '$ref'); at && ref !== undefined; ref = textAt(at, '$ref')) {
      if (seen.has(at)) this.#notes.refuse(at, 'a reference that does not lead to itself')
      seen.add(at)
      const found = this.#pointed(ref)
      if (!found) this.#notes.remark(at, `${tidy(ref)} is not in this file, and is left out`)
      at = found
    }
    return at
  }

  /** A JSON pointer (RFC 6901) into this file. */
  #pointed(ref: string): Item | undefined {
    if (!ref.startsWith('#/')) return undefined
    const keys = ref.slice(2).split('/')
    return get(
      this.#root,
      ...keys.map(key => decoded(key).replaceAll('~1', '/').replaceAll('~0', '~')),
    )
  }

  /** The members of a document, each message counted anew. */
  members(schema: Item | undefined): Field[] {
    this.#begin(false)
    const resolved = this.resolve(schema)
    if (!resolved) return []
    const fields = this.#members(resolved, new Set())
    if (fields.length === 0)
      this.#notes.remark(resolved, 'a document without members that are described')
    return fields
  }

  /** The element that a document of XML is; its name is told by `xml`, or by the name of its schema. */
  element(schema: Item | undefined): Field[] {
    this.#begin(true)
    const resolved = this.resolve(schema)
    if (!schema || !resolved) return []
    const name = textAt(resolved, 'xml', 'name') ?? nameIn(textAt(schema, '$ref'))
    if (name === undefined) {
      this.#notes.remark(
        schema,
        'what its root element is called is not told: FILL-IN stands in its place',
      )
    }
    const root = this.#field(name ?? 'FILL-IN', resolved, true, new Set())
    return root ? [root] : []
  }

  /** A value of a header, a path or a query. */
  parameter(parameter: Item): Field | undefined {
    this.#begin(false)
    const name = textAt(parameter, 'name')
    const schema = get(parameter, 'schema')
    const required = textAt(parameter, 'required') === 'true'
    const field = name !== undefined && schema && this.#field(name, schema, required, new Set())
    return field ? { ...field, line: parameter.line } : undefined
  }

  #begin(xml: boolean): void {
    this.#xml = xml
    this.#count = 0
    this.#steps = 0
  }

  #members(schema: Item, around: ReadonlySet<Item>): Field[] {
    if (++this.#steps > STEPS_MAX) this.#notes.refuseSize(schema, 'schemas of a usual size')
    const inside = new Set([...around, schema])
    const all = new Map<string, Field>()
    const also = (given: Item | undefined) => {
      const part = this.resolve(given)
      if (!part) return
      if (inside.has(part)) return this.#notes.remark(part, 'a schema that holds itself ends here')
      for (const field of this.#members(part, inside)) all.set(field.key, field)
    }
    for (const part of get(schema, 'allOf')?.list ?? []) also(part)
    for (const word of ['oneOf', 'anyOf']) {
      const either = get(schema, word)
      if (!either?.list) continue
      this.#notes.remark(either, `${word}: the first of ${either.list.length} is drafted`)
      also(either.list[0])
    }
    const required = new Set(get(schema, 'required')?.list?.map(({ text }) => text))
    for (const [name, property] of get(schema, 'properties')?.map ?? []) {
      const field = this.#field(name, property, required.has(name), inside)
      if (field) all.set(name, field)
    }
    if (get(schema, 'additionalProperties')?.map)
      this.#notes.remark(schema, 'members of any name are left out')
    return [...all.values()]
  }

  #field(
    name: string,
    given: Item,
    required: boolean,
    around: ReadonlySet<Item>,
  ): Field | undefined {
    if (++this.#count > IMPORT_LIMITS.fieldsMax)
      this.#notes.refuseSize(given, `at most ${IMPORT_LIMITS.fieldsMax} fields in a message`)
    const schema = this.resolve(given)
    if (!schema) return undefined
    const { line } = given
    const typeName = typeOf(schema)
    const key = this.#xml ? this.#keyOf(name, given, schema) : name
    const base = { key, name, typeName, required, many: false, fields: [], line }
    if (typeName === 'array') {
      const item = this.#item(name, schema, required, around)
      const list: Field = item
        ? { ...item, many: true, line }
        : { ...base, type: 'text', many: true }
      const wrapped = this.#xml && textAt(schema, 'xml', 'wrapped') === 'true'
      return wrapped ? { ...base, typeName: 'object', type: 'map', fields: [list] } : list
    }
    if (typeName !== 'object') {
      const values = get(schema, 'enum')?.list?.flatMap(({ text }) => text ?? [])
      return { ...base, type: KINDS[typeName] ?? 'text', ...(values && { values }) }
    }
    if (around.has(schema) || around.size >= IMPORT_LIMITS.fieldDepthMax) {
      this.#notes.remark(given, `"${tidy(name)}" holds itself or is nested too deep, and ends here`)
      return { ...base, type: 'map' }
    }
    return { ...base, type: 'map', fields: this.#members(schema, around) }
  }

  #item(
    name: string,
    schema: Item,
    required: boolean,
    around: ReadonlySet<Item>,
  ): Field | undefined {
    const items = this.resolve(get(schema, 'items'))
    return items && !around.has(items) ? this.#field(name, items, required, around) : undefined
  }

  /** As XML has it (the XML object of OpenAPI): an attribute, or an element of a namespace. */
  #keyOf(name: string, given: Item, schema: Item): string {
    const told = (key: string) => textAt(given, 'xml', key) ?? textAt(schema, 'xml', key)
    const local = told('name') ?? name
    if (told('attribute') === 'true') return `@${local}`
    return this.#prefixes.key(told('namespace') ?? '', local)
  }
}

/** `#/components/schemas/Bill` */
function nameIn(ref: string | undefined): string | undefined {
  return ref === undefined ? undefined : /\/([\w.-]+)$/.exec(ref)?.[1]
}

const KINDS: Readonly<Record<string, Field['type']>> = {
  integer: 'integer',
  number: 'decimal',
  boolean: 'boolean',
}

/** OpenAPI 3.1 has lists of types, of which one may be null. */
function typeOf(schema: Item): string {
  const type = get(schema, 'type')
  const told = type?.text ?? type?.list?.find(({ text }) => text !== 'null')?.text
  if (told !== undefined) return told
  const holds = ['properties', 'allOf', 'oneOf', 'anyOf'].some(key => get(schema, key))
  return holds ? 'object' : 'string'
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
