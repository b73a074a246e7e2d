import { isNadiError, NadiError } from '#base'
import { type HttpRequest, readHttpRequest, writeHttpRequest, writeHttpResponse } from '#http'
import { declined, REASONS, type Message, type Outcome, type Reason } from '#message'
import { type Call, writeHeaders } from './call.ts'
import type { PlainAnswer, Speaker } from './parts.ts'
import { planFor, type DocPlan } from './plan.ts'
import { isQuery, shapeFor } from './read-frames.ts'
import { Context, type Shape } from './value.ts'

const NO_BODY = new Uint8Array(0)
const NO_SERVICE = '00'

/** A request, or the answer to `asked`, unsealed. */
export function writeMessage(speaker: Speaker, message: Message, asked?: Message): Uint8Array {
  const plan = planFor(speaker.parts.plans, message, false)
  if (!plan) {
    const actual = `${message.kind} of ${message.product ?? 'no product'}`
    throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'kind', actual })
  }
  if (message.direction === 'request') return writeRequest(speaker, plan, message)
  // An answer repeats its request (respond), but for one that was put together by hand.
  const bare = asked && message.customer === undefined
  return writeAnswer(speaker, plan, bare ? { ...asked, ...message } : message)
}

function writeRequest(speaker: Speaker, plan: DocPlan, message: Message): Uint8Array {
  const context = contextFor(speaker, message)
  const { call, content } = plan
  const target = call.target(message, context)
  const body = content.write(plan.request as Shape, message, context, 'request')
  const headers = writeHeaders(plan.headers, message, context)
  if (isQuery(plan)) {
    // A secret's mark cannot stand in a target as it is.
    const text = textIn(body)
    const query = text === '' ? '' : `?${text.replaceAll('\u0001', '%01')}`
    return writeHttpRequest({ method: call.method, target: target + query, headers, body: NO_BODY })
  }
  return writeHttpRequest({
    method: call.method,
    target,
    headers: { 'content-type': content.type, ...headers },
    body,
  })
}

function writeAnswer(speaker: Speaker, plan: DocPlan, message: Message): Uint8Array {
  const { answer } = plan
  const { status, body } = answerBody(speaker, plan, message)
  if (body === undefined) return writeHttpResponse({ status, headers: {}, body: NO_BODY })
  const headers = { 'content-type': answer.type }
  return writeHttpResponse({ status, headers, body })
}

/** What they would tell by themselves; the simulator sends it. */
export function writeCallback(speaker: Speaker, message: Message): Uint8Array {
  const plan = planFor(speaker.parts.plans, message, true)
  if (!plan) throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'kind', actual: message.kind })
  const { body = '' } = answerBody(speaker, plan, message)
  const { call, content } = plan
  const context = contextFor(speaker, message)
  const target = call.target(message, context)
  const own = writeHeaders(plan.headers, message, context)
  if (isQuery(plan)) {
    const query = `${target}?${textIn(body)}`
    return writeHttpRequest({ method: call.method, target: query, headers: own, body: NO_BODY })
  }
  const headers = { 'content-type': content.type, ...own }
  return writeHttpRequest({ method: call.method, target, headers, body })
}

function answerBody(
  speaker: Speaker,
  plan: DocPlan,
  message: Message,
): { readonly status: number; readonly body: Uint8Array | string | undefined } {
  const { outcome } = message
  if (!outcome) throw new NadiError('PACK_MISSING_FIELD', { path: 'outcome' })
  const { answer, kind, service } = plan
  const written = speaker.parts.outcome.toWrite(kind, outcome, service)
  const { status, code, fault, fields } = written
  if (fault !== undefined) {
    const body = answer.writeFault(fault, REASONS[outcome.reason])
    return { status: answer.faultStatus, body }
  }
  if (code === undefined) return { status, body: undefined }
  const context = contextFor(speaker, message)
  context.code = code
  context.fields = fields
  return { status, body: answer.write(shapeFor(plan, outcome), message, context, 'response') }
}

function textIn(body: Uint8Array | string): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString()
}

function contextFor({ parts, book }: Speaker, message: Message): Context {
  const { products, codes } = parts
  return new Context(message.kind, message, { products, codes, credentials: book })
}

/** HTTP statuses of what could not be read or may not enter (RFC 9110). */
const STATUSES: Readonly<Partial<Record<Reason, number>>> = {
  'security-invalid': 401,
  'sign-on-required': 401,
  'partner-unknown': 401,
  'partner-blocked': 403,
  'party-mismatch': 403,
  'product-unknown': 404,
  unavailable: 503,
}

export function writeReject(
  speaker: Speaker,
  error: NadiError,
  reason: Reason,
  asked?: Uint8Array,
): Uint8Array {
  const { rejects, rejectCodes, outcome: rules } = speaker.parts
  const bare = STATUSES[reason] ?? 400
  if (!rejects) return writeHttpResponse({ status: bare, headers: {}, body: NO_BODY })
  const outcome: Outcome = declined(reason)
  const message = { kind: 'inquiry', direction: 'response', outcome } as Message
  const service = serviceOf(speaker, asked)
  const code = rejectCodes.get(error.code)
  const written = code ? rules.writtenAs(code, service) : rules.toWrite('inquiry', outcome, service)
  const context = contextFor(speaker, message)
  context.code = written.code ?? ''
  context.fields = written.fields
  const { content, shape } = rejects
  const body = content.write(shape, message, context, 'response')
  const headers = { 'content-type': content.type }
  const status = rules.codeHoldsStatus ? written.status : bare
  return writeHttpResponse({ status, headers, body })
}

/** Of the message that is asked for at that target; of the session, and of what is unknown, its own. */
function serviceOf({ parts }: Speaker, asked: Uint8Array | undefined): string {
  const request = asked && tryRead(asked)
  if (!request) return NO_SERVICE
  const { method, target } = request
  const [path = ''] = target.split('?', 1)
  const isMeant = (call: Call): boolean => call.method === method && call.match(path) !== undefined
  if (parts.session && isMeant(parts.session.call)) return parts.session.service
  return parts.plans.find(({ call }) => isMeant(call))?.service ?? NO_SERVICE
}

function tryRead(frame: Uint8Array): HttpRequest | undefined {
  try {
    return readHttpRequest(frame)
  } catch (error) {
    if (isNadiError(error)) return undefined
    throw error
  }
}

export function writePlain({ status, type, body }: PlainAnswer): Uint8Array {
  return writeHttpResponse({ status, headers: { 'content-type': type }, body })
}
