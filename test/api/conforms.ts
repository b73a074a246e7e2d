import { parseJson, type Json } from './client.ts'

export type Schema = { readonly [key: string]: unknown }
export type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
export type Operation = {
  readonly operationId: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: Schema
  }[]
  readonly requestBody?: {
    readonly required: boolean
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>
  }
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly headers?: Readonly<Record<string, unknown>>
        readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
      }
    >
  >
}

/** What an answer has against the document; nothing when it is as promised. */
export function answerProblems(
  document: Document,
  method: string,
  target: string,
  answer: { status: number; headers: Readonly<Record<string, unknown>>; body: Buffer },
): string[] {
  const path = target.split('?', 1)[0] ?? ''
  const found = Object.entries(document.paths).find(([one]) =>
    new RegExp(`^${one.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
  )
  const operation = found?.[1][method.toLowerCase()]
  if (!operation) return []
  const told = operation.responses[String(answer.status)]
  if (!told) return [`${method} ${path}: the document knows no ${answer.status}`]
  const type = String(answer.headers['content-type']).split(';', 1)[0] ?? ''
  const content = told.content?.[type]
  if (!content) return [`${method} ${path} ${answer.status}: the document knows no ${type}`]
  if (told.headers?.['Location'] && answer.headers['location'] === undefined)
    return [`${method} ${path} ${answer.status}: there is no Location`]
  if (!type.endsWith('json')) return []
  const problems = valueProblems(document, content.schema, parseJson(answer.body), '')
  return problems.map(text => `${method} ${path} ${answer.status}${text}`)
}

/** Words of JSON Schema that say nothing about the value. */
const SILENT = new Set(['description', 'default', '$ref', 'examples'])

/**
 * A checker of its own for the part of JSON Schema that the document uses. It throws on a word that
 * it does not know, so that nothing is passed over unseen.
 */
export function valueProblems(
  document: Document,
  schema: Schema,
  value: Json | undefined,
  at: string,
): string[] {
  const problems: string[] = []
  const check = (fine: boolean, text: string): void => {
    if (!fine) problems.push(`${at} ${text}`)
  }
  const inner = (of: unknown, part: Json | undefined, path: string): string[] =>
    valueProblems(document, of as Schema, part, path)
  const object = (
    typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  ) as Readonly<Record<string, Json>>
  for (const [word, argument] of Object.entries(schema)) {
    if (word === '$ref') {
      const name = String(argument).replace('#/components/schemas/', '')
      const target = document.components.schemas[name]
      if (!target) throw new Error(`${String(argument)} leads nowhere`)
      problems.push(...inner(target, value, at))
    } else if (word === 'type') check(hasType(value, String(argument)), `is no ${String(argument)}`)
    else if (word === 'enum')
      check((argument as Json[]).includes(value as Json), 'is none of these')
    else if (word === 'const') check(value === argument, `is not ${String(argument)}`)
    else if (word === 'pattern')
      check(new RegExp(String(argument), 'u').test(asText(value)), `is not ${String(argument)}`)
    else if (word === 'minLength') check(asText(value).length >= Number(argument), 'is too short')
    else if (word === 'maxLength') check(asText(value).length <= Number(argument), 'is too long')
    else if (word === 'minimum') check(Number(value) >= Number(argument), 'is too small')
    else if (word === 'maximum') check(Number(value) <= Number(argument), 'is too large')
    else if (word === 'required')
      for (const key of argument as string[]) check(Object.hasOwn(object, key), `has no ${key}`)
    else if (word === 'properties')
      for (const [key, of] of Object.entries(argument as Record<string, Schema>)) {
        if (Object.hasOwn(object, key)) problems.push(...inner(of, object[key], `${at}.${key}`))
      }
    else if (word === 'additionalProperties') {
      if (argument !== false) throw new Error('an open object')
      const known = Object.keys(schema['properties'] ?? {})
      for (const key of Object.keys(object)) check(known.includes(key), `has ${key}, too`)
    } else if (word === 'items')
      for (const [index, item] of (Array.isArray(value) ? value : []).entries())
        problems.push(...inner(argument, item, `${at}[${index}]`))
    else if (word === 'anyOf') {
      const each = (argument as Schema[]).map(of => inner(of, value, at))
      check(
        each.some(one => one.length === 0),
        `is none of the alternatives: ${each.flat().join('; ')}`,
      )
    } else if (word === 'allOf')
      for (const of of argument as Schema[]) problems.push(...inner(of, value, at))
    else if (!SILENT.has(word)) throw new Error(`the checker does not know "${word}"`)
  }
  return problems
}

function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

function hasType(value: unknown, type: string): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isSafeInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}
