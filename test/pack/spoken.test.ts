import t from 'tap'
import { localTime, rupiah, SeededRandom, VirtualClock } from '#base'
import { DialedLink, type LinkOutcome } from '#link'
import type { Message, MessageKind, Reason } from '#message'
import { MemoryNetwork } from '#net'
import { Book, SimulatedBiller } from '#sim'
import { dialectOf, FrameDestination, type Identity } from '#switch'
import { NO_LOG } from '#telemetry'
import { JTL, NOW_MS, packCalled } from './packs.ts'

/** A link and a counterpart that both speak ISO 8583:1987, over a network in memory. */

const PACK = packCalled(JTL)
const IDENTITY: Identity = {
  bank: '999',
  partner: '4519001',
  switcher: 'JTL53L3',
  terminal: '0LOKET0000000001',
}
const OPTIONS = {
  inFlightMax: 8,
  dialTimeoutMs: 5_000,
  signOnTimeoutMs: 5_000,
  echoIdleMs: 60_000,
  echoTimeoutMs: 10_000,
  reconnectMinMs: 1_000,
  reconnectMaxMs: 30_000,
  lateMemoryMs: 300_000,
  lateMemoryMax: 100,
}

class World {
  readonly clock = new VirtualClock(NOW_MS)
  readonly #random = new SeededRandom(7)
  readonly #network = new MemoryNetwork({ clock: this.clock, random: this.#random })
  readonly biller = new SimulatedBiller({
    pack: PACK,
    acceptor: this.#network.acceptor('biller'),
    clock: this.clock,
    random: this.#random,
    book: new Book({}),
  })
  readonly link = new DialedLink<Message>({
    name: 'jtl',
    dialer: this.#network.dialer('biller', 'nadi'),
    dialect: dialectOf(PACK, IDENTITY, this.clock),
    options: OPTIONS,
    clock: this.clock,
    random: this.#random,
    log: NO_LOG,
  })
  readonly destination = new FrameDestination(this.link, PACK, IDENTITY, this.clock)

  async start(): Promise<this> {
    await this.biller.listen()
    this.link.start()
    await this.pass(1_000)
    return this
  }

  pass(ms: number): Promise<void> {
    return this.clock.runUntil(this.clock.nowMs() + ms)
  }

  /** Sends a message as it is and waits for what comes of it. */
  async send(message: Message, waitMs = 46_000): Promise<LinkOutcome<Message> | undefined> {
    const ended: LinkOutcome<Message>[] = []
    const prepared = this.destination.prepare(message)
    const done = (outcome: LinkOutcome<Message>): void => void ended.push(outcome)
    this.destination.send(prepared, 45_000, done, () => {})
    for (let passed = 0; passed < waitMs && ended.length === 0; passed += 500) await this.pass(500)
    return ended[0]
  }

  ask(kind: MessageKind, more: Partial<Message>): Message {
    const message: Message = {
      kind,
      direction: 'request',
      repeat: false,
      trace: '',
      sentAt: localTime(this.clock.nowMs()),
      channel: '6021',
      terminal: IDENTITY.terminal,
      ...more,
    }
    return this.destination.stamp(message)
  }
}

function answerOf(outcome: LinkOutcome<Message> | undefined): Message {
  if (outcome?.tag !== 'answered') throw new Error(`not answered: ${outcome?.tag}`)
  return outcome.content
}

/** The biller's answer to an inquiry, as the payment of it. */
function payment(world: World, told: Message, more: Partial<Message> = {}): Message {
  const { outcome: _, settlementDate: __, ...quoted } = told
  return world.destination.stamp({
    ...quoted,
    kind: 'payment',
    direction: 'request',
    ...(told.bills && { billsPaid: told.bills.length }),
    ...more,
  })
}

t.test('a link signs on, asks, pays and gives back under one reference number', async t => {
  const world = await new World().start()
  t.equal(world.link.state, 'up')
  const inquiry = world.ask('inquiry', {
    product: 'pln-postpaid',
    customer: { id: '999900000900' },
  })
  const told = answerOf(await world.send(inquiry))
  t.match(told, { kind: 'inquiry', outcome: { meaning: 'approved', code: '00' } })
  const pays = payment(world, told)
  t.equal(pays.reference?.own, told.reference?.own)
  const paid = answerOf(await world.send(pays))
  t.match(paid, {
    kind: 'payment',
    outcome: { meaning: 'approved' },
    settlementDate: '20261121',
    reference: { own: told.reference?.own },
  })
  const { trace, sentAt, bank = '' } = pays
  const reversal: Message = {
    ...pays,
    kind: 'reversal',
    sentAt: localTime(world.clock.nowMs()),
    original: { kind: 'payment', trace, sentAt, bank },
  }
  t.match(answerOf(await world.send(reversal)), { outcome: { meaning: 'approved' } })
  t.equal(world.biller.status().rejects, 0)
  await world.biller.close()
})

t.test('a purchase that is not answered is found out by the second advice', async t => {
  const world = await new World().start()
  const customer = { meter: '99990000922', knownBy: 'meter' } as const
  const inquiry = world.ask('inquiry', { product: 'pln-prepaid', customer })
  const told = answerOf(await world.send(inquiry))
  t.equal(told.adminMinor, undefined, 'this dialect tells no fee')
  const token = { ...told.token, option: 0 }
  const buys = payment(world, told, { amountMinor: rupiah(50_000), token })
  t.match(await world.send(buys), { tag: 'sent-no-answer', why: 'deadline' })
  const sentAt = (): Message['sentAt'] => localTime(world.clock.nowMs())
  const advice: Message = { ...buys, kind: 'advice', sentAt: sentAt() }
  t.match(await world.send(advice), { tag: 'sent-no-answer' })
  const again = answerOf(await world.send({ ...advice, repeat: true, sentAt: sentAt() }))
  t.match(again, { kind: 'advice', repeat: true, token: { number: /^\d{20}$/ } })
  await world.biller.close()
})

t.test('scenarios are told in this dialect’s own codes', async t => {
  const world = await new World().start()
  const rows: [customer: string, code: string, meaning: string, reason: Reason][] = [
    ['999900000902', '34', 'declined', 'already-paid'],
    ['999900000903', '09', 'declined', 'customer-unknown'],
    ['999900000904', '16', 'declined', 'customer-blocked'],
    ['999900000905', '90', 'declined', 'cut-off'],
    ['999900000952', '82', 'declined', 'not-available-yet'],
  ]
  for (const [id, code, meaning, reason] of rows) {
    const inquiry = world.ask('inquiry', { product: 'pln-postpaid', customer: { id } })
    t.match(answerOf(await world.send(inquiry)).outcome, { code, meaning, reason }, id)
  }
  const id = '999900000914'
  const inquiry = world.ask('inquiry', { product: 'pln-postpaid', customer: { id } })
  const told = answerOf(await world.send(inquiry))
  const paid = answerOf(await world.send(payment(world, told)))
  t.match(paid.outcome, { code: '18', meaning: 'unknown', reason: 'timeout' })
  await world.biller.close()
})

t.test('audit numbers of 6 digits are not used twice on a day', async t => {
  const world = new World()
  const message = world.ask('inquiry', { product: 'pln-postpaid' })
  const seen = new Set<string>()
  for (let turn = 0; turn < 2_000; turn++) {
    for (let more = 0; more < 5; more++) seen.add(world.destination.stamp(message).trace)
    await world.pass(turn % 3 === 0 ? 1 : 400)
  }
  t.equal(seen.size, 10_000)
  t.ok([...seen].every(trace => /^\d{6}$/.test(trace)))
})

t.test('what a partner wants back does not go on to the biller', async t => {
  const world = new World()
  const asked = world.ask('inquiry', { echoed: { 37: '999999999999', 12: '000000' } })
  t.notOk('echoed' in asked)
})
