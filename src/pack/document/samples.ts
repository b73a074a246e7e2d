import type { Message } from '#message'
import { Check } from '../check.ts'
import { messageOf } from '../samples.ts'
import { parseTree, type MapTree, type Problem, type Tree } from '../source.ts'

/** A frame of the dialect with its meaning, told in the pack's samples.yaml and run as a test. */
export type HttpSample = {
  readonly title: string
  /** Where it stands: `digiflazz/samples.yaml:12`. */
  readonly at: string
  readonly as: 'request' | 'answer' | 'callback'
  /** The sealed frame as text. */
  readonly frame: string
  readonly message: Message
  /** Of answers: the request. */
  readonly asked: Message | undefined
  /** It is read so, but we would write it in another way. */
  readonly readOnly: boolean
}

export type HttpSamples = {
  /** What the samples are made with; none of it is real. */
  readonly credentials: Readonly<Record<string, string>>
  /** When, with what fresh number and token they are sealed. */
  readonly sealed: { readonly nowMs: number; readonly nonce: string; readonly token?: string }
  readonly samples: readonly HttpSample[]
  readonly problems: readonly Problem[]
}

/**
 * `samples.yaml` of a pack over HTTP:
 *
 *     credentials: { username: contohuser, apiKey: contoh-api-key }
 *     sealed: { nowMs: 1795140000000, nonce: '1' }
 *     samples:
 *       - title: inquiry
 *         as: request
 *         frame: |
 *           POST /v1/transaction HTTP/1.1
 *           content-type: application/json
 *
 *           {"commands":"inq-pasca",…}
 *         message: { kind: inquiry, … }
 *       - title: answered
 *         as: answer
 *         asked: inquiry                       the title of a request before
 *         message: { outcome: …, bills: … }    what it says beside that request
 */
export function readHttpSamples(path: string, text: string): HttpSamples {
  const problems: Problem[] = []
  const check = new Check(problems)
  const tree = parseTree(path, text, problems)
  const root = tree && check.map(tree, 'samples.yaml')
  if (root) check.only(root, ['credentials', 'sealed', 'samples'])
  const samples: HttpSample[] = []
  const list = root?.entries.get('samples')
  for (const item of (list && check.list(list.value, 'samples'))?.items ?? []) {
    const map = check.map(item, 'a sample')
    const sample = map && readSample(check, map, samples)
    if (sample) samples.push(sample)
  }
  const sealed = texts(root?.entries.get('sealed')?.value)
  const { nowMs = '0', nonce = '1', token } = sealed
  return {
    credentials: texts(root?.entries.get('credentials')?.value),
    sealed: { nowMs: Number(nowMs), nonce, ...(token !== undefined && { token }) },
    samples,
    problems,
  }
}

function readSample(
  check: Check,
  map: MapTree,
  before: readonly HttpSample[],
): HttpSample | undefined {
  check.only(map, ['title', 'as', 'asked', 'frame', 'message', 'read-only'])
  const [title, as, frame, message] = ['title', 'as', 'frame', 'message'].map(
    key => check.need(map, key)?.value,
  )
  if (title?.tag !== 'text' || frame?.tag !== 'text' || message?.tag !== 'map' || !as)
    return undefined
  const role = check.oneOf(as, 'as', ['request', 'answer', 'callback'])
  const askedAt = map.entries.get('asked')?.value
  const asked = askedAt && findAsked(check, askedAt, before)
  if (!role) return undefined
  if (role === 'answer' && !asked) return check.wrong(map.at, 'an answer says what was asked')
  const direction = role === 'request' ? 'request' : 'response'
  const empty = { kind: 'payment', direction, repeat: false, trace: '', sentAt: '' }
  const base = asked ? { ...asked, direction } : empty
  const readOnly = map.entries.get('read-only')?.value
  return {
    title: title.text,
    at: title.at,
    as: role,
    frame: frameOf(frame.text),
    message: overlay(base, messageOf(check, message)) as Message,
    asked,
    readOnly: readOnly?.tag === 'text' && readOnly.text === 'yes',
  }
}

function findAsked(check: Check, tree: Tree, before: readonly HttpSample[]): Message | undefined {
  const title = check.text(tree, 'asked')?.text
  const found = before.find(one => one.title === title && one.as === 'request')
  return found?.message ?? check.wrong(tree.at, `no request before is called "${title ?? ''}"`)
}

/** Lines of the head end as HTTP wants them; the body is left as it is, but for the end of the block. */
function frameOf(text: string): string {
  const end = text.indexOf('\n\n')
  const head = end < 0 ? text.trimEnd() : text.slice(0, end)
  const body = end < 0 ? '' : text.slice(end + 2).replace(/\n$/, '')
  return `${head.replaceAll('\n', '\r\n')}\r\n\r\n${body}`
}

/** Objects entry by entry, all else replaced. */
function overlay(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over
  const out: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) out[key] = overlay(base[key], value)
  return out
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function texts(tree: Tree | undefined): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [key, { value }] of tree?.tag === 'map' ? tree.entries : []) {
    if (value.tag === 'text') out[key] = value.text
  }
  return out
}
