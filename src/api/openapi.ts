import { z } from 'zod'
import { type ProblemCode, statusOf } from './problem.ts'
import { BODY_PROBLEMS, COMMON_PROBLEMS, type Parameter, type Route, ROUTES } from './routes.ts'
import { problemSchema, SCHEMAS, webhookSchema } from './schemas.ts'

type Json = { readonly [key: string]: unknown }

/** The OpenAPI 3.1 document, made from the schemas that requests are checked by and from the routes. */
export function openapi(version: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Nadi, partners’ API',
      version,
      description:
        'Ask what a customer owes, pay it, and know what became of it. Every no is a problem document whose `code` never changes its meaning.',
    },
    servers: [{ url: '/' }],
    security: [{ hmac: [] }, { mtls: [] }],
    paths: paths(),
    webhooks: { paymentEnded: { post: webhookOperation() } },
    components: {
      schemas: schemas(),
      securitySchemes: {
        hmac: {
          type: 'http',
          scheme: 'Nadi-HMAC-SHA256',
          description:
            'HMAC-SHA256 with the secret of your key over the lines `nadi-hmac-sha256`, method, target, time, nonce, Idempotency-Key (or nothing) and the SHA-256 of the body.',
        },
        mtls: { type: 'mutualTLS', description: 'A client certificate that is pinned to you.' },
      },
    },
  }
}

function paths(): Json {
  const byPath: Record<string, Record<string, Json>> = {}
  for (const route of ROUTES)
    byPath[route.path] = { ...byPath[route.path], [route.method.toLowerCase()]: operation(route) }
  return byPath
}

function operation(route: Route): Json {
  const { name, summary, description, request, path } = route
  const ids = path.includes('{id}')
    ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]
    : []
  const parameters = [
    ...ids,
    ...(route.headers ?? []).map(parameter => parameterOf(parameter, 'header')),
    ...(route.query ?? []).map(parameter => parameterOf(parameter, 'query')),
  ]
  return {
    operationId: name,
    summary,
    description,
    ...(parameters.length > 0 && { parameters }),
    ...(request && {
      requestBody: {
        required: request.required,
        content: { 'application/json': { schema: refTo(request.schema) } },
      },
    }),
    responses: { ...answers(route), ...problems(route) },
  }
}

function parameterOf({ name, required, text, schema }: Parameter, where: string): Json {
  return { name, in: where, required, description: text, schema }
}

function answers({ answers }: Route): Json {
  const entries = Object.entries(answers).map(([status, { text, schema, also, location }]) => {
    const others = (also ?? []).map(type => [type, { schema: { type: 'string' } }])
    const content = { 'application/json': { schema: refTo(schema) }, ...Object.fromEntries(others) }
    const headers = location && { Location: { schema: { type: 'string' } } }
    return [status, { description: text, ...(headers && { headers }), content }]
  })
  return Object.fromEntries(entries)
}

/** By status, with the codes that it stands for. */
function problems({ problems, request }: Route): Json {
  const codes = new Set([...COMMON_PROBLEMS, ...(request ? BODY_PROBLEMS : []), ...problems])
  const byStatus = Map.groupBy(codes, code => String(statusOf(code)))
  const ascending = [...byStatus].toSorted(([a], [b]) => Number(a) - Number(b))
  return Object.fromEntries(ascending.map(([status, some]) => [status, problemOf(some)]))
}

function problemOf(codes: readonly ProblemCode[]): Json {
  return {
    description: codes.map(code => `\`${code}\``).join(', '),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [refTo(problemSchema), { properties: { code: { enum: codes.toSorted() } } }],
        },
      },
    },
  }
}

function webhookOperation(): Json {
  return {
    operationId: 'paymentEnded',
    summary: 'A payment came to its end',
    description:
      'Sent to the address in your settings, signed as Standard Webhooks has it (webhook-id, webhook-timestamp, webhook-signature). Answer 2xx; anything else is tried again on a schedule. The same webhook-id may come twice.',
    requestBody: {
      required: true,
      content: { 'application/json': { schema: refTo(webhookSchema) } },
    },
    responses: { '2XX': { description: 'Taken' } },
    security: [],
  }
}

function refTo(schema: z.ZodType): Json {
  return { $ref: `#/components/schemas/${SCHEMAS.get(schema)?.id}` }
}

/** Each under its name, without the words that only a file of its own would need. */
function schemas(): Json {
  const { schemas: made } = z.toJSONSchema(SCHEMAS, {
    uri: id => `#/components/schemas/${id}`,
    io: 'input',
  })
  const ofFiles = new Set(['$schema', '$id', 'id'])
  const bare = (schema: object): Json =>
    Object.fromEntries(Object.entries(schema).filter(([word]) => !ofFiles.has(word)))
  return Object.fromEntries(Object.entries(made).map(([name, schema]) => [name, bare(schema)]))
}
