import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { between, latin1, rupiah, SeededRandom, VirtualClock, type LocalTime } from '#base'
import { loadPacks } from '#config'
import type { Message, MessageKind } from '#message'
import { MemoryNetwork, type Connection } from '#net'
import type { Pack } from '#pack'
import {
  Book,
  HTTP_SUFFIX,
  NO_CHAOS,
  parseChaos,
  SCENARIOS,
  SimulatedBiller,
  type Payment,
} from '#sim'

const { packs: PACKS } = loadPacks('protocols')
const PACK = PACKS.get('pln-2003-115') as Pack
const START_MS = Date.UTC(2026, 10, 20, 3)
const DEADLINE_MS = PACK.conversation.responseTimeoutMs

const SENT = {
  sentAt: '20261120100000' as LocalTime,
  channel: '6021',
  bank: '4519999',
  partner: '4519001',
  terminal: '0LOKET0000000001',
  switcher: 'SWX0001',
}

function request(kind: MessageKind, more: Partial<Message>): Message {
  return { kind, direction: 'request', repeat: false, trace: '000000000000', ...SENT, ...more }
}

/** A counterpart that dials the biller and notes, with its time, what comes. */
class Partner {
  readonly answers: { message: Message | undefined; text: string; atMs: number }[] = []
  readonly chunks: number[] = []
  closed = false
  broken = false
  readonly #world: World
  #connection!: Connection
  #trace = 0

  constructor(world: World) {
    this.#world = world
  }

  async dial(signOn = true): Promise<this> {
    const reader = PACK.framing.reader()
    const { clock } = this.#world
    this.closed = this.broken = false
    this.#connection = this.#world.network.dialer('biller', 'partner').dial({
      onConnect() {},
      onData: chunk => {
        this.chunks.push(chunk.length)
        try {
          reader.push(chunk, frame => {
            const read = PACK.read(frame)
            const message = read.tag === 'message' ? read.message : undefined
            this.answers.push({ message, text: latin1(frame), atMs: clock.nowMs() })
          })
        } catch {
          this.broken = true
          this.#connection.destroy()
        }
      },
      onClose: () => {
        this.closed = true
      },
    })
    await this.#world.pass(10)
    if (signOn) await this.ask(request('sign-on', {}))
    return this
  }

  hangUp(): void {
    this.#connection.destroy()
  }

  nextTrace(): string {
    return String(++this.#trace).padStart(12, '0')
  }

  raw(bytes: Uint8Array): void {
    this.#connection.write(bytes)
  }

  send(message: Message): void {
    this.raw(PACK.framing.wrap(PACK.write(message)).slice())
  }

  /** Sends and waits a little; what came for it, or undefined. */
  async ask(message: Message): Promise<Message | undefined> {
    const before = this.answers.length
    this.send(message)
    await this.#world.pass(50)
    return this.answers[before]?.message
  }

  async inquire(product: string, number: string): Promise<Message | undefined> {
    const inquiry = request('inquiry', {
      product,
      trace: this.nextTrace(),
      ...who(product, number),
    })
    return this.ask(inquiry)
  }
}

type World = {
  clock: VirtualClock
  network: MemoryNetwork
  biller: SimulatedBiller
  pass(ms: number): Promise<void>
}

async function world(book = new Book()): Promise<World> {
  const clock = new VirtualClock(START_MS)
  const network = new MemoryNetwork({ clock, random: new SeededRandom(1) })
  const biller = new SimulatedBiller({
    pack: PACK,
    acceptor: network.acceptor('biller'),
    clock,
    random: new SeededRandom(2),
    book,
    timing: { lateByMs: 500, slowByMs: 3000, byteByMs: 0, mergeWaitMs: 20 },
  })
  await biller.listen()
  return { clock, network, biller, pass: ms => clock.runUntil(clock.nowMs() + ms) }
}

function who(product: string, number: string): Partial<Message> {
  if (product === 'pln-postpaid') return { customer: { id: number } }
  if (product === 'pln-prepaid') return { customer: { meter: number, knownBy: 'meter' } }
  return { registration: { number, code: '000' } }
}

/** The payment of what an inquiry told. */
function paymentOf(told: Message, trace: string): Message {
  const { outcome: _, ...rest } = told
  return {
    ...rest,
    kind: 'payment',
    direction: 'request',
    trace,
    amountMinor: told.amountMinor ?? rupiah(102_500),
    currency: 'IDR',
    ...(told.bills && { billsPaid: told.bills.length }),
    ...(told.token && { token: { ...told.token, option: 0 } }),
  }
}

function reversalOf(payment: Message, repeat = false): Message {
  const { trace, sentAt, bank = '' } = payment
  const original = { kind: 'payment' as const, trace, sentAt, bank }
  return { ...payment, kind: 'reversal', repeat, sentAt: '20261120100100' as LocalTime, original }
}

function adviceOf(payment: Message, repeat = false): Message {
  return { ...payment, kind: 'advice', repeat, sentAt: '20261120100100' as LocalTime }
}

const codeOf = (message: Message | undefined) => message?.outcome?.code ?? 'silence'

t.test('nothing without sign-on, and signing off ends it', async t => {
  const partner = await new Partner(await world()).dial(false)
  t.equal(codeOf(await partner.inquire('pln-postpaid', '999912340001')), '0011')
  t.equal(codeOf(await partner.ask(request('echo', {}))), '0000')
  t.equal(codeOf(await partner.ask(request('sign-on', {}))), '0000')
  t.equal(codeOf(await partner.inquire('pln-postpaid', '999912340001')), '0000')
  t.equal(codeOf(await partner.ask(request('sign-off', {}))), '0000')
  t.equal(codeOf(await partner.inquire('pln-postpaid', '999912340001')), '0011')
})

t.test('every product: inquiry, payment, and what undoes or finds it', async t => {
  const { biller, ...rest } = await world()
  const partner = await new Partner({ biller, ...rest }).dial()
  for (const [product, number, amount] of [
    ['pln-postpaid', '999900000015', 260_500],
    ['pln-nontaglis', '9999912345678', 937_000],
    ['pln-postpaid', '999912340007', undefined],
    ['pln-nontaglis', '9999123456007', undefined],
  ] as const) {
    const told = await partner.inquire(product, number)
    t.equal(codeOf(told), '0000', `${product} ${number}`)
    if (!told) continue
    if (amount) t.equal(told.amountMinor, rupiah(amount))
    const payment = paymentOf(told, partner.nextTrace())
    t.match(await partner.ask(payment), { outcome: { code: '0000' }, settlementDate: '20261121' })
    t.equal(codeOf(await partner.inquire(product, number)), '0088')
    t.equal(codeOf(await partner.ask(reversalOf(payment))), '0000')
    t.equal(codeOf(await partner.ask(reversalOf(payment, true))), '0000')
    t.equal(codeOf(await partner.ask(reversalOf(payment))), '0094')
    t.equal(codeOf(await partner.inquire(product, number)), '0000')
  }
  const told = await partner.inquire('pln-prepaid', '99000000010')
  t.match(told, { customer: { id: '999900000023', name: 'PELANGGAN UJI DUA' } })
  if (told) {
    const bought = await partner.ask(paymentOf(told, partner.nextTrace()))
    t.match(bought?.token, { number: '12345678901234567890', kwhHundredths: 7044 })
  }
  t.equal(codeOf(await partner.inquire('pln-postpaid', '888812340007')), '0014')
  t.equal(codeOf(await partner.inquire('pln-nontaglis', '8888123456007')), '0015')
})

/** Published messages of the other dialect, whose customers the biller knows. */
const SAMPLES: Record<string, string> = {
  post_inq:
    '2100403000418081000005995010000000001232026112009150060210745199990745190010LOKET0000000001019SWX0001999900000015',
  post_inq_rsp:
    '211050300041828100000599501360000000026050000000000012320261120091500602107451999907451900100000LOKET0000000001343SWX0001999900000015203SWX2026112009150000000000000ABCDPELANGGAN UJI SATU       99101123            R1  000001300000002500202610000000000000000000000125000D00000000000000000000000005000000120000001209500000000000000000000000000000000202611000000000000000000000130500D00000000000000000000000000000000120950001219400000000000000000000000000000000',
  post_pay:
    '22005030004180810000059950136000000002605000000000001242026112009153060210745199990745190010LOKET0000000001344SWX00019999000000152203SWX2026112009150000000000000ABCDPELANGGAN UJI SATU       99101123            R1  000001300000002500202610000000000000000000000125000D00000000000000000000000005000000120000001209500000000000000000000000000000000202611000000000000000000000130500D00000000000000000000000000000000120950001219400000000000000000000000000000000',
  post_pay_rsp:
    '22105032004182810000059950136000000002605000000000001242026112009153020261121602107451999907451900100000LOKET0000000001344SWX00019999000000152203SWX2026112009150000000000000ABCDPELANGGAN UJI SATU       99101123            R1  000001300000002500202610000000000000000000000125000D00000000000000000000000005000000120000001209500000000000000000000000000000000202611000000000000000000000130500D00000000000000000000000000000000120950001219400000000000000000000000000000000',
  post_rev:
    '24005030004180810100059950136000000002605000000000001242026112009160560210745199990745190010LOKET0000000001344SWX00019999000000152203SWX2026112009150000000000000ABCDPELANGGAN UJI SATU       99101123            R1  000001300000002500202610000000000000000000000125000D00000000000000000000000005000000120000001209500000000000000000000000000000000202611000000000000000000000130500D00000000000000000000000000000000120950001219400000000000000000000000000000000372200000000000124202611200915304519999',
  post_rev_rsp:
    '241050300041828101000599501360000000026050000000000012420261120091605602107451999907451900100000LOKET0000000001344SWX00019999000000152203SWX2026112009150000000000000ABCDPELANGGAN UJI SATU       99101123            R1  000001300000002500202610000000000000000000000125000D00000000000000000000000005000000120000001209500000000000000000000000000000000202611000000000000000000000130500D00000000000000000000000000000000120950001219400000000000000000000000000000000372200000000000124202611200915304519999',
  pre_inq:
    '2100403000418081000005995020000000002002026112009200060210745199990745190010LOKET0000000001031SWX0001990000000100000000000000',
  pre_inq_rsp:
    '21104030004182810004059950200000000020020261120092000602107451999907451900100000LOKET0000000001144SWX0001990000000109999000000230PLN0000000000000000000000000ABC1SWX2026112009200000000000000ABCDPELANGGAN UJI DUA        R1M 000000900200002500000289999101123            015000',
  pre_buy:
    '22005030004180810004059950236000000001025000000000002012026112009203060210745199990745190010LOKET0000000001145SWX0001990000000109999000000230PLN0000000000000000000000000ABC1SWX2026112009200000000000000ABCDPELANGGAN UJI DUA        R1M 0000009002000025000000289999101123            015000',
  pre_buy_rsp:
    '22105032004182810006059950236000000001025000000000002012026112009203020261121602107451999907451900100000LOKET0000000001241SWX0001990000000109999000000230PLN0000000000000000000000000ABC1SWX2026112009200000000000000ABCD00000077PELANGGAN UJI DUA        R1M 00000090002000025000020000000000200000000002000047619020000000000200000952381020000007044123456789012345678900289999101123            015000033Informasi Hubungi Call Center 123',
  non_inq:
    '2100403000418081000005995040000000003002026112009300060210745199990745190010LOKET0000000001023SWX00019999912345678000',
  non_inq_rsp:
    '211050300041828100040599504360000000093700000000000030020261120093000602107451999907451900100000LOKET0000000001267SWX00019999912345678001PASANG BARU              2026110120261201999900000023PELANGGAN UJI TIGA       PLN0000000000000000000000000ABC1SWX2026112009200000000000000ABCD99101JL CONTOH NO 1                     123            2000000000937000002000000000937000002000000000002001200000000093700000',
}

t.test('sample requests get the sample answers, byte for byte but for references', async t => {
  const partner = await new Partner(await world()).dial()
  const pack = PACKS.get('pln-2003-111') as Pack
  const references = (text: string) =>
    text.match(/(SIM2026|SWX2026|PLN2026|PLN0000)[0-9A-Z]{25}/g) ?? []
  const samples = (name: string) => Buffer.from(SAMPLES[name] ?? '', 'latin1')
  for (const [inquiry, ...then] of [
    ['post_inq', 'post_pay', 'post_rev'],
    ['pre_inq', 'pre_buy'],
    ['non_inq'],
  ] as const) {
    const put = new Map<string, string>()
    for (const name of [inquiry, ...then]) {
      let text = SAMPLES[name] ?? ''
      for (const [theirs, ours] of put) text = text.replaceAll(theirs, ours)
      const read = pack.read(Buffer.from(text, 'latin1'))
      if (read.tag === 'reject') throw read.reject.error
      // Over the wire in the biller's own dialect, and back into that of the samples.
      const answer = (await partner.ask(read.message)) as Message
      const got = latin1(pack.write(answer))
      const sample = latin1(samples(`${name}_rsp`))
      const [mine, its] = [references(got), references(sample)]
      for (const [index, reference] of its.entries()) put.set(reference, mine[index] ?? '')
      let wanted = sample
      for (const [theirs, ours] of put) wanted = wanted.replaceAll(theirs, ours)
      t.equal(got, wanted, name)
    }
  }
})

/** [suffix, inquiry, payment, reversal, repeat, what the book believes] or, for meters, advices. */
type Row = [
  suffix: number,
  inquiry: string,
  payment?: string,
  first?: string,
  again?: string,
  book?: string,
]
const _ = 'silence'
const POSTPAID: readonly Row[] = [
  [900, '0000', '0000', '0000', '0000', 'reversed'],
  [901, '0000', '0000', '0000', '0000', 'reversed'],
  [902, '0088'],
  [903, '0014'],
  [904, '0016'],
  [905, '0090'],
  [906, _],
  [907, '0000', _, '0000', '0000', 'reversed'],
  [908, '0000', _, '0012', '0012', 'paid'],
  [909, '0000', _, '0063', '0063', 'void'],
  [910, '0000', _, _, _, 'paid'],
  [913, '0000', '0000', '0000', '0000', 'reversed'],
  [914, '0000', '0068', '0000', '0000', 'reversed'],
  [915, '0000', '0068', '0063', '0063', 'void'],
  [917, '0000', '0011', '0011', '0011', 'nothing'],
  [918, '0000', '0096', '0063', '0063', 'void'],
  [925, '0000', '0047', '0063', '0063', 'void'],
  [926, '0000', '0013', '0063', '0063', 'void'],
  [927, '0000', '0046', '0063', '0063', 'void'],
  [928, '0000', '0005', '0000', '0000', 'reversed'],
  [929, '0000', '0005', '0063', '0063', 'void'],
  [930, '0000', _, '0000', '0000', 'reversed'],
  [931, _],
  [934, '0000', '0000', '0000', '0000', 'reversed'],
  [935, '0000', '0000', '0000', '0000', 'reversed'],
  [940, '0000', '9876', '0000', '0000', 'reversed'],
  [941, '0000', _, '0000', '0000', 'reversed'],
  [942, '0000', _, _, '0000', 'reversed'],
  [943, '0000', _, '0094', '0094', 'reversed'],
  [944, '0000', _, '0011', '0011', 'paid'],
  [945, '0000', _, _, _, 'reversed'],
  [948, '0000', '0088', '0000', '0000', 'reversed'],
  [950, '0000', _, '0068', '0000', 'reversed'],
  [951, '0000', _, '0005', '0005', 'paid'],
  [952, '0089'],
]
const PREPAID: readonly Row[] = [
  [907, '0000', _, '0000', '0000', 'paid'],
  [919, '0000', _, '0000', '0000', 'paid'],
  [920, '0000', _, '0063', '0063', 'void'],
  [921, '0000', _, _, _, 'paid'],
  [922, '0000', _, _, '0000', 'paid'],
  [925, '0000', '0047', '0063', '0063', 'void'],
  [928, '0000', '0005', '0000', '0000', 'paid'],
]

for (const [product, prefix, rows] of [
  ['pln-postpaid', '999912340', POSTPAID],
  ['pln-nontaglis', '9999123456', POSTPAID],
  ['pln-prepaid', '99991234', PREPAID],
] as const) {
  t.test(`${product} scenarios`, async t => {
    for (const row of rows) {
      const here = await world()
      const partner = await new Partner(here).dial()
      const [suffix, inquiry, ...codes] = row
      const title = `${suffix} ${SCENARIOS.find(its => its.suffix === suffix)?.name}`
      const told = await partner.inquire(product, `${prefix}${suffix}`)
      t.equal(codeOf(told), inquiry, `${title}: inquiry`)
      const [paid, first, again, believed] = codes
      if (!told || paid === undefined) continue
      const payment = paymentOf(told, partner.nextTrace())
      t.equal(codeOf(await partner.ask(payment)), paid, `${title}: payment`)
      const asks = product === 'pln-prepaid' ? adviceOf : reversalOf
      t.equal(codeOf(await partner.ask(asks(payment))), first, `${title}: first`)
      t.equal(codeOf(await partner.ask(asks(payment, true))), again, `${title}: repeat`)
      const [entry] = [...here.biller.book.entries()]
      t.equal(entry?.state ?? 'nothing', believed, `${title}: book`)
    }
  })
}

t.test('sign-on lost in mid-day: the same request again, after sign-on, is done', async t => {
  const here = await world()
  const partner = await new Partner(here).dial()
  const inquiry = request('inquiry', {
    product: 'pln-postpaid',
    trace: partner.nextTrace(),
    customer: { id: '999912340916' },
  })
  t.equal(codeOf(await partner.ask(inquiry)), '0011')
  t.equal(codeOf(await partner.ask(inquiry)), '0011', 'not before')
  await partner.ask(request('sign-on', {}))
  t.equal(codeOf(await partner.ask(inquiry)), '0000')

  const told = (await partner.inquire('pln-postpaid', '999912340917')) as Message
  const payment = paymentOf(told, partner.nextTrace())
  t.equal(codeOf(await partner.ask(payment)), '0011')
  t.equal(here.biller.book.size, 0)
  await partner.ask(request('sign-on', {}))
  t.equal(codeOf(await partner.ask(payment)), '0000')
  t.equal(here.biller.book.size, 1)
})

/** What else the wire shows: run the payment of a suffix, then look. */
async function paid(suffix: number, product = 'pln-postpaid', prefix = '999912340') {
  const here = await world()
  const partner = await new Partner(here).dial()
  await partner.inquire(product, `${prefix}${suffix}`)
  await here.pass(5000)
  const told = partner.answers.at(-1)?.message as Message
  const payment = paymentOf(told, partner.nextTrace())
  partner.answers.length = partner.chunks.length = 0
  const sentMs = here.clock.nowMs()
  partner.send(payment)
  await here.pass(50)
  const state = () => [...here.biller.book.entries()][0]?.state ?? 'nothing'
  return { here, partner, payment, sentMs, state }
}

t.test('on the wire', async t => {
  await t.test('late, slow and in time', async t => {
    for (const [suffix, afterMs, state] of [
      [912, DEADLINE_MS + 500, 'paid'],
      [947, DEADLINE_MS + 500, 'nothing'],
      [939, 3000, 'paid'],
    ] as const) {
      const { here, partner, sentMs, state: its } = await paid(suffix)
      t.equal(partner.answers.length, 0)
      await here.pass(DEADLINE_MS + 1000)
      t.equal(partner.answers.length, 1)
      t.equal((partner.answers[0]?.atMs ?? 0) - sentMs, afterMs)
      t.equal(its(), state)
    }
  })

  await t.test(
    'the answer that comes after the reversal was sent comes before its answer',
    async t => {
      const { here, partner, payment } = await paid(911)
      partner.send(reversalOf(payment))
      await here.pass(50)
      t.same(
        partner.answers.map(({ message }) => message?.kind),
        ['payment', 'reversal'],
      )
      t.same(
        partner.answers.map(({ message }) => codeOf(message)),
        ['0000', '0000'],
      )
    },
  )

  await t.test('answers that are doubled, or not what they should be', async t => {
    const twice = await paid(913)
    t.equal(twice.partner.answers.length, 2)
    t.same(twice.partner.answers[0], twice.partner.answers[1])
    t.equal(twice.here.biller.book.size, 1)
    const trace = await paid(932)
    t.not(trace.partner.answers[0]?.message?.trace, trace.payment.trace)
    t.equal(trace.state(), 'paid')
    const amount = await paid(933)
    const told = amount.partner.answers[0]?.message?.amountMinor ?? 0n
    t.equal(told - (amount.payment.amountMinor ?? 0n), 100n)
    for (const suffix of [930, 941]) {
      const { partner } = await paid(suffix)
      t.equal(partner.answers.length, 1, `${suffix} is a whole frame`)
      t.equal(partner.answers[0]?.message, undefined, `${suffix} cannot be read`)
      t.notOk(partner.broken)
    }
  })

  await t.test('packets', async t => {
    const drip = await paid(934)
    t.ok(drip.partner.chunks.length > 100)
    t.ok(drip.partner.chunks.every(bytes => bytes === 1))
    const { here, partner, payment } = await paid(935)
    partner.answers.length = partner.chunks.length = 0
    partner.send({ ...payment, trace: partner.nextTrace() })
    partner.send(request('echo', {}))
    await here.pass(50)
    t.equal(partner.chunks.length, 1, 'two answers, one packet')
    t.equal(partner.answers.length, 2)
  })

  await t.test('connections', async t => {
    const lie = await paid(936)
    t.ok(lie.partner.broken)
    t.equal(lie.state(), 'paid')
    for (const [suffix, state] of [
      [937, 'paid'],
      [938, 'nothing'],
    ] as const) {
      const cut = await paid(suffix)
      t.ok(cut.partner.closed)
      t.equal(cut.state(), state)
      await cut.partner.dial()
      const code = codeOf(await cut.partner.ask(reversalOf(cut.payment)))
      t.equal(code, state === 'paid' ? '0000' : '0063')
    }
    const half = await paid(946)
    t.equal(await half.partner.ask(request('echo', {})), undefined)
    t.notOk(half.partner.closed)
    t.equal(half.state(), 'paid')
    await half.partner.dial()
    t.equal(codeOf(await half.partner.ask(reversalOf(half.payment))), '0000')
  })

  await t.test('unsold tokens are offered and sold for their amount', async t => {
    for (const [suffix, count] of [
      [923, 1],
      [924, 2],
    ] as const) {
      const partner = await new Partner(await world()).dial()
      const told = (await partner.inquire('pln-prepaid', `99991234${suffix}`)) as Message
      t.equal(told.token?.unsold?.length, count)
      const amountMinor = told.token?.unsold?.at(-1)?.amountMinor ?? rupiah(0)
      const buy = { ...paymentOf(told, partner.nextTrace()), amountMinor }
      const bought = await partner.ask({ ...buy, token: { ...buy.token, option: count } })
      t.match(bought, { outcome: { code: '0000' }, token: { number: /^\d{20}$/ } })
    }
  })
})

t.test('what cannot be read is answered, and a lying header ends the connection', async t => {
  const here = await world()
  const partner = await new Partner(here).dial()
  const frame = PACK.write(
    request('inquiry', { product: 'pln-postpaid', customer: { id: '999912340001' } }),
  )
  const short = Buffer.from(frame.slice(0, frame.length - 3))
  short.write('016', frame.length - 22, 'latin1')
  partner.raw(PACK.framing.wrap(short))
  await here.pass(50)
  t.match(partner.answers.at(-1)?.text, /^2110.*45190010030/)
  partner.raw(new Uint8Array(64).fill(0xff))
  await here.pass(50)
  t.ok(partner.closed)
  t.equal(here.biller.status().badFrames, 1)
  t.equal(here.biller.status().connections, 0)
})

t.test('whatever comes in, the biller goes on', async t => {
  const here = await world()
  const random = new SeededRandom(3)
  const wire = PACK.write(
    request('inquiry', { product: 'pln-postpaid', customer: { id: '999912340001' } }),
  ).slice()
  for (let round = 0; round < 300; round++) {
    const partner = await new Partner(here).dial()
    const bytes = Uint8Array.from(wire.subarray(0, between(random, 1, wire.length)))
    for (let n = between(random, 0, 4); n > 0; n--) {
      bytes[between(random, 0, bytes.length - 1)] = random.bytes(1)[0] as number
    }
    partner.raw(round % 3 === 0 ? random.bytes(between(random, 1, 200)) : PACK.framing.wrap(bytes))
    await here.pass(1)
    partner.hangUp()
  }
  await here.pass(100)
  t.equal(here.biller.status().connections, 0)
  const partner = await new Partner(here).dial()
  t.equal(codeOf(await partner.inquire('pln-postpaid', '999912340001')), '0000')
})

t.test('every scenario stands in a document, and nothing else', async t => {
  const frames = SCENARIOS.filter(({ suffix }) => suffix < HTTP_SUFFIX)
  const documents = { 'protocols/pln-2003-115/README.md': frames, 'docs/simulators.md': SCENARIOS }
  for (const [file, scenarios] of Object.entries(documents)) {
    const told = [
      ...readFileSync(file, 'utf8').matchAll(/^\| (9\d\d)\s*\| (\S+)\s*\| (.+?)\s*\|$/gm),
    ]
    t.same(
      told.map(([, suffix, name, means]) => [Number(suffix), name, means]),
      scenarios.map(({ suffix, name, text }) => [suffix, name, text]),
      file,
    )
  }
})

t.test('trouble set at run time', async t => {
  const here = await world()
  const { biller } = here
  const partner = await new Partner(here).dial()
  const rows: [string, unknown, string, number][] = [
    ['a code', { code: '0090' }, '0090', 1],
    ['drop', { drop: 1 }, _, 0],
    ['garble', { garble: 1 }, _, 1],
    ['nothing', {}, '0000', 1],
    ['duplicate', { duplicate: 1 }, '0000', 2],
    ['delay', { delayMs: [100, 200] }, _, 0],
  ]
  for (const [title, chaos, code, answers] of rows) {
    biller.chaos = parseChaos(chaos)
    partner.answers.length = 0
    t.equal(codeOf(await partner.inquire('pln-postpaid', '999912340001')), code, title)
    t.equal(partner.answers.length, answers, title)
  }
  await here.pass(200)
  t.equal(partner.answers.length, 1, 'the delayed one has come')
  biller.chaos = parseChaos({ cut: 1 })
  await partner.inquire('pln-postpaid', '999912340001')
  t.ok(partner.closed)
  biller.chaos = NO_CHAOS
  for (const wrong of [
    { drop: 2 },
    { delayMs: -1 },
    { delayMs: [2, 1] },
    { dorp: 1 },
    { code: 5 },
    [],
  ]) {
    t.throws(() => parseChaos(wrong), { code: 'ADMIN_BAD_REQUEST' }, JSON.stringify(wrong))
  }
})

t.test('a stopped biller is started again with its book', async t => {
  const book = new Book()
  const first = await world(book)
  const partner = await new Partner(first).dial()
  const told = (await partner.inquire('pln-postpaid', '999912340042')) as Message
  const payment = paymentOf(told, partner.nextTrace())
  await partner.ask(payment)
  await first.biller.close()
  await first.pass(10)
  t.ok(partner.closed)
  const again = await new Partner(await world(book)).dial()
  t.equal(codeOf(await again.ask(reversalOf(payment))), '0000')
})

t.test('a process of its own: its book survives kill -9, and SIGTERM ends it', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-sim-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const start = async () => {
    const child = spawn(
      process.execPath,
      [
        ...process.execArgv.filter(arg => arg.startsWith('--conditions')),
        'test/sim/child.ts',
        join(folder, 'sim', 'book.jsonl'),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    t.teardown(() => child.kill('SIGKILL'))
    for await (const line of createInterface(child.stdout)) {
      const [, port, control] = /listens on 127\.0\.0\.1:(\d+), control on (\S+)$/.exec(line) ?? []
      if (port && control) return { child, port: Number(port), control }
    }
    throw new Error('the simulator did not start')
  }
  const get = async (url: string) => (await fetch(url)).text()
  const lines = async (control: string) =>
    (await get(`${control}/book`))
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Payment)

  const one = await start()
  const wire = await dialTcp(one.port)
  await wire.ask(request('sign-on', {}))
  const pays: Message[] = []
  for (let n = 100; n < 140; n++) {
    const trace = String(n).padStart(12, '0')
    const told = await wire.ask(
      request('inquiry', { product: 'pln-postpaid', trace, customer: { id: `999912340${n}` } }),
    )
    const payment = paymentOf(told, trace)
    pays.push(payment)
    t.equal(codeOf(await wire.ask(payment)), '0000')
  }
  const before = await lines(one.control)
  one.child.kill('SIGKILL')
  await once(one.child, 'exit')
  wire.end()

  const two = await start()
  t.same(await lines(two.control), before)
  t.match(JSON.parse(await get(`${two.control}/book?summary`)), { paid: 40, askedTwice: 0 })
  const again = await dialTcp(two.port)
  await again.ask(request('sign-on', {}))
  t.equal(codeOf(await again.ask(reversalOf(pays[0] as Message))), '0000')
  t.match(JSON.parse(await get(`${two.control}/book?summary`)), { paid: 39, reversed: 1 })

  t.match(JSON.parse(await get(`${two.control}/healthz`)), { ok: true, connections: 1 })
  const post = (body: string) => fetch(`${two.control}/scenario`, { method: 'POST', body })
  t.equal((await post('{"code":"0090"}')).status, 200)
  t.match(JSON.parse(await get(`${two.control}/scenario`)), { set: { code: '0090' } })
  t.equal((await post('{"drop":7}')).status, 400)
  t.equal((await post('[')).status, 400)
  t.equal((await post(' '.repeat(10_000))).status, 400)
  t.equal((await fetch(`${two.control}/nothing`)).status, 404)
  two.child.kill('SIGTERM')
  t.same(await once(two.child, 'exit'), [0, null])
  again.end()
})

async function dialTcp(port: number) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const reader = PACK.framing.reader()
  const waiting: ((message: Message) => void)[] = []
  socket.on('error', () => {})
  socket.on('data', chunk =>
    reader.push(chunk, frame => {
      const read = PACK.read(frame)
      if (read.tag === 'message') waiting.shift()?.(read.message)
    }),
  )
  return {
    ask: (message: Message) =>
      new Promise<Message>(resolve => {
        waiting.push(resolve)
        socket.write(PACK.framing.wrap(PACK.write(message)))
      }),
    end: () => socket.destroy(),
  }
}
