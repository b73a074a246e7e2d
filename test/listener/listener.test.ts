import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import * as fc from 'fast-check'
import { test } from 'tap'
import type { Test } from 'tap'
import { AssertionFailed, latin1, SeededRandom, settled, SystemClock, VirtualClock } from '#base'
import type { Clock } from '#base'
import { FrameListener } from '#listener'
import type { ListenerHandlers, ListenerOptions, Session } from '#listener'
import { MemoryNetwork, NO_FAULTS, TcpAcceptor } from '#net'
import type { Acceptor, Connection } from '#net'
import { ListLog } from '../link/world.ts'
import { twoByteFramer } from '../net/two-byte-framer.ts'

const FRAMER = twoByteFramer(1000)

type Asked = { session: Session; text: string; crowded: boolean }

/** Keeps every request; answers at once, or when told to. */
class Handlers implements ListenerHandlers {
  asked: Asked[] = []
  opened: Session[] = []
  closed: string[] = []
  answers = true

  onOpen(session: Session): void {
    this.opened.push(session)
  }

  onFrame(session: Session, frame: Uint8Array, crowded: boolean): void {
    const asked = { session, text: latin1(frame), crowded }
    if (this.answers) session.answer(Buffer.from(`re ${asked.text}`))
    else this.asked.push(asked)
  }

  onClose(_session: Session, reason: string): void {
    this.closed.push(reason)
  }

  answerOne(): Asked | undefined {
    const asked = this.asked.shift()
    asked?.session.answer(Buffer.from(`re ${asked.text}`))
    return asked
  }
}

function optionsFor(
  acceptor: Acceptor,
  handlers: ListenerHandlers,
  options: Partial<ListenerOptions> = {},
) {
  return {
    name: 'partners',
    acceptor,
    framing: FRAMER,
    connectionsMax: 100,
    connectionsPerPeerMax: 100,
    inFlightPerSessionMax: 10,
    inFlightMax: 100,
    bytesPendingMax: 100_000,
    idleTimeoutMs: 60_000,
    frameTimeoutMs: 5_000,
    handlers,
    ...options,
  }
}

/** A source that dials in memory. */
class Source {
  readonly got: string[] = []
  closes: string[] = []
  connection!: Connection
  readonly #reader = FRAMER.reader()

  dial(network: MemoryNetwork, from: string): this {
    this.connection = network.dialer('partners', from).dial({
      onConnect() {},
      onData: chunk => this.#read(chunk),
      onClose: reason => void this.closes.push(reason),
    })
    return this
  }

  #read(chunk: Uint8Array): void {
    try {
      this.#reader.push(chunk, frame => void this.got.push(latin1(frame)))
    } catch {
      this.connection.destroy('no frame')
    }
  }

  send(...texts: string[]): void {
    for (const text of texts) this.connection.write(framed(text))
  }
}

function framed(text: string): Uint8Array {
  return FRAMER.wrap(Buffer.from(text, 'latin1'))
}

async function world(options: Partial<ListenerOptions> = {}) {
  const clock = new VirtualClock(0)
  const network = new MemoryNetwork({ clock, random: new SeededRandom(3) })
  const handlers = new Handlers()
  const log = new ListLog()
  const listener = new FrameListener(optionsFor(network.acceptor('partners'), handlers, options), {
    clock,
    log,
  })
  await listener.listen()
  const pass = (ms: number): Promise<void> => clock.runUntil(clock.nowMs() + ms)
  const source = async (from = 'source'): Promise<Source> => {
    const dialed = new Source().dial(network, from)
    await pass(1)
    return dialed
  }
  return { clock, network, handlers, log, listener, pass, source }
}

void test('frames', async t => {
  void t.test(
    'in any pieces, two in a packet, one byte at a time: all are answered, in order',
    async t => {
      const texts = ['a', 'bb', 'ccc'.repeat(100), 'd']
      const stream = Buffer.concat(texts.map(framed))
      for (const size of [1, 2, 3, 7, stream.length]) {
        const { pass, source } = await world()
        const from = await source()
        for (let at = 0; at < stream.length; at += size) {
          from.connection.write(stream.subarray(at, at + size))
          await pass(1)
        }
        t.strictSame(
          from.got,
          texts.map(text => `re ${text}`),
        )
      }
    },
  )

  const bad: [title: string, bytes: Uint8Array][] = [
    ['a zero length', Buffer.from([0, 0, 1, 2])],
    ['a length above the limit', Buffer.from([0xff, 0xff, 1])],
    ['random bytes', new SeededRandom(4).bytes(3000).fill(0x99, 0, 2)],
  ]
  for (const [title, bytes] of bad) {
    void t.test(
      `${title} closes that session, after the answers before it, and no other`,
      async t => {
        const { pass, source, listener, log, handlers } = await world()
        const [good, evil] = [await source('good'), await source('evil')]
        evil.send('before')
        evil.connection.write(bytes)
        evil.send('after')
        await pass(10)
        good.send('still')
        await pass(10)
        t.strictSame([evil.got, evil.closes], [['re before'], ['the peer hung up']])
        t.strictSame([good.got, good.closes], [['re still'], []])
        t.strictSame(handlers.closed, ['FRAME_LENGTH'])
        t.equal(listener.status().badFrames, 1)
        const line = log.lines.find(({ level }) => level === 'warn')
        t.match(line?.fields, { peer: 'evil:2', error: /FRAME_LENGTH/ })
      },
    )
  }

  void t.test('a handler that throws costs that request only; a bug is not swallowed', async t => {
    const handlers = new Handlers()
    const { pass, source, listener } = await world({
      handlers: {
        onOpen() {
          throw new Error('open')
        },
        onFrame(session, frame, crowded) {
          const text = latin1(frame)
          if (text === 'before') throw new Error('before the answer')
          if (text === 'bug') throw new AssertionFailed('a bug')
          handlers.onFrame(session, frame, crowded)
          if (text === 'behind') throw new Error('behind the answer')
        },
        onClose() {
          throw new Error('close')
        },
      },
    })
    const from = await source()
    from.send('before', 'behind', 'good')
    await pass(1)
    t.strictSame(from.got, ['re behind', 're good'])
    t.equal(listener.status().inFlight, 0)
    from.send('bug')
    await t.rejects(pass(1), AssertionFailed)
  })

  void t.test('an answer that cannot be framed is settled and logged', async t => {
    const { pass, source, listener, handlers, log } = await world()
    const from = await source()
    handlers.answers = false
    from.send('x')
    await pass(1)
    handlers.asked[0]?.session.answer(Buffer.alloc(2000))
    t.equal(listener.status().inFlight, 0)
    t.ok(log.lines.some(({ text }) => text === 'an answer cannot be framed'))
    t.throws(() => handlers.asked[0]?.session.silence(), AssertionFailed, 'answered once')
  })
})

void test('limits', async t => {
  void t.test('at its limit a session is not read; answers let it go on, in order', async t => {
    const { pass, source, handlers, listener } = await world()
    handlers.answers = false
    const from = await source()
    const texts = Array.from({ length: 35 }, (_, i) => `${i}`)
    from.send(...texts)
    await pass(1)
    from.send('more')
    await pass(100_000)
    t.equal(handlers.asked.length, 10)
    t.equal(listener.status().inFlight, 10)
    const seen: string[] = []
    for (let asked; (asked = handlers.answerOne());) {
      seen.push(asked.text)
      t.ok(listener.status().inFlight <= 10)
      await pass(1)
    }
    t.strictSame(seen, [...texts, 'more'])
    t.strictSame(
      from.got,
      seen.map(text => `re ${text}`),
    )
    t.strictSame(from.closes, [], 'who waits for us is not idle')
  })

  void t.test('kept-back frames that are answered within onFrame are all answered', async t => {
    const { pass, source, handlers } = await world({ inFlightPerSessionMax: 1 })
    handlers.answers = false
    const from = await source()
    from.send(...Array.from({ length: 5000 }, (_, i) => `${i}`))
    await pass(1)
    handlers.answers = true
    handlers.answerOne()
    await pass(1)
    t.equal(from.got.length, 5000)
  })

  void t.test('above the limit of all sessions requests are crowded', async t => {
    const { pass, source, handlers } = await world({ inFlightMax: 3 })
    handlers.answers = false
    const [one, two] = [await source('a'), await source('b')]
    one.send('1', '2')
    await pass(1)
    two.send('3', '4')
    await pass(1)
    t.strictSame(
      handlers.asked.map(({ crowded }) => crowded),
      [false, false, false, true],
    )
    handlers.answerOne()
    handlers.answerOne()
    two.send('5')
    await pass(1)
    t.equal(handlers.asked.at(-1)?.crowded, false)
  })

  void t.test('connections: at most so many, and so many from one address', async t => {
    const { pass, source, listener, log } = await world({
      connectionsMax: 5,
      connectionsPerPeerMax: 3,
    })
    const many = []
    for (let i = 0; i < 5; i++) many.push(await source('greedy'))
    for (let i = 0; i < 4; i++) many.push(await source(`other${i}`))
    await pass(1)
    t.strictSame(
      many.map(({ closes }) => closes.length),
      [0, 0, 0, 1, 1, 0, 0, 1, 1],
    )
    t.match(listener.status(), { sessions: 5, accepted: 5, refused: 4 })
    t.equal(log.lines.filter(({ text }) => text === 'a connection is refused').length, 1)
    many[0]?.connection.end()
    await pass(1)
    const next = await source('greedy')
    next.send('hello')
    await pass(1)
    t.strictSame(next.got, ['re hello'])
  })

  void t.test('a source that never reads is closed, and its requests are settled', async t => {
    const { pass, source, handlers, listener, network } = await world({
      bytesPendingMax: 10_000,
      inFlightPerSessionMax: 1000,
    })
    const [slow, other] = [await source('slow'), await source('other')]
    network.setFaults({ ...NO_FAULTS, latencyMs: [1000, 1000] })
    for (let i = 0; i < 30; i++) slow.send('x'.repeat(900))
    other.send('hello')
    await pass(3000)
    t.strictSame(handlers.closed, ['the peer does not read its answers'])
    t.strictSame(other.got, ['re hello'])
    t.equal(listener.status().inFlight, 0)
  })

  void t.test(
    'a session that closes with requests in flight: answers only settle the count',
    async t => {
      const { pass, source, handlers, listener } = await world()
      handlers.answers = false
      const from = await source()
      from.send('1', '2')
      await pass(1)
      from.connection.destroy()
      await pass(1)
      t.match(listener.status(), { sessions: 0, inFlight: 2 })
      const [{ session }] = handlers.asked as [Asked]
      t.equal(session.open, false)
      handlers.answerOne()
      session.silence()
      t.equal(listener.status().inFlight, 0)
      t.throws(() => session.silence(), AssertionFailed)
    },
  )
})

void test('time', async t => {
  const rows: [
    title: string,
    act: (from: Source, handlers: Handlers) => void,
    afterMs: number,
    closed: string[],
  ][] = [
    ['idle, but not for long', () => {}, 59_000, []],
    ['idle', () => {}, 60_001, ['idle']],
    [
      'waiting for our answer is not idle',
      (from, handlers) => {
        handlers.answers = false
        from.send('x')
      },
      200_000,
      [],
    ],
    [
      'half a frame still has time',
      from => from.connection.write(Buffer.from([0, 9, 1])),
      4_900,
      [],
    ],
    [
      'half a frame for long',
      from => from.connection.write(Buffer.from([0, 9, 1])),
      5_100,
      ['a frame was not finished in time'],
    ],
    [
      'half a header for long',
      from => from.connection.write(Buffer.from([0])),
      5_100,
      ['a frame was not finished in time'],
    ],
  ]
  for (const [title, act, afterMs, closed] of rows) {
    void t.test(title, async t => {
      const { pass, source, handlers } = await world()
      const from = await source()
      act(from, handlers)
      await pass(afterMs)
      t.strictSame(handlers.closed, closed)
    })
  }

  void t.test(
    'a frame that drips is as late as one that stops; each new frame has its own time',
    async t => {
      const { pass, source, handlers } = await world()
      const [drips, works] = [await source('drips'), await source('works')]
      drips.connection.write(Buffer.from([0, 200]))
      for (let i = 0; i < 20; i++) {
        works.connection.write(
          Buffer.concat([i > 0 ? Buffer.from('b') : Buffer.alloc(0), Buffer.from([0, 2, 0x61])]),
        )
        drips.connection.write(Buffer.from([0x61]))
        await pass(1_000)
      }
      t.strictSame(handlers.closed, ['a frame was not finished in time'])
      t.strictSame([drips.closes.length, works.closes.length, works.got.length], [1, 0, 19])
    },
  )

  void t.test('idleTimeoutMs 0 never closes, and nothing stays on the clock', async t => {
    const { pass, source, handlers, clock } = await world({ idleTimeoutMs: 0 })
    const from = await source()
    await pass(10_000_000)
    from.send('x')
    await pass(1)
    t.strictSame([handlers.closed, clock.nextMs], [[], undefined])
  })

  void t.test('a half-open peer that was told goodbye is let go', async t => {
    const { pass, source, handlers, network, clock, listener } = await world()
    await source()
    network.stall()
    await pass(60_000)
    t.equal(listener.status().sessions, 1)
    await pass(3_000)
    t.strictSame(handlers.closed, ['idle'])
    t.strictSame([listener.status().sessions, clock.nextMs], [0, undefined])
  })
})

void test('drain', async t => {
  void t.test('answers what it owes, takes nothing new, and ends', async t => {
    const { pass, source, handlers, listener, clock } = await world({ inFlightPerSessionMax: 2 })
    handlers.answers = false
    const [busy, quiet] = [await source('busy'), await source('quiet')]
    busy.send('1', '2', 'kept back')
    await pass(1)
    let done = false
    const drained = listener.drain(clock.nowMs() + 10_000).then(() => (done = true))
    busy.send('new')
    await pass(100)
    t.strictSame([quiet.closes.length, done], [1, false])
    const refused = await source('late')
    t.strictSame(refused.closes, ['ECONNREFUSED'])
    handlers.answerOne()
    await pass(100)
    t.equal(done, false)
    handlers.answerOne()
    await pass(100)
    await drained
    t.strictSame([busy.got, handlers.asked], [['re 1', 're 2'], []])
    t.equal(clock.nextMs, undefined)
  })

  void t.test('gives up at its deadline; an answer after that settles the count', async t => {
    const { pass, source, handlers, listener, clock } = await world()
    handlers.answers = false
    const from = await source()
    from.send('1')
    await pass(1)
    const drained = listener.drain(clock.nowMs() + 1_000)
    t.equal(listener.drain(clock.nowMs() + 9_000), drained, 'one drain')
    await pass(1_001)
    await drained
    handlers.answerOne()
    t.match(listener.status(), { sessions: 0, inFlight: 0 })
    t.strictSame(from.got, [])
  })

  void t.test('with nobody there it ends at once', async t => {
    const { listener } = await world()
    await listener.drain(1_000)
    t.pass()
  })
})

void test('whatever a network does, every request is settled once and the counts return to zero', async () => {
  const odds = fc.double({ min: 0, max: 0.3, noNaN: true })
  const anAct = fc.record({
    who: fc.nat(3),
    act: fc.constantFrom(
      'send',
      'send',
      'send',
      'answer',
      'silence',
      'pass',
      'end',
      'destroy',
      'junk',
    ),
    n: fc.nat(20),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(anAct, { maxLength: 50 }),
      fc.tuple(odds, odds, odds),
      async (acts, [cut, stall, garbage]) => {
        const { pass, handlers, listener, network, clock } = await world({
          inFlightPerSessionMax: 3,
        })
        handlers.answers = false
        network.setFaults({
          ...NO_FAULTS,
          latencyMs: [0, 50],
          fragment: 0.4,
          merge: 0.4,
          cut,
          stall,
          garbage,
        })
        const sources = Array.from({ length: 4 }, (_, i) => new Source().dial(network, `s${i}`))
        await pass(200)
        for (const { who, act, n } of acts) {
          const { connection } = sources[who] as Source
          if (act === 'send') for (let i = 0; i < n; i++) connection.write(framed(`${i}`))
          else if (act === 'answer') for (let i = 0; i < n; i++) handlers.answerOne()
          else if (act === 'silence') handlers.asked.shift()?.session.silence()
          else if (act === 'pass') await pass(n * 20)
          else if (act === 'end') connection.end()
          else if (act === 'destroy') connection.destroy()
          else connection.write(new SeededRandom(n).bytes(n + 1))
          if (listener.status().inFlight !== handlers.asked.length)
            throw new Error('the count is wrong')
        }
        const drained = listener.drain(clock.nowMs() + 1_000)
        await pass(2_000)
        await drained
        while (handlers.answerOne());
        const { inFlight, sessions, accepted } = listener.status()
        if (inFlight !== 0 || sessions !== 0) throw new Error('something is left')
        if (handlers.closed.length !== accepted) throw new Error('a session closed not once')
      },
    ),
    { numRuns: 100 },
  )
})

void test('over real sockets', async t => {
  const start = async (t: Test, more: Partial<ListenerOptions> = {}) => {
    // The clock keeps the process until the earliest time it was asked for, called off or not.
    const options = { idleTimeoutMs: 0, frameTimeoutMs: 1000, ...more }
    const handlers = new Handlers()
    const clock: Clock = new SystemClock()
    const log = new ListLog()
    const acceptor = new TcpAcceptor({ host: '127.0.0.1', port: 0 })
    const listener = new FrameListener(optionsFor(acceptor, handlers, options), { clock, log })
    const { address } = await listener.listen()
    t.teardown(() => listener.drain(clock.nowMs() + 2000))
    const dial = (): Socket => {
      const socket = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) })
      socket.on('error', () => {})
      return socket
    }
    return { handlers, listener, dial, clock }
  }

  void t.test(
    'a thousand connections at once: all are served, or refused, and it goes on',
    async t => {
      const { listener, dial } = await start(t, {
        connectionsMax: 700,
        connectionsPerPeerMax: 2000,
      })
      const sockets = Array.from({ length: 1000 }, dial)
      const ends = await Promise.all(
        sockets.map(async socket => {
          socket.write(framed('hello'))
          return await Promise.race([
            once(socket, 'data').then(([chunk]) => latin1(chunk as Buffer)),
            once(socket, 'close').then(() => 'closed'),
          ]).catch(() => 'closed')
        }),
      )
      t.equal(ends.filter(text => text === '\0\x08re hello').length, 700)
      t.equal(ends.filter(text => text === 'closed').length, 300)
      t.match(listener.status(), { sessions: 700, accepted: 700, refused: 300, inFlight: 0 })
      const closes = sockets
        .slice(0, 500)
        .map(socket => once(socket.destroy(), 'close').catch(() => {}))
      await Promise.all(closes)
      while (listener.status().sessions > 300) await settled()
      const one = dial()
      one.write(framed('again'))
      t.equal(latin1((await once(one, 'data'))[0] as Buffer), '\0\x08re again')
      for (const socket of [...sockets, one]) socket.destroy()
      while (listener.status().sessions > 0) await settled()
    },
  )

  void t.test(
    'a partner that sends and never reads is closed; another does not feel it',
    async t => {
      const { handlers, listener, dial } = await start(t)
      const [deaf, other] = [dial(), dial()]
      deaf.pause()
      const burst = Buffer.concat(Array.from({ length: 500 }, () => framed('x'.repeat(900))))
      const writing = (async () => {
        while (!deaf.destroyed && handlers.closed.length === 0) {
          deaf.write(burst)
          await settled()
          if (deaf.writableLength > 1 << 24)
            await new Promise(resolve => void deaf.once('drain', resolve))
        }
      })()
      await writing
      t.strictSame(handlers.closed, ['the peer does not read its answers'])
      other.write(framed('hello'))
      t.equal(latin1((await once(other, 'data'))[0] as Buffer), '\0\x08re hello')
      for (const socket of [deaf, other]) socket.destroy()
      while (listener.status().sessions > 0) await settled()
    },
  )

  void t.test('drain over a socket: the answers owed arrive before the end', async t => {
    const { handlers, listener, dial, clock } = await start(t)
    handlers.answers = false
    const socket = dial()
    const chunks: Buffer[] = []
    socket.on('data', chunk => chunks.push(chunk))
    for (let i = 0; i < 5; i++) socket.write(framed(`${i}`))
    while (handlers.asked.length < 5) await settled()
    const closed = once(socket, 'close')
    const drained = listener.drain(clock.nowMs() + 5000)
    while (handlers.answerOne());
    await Promise.all([closed, drained])
    t.equal(Buffer.concat(chunks).length, 5 * 6)
  })
})
