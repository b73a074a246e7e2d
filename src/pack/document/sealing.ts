import { isNadiError, NadiError } from '#base'
import {
  isHttpResponse,
  readHttpRequest,
  readHttpResponse,
  writeHttpRequest,
  writeHttpResponse,
  type HttpRequest,
} from '#http'
import type { Message } from '#message'
import type { SealContext, SealProblem } from '../http-pack.ts'
import { bearer, same } from '../signing/index.ts'
import { type Parsed, WSSE_MARK } from './contents.ts'
import { type CredentialBook, fillMarks } from './credentials.ts'
import { encodeForm } from './form.ts'
import { type DocNode, nodeAt } from './node.ts'
import type { SealedBy, Speaker } from './parts.ts'
import { rolesOf, type DocPlan } from './plan.ts'
import { callbackIn, choose, headerIn, requestIn } from './read-frames.ts'
import type { Sealed } from './seal-rules.ts'
import { Context, type LeafPart, type Shape } from './value.ts'
import { leavesOf } from './write-shape.ts'
import { escapeXml } from './write-xml.ts'

type Parts = {
  readonly request: HttpRequest | undefined
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** The frame with secrets in their places, wrapped, and signed. The order is that of the pack. */
export function sealFrame(
  speaker: Speaker,
  frame: Uint8Array,
  context: SealContext,
  by?: SealedBy,
): Uint8Array {
  const { parts, book } = speaker
  const taken = takeApart(frame)
  const section = by ?? sectionOf(speaker, taken.request)
  const { rules } = parts.seals[section]
  const fill = filler(speaker, taken.headers['content-type'] ?? '', context)
  let body = fillMarks(taken.body, fill)
  if (parts.wrap) body = parts.wrap.seal(body, !taken.request, context.nowMs, book)
  const target = taken.request?.target.replace(MARK_IN_TARGET, (_, name: string) =>
    encodeForm(book.reveal(name)),
  )
  if (rules.length === 0 && body === taken.body && target === taken.request?.target) return frame
  const headers: Record<string, string> = { ...taken.headers }
  const method = taken.request?.method ?? ''
  const { nonce, nowMs, token } = context
  if (token === undefined && rules.some(rule => rule.needsToken)) {
    throw new NadiError('PACK_CREDENTIAL', { path: 'token' })
  }
  const sealed: Sealed = {
    method,
    target: target ?? '',
    headers,
    body,
    token: token ?? '',
    nonce,
    nowMs,
    credential: name => book.reveal(name),
  }
  for (const rule of rules) Object.assign(headers, rule.put(sealed))
  return target === undefined
    ? writeHttpResponse({ status: taken.status, headers, body })
    : writeHttpRequest({ method, target, headers, body })
}

const MARK_IN_TARGET = /%01([A-Za-z0-9]+)%01/g

function takeApart(frame: Uint8Array): Parts {
  if (isHttpResponse(frame)) return { request: undefined, ...readHttpResponse(frame) }
  const request = readHttpRequest(frame)
  return { request, status: 0, headers: request.headers, body: request.body }
}

/** A request that is none of the pack's own is what they call us with. */
function sectionOf({ parts }: Speaker, request: HttpRequest | undefined): SealedBy {
  if (!request) return 'answer'
  const [path = ''] = request.target.split('?', 1)
  if (parts.session?.call.match(path)) return 'session'
  const own = parts.plans.some(
    ({ callback, call }) =>
      !callback &&
      call.method === request.method &&
      (call.match(request.target) ?? call.match(path)),
  )
  return own || !parts.plans.some(plan => plan.callback) ? 'request' : 'callback'
}

/** What is put at a marked place, escaped as the document wants it. */
function filler({ parts, book }: Speaker, contentType: string, { nowMs, nonce }: SealContext) {
  const escape = /json/.test(contentType)
    ? (text: string) => JSON.stringify(text).slice(1, -1)
    : /xml/.test(contentType)
      ? (text: string) => escapeXml(text, 'credential')
      : /urlencoded/.test(contentType)
        ? encodeForm
        : (text: string) => text
  return (name: string): string =>
    name === WSSE_MARK && parts.security
      ? parts.security.header(nowMs, nonce, book)
      : escape(book.reveal(name))
}

/** What is wrong with the seal of a frame from the other side, without any secret. */
export function checkSeal(
  speaker: Speaker,
  frame: Uint8Array,
  context: SealContext,
): SealProblem | undefined {
  try {
    return check(speaker, frame, context)
  } catch (error) {
    // What cannot be read proves nothing.
    if (isUnreadable(error)) return { tag: 'missing', path: 'body' }
    throw error
  }
}

function check(speaker: Speaker, frame: Uint8Array, context: SealContext): SealProblem | undefined {
  const { parts, book } = speaker
  const { request, headers, body } = takeApart(frame)
  const section = sectionOf(speaker, request)
  const sealed: Sealed = {
    method: request?.method ?? '',
    target: request?.target ?? '',
    headers,
    body,
    token: bearer(headers['authorization']) ?? '',
    nonce: context.nonce,
    nowMs: context.nowMs,
    credential: name => book.reveal(name),
  }
  for (const rule of parts.seals[section].rules) {
    const problem = rule.check(sealed, context.token)
    if (problem) return problem
  }
  const wrapped = checkWrap(speaker, { headers, body }, context.nowMs)
  if (wrapped || !request || section === 'session') return wrapped
  try {
    return checkBody(speaker, request, section === 'callback', context)
  } catch (error) {
    // Who it is from is proved by its headers; that it says nothing is for whoever reads it.
    if (isUnreadable(error) && parts.seals[section].rules.length > 0) return undefined
    throw error
  }
}

function isUnreadable(error: unknown): boolean {
  return isNadiError(error) && error.code !== 'PACK_CREDENTIAL'
}

function checkWrap(
  { parts, book }: Speaker,
  { headers, body }: { headers: Readonly<Record<string, string>>; body: Uint8Array },
  nowMs: number,
): SealProblem | undefined {
  const content = parts.plans[0]?.content
  if (!parts.wrap || !content) return undefined
  return parts.wrap.check(content.read(body, headers['content-type'], 0).root, nowMs, book)
}

/** Signatures, names and secrets that stand in the document itself. */
function checkBody(
  speaker: Speaker,
  request: HttpRequest,
  callback: boolean,
  { nowMs }: SealContext,
): SealProblem | undefined {
  const { parts, book } = speaker
  const { requests, callbacks } = rolesOf(parts.plans)
  const chosen = choose(speaker, callback ? callbacks : requests, request, 0, callback)
  const { plan, parsed } = chosen
  const insecure = callback ? undefined : parts.security?.check(parsed.header, nowMs, book)
  if (insecure) return insecure
  const unproved = callback ? undefined : checkHeader(speaker, plan, parsed)
  if (unproved) return unproved
  const shape = plan.request ?? plan.declined
  if (!hasProof(shape) && !(callback && hasProof(plan.approved))) return undefined
  const message = callback ? callbackIn(speaker, chosen) : requestIn(speaker, request, chosen)
  return checkProofs(speaker, plan, message, parsed)
}

/** What proves the sender, found once for each shape. */
const PROOFS = new WeakMap<Shape, readonly LeafPart[]>()

function proofsOf(shape: Shape): readonly LeafPart[] {
  let proofs = PROOFS.get(shape)
  if (!proofs) {
    PROOFS.set(shape, (proofs = [...leavesOf(shape)].filter(({ value }) => 'proof' in value)))
  }
  return proofs
}

function hasProof(shape: Shape): boolean {
  return proofsOf(shape).length > 0
}

function checkProofs(
  { parts, book }: Speaker,
  plan: DocPlan,
  message: Message,
  parsed: Parsed,
): SealProblem | undefined {
  const { products, codes } = parts
  const context = new Context(plan.kind, message, { products, codes, credentials: book })
  const meaning = message.outcome?.meaning
  const shape = plan.request ?? (meaning === 'approved' ? plan.approved : plan.declined)
  return provedBy(shape, plan.content.rootFor(parsed, shape), message, context, book)
}

/** Names and secrets in a header of SOAP that is the dialect's own. */
function checkHeader(
  { parts, book }: Speaker,
  { kind }: DocPlan,
  parsed: Parsed,
): SealProblem | undefined {
  const { products, codes, soapHeader } = parts
  if (!soapHeader || !hasProof(soapHeader)) return undefined
  const message = { kind, direction: 'request' } as Message
  const context = new Context(kind, message, { products, codes, credentials: book })
  return provedBy(soapHeader, headerIn(parsed), message, context, book)
}

function provedBy(
  shape: Shape,
  root: DocNode,
  message: Message,
  context: Context,
  book: CredentialBook,
): SealProblem | undefined {
  for (const { path, value, optional } of proofsOf(shape)) {
    if (!value.proof || path.includes('[]')) continue
    const given = nodeAt(root, path.split('.'))?.text
    if (given === undefined && optional) continue
    if (given === undefined) return { tag: 'missing', path }
    const isName = value.credential !== undefined && !book.isSecret(value.credential)
    if (!same(value.proof(message, context), given)) {
      return { tag: isName ? 'unknown-sender' : 'forged', path }
    }
  }
  return undefined
}
