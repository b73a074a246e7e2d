import { type Field, IMPORT_LIMITS, refuse, refuseSize, type Remark, tidy } from './model.ts'
import { get, type Item, textAt } from './yaml.ts'

/** Types within types, of one message. */
const STEPS_MAX = 5_000

/**
 * Schemas of OpenAPI as fields. Bounded in depth and count; a schema within itself ends there, with a
 * remark. A reference that leads to itself is refused.
 */
export class JsonSchemaReader {
  readonly #file: string
  readonly #root: Item
  readonly #remarks: Remark[]
  #count = 0
  #steps = 0

  constructor(file: string, root: Item, remarks: Remark[]) {
    this.#file = file
    this.#root = root
    this.#remarks = remarks
  }

  remark({ line }: Pick<Item, 'line'>, text: string): void {
    this.#remarks.push({ path: `${this.#file}:${line}`, text })
  }

  /** What a reference refers to, at last; undefined when it is not in this file. */
  resolve(item: Item | undefined): Item | undefined {
    const seen = new Set<Item>()
    let at = item
    for (let ref = textAt(at, '$ref'); at && ref !== undefined; ref = textAt(at, '$ref')) {
      if (seen.has(at)) refuse(this.#file, at.line, 'a reference that does not lead to itself')
      seen.add(at)
      const found = this.#pointed(ref)
      if (!found) this.remark(at, `${tidy(ref)} is not in this file, and is left out`)
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
    this.#count = 0
    this.#steps = 0
    const resolved = this.resolve(schema)
    if (!resolved) return []
    const fields = this.#members(resolved, new Set())
    if (fields.length === 0) this.remark(resolved, 'a document without members that are described')
    return fields
  }

  #members(schema: Item, around: ReadonlySet<Item>): Field[] {
    if (++this.#steps > STEPS_MAX) refuseSize(this.#file, schema.line, 'schemas of a usual size')
    const inside = new Set([...around, schema])
    const all = new Map<string, Field>()
    const also = (given: Item | undefined) => {
      const part = this.resolve(given)
      if (!part) return
      if (inside.has(part)) return this.remark(part, 'a schema that holds itself ends here')
      for (const field of this.#members(part, inside)) all.set(field.key, field)
    }
    for (const part of get(schema, 'allOf')?.list ?? []) also(part)
    for (const word of ['oneOf', 'anyOf']) {
      const either = get(schema, word)
      if (!either?.list) continue
      this.remark(either, `${word}: the first of ${either.list.length} is drafted`)
      also(either.list[0])
    }
    const required = new Set(get(schema, 'required')?.list?.map(({ text }) => text))
    for (const [name, property] of get(schema, 'properties')?.map ?? []) {
      const field = this.#field(name, property, required.has(name), inside)
      if (field) all.set(name, field)
    }
    if (get(schema, 'additionalProperties')?.map)
      this.remark(schema, 'members of any name are left out')
    return [...all.values()]
  }

  #field(
    name: string,
    given: Item,
    required: boolean,
    around: ReadonlySet<Item>,
  ): Field | undefined {
    if (++this.#count > IMPORT_LIMITS.fieldsMax)
      refuseSize(this.#file, given.line, `at most ${IMPORT_LIMITS.fieldsMax} fields in a message`)
    const schema = this.resolve(given)
    if (!schema) return undefined
    const { line } = given
    const typeName = typeOf(schema)
    const base = { key: name, name, typeName, required, many: false, fields: [], line }
    if (typeName === 'array') {
      const items = this.resolve(get(schema, 'items'))
      const item =
        items && !around.has(items) ? this.#field(name, items, required, around) : undefined
      return item ? { ...item, many: true, line } : { ...base, type: 'text', many: true }
    }
    if (typeName !== 'object') {
      const values = get(schema, 'enum')?.list?.flatMap(({ text }) => text ?? [])
      return { ...base, type: KINDS[typeName] ?? 'text', ...(values && { values }) }
    }
    if (around.has(schema) || around.size >= IMPORT_LIMITS.fieldDepthMax) {
      this.remark(given, `"${tidy(name)}" holds itself or is nested too deep, and ends here`)
      return { ...base, type: 'map' }
    }
    return { ...base, type: 'map', fields: this.#members(schema, around) }
  }
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
