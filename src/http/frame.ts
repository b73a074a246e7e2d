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

/** To be written: a body that is text goes as UTF-8. */
export type Written<T extends { readonly body: Uint8Array }> = Omit<T, 'body'> & {
  readonly body: Uint8Array | string
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
const ASCII = /^[\t\x20-\x7e]*$/
const TARGET = /^[\x21-\x7e]+$/
const STATUS = /^HTTP\/1\.[01] [1-5][0-9]{2}(?: .*)?$/
const METHOD = /^[A-Z]{1,16}$/
const EMPTY = new Uint8Array(0)

export function writeHttpRequest({
  method,
  target,
  headers,
  body,
}: Written<HttpRequest>): Uint8Array {
  if (!METHOD.test(method)) throw bad('http.method', 'capital letters')
  if (!TARGET.test(target)) throw bad('http.target', 'visible characters')
  return writeFrame(`${method} ${target} HTTP/1.1\r\n`, headers, body)
}

export function writeHttpResponse({ status, headers, body }: Written<HttpResponse>): Uint8Array {
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
  if (!STATUS.test(start)) throw bad('http.start', 'HTTP/1.1 status')
  return { status: Number(start.slice(9, 12)), headers, body }
}

/** Whether these bytes begin as an answer does; all else is a request. */
export function isHttpResponse(frame: Uint8Array): boolean {
  for (let at = 0; at < HTTP_SLASH.length; at++) if (frame[at] !== HTTP_SLASH[at]) return false
  return true
}

const HTTP_SLASH = Buffer.from('HTTP/')

function writeFrame(
  start: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | string,
): Uint8Array {
  let head = start
  let ascii = true
  for (const name in headers) {
    const value = headers[name] as string
    const isAscii = ASCII.test(value)
    // A line break in a value would begin a header, or a message, that nobody meant to send.
    if (!NAME.test(name) || !(isAscii || VALUE.test(value))) {
      throw bad(`http.headers.${name}`, 'one line of text')
    }
    ascii &&= isAscii
    head += `${name}: ${value}\r\n`
  }
  head += '\r\n'
  if (typeof body === 'string') {
    return ascii ? Buffer.from(head + body) : joined(head, Buffer.from(body))
  }
  return joined(head, body)
}

function joined(head: string, body: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(head.length + body.length)
  frame.write(head, 0, 'latin1')
  frame.set(body, head.length)
  return frame
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')

function readFrame(frame: Uint8Array) {
  const bytes =
    frame instanceof Buffer ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  const end = bytes.indexOf(END_OF_HEAD)
  if (end < 0 || end + END_OF_HEAD.length > HEAD_BYTES_MAX) {
    throw bad('http.head', `an empty line within ${HEAD_BYTES_MAX} bytes`)
  }
  const head = bytes.toString('latin1', 0, end)
  const startEnd = head.indexOf('\r\n')
  const headers: Record<string, string> = {}
  if (startEnd < 0) return { start: head, headers, body: bodyOf(frame, end) }
  for (let at = startEnd + 2; at <= end;) {
    const found = head.indexOf('\r\n', at)
    const lineEnd = found < 0 ? end : found
    readHeader(head.slice(at, lineEnd), headers)
    at = lineEnd + 2
  }
  return { start: head.slice(0, startEnd), headers, body: bodyOf(frame, end) }
}

function bodyOf(frame: Uint8Array, end: number): Uint8Array {
  const from = end + END_OF_HEAD.length
  return from < frame.length ? frame.subarray(from) : EMPTY
}

function readHeader(line: string, headers: Record<string, string>): void {
  const colon = line.indexOf(':')
  const given = line.slice(0, Math.max(colon, 0))
  const isLower = NAME.test(given)
  const name = isLower ? given : given.toLowerCase()
  const value = line.slice(colon + 1).trim()
  // A header of that name would be no entry of the object but its prototype.
  if (!(isLower || NAME.test(name)) || !VALUE.test(value) || name === '__proto__') {
    throw bad('http.headers', 'name: value')
  }
  headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value
}

function bad(path: string, expected: string): NadiError {
  return new NadiError('HTTP_FRAME', { path, expected })
}
