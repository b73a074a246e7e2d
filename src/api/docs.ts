import { type Route, ROUTES } from './routes.ts'
import { type ProblemCode, PROBLEM_CODES, statusOf, titleOf } from './problem.ts'

/**
 * The OpenAPI document as a page to read: one request, one answer, nothing from elsewhere. Made from
 * the document itself, so that it says what programs are told.
 */
export function docsPage(document: object): string {
  const { info, components } = document as Document
  const names = Object.keys(components.schemas)
  return page(
    info.title,
    [
      `<h1>${esc(info.title)} <small>${esc(info.version)}</small></h1>`,
      `<p>${prose(info.description)}</p>`,
      '<p>The same for programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>',
      nav(names),
      ...ROUTES.map(route => operationHtml(route, document as Document)),
      '<h2 id="problems">Problems</h2>',
      problemTable(PROBLEM_CODES),
      '<h2 id="schemas">Schemas</h2>',
      ...names.map(name => schemaHtml(name, components.schemas[name] ?? {})),
    ].join('\n'),
  )
}

type Schema = {
  readonly $ref?: string
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly enum?: readonly string[]
  readonly const?: string
  readonly pattern?: string
}

type Operation = {
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}

type Document = {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

function nav(names: readonly string[]): string {
  const routes = ROUTES.map(
    ({ name, method, path }) => `<a href="#${name}">${method} ${esc(path)}</a>`,
  )
  const schemas = names.map(name => `<a href="#schema-${name}">${esc(name)}</a>`)
  return `<nav><p>${routes.join('<br>')}</p><p><a href="#problems">Problems</a></p><p>${schemas.join(' · ')}</p></nav>`
}

function operationHtml(route: Route, { paths }: Document): string {
  const { name, method, path, summary, description, headers = [], query = [], request } = route
  const responses = paths[path]?.[method.toLowerCase()]?.responses ?? {}
  const parameters = [...headers, ...query].map(
    ({ name, required, text }) =>
      `<tr><td><code>${esc(name)}</code></td><td>${required ? 'required' : ''}</td><td>${prose(text)}</td></tr>`,
  )
  const answers = Object.entries(responses).map(
    ([status, { description }]) => `<tr><td>${status}</td><td>${prose(description)}</td></tr>`,
  )
  const needs = request?.required ? 'required' : 'may be left out'
  return [
    `<section id="${name}"><h2><code>${method} ${esc(path)}</code></h2>`,
    `<p><strong>${esc(summary)}.</strong> ${prose(description)}</p>`,
    parameters.length > 0 ? `<table>${parameters.join('')}</table>` : '',
    request ? `<p>Body (${needs}): ${typeHtml(refOf(route, paths))}</p>` : '',
    `<table>${answers.join('')}</table></section>`,
  ].join('\n')
}

function refOf({ path, method }: Route, paths: Document['paths']): Schema {
  const operation = paths[path]?.[method.toLowerCase()] as unknown as {
    requestBody: { content: Record<string, { schema: Schema }> }
  }
  return operation.requestBody.content['application/json']?.schema ?? {}
}

function problemTable(codes: readonly ProblemCode[]): string {
  const rows = codes.map(
    code =>
      `<tr><td><code>${code}</code></td><td>${statusOf(code)}</td><td>${esc(titleOf(code))}</td></tr>`,
  )
  return `<table>${rows.join('')}</table>`
}

function schemaHtml(name: string, schema: Schema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, property]) => {
    const needed = schema.required?.includes(key) ? 'required' : ''
    return `<tr><td><code>${esc(key)}</code></td><td>${needed}</td><td>${typeHtml(property)}</td><td>${prose(property.description ?? '')}</td></tr>`
  })
  const body = rows.length > 0 ? `<table>${rows.join('')}</table>` : `<p>${typeHtml(schema)}</p>`
  return `<section id="schema-${name}"><h3>${esc(name)}</h3><p>${prose(schema.description ?? '')}</p>${body}</section>`
}

/** A type in few words: a name to follow, or what it is. */
function typeHtml(schema: Schema): string {
  const { $ref, items, anyOf, allOf, properties } = schema
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf('/') + 1)
    return `<a href="#schema-${esc(name)}">${esc(name)}</a>`
  }
  if (items) return `list of ${typeHtml(items)}`
  if (anyOf) return anyOf.map(typeHtml).join(' or ')
  if (allOf) return allOf.map(typeHtml).join(' and ')
  if (schema.const !== undefined) return `<code>"${esc(schema.const)}"</code>`
  if (schema.enum) return schema.enum.map(word => `<code>${esc(word)}</code>`).join(' ')
  if (properties) return `{ ${Object.entries(properties).map(fieldHtml(schema)).join(', ')} }`
  const pattern = schema.pattern === undefined ? '' : ` <code>${esc(schema.pattern)}</code>`
  return `${esc(schema.type ?? 'anything')}${pattern}`
}

function fieldHtml({ required = [] }: Schema) {
  return ([key, property]: [string, Schema]): string =>
    `<code>${esc(key)}</code>${required.includes(key) ? '' : '?'}: ${typeHtml(property)}`
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${esc(title)}</title><style>${STYLE}</style></head><body>
${body}
</body></html>
`
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733;background:#fff}
code{font:14px ui-monospace,monospace;background:#f0f3f6;padding:0 .2em}small{color:#66727f}
table{border-collapse:collapse;width:100%;margin:.5rem 0}td{border-top:1px solid #dde3e9;padding:.3rem .6rem .3rem 0;vertical-align:top}
h2{margin-top:2.5rem}a{color:#0b5cad}nav{background:#f7f9fb;padding:.5rem 1rem}
@media(prefers-color-scheme:dark){body{color:#dde3e9;background:#14191f}code,nav{background:#202830}td{border-color:#303a44}a{color:#7db8f0}}`

/** Escaped, with \`code\` marked. */
function prose(text: string): string {
  return esc(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function esc(text: string): string {
  return text.replace(/[&<>"]/g, char => ENTITIES[char] ?? char)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}
