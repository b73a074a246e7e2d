import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { test } from 'tap'
import { SeededRandom } from '#base'
import { FAST, inquiryFor, Lab, numberFor, paymentFor, quoted, reasonOf, until } from './lab.ts'
import { framed, Line } from './line.ts'
import type { Daemon } from './daemon.ts'
import { sleep } from './process.ts'
import type { Till } from '../simulation/till.ts'

const SIGN_ON = '28000010000081810000202611200600000745190010010LOKET0000000001007SWX0001'

/** An inquiry in its parts, so that one of them can be made wrong. */
type Parts = {
  mti: string
  bitmap: string
  product: string
  trace: string
  sentAt: string
  channel: string
  bank: string
  partner: string
  terminal: string
  data: string
  more: string
}

const GOOD: Parts = {
  mti: '2100',
  bitmap: '4030004180810000',
  product: '0599501',
  trace: '000000000123',
  sentAt: '20261120091500',
  channel: '6021',
  bank: '074519999',
  partner: '074519001',
  terminal: '0LOKET0000000001',
  data: '019SWX0001999900000015',
  more: '',
}

function inquiry(change: Partial<Parts> = {}): string {
  return Object.values({ ...GOOD, ...change }).join('')
}

/** What is wrong, the code of the answer, and where the log says it is. */
type Row = readonly [
  title: string,
  change: Partial<Parts>,
  code: string,
  path?: string,
  offset?: number,
]

const ROWS: readonly Row[] = [
  ['an unknown product', { product: '0599599' }, '0033', 'de2', 22],
  ['an unknown bank', { bank: '074510000' }, '0031'],
  ['an unknown partner', { partner: '079999999' }, '0032'],
  ['an unknown terminal', { terminal: '0LOKET0000000002' }, '0032'],
  ['an unknown switcher', { data: '019SWX0002999900000015' }, '0097'],
  ['a bit for an element that there is not', { bitmap: '6030004180810000' }, '0030', 'de3', 27],
  [
    'a bit for an element that this message has not',
    { bitmap: '4030004180810001', more: '003abc' },
    '0030',
    'de64',
    113,
  ],
  ['a bitmap that is none', { bitmap: '40300041808100ZZ' }, '0030', 'bitmap', 18],
  ['the terminal missing', { bitmap: '4030004180010000', terminal: '' }, '0030', 'de41', 4],
  ['the private data missing', { bitmap: '4030004180800000', data: '' }, '0030', 'de48', 4],
  ['a short audit number', { trace: '00000000012' }, '0030', 'de32', 57],
  ['letters in the audit number', { trace: '00000000012X' }, '0030', 'de11', 38],
  ['a time that does not exist', { sentAt: '20261399096100' }, '0030', 'de12', 39],
  ['letters in the channel', { channel: '60Z1' }, '0030', 'de26', 55],
  ['a bank of more digits than there may be', { bank: '9945199990000000000' }, '0030', 'de32', 57],
  ['a length that is no number', { bank: 'XX4519999' }, '0030', 'de32', 57],
  ['private data shorter than they say', { data: '019SWX0001' }, '0030', 'de48', 94],
  [
    'private data longer than they say',
    { data: '019SWX0001999900000015000' },
    '0030',
    'frame',
    113,
  ],
  [
    'private data of another shape, too short',
    { data: '010SWX0001999' },
    '0030',
    'de48.customer.id',
    101,
  ],
  [
    'private data of another shape, too long',
    { data: '025SWX0001999900000015000000' },
    '0030',
    'de48',
    113,
  ],
  [
    'letters in the customer number',
    { data: '019SWX000199990000ABCD' },
    '0030',
    'de48.customer.id',
    109,
  ],
  ['trailing bytes', { more: 'XYZ' }, '0030', 'frame', 113],
]

test('bad input hurts nobody else', async t => {
  const limits = 'listeners.partners-iso.limits'
  const lab = await Lab.start({
    set: [
      ...FAST,
      `${limits}.frameTimeout=1s`,
      `${limits}.inFlightPerSessionMax=64`,
      `${limits}.bytesPendingMax=65536`,
      `${limits}.connectionsPerPeerMax=100`,
    ],
  })
  t.teardown(() => lab.end())
  const { daemon } = lab
  const signedOn = async (): Promise<Line> => {
    const line = await Line.connect(daemon.address)
    await line.ask(SIGN_ON)
    return line
  }
  const other = await OtherPartner.start(daemon)

  await t.test('requests with one thing wrong are answered, and the log says where', async t => {
    const line = await signedOn()
    for (const [title, change, code, path, offset] of ROWS) {
      const before = unreadable(daemon).length
      const answer = await line.ask(inquiry(change), 3_000)
      t.match(answer, new RegExp(`^2110.*${code}`), title)
      if (path === undefined) continue
      await until('it is logged', () => unreadable(daemon).length > before)
      t.match(unreadable(daemon).at(-1), { path, offset }, `${title}: where`)
    }
    t.match(await line.ask(inquiry()), /^2110.*0000/, 'the line is as good as before')
    line.end()
  })

  await t.test('a type that nobody knows', async t => {
    const line = await signedOn()
    const answers = { '2300': '2310', '0100': '0110', '2105': '2115' }
    for (const [mti, answered] of Object.entries(answers))
      t.match(await line.ask(inquiry({ mti }), 3_000), new RegExp(`^${answered}.*0030`), mti)
    line.send(inquiry({ mti: '9999' })) // an answer of some kind, and so not answered
    const stranger = await signedOn()
    stranger.send(inquiry({ mti: 'ABCD' }))
    await hungUp(stranger)
    line.send(inquiry({ mti: '2110' }))
    t.match(await line.ask(inquiry()), /^2110/, 'an answer to nothing is passed over')
    line.end()
  })

  await t.test('bytes that are no frames', async t => {
    const rows: [title: string, bytes: Uint8Array][] = [
      ['a length of zero', Buffer.from([0, 0])],
      ['a length above the limit', Buffer.from([0xff, 0xff, 0x32])],
      ['a length that says more than comes', framed(inquiry()).subarray(0, 60)],
      [
        'a length that says less than comes',
        Buffer.concat([Buffer.from([0, 20]), framed(inquiry()).subarray(2)]),
      ],
      ['a request of HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')],
      ['nothing but a header', Buffer.from([0, 114])],
    ]
    for (const [title, bytes] of rows) {
      const line = await signedOn()
      line.write(bytes)
      await hungUp(line)
      t.pass(`${title}: hung up`)
    }
    const random = new SeededRandom(7)
    for (let i = 0; i < 60; i++) {
      const line = i % 2 === 0 ? await signedOn() : await Line.connect(daemon.address)
      line.write(random.bytes(1 + Math.floor(random.next() * 600)))
      if (i % 3 === 0) await hungUp(line)
      else line.end()
    }
    for (let i = 0; i < 60; i++) {
      // A proper header, and then anything.
      const line = await signedOn()
      line.send(Buffer.from(random.bytes(1 + Math.floor(random.next() * 300))).toString('latin1'))
      await line.next(50)
      line.end()
    }
    t.equal(await other.paysStill(), true)
  })

  await t.test('frames in pieces', async t => {
    const bytes = Buffer.concat([framed(SIGN_ON), framed(inquiry())])
    for (let cut = 1; cut < bytes.length; cut++) {
      const line = await Line.connect(daemon.address)
      line.write(bytes.subarray(0, cut))
      line.socket.end()
      if (cut % 20 === 0) await hungUp(line)
    }
    t.pass('cut in every place')
    for (let cut = 1; cut < bytes.length; cut += 7) {
      const line = await Line.connect(daemon.address)
      line.write(bytes.subarray(0, cut))
      await new Promise(setImmediate)
      line.write(bytes.subarray(cut))
      t.match(await line.next(), /^2810/)
      t.match(await line.next(), /^2110.*0000/, `in two pieces, at ${cut}`)
      line.end()
    }
    const slow = await Line.connect(daemon.address)
    for (const byte of bytes) {
      slow.write(Buffer.from([byte]))
      await new Promise(setImmediate)
    }
    t.match([await slow.next(), await slow.next()], [/^2810/, /^2110.*0000/], 'one byte at a time')
    const both = await Line.connect(daemon.address)
    both.write(bytes)
    t.match([await both.next(), await both.next()], [/^2810/, /^2110.*0000/], 'two in one packet')
    slow.end()
    both.end()
  })

  await t.test('a partner that hangs up in the middle of a payment', async t => {
    const till = await daemon.openTill()
    const number = numberFor('pln-postpaid', '939')
    const payment = paymentFor(till, await quoted(till, 'pln-postpaid', number))
    const paying = till.request(payment, 5_000)
    await until('it is on its way', async () => (await daemon.payment(number))?.state === 'sending')
    till.hangUp()
    t.equal(reasonOf(await paying), 'silence')
    await until(
      'it is paid all the same',
      async () => (await daemon.payment(number))?.state === 'paid',
    )
    await till.open()
    t.equal(
      reasonOf(await till.request(payment, 5_000)),
      'approved',
      'and is told when it asks again',
    )
    till.hangUp()
  })

  await t.test('a partner that never reads its answers', async t => {
    const line = await signedOn()
    line.socket.pause()
    const echoes = Buffer.concat(Array.from({ length: 500 }, () => framed(SIGN_ON)))
    for (let i = 0; i < 2_000 && line.open; i++) {
      line.socket.write(echoes)
      await new Promise(setImmediate)
      if (line.socket.writableLength > 1_000_000) await sleep(10)
    }
    await until('it is hung up on', () =>
      daemon.log().some(({ text }) => text === 'a peer does not read its answers'),
    )
    line.end()
    t.equal(await other.paysStill(), true)
  })

  await t.test('a thousand connections from one address', async t => {
    const { host, port } = daemon.address
    const sockets: Socket[] = []
    let refused = 0
    for (let i = 0; i < 1_000; i++) {
      const socket = connect({ host, port, localAddress: '127.0.0.2' })
      socket.on('error', () => {})
      socket.once('close', () => refused++)
      socket.resume()
      sockets.push(socket)
    }
    await until('what is too much is refused', () => refused >= 900)
    t.equal(await other.paysStill(), true)
    const till = await daemon.openTill()
    t.ok(till.up, 'another address comes in')
    till.hangUp()
    for (const socket of sockets) socket.destroy()
    await until('they are gone', async () => {
      const { listeners } = await daemon.status()
      return listeners.every(({ sessions }) => sessions < 10)
    })
  })

  await t.test('a partner that sends faster than it is served', async t => {
    const till = await daemon.openTill()
    const asked = Array.from({ length: 3_000 }, (_, at) =>
      till.request(
        inquiryFor(till, 'pln-postpaid', numberFor('pln-postpaid', `${10_000 + at}00`)),
        30_000,
      ),
    )
    const pays = other.paysStill()
    const told = (await Promise.all(asked)).map(reasonOf)
    t.equal(told.filter(reason => reason === 'silence').length, 0, 'all are answered')
    t.ok(told.filter(reason => reason === 'approved').length > 2_500, 'and most of them well')
    t.equal(await pays, true)
    till.hangUp()
  })

  await t.test('nothing stays behind', async t => {
    const { reasons, violations } = await other.end()
    t.ok(reasons.length > 20, `the other partner has paid ${reasons.length} times`)
    t.same([...new Set(reasons)], ['approved'])
    t.same(violations, [])
    await until('no session, no request is left', async () => {
      const { listeners, inMemory } = await daemon.status()
      const left = listeners.reduce((sum, one) => sum + one.sessions + one.inFlight, 0)
      return left + inMemory.payments + inMemory.inquiries === 0
    })
    t.match(await daemon.audit(), { agrees: true, openPayments: 0, problems: [] })
    t.ok(residentMb(daemon) < 400, 'memory')
    const failures = daemon.log().filter(({ level }) => level === 'error')
    t.same(failures, [], 'none of it was our failure')
  })
})

function hungUp(line: Line): Promise<void> {
  return until('it is hung up on', () => !line.open)
}

/** Pays one bill after the other while the trouble goes on. */
class OtherPartner {
  readonly reasons: string[] = []
  readonly violations: string[] = []
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()

  static async start(daemon: Daemon): Promise<OtherPartner> {
    const partner = new OtherPartner()
    const till = await daemon.openTill(1, text => partner.violations.push(text))
    partner.#running = partner.#pay(till)
    return partner
  }

  async #pay(till: Till): Promise<void> {
    for (let i = 0; !this.#stop.signal.aborted; i++) {
      const number = numberFor('pln-postpaid', `${20_000 + i}00`)
      const answer = await till.request(inquiryFor(till, 'pln-postpaid', number), 20_000)
      const paid = answer?.outcome?.meaning === 'approved'
      const told = paid ? await till.request(paymentFor(till, answer), 20_000) : answer
      this.reasons.push(reasonOf(told))
      await sleep(20)
    }
    till.hangUp()
  }

  /** Whether the next three payments go through. */
  async paysStill(): Promise<boolean> {
    const from = this.reasons.length
    await until('the other partner pays', () => this.reasons.length >= from + 3)
    return this.reasons.slice(from).every(reason => reason === 'approved')
  }

  async end(): Promise<this> {
    this.#stop.abort()
    await this.#running
    return this
  }
}

function unreadable(daemon: Daemon): Record<string, unknown>[] {
  return daemon.log().filter(({ text }) => text === 'unreadable request')
}

function residentMb(daemon: Daemon): number {
  const status = readFileSync(`/proc/${daemon.process?.child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}
