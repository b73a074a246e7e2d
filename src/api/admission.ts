import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { ApiProblem, type ProblemCode } from './problem.ts'

/** Before the body is read: only plain JSON in UTF-8, and none where none is looked at. */
export function refuseOddBodies({ method, headers, raw }: FastifyRequest): void {
  const type = headers['content-type']
  const charset = /;\s*charset="?([^";\s]*)/i.exec(type ?? '')?.[1]
  if (headers['content-encoding'] !== undefined || (charset && !/^utf-?8$/i.test(charset)))
    throw new ApiProblem('unsupported-media-type')
  if (method === 'GET' && hasBody(raw))
    throw new ApiProblem('invalid-request', 'a GET takes no body')
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

export function refuseAbove(waitMs: number): void {
  if (waitMs > 0) throw tooSoon('rate-limited', waitMs)
}

export function tooSoon(code: ProblemCode, waitMs: number): ApiProblem {
  const seconds = String(Math.max(1, Math.ceil(waitMs / 1000)))
  return new ApiProblem(code, undefined, { headers: { 'retry-after': seconds } })
}
