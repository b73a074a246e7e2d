import { isNadiError, NadiError, type LocalTime } from '#base'
import { readHttpRequest, readHttpResponse, type HttpRequest } from '#http'
import type { Message, MessageKind, Outcome, Reason } from '#message'
import type { PackRead } from '../pack.ts'
import { readHeaders } from './call.ts'
import type { Parsed } from './contents.ts'
import { DocNode } from './node.ts'
import { parseBody, type Speaker } from './parts.ts'
import { fits, marksIn, planFor, rolesOf, type DocPlan } from './plan.ts'
import { readShape } from './read-shape.ts'
import { Context, type Shape } from './value.ts'

/** The answer to `asked`. What cannot be read is a reject: it says nothing about the payment. */
export function readAnswer(speaker: Speaker, frame: Uint8Array, asked: Message): PackRead {
  return reading(true, () => {
    const { status, headers, body } = readHttpResponse(frame)
    const plan = planFor(speaker.parts.plans, asked, false)
    if (!plan) throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'kind', actual: asked.kind })
    const { outcome } = speaker.parts
    const message = answerTo(asked)
    const believed =
      outcome.believes(status) &&
      body.length > 0 &&
      plan.answer.accepts(headers['content-type'], body)
    const base = frame.length - body.length
    const parsed = believed ? tryParse(speaker, plan, status, { headers, body, base }) : undefined
    if (!parsed) return { ...message, outcome: outcome.ofStatus(plan.kind, status) }
    if (parsed.fault !== undefined) {
      return { ...message, outcome: outcome.ofFault(plan.kind, parsed.fault) }
    }
    return readOutcome(speaker, plan, parsed, message)
  })
}

type Body = {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly base: number
}

/** An error page need not be a document; the status says enough. */
function tryParse(
  speaker: Speaker,
  { answer }: DocPlan,
  status: number,
  { headers, body, base }: Body,
): Parsed | undefined {
  try {
    return parseBody(speaker, answer, body, headers, base)
  } catch (error) {
    if (status >= 400 && isNadiError(error)) return undefined
    throw error
  }
}

/** The outcome first: it decides how the rest is read. */
function readOutcome(speaker: Speaker, plan: DocPlan, parsed: Parsed, message: Message): Message {
  const { parts } = speaker
  const { answer, kind } = plan
  const root = answer.rootFor(parsed, plan.declined)
  const outcome = parts.outcome.read(kind, root, plan.service)
  message.outcome = outcome
  const context = contextOf(speaker, kind, message, parsed)
  const shape = shapeFor(plan, outcome)
  readShape(shape, answer.rootFor(parsed, shape), message, context)
  if (!context.contradicted) return message
  // Two fields disagree about the money; neither is believed.
  const unsure: Outcome = { ...outcome, meaning: 'unknown', reason: 'timeout' }
  return { ...message, outcome: unsure }
}

export function shapeFor({ approved, declined, unknown }: DocPlan, { meaning }: Outcome): Shape {
  if (meaning === 'approved') return approved
  return meaning === 'unknown' ? unknown : declined
}

/** A request of theirs, on the server side. */
export function readRequest(speaker: Speaker, frame: Uint8Array): PackRead {
  return reading(false, () => {
    const request = readHttpRequest(frame)
    const base = frame.length - request.body.length
    const { requests } = rolesOf(speaker.parts.plans)
    return requestIn(speaker, request, choose(speaker, requests, request, base))
  })
}

/** What a request says of which it is known what it is. Throws as reading does. */
export function requestIn(
  speaker: Speaker,
  request: HttpRequest,
  { plan, parsed, root, values }: Chosen,
): Message {
  const message = said(plan.kind, 'request')
  const context = contextOf(speaker, plan.kind, message, parsed)
  for (const [index, value] of plan.call.values.entries()) {
    if (!value.read(values[index] as string, message, context)) {
      throw new NadiError('PACK_FORMAT', { path: 'http.target', expected: value.expected })
    }
  }
  readHeaders(plan.headers, request.headers, message, context)
  const { soapHeader } = speaker.parts
  if (soapHeader) readShape(soapHeader, headerIn(parsed), message, context)
  readShape(plan.request as Shape, root, message, context)
  nameProduct(plan, message)
  return message
}

/** What they tell by themselves: an answer to a request of before. */
export function readCallback(speaker: Speaker, frame: Uint8Array): PackRead {
  return reading(true, () => {
    const request = readHttpRequest(frame)
    const base = frame.length - request.body.length
    const { callbacks } = rolesOf(speaker.parts.plans)
    // The listener's own prefix stands before the target, so only the body tells.
    return callbackIn(speaker, choose(speaker, callbacks, request, base, true))
  })
}

export function callbackIn(speaker: Speaker, { plan, parsed }: Chosen): Message {
  const message = readOutcome(speaker, plan, parsed, said(plan.kind, 'response'))
  nameProduct(plan, message)
  return message
}

/** Whatever must stand in a header that is not there is missing. */
export function headerIn({ header }: Parsed): DocNode {
  return header ?? new DocNode('element', '', [], [], 0)
}

export type Chosen = {
  readonly plan: DocPlan
  readonly parsed: Parsed
  readonly root: DocNode
  readonly values: readonly string[]
}

/** Which message it is: by method, target, what is constant in it, and the product. */
export function choose(
  speaker: Speaker,
  plans: readonly DocPlan[],
  request: HttpRequest,
  base: number,
  anyTarget = false,
): Chosen {
  const { method, headers } = request
  let best: (Chosen & { readonly marks: number }) | undefined
  let near: NadiError | undefined
  const misfits: Chosen[] = []
  const parsedBy = new Map<string, Parsed>()
  for (const plan of plans) {
    const { call, content } = plan
    if (call.method !== method) continue
    const query = isQuery(plan) ? queryAt(request.target) : undefined
    const path = query === undefined ? request.target : request.target.slice(0, query)
    const values = anyTarget ? NO_VALUES : call.match(path)
    if (!values) continue
    const body = query === undefined ? request.body : Buffer.from(request.target.slice(query + 1))
    if (query === undefined && !content.accepts(headers['content-type'], body)) {
      near ??= new NadiError('DOCUMENT_TYPE', {
        path: 'headers.content-type',
        expected: content.type,
      })
      continue
    }
    const parsed = parsedBy.get(content.kind) ?? parseBody(speaker, content, body, headers, base)
    parsedBy.set(content.kind, parsed)
    const root = content.rootFor(parsed, plan.request ?? plan.declined)
    const marks = fits(plan, root, speaker.parts.products)
    if (marks === undefined) misfits.push({ plan, parsed, root, values })
    else if (marks > (best?.marks ?? -1)) best = { plan, parsed, root, values, marks }
  }
  const chosen = best ?? nearest(misfits)
  if (chosen) return chosen
  throw near ?? new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'http.target' })
}

/**
 * What a request that fits nothing was meant to be, so that reading says what is wrong with it: it
 * never succeeds, since a constant is not there. One that has them all is for another product.
 */
function nearest(misfits: readonly Chosen[]): Chosen | undefined {
  let best: Chosen | undefined
  let most = misfits.length > 1 ? 1 : 0
  for (const one of misfits) {
    const count = marksIn(one.plan, one.root)
    if (count < most || count === one.plan.marks.length) continue
    best = one
    most = count + 1
  }
  return best
}

export function isQuery({ call, content }: DocPlan): boolean {
  return content.kind === 'form' && (call.method === 'GET' || call.method === 'DELETE')
}

const NO_VALUES: readonly string[] = []

/** Where the query begins, or the end of the target. */
function queryAt(target: string): number {
  const at = target.indexOf('?')
  return at < 0 ? target.length : at
}

function nameProduct({ products }: DocPlan, message: Message): void {
  if (message.product !== undefined || products.size !== 1) return
  message.product = [...products][0] as string
}

function said(kind: MessageKind, direction: Message['direction']): Message {
  return { kind, direction, repeat: false, trace: '', sentAt: '' as LocalTime }
}

/** What the request said, in objects of its own, since reading writes into them. */
function answerTo(asked: Message): Message {
  const message: Message = { ...asked, direction: 'response' }
  if (asked.customer) message.customer = { ...asked.customer }
  if (asked.reference) message.reference = { ...asked.reference }
  if (asked.token) message.token = { ...asked.token }
  if (asked.registration) message.registration = { ...asked.registration }
  if (asked.transfer) message.transfer = { ...asked.transfer }
  if (asked.qr) message.qr = { ...asked.qr }
  if (asked.details) message.details = [...asked.details]
  return message
}

function contextOf(
  { parts, book }: Speaker,
  kind: MessageKind,
  message: Message,
  { source }: Parsed,
): Context {
  const { products, codes } = parts
  const context = new Context(kind, message, { products, codes, credentials: book })
  context.source = source
  return context
}

function reading(response: boolean, read: () => Message): PackRead {
  try {
    return { tag: 'message', message: read() }
  } catch (error) {
    if (!isNadiError(error)) throw error
    const reason: Reason = error.path === 'product' ? 'product-unknown' : 'format-error'
    const reject = { error, mti: undefined, fields: NO_FIELDS, reason, response }
    return { tag: 'reject', reject }
  }
}

const NO_FIELDS: ReadonlyMap<number, string> = new Map()
