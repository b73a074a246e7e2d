import t from 'tap'
import { NO_LOG } from '#telemetry'
import { SystemClock } from '#base'
import { declined, respond } from '#message'
import type { IsoMessage } from '#iso8583'
import type { Session } from '#listener'
import type { Pack } from '#pack'
import type { PartnerFacts } from '#screening'
import {
  EXCHANGE_PROFILES,
  FrameSecurity,
  type Incoming,
  type SecurityProfile,
  Source,
} from '#switch'
import { loadPacks } from '../../src/config/packs.ts'
import { clearKey, formZmk, retailMac, Ring, startHsm, wrapX } from './zone.ts'

const { packs } = loadPacks('protocols')
const pack = packs.get('bank-1987') as Pack
const { codec } = pack
const clock = new SystemClock()
const { hsm, end } = await startHsm()
t.teardown(end)

const PROFILE: SecurityProfile = {
  card: [],
  mac: {
    field: 128,
    algorithm: 'retail',
    padding: 1,
    macBytes: 8,
    keyType: 'ZAK',
    covers: 'message',
  },
  exchange: {
    profile: EXCHANGE_PROFILES.de48,
    keys: ['ZAK'],
    by: 'wait',
    everyMs: 0,
    timeoutMs: 200,
    attempts: 1,
    mac: false,
  },
}
const CAUSE = { by: 'ani', why: 'ticket 4711' }

/** One zone: what the switch has of it, and its MAC key in clear. */
async function zone(name: string) {
  const ring = new Ring()
  const [zmk, zak] = [clearKey(), clearKey()]
  const shared = await formZmk(hsm, zmk)
  await ring.agree('ZMK', shared)
  await ring.agree('ZAK', await hsm.importKey('ZAK', wrapX(zmk, zak), shared.key))
  const parts = { name, codec, hsm, keys: ring, profile: PROFILE, clock, log: NO_LOG }
  return { ring, zak, security: new FrameSecurity(parts) }
}
type Zone = Awaited<ReturnType<typeof zone>>

/** A session that notes what is said on it. */
class FakeSession implements Session {
  readonly peer = '127.0.0.1:1'
  readonly openedAtMs = 0
  readonly open = true
  readonly id: number
  readonly told: IsoMessage[] = []
  readonly #answers: IsoMessage[] = []
  #waiting: ((answer: IsoMessage | undefined) => void) | undefined
  silences = 0

  constructor(id: number) {
    this.id = id
  }

  answer(frame: Uint8Array): void {
    const message = codec.parse(Uint8Array.from(frame))
    this.#answers.push(message)
    this.#waiting?.(message)
  }

  tell(frame: Uint8Array): void {
    this.told.push(codec.parse(Uint8Array.from(frame)))
  }

  silence(): void {
    this.silences++
    this.#waiting?.(undefined)
  }

  close(): void {}

  /** What the next frame is answered with. */
  next(send: () => void): Promise<IsoMessage | undefined> {
    const { promise, resolve } = Promise.withResolvers<IsoMessage | undefined>()
    this.#waiting = resolve
    send()
    return promise
  }
}

const facts = (id: string): PartnerFacts => ({
  id,
  blocked: false,
  banks: new Set(['451']),
  switchers: new Set(['SWX0001']),
  terminals: new Set(['ATM00001']),
  products: new Set(),
})

/** A listener where two partners have keys of their own, and a third one the listener's. */
async function listener() {
  const zones = { own: await zone('channel'), a: await zone('bank-a'), b: await zone('bank-b') }
  const accepted: Incoming[] = []
  const source = new Source({
    name: 'channel',
    pack,
    clock,
    log: NO_LOG,
    partners: new Map(['4519001', '4519002', '4519003'].map(id => [id, facts(id)])),
    mayDial: () => true,
    accept: incoming => {
      accepted.push(incoming)
      incoming.send(incoming.write(respond(incoming.message, declined('customer-unknown'))))
    },
    security: zones.own.security,
    zones: new Map([
      ['4519001', zones.a.security],
      ['4519002', zones.b.security],
    ]),
  })
  let ids = 0
  const open = async (partner: string): Promise<FakeSession> => {
    const session = new FakeSession(++ids)
    source.onOpen(session)
    const answer = await session.next(() => source.onFrame(session, signOn(partner), false, NONE))
    if (answer?.get(39) !== '00') throw new Error(`${partner} cannot sign on`)
    return session
  }
  const ask = (session: FakeSession, { zak }: Zone): Promise<IsoMessage | undefined> =>
    session.next(() => source.onFrame(session, inquiry(zak), false, NONE))
  return { source, zones, accepted, open, ask }
}

const NONE = new Uint8Array(0)
let traces = 0
const trace = (): string => String(++traces).padStart(6, '0')

function signOn(partner: string): Uint8Array {
  const draft = codec
    .create('0800')
    .set(7, '1125120000')
    .set(11, trace())
    .set(41, 'ATM00001')
    .set(42, partner.padStart(15, '0'))
    .set(48, 'SWX0001')
    .set(70, '001')
  return Uint8Array.from(draft.build())
}

function inquiry(zak: Buffer): Uint8Array {
  const draft = codec
    .create('0200')
    .set(2, '4999111122223333')
    .set(3, '380000')
    .set(7, '1125120000')
    .set(11, trace())
    .set(12, '190000')
    .set(13, '1125')
    .set(18, '6011')
    .set(22, '021')
    .set(32, '451')
    .set(37, `6${String(traces).padStart(11, '0')}`)
    .set(41, 'ATM00001')
    .set(42, '000000004519001')
    .set(48, `SWX0001${'999900000001000'.padEnd(20)}`)
    .set(49, '360')
    .set(63, 'BILL')
  const out = Buffer.from(draft.set(128, '0'.repeat(16)).build())
  out.set(retailMac(zak, out.subarray(0, -8)), out.length - 8)
  return out
}

function holds(message: IsoMessage | undefined, { zak }: Zone): boolean {
  if (!message) return false
  const data = Buffer.from(message.frame.subarray(0, -8))
  return retailMac(zak, data).toString('hex').toUpperCase() === message.get(128)
}

t.test('each partner is read and answered under its own keys', async t => {
  const { zones, open, ask, accepted } = await listener()
  const rows: [partner: string, own: Zone, others: readonly Zone[]][] = [
    ['4519001', zones.a, [zones.b, zones.own]],
    ['4519002', zones.b, [zones.a, zones.own]],
    ['4519003', zones.own, [zones.a, zones.b]],
  ]
  for (const [partner, own, others] of rows) {
    const session = await open(partner)
    const before = accepted.length
    const answer = await ask(session, own)
    t.equal(answer?.get(39), '76', partner)
    t.ok(holds(answer, own), 'the answer has a MAC of that zone')
    t.equal(accepted[before]?.sessionPartner, partner)
    for (const other of others) {
      const refused = await ask(session, other)
      t.equal(refused?.get(39), '63', 'keys of others are worth nothing here')
      t.ok(holds(refused, own))
    }
    t.equal(accepted.length, before + 1)
    t.match(own.security.counts, { wrong: 2 })
  }
})

t.test('an exchange goes to the partner whose keys they are, on its newest line', async t => {
  const { source, zones, open } = await listener()
  const none = zones.a.security.exchange?.rotate('ZAK', CAUSE)
  await t.rejects(Promise.resolve(none), { code: 'KEY_EXCHANGE', hint: /there is no line/ })
  const [stale, b, a, own] = [
    await open('4519001'),
    await open('4519002'),
    await open('4519001'),
    await open('4519003'),
  ]
  const all = [stale, b, a, own]
  const told = (): number[] => all.map(session => session.told.length)
  const give = async (of: Zone, to: FakeSession, from = to): Promise<void> => {
    const before = to.told.length
    const given = of.security.exchange?.rotate('ZAK', CAUSE)
    while (to.told.length === before) await new Promise(resolve => setImmediate(resolve))
    const offer = to.told.at(-1) as IsoMessage
    t.match(offer, { mti: '0800' })
    const copied = offer.numbers.filter(number => number !== 48)
    const answer = offer.answer(copied).set(39, '00').build()
    source.onFrame(from, Uint8Array.from(answer), false, NONE)
    await given
  }
  await give(zones.a, a)
  t.same(told(), [0, 0, 1, 0])
  await give(zones.b, b)
  t.same(told(), [0, 1, 1, 0])
  await give(zones.own, own)
  t.same(told(), [0, 1, 1, 1])
  await give(zones.a, a, stale)
  t.same(told(), [0, 1, 2, 1], 'an answer may come by another line of the same partner')
  await t.rejects(give(zones.a, a, b), { code: 'KEY_EXCHANGE' }, 'but not by that of another one')
  source.onClose(a, 'gone')
  await give(zones.a, stale)
  t.same(told(), [1, 1, 3, 1])
  for (const { ring } of [zones.a, zones.b]) t.ok(ring.agreed > 2)
})

t.test('who has not signed on agrees no keys', async t => {
  const { source, zones, open } = await listener()
  const offer = async (): Promise<Uint8Array> => {
    const key = await hsm.generateKey('ZAK')
    const { ring } = zones.own
    const out = await hsm.exportKey(key.key, ring.active('ZMK') ?? '', 'X')
    const draft = codec.parse(signOn('4519003')).draft().set(70, '101')
    return Uint8Array.from(draft.set(48, `02${out.key.slice(1)}${out.checkValue}`).build())
  }
  const stranger = new FakeSession(99)
  source.onOpen(stranger)
  const before = zones.own.ring.active('ZAK')
  const good = await offer()
  const told = await stranger.next(() => source.onFrame(stranger, good, false, NONE))
  t.not(told?.get(39), '00')
  t.equal(zones.own.ring.active('ZAK'), before)
  t.match(zones.own.security.counts, { taken: 0, refused: 0 })
  const session = await open('4519003')
  const taken = await session.next(() => source.onFrame(session, good, false, NONE))
  t.equal(taken?.get(39), '00', 'the very same from somebody who has')
  t.not(zones.own.ring.active('ZAK'), before)
})

t.test('who signs on as another one meanwhile is not taken for it', async t => {
  const { source, zones, open, accepted } = await listener()
  const session = await open('4519001')
  const answer = session.next(() => {
    source.onFrame(session, inquiry(zones.a.zak), false, NONE)
  })
  source.onFrame(session, signOn('4519002'), false, NONE)
  t.equal((await answer)?.mti, '0810')
  const later = await session.next(() => {})
  t.equal(later?.get(39), '63')
  t.same(accepted, [])
})
