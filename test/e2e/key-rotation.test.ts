import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import type { HandedKeyView, KeyStoryView, ZoneKeyView } from '#admin'
import type { BankChannel } from './bank-channel.ts'
import { BankDaemon } from './bank-daemon.ts'

const CARD = { pan: '4999111122223333', pin: '4711' }
const BECAUSE = '--reason ticket_4711'

/** Pays as long as it is open; what every inquiry and payment was answered with. */
class Shops {
  readonly codes: (string | undefined)[] = []
  readonly #channel: BankChannel
  readonly #shops: Promise<void>[]
  #open = true

  constructor(channel: BankChannel, count: number, first: number) {
    this.#channel = channel
    this.#shops = Array.from({ length: count }, (_, at) => this.#shop(first + at))
  }

  /** Until so many more were paid. */
  async paid(more: number): Promise<void> {
    const wanted = this.codes.length + more * 2
    while (this.codes.length < wanted) await sleep(10)
  }

  async close(): Promise<readonly (string | undefined)[]> {
    this.#open = false
    await Promise.all(this.#shops)
    return this.codes.filter(code => code !== '00')
  }

  async #shop(nth: number): Promise<void> {
    let bill = 0
    while (this.#open) {
      // Three zeros at the end: the bank plays no scenario.
      const customer = `9999${String(nth * 10_000 + bill++).padStart(6, '0')}000`
      const quote = await this.#channel.inquire(CARD, customer)
      this.codes.push(quote?.get(39))
      if (quote) this.codes.push((await this.#channel.pay(quote, CARD))?.get(39))
    }
  }
}

test('an operator rotates keys under traffic: real daemon, real store, simulated bank', async t => {
  const daemon = await BankDaemon.start(CARD)
  t.teardown(() => daemon.end())
  const { bank, ring } = daemon
  let handed = ''
  let channel = await daemon.channel(daemon.zones.channel)
  t.teardown(() => channel.end())
  const active = async (type: string, zone = 'bank'): Promise<ZoneKeyView | undefined> =>
    (await daemon.keys(`zone=${zone}&type=${type}&state=active`))[0]

  await t.test('each is agreed over its line, and nothing fails meanwhile', async t => {
    const shops = new Shops(channel, 3, 1)
    await shops.paid(3)
    for (const [zone, type] of [
      ['bank', 'ZAK'],
      ['bank', 'ZPK'],
      ['channel', 'ZAK'],
      ['channel', 'ZPK'],
      ['bank', 'ZAK'],
    ] as const) {
      const before = await active(type, zone)
      const { code, said, errors } = await daemon.nadi(`key rotate ${zone} ${type} ${BECAUSE}`)
      t.equal(code, 0, `${zone} ${type}`, { said, errors })
      t.match(said, /We gave it, and they took it: in use on both sides\. Check value [0-9A-F]{6}/)
      const now = await active(type, zone)
      t.not(now?.id, before?.id)
      t.match(now, { origin: 'exchanged', by: 'ani', why: 'ticket 4711' })
      const [previous] = await daemon.keys(`zone=${zone}&type=${type}&state=previous`)
      t.equal(previous?.id, before?.id, 'the one before still comes in')
      if (zone === 'bank') t.equal(now?.checkValue, ring.checkValue(type), 'the same at the bank')
      await shops.paid(3)
    }
    t.same(await shops.close(), [], 'no inquiry and no payment failed')
    t.match(bank.counts, { badMacs: 0, wrongPins: 0, keys: 3 })
    t.equal(channel.badMacs, 0)
    t.equal(channel.keysTaken, 2)
  })

  await t.test('a refused one leaves all as it was, and the operator is told', async t => {
    const before = await active('ZAK')
    bank.keysGiven = 'refused'
    const { code, errors } = await daemon.nadi(`key rotate bank ZAK ${BECAUSE}`)
    t.equal(code, 1)
    t.match(errors, /KEY_EXCHANGE.*they refuse it; the key stays as it is/)
    t.equal((await active('ZAK'))?.id, before?.id)
    t.same(await daemon.keys('zone=bank&type=ZAK&state=pending'), [], 'none is left over')
  })

  await t.test('an unanswered one is given again, the same, also after a crash', async t => {
    const before = await active('ZAK')
    bank.keysGiven = 'unanswered'
    const { code, errors } = await daemon.nadi(`key rotate bank ZAK ${BECAUSE}`)
    t.equal(code, 1)
    t.match(errors, /KEY_EXCHANGE.*they do not answer; the key stays as it is.*may come in/)
    t.equal((await active('ZAK'))?.id, before?.id, 'nothing leaves under the new one')
    const [offered, ...more] = await daemon.keys('zone=bank&type=ZAK&state=pending')
    t.same(more, [])
    t.equal(offered?.checkValue, ring.checkValue('ZAK'), 'the bank has it, and uses it')
    const shops = new Shops(channel, 1, 50)
    await shops.paid(2)
    t.same(await shops.close(), [], 'what comes under it is let in')

    await daemon.kill()
    bank.keysGiven = 'taken'
    await daemon.run()
    while ((await active('ZAK'))?.id !== offered?.id) await sleep(50)
    t.same(await daemon.keys('zone=bank&type=ZAK&state=pending'), [])
    const { acts } = await daemon.get<KeyStoryView>(`/v1/keys/${offered?.id}`)
    t.same(
      acts.map(({ act, by, why }) => [act, by, why]),
      [
        ['offer', 'ani', 'ticket 4711'],
        ['exchange', 'exchange', 'it was not answered before'],
      ],
    )
    const again = await daemon.channel(channel.zone)
    channel.end()
    channel = again
    const later = new Shops(channel, 1, 60)
    await later.paid(2)
    t.same(await later.close(), [], 'and both sides go on with it')
    t.equal(bank.counts.badMacs, 0)
  })

  await t.test('by hand, where that is wanted', async t => {
    const wrong = await daemon.nadi(`key rotate bank ZPK --scheme X ${BECAUSE}`)
    t.match([wrong.code, wrong.errors], [1, /ADMIN_BAD_REQUEST.*agreed over the line/])
    const two = await daemon.nadi(`key rotate bank ZPK --by-hand ${BECAUSE}`)
    t.match([two.code, two.errors], [1, /ADMIN_APPROVAL.*another operator/])
    const [act, ...more] = await daemon.approve<HandedKeyView>('they have no exchange today')
    t.same(more, [])
    handed = act?.wrapped ?? ''
    t.match(act, { wrapped: /^RB/, key: { state: 'pending', origin: 'generated', by: 'ani' } })
  })

  await t.test('nothing of it is written anywhere', async t => {
    const written = daemon.written().toUpperCase()
    t.match(written, /"ACT":"KEY.ROTATE"/)
    const clear = [daemon.zones, { channel: channel.zone, bank: daemon.zones.bank }]
      .flatMap(({ channel: one, bank: other }) => [...Object.values(one), ...Object.values(other)])
      .map(key => key.toString('hex').toUpperCase())
    for (const secret of [...clear, ...daemon.tokens, CARD.pan, handed.slice(-32)])
      t.notOk(written.includes(secret.toUpperCase()), 'no key, no token, no card')
  })
})
