import { test } from 'tap'
import type { Message } from '#message'
import { customerOf } from '#screening'
import { SCENARIOS } from '#sim'
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

/**
 * What becomes of a payment whose number acts out a scenario.
 *
 *   told    the answer to the payment
 *   state   where it ends, `suspect` before a person looked
 *   biller  what the biller's book says then
 *   asked   the answer to the partner's own reversal or advice afterwards
 */
type Row = readonly [suffix: number, told: string, state: string, biller: string, asked: string]

const REVERSED = ['timeout', 'reversed', 'reversed', 'approved'] as const
const STANDS = ['timeout', 'paid', 'paid', 'too-late-to-reverse'] as const
const NEVER_PAID = ['timeout', 'declined', 'void', 'no-payment'] as const
const REFUSED = ['declined', 'nothing', 'no-payment'] as const

/** Postpaid is undone whatever happened, unless the biller says that it stands. */
const POSTPAID: readonly Row[] = [
  [907, ...REVERSED],
  [908, ...STANDS],
  [909, ...NEVER_PAID],
  [910, 'timeout', 'suspect', 'paid', 'timeout'],
  [911, ...REVERSED],
  [912, ...REVERSED],
  [913, 'approved', 'paid', 'paid', ''],
  [914, ...REVERSED],
  [915, ...NEVER_PAID],
  [918, 'security-invalid', ...REFUSED],
  [925, 'over-quota', ...REFUSED],
  [926, 'amount-invalid', ...REFUSED],
  [927, 'deposit-insufficient', ...REFUSED],
  [928, ...REVERSED],
  [929, ...NEVER_PAID],
  [930, ...REVERSED],
  [932, ...REVERSED],
  [933, ...REVERSED],
  [939, 'approved', 'paid', 'paid', ''],
  [940, ...REVERSED],
  [941, ...REVERSED],
  [942, ...REVERSED],
  [943, ...REVERSED],
  [945, 'timeout', 'suspect', 'reversed', 'timeout'],
  [947, 'timeout', 'declined', 'nothing', 'no-payment'],
  [948, ...REVERSED],
  [950, ...REVERSED],
  [951, 'timeout', 'suspect', 'paid', 'timeout'],
]

const DELIVERED = ['timeout', 'paid', 'paid', 'approved'] as const

/** A token is never taken back: the biller is asked until it tells. */
const PREPAID: readonly Row[] = [
  [907, ...DELIVERED],
  [909, ...NEVER_PAID],
  [911, ...DELIVERED],
  [912, ...DELIVERED],
  [913, 'approved', 'paid', 'paid', 'approved'],
  [914, ...DELIVERED],
  [915, ...NEVER_PAID],
  [919, ...DELIVERED],
  [920, ...NEVER_PAID],
  [921, 'timeout', 'suspect', 'paid', 'timeout'],
  [922, ...DELIVERED],
  [925, 'over-quota', ...REFUSED],
  [930, ...DELIVERED],
  [933, ...DELIVERED],
  [941, ...DELIVERED],
  [947, 'timeout', 'declined', 'nothing', 'no-payment'],
  [948, ...DELIVERED],
]

const NONTAGLIS: readonly Row[] = [
  [907, ...REVERSED],
  [908, ...STANDS],
  [909, ...NEVER_PAID],
  [910, 'timeout', 'suspect', 'paid', 'timeout'],
]

/** Those that hurt everyone on the link; one at a time. */
const ALONE: readonly (readonly [Product, ...Row])[] = [
  ['pln-postpaid', 934, 'approved', 'paid', 'paid', ''],
  ['pln-postpaid', 935, 'approved', 'paid', 'paid', ''],
  ['pln-postpaid', 916, 'approved', 'paid', 'paid', ''],
  ['pln-postpaid', 917, 'approved', 'paid', 'paid', ''],
  ['pln-prepaid', 917, 'approved', 'paid', 'paid', 'approved'],
  ['pln-postpaid', 936, ...REVERSED],
  ['pln-postpaid', 937, ...REVERSED],
  ['pln-prepaid', 937, ...DELIVERED],
  ['pln-postpaid', 938, ...NEVER_PAID],
  ['pln-prepaid', 938, ...NEVER_PAID],
  ['pln-postpaid', 944, ...REVERSED],
  ['pln-postpaid', 946, ...REVERSED],
  ['pln-prepaid', 946, ...DELIVERED],
]

const INQUIRIES: readonly (readonly [suffix: number, told: string, code: string])[] = [
  [900, 'approved', '0000'],
  [901, 'approved', '0000'],
  [902, 'already-paid', '0088'],
  [903, 'customer-unknown', '0014'],
  [904, 'customer-blocked', '0016'],
  [905, 'cut-off', '0090'],
  [906, 'timeout', '0068'],
  [923, 'approved', '0000'],
  [931, 'timeout', '0068'],
  [952, 'not-available-yet', '0089'],
  [949, 'timeout', '0068'],
]

test('every scenario ends as the trade wants it', async t => {
  const lab = await Lab.start()
  t.teardown(() => lab.end())
  const { daemon } = lab
  const violations: string[] = []
  const till = await daemon.openTill(0, text => violations.push(text))

  /** Numbers as they were typed, by the customer's own number, which is what the journal has. */
  const typed = new Map<string, string>()
  const sent = new Map<string, Message>()

  /** Pays and asks, and tells what came of it as one line. */
  const play = async (product: Product, suffix: number): Promise<string> => {
    const number = numberFor(product, `${suffix}`)
    const payment = paymentFor(till, await quoted(till, product, number))
    const customer = customerOf(payment)
    typed.set(customer, number)
    sent.set(customer, payment)
    const told = reasonOf(await till.request(payment, 10_000))
    let state = ''
    await until(`${product} ${suffix} has come to its end`, async () => {
      state = (await daemon.payment(customer))?.state ?? ''
      return ['paid', 'declined', 'reversed', 'suspect'].includes(state)
    })
    const biller = lab.believes(number)
    if (product !== 'pln-prepaid' && told === 'approved') return `${told} ${state} ${biller} `
    const kind = product === 'pln-prepaid' ? 'advice' : 'reversal'
    const asked = await till.request(aboutFor(till, kind, payment), 10_000)
    if (kind === 'advice' && asked?.outcome?.meaning === 'approved')
      t.match(asked.token?.number, /^\d{20}$/, `${suffix}: the advice brings the token`)
    return `${told} ${state} ${biller} ${reasonOf(asked)}`
  }
  const nameOf = (suffix: number): string =>
    SCENARIOS.find(scenario => scenario.suffix === suffix)?.text ?? ''

  await t.test('quietly, all at once', async t => {
    const all = [
      ...POSTPAID.map(row => ['pln-postpaid', ...row] as const),
      ...PREPAID.map(row => ['pln-prepaid', ...row] as const),
      ...NONTAGLIS.map(row => ['pln-nontaglis', ...row] as const),
    ]
    const ends = all.map(async ([product, suffix, ...wanted]) => {
      const ended = await play(product, suffix)
      t.equal(ended, wanted.join(' '), `${product} ${suffix}: ${nameOf(suffix)}`)
    })
    await Promise.all(ends)
  })

  for (const [product, suffix, ...wanted] of ALONE)
    await t.test(`alone: ${product} ${suffix}: ${nameOf(suffix)}`, async t => {
      t.equal(await play(product, suffix), wanted.join(' '))
      await lab.linkUp()
    })

  await t.test('inquiries', async t => {
    const ask = async (suffix: number) => {
      const product = suffix === 923 ? 'pln-prepaid' : 'pln-postpaid'
      return till.request(inquiryFor(till, product, numberFor(product, `1${suffix}`)), 10_000)
    }
    for (const [suffix, told, code] of INQUIRIES) {
      const answer = await ask(suffix)
      t.match(answer?.outcome, { reason: told, code }, `${suffix}: ${nameOf(suffix)}`)
      if (suffix === 901) t.match(answer, { billsOutstanding: 9, bills: { length: 4 } })
      if (suffix === 923) t.match(answer?.token?.unsold, { length: 1 })
    }
    await lab.linkUp()
  })

  await t.test('who asks while it is being found out is told when it is known', async t => {
    const rows: [Product, string, string][] = [
      ['pln-postpaid', '1907', 'approved'],
      ['pln-postpaid', '1908', 'too-late-to-reverse'],
      ['pln-postpaid', '1909', 'no-payment'],
      ['pln-prepaid', '1919', 'approved'],
      ['pln-prepaid', '1920', 'no-payment'],
    ]
    const asked = rows.map(async ([product, ending, wanted]) => {
      const number = numberFor(product, ending)
      const payment = paymentFor(till, await quoted(till, product, number))
      const kind = product === 'pln-prepaid' ? 'advice' : 'reversal'
      t.equal(reasonOf(await till.request(payment, 10_000)), 'timeout')
      const answer = await till.request(aboutFor(till, kind, payment), 10_000)
      t.equal(reasonOf(answer), wanted, `${product} ${ending}`)
      const entry = [...lab.biller.book.entries()].find(({ account }) => account.endsWith(number))
      const times = wanted === 'approved' ? 1 : 0
      t.equal(entry?.askedAbout, times, 'asked once by us, and not again for the partner')
    })
    await Promise.all(asked)
  })

  await t.test('a person resolves what nobody could find out', async t => {
    const suspects = await daemon.txns('state=suspect')
    t.equal(suspects.length, 5)
    const paid = suspects.find(({ state }) => state === 'suspect')?.id ?? ''
    await t.rejects(
      daemon.post(`/v1/txns/${paid}/resolve`, { as: 'paid', by: 'operator' }),
      /400/,
      'not without a reason',
    )
    for (const { id, customer } of suspects) {
      const as = lab.believes(typed.get(customer) ?? '') === 'paid' ? 'paid' : 'reversed'
      const story = await daemon.resolve(id, as, 'told by PLN on the telephone')
      t.equal(story.state, as, customer)
      const resolved = story.timeline.find(
        entry => entry.what === 'event' && entry.event === 'resolved',
      )
      t.match(resolved, { data: { by: 'operator', reason: 'told by PLN on the telephone' } })
      await t.rejects(daemon.resolve(id, 'reversed'), /TXN_NOT_SUSPECT/, 'only once')
      const payment = sent.get(customer) as Message
      const kind = payment.product === 'pln-prepaid' ? 'advice' : 'reversal'
      // Paid, and taken back by the partner, would be another story: the biller is asked anew.
      if (as === 'paid' && kind === 'reversal') continue
      const told = await till.request(aboutFor(till, kind, payment), 5_000)
      // Nobody knows the token of this one: that it is paid must not be told without it.
      const wanted = kind === 'advice' ? 'timeout' : 'approved'
      t.equal(reasonOf(told), wanted, 'and the partner hears of it')
    }
  })

  t.same(violations, [], 'no request was answered twice')
  t.match(await daemon.audit(), { agrees: true, heldMinor: 0n, openPayments: 0, problems: [] })
  const journal = await daemon.txns('kind=payment')
  const paidHere = journal.filter(({ state }) => state === 'paid')
  const paidThere = [...lab.biller.book.entries()].filter(({ state }) => state === 'paid')
  t.equal(paidHere.length, paidThere.length, 'both books have the same payments')
})
