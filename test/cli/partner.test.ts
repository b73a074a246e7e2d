import * as fc from 'fast-check'
import { test } from 'tap'
import { SeededRandom, settled, VirtualClock } from '#base'
import { inquiryRequest, PartnerClient, type PartnerOptions, Stamps } from '#cli'
import { loadPacks } from '#config'
import { APPROVED, type Message, respond } from '#message'
import { type Connection, MemoryNetwork } from '#net'
import type { Pack } from '#pack'

const { packs } = loadPacks(new URL('../../protocols', import.meta.url).pathname)
const pack = packs.get('pln-2003-111') as Pack
const IDENTITY = {
  bank: '4519999',
  partner: '4519001',
  switcher: 'SWX0001',
  terminal: '0LOKET0000000001',
}

/** A switch that does what the test says with each request, in invented time. */
class World {
  readonly clock = new VirtualClock(Date.UTC(2026, 10, 20))
  readonly random: SeededRandom
  readonly network: MemoryNetwork
  readonly requests: Message[] = []
  readonly unmatched: Message[] = []
  connection: Connection | undefined

  constructor(seed = 1) {
    this.random = new SeededRandom(seed)
    this.network = new MemoryNetwork({ clock: this.clock, random: this.random })
  }

  async open(
    onRequest: (request: Message) => void = request => this.answer(request),
  ): Promise<this> {
    await this.network.acceptor('nadi').listen(connection => {
      this.connection = connection
      const reader = pack.framing.reader()
      return {
        onData: chunk =>
          reader.push(chunk, frame => {
            const read = pack.read(frame)
            if (read.tag === 'reject') return
            this.requests.push(read.message)
            onRequest(read.message)
          }),
        onClose: () => {},
      }
    })
    return this
  }

  answer(request: Message): void {
    this.connection?.write(pack.framing.wrap(pack.write(respond(request, REFUSED))))
  }

  async partner(more: Partial<PartnerOptions> = {}): Promise<PartnerClient> {
    const connecting = PartnerClient.connect({
      pack,
      dialer: this.network.dialer('nadi', 'partner'),
      clock: this.clock,
      identity: IDENTITY,
      onUnmatched: message => this.unmatched.push(message),
      ...more,
    })
    connecting.catch(() => {})
    await this.pass(10)
    return connecting
  }

  async pass(ms: number): Promise<void> {
    await settled()
    await this.clock.runUntil(this.clock.nowMs() + ms)
  }
}

const REFUSED = { meaning: 'declined', reason: 'customer-unknown' } as const
const TIMEOUT_MS = 1000

function inquiries(world: World, count: number): Message[] {
  const stamps = new Stamps(world.clock, world.random)
  return Array.from({ length: count }, () =>
    inquiryRequest(IDENTITY, stamps.next(), 'pln-postpaid', '999900000015'),
  )
}

/** What became of a request, in a word. */
function fate(promise: Promise<Message>): Promise<string> {
  return promise.then(
    ({ outcome }) => outcome?.reason ?? 'answered',
    (error: { code: string; actual?: string }) => `${error.code} ${error.actual ?? ''}`.trim(),
  )
}

test('each answer finds its own request, in whatever order they come', async t => {
  const held: Message[] = []
  const world = await new World().open(request => void held.push(request))
  const partner = await world.partner()
  const requests = inquiries(world, 50)
  const answers = requests.map(request => partner.request(request))
  await world.pass(10)
  t.equal(partner.inFlight, 50)
  for (const request of held.toReversed()) world.answer(request)
  await world.pass(10)
  const traces = (await Promise.all(answers)).map(({ trace }) => trace)
  t.same(
    traces,
    requests.map(({ trace }) => trace),
  )
  t.equal(partner.inFlight, 0)
  const closing = partner.close()
  await world.pass(10)
  await closing
  t.equal(partner.open, false)
})

test('the conversation: sign on, echo, sign off', async t => {
  const world = await new World().open(request =>
    world.connection?.write(pack.framing.wrap(pack.write(respond(request, APPROVED)))),
  )
  const partner = await world.partner()
  const said: Promise<Message>[] = [partner.signOn(), partner.echo(), partner.signOff()]
  await world.pass(10)
  for (const answer of await Promise.all(said)) t.equal(answer.outcome?.meaning, 'approved')
  t.same(
    world.requests.map(({ kind }) => kind),
    ['sign-on', 'echo', 'sign-off'],
  )
})

test('how a request may end', async t => {
  type Play = (world: World, partner: PartnerClient) => void
  const rows: [title: string, play: Play, fate: string][] = [
    [
      'answered',
      world => world.requests.forEach(request => world.answer(request)),
      'customer-unknown',
    ],
    ['not answered in time', () => {}, 'PARTNER_NO_ANSWER deadline'],
    ['the line is cut', world => world.network.cut(), 'PARTNER_NO_ANSWER broken'],
    ['we hang up', (_world, partner) => partner.destroy(), 'PARTNER_NO_ANSWER broken'],
    ['they hang up', world => world.connection?.end(), 'PARTNER_NO_ANSWER broken'],
    [
      'a frame header that lies',
      world => world.connection?.write(Uint8Array.of(0xff, 0xff, 1, 2, 3)),
      'PARTNER_NO_ANSWER broken',
    ],
    [
      'an answer that cannot be read',
      world => world.connection?.write(pack.framing.wrap(new Uint8Array(40).fill(0x41))),
      'PARTNER_NO_ANSWER deadline',
    ],
  ]
  for (const [title, play, wanted] of rows) {
    const world = await new World().open(() => {})
    const partner = await world.partner()
    const [request] = inquiries(world, 1) as [Message]
    const ended = fate(partner.request(request, TIMEOUT_MS))
    await world.pass(10)
    play(world, partner)
    await world.pass(TIMEOUT_MS)
    t.equal(await ended, wanted, title)
    t.equal(partner.inFlight, 0, title)
    partner.destroy()
  }
})

test('what is not sent is told apart from what is', async t => {
  const world = await new World().open(() => {})
  const partner = await world.partner()
  const [request, other] = inquiries(world, 2) as [Message, Message]
  const first = fate(partner.request(request, TIMEOUT_MS))
  t.equal(await fate(partner.request(request)), 'LINK_DUPLICATE_KEY', 'in flight already')
  t.equal(await fate(partner.request({ ...other, trace: 'x' })), 'CODEC_VALUE', 'cannot be said')
  t.equal(partner.inFlight, 1)
  await world.pass(TIMEOUT_MS + 10)
  t.equal(await first, 'PARTNER_NO_ANSWER deadline')
  world.answer(request)
  await world.pass(10)
  t.same(
    world.unmatched.map(({ trace }) => trace),
    [request.trace],
    'late, and nobody waits',
  )
  const closing = partner.close()
  await world.pass(10)
  await closing
  t.match(await fate(partner.request(other)), 'PARTNER_LINE')

  const nobody = new World()
  nobody.network.setFaults({ ...nobody.network.faultsOf('nadi'), refuse: 1 })
  await t.rejects(nobody.partner(), { code: 'PARTNER_LINE' })
  const silent = await new World().open()
  silent.network.setFaults({ ...silent.network.faultsOf('nadi'), unreachable: 1 })
  const dialing = silent.partner({ dialTimeoutMs: 100 })
  dialing.catch(() => {})
  await silent.pass(200)
  await t.rejects(dialing, { code: 'PARTNER_LINE' })
})

test('whatever bytes come, every request ends once', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1 }),
      fc.uint8Array({ maxLength: 300 }),
      async (seed, noise) => {
        const world = await new World(seed).open(request => {
          if (world.random.next() < 0.3) world.connection?.write(noise)
          world.answer(request)
        })
        world.network.setFaults({ ...world.network.faultsOf('nadi'), fragment: 0.5, merge: 0.5 })
        const partner = await world.partner()
        const ends = inquiries(world, 5).map(request => fate(partner.request(request, TIMEOUT_MS)))
        await world.pass(TIMEOUT_MS * 2)
        const all = await Promise.all(ends)
        return all.length === 5 && partner.inFlight === 0
      },
    ),
    { numRuns: 50 },
  )
  t.pass()
})
