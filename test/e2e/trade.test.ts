import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { parse } from 'yaml'
import { rupiah } from '#base'
import { ROOT } from './daemon.ts'
import {
  aboutFor,
  inquiryFor,
  Lab,
  numberFor,
  paymentFor,
  type Product,
  quoted,
  reasonOf,
  until,
} from './lab.ts'
import { Line } from './line.ts'

/** The samples of the trade, by their title. */
const SAMPLES: ReadonlyMap<string, string> = new Map(
  (
    parse(readFileSync(join(ROOT, 'protocols/pln-2003-111/samples.yaml'), 'utf8'), {
      schema: 'failsafe',
    }) as { title: string; frame: string }[]
  ).map(({ title, frame }) => [title, frame]),
)

function sample(title: string): string {
  const frame = SAMPLES.get(title)
  if (frame === undefined) throw new Error(`there is no sample ${title}`)
  return frame
}

// What switch and biller make anew each time, as it stands in the samples.
const OURS = 'SWX2026112009150000000000000ABCD'
const OURS_PREPAID = 'SWX2026112009200000000000000ABCD'
const BILLERS = 'PLN0000000000000000000000000ABC1'
const TOKEN = '12345678901234567890'
const SETTLED = '202611216021'
const RECEIPT = '00000077'

type Made = Record<string, string>

/** An answer must be the sample to the byte, but for what was made anew; returns that. */
function like(
  t: Test,
  answer: string | undefined,
  title: string,
  anew: readonly string[],
  known: Made = {},
): Made {
  let wanted = sample(title)
  const made: Made = { ...known }
  for (const old of anew) {
    const at = sample(title).indexOf(old)
    if (at < 0) throw new Error(`${title} has no ${old}`)
    made[old] = answer?.slice(at, at + old.length) ?? ''
  }
  for (const [old, now] of Object.entries(made)) wanted = wanted.replaceAll(old, now)
  t.equal(answer, wanted, title)
  return made
}

function withMade(title: string, made: Made): string {
  return Object.entries(made).reduce(
    (frame, [old, now]) => frame.replaceAll(old, now),
    sample(title),
  )
}

test('the trade, on the real daemon', async t => {
  const lab = await Lab.start({
    deposits: ['Rp 1.000.000.000.000', 'Rp 1.000.000.000.000', 'Rp 300.000'],
  })
  t.teardown(() => lab.end())
  const { daemon } = lab

  await t.test('the conversation', async t => {
    const line = await Line.connect(daemon.address)
    const inquiry = sample('postpaid inquiry')
    const refused = await line.ask(inquiry)
    t.match(
      refused,
      /^2110.{16}0599501.*7451900100110LOKET/,
      'a request before the sign-on gets 0011',
    )
    t.match(await line.ask(sample('echo')), /^2810.*0745190010011301/, 'an echo before it too')
    t.equal(await line.ask(sample('sign-on')), sample('sign-on answered'))
    const echoed = sample('echo').replace('28000010000081810000', '28100010000083810000')
    t.equal(await line.ask(sample('echo')), echoed.replace('0745190013010', '07451900100003010'))
    t.match(await line.ask(sample('sign-off')), /^2810.*745190010000002/, 'signed off')
    t.match(await line.ask(inquiry), /^2110.*7451900100110LOKET/, 'and 0011 again')
    line.end()
  })

  await t.test('the samples, byte for byte', async t => {
    const line = await Line.connect(daemon.address)
    t.equal(await line.ask(sample('sign-on')), sample('sign-on answered'))

    const postpaid = like(
      t,
      await line.ask(sample('postpaid inquiry')),
      'postpaid inquiry answered, 2 of 3 bills',
      [OURS],
    )
    t.match(postpaid[OURS], /^SWX20\d{12}[0-9A-F]{15}$/)
    const pay = withMade('postpaid payment of 2 bills', postpaid)
    const paid = await line.ask(pay)
    like(t, paid, 'postpaid payment answered', [SETTLED], postpaid)
    t.equal(await line.ask(pay), paid, 'the same request has the same answer')
    like(
      t,
      await line.ask(withMade('postpaid reversal', postpaid)),
      'postpaid reversal answered',
      [],
      postpaid,
    )
    const again = await line.ask(withMade('postpaid reversal, repeated', postpaid))
    t.match(again, /^241[01].*7451900100000LOKET/, 'a reversal repeated is answered as the first')

    const prepaid = like(
      t,
      await line.ask(sample('prepaid inquiry by meter')),
      'prepaid inquiry answered',
      [OURS_PREPAID, BILLERS],
    )
    const adviceBefore = await line.ask(withMade('prepaid advice', prepaid))
    like(t, adviceBefore, 'prepaid advice answered, no such purchase', [], prepaid)
    const bought = like(
      t,
      await line.ask(withMade('prepaid purchase', prepaid)),
      'prepaid purchase answered with the token',
      [SETTLED, TOKEN, RECEIPT],
      prepaid,
    )
    t.match(bought[TOKEN], /^\d{20}$/)
    const { [SETTLED]: _, ...token } = bought
    like(
      t,
      await line.ask(withMade('prepaid advice', prepaid)),
      'prepaid advice answered with the token',
      [],
      token,
    )
    t.match(
      await line.ask(withMade('prepaid advice, repeated', prepaid)),
      new RegExp(`^223[01].*7451900100000LOKET.*${bought[TOKEN]}`),
    )

    const registered = like(
      t,
      await line.ask(sample('non-taglis inquiry')),
      'non-taglis inquiry answered',
      [OURS_PREPAID, BILLERS],
    )
    const payFee = withMade('non-taglis payment', registered)
    like(t, await line.ask(payFee), 'non-taglis payment answered', [SETTLED], registered)
    t.match(
      await line.ask(withMade('non-taglis reversal', registered)),
      /^2410.*7451900100000LOKET/,
    )

    const unknown = (frame: string): string => frame.replace('999900000015', '123400000015')
    t.equal(
      await line.ask(unknown(sample('postpaid inquiry'))),
      unknown(sample('postpaid inquiry declined, unknown subscriber')),
    )
    line.end()
  })

  await t.test('two partners never see each other', async t => {
    const [first, second] = [await daemon.openTill(0), await daemon.openTill(1)]
    const quote = await quoted(first, 'pln-postpaid', numberFor('pln-postpaid', '100'))
    const payment = paymentFor(first, quote)
    // What the second partner would have overheard, under its own name.
    const stolen = { ...payment, partner: '4519002' }
    const own = 'its own name'
    const rows: [title: string, message: typeof payment, wanted: string][] = [
      [`a payment of the other's inquiry, in ${own}`, stolen, 'no-inquiry'],
      [
        `a reversal before there is a payment, in ${own}`,
        { ...aboutFor(second, 'reversal', payment), partner: '4519002' },
        'no-payment',
      ],
      ["a payment in the other's name", payment, 'party-mismatch'],
      [
        "an inquiry in the other's name",
        { ...inquiryFor(second, 'pln-postpaid', '999900000100'), partner: '4519001' },
        'party-mismatch',
      ],
      [
        "a reversal in the other's name",
        { ...aboutFor(second, 'reversal', payment), partner: '4519001' },
        'party-mismatch',
      ],
    ]
    for (const [title, message, wanted] of rows)
      t.equal(reasonOf(await second.request(message, 5_000)), wanted, title)
    t.equal(reasonOf(await first.request(payment, 5_000)), 'approved', 'the owner pays')
    const late: typeof rows = [
      ["the other's payment, once it is paid", payment, 'party-mismatch'],
      [`the same in ${own}`, stolen, 'no-inquiry'],
      [
        `a reversal of it in ${own}`,
        { ...aboutFor(second, 'reversal', payment), partner: '4519002' },
        'no-payment',
      ],
    ]
    for (const [title, message, wanted] of late)
      t.equal(reasonOf(await second.request(message, 5_000)), wanted, title)
    t.equal((await daemon.payment('999900000100'))?.state, 'paid')

    // While the first one's payment is on its way its answer is nobody else's either.
    const slow = paymentFor(
      first,
      await quoted(first, 'pln-postpaid', numberFor('pln-postpaid', '1939')),
    )
    const paying = first.request(slow, 5_000)
    t.equal(reasonOf(await second.request(slow, 5_000)), 'party-mismatch', 'while it is on its way')
    t.equal(reasonOf(await paying), 'approved')
    const balances = await daemon.balances('4519002')
    t.same(
      balances,
      { deposit: 100_000_000_000_000n, funding: -100_000_000_000_000n },
      'nothing of the second one moved',
    )
    for (const till of [first, second]) till.hangUp()
  })

  await t.test('the same request, the same answer (law 4)', async t => {
    const violations: string[] = []
    const till = await daemon.openTill(0, text => violations.push(text))
    const products: Product[] = ['pln-postpaid', 'pln-prepaid', 'pln-nontaglis']
    for (const product of products) {
      const number = numberFor(product, '200')
      const payment = paymentFor(till, await quoted(till, product, number))
      const answer = await till.request(payment, 5_000, 3)
      t.equal(reasonOf(answer), 'approved', `${product}: sent three times at once`)
      const again = await till.request(payment, 5_000)
      t.same(again, answer, `${product}: and once more, later`)
      const entries = [...lab.biller.book.entries()].filter(({ account }) =>
        account.endsWith(number),
      )
      t.match(
        entries,
        { length: 1, 0: { state: 'paid', asked: 1 } },
        `${product}: sent once to the biller`,
      )
      const other = { ...payment, trace: '000000099999' }
      t.equal(
        reasonOf(await till.request(other, 5_000)),
        'already-paid',
        `${product}: paid once, and not by another request`,
      )
    }
    t.same(violations, [], 'every request was answered once')
    till.hangUp()
  })

  await t.test('the same request while the biller is away', async t => {
    const till = await daemon.openTill()
    const payment = paymentFor(
      till,
      await quoted(till, 'pln-postpaid', numberFor('pln-postpaid', '300')),
    )
    const answer = await till.request(payment, 5_000)
    t.equal(reasonOf(answer), 'approved')
    await lab.stopBiller()
    await until('the link is down', async () => {
      const { links } = await daemon.status()
      return links.some(({ name, state }) => name === 'pln' && state !== 'up')
    })
    t.same(await till.request(payment, 5_000), answer, 'the answer is ours to give')
    const refused = await till.request(inquiryFor(till, 'pln-postpaid', '999900000301'), 5_000)
    t.equal(refused?.outcome?.code, '0005', 'a new inquiry gets an immediate no')
    await lab.startBiller()
    till.hangUp()
  })

  await t.test('what is paid is what was quoted (law 5)', async t => {
    const till = await daemon.openTill()
    const number = numberFor('pln-postpaid', '400')
    const quote = await quoted(till, 'pln-postpaid', number)
    const payment = paymentFor(till, quote)
    const amountMinor = ((payment.amountMinor ?? 0n) + 100n) as NonNullable<
      typeof payment.amountMinor
    >
    const own = quote.reference?.switching ?? ''
    const switching = own.slice(0, 31) + (own.endsWith('0') ? '1' : '0')
    const foreign = 'SWX20261120091500000000000000001'
    const rows: [title: string, change: Partial<typeof payment>, wanted: string][] = [
      ['one rupiah more', { amountMinor }, 'amount-invalid'],
      [
        'an inquiry that never was',
        { reference: { ...quote.reference, switching: foreign } },
        'no-inquiry',
      ],
      ['a mistyped reference', { reference: { ...quote.reference, switching } }, 'no-inquiry'],
      [
        'another customer',
        { customer: { ...quote.customer, id: '999900000401' } },
        'reference-mismatch',
      ],
      ['another bank', { bank: '4510000' }, 'bank-unknown'],
      ['another terminal', { terminal: '0LOKET0000000002' }, 'partner-unknown'],
      ['another switcher', { switcher: 'SWX0002' }, 'party-mismatch'],
    ]
    for (const [title, change, wanted] of rows) {
      const { trace } = till.message('payment', {})
      t.equal(reasonOf(await till.request({ ...payment, ...change, trace }, 5_000)), wanted, title)
    }
    t.equal(lab.believes(number), 'nothing', 'none of them reached the biller')
    t.equal(reasonOf(await till.request(payment, 5_000)), 'approved', 'as quoted it is paid')
    till.hangUp()
  })

  await t.test('a deposit that does not cover it: 0046', async t => {
    const till = await daemon.openTill(2)
    const number = numberFor('pln-prepaid', '500')
    const first = paymentFor(till, await quoted(till, 'pln-prepaid', number), rupiah(202_500))
    t.equal(reasonOf(await till.request(first, 5_000)), 'approved')
    const second = paymentFor(till, await quoted(till, 'pln-prepaid', number), rupiah(102_500))
    const refused = await till.request(second, 5_000)
    t.match(refused?.outcome, { reason: 'deposit-insufficient', code: '0046' })
    await daemon.post('/v1/partners/4519003/deposits', {
      amountMinor: 1_000_000n,
      by: 'operator',
      reason: 'transfer',
      key: 'top-up',
    })
    const third = paymentFor(till, await quoted(till, 'pln-prepaid', number), rupiah(102_500))
    t.equal(reasonOf(await till.request(third, 5_000)), 'approved', 'after a top-up')
    const { hold, deposit } = await daemon.balances('4519003')
    t.equal(hold ?? 0n, 0n)
    t.equal(deposit, 30_000_000n + 1_000_000n - 20_250_000n - 10_250_000n)
    till.hangUp()
  })

  await t.test('the partner takes a payment back', async t => {
    const till = await daemon.openTill()
    for (const product of ['pln-postpaid', 'pln-nontaglis'] as const) {
      const number = numberFor(product, '600')
      const payment = paymentFor(till, await quoted(till, product, number))
      t.equal(reasonOf(await till.request(payment, 5_000)), 'approved')
      t.equal(reasonOf(await till.request(aboutFor(till, 'reversal', payment), 5_000)), 'approved')
      t.equal(
        reasonOf(await till.request(aboutFor(till, 'reversal', payment, true), 5_000)),
        'approved',
      )
      t.equal((await daemon.payment(number))?.state, 'reversed', product)
      t.equal(lab.believes(number), 'reversed', `${product}: at the biller too`)
    }
    t.match(await daemon.audit(), { agrees: true, heldMinor: 0n, problems: [] })
    till.hangUp()
  })
})
