import { isNadiError } from '#base'
import { readHttpRequest, readHttpResponse, writeHttpRequest, writeHttpResponse } from '#http'
import type { Message } from '#message'
import type { HttpSession, SealContext } from '../http-pack.ts'
import { writeHeaders, type Call, type Header } from './call.ts'
import type { Content } from './contents.ts'
import { nodeAt } from './node.ts'
import type { Speaker } from './parts.ts'
import { sealFrame } from './sealing.ts'
import { Context, type Shape } from './value.ts'

/**
 * How a token is fetched: OAuth2 client credentials (RFC 6749, 4.4) and what resembles them.
 *
 *     session:
 *       call: POST /openapi/v1.0/access-token/b2b
 *       service: '73'
 *       request: { grantType: is client_credentials }
 *       token: accessToken
 *       expires: expiresIn seconds
 *       told: { responseCode: '2007300', tokenType: Bearer }        what our own answers say beside
 */
export type CompiledSession = {
  readonly call: Call
  readonly headers: readonly Header[]
  /** The digits of the code that are its own, as a message has them (SNAP). */
  readonly service: string
  readonly content: Content
  /** Answers are JSON, also to a form (RFC 6749, 5.1). */
  readonly answer: Content
  readonly request: Shape
  readonly token: readonly string[]
  readonly expires: readonly string[] | undefined
  readonly unitMs: number
  readonly told: ReadonlyMap<string, string>
}

/** Where an answer does not say how long its token lasts. */
const LASTS_MS = 600_000
const LASTS_MS_MAX = 31 * 86_400_000
/** Longer ones are no token (SNAP: 2,048). */
const TOKEN_CHARS_MAX = 4096

export function makeSession(speaker: Speaker, compiled: CompiledSession): HttpSession {
  return {
    request: context => writeRequest(speaker, compiled, context),
    read: answer => readToken(compiled, answer),
    asks(frame) {
      try {
        const { method, target } = readHttpRequest(frame)
        return method === compiled.call.method && compiled.call.match(target) !== undefined
      } catch (error) {
        if (isNadiError(error)) return false
        throw error
      }
    },
    writeAnswer: (token, expiresInMs) => writeToken(compiled, token, expiresInMs),
  }
}

function writeRequest(
  speaker: Speaker,
  { call, headers, content, request }: CompiledSession,
  context: SealContext,
): Uint8Array {
  const { products, codes } = speaker.parts
  const message = { kind: 'sign-on', direction: 'request' } as Message
  const writing = new Context('sign-on', message, { products, codes, credentials: speaker.book })
  const frame = writeHttpRequest({
    method: call.method,
    target: call.target(message, writing),
    headers: { 'content-type': content.type, ...writeHeaders(headers, message, writing) },
    body: Buffer.from(content.write(request, message, writing, 'request')),
  })
  return sealFrame(speaker, frame, context, 'session')
}

/** Whatever is no token is a no. */
function readToken(
  { answer: content, token, expires, unitMs }: CompiledSession,
  answer: Uint8Array,
): { readonly token: string; readonly expiresInMs: number } | undefined {
  try {
    const { status, headers, body } = readHttpResponse(answer)
    if (status >= 300 || !content.accepts(headers['content-type'], body)) return undefined
    const { root } = content.read(body, headers['content-type'], answer.length - body.length)
    const text = nodeAt(root, token)?.text ?? ''
    if (!/^[\x21-\x7e]+$/.test(text) || text.length > TOKEN_CHARS_MAX) return undefined
    const lasts = expires && Number(nodeAt(root, expires)?.text)
    const expiresInMs = lasts !== undefined && lasts > 0 ? lasts * unitMs : LASTS_MS
    return { token: text, expiresInMs: Math.min(expiresInMs, LASTS_MS_MAX) }
  } catch (error) {
    if (isNadiError(error)) return undefined
    throw error
  }
}

function writeToken(
  { token, expires, unitMs, told }: CompiledSession,
  text: string,
  expiresInMs: number,
): Uint8Array {
  const fields: Record<string, string> = Object.fromEntries(told)
  fields[token.join('.')] = text
  if (expires) fields[expires.join('.')] = String(Math.floor(expiresInMs / unitMs))
  const headers = { 'content-type': 'application/json' }
  return writeHttpResponse({ status: 200, headers, body: Buffer.from(JSON.stringify(fields)) })
}
