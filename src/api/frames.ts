import { localTime, NadiError } from '#base'
import {
  type HttpRequest,
  type HttpResponse,
  isHttpResponse,
  readHttpRequest,
  readHttpResponse,
} from '#http'
import { isReason, masked, type Message, type MessageKind, type Outcome } from '#message'
import type { DescribedField, Pack, PackRead } from '#pack'

/**
 * The API's own frames as operators see them in the story of a payment: what kind of message it is
 * and what it says in short, masked. Nothing of the switch reads them: there the message is known
 * before its frame.
 */
export const API_FRAMES: Pick<Pack, 'read' | 'describe'> = { read, describe }

function read(frame: Uint8Array): PackRead {
  try {
    const message = isHttpResponse(frame)
      ? responseMessage(readHttpResponse(frame))
      : requestMessage(readHttpRequest(frame))
    return { tag: 'message', message }
  } catch (error) {
    if (!(error instanceof NadiError)) throw error
    const fields = new Map<number, string>()
    const reject = {
      error,
      mti: undefined,
      fields,
      reason: 'format-error',
      response: false,
    } as const
    return { tag: 'reject', reject }
  }
}

const EPOCH = localTime(0)

function requestMessage({ target }: HttpRequest): Message {
  const head = { direction: 'request', repeat: false, trace: '', sentAt: EPOCH } as const
  return { kind: kindOf(target), ...head }
}

function responseMessage({ status, headers, body }: HttpResponse): Message {
  const { code, state } = asObject(body)
  const kind = kindOf(headers['location'] ?? '')
  const head = { direction: 'response', repeat: false, trace: '', sentAt: EPOCH } as const
  return { kind, ...head, outcome: outcomeOf(status, code, state) }
}

function kindOf(target: string): MessageKind {
  if (target.startsWith('/v1/inquiries')) return 'inquiry'
  return /\/reversals(\?|$)/.test(target) ? 'reversal' : 'payment'
}

function outcomeOf(status: number, code: unknown, state: unknown): Outcome {
  const wire = { code: String(status) }
  if (status === 202) return { meaning: 'unknown', reason: 'timeout', ...wire }
  if (status < 300) return { meaning: 'approved', reason: 'approved', ...wire }
  const reason = typeof code === 'string' && isReason(code) ? code : 'other-error'
  const unknown = reason === 'timeout' || state === 'pending'
  return { meaning: unknown ? 'unknown' : 'declined', reason, ...wire }
}

/** Start line, headers and body, each as one field; the body masked as the dictionary has it. */
function describe(frame: Uint8Array, { unsafe = false } = {}): DescribedField[] {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return []
  const fields: DescribedField[] = []
  let offset = 0
  for (const line of bytes.toString('latin1', 0, end).split('\r\n')) {
    const [name, value] = offset === 0 ? ['start', line] : headerOf(line)
    fields.push({ path: name, name, offset, length: line.length, value })
    offset += line.length + 2
  }
  const body = frame.subarray(end + 4)
  if (body.length > 0) {
    const value = bodyText(body, unsafe)
    fields.push({ path: 'body', name: 'body', offset: end + 4, length: body.length, value })
  }
  return fields
}

function headerOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

const NOT_JSON = '[not JSON]'

function bodyText(body: Uint8Array, unsafe: boolean): string {
  if (unsafe) return Buffer.from(body).toString('utf8')
  const object = asObject(body)
  return Object.keys(object).length === 0 ? NOT_JSON : JSON.stringify(masked(object))
}

function asObject(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
