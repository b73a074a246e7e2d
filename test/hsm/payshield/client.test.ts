import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { isNadiError, SeededRandom, SystemClock, SystemRandom } from '#base'
import { NO_LOG } from '#telemetry'
import { Headers } from '../../../src/hsm/payshield/client/headers.ts'
import { HostPool } from '../../../src/hsm/payshield/client/index.ts'
import type { PoolOptions } from '../../../src/hsm/payshield/client/index.ts'
import { nextPort, STOPPED, wakeAtMs } from '../../../src/hsm/payshield/client/machine.ts'
import type { PortEvent, PortRules, PortState } from '../../../src/hsm/payshield/client/machine.ts'
import { frame, FrameReader } from '../../../src/hsm/payshield/frame.ts'
import { payShieldSimulator } from '../../../src/hsm/payshield/simulator/index.ts'

type Answering = (message: string, socket: Socket) => void

/** A peer that does with each request whatever the test wants of it. */
async function peer(t: Test, answering: Answering): Promise<{ port: number; dials: () => number }> {
  let dials = 0
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    dials++
    sockets.add(socket)
    const reader = new FrameReader()
    socket.on('error', () => {})
    socket.on('data', chunk => {
      reader.push(chunk, bytes => answering(bytes.toString('latin1'), socket))
    })
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, dials: () => dials }
}

async function pool(t: Test, port: number, options: Partial<PoolOptions> = {}): Promise<HostPool> {
  const made = new HostPool(
    {
      host: '127.0.0.1',
      port,
      connections: 1,
      reconnectMinMs: 1,
      reconnectMaxMs: 5,
      idleMs: 0,
      ...options,
    },
    { clock: new SystemClock(), random: new SystemRandom(), log: NO_LOG },
  )
  t.teardown(() => made.close())
  await made.start()
  return made
}

async function box(t: Test) {
  const simulator = payShieldSimulator({ port: 0 })
  const { port } = await simulator.start()
  t.teardown(() => simulator.stop())
  return { simulator, port }
}

const echo = (text: string) => ({ data: Buffer.from(text) })

/** Good diagnostics for that request. */
function good(message: string): Buffer {
  const header = message.slice(0, 4)
  if (message.slice(4, 6) === 'NC') return frame(`${header}ND00${'0'.repeat(16)}1500-0023`)
  return frame(`${header}B300${message.slice(10)}`)
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'answered',
    error => (isNadiError(error) ? error.code : String(error)),
  )
}

/** Asks until something is so: dialing again takes as long as it takes. */
async function askUntil(client: HostPool, so: (code: string) => boolean): Promise<void> {
  while (!so(await codeOf(client.ask('NC', {})))) {
    // A refusal comes at once, and would leave no time for anything to happen.
    await new Promise(resolve => {
      setImmediate(resolve)
    })
  }
}

const answeredAtLast = (client: HostPool) => askUntil(client, code => code === 'answered')

t.test('requests of one turn are pipelined, and each gets its own answer', async t => {
  const { port } = await box(t)
  const client = await pool(t, port, { connections: 3, inFlightMax: 200 })
  const texts = Array.from({ length: 500 }, (_, index) => `text ${index}`)
  const answers = await Promise.all(texts.map(text => client.ask('B2', echo(text))))
  t.same(
    answers.map(({ values }) => Buffer.from(values?.data ?? []).toString()),
    texts,
  )
  t.same(client.status(), { connections: 3, up: 3, inFlight: 0, late: 0 })
  t.equal((await client.ask('N0', { length: '256' })).values?.random.length, 256)
  t.equal((await client.ask('NC', {}, '07')).code, '13', 'an error code is an answer')
})

t.test('answers in any order find their requests', async t => {
  const kept: string[] = []
  const { port } = await peer(t, (message, socket) => {
    kept.push(message)
    if (kept.length < 50) return
    socket.write(Buffer.concat(kept.splice(0).reverse().map(good)))
  })
  const client = await pool(t, port)
  const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`)
  const answers = await Promise.all(texts.map(text => client.ask('B2', echo(text))))
  t.same(
    answers.map(({ values }) => Buffer.from(values?.data ?? []).toString()),
    texts,
  )
})

t.test('full is an answer, at once', async t => {
  const { port } = await peer(t, () => {})
  const client = await pool(t, port, { inFlightMax: 3, connections: 2 })
  const waiting = Array.from({ length: 6 }, () => codeOf(client.ask('NC', {})))
  t.equal(await codeOf(client.ask('NC', {})), 'HSM_BUSY')
  await client.close()
  t.same(
    await Promise.all(waiting),
    Array.from({ length: 6 }, () => 'HSM_UNAVAILABLE'),
  )
  t.equal(await codeOf(client.ask('NC', {})), 'HSM_UNAVAILABLE', 'closed')
})

t.test('what the other side may do wrong', async t => {
  const rows: [title: string, answering: Answering, wanted: string][] = [
    ['hangs up', (_, socket) => socket.destroy(), 'HSM_UNAVAILABLE'],
    [
      'ends in the middle of a frame',
      (message, socket) => socket.end(good(message).subarray(0, 9)),
      'HSM_UNAVAILABLE',
    ],
    [
      'says an empty frame',
      (_, socket) => void socket.write(Buffer.from([0, 0])),
      'HSM_UNAVAILABLE',
    ],
    [
      'answers with a header that was never sent',
      (_, socket) => void socket.write(frame('ZZZZND00')),
      'HSM_UNAVAILABLE',
    ],
    [
      'answers with a header of other characters',
      (_, socket) => void socket.write(frame('\xff\xff\xff\xffND00')),
      'HSM_UNAVAILABLE',
    ],
    [
      'answers with less than a header',
      (_, socket) => void socket.write(frame('00')),
      'HSM_UNAVAILABLE',
    ],
    [
      'answers another command',
      (message, socket) => void socket.write(frame(`${message.slice(0, 4)}CB00`)),
      'HSM_UNAVAILABLE',
    ],
    [
      'answers without an error code',
      (message, socket) => void socket.write(frame(`${message.slice(0, 4)}ND`)),
      'HSM_UNAVAILABLE',
    ],
    [
      'answers with fewer fields',
      (message, socket) => void socket.write(frame(`${message.slice(0, 4)}ND0012`)),
      'HSM_RESPONSE',
    ],
    [
      'answers with more fields',
      (message, socket) =>
        void socket.write(
          Buffer.concat([frame(`${message.slice(0, 4)}ND00${'0'.repeat(16)}1500-0023 and more`)]),
        ),
      'HSM_RESPONSE',
    ],
    [
      'answers twice',
      (message, socket) => void socket.write(Buffer.concat([good(message), good(message)])),
      'answered',
    ],
    [
      'answers byte by byte',
      (message, socket) => {
        for (const byte of good(message)) socket.write(Uint8Array.of(byte))
      },
      'answered',
    ],
  ]
  for (const [title, answering, wanted] of rows) {
    let first = true
    const { port } = await peer(t, (message, socket) => {
      if (first) answering(message, socket)
      else socket.write(good(message))
      first = false
    })
    const client = await pool(t, port)
    t.equal(await codeOf(client.ask('NC', {})), wanted, title)
    await answeredAtLast(client)
    t.equal((await client.ask('B2', echo('after it'))).code, '00', `${title}, and goes on`)
  }
})

t.test('a broken connection fails what is in flight on it and nothing else', async t => {
  const { port, dials } = await peer(t, (message, socket) => {
    if (message.endsWith('cut')) socket.destroy()
    else if (!message.endsWith('wait')) socket.write(good(message))
  })
  const client = await pool(t, port, { connections: 2 })
  const fates = ['wait', 'fine', 'cut', 'fine', 'wait'].map(text =>
    codeOf(client.ask('B2', echo(text))),
  )
  const [fine, cut, alsoFine] = await Promise.all(fates.slice(1, 4))
  t.same([fine, cut], ['answered', 'HSM_UNAVAILABLE'])
  t.equal(alsoFine, 'answered', 'on the other connection')
  await askUntil(client, () => client.status().up === 2)
  t.ok(dials() >= 3)
})

t.test('silence until the deadline fails the request; a late answer is dropped', async t => {
  let held: (() => void) | undefined
  const { port } = await peer(t, (message, socket) => {
    if (message.endsWith('late')) held = () => socket.write(good(message))
    else socket.write(good(message))
  })
  const client = await pool(t, port, { requestTimeoutMs: 50, probeTimeoutMs: 10_000 })
  t.equal(await codeOf(client.ask('B2', echo('late'))), 'HSM_UNAVAILABLE')
  t.equal(client.status().up, 1, 'others are answered, so the connection stays')
  held?.()
  await askUntil(client, () => client.status().late > 0)
  t.equal(client.status().up, 1, 'and so it does after the late one')
})

t.test('a connection on which nothing is heard any more is given up', async t => {
  let deaf = true
  const { port, dials } = await peer(t, (message, socket) => {
    if (!deaf) socket.write(good(message))
  })
  const client = await pool(t, port, { requestTimeoutMs: 20, probeTimeoutMs: 20 })
  t.equal(await codeOf(client.ask('NC', {})), 'HSM_UNAVAILABLE')
  await askUntil(client, () => dials() > 1)
  deaf = false
  await answeredAtLast(client)
  t.pass('and dialed anew')
})

t.test('an idle connection is asked whether it still is one', async t => {
  const seen: string[] = []
  let asked: () => void = () => {}
  const probed = new Promise<void>(resolve => {
    asked = resolve
  })
  const { port } = await peer(t, (message, socket) => {
    seen.push(message.slice(4))
    socket.write(good(message))
    if (seen.length === 3) asked()
  })
  const client = await pool(t, port, { idleMs: 5 })
  await probed
  t.same(seen.slice(0, 3), ['NC', 'NC', 'NC'])
  t.equal(client.status().up, 1)
})

t.test('no one there: requests fail at once, and it comes up when someone is', async t => {
  const { simulator, port } = await box(t)
  const client = await pool(t, port, { connections: 2 })
  await simulator.stop()
  await askUntil(client, () => client.status().up === 0)
  t.equal(await codeOf(client.ask('NC', {})), 'HSM_UNAVAILABLE')
  const again = payShieldSimulator({ port })
  await again.start()
  t.teardown(() => again.stop())
  await answeredAtLast(client)
  t.pass('it dialed again by itself')
})

t.test('a value that does not fit is refused before anything is sent', async t => {
  const { port } = await box(t)
  const client = await pool(t, port)
  t.equal(await codeOf(client.ask('N0', { length: 'many' })), 'HSM_REQUEST')
  t.equal(client.status().inFlight, 0)
})

t.test('the life of a connection', async t => {
  const rules: PortRules = {
    dialTimeoutMs: 100,
    reconnectMinMs: 10,
    reconnectMaxMs: 1000,
    idleMs: 50,
    probeTimeoutMs: 20,
  }
  const down: PortState = { tag: 'down', failures: 3, retryAtMs: 1000 }
  const dialing: PortState = { tag: 'dialing', failures: 3, deadlineMs: 1100 }
  const up: PortState = { tag: 'up', failures: 3, sinceMs: 0, probedAtMs: undefined }
  const probing: PortState = { ...up, probedAtMs: 1000 }
  const tick = (nowMs: number, heardAtMs = 0): PortEvent => ({ tag: 'tick', nowMs, heardAtMs })
  const at = (tag: 'start' | 'stop' | 'connected' | 'closed' | 'unanswered'): PortEvent => ({
    tag,
    nowMs: 1000,
  })
  const rows: [
    title: string,
    before: PortState,
    event: PortEvent,
    after: string,
    command: string | undefined,
  ][] = [
    ['start dials', STOPPED, at('start'), 'dialing', 'dial'],
    ['nothing else wakes a stopped one', STOPPED, at('connected'), 'stopped', undefined],
    ['stopping twice is stopping once', STOPPED, at('stop'), 'stopped', undefined],
    ['too early to dial again', down, tick(999), 'down', undefined],
    ['time to dial again', down, tick(1000), 'dialing', 'dial'],
    ['connected is up', dialing, at('connected'), 'up', undefined],
    ['refused waits', dialing, at('closed'), 'down', undefined],
    ['a dial that takes too long is given up', dialing, tick(1100), 'down', 'hang-up'],
    ['a dial within its time', dialing, tick(1099), 'dialing', undefined],
    ['heard lately', up, tick(1000, 960), 'up', undefined],
    ['nothing heard for long', up, tick(1000, 950), 'up', 'probe'],
    ['an unanswered request asks', up, at('unanswered'), 'up', 'probe'],
    ['asked already', probing, at('unanswered'), 'up', undefined],
    ['heard since it asked', probing, tick(1020, 1001), 'up', undefined],
    ['not heard since it asked', probing, tick(1020, 999), 'down', 'hang-up'],
    ['still waiting', probing, tick(1019, 999), 'up', undefined],
    ['the other side hung up', up, at('closed'), 'down', undefined],
    ['stop hangs up', up, at('stop'), 'stopped', 'hang-up'],
    ['stop hangs up a dial, too', dialing, at('stop'), 'stopped', 'hang-up'],
  ]
  for (const [title, before, event, after, command] of rows) {
    const [state, made] = nextPort(before, event, rules, new SeededRandom(1))
    t.same([state.tag, made], [after, command], title)
  }
  const random = new SeededRandom(7)
  let state: PortState = dialing
  for (let failures = 3; failures < 30; failures++) {
    ;[state] = nextPort({ tag: 'dialing', failures, deadlineMs: 1 }, at('closed'), rules, random)
    t.ok(state.tag === 'down' && state.retryAtMs <= 1000 + Math.min(1000, 10 * 2 ** failures))
  }
  t.same(
    [
      wakeAtMs(STOPPED, 0, rules),
      wakeAtMs(up, 900, rules),
      wakeAtMs(up, 0, { ...rules, idleMs: 0 }),
    ],
    [undefined, 950, undefined],
  )
})

t.test('headers count up, come round, and tell late answers from strange ones', async t => {
  const headers = new Headers(2)
  t.same([headers.next(), headers.next()], ['00', '01'])
  t.same(
    [headers.known('01'), headers.known('00'), headers.known('02'), headers.known('!!')],
    ['used', 'used', 'never', 'never'],
  )
  for (let i = 2; i < 36 * 36; i++) headers.next()
  t.equal(headers.next(), '00')
  t.equal(headers.inFlightMax, 648)
  t.same([headers.known('00'), headers.known('ZZ'), headers.known('01')], ['used', 'used', 'never'])
  t.equal(new Headers(12).next(), '000000000000')
  t.equal(new Headers(1).inFlightMax, 18)
})
