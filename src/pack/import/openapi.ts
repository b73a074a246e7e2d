import { writeDraft } from './draft.ts'
import { roleOf } from './guess.ts'
import { JsonSchemaReader } from './json-schema.ts'
import {
  type Field,
  IMPORT_LIMITS,
  type ImportOptions,
  type Operation,
  type PackDraft,
  refuse,
  refuseSize,
  type Remark,
  tidy,
} from './model.ts'
import { sealsOf } from './security.ts'
import { targetOf } from './target.ts'
import { get, type Item, readItems, textAt } from './yaml.ts'

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

/**
 * The first draft of a pack from OpenAPI 3.0 or 3.1, as YAML or JSON. Throws DOCUMENT_SYNTAX and
 * DOCUMENT_LIMIT with file and line; what could not be said, and what was guessed, is in the remarks.
 */
export function importOpenapi(file: string, text: string, options: ImportOptions): PackDraft {
  const root = readItems(file, text)
  const version = get(root, 'openapi')
  if (!/^3\.[01](\.|$)/.test(version?.text ?? ''))
    refuse(file, version?.line ?? root.line, 'OpenAPI 3.0 or 3.1')
  return new OpenapiReader(file, root).draft(options)
}

class OpenapiReader {
  readonly #file: string
  readonly #root: Item
  readonly #remarks: Remark[] = []
  readonly #schemas: JsonSchemaReader

  constructor(file: string, root: Item) {
    this.#file = file
    this.#root = root
    this.#schemas = new JsonSchemaReader(file, root, this.#remarks)
  }

  draft(options: ImportOptions): PackDraft {
    const servers = get(this.#root, 'servers')
    const server = textAt(servers?.list?.[0], 'url')
    const others = (servers?.list?.length ?? 1) - 1
    if (servers && others > 0) this.#schemas.remark(servers, `${others} other servers are left out`)
    const prefix = targetOf(server).replace(/\?.*$/, '').replace(/\/+$/, '')
    const items = this.#items()
    const operations = items.map(one => this.#operation(one, prefix))
    const secured = get(this.#root, 'security')
      ? this.#root
      : items.find(({ item }) => get(item, 'security'))?.item
    const schemes = (name: string) =>
      this.#schemas.resolve(get(this.#root, 'components', 'securitySchemes', name))
    return writeDraft(
      {
        file: this.#file,
        title: textAt(this.#root, 'info', 'title') ?? '',
        language: 'OpenAPI 3',
        content: 'json',
        namespaces: new Map(),
        server,
        operations,
        seals: sealsOf(get(secured, 'security'), schemes, (at, said) =>
          this.#schemas.remark(at, said),
        ),
        remarks: this.#remarks,
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
          refuseSize(this.#file, item.line, `at most ${IMPORT_LIMITS.operationsMax} operations`)
        found.push({ path, method, item, around })
      }
    }
    return found
  }

  #operation({ path, method, item, around }: Found, prefix: string): Operation {
    const name = textAt(item, 'operationId') ?? `${method} ${path}`
    const given = [
      ...(get(around, 'parameters')?.list ?? []),
      ...(get(item, 'parameters')?.list ?? []),
    ]
    const parameters = given.flatMap(one => this.#schemas.resolve(one) ?? [])
    const body = this.#schemas.resolve(get(item, 'requestBody'))
    const request = body ? this.#document(body, `the request of ${tidy(name)}`) : []
    if (method === 'get' || method === 'delete') {
      const text = `"${tidy(name)}" is a ${method.toUpperCase()}, and is sent with an empty document of JSON`
      this.#schemas.remark(item, text)
    }
    return {
      name,
      line: item.line,
      place: path,
      call: `${method.toUpperCase()} ${prefix}${this.#target(path, item, parameters)}`,
      headers: [],
      request,
      response: this.#answer(item, name),
    }
  }

  /** What stands in path and query of the values of a message. */
  #target(path: string, item: Item, parameters: readonly Item[]): string {
    let target = path.replace(/\{([^{}]*)\}/g, (_, name: string) => {
      const value = valueOf(name)
      if (value === undefined) {
        const text = `"${tidy(name)}" in the path is not known: FILL-IN stands in its place`
        this.#schemas.remark(item, text)
      }
      return value ?? 'FILL-IN'
    })
    target = target.replace(/[^\x21-\x7e]/g, encodeURIComponent)
    for (const parameter of parameters) {
      const [name = '', place = ''] = [textAt(parameter, 'name'), textAt(parameter, 'in')]
      if (place === 'path') continue
      const value = place === 'query' && /^[\w.-]+$/.test(name) ? valueOf(name) : undefined
      if (value !== undefined) target += `${target.includes('?') ? '&' : '?'}${name}=${value}`
      else
        this.#schemas.remark(
          parameter,
          `"${tidy(name)}" (${tidy(place)}) is not mapped, and not sent`,
        )
    }
    return target.startsWith('/') ? target : `/${target}`
  }

  #answer(item: Item, name: string): Field[] {
    const responses = get(item, 'responses')
    const good = ['200', '201', '202', '2XX', 'default'].find(one => get(responses, one))
    const response = good === undefined ? undefined : this.#schemas.resolve(get(responses, good))
    if (!response) {
      this.#schemas.remark(item, `"${tidy(name)}" has no answer that is a success`)
      return []
    }
    const others = [...(responses?.map?.keys() ?? [])].filter(one => one !== good)
    if (responses && others.length > 0) {
      const text = `"${tidy(name)}": of ${tidy(others.join(', '))} the HTTP status alone is read; see \`believe\` and \`codes\``
      this.#schemas.remark(responses, text)
    }
    return this.#document(response, `the answer of ${tidy(name)}`)
  }

  /** The schema of a body. All is drafted as JSON. */
  #document(body: Item, what: string): Field[] {
    const types = [...(get(body, 'content')?.map ?? [])]
    const json = types.find(([type]) => /^application\/(.+\+)?json\b/i.test(type))
    const [type, media] = json ?? types[0] ?? []
    if (type === undefined || !media) {
      this.#schemas.remark(body, `${what} has no document`)
      return []
    }
    if (!json) this.#schemas.remark(media, `${what} is ${tidy(type)}, and is drafted as JSON`)
    return this.#schemas.members(get(media, 'schema'))
  }
}

type Found = {
  readonly path: string
  readonly method: (typeof METHODS)[number]
  readonly item: Item
  readonly around: Item
}

/** In braces, as a call has it. */
function valueOf(name: string): string | undefined {
  const role = roleOf({ name, type: 'text' })
  if (role === 'customer') return '{customer.id}'
  if (role === 'own') return '{reference.own}'
  return role === 'product' ? '{product}' : undefined
}
