import type { Check } from '../check.ts'
import type { MapTree } from '../source.ts'
import { compileCall, compileHeaders } from './call.ts'
import { compileShape, type ShapeScope } from './compile-shape.ts'
import { CONTENT_KINDS, type Content, type ContentKind } from './contents.ts'
import type { CompiledSession } from './session.ts'

const SESSION_KEYS = [
  'call',
  'content',
  'headers',
  'service',
  'request',
  'token',
  'expires',
  'told',
] as const

const UNITS_MS = { ms: 1, seconds: 1000, minutes: 60_000 } as const

/** `session:`, as it is told in session.ts. */
export function compileSession(
  scope: ShapeScope,
  map: MapTree | undefined,
  contents: (kind: ContentKind) => Content,
  kind: ContentKind,
): CompiledSession | undefined {
  if (!map) return undefined
  const { check } = scope
  check.only(map, SESSION_KEYS)
  const [call, request, token] = ['call', 'request', 'token'].map(
    key => check.need(map, key)?.value,
  )
  const line = call && check.text(call, 'call')
  const compiledCall = line && compileCall(scope, line)
  const body = request && check.map(request, 'request')
  const shape = body && compileShape(scope, body)
  const path = token && check.text(token, 'token')?.text
  const own = map.entries.get('content')
  const content = own ? check.oneOf(own.value, 'content', CONTENT_KINDS) : kind
  const headers = map.entries.get('headers')
  const told = map.entries.get('told')
  const service = map.entries.get('service')
  if (!compiledCall || !shape || path === undefined || !content) return undefined
  return {
    call: compiledCall,
    headers: compileHeaders(scope, headers && check.map(headers.value, 'headers')),
    service: (service && check.text(service.value, 'service')?.text) ?? '00',
    content: contents(content),
    answer: contents('json'),
    request: shape,
    token: path.split('.'),
    ...compileExpires(check, map),
    told: textsOf(check, told && check.map(told.value, 'told')),
  }
}

function compileExpires(
  check: Check,
  map: MapTree,
): { readonly expires: readonly string[] | undefined; readonly unitMs: number } {
  const entry = map.entries.get('expires')
  const line = entry && check.text(entry.value, 'expires')
  const match = /^(\S+) (ms|seconds|minutes)$/.exec(line?.text ?? '')
  if (line && !match) check.wrong(line.at, `"${line.text}" must read "PATH seconds"`)
  return {
    expires: match?.[1]?.split('.'),
    unitMs: UNITS_MS[(match?.[2] ?? 'seconds') as keyof typeof UNITS_MS],
  }
}

/** A map of texts. */
export function textsOf(check: Check, map: MapTree | undefined): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const [key, { value }] of map?.entries ?? []) {
    const line = check.text(value, key)
    if (line) texts.set(key, line.text)
  }
  return texts
}
