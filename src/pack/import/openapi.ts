import { writeDraft } from './draft.ts'
import { heldBy, heldByHeader } from './guess.ts'
import { JsonSchemaReader } from './json-schema.ts'
import { type Content, type Field, IMPORT_LIMITS, type ImportOptions } from './model.ts'
import { type Operation, type PackDraft, tidy } from './model.ts'
import { Notes } from './notes.ts'
import { Prefixes } from './prefixes.ts'
import { proofOf } from './security.ts'
import { targetOf } from './target.ts'
import { get, type Item, readItems, textAt } from './yaml.ts'

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

/**
 * The first draft of a pack from OpenAPI 3.0 or 3.1, as YAML or JSON. Throws DOCUMENT_SYNTAX and
 * DOCUMENT_LIMIT with file and line; what could not be said, and what was guessed, is in the remarks.
 */
export function importOpenapi(file: string, text: string, options: ImportOptions): PackDraft {
  const root = readItems(file, text)
  const notes = new Notes(file)
  const version = get(root, 'openapi')
  if (!/^3\.[01](\.|$)/.test(version?.text ?? ''))
    notes.refuse(version ?? root, 'OpenAPI 3.0 or 3.1')
  return new OpenapiReader(notes, root).draft(options)
}

class OpenapiReader {
  readonly #notes: Notes
  readonly #root: Item
  readonly #prefixes = new Prefixes()
  readonly #schemas: JsonSchemaReader
  /** Headers that prove who asks. */
  #sealed: ReadonlySet<string> = new Set()

  constructor(notes: Notes, root: Item) {
    this.#notes = notes
    this.#root = root
    this.#schemas = new JsonSchemaReader(notes, root, this.#prefixes)
  }

  draft(options: ImportOptions): PackDraft {
    const servers = get(this.#root, 'servers')
    const server = textAt(servers?.list?.[0], 'url')
    const others = (servers?.list?.length ?? 1) - 1
    if (servers && others > 0) this.#notes.remark(servers, `${others} other servers are left out`)
    const prefix = targetOf(server).replace(/\?.*$/, '').replace(/\/+$/, '')
    const items = this.#items()
    const secured = get(this.#root, 'security')
      ? this.#root
      : items.find(({ item }) => get(item, 'security'))?.item
    const schemes = (name: string) =>
      this.#schemas.resolve(get(this.#root, 'components', 'securitySchemes', name))
    const proof = proofOf(get(secured, 'security'), schemes, server, this.#notes)
    this.#sealed = new Set(proof.seals.map(({ header }) => header))
    const asked = items.filter(one => !this.#isSession(one, prefix, proof.session?.call))
    const operations = asked.map(one => this.#operation(one, prefix))
    return writeDraft(
      {
        file: this.#notes.file,
        title: textAt(this.#root, 'info', 'title') ?? '',
        language: 'OpenAPI 3',
        content: mostOf(operations),
        namespaces: this.#prefixes.all,
        server,
        operations,
        proof,
        soapHeader: [],
        notes: this.#notes,
      },
      options,
    )
  }

  #items(): Found[] {
    const found: Found[] = []
    for (const [path, given] of get(this.#root, 'paths')?.map ?? []) {
      const around = this.#schemas.resolve(given)
      for (const method of METHODS) {
        const item = get(around, method)
        if (!around || !item) continue
        if (found.length >= IMPORT_LIMITS.operationsMax)
          this.#notes.refuseSize(item, `at most ${IMPORT_LIMITS.operationsMax} operations`)
        found.push({ path, method, item, around })
      }
    }
    return found
  }

  /** Where the token is fetched is often described among the others. */
  #isSession({ path, method, item }: Found, prefix: string, call: string | undefined): boolean {
    if (call !== `${method.toUpperCase()} ${prefix}${path}`) return false
    this.#notes.remark(item, 'it is where the token is fetched, and stands in `session`')
    return true
  }

  #operation({ path, method, item, around }: Found, prefix: string): Operation {
    const name = textAt(item, 'operationId') ?? `${method} ${path}`
    const given = [
      ...(get(around, 'parameters')?.list ?? []),
      ...(get(item, 'parameters')?.list ?? []),
    ]
    const parameters = given.flatMap(one => this.#schemas.resolve(one) ?? [])
    const queried = method === 'get' || method === 'delete'
    const body = queried ? undefined : this.#schemas.resolve(get(item, 'requestBody'))
    const sent = body && this.#document(body, `the request of ${tidy(name)}`)
    const query = parameters.filter(one => textAt(one, 'in') === 'query')
    const answer = this.#answer(item, name)
    return {
      name,
      line: item.line,
      place: path,
      call: `${method.toUpperCase()} ${prefix}${this.#target(path, item, queried ? [] : query)}`,
      // A form that is sent by GET or DELETE is the query.
      content: queried ? 'form' : (sent?.content ?? 'json'),
      answers: answer.content === 'form' ? 'json' : answer.content,
      headers: [],
      headerFields: this.#headers(parameters),
      request: queried ? this.#flat(query.flatMap(this.#parameter)) : (sent?.fields ?? []),
      response: answer.fields,
    }
  }

  readonly #parameter = (parameter: Item): Field[] => {
    const field = this.#schemas.parameter(parameter)
    if (field) return [field]
    const name = tidy(textAt(parameter, 'name') ?? '')
    this.#notes.remark(parameter, `"${name}" has no schema, and is not sent`)
    return []
  }

  /** A form has names and values, and nothing inside of them. */
  #flat(fields: readonly Field[]): Field[] {
    return fields.filter(field => {
      const flat = field.type !== 'map' && !field.many
      if (!flat)
        this.#notes.remark(
          field,
          `"${tidy(field.name)}" holds others, which a form cannot, and is left out`,
        )
      return flat
    })
  }

  /** Headers whose name says what they are; what is signed is in `security`. */
  #headers(parameters: readonly Item[]): Field[] {
    return parameters.flatMap(parameter => {
      const [name = '', place = ''] = [textAt(parameter, 'name'), textAt(parameter, 'in')]
      if (place === 'query' || place === 'path') return []
      if (place === 'header' && this.#sealed.has(name.toLowerCase())) return []
      const known =
        place === 'header' && /^[A-Za-z0-9-]+$/.test(name) && heldByHeader(headerWord(name))
      const [field] = known ? this.#parameter(parameter) : []
      if (field) return [{ ...field, key: name.toLowerCase(), name: headerWord(name) }]
      this.#notes.remark(parameter, `"${tidy(name)}" (${tidy(place)}) is not mapped, and not sent`)
      return []
    })
  }

  /** What stands in path and query of the values of a message. */
  #target(path: string, item: Item, query: readonly Item[]): string {
    let target = path.replace(/\{([^{}]*)\}/g, (_, name: string) => {
      const value = heldBy(name)
      if (value === undefined) {
        const text = `"${tidy(name)}" in the path is not known: FILL-IN stands in its place`
        this.#notes.remark(item, text)
      }
      return value ?? 'FILL-IN'
    })
    target = target.replace(/[^\x21-\x7e]/g, encodeURIComponent)
    for (const parameter of query) {
      const name = textAt(parameter, 'name') ?? ''
      const value = /^[\w.-]+$/.test(name) ? heldBy(name) : undefined
      if (value !== undefined) target += `${target.includes('?') ? '&' : '?'}${name}=${value}`
      else this.#notes.remark(parameter, `"${tidy(name)}" (query) is not mapped, and not sent`)
    }
    return target.startsWith('/') ? target : `/${target}`
  }

  #answer(item: Item, name: string): Document {
    const responses = get(item, 'responses')
    const good = ['200', '201', '202', '2XX', 'default'].find(one => get(responses, one))
    const response = good === undefined ? undefined : this.#schemas.resolve(get(responses, good))
    if (!response) {
      this.#notes.remark(item, `"${tidy(name)}" has no answer that is a success`)
      return NOTHING
    }
    const others = [...(responses?.map?.keys() ?? [])].filter(one => one !== good)
    if (responses && others.length > 0) {
      const text = `"${tidy(name)}": of ${tidy(others.join(', '))} the HTTP status alone is read; see \`believe\` and \`codes\``
      this.#notes.remark(responses, text)
    }
    return this.#document(response, `the answer of ${tidy(name)}`)
  }

  /** A body: as JSON where it may be that, else as a form or XML; anything else is drafted as JSON. */
  #document(body: Item, what: string): Document {
    const types = [...(get(body, 'content')?.map ?? [])]
    for (const [content, pattern] of MEDIA) {
      const media = types.find(([type]) => pattern.test(type))?.[1]
      if (media) return this.#fields(content, get(media, 'schema'))
    }
    const [type, media] = types[0] ?? []
    if (type === undefined || !media) {
      this.#notes.remark(body, `${what} has no document`)
      return NOTHING
    }
    this.#notes.remark(media, `${what} is ${tidy(type)}, and is drafted as JSON`)
    return this.#fields('json', get(media, 'schema'))
  }

  #fields(content: Content, schema: Item | undefined): Document {
    if (content === 'xml') return { content, fields: this.#schemas.element(schema) }
    const fields = this.#schemas.members(schema)
    return { content, fields: content === 'form' ? this.#flat(fields) : fields }
  }
}

type Found = {
  readonly path: string
  readonly method: (typeof METHODS)[number]
  readonly item: Item
  readonly around: Item
}

type Document = { readonly content: Content; readonly fields: readonly Field[] }
const NOTHING: Document = { content: 'json', fields: [] }

/** What a pack speaks, best first. */
const MEDIA: readonly (readonly [Content, RegExp])[] = [
  ['json', /^application\/(.+\+)?json\b/i],
  ['form', /^application\/x-www-form-urlencoded\b/i],
  ['xml', /^(application|text)\/(.+\+)?xml\b/i],
]

/** What most requests are; the others say what they are by themselves. */
function mostOf(operations: readonly Operation[]): Content {
  const counts = new Map<Content, number>()
  for (const { content } of operations) counts.set(content, (counts.get(content) ?? 0) + 1)
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)
  return most?.[0] ?? 'json'
}

/** `X-Partner-Id` means what `partner_id` does. */
function headerWord(name: string): string {
  return name.replace(/^x-/i, '')
}
