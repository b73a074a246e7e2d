import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import * as fc from 'fast-check'
import { test } from 'tap'
import type { Test } from 'tap'
import { isNadiError, latin1, SeededRandom, SystemClock, VirtualClock } from '#base'
import { MemoryNetwork, NO_FAULTS, TcpAcceptor, TcpDialer } from '#net'
import type { Acceptor, Connection, ConnectionHandlers, Dialer, MemoryFaults } from '#net'

const HOST = '127.0.0.1'

/** One end, with all that happened to it. */
class End implements ConnectionHandlers {
  connection!: Connection
  connects = 0
  chunks: Uint8Array[] = []
  closes: string[] = []
  #wanted: { met: () => boolean; resolve: () => void }[] = []

  get text(): string {
    return latin1(Buffer.concat(this.chunks))
  }

  onConnect(): void {
    this.connects++
    this.#look()
  }

  onData(chunk: Uint8Array): void {
    this.chunks.push(Buffer.from(chunk))
    this.#look()
  }

  onClose(reason: string): void {
    this.closes.push(reason)
    this.#look()
  }

  until(met: (end: this) => boolean): Promise<void> {
    return new Promise(resolve => {
      this.#wanted.push({ met: () => met(this), resolve })
      this.#look()
    })
  }

  #look(): void {
    this.#wanted = this.#wanted.filter(({ met, resolve }) => {
      if (!met()) return true
      resolve()
      return false
    })
  }
}

type Keeper = { acceptor: Acceptor; dialerTo: (address: string) => Dialer }

async function pair(t: Test, keeper: Keeper): Promise<[End, End]> {
  const [near, far] = [new End(), new End()]
  const { acceptor, dialerTo } = keeper
  const { address } = await acceptor.listen(connection => {
    far.connection = connection
    return far
  })
  t.teardown(() => acceptor.close())
  near.connection = dialerTo(address).dial(near)
  t.teardown(() => near.connection.destroy())
  await near.until(({ connects }) => connects > 0)
  near.connection.write(Buffer.from('!'))
  await far.until(({ text }) => text === '!')
  far.chunks = []
  return [near, far]
}

/** One promise, two keepers. */
function keepsTheConnectionPromise(t: Test, keeper: () => Keeper): void {
  void t.test('what is written in one turn arrives in one piece', async t => {
    const [near, far] = await pair(t, keeper())
    for (let i = 0; i < 100; i++) t.ok(near.connection.write(Buffer.from(`${i} `)))
    t.ok(near.connection.bytesPending > 0)
    await far.until(({ text }) => text.endsWith('99 '))
    t.equal(far.chunks.length, 1)
    t.equal(near.connection.bytesPending, 0)
  })

  void t.test('end lets everything arrive, and both ends close once', async t => {
    const [near, far] = await pair(t, keeper())
    near.connection.write(Buffer.alloc(100_000, 'x'))
    near.connection.end()
    near.connection.end()
    t.notOk(near.connection.write(Buffer.from('late')), 'nothing is taken after the end')
    await Promise.all([near, far].map(end => end.until(({ closes }) => closes.length > 0)))
    near.connection.destroy()
    t.equal(far.text.length, 100_000)
    t.strictSame(far.closes, ['the peer hung up'])
    t.equal(near.closes.length, 1)
  })

  void t.test('destroy closes both ends once, with the reason for our side', async t => {
    const [near, far] = await pair(t, keeper())
    near.connection.destroy('enough')
    near.connection.destroy('again')
    await Promise.all([near, far].map(end => end.until(({ closes }) => closes.length > 0)))
    t.strictSame(near.closes, ['enough'])
    t.equal(far.closes.length, 1)
    t.notOk(near.connection.write(Buffer.from('x')))
  })

  void t.test('a paused end takes nothing until it resumes', async t => {
    const [near, far] = await pair(t, keeper())
    far.connection.pause()
    near.connection.write(Buffer.from('one'))
    near.connection.write(Buffer.from('two'))
    far.connection.write(Buffer.from('mark'))
    await near.until(({ text }) => text === 'mark')
    t.equal(far.text, '')
    far.connection.resume()
    await far.until(({ text }) => text === 'onetwo')
  })

  void t.test('nobody listens: closed without ever having been connected', async t => {
    const { acceptor, dialerTo } = keeper()
    const { address } = await acceptor.listen(() => new End())
    await acceptor.close()
    const end = new End()
    end.connection = dialerTo(address).dial(end)
    await end.until(({ closes }) => closes.length > 0)
    t.strictSame(end.closes, ['ECONNREFUSED'])
    t.equal(end.connects, 0)
  })

  void t.test('an end that was destroyed before it was connected closes, too', async t => {
    const { acceptor, dialerTo } = keeper()
    const { address } = await acceptor.listen(() => new End())
    t.teardown(() => acceptor.close())
    const end = new End()
    end.connection = dialerTo(address).dial(end)
    end.connection.destroy('changed my mind')
    await end.until(({ closes }) => closes.length > 0)
    t.strictSame([end.closes, end.connects], [['changed my mind'], 0])
  })
}

void test('over TCP', async t => {
  keepsTheConnectionPromise(t, () => ({
    acceptor: new TcpAcceptor({ host: HOST, port: 0 }),
    dialerTo: address => new TcpDialer({ host: HOST, port: Number(address.split(':')[1]) }),
  }))

  void t.test('a taken port has its own code', async t => {
    const first = new TcpAcceptor({ host: HOST, port: 0 })
    const { address } = await first.listen(() => new End())
    t.teardown(() => first.close())
    const second = new TcpAcceptor({ host: HOST, port: Number(address.split(':')[1]) })
    await t.rejects(
      second.listen(() => new End()),
      { code: 'PORT_TAKEN' },
    )
  })

  void t.test('a peer that does not read: write says no, and nothing grows', async t => {
    const server = createServer(socket => void socket.pause()).listen(0, HOST)
    const sockets: Socket[] = []
    server.on('connection', socket => sockets.push(socket))
    await once(server, 'listening')
    const end = new End()
    const { port } = server.address() as AddressInfo
    end.connection = new TcpDialer({ host: HOST, port, bytesPendingMax: 1 << 20 }).dial(end)
    await end.until(({ connects }) => connects > 0)
    const chunk = Buffer.alloc(64 * 1024)
    let writes = 0
    while (end.connection.write(chunk)) {
      if (++writes % 16 === 0) await new Promise(setImmediate)
    }
    t.ok(end.connection.bytesPending <= (1 << 20) + chunk.length)
    end.connection.destroy()
    await end.until(({ closes }) => closes.length > 0)
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  void t.test('large and small writes of many turns arrive whole, in order', async t => {
    const [near, far] = await pair(t, {
      acceptor: new TcpAcceptor({ host: HOST, port: 0 }),
      dialerTo: address => new TcpDialer({ host: HOST, port: Number(address.split(':')[1]) }),
    })
    const random = new SeededRandom(7)
    const sent: Uint8Array[] = []
    for (let i = 0; i < 300; i++) {
      const bytes = random.bytes(1 + Math.floor(random.next() ** 4 * 200_000))
      sent.push(Buffer.from(bytes))
      near.connection.write(bytes)
      if (random.next() < 0.3) await new Promise(setImmediate)
    }
    const whole = Buffer.concat(sent)
    let bytes = 0
    await far.until(
      ({ chunks }) => (bytes = chunks.reduce((a, b) => a + b.length, 0)) >= whole.length,
    )
    t.equal(bytes, whole.length)
    t.ok(Buffer.concat(far.chunks).equals(whole))
  })

  void t.test('a peer that resets is a close with its code', async t => {
    const acceptor = new TcpAcceptor({ host: HOST, port: 0 })
    const far = new End()
    const { address } = await acceptor.listen(connection => {
      far.connection = connection
      return far
    })
    t.teardown(() => acceptor.close())
    const socket = connect({ host: HOST, port: Number(address.split(':')[1]) })
    await once(socket, 'connect')
    await far.until(({ connection }) => connection !== undefined || true)
    socket.resetAndDestroy()
    await far.until(({ closes }) => closes.length > 0)
    t.strictSame(far.closes, ['ECONNRESET'])
  })
})

void test('in memory', async t => {
  keepsTheConnectionPromise(t, () => {
    const network = new MemoryNetwork({ clock: new SystemClock(), random: new SeededRandom(1) })
    return { acceptor: network.acceptor('a'), dialerTo: address => network.dialer(address) }
  })

  const inMemory = (faults: Partial<MemoryFaults>, seed = 1) => {
    const clock = new VirtualClock(0)
    const network = new MemoryNetwork({ clock, random: new SeededRandom(seed) })
    const [near, far] = [new End(), new End()]
    void network.acceptor('far').listen(connection => {
      far.connection = connection
      return far
    })
    const setFaults = (): void => network.setFaults({ ...NO_FAULTS, ...faults })
    return { clock, network, near, far, setFaults }
  }

  void t.test('an address is taken once', async t => {
    const { network } = inMemory({})
    await t.rejects(
      network.acceptor('far').listen(() => new End()),
      { code: 'PORT_TAKEN' },
    )
    t.notOk(isNadiError(new Error('x')))
  })

  const rows: [
    title: string,
    faults: Partial<MemoryFaults>,
    text: string,
    nearCloses: string[],
    farCloses: string[],
  ][] = [
    ['no faults', {}, 'hello world', [], []],
    ['latency', { latencyMs: [5, 50] }, 'hello world', [], []],
    ['pieces', { fragment: 1, latencyMs: [1, 9] }, 'hello world', [], []],
    ['cut', { cut: 1, latencyMs: [5, 5] }, '', ['ECONNRESET'], ['ECONNRESET']],
    ['stall', { stall: 1 }, '', [], []],
  ]
  for (const [title, faults, text, nearCloses, farCloses] of rows) {
    void t.test(`${title}: what arrives, and who hears of a close`, async t => {
      const { clock, network, near, far, setFaults } = inMemory(faults)
      near.connection = network.dialer('far', 'near').dial(near)
      await clock.runUntil(10)
      t.equal(far.connection.peer, 'near:1')
      setFaults()
      near.connection.write(Buffer.from('hello world'))
      await clock.runUntil(1000)
      t.strictSame([far.text, near.closes, far.closes], [text, nearCloses, farCloses])
      near.connection.destroy()
    })
  }

  void t.test('a dial is refused, and a dial is never answered', async t => {
    for (const [faults, closes] of [
      [{ refuse: 1 }, ['ECONNREFUSED']],
      [{ unreachable: 1 }, []],
    ] as const) {
      const { clock, network, near, setFaults } = inMemory(faults)
      setFaults()
      near.connection = network.dialer('far').dial(near)
      await clock.runUntil(100_000)
      t.strictSame([near.connects, near.closes], [0, closes])
      near.connection.destroy('given up')
      await clock.runUntil(100_001)
      t.equal(near.closes.length, 1)
      t.equal(network.connections, 0)
    }
  })

  void t.test('half-open: one end gives up, the other never hears', async t => {
    const { clock, network, near, far } = inMemory({})
    near.connection = network.dialer('far').dial(near)
    await clock.runUntil(1)
    network.stall('far')
    far.connection.write(Buffer.from('lost'))
    near.connection.end()
    await clock.runUntil(100)
    near.connection.destroy('given up')
    await clock.runUntil(200)
    t.strictSame([near.text, near.closes, far.closes], ['', ['given up'], []])
    network.cut()
    await clock.runUntil(300)
    t.strictSame([far.closes, network.connections], [['ECONNRESET'], 0])
  })

  void t.test('garbage stands within the stream and takes nothing out of it', async t => {
    const { clock, network, near, far, setFaults } = inMemory({ garbage: 1 })
    near.connection = network.dialer('far').dial(near)
    await clock.runUntil(1)
    setFaults()
    near.connection.write(Buffer.alloc(50, 0x41))
    await clock.runUntil(2)
    t.ok(far.text.length > 50)
    t.ok(far.text.replaceAll(/[^A]/g, '').length >= 50)
  })

  void t.test(
    'whatever the delays and pieces, a stream arrives whole, in order, and the same each time',
    async () => {
      const writes = fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 20 })
      await fc.assert(
        fc.asyncProperty(
          writes,
          fc.nat(),
          fc.double({ min: 0, max: 1, noNaN: true }),
          async (texts, seed, odds) => {
            const run = async (): Promise<string[]> => {
              const faults = { latencyMs: [0, 40] as const, fragment: odds, merge: 1 - odds }
              const { clock, network, near, far, setFaults } = inMemory(faults, seed)
              setFaults()
              near.connection = network.dialer('far').dial(near)
              await clock.runUntil(100)
              for (const [i, text] of texts.entries()) {
                near.connection.write(Buffer.from(text))
                if (i % 3 === 0) await clock.runUntil(clock.nowMs() + 7)
              }
              near.connection.end()
              await clock.runUntil(2000)
              return [...far.chunks.map(latin1), ...far.closes]
            }
            const [first, second] = [await run(), await run()]
            const sent = latin1(Buffer.from(texts.join('')))
            if (first.slice(0, -1).join('') !== sent) throw new Error('not what was sent')
            if (first.at(-1) !== 'the peer hung up') throw new Error('the end was not heard')
            if (first.join('\n') !== second.join('\n')) throw new Error('not the same twice')
          },
        ),
        { numRuns: 60 },
      )
    },
  )
})
