import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import t from 'tap'
import { Secret, SeededRandom } from '#base'
import { writeHttpRequest } from '#http'
import type { HttpLinkOptions, TlsOptions } from '#link'
import { FailureRate } from '../../src/link/http/circuit.ts'
import {
  type HttpLinkEvent,
  type HttpLinkState,
  type HttpLinkRules,
  httpWakeAtMs,
  nextHttpLink,
  probesLeft,
} from '../../src/link/http/machine.ts'
import {
  HTTP_OPTIONS,
  httpWorld,
  politely,
  reply,
  type Script,
  toyHttpDialect,
  withSession,
} from './http-world.ts'

t.jobs = 4

type Row = [
  title: string,
  script: Script,
  outcome: string | RegExp,
  options?: Partial<HttpLinkOptions>,
  forMs?: number,
]

const packed = (body: Buffer, encoding: string): Script => {
  return ({ socket }) => {
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`,
    )
    socket.write(body)
  }
}
const raw =
  (text: string, andEnd = false): Script =>
  ({ socket }) => {
    socket.write(text, 'latin1')
    if (andEnd) socket.end()
  }
const silent: Script = () => {}
const slowly: Script = ({ socket }) => {
  socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n')
  const drip = setInterval(() => socket.write('x'), 10)
  socket.once('close', () => clearInterval(drip))
}
const bomb = gzipSync(Buffer.alloc(20_000_000))

const OK = '200 A k to k'
const BROKEN = 'sent-no-answer broken'
const DEADLINE = 'sent-no-answer deadline'

const rows: Row[] = [
  ['an answer is told beside its question', politely, OK],
  [
    'an answer in chunks',
    raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nA \r\n1\r\nk\r\n0\r\n\r\n'),
    OK,
  ],
  ['an answer that ends with its connection', raw('HTTP/1.1 200 OK\r\n\r\nA k', true), OK],
  [
    'an answer after news that is none',
    raw('HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nA k'),
    OK,
  ],
  [
    '500 after the work is an answer: what it means is for the dialect',
    got => reply(got, 'A k', { status: 500 }),
    '500 A k to k',
  ],
  [
    'a page of HTML is an answer, too',
    got => reply(got, '<html>', { headers: 'content-type: text/html\r\n' }),
    '200 <html> to k',
  ],
  ['an empty answer', got => reply(got, '', { status: 204 }), '204  to k'],
  [
    'a redirect is not followed',
    got => reply(got, '', { status: 307, headers: 'location: /elsewhere\r\n' }),
    '307  to k',
  ],
  ['packed with gzip although nobody asked for it', packed(gzipSync('A k'), 'gzip'), OK],
  ['packed with deflate', packed(deflateSync('A k'), 'deflate'), OK],
  ['packed with brotli', packed(brotliCompressSync('A k'), 'br'), OK],
  ['packed in an unknown way', packed(Buffer.from('A k'), 'zip'), BROKEN],
  ['packed, they say, and it is not', packed(Buffer.from('A k'), 'gzip'), BROKEN],
  ['a gzip bomb', packed(bomb, 'gzip'), BROKEN, { bodyBytesMax: 100_000 }],
  ['a body above the limit, told', got => reply(got, 'x'.repeat(10_001)), BROKEN],
  [
    'a body above the limit, in chunks',
    raw(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'2000\r\n' + 'x'.repeat(8192)}\r\n`.repeat(
        1,
      ) + `2000\r\n${'x'.repeat(8192)}\r\n`,
    ),
    BROKEN,
  ],
  ['headers above the limit', raw(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(9000)}\r\n\r\n`), BROKEN],
  ['no HTTP at all', raw('SSH-2.0-OpenSSH_9.7\r\n'), BROKEN],
  ['closed after the request was read', ({ socket }) => socket.end(), BROKEN],
  ['reset after the request was read', ({ socket }) => socket.resetAndDestroy(), BROKEN],
  ['closed in the middle of the headers', raw('HTTP/1.1 200 OK\r\ncontent-le', true), BROKEN],
  [
    'closed in the middle of the body',
    raw('HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\nA k', true),
    BROKEN,
  ],
  ['a length that is none', raw('HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\nA k'), BROKEN],
  [
    'two lengths',
    raw('HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nA k'),
    BROKEN,
  ],
  [
    'a length below the body: the rest is not believed',
    raw('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nA k'),
    '200 A to k',
  ],
  [
    'another protocol, unasked',
    raw('HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
    BROKEN,
  ],
  ['silence until the deadline', silent, DEADLINE, {}, 400],
  ['silence until the limit of the headers', silent, DEADLINE, { headersTimeoutMs: 60 }],
  ['a body that drips: some progress is not enough', slowly, DEADLINE, { bodyTimeoutMs: 80 }],
  [
    'headers that drip',
    ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const drip = setInterval(() => socket.write('x: y\r\n'), 10)
      socket.once('close', () => clearInterval(drip))
    },
    DEADLINE,
    { headersTimeoutMs: 80 },
  ],
]

t.test('what a counterpart does, and how it ends', async t => {
  for (const [title, script, outcome, options = {}, forMs] of rows)
    t.test(title, async t => {
      const first: Script = (got, nth) => (nth === 1 ? script(got, nth) : politely(got, nth))
      const world = await httpWorld({ script: first, options })
      world.link.start()
      const told = world.ask('k', forMs)
      t.match(await told.outcome, outcome)
      t.equal(await world.ask('next').outcome, '200 A next to next', 'the next request is well')
      await world.close()
      t.strictSame(told.outcomes.length, 1, 'one outcome')
      t.strictSame(told.lates, [])
      t.equal(world.server.got.length, 2, 'nothing was sent twice')
      t.equal(world.link.inFlight, 0)
    })
})

t.test('not sent: no byte has left', async t => {
  t.test('nobody listens', async t => {
    const world = await httpWorld({ deaf: true })
    world.link.start()
    t.equal(await world.ask('k').outcome, 'not-sent down')
    t.match(world.link.status(), { notSent: 1, sent: 0, lastError: 'ECONNREFUSED' })
    await world.close()
  })

  t.test('a name that nobody knows', async t => {
    const world = await httpWorld({ host: 'biller.invalid' })
    world.link.start()
    t.equal(await world.ask('k').outcome, 'not-sent down')
    await world.close()
  })

  t.test('closed before anything was read, at the first connection', async t => {
    const world = await httpWorld()
    await world.server.close()
    world.link.start()
    t.equal(await world.ask('k').outcome, 'not-sent down')
    t.equal(world.server.got.length, 0)
    await world.link.drain(world.clock.nowMs())
  })

  t.test('a handshake that is not answered: by its limit, and by the deadline', async t => {
    for (const [options, forMs] of [
      [{ tlsTimeoutMs: 60 }, 10_000],
      [{}, 200],
    ] as const) {
      // A server without TLS takes the connection, and waits.
      const world = await httpWorld({ script: silent, options, scheme: 'https' })
      world.link.start()
      t.equal(await world.ask('k', forMs).outcome, 'not-sent down')
      t.strictSame(world.server.got, [])
      await world.close()
    }
  })

  t.test('stopped, draining, full, the same key twice', async t => {
    const world = await httpWorld({ script: silent, options: { inFlightMax: 2 } })
    t.equal(await world.ask('k').outcome, 'not-sent down', 'not started')
    world.link.start()
    const first = world.ask('k1')
    t.equal(await world.ask('k1').outcome, 'not-sent duplicate-key')
    const second = world.ask('k2')
    t.equal(await world.ask('k3').outcome, 'not-sent full')
    await world.until(() => world.server.got.length === 2)
    const drained = world.link.drain(world.clock.nowMs() + 200)
    t.equal(await world.ask('k4').outcome, 'not-sent draining')
    await drained
    t.equal(await first.outcome, BROKEN, 'what was on its way may have been done')
    t.equal(await second.outcome, BROKEN)
    await world.close()
  })

  t.test('a seal that cannot be made, and a header that cannot be sent', async t => {
    const dialect = toyHttpDialect()
    const well: typeof dialect.seal = (frame, token) => dialect.seal(frame, token)
    let seal = well
    const world = await httpWorld({
      dialect: { ...dialect, seal: (frame, token) => seal(frame, token) },
    })
    world.link.start()
    seal = () => {
      throw new Error('no key')
    }
    t.equal(await world.ask('k').outcome, 'not-sent unsealed')
    seal = () =>
      writeHttpRequest({
        method: 'POST',
        target: '/',
        headers: { expect: 'miracles' },
        body: 'Q k',
      })
    t.equal(await world.ask('k').outcome, 'not-sent unsealed')
    seal = well
    t.equal(await world.ask('k').outcome, OK)
    t.equal(world.server.got.length, 1)
    await world.close()
  })
})

t.test('connections', async t => {
  t.test('are kept and used again, one request at a time on each', async t => {
    const world = await httpWorld()
    world.link.start()
    for (let i = 0; i < 5; i++) await world.ask(`a${i}`).outcome
    t.ok(world.server.connections <= 2, `${world.server.connections} connections for five requests`)
    const held: Script = got => void setTimeout(() => politely(got, 0), 30)
    world.server.script = held
    const asked = Array.from({ length: 8 }, (_, i) => world.ask(`b${i}`))
    await Promise.all(asked.map(({ outcome }) => outcome))
    t.ok(world.server.connections <= 9, `${world.server.connections} for eight at once`)
    await world.close()
  })

  t.test('what follows upon an answer is not taken for the next one', async t => {
    const twice: Script = (got, nth) => {
      politely(got, nth)
      if (nth === 1) reply(got, 'A forged')
    }
    const world = await httpWorld({ script: twice })
    world.link.start()
    t.equal(await world.ask('k').outcome, OK)
    t.equal(await world.ask('k2').outcome, '200 A k2 to k2')
    t.equal(world.server.connections, 2)
    await world.close()
  })

  t.test('one that the counterpart closed while it was idle is not sent on', async t => {
    const closing: Script = (got, nth) => {
      politely(got, nth)
      got.socket.end()
    }
    const world = await httpWorld({ script: closing })
    world.link.start()
    for (let i = 0; i < 20; i++) t.equal(await world.ask(`k${i}`).outcome, `200 A k${i} to k${i}`)
    t.equal(world.server.got.length, 20)
    await world.close()
  })

  t.test('one that is closed before anything is read from it', async t => {
    for (const greet of [
      (socket: Socket) => socket.destroy(),
      (socket: Socket) => socket.resetAndDestroy(),
      (socket: Socket) => socket.end('HTTP/1.1 503 Go away\r\ncontent-length: 2\r\n\r\nno'),
    ]) {
      const world = await httpWorld()
      world.server.greet = greet
      world.link.start()
      const told = world.ask('k')
      // Whether bytes had left by then is chance; that they may have is never denied.
      t.match(await told.outcome, /^(not-sent down|sent-no-answer broken|503 no to k)$/)
      world.server.greet = () => {}
      t.equal(await world.ask('next').outcome, '200 A next to next')
      t.ok(world.server.got.filter(({ body }) => body === 'Q k').length <= 1)
      t.strictSame([told.outcomes.length, told.lates.length], [1, 0])
      await world.close()
    }
  })

  t.test('one that is reset when the next request comes: it may have been done', async t => {
    const reset: Script = (got, nth) =>
      nth === 2 ? got.socket.resetAndDestroy() : politely(got, nth)
    const world = await httpWorld({ script: reset })
    world.link.start()
    await world.ask('k1').outcome
    t.equal(await world.ask('k2').outcome, BROKEN)
    t.equal(world.server.got.length, 2, 'and it is not tried again')
    await world.close()
  })

  t.test('whatever falls down: one outcome each, and nothing is sent twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Script>(politely, ...rows.slice(18, 25).map(row => row[1])), {
          minLength: 1,
          maxLength: 12,
        }),
        async scripts => {
          const world = await httpWorld({
            script: (got, nth) => (scripts[(nth - 1) % scripts.length] as Script)(got, nth),
          })
          world.link.start()
          const asked = Array.from({ length: 8 }, (_, i) => world.ask(`k${i}`))
          await Promise.all(asked.map(({ outcome }) => outcome))
          await world.close()
          const bodies = world.server.got.map(({ body }) => body)
          return (
            new Set(bodies).size === bodies.length &&
            asked.every(({ outcomes }) => outcomes.length === 1)
          )
        },
      ),
      { numRuns: 15 },
    )
  })
})

t.test('late answers', async t => {
  t.test('after its deadline an answer is still heard for a while', async t => {
    let answer = (): void => {}
    const world = await httpWorld({
      script: got => (answer = () => politely(got, 0)),
      options: { lateWaitMs: 10_000 },
    })
    world.link.start()
    const told = world.ask('k', 2000)
    t.equal(await told.outcome, DEADLINE)
    await world.until(() => world.server.got.length === 1)
    answer()
    await world.until(() => told.lates.length > 0)
    t.strictSame(told.lates, [OK])
    t.match(world.link.status(), { late: 1, unanswered: 1, answered: 0 })
    await world.close()
  })

  t.test('while it is, the line is taken, and the same may be asked again', async t => {
    const world = await httpWorld({
      script: (got, nth) => (nth === 1 ? undefined : politely(got, nth)),
      options: { lateWaitMs: 10_000, inFlightMax: 2 },
    })
    world.link.start()
    const first = world.ask('k', 2000)
    t.equal(await first.outcome, DEADLINE)
    t.equal(await world.ask('k').outcome, OK)
    // The first exchange breaks now: that is nothing to the second one.
    world.server.got[0]?.socket.destroy()
    t.equal(await world.ask('k2').outcome, '200 A k2 to k2')
    t.strictSame(first.outcomes, [DEADLINE])
    await world.close()
  })

  const alone = (content: string) =>
    ({ content, frame: new Uint8Array(0), atMs: Date.now(), alone: true }) as const

  t.test('told by a callback: before the answer, after it, twice, and for nobody', async t => {
    let answer = (): void => {}
    const world = await httpWorld({ script: got => (answer = () => politely(got, 0)) })
    world.link.start()
    const early = world.ask('k')
    await world.until(() => world.server.got.length === 1)
    t.equal(world.link.tell('k', alone('told')), 'answered')
    t.equal(await early.outcome, 'told')
    answer()
    await world.until(() => early.lates.length > 0)
    t.strictSame(early.lates, [OK], 'its own answer is a late one')
    t.equal(world.link.tell('k', alone('told')), 'late')
    t.strictSame(early.outcomes, ['told'], 'and it is answered once')

    const later = world.ask('k2', 400)
    t.equal(await later.outcome, DEADLINE)
    t.equal(world.link.tell('k2', alone('told')), 'late')
    t.strictSame(later.lates, ['told'])
    t.equal(world.link.tell('k3', alone('told')), 'unmatched')
    await world.close()
  })
})

t.test('tokens', async t => {
  /** Gives tokens t1, t2 …; takes only the newest, until it says it forgot it. */
  const bank = (lasts = 60_000) => {
    const state = { given: 0, good: '', asked: 0 }
    const script: Script = got => {
      if (got.head.startsWith('POST /token')) {
        state.asked++
        state.good = `t${++state.given}`
        return reply(got, `${state.good} ${lasts}`)
      }
      const token = /authorization: Bearer (\S+)/i.exec(got.head)?.[1]
      if (token !== state.good) return reply(got, 'who?', { status: 401 })
      politely(got, 0)
    }
    return { state, script }
  }

  t.test('one is fetched at start, and used', async t => {
    const { state, script } = bank()
    const world = await httpWorld({ script, dialect: withSession() })
    world.link.start()
    t.equal(world.link.state, 'signing-on')
    t.equal(await world.ask('k').outcome, 'not-sent down', 'nothing leaves before it is there')
    await world.until(() => world.link.state === 'up')
    for (const key of ['a', 'b', 'c'])
      t.equal(await world.ask(key).outcome, `200 A ${key} to ${key}`)
    t.equal(state.asked, 1)
    await world.close()
  })

  t.test('forgotten under load: it is fetched once, and all go again', async t => {
    const { state, script } = bank()
    const world = await httpWorld({
      script,
      dialect: withSession(),
      options: { inFlightMax: 32 },
    })
    world.link.start()
    await world.until(() => world.link.state === 'up')
    state.good = 'forgotten'
    const all = await Promise.all(
      Array.from({ length: 32 }, async (_, i) => {
        const first = await world.ask(`k${i}`).outcome
        if (!first.startsWith('401')) return first
        t.equal(await world.link.signOnAgain(), true)
        return world.ask(`k${i}`).outcome
      }),
    )
    t.ok(all.every((text, i) => text === `200 A k${i} to k${i}`))
    t.equal(state.asked, 2, 'one at start, one for all')
    t.equal(world.link.state, 'up')
    await world.close()
  })

  t.test('renewed before it ends, while it is still used', async t => {
    const { state, script } = bank(1_500)
    const world = await httpWorld({ script, dialect: withSession() })
    world.link.start()
    await world.until(() => world.link.state === 'up')
    for (let i = 0; state.asked < 3 && i < 400; i++) {
      // A token that was replaced is not taken by this bank: that answer is a 401.
      await world.ask(`k${i}`).outcome
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    t.ok(state.asked >= 3)
    t.strictSame(world.states, ['signing-on', 'up'], 'nobody noticed')
    await world.close()
  })

  t.test(
    'not to be had: down, tried again, and requests that wait for it are not sent',
    async t => {
      const { state, script } = bank()
      let refuses = true
      const world = await httpWorld({
        script: (got, nth) =>
          refuses && got.head.startsWith('POST /token')
            ? reply(got, 'no', { status: 403 })
            : script(got, nth),
        dialect: { ...withSession(), session: sessionThatReadsStatus() },
      })
      world.link.start()
      await world.until(() => world.states.filter(name => name === 'down').length > 1)
      t.match(world.link.status().lastError, /no token: status 403/)
      refuses = false
      await world.until(() => world.link.state === 'up')
      t.equal(world.link.state, 'up')
      refuses = true
      state.good = 'forgotten'
      t.match(await world.ask('k').outcome, /^401/)
      t.equal(await world.ask('k').outcome, 'not-sent unsealed')
      t.equal(await world.link.signOnAgain(), false)
      refuses = false
      await world.until(() => world.link.state === 'up')
      t.equal(await world.ask('k').outcome, OK)
      await world.close()
      t.equal(await world.link.signOnAgain(), false, 'not when stopped')
    },
  )
})

function sessionThatReadsStatus() {
  const { session } = withSession()
  return (
    session && {
      ...session,
      read: (answer: Uint8Array) =>
        Buffer.from(answer).toString().startsWith('HTTP/1.1 200')
          ? session.read(answer)
          : undefined,
    }
  )
}

t.test('the circuit', async t => {
  const circuit = { ...HTTP_OPTIONS.circuit, countMin: 4, coolDownMs: 40, probes: 2 }

  t.test('opens when too many fail, lets probes through, closes when they are well', async t => {
    let well = false
    const world = await httpWorld({
      script: (got, nth) => (well ? politely(got, nth) : reply(got, 'no', { status: 503 })),
      options: { circuit },
    })
    world.link.start()
    for (let i = 0; i < 4; i++) t.equal(await world.ask(`k${i}`).outcome, `503 no to k${i}`)
    t.equal(world.link.state, 'tripped')
    t.notOk(world.link.ready)
    t.equal(await world.ask('k').outcome, 'not-sent tripped')
    await world.until(() => world.link.state === 'probing')
    t.ok(world.link.ready)
    t.equal(await world.ask('p').outcome, '503 no to p')
    t.equal(world.link.state, 'tripped', 'a probe that failed opens it again')
    well = true
    await world.until(() => world.link.state === 'probing')
    const probes = [world.ask('p1'), world.ask('p2')]
    t.equal(await world.ask('p3').outcome, 'not-sent tripped', 'no more than so many')
    t.strictSame(await Promise.all(probes.map(({ outcome }) => outcome)), [
      '200 A p1 to p1',
      '200 A p2 to p2',
    ])
    t.equal(world.link.state, 'up')
    const changes = world.states.filter((state, i) => state !== world.states[i - 1])
    t.strictSame(changes, ['up', 'tripped', 'probing', 'tripped', 'probing', 'up'])
    await world.close()
  })

  t.test('nobody there, silence and resets count; a declined payment does not', async t => {
    for (const [script, deaf, forMs, trips] of [
      [silent, false, 400, true],
      [({ socket }) => socket.destroy(), false, 10_000, true],
      [politely, true, 10_000, true],
      [got => reply(got, 'no', { status: 404 }), false, 10_000, false],
    ] satisfies [Script, boolean, number, boolean][]) {
      const world = await httpWorld({
        script,
        deaf,
        options: { circuit: { ...circuit, coolDownMs: 60_000 } },
      })
      world.link.start()
      for (let i = 0; i < 4; i++) await world.ask(`k${i}`, forMs).outcome
      t.equal(world.link.state, trips ? 'tripped' : 'up')
      await world.close()
    }
  })
})

t.test('the rate of failures is what a list would say', t => {
  const options = { ...HTTP_OPTIONS.circuit, countMax: 7, windowMs: 50, countMin: 3 }
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(30)), { maxLength: 60 }), steps => {
      const rate = new FailureRate(options)
      const list: { failed: boolean; atMs: number }[] = []
      let nowMs = 1000
      for (const [failed, laterMs] of steps) {
        nowMs += laterMs
        list.push({ failed, atMs: nowMs })
        const counted = list.filter(({ atMs }) => atMs >= nowMs - 50).slice(-7)
        const failures = counted.filter(one => one.failed).length
        const wanted = failed && counted.length >= 3 && failures / counted.length >= 0.5
        if (rate.record(failed, nowMs) !== wanted) return false
      }
      return true
    }),
  )
  t.end()
})

t.test('the machine', t => {
  const rules: HttpLinkRules = { ...HTTP_OPTIONS, signsOn: true }
  const event = fc.oneof(
    fc.constantFrom<HttpLinkEvent>(
      { tag: 'start', nowMs: 0 },
      { tag: 'granted', nowMs: 0 },
      { tag: 'refused', nowMs: 0 },
      { tag: 'failing', nowMs: 0 },
      { tag: 'tick', nowMs: 1_000_000 },
      { tag: 'tick', nowMs: 0 },
      { tag: 'probe-begun', nowMs: 0 },
      { tag: 'probe-ended', well: true, nowMs: 0 },
      { tag: 'probe-ended', well: false, nowMs: 0 },
      { tag: 'emptied', nowMs: 0 },
    ),
    fc.record({
      tag: fc.constant('drain' as const),
      nowMs: fc.constant(0),
      deadlineMs: fc.constant(9),
      inFlight: fc.nat(1),
    }),
  )
  fc.assert(
    fc.property(fc.array(event), fc.integer(), (events, seed) => {
      const random = new SeededRandom(seed)
      let state: HttpLinkState = { tag: 'stopped' }
      let open = false
      for (const one of events) {
        // The driver begins no probe that has no place.
        if (one.tag === 'probe-begun' && probesLeft(state, rules) === 0) continue
        if (one.tag === 'probe-ended' && (state.tag !== 'probing' || state.going === 0)) continue
        const [after, ...commands] = nextHttpLink(state, one, rules, random)
        for (const command of commands) {
          if (command === 'open' && open) return false
          if (command === 'close' && !open) return false
          open = command === 'open' ? true : command === 'close' ? false : open
        }
        if (open === (after.tag === 'stopped')) return false
        // Where only time leads on, time is asked for.
        const waits = ['down', 'tripped', 'draining'].includes(after.tag)
        if (waits !== (httpWakeAtMs(after) !== undefined)) return false
        state = after
      }
      return true
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('TLS', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-tls-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  for (const ca of ['ours', 'other'])
    openssl(
      'req',
      '-x509',
      ...EC,
      '-keyout',
      `${ca}.key`,
      '-out',
      `${ca}.crt`,
      '-subj',
      `/CN=${ca}`,
    )
  const issue = (name: string, ca: string, alt: string): void => {
    openssl(
      'req',
      ...EC,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=${alt}`,
    )
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${ca}.crt`,
      '-CAkey',
      `${ca}.key`,
      '-CAcreateserial',
      '-copy_extensions',
      'copy',
      '-out',
      `${name}.crt`,
    )
  }
  issue('biller', 'ours', 'IP:127.0.0.1,DNS:biller.test')
  issue('stranger', 'other', 'IP:127.0.0.1')
  issue('nadi', 'ours', 'DNS:nadi.test')
  const serving = (name: string) => ({ key: read(`${name}.key`), cert: read(`${name}.crt`) })
  const authorities = [read('ours.crt')]
  const minVersion = 'TLSv1.2'
  const client = { certificate: read('nadi.crt'), key: new Secret(read('nadi.key')) }
  const mutual = {
    ...serving('biller'),
    ca: authorities,
    requestCert: true,
    rejectUnauthorized: true,
  }

  const rows: [string, Parameters<typeof httpWorld>[0], string | RegExp][] = [
    [
      'a certificate of the pinned authority',
      { serverTls: serving('biller'), tls: { authorities, minVersion } },
      OK,
    ],
    [
      'one of another authority',
      { serverTls: serving('stranger'), tls: { authorities, minVersion } },
      'not-sent down',
    ],
    [
      'without pinning a private authority is a stranger',
      { serverTls: serving('biller'), tls: { minVersion } },
      'not-sent down',
    ],
    [
      'a name that we expect',
      { serverTls: serving('biller'), tls: { authorities, servername: 'biller.test', minVersion } },
      OK,
    ],
    [
      'another name',
      { serverTls: serving('biller'), tls: { authorities, servername: 'else.test', minVersion } },
      'not-sent down',
    ],
    [
      'a version below ours',
      {
        serverTls: { ...serving('biller'), maxVersion: 'TLSv1.2' },
        tls: { authorities, minVersion: 'TLSv1.3' },
      },
      'not-sent down',
    ],
    [
      'they want our certificate and get it',
      { serverTls: mutual, tls: { authorities, client, minVersion } },
      OK,
    ],
    // In TLS 1.3 the refusal comes after the request may have left: nobody can tell any more.
    [
      'they want our certificate and get none',
      { serverTls: mutual, tls: { authorities, minVersion } },
      /^(not-sent down|sent-no-answer broken)$/,
    ],
    [
      'the same in TLS 1.2: the handshake fails',
      {
        serverTls: { ...mutual, maxVersion: 'TLSv1.2' },
        tls: { authorities, minVersion } satisfies TlsOptions,
      },
      'not-sent down',
    ],
  ]
  for (const [title, parts, outcome] of rows)
    t.test(title, async t => {
      const world = await httpWorld(parts)
      world.link.start()
      t.match(await world.ask('k').outcome, outcome)
      const reached = outcome === OK ? 1 : 0
      t.equal(world.server.got.length, reached)
      if (reached) {
        await world.ask('k2').outcome
        for (let i = 0; i < 4; i++) await world.ask(`more ${i}`).outcome
        t.ok(world.server.connections <= 2, 'and connections are kept')
      }
      await world.close()
    })
})

t.test('a path stands before every target', async t => {
  const world = await httpWorld({ path: '/sandbox/' })
  world.link.start()
  await world.ask('k').outcome
  t.match(world.server.got[0]?.head, /^POST \/sandbox\/pay HTTP\/1\.1\r\n/)
  t.match(world.server.got[0]?.head, /accept-encoding: identity/)
  await world.close()
})
