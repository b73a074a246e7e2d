import * as fc from 'fast-check'
import t from 'tap'
import { minor, rupiah, Secret, VirtualClock } from '#base'
import { readHttpResponse, writeHttpRequest } from '#http'
import type { Message } from '#message'
import { OwnNumbers, type Product } from '#switch'
import { reply } from '../link/http-world.ts'
import { handPack, sealedCallback } from './hand-pack.ts'
import { biller, KEY, life, type Manner, manners, product, saying } from './http-world.ts'

const SLOW = { ...product('x').policy, spacingMs: 600_000 }
const SLOW_PRODUCTS = [product('bill', { policy: SLOW }), product('topup', { policy: SLOW })]

const meaningOf = ({ outcome }: Message): string => `${outcome?.meaning} ${outcome?.reason}`

t.test('what a biller does to a payment, and what becomes of it', async t => {
  const silent: Manner = () => {}
  const closing: Manner = ({ socket }) => socket.destroy()
  const status =
    (code: number): Manner =>
    (got, { own }) =>
      reply(got, JSON.stringify({ own, code: 'ok' }), { status: code })
  const after = (count: number, first: Manner, then: Manner): Manner => {
    let seen = 0
    return (got, asked, path) => (++seen <= count ? first : then)(got, asked, path)
  }
  const rows: [
    title: string,
    by: Record<string, Manner>,
    told: string,
    ends: string,
    paths: string[],
  ][] = [
    ['approved', {}, 'approved approved', 'paid', ['/payment']],
    [
      'declined',
      { '/payment': saying('no') },
      'declined customer-unknown',
      'declined',
      ['/payment'],
    ],
    [
      'pending, and paid at the second check',
      { '/payment': saying('wait'), '/status': after(1, saying('wait'), saying('ok')) },
      'unknown timeout',
      'paid',
      ['/payment', '/status', '/status'],
    ],
    [
      'pending, and there is no such payment',
      { '/payment': saying('wait'), '/status': saying('no') },
      'unknown timeout',
      'declined',
      ['/payment', '/status'],
    ],
    [
      'pending for ever: a person must look',
      { '/payment': saying('wait'), '/status': saying('wait') },
      'unknown timeout',
      'suspect',
      ['/payment', '/status', '/status', '/status'],
    ],
    [
      '500 after the work',
      { '/payment': status(500) },
      'unknown timeout',
      'paid',
      ['/payment', '/status'],
    ],
    [
      'a page of HTML',
      { '/payment': got => reply(got, '<html>') },
      'unknown timeout',
      'paid',
      ['/payment', '/status'],
    ],
    [
      'the answer to another payment',
      { '/payment': saying('ok', { customer: '0899' }) },
      'unknown timeout',
      'paid',
      ['/payment', '/status'],
    ],
    [
      'another amount',
      { '/payment': saying('ok', { amount: 1 }) },
      'unknown timeout',
      'paid',
      ['/payment', '/status'],
    ],
    [
      'hung up after it was read',
      { '/payment': closing },
      'unknown timeout',
      'paid',
      ['/payment', '/status'],
    ],
    ['silence', { '/payment': silent }, 'unknown timeout', 'paid', ['/payment', '/status']],
    [
      'checks that are not answered',
      { '/payment': saying('wait'), '/status': after(2, closing, saying('ok')) },
      'unknown timeout',
      'paid',
      ['/payment', '/status', '/status', '/status'],
    ],
  ]
  for (const [title, by, told, ends, paths] of rows)
    t.test(title, async t => {
      const one = await biller(t, manners(by))
      const policy = { ...product('topup').policy, answerTimeoutMs: 700 }
      const world = await life(one, { products: [product('topup', { policy })] })
      t.equal(meaningOf(await world.buy('topup')), told)
      const payment = await world.becomes(ends)
      t.equal(payment.tag, ends)
      t.strictSame(one.paths, paths)
      t.equal(new Set(one.owns()).size, 1, 'one reference from the payment to its last check')
      await world.end()
    })
})

t.test('references, seals and evidence', async t => {
  t.test(
    'our own reference is made at the inquiry and kept, and a partner sees its own',
    async t => {
      const one = await biller(t, manners({ '/payment': saying('wait') }))
      const world = await life(one)
      const told = await world.inquire('bill', { reference: { own: 'theirs-1' } })
      t.match(told, {
        amountMinor: rupiah(50_000),
        customer: { name: 'BUDI' },
        reference: { own: 'theirs-1' },
      })
      const answer = await world.pay(told)
      t.equal(answer.reference?.own, 'theirs-1')
      await world.becomes('paid')
      t.strictSame(one.paths, ['/inquiry', '/payment', '/status'])
      const [own, ...others] = one.owns()
      t.match(own, /^20\d{6}\d{12}$/)
      t.strictSame(others, [own, own])
      await world.end()
    },
  )

  t.test(
    'what leaves is sealed each time anew; what is kept holds no seal and no credential',
    async t => {
      const one = await biller(
        t,
        manners({ '/payment': saying('wait'), '/status': saying('wait') }),
      )
      const world = await life(one)
      await world.buy('topup')
      const { partner, id } = await world.becomes('suspect')
      const heads = one.server.got.map(({ head }) => head)
      const sealsOn = heads.map(head => /x-sign: (\w+)/.exec(head)?.[1])
      t.equal(new Set(sealsOn).size, 4, 'one seal for each sending')
      const story = await world.journal.story(partner, id)
      const frames = story?.records.flatMap(record => record.frames ?? []) ?? []
      const texts = frames.map(({ bytes }) => Buffer.from(bytes).toString())
      t.equal(
        frames.filter(({ via, direction }) => via === 'biller' && direction === 'out').length,
        4,
      )
      t.equal(
        frames.filter(({ via, direction }) => via === 'biller' && direction === 'in').length,
        4,
      )
      t.notOk(texts.some(text => text.includes('x-sign') || text.includes(KEY)))
      t.notOk(JSON.stringify(world.log.lines).includes(KEY))
      await world.end()
    },
  )

  t.test('a credential that is missing: nothing is sent', async t => {
    const one = await biller(t, manners({}))
    const world = await life(one, { pack: handPack() })
    t.equal(meaningOf(await world.buy('topup')), 'declined unavailable')
    t.strictSame(one.paths, [])
    await world.end()
  })

  t.test(
    'they forgot our token: it is fetched, and the same goes again with a fresh seal',
    async t => {
      let tokens = 0
      const one = await biller(
        t,
        manners({
          '/token': got => reply(got, `token-${++tokens}`),
          '/payment': (got, asked, path) =>
            saying(got.head.includes('x-token: token-2') ? 'ok' : 'who')(got, asked, path),
        }),
      )
      const world = await life(one, { pack: handPack({ key: new Secret(KEY) }, true) })
      await world.until(() => world.ends[0]?.up === true)
      t.equal(meaningOf(await world.buy('topup')), 'approved approved')
      t.strictSame(one.paths, ['/token', '/payment', '/token', '/payment'])
      t.equal(new Set(one.owns()).size, 1)
      await world.end()
    },
  )

  t.test('not sent: the next link, and a decline when there is none', async t => {
    const one = await biller(t, manners({}))
    const deaf = 'http://127.0.0.1:1'
    const both = [product('topup', { links: ['biller', 'biller-2'] })]
    const world = await life(one, { products: both, urls: [deaf, `http://127.0.0.1:${one.port}`] })
    t.equal(meaningOf(await world.buy('topup')), 'approved approved')
    await world.end()
    const alone = await life(one, { products: [product('topup')], urls: [deaf] })
    t.equal(meaningOf(await alone.buy('topup')), 'declined unavailable')
    t.strictSame(one.paths, ['/payment'])
    await alone.end()
  })

  t.test('the numbers never come again: not in a burst, not on another node', t => {
    const clock = new VirtualClock(Date.UTC(2026, 10, 25, 16, 59, 59, 900))
    const nodes = [0, 1, 63].map(node => new OwnNumbers(clock, node))
    const seen = new Set<string>()
    let count = 0
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 20 }), steps => {
        for (const ms of steps) {
          void clock.runUntil(clock.nowMs() + ms)
          for (const numbers of nodes)
            for (let i = 0; i < 200; i++) {
              const { own, trace } = numbers.next()
              if (!/^\d{20}$/.test(own) || own.slice(8) !== trace) return false
              seen.add(own)
              count++
            }
        }
        return seen.size === count
      }),
      { numRuns: 20 },
    )
    t.ok([...seen].some(own => own.startsWith('20261125')))
    t.end()
  })
})

t.test('products that are sold unasked', async t => {
  const fee = {
    adminPerBillMinor: minor(150_000n),
    insideAmount: false,
    shares: { biller: 0n, switch: 1n, partner: 1n },
  }
  const inside = { feeInside: true, fee: { ...fee, insideAmount: true } }
  const one = new Set([rupiah(10_000)])
  const rows: [
    title: string,
    more: Partial<Product>,
    asked: number | undefined,
    told: string,
    amount?: number | undefined,
    admin?: number,
  ][] = [
    ['a denomination', {}, 10_000, 'approved approved', 10_000, 0],
    ['no amount: the payment says which', {}, undefined, 'approved approved', undefined, 0],
    [
      'no amount where there is only one',
      { denominationsMinor: one },
      undefined,
      'approved approved',
      10_000,
      0,
    ],
    ['what is no denomination', {}, 11_000, 'declined amount-invalid'],
    ['with a fee beside', { fee }, 10_000, 'approved approved', 10_000, 1_500],
    ['with the fee inside', inside, 11_500, 'approved approved', 11_500, 1_500],
    ['with the fee inside, forgotten', inside, 10_000, 'declined amount-invalid'],
    [
      'only one, with the fee inside',
      { ...inside, denominationsMinor: one },
      undefined,
      'approved approved',
      11_500,
      1_500,
    ],
    ['any amount', { denominationsMinor: undefined }, 12_345, 'approved approved', 12_345, 0],
    [
      'any amount, none said',
      { denominationsMinor: undefined },
      undefined,
      'declined amount-invalid',
    ],
    ['too little', { denominationsMinor: undefined }, 999, 'declined below-minimum'],
    ['too much', { denominationsMinor: undefined }, 1_000_001, 'declined above-maximum'],
    ['not sold now', { enabled: false }, 10_000, 'declined product-unknown'],
  ]
  for (const [title, more, asked, told, amount, admin] of rows)
    t.test(title, async t => {
      const server = await biller(t, manners({}))
      const world = await life(server, { products: [product('topup', more)] })
      const quote = await world.inquire(
        'topup',
        asked === undefined ? {} : { amountMinor: rupiah(asked) },
      )
      t.equal(meaningOf(quote), told)
      if (told === 'approved approved') {
        t.equal(quote.amountMinor, amount === undefined ? undefined : rupiah(amount))
        t.equal(quote.adminMinor, rupiah(admin ?? 0))
        const paid = await world.pay(quote, quote.amountMinor ?? rupiah(25_000))
        t.equal(meaningOf(paid), 'approved approved')
      }
      t.strictSame(
        server.paths,
        told === 'approved approved' ? ['/payment'] : [],
        'nobody was asked',
      )
      await world.end()
    })

  t.test('what the biller tells at the payment comes to the partner', async t => {
    const server = await biller(
      t,
      manners({ '/payment': saying('ok', { serial: 'SN-1', name: 'SITI' }) }),
    )
    const world = await life(server)
    t.match(await world.buy('topup'), { serial: 'SN-1', customer: { id: '0811', name: 'SITI' } })
    await world.end()
  })
})

t.test('callbacks', async t => {
  const pending = manners({ '/payment': saying('wait'), '/status': saying('wait') })
  const ownOf = (one: { owns(): unknown[] }): string => String(one.owns()[0])

  t.test('what was pending is told: paid, or not; and told again it changes nothing', async t => {
    for (const [code, ends] of [
      ['ok', 'paid'],
      ['no', 'declined'],
    ] as const) {
      const one = await biller(t, pending)
      const world = await life(one, { products: SLOW_PRODUCTS })
      t.equal(meaningOf(await world.buy('topup')), 'unknown timeout')
      const told = { own: ownOf(one), code, serial: 'SN-9' }
      const atMs = world.clock.nowMs()
      t.equal(await world.tell({ own: told.own, code: 'wait' }), 200, 'still pending')
      t.equal((await world.becomes('unknown')).tag, 'unknown')
      t.equal(await world.tell(told, atMs), 200)
      const payment = await world.becomes(ends)
      t.equal(payment.tag, ends)
      const { length } = payment.records
      t.equal(await world.tell(told, atMs), 200, 'replayed')
      t.equal(await world.tell(told, atMs - 1), 200, 'signed anew')
      t.equal((await world.payments())[0]?.records.length, length, 'nothing is added')
      t.equal(await world.tell({ ...told, code: code === 'ok' ? 'no' : 'ok' }), 200, 'the contrary')
      await world.until(async () => (await world.payments())[0]?.records.length === length + 1)
      t.equal(
        (await world.payments())[0]?.tag,
        ends,
        'final is final, and the contrary is on record',
      )
      t.match(world.desk.counts, { late: 3, repeated: 2, answered: 0 })
      t.strictSame(one.paths, ['/payment'])
      await world.end()
    }
  })

  t.test('it comes before the answer to the payment itself', async t => {
    for (const [last, event] of [
      ['wait', 'late-unclear'],
      ['ok', 'late-approved'],
      ['no', 'late-declined'],
    ] as const) {
      let answer = (): void => {}
      const one = await biller(
        t,
        manners({
          '/payment': (got, asked, path) => (answer = () => saying(last)(got, asked, path)),
        }),
      )
      const world = await life(one, { products: SLOW_PRODUCTS })
      const bought = world.buy('topup')
      await world.until(() => one.paths.length === 1)
      t.equal(await world.tell({ own: ownOf(one), code: 'ok', serial: 'SN-1' }), 200)
      t.match(await bought, { outcome: { meaning: 'approved' }, serial: 'SN-1' })
      answer()
      await world.until(async () => (await world.payments())[0]?.records.at(-1)?.event === event)
      const [payment] = await world.payments()
      t.match(payment, { tag: 'paid' })
      t.strictSame(
        payment?.records.map(record => record.event),
        ['admitted', 'approved', event],
      )
      t.match(world.desk.counts, { answered: 1 })
      await world.end()
    }
  })

  t.test('who is not believed, and why', async t => {
    const one = await biller(t, pending)
    const world = await life(one, { products: SLOW_PRODUCTS })
    await world.buy('topup')
    const told = { own: ownOf(one), code: 'ok' }
    const { headers, body } = sealedCallback(handPack({ key: new Secret(KEY) }), told)
    const other = sealedCallback(handPack({ key: new Secret('another key') }), told)
    const bytes = Buffer.from(body)
    t.equal(await world.post(headers, bytes.toString().replace('ok', 'no')), 403, 'another content')
    t.equal(
      await world.post(headers, Buffer.concat([bytes, Buffer.from(' ')])),
      403,
      'the same, but for a space',
    )
    t.equal(await world.post({ 'content-type': 'application/json' }, bytes), 403, 'unsigned')
    t.equal(await world.post(other.headers, other.body), 403, 'another key')
    t.equal(await world.tell(told, world.clock.nowMs() - 600_000), 403, 'of ten minutes ago')
    t.equal(await world.tell({ code: 'ok' }), 403, 'of no payment at all')
    t.equal(
      await world.tell({ own: '20200101000000000000', code: 'ok' }),
      200,
      'of none of ours: nothing to say',
    )
    t.match(world.desk.counts, {
      forged: 3,
      missing: 1,
      stale: 1,
      unreadable: 1,
      unmatched: 1,
      late: 0,
    })
    t.equal((await world.payments())[0]?.tag, 'unknown')
    t.notOk(JSON.stringify(world.log.lines).includes(told.own), 'nothing of it is in the log')
    t.equal(await world.post(headers, bytes), 200)
    t.equal((await world.becomes('paid')).tag, 'paid')
    await world.end()
  })

  t.test('another customer or amount than was paid for: recorded, and not believed', async t => {
    const one = await biller(t, pending)
    const world = await life(one, { products: SLOW_PRODUCTS })
    await world.buy('topup')
    for (const more of [{ customer: '0899' }, { amount: 1 }])
      t.equal(await world.tell({ own: ownOf(one), code: 'ok', ...more }), 200)
    await world.until(async () => (await world.payments())[0]?.records.length === 4)
    t.equal((await world.payments())[0]?.tag, 'unknown')
    await world.end()
  })

  t.test('after the process began anew', async t => {
    const one = await biller(t, pending)
    const first = await life(one, { products: SLOW_PRODUCTS })
    await first.buy('topup')
    await first.becomes('unknown')
    await first.end()

    const second = await life(one, { products: SLOW_PRODUCTS })
    await second.theSwitch.recover()
    t.equal(await second.tell({ own: ownOf(one), code: 'ok' }), 200)
    t.equal((await second.payments())[0]?.tag, 'paid', 'durable before they are answered')
    t.match(second.desk.counts, { late: 1 })
    await second.end()

    const third = await life(one)
    t.equal(await third.tell({ own: ownOf(one), code: 'no' }), 200)
    t.match(third.desk.counts, { unmatched: 1 }, 'final is final')
    t.equal((await third.payments())[0]?.tag, 'paid')
    await third.end()
  })

  t.test(
    'many that nobody waits for: looked up one after the other, and no more than so many',
    async t => {
      const one = await biller(t, pending)
      const world = await life(one)
      const pack = handPack({ key: new Secret(KEY) })
      const frames = Array.from({ length: 80 }, (_, i) => {
        const { headers, body } = sealedCallback(pack, { own: `nobody-${i}`, code: 'ok' })
        return writeHttpRequest({ method: 'POST', target: '/told', headers, body })
      })
      const answers = await Promise.all(frames.map(frame => world.desk.take(frame)))
      const statuses = answers.map(answer => readHttpResponse(answer).status)
      t.equal(statuses.filter(status => status === 200).length, 64)
      t.equal(statuses.filter(status => status === 503).length, 16)
      t.match(world.desk.counts, { unmatched: 64, unavailable: 16 })
      await world.end()
    },
  )

  t.test('a payment that waits for a person is found in the journal', async t => {
    for (const [code, ends] of [
      ['ok', 'paid'],
      ['no', 'reversed'],
    ] as const) {
      const one = await biller(t, pending)
      const first = await life(one)
      await first.buy('topup')
      await first.becomes('suspect')
      await first.end()

      const second = await life(one)
      await second.theSwitch.recover()
      second.journal.setAvailable(false)
      t.equal(
        await second.tell({ own: ownOf(one), code }),
        503,
        'not now: they shall tell it again',
      )
      second.journal.setAvailable(true)
      t.equal((await second.becomes(ends)).tag, ends)
      const told = { own: ownOf(one), code }
      await second.until(async () => (await second.tell(told)) === 200)
      t.match(second.desk.counts, { unmatched: 0, late: 1 })
      t.equal((await second.payments())[0]?.tag, ends)
      await second.end()
    }
  })
})
