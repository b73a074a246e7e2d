import * as fc from 'fast-check'
import t from 'tap'
import { isNadiError } from '#base'
import {
  HEAD_BYTES_MAX,
  isHttpResponse,
  readHttpRequest,
  readHttpResponse,
  writeHttpRequest,
  writeHttpResponse,
} from '#http'

const bytes = (text: string) => Buffer.from(text, 'latin1')

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'nothing'
  } catch (error) {
    if (isNadiError(error)) return `${error.code} ${error.path}`
    throw error
  }
}

t.test('a request and a response are what they look like', async t => {
  const request = readHttpRequest(
    bytes('POST /v1/pay?x=1 HTTP/1.1\r\nContent-Type: application/json\r\nX-A:  b \r\n\r\n{"a":1}'),
  )
  t.match(request, { method: 'POST', target: '/v1/pay?x=1' })
  t.strictSame({ ...request.headers }, { 'content-type': 'application/json', 'x-a': 'b' })
  t.equal(Buffer.from(request.body).toString(), '{"a":1}')
  const response = readHttpResponse(bytes('HTTP/1.0 503 Try Later\r\n\r\n'))
  t.equal(response.status, 503)
  t.equal(response.body.length, 0)
})

t.test('a header that stands twice is one list', async t => {
  const { headers } = readHttpResponse(bytes('HTTP/1.1 200\r\na: 1\r\nA: 2\r\n\r\n'))
  t.equal(headers['a'], '1, 2')
})

t.test('the body is a view of the frame, and never looked into', async t => {
  const frame = bytes('HTTP/1.1 200\r\n\r\na\r\n\r\nb\0')
  const { body } = readHttpResponse(frame)
  t.equal(body.buffer, frame.buffer)
  t.equal(Buffer.from(body).toString('latin1'), 'a\r\n\r\nb\0')
})

t.test('what cannot be read is refused, with the part that is wrong', async t => {
  const rows: [title: string, frame: string, request: boolean, expected: string][] = [
    ['nothing', '', false, 'HTTP_FRAME http.head'],
    ['no end of the head', 'HTTP/1.1 200\r\na: b\r\n', false, 'HTTP_FRAME http.head'],
    [
      'a head without end',
      `HTTP/1.1 200\r\na: ${'x'.repeat(HEAD_BYTES_MAX)}\r\n\r\n`,
      false,
      'HTTP_FRAME http.head',
    ],
    ['a status of two digits', 'HTTP/1.1 20\r\n\r\n', false, 'HTTP_FRAME http.start'],
    ['a status above 599', 'HTTP/1.1 600\r\n\r\n', false, 'HTTP_FRAME http.start'],
    ['another version', 'HTTP/2 200\r\n\r\n', false, 'HTTP_FRAME http.start'],
    ['a request as a response', 'GET / HTTP/1.1\r\n\r\n', false, 'HTTP_FRAME http.start'],
    ['a method in small letters', 'get / HTTP/1.1\r\n\r\n', true, 'HTTP_FRAME http.start'],
    ['a target with a space', 'GET /a b HTTP/1.1\r\n\r\n', true, 'HTTP_FRAME http.start'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nabc\r\n\r\n', true, 'HTTP_FRAME http.headers'],
    ['a header without a name', 'GET / HTTP/1.1\r\n: b\r\n\r\n', true, 'HTTP_FRAME http.headers'],
    ['a folded header', 'GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n', true, 'HTTP_FRAME http.headers'],
    [
      'a control character',
      'GET / HTTP/1.1\r\na: b\u0001\r\n\r\n',
      true,
      'HTTP_FRAME http.headers',
    ],
    [
      'a name that is a prototype',
      'GET / HTTP/1.1\r\n__proto__: b\r\n\r\n',
      true,
      'HTTP_FRAME http.headers',
    ],
  ]
  for (const [title, frame, request, expected] of rows) {
    const read = request ? readHttpRequest : readHttpResponse
    t.equal(
      codeOf(() => read(bytes(frame))),
      expected,
      title,
    )
  }
})

t.test('what would break the lines of a head is not written', async t => {
  const body = ''
  const rows: [title: string, run: () => unknown, expected: string][] = [
    [
      'a line break in a value',
      () => writeHttpResponse({ status: 200, headers: { a: 'b\r\nc: d' }, body }),
      'HTTP_FRAME http.headers.a',
    ],
    [
      'a capital name',
      () => writeHttpResponse({ status: 200, headers: { A: 'b' }, body }),
      'HTTP_FRAME http.headers.A',
    ],
    [
      'a colon in a name',
      () => writeHttpResponse({ status: 200, headers: { 'a:': 'b' }, body }),
      'HTTP_FRAME http.headers.a:',
    ],
    [
      'text beyond Latin-1',
      () => writeHttpResponse({ status: 200, headers: { a: '\u20ac' }, body }),
      'HTTP_FRAME http.headers.a',
    ],
    [
      'a status of 42',
      () => writeHttpResponse({ status: 42, headers: {}, body }),
      'HTTP_FRAME http.status',
    ],
    [
      'half a status',
      () => writeHttpResponse({ status: 200.5, headers: {}, body }),
      'HTTP_FRAME http.status',
    ],
    [
      'a space in a target',
      () => writeHttpRequest({ method: 'GET', target: '/a b', headers: {}, body }),
      'HTTP_FRAME http.target',
    ],
    [
      'a method in small letters',
      () => writeHttpRequest({ method: 'get', target: '/', headers: {}, body }),
      'HTTP_FRAME http.method',
    ],
  ]
  for (const [title, run, expected] of rows) t.equal(codeOf(run), expected, title)
})

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,11}$/)
const value = fc.stringMatching(
  /^(?:[!-~\u00a1-\u00ff](?:[ -~\u00a1-\u00ff]{0,18}[!-~\u00a1-\u00ff])?)?$/,
)
const headers = fc.dictionary(name, value, { maxKeys: 6 })
const body = fc.uint8Array({ maxLength: 64 })

t.test('what was written is read as it was', async t => {
  fc.assert(
    fc.property(headers, body, fc.integer({ min: 100, max: 599 }), (headers, body, status) => {
      const frame = writeHttpResponse({ status, headers, body })
      const read = readHttpResponse(frame)
      t.ok(isHttpResponse(frame))
      return (
        read.status === status &&
        Buffer.from(read.body).equals(body) &&
        JSON.stringify({ ...read.headers }) === JSON.stringify({ ...headers })
      )
    }),
  )
  fc.assert(
    fc.property(headers, fc.string({ unit: 'grapheme', maxLength: 30 }), (headers, text) => {
      const frame = writeHttpRequest({ method: 'POST', target: '/x', headers, body: text })
      t.notOk(isHttpResponse(frame))
      return Buffer.from(readHttpRequest(frame).body).equals(Buffer.from(text))
    }),
  )
})

t.test('whatever comes, it is read or refused', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), frame => {
      const told = [codeOf(() => readHttpRequest(frame)), codeOf(() => readHttpResponse(frame))]
      return told.every(one => one === 'nothing' || one.startsWith('HTTP_FRAME '))
    }),
  )
})
