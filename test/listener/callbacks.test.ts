import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { AssertionFailed, isNadiError, latin1, Secret, SystemClock } from '#base'
import { readHttpRequest, writeHttpResponse } from '#http'
import { CallbackListener, type CallbackListenerOptions, type CallbackRoute } from '#listener'
import { routeFor, targetBehind } from '../../src/listener/callbacks/routes.ts'
import { ListLog } from '../link/world.ts'

const LIMITS: CallbackListenerOptions['limits'] = {
  bodyBytesMax: 1000,
  headerBytesMax: 2000,
  connectionsMax: 20,
  connectionsPerPeerMax: 10,
  inFlightMax: 10,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 10_000,
  answerTimeoutMs: 10_000,
}

const clock = new SystemClock()
const OK = writeHttpResponse({
  status: 200,
  headers: { 'content-type': 'text/plain' },
  body: 'taken',
})

/** A listener with two routes: /a for everybody here, /b for nobody. */
async function world(
  t: { teardown(run: () => unknown): unknown },
  limits: Partial<CallbackListenerOptions['limits']> = {},
  take: CallbackRoute['take'] = async () => OK,
  tls?: CallbackListenerOptions['tls'],
) {
  const frames: string[] = []
  const away: string[] = []
  const log = new ListLog()
  const route = (prefix: string, welcome: boolean): CallbackRoute => ({
    prefix,
    mayCall: () => welcome,
    turnedAway: peer => away.push(peer),
    take: (frame, peer) => {
      frames.push(latin1(frame))
      return take(frame, peer)
    },
  })
  const listener = new CallbackListener(
    {
      name: 'callbacks',
      host: '127.0.0.1',
      port: 0,
      tls,
      limits: { ...LIMITS, ...limits },
      routes: [route('/a', true), route('/b', false)],
    },
    { clock, log },
  )
  const { address } = await listener.listen()
  t.teardown(() => listener.drain(clock.nowMs()))
  const port = Number(address.split(':')[1])
  return { listener, frames, away, log, port }
}

/** Writes what it is given, and resolves with all that comes until the line is closed. */
function talk(
  port: number,
  ...writes: (string | ((socket: Socket) => unknown))[]
): Promise<string> {
  return new Promise(resolve => {
    let heard = ''
    const socket = connect(port, '127.0.0.1')
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => (heard += chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(heard))
    for (const one of writes)
      if (typeof one === 'string') socket.write(one, 'latin1')
      else void one(socket)
  })
}

const post = (path: string, body = '', headers = ''): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`

t.test('what comes in, and what it is answered', async t => {
  const rows: [title: string, request: string, status: number | undefined, taken: boolean][] = [
    ['a callback', post('/a', '{}'), 200, true],
    ['below its path', post('/a/told?x=1', '{}'), 200, true],
    ['without a body', 'GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 200, true],
    [
      'in chunks',
      'POST /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
      200,
      true,
    ],
    ['to nobody', post('/', '{}'), 404, false],
    ['to somebody whose name only begins alike', post('/ab', '{}'), 404, false],
    ['around the corner', post('/x/../a', '{}'), 404, false],
    ['to another host in the target', post('http://elsewhere/a', '{}'), 404, false],
    ['from an address that is none of theirs', post('/b', '{}'), 403, false],
    [
      'too long, as it says itself',
      'POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1001\r\n\r\n',
      413,
      false,
    ],
    [
      'too long, as it turns out',
      `POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${`200\r\n${'x'.repeat(512)}\r\n`.repeat(2)}`,
      413,
      false,
    ],
    [
      'too many headers',
      `POST /a HTTP/1.1\r\nhost: x\r\ny: ${'z'.repeat(3000)}\r\n\r\n`,
      400,
      false,
    ],
    ['packed', post('/a', 'xx', 'content-encoding: gzip\r\n'), 415, false],
    ['no HTTP', 'HELO mail\r\n\r\n', 400, false],
    [
      'two lengths',
      'POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
      400,
      false,
    ],
    [
      'a length and chunks: smuggling',
      'POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      false,
    ],
    [
      'a length that is none',
      'POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: -2\r\n\r\n{}',
      400,
      false,
    ],
    [
      'a length below the body: what lies behind it is no second request',
      'POST /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}POST /a HTTP/1.1\r\nhost: x\r\n\r\n',
      404,
      false,
    ],
    ['no host', 'POST /a HTTP/1.1\r\nconnection: close\r\n\r\n', 400, false],
    ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, false],
  ]
  const { listener, frames, away, port } = await world(t)
  for (const [title, request, status, taken] of rows) {
    const before = frames.length
    const heard = await talk(port, request)
    t.match(heard, new RegExp(`^HTTP/1.1 ${status} `), title)
    t.equal(frames.length - before, taken ? 1 : 0, title)
  }
  t.strictSame(away, ['127.0.0.1'])
  t.match(listener.status(), { accepted: rows.length, inFlight: 0, refused: 0 })
  t.ok(listener.status().badFrames >= 12)
})

t.test('the frame is the request as it came, behind the prefix', async t => {
  const { frames, port } = await world(t)
  const body = '{"a": 1.0,\n "b":"\xc3\xa9" }'
  await talk(port, post('/a/x%20y?z=1', body, 'X-Sign: AbC\r\nx-two: 1\r\nX-Two: 2\r\n'))
  const {
    method,
    target,
    headers,
    body: got,
  } = readHttpRequest(Buffer.from(frames[0] ?? '', 'latin1'))
  t.match({ method, target }, { method: 'POST', target: '/x%20y?z=1' })
  t.match(headers, { 'x-sign': 'AbC', 'x-two': '1, 2' })
  t.equal(latin1(got), body, 'byte for byte')
})

t.test('paths', async t => {
  const routes = ['/', '/a', '/a/b'].map(prefix => ({ prefix }) as CallbackRoute)
  const rows: [url: string, prefix: string, target: string][] = [
    ['/', '/', '/'],
    ['/x', '/', '/x'],
    ['/a', '/a', '/'],
    ['/a/', '/a', '/'],
    ['/a?q=1', '/a', '/?q=1'],
    ['/ab', '/', '/ab'],
    ['/a/b', '/a/b', '/'],
    ['/a/bc', '/a', '/bc'],
    ['/a/b/c', '/a/b', '/c'],
  ]
  for (const [url, prefix, target] of rows) {
    t.equal(routeFor(routes, url)?.prefix, prefix, url)
    t.equal(targetBehind(prefix, url), target, url)
  }
  t.equal(routeFor(routes.slice(1), '/x'), undefined)
})

t.test('slow callers are hung up on, and hurt nobody else', async t => {
  const { frames, port } = await world(t, { headersTimeoutMs: 200, requestTimeoutMs: 300 })
  const slowHead = talk(port, 'POST /a HTTP/1.1\r\nhost: x\r\n')
  const slowBody = talk(port, 'POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{')
  const dripping = talk(port, 'POST /a HTTP/1.1\r\n', socket => {
    const drip = setInterval(() => socket.write('x: y\r\n'), 20)
    socket.once('close', () => clearInterval(drip))
  })
  t.match(await talk(port, post('/a', '{}')), /^HTTP\/1.1 200 /)
  for (const heard of await Promise.all([slowHead, slowBody, dripping]))
    t.notMatch(heard, /HTTP\/1.1 200/, 'hung up on, and not answered')
  t.equal(frames.length, 1)
})

t.test('connections: so many from one address', async t => {
  const { listener, port } = await world(t, { connectionsPerPeerMax: 3 })
  const held = Array.from({ length: 3 }, () => connect(port, '127.0.0.1'))
  await Promise.all(held.map(socket => new Promise(resolve => socket.once('connect', resolve))))
  t.equal(await talk(port, post('/a', '{}')), '', 'one more is closed at once')
  t.match(listener.status(), { sessions: 3, refused: 1 })
  for (const socket of held) socket.destroy()
  for (let i = 0; listener.status().sessions > 0 && i < 400; i++)
    await new Promise(resolve => setTimeout(resolve, 5))
  t.match(await talk(port, post('/a', '{}')), /^HTTP\/1.1 200 /)
})

t.test('more at once than may be, too slow, broken: told to come again', async t => {
  let release = (): void => {}
  const held = new Promise<Uint8Array>(resolve => (release = () => resolve(OK)))
  let manner: CallbackRoute['take'] = () => held
  const { listener, log, port } = await world(
    t,
    { inFlightMax: 2, answerTimeoutMs: 400 },
    (...args) => manner(...args),
  )
  const two = [talk(port, post('/a', '1')), talk(port, post('/a', '2'))]
  for (let i = 0; listener.status().inFlight < 2 && i < 400; i++)
    await new Promise(resolve => setTimeout(resolve, 5))
  t.match(await talk(port, post('/a', '3')), /^HTTP\/1.1 503 [^]*retry-after/i, 'no room')
  for (const heard of await Promise.all(two)) t.match(heard, /^HTTP\/1.1 503 /, 'too slow')
  release()
  manner = () => Promise.reject(new Error('trouble with 999900000015'))
  t.match(await talk(port, post('/a', '4')), /^HTTP\/1.1 503 /, 'broken')
  manner = async () => OK
  t.match(await talk(port, post('/a', '5')), /^HTTP\/1.1 200 [^]*taken$/)
  t.equal(listener.status().inFlight, 0)
  t.ok(log.lines.some(({ text }) => text === 'a callback could not be taken'))
})

t.test('a caller that goes away in the middle', async t => {
  const { listener, frames, port } = await world(t)
  await talk(port, 'POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{', socket =>
    setTimeout(() => socket.destroy(), 50),
  )
  for (let i = 0; listener.status().inFlight > 0 && i < 400; i++)
    await new Promise(resolve => setTimeout(resolve, 5))
  t.equal(listener.status().inFlight, 0)
  t.strictSame(frames, [])
})

t.test('drain: what was begun is answered, nothing new is taken', async t => {
  let release = (): void => {}
  const held = new Promise<Uint8Array>(resolve => (release = () => resolve(OK)))
  const { listener, port } = await world(t, {}, () => held)
  const begun = talk(port, post('/a', '1'))
  for (let i = 0; listener.status().inFlight < 1 && i < 400; i++)
    await new Promise(resolve => setTimeout(resolve, 5))
  const drained = listener.drain(clock.nowMs() + 10_000)
  t.equal(await talk(port, post('/a', '2')), '', 'the door is closed')
  release()
  t.match(await begun, /^HTTP\/1.1 200 /)
  await drained
  t.equal(listener.status().address, '')
})

t.test('a port that is taken', async t => {
  const { port } = await world(t)
  const second = new CallbackListener(
    { name: 'second', host: '127.0.0.1', port, tls: undefined, limits: LIMITS, routes: [] },
    { clock, log: new ListLog() },
  )
  const error = await second.listen().catch((cause: unknown) => cause)
  t.ok(isNadiError(error, 'PORT_TAKEN'))
})

t.test('a bug is not answered away', async t => {
  const { port } = await world(t, {}, () => Promise.reject(new AssertionFailed('never')))
  const thrown = new Promise<unknown>(resolve => {
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', error => {
      for (const one of before) process.on('uncaughtException', one)
      resolve(error)
    })
  })
  await talk(port, post('/a', '1'))
  t.type(await thrown, AssertionFailed)
})

t.test('over TLS', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-callbacks-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const [key, crt] = [join(folder, 'k'), join(folder, 'c')]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      key,
      '-out',
      crt,
      '-subj',
      '/CN=nadi',
    ],
    { stdio: 'ignore' },
  )
  const certificate = readFileSync(crt, 'utf8')
  const tls = { certificate, key: new Secret(readFileSync(key, 'utf8')) }
  const { port } = await world(t, {}, undefined, tls)
  const heard = await new Promise<string>(resolve => {
    let text = ''
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      ca: certificate,
      checkServerIdentity: () => undefined,
    })
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    socket.on('close', () => resolve(text))
    socket.write(post('/a', '{}'))
  })
  t.match(heard, /^HTTP\/1.1 200 /)
})
