import { NadiError } from '#base'

/**
 * One HTTP message as one frame, so that whatever HTTP carries is journalled, shown and read as
 * bytes like any other frame (RFC 9112, without chunks and continuations: the body is what is left):
 *
 *     POST /v1/transaction HTTP/1.1 CRLF          HTTP/1.1 200 OK CRLF
 *     content-type: application/json CRLF         content-type: application/json CRLF
 *     CRLF                                        CRLF
 *     {"ref_id":"…"}                              {"data":{…}}
 *
 * Header names are lower case. A body is never changed: signatures are verified over its bytes.
 */
export type HttpRequest = {
  readonly method: string
  /** Path and query as they stand on the wire: `/v1/transaction?x=1`. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export type HttpResponse = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** A head longer than this is refused; a body's limit is the reader's own. */
export const HEAD_BYTES_MAX = 32_768

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const TARGET = /^[\x21-\x7e]+$/
const METHOD = /^[A-Z]{1,16}$/
const EMPTY = new Uint8Array(0)

export function writeHttpRequest({ method, target, headers, body }: HttpRequest): Uint8Array {
  if (!METHOD.test(method)) throw bad('http.method', 'capital letters')
  if (!TARGET.test(target)) throw bad('http.target', 'visible characters')
  return writeFrame(`${method} ${target} HTTP/1.1\r\n`, headers, body)
}

export function writeHttpResponse({ status, headers, body }: HttpResponse): Uint8Array {
  if (!Number.isInteger(status) || status < 100 || status > 599) throw bad('http.status', '100-599')
  return writeFrame(`HTTP/1.1 ${status}\r\n`, headers, body)
}

/** The body is a view of the frame. Throws HTTP_FRAME with the path of what cannot be read. */
export function readHttpRequest(frame: Uint8Array): HttpRequest {
  const { start, headers, body } = readFrame(frame)
  const found = /^([A-Z]{1,16}) ([\x21-\x7e]+) HTTP\/1\.[01]$/.exec(start)
  if (!found) throw bad('http.start', 'METHOD target HTTP/1.1')
  return { method: found[1] as string, target: found[2] as string, headers, body }
}

export function readHttpResponse(frame: Uint8Array): HttpResponse {
  const { start, headers, body } = readFrame(frame)
  const found = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: .*)?$/.exec(start)
  if (!found) throw bad('http.start', 'HTTP/1.1 status')
  return { status: Number(found[1]), headers, body }
}

/** Whether these bytes begin as an answer does; all else is a request. */
export function isHttpResponse(frame: Uint8Array): boolean {
  return Buffer.from(frame.buffer, frame.byteOffset, Math.min(frame.length, 5)).equals(HTTP_SLASH)
}

const HTTP_SLASH = Buffer.from('HTTP/')

function writeFrame(
  start: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Uint8Array {
  let head = start
  for (const [name, value] of Object.entries(headers)) {
    // A line break in a value would begin a header, or a message, that nobody meant to send.
    if (!NAME.test(name) || !VALUE.test(value))
      throw bad(`http.headers.${name}`, 'one line of text')
    head += `${name}: ${value}\r\n`
  }
  head += '\r\n'
  const frame = Buffer.allocUnsafe(head.length + body.length)
  frame.write(head, 0, 'latin1')
  frame.set(body, head.length)
  return frame
}

function readFrame(frame: Uint8Array) {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  const end = bytes.subarray(0, HEAD_BYTES_MAX).indexOf('\r\n\r\n')
  if (end < 0) throw bad('http.head', `an empty line within ${HEAD_BYTES_MAX} bytes`)
  const [start = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (!NAME.test(name) || !VALUE.test(value)) throw bad('http.headers', 'name: value')
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const body = end + 4 < bytes.length ? frame.subarray(end + 4) : EMPTY
  return { start, headers, body }
}

function bad(path: string, expected: string): NadiError {
  return new NadiError('HTTP_FRAME', { path, expected })
}
