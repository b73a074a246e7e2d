import { type Test, test } from 'tap'
import { minor, rupiah } from '#base'
import { respond } from '#message'
import { type ApiClient, type Json, type Reply, word } from './client.ts'
import { FIRST, KEYS, type Lab, SECOND, startLab } from './lab.ts'

type Body = { readonly [key: string]: Json }

let keys = 0
const freshKey = (): string => `order-${++keys}`
let numbers = 0
/** A number of its own that the biller knows, with its behaviour at the end. */
const number = (ending: string): string => `9999${String(++numbers).padStart(5, '0')}${ending}`

async function inquire(
  client: ApiClient,
  customer: Body,
  product = 'pln-postpaid',
): Promise<Reply> {
  return client.post('/v1/inquiries', { product, customer })
}

/** The inquiry of a customer, and the body of its payment. */
async function quoted(client: ApiClient, id: string): Promise<{ inquiry: string; amount: Json }> {
  const { json } = await inquire(client, { id })
  return { inquiry: word(json['id']), amount: json['amount'] ?? null }
}

async function look(client: ApiClient, id: Json | undefined, state: string): Promise<Reply> {
  for (;;) {
    const reply = await client.ask(`/v1/payments/${word(id)}`)
    if (reply.json['state'] === state || reply.status !== 200) return reply
    await new Promise(resolve => {
      setTimeout(resolve, 20)
    })
  }
}

const money = (value: string) => ({ value, currency: 'IDR' })

/** One payment was sent to the biller and booked; the deposit agrees. */
async function booked(t: Test, lab: Lab, customer: string, count: number): Promise<void> {
  const rows = await lab.journal.list({ kind: 'payment', customer, limit: 50 })
  t.equal(rows.filter(({ tag }) => tag === 'paid').length, count, `${count} paid`)
  t.same((await lab.journal.audit()).problems, [], 'the ledger agrees')
}

test('buying and selling over HTTP', async t => {
  const lab = await startLab()
  t.teardown(() => lab.close())
  const client = lab.client()
  const other = lab.client(KEYS.second)

  await t.test('a postpaid bill: asked, paid, looked at, taken home', async t => {
    const before = await client.ask('/v1/balance')
    const asked = await inquire(client, { id: '999900000015' })
    t.equal(asked.status, 201)
    t.match(asked.json, {
      product: 'pln-postpaid',
      customer: { id: '999900000015', name: 'PELANGGAN UJI SATU' },
      amount: { currency: 'IDR' },
      reference: /^SWX\d{14}[0-9A-F]{15}$/,
    })
    const again = await client.ask(String(asked.headers['location']))
    t.same(again.json, asked.json, 'the inquiry can be looked at again')

    const { id, amount, total, fee } = asked.json
    const paid = await client.post('/v1/payments', { inquiry: id, amount }, { key: freshKey() })
    t.equal(paid.status, 201)
    t.match(paid.json, { state: 'paid', inquiry: id, amount, total, fee })
    t.match(paid.json['settlementDate'], /^\d{4}-\d{2}-\d{2}$/)
    const seen = await client.ask(String(paid.headers['location']))
    t.ok(seen.body.equals(paid.body), 'a look shows the very same bytes')

    const after = await client.ask('/v1/balance')
    const value = (reply: Reply, name: string): bigint =>
      BigInt((reply.json[name] as { value: string }).value.replace('.', ''))
    const totalMinor = BigInt((total as { value: string }).value.replace('.', ''))
    t.equal(value(before, 'deposit') - value(after, 'deposit'), totalMinor, 'the deposit paid it')
    t.equal(value(after, 'onHold'), 0n)
    await booked(t, lab, '999900000015', 1)
  })

  await t.test('a token: the amount is what is bought, the fee stands beside it', async t => {
    const asked = await inquire(client, { meter: '99000000010' }, 'pln-prepaid')
    t.match(asked.json, { fee: money('2500.00'), token: { kwhMax: Number } })
    const body = { inquiry: asked.json['id'], amount: money('100000.00'), option: 0 }
    const paid = await client.post('/v1/payments', body, { key: freshKey() })
    t.match(paid.json, {
      state: 'paid',
      amount: money('100000.00'),
      fee: money('2500.00'),
      total: money('102500.00'),
      token: { number: /^\d{20}$/, kwh: /^\d+\.\d{2}$/ },
    })
    const odd = { ...body, amount: money('123456.00') }
    const fresh = await inquire(client, { meter: '99000000010' }, 'pln-prepaid')
    const refused = await client.post(
      '/v1/payments',
      { ...odd, inquiry: fresh.json['id'] },
      { key: freshKey() },
    )
    t.match(refused.json, { code: 'amount-invalid', status: 422 }, 'no denomination')
    const undone = await client.post(`/v1/payments/${word(paid.json['id'])}/reversals`, {})
    t.match(undone.json, { code: 'too-late-to-reverse' }, 'a token is never taken back')
  })

  await t.test('a registration, and the first of several bills', async t => {
    const asked = await inquire(client, { registration: '9999912345678' }, 'pln-nontaglis')
    t.match(asked.json, { registration: { number: '9999912345678' } })
    const { id, amount } = asked.json
    const paid = await client.post('/v1/payments', { inquiry: id, amount }, { key: freshKey() })
    t.match(paid.json, { state: 'paid', registration: { number: '9999912345678' } })

    const some = await inquire(client, { id: number('901') })
    const bills = some.json['bills'] as { due: Json }[]
    t.equal(bills.length, 4)
    const one = { inquiry: some.json['id'], amount: bills[0]?.due, bills: 1 }
    const first = await client.post('/v1/payments', one, { key: freshKey() })
    t.match(first.json, { state: 'paid', billsPaid: 1, billsOutstanding: 9, fee: money('1250.00') })
  })

  await t.test('products and money are one’s own', async t => {
    const { json } = await client.ask('/v1/products')
    const products = json['products'] as Body[]
    t.same(
      new Set(products.map(({ code }) => code)),
      new Set(['pln-nontaglis', 'pln-postpaid', 'pln-prepaid', 'pulsa-telkomsel', 'pdam']),
    )
    t.match(
      products.find(({ code }) => code === 'pln-prepaid'),
      { reversalWindowSeconds: 0, maximum: money('50000000.00'), fee: money('2500.00') },
    )
    t.match((await other.ask('/v1/balance')).json, { deposit: money('1000.00') })
  })

  await t.test('what the biller or we say no to is a problem with a reason', async t => {
    const rows: [title: string, ending: string, status: number, code: string][] = [
      ['already paid', '902', 409, 'already-paid'],
      ['unknown customer', '903', 404, 'customer-unknown'],
      ['blocked customer', '904', 422, 'customer-blocked'],
      ['cut-off', '905', 503, 'cut-off'],
    ]
    for (const [title, ending, status, code] of rows) {
      const reply = await inquire(client, { id: number(ending) })
      t.equal(reply.status, status, title)
      t.match(reply.json, { type: `urn:nadi:problem:${code}`, code, status, title: String }, title)
      t.match(reply.headers['content-type'], 'application/problem+json')
    }
    const later = await inquire(client, { id: number('905') })
    t.match(later.headers['retry-after'], /^\d+$/, 'what is worth a second try says when')
    const declined = await quoted(client, number('926'))
    const reply = await client.post('/v1/payments', declined, { key: freshKey() })
    t.match(reply.json, { code: 'amount-invalid', payment: /^[0-9A-Z]{12}$/ })
    const seen = await client.ask(String(reply.headers['location']))
    t.match(seen.json, { state: 'declined', reason: 'amount-invalid', id: reply.json['payment'] })
    const poor = await quoted(other, number('900'))
    const empty = await other.post('/v1/payments', poor, { key: freshKey() })
    t.match(empty.json, { code: 'deposit-insufficient', status: 402, payment: undefined })
    const nothing = await client.post('/v1/inquiries', {
      product: 'no-such',
      customer: { id: '1' },
    })
    t.match(nothing.json, { code: 'product-unknown', status: 404 })
  })

  await t.test('law 4: the same request has the same answer', async t => {
    const customer = number('900')
    const body = await quoted(client, customer)
    const key = freshKey()
    const [first, ...others] = await Promise.all(
      Array.from({ length: 8 }, () => client.post('/v1/payments', body, { key })),
    )
    t.equal(first?.status, 201)
    for (const reply of others) t.ok(reply.body.equals(first?.body as Buffer), 'byte for byte')
    await booked(t, lab, customer, 1)

    const spaced = Buffer.from(
      JSON.stringify({ amount: body.amount, inquiry: body.inquiry }, null, 2),
    )
    const again = await client.ask('/v1/payments', { raw: spaced, method: 'POST', key })
    t.ok(again.body.equals(first?.body as Buffer), 'spelled otherwise, it is the same content')
    const another = await client.post('/v1/payments', body, { key: freshKey() })
    t.ok(another.body.equals(first?.body as Buffer), 'under another key it is the same payment')

    const otherContent = { ...body, amount: money('1.00') }
    const reused = await client.post('/v1/payments', otherContent, { key })
    t.match(reused.json, { code: 'idempotency-key-reused', status: 422 })
    const elsewhere = { ...(await quoted(client, number('900'))) }
    const reusedKey = await client.post('/v1/payments', elsewhere, { key })
    t.match(reusedKey.json, { code: 'idempotency-key-reused' }, 'for another inquiry, too')
    const otherWay = await client.post('/v1/payments', otherContent, { key: freshKey() })
    t.match(otherWay.json, { code: 'amount-invalid', status: 422 }, 'only what was quoted is paid')
    const theirs = await other.post('/v1/payments', elsewhere, { key })
    t.match(
      theirs.json,
      { code: 'no-inquiry' },
      'the keys of two partners have nothing to do with each other',
    )
    await booked(t, lab, customer, 1)
  })

  await t.test('law 4 across HTTP and ISO 8583', async t => {
    const till = await lab.till()
    t.teardown(() => till.hangUp())
    const asPayment = (told: Awaited<ReturnType<typeof till.request>>) => {
      const {
        outcome: _,
        infoText: __,
        ...quote
      } = told ?? respond(till.message('inquiry', {}), {} as never)
      return till.message('payment', {
        ...quote,
        currency: 'IDR',
        ...(quote.bills && { billsPaid: quote.bills.length }),
      })
    }
    await t.test('paid over HTTP, sent again over ISO', async t => {
      const customer = number('900')
      const asked = await inquire(client, { id: customer })
      const { id, amount, reference, billerReference } = asked.json
      const paid = await client.post('/v1/payments', { inquiry: id, amount }, { key: freshKey() })
      t.equal(paid.status, 201)
      const like = await till.request(
        till.message('inquiry', { product: 'pln-postpaid', customer: { id: number('900') } }),
        5000,
      )
      const [bill] = like?.bills ?? []
      const message = asPayment({
        ...(like as NonNullable<typeof like>),
        customer: { ...like?.customer, id: customer },
        bills: bill ? [bill] : [],
        billsOutstanding: 1,
        amountMinor: minor(BigInt((amount as { value: string }).value.replace('.', ''))),
        reference: {
          ...like?.reference,
          switching: word(reference),
          ...(billerReference !== undefined && { biller: word(billerReference) }),
        },
      })
      const answer = await till.request(message, 5000)
      t.equal(answer?.outcome?.reason, 'already-paid')
      await booked(t, lab, customer, 1)
    })
    await t.test('paid over ISO, sent again over HTTP, and reversed there', async t => {
      const customer = number('900')
      const told = await till.request(
        till.message('inquiry', { product: 'pln-postpaid', customer: { id: customer } }),
        5000,
      )
      const answer = await till.request(asPayment(told), 5000)
      t.equal(answer?.outcome?.reason, 'approved')
      const amount = money(`${Number(told?.amountMinor ?? 0n) / 100}.00`)
      const reference = String(told?.reference?.switching)
      const again = await client.post(
        '/v1/payments',
        { inquiry: reference, amount },
        { key: freshKey() },
      )
      t.match(again.json, { code: 'already-paid' })
      await booked(t, lab, customer, 1)
      const [row] = await lab.journal.list({ kind: 'payment', customer, state: 'paid', limit: 1 })
      const { formatTxnId } = await import('#base')
      const id = formatTxnId(row?.id as never)
      t.match((await client.ask(`/v1/payments/${id}`)).json, { state: 'paid', reference })
      const reversed = await client.post(`/v1/payments/${id}/reversals`, {
        reason: 'wrong customer',
      })
      t.match(reversed.json, { state: 'reversed', id })
      await booked(t, lab, customer, 0)
    })
    await t.test('asked over ISO, paid over HTTP', async t => {
      const customer = number('900')
      const told = await till.request(
        till.message('inquiry', { product: 'pln-postpaid', customer: { id: customer } }),
        5000,
      )
      const amount = money(`${Number(told?.amountMinor ?? 0n) / 100}.00`)
      const body = { inquiry: String(told?.reference?.switching), amount }
      const paid = await client.post('/v1/payments', body, { key: freshKey() })
      t.match(paid.json, { state: 'paid', reference: told?.reference?.switching })
      const late = await till.request(asPayment(told), 5000)
      t.equal(late?.outcome?.reason, 'already-paid')
      await booked(t, lab, customer, 1)
    })
  })

  await t.test('a long wait is answered 202, with a place to look', async t => {
    const rows: [title: string, ending: string, state: string][] = [
      ['answered late and undone', '907', 'reversed'],
      ['the biller says that it stands', '908', 'paid'],
      ['there never was a payment', '909', 'declined'],
    ]
    for (const [title, ending, state] of rows) {
      const body = await quoted(client, number(ending))
      const key = freshKey()
      const reply = await client.post('/v1/payments', body, { key, headers: { prefer: 'wait=0' } })
      t.equal(reply.status, 202, title)
      t.match(reply.json, { state: 'pending' }, title)
      t.match(reply.headers, { location: /^\/v1\/payments\//, 'retry-after': /^\d+$/ }, title)
      const seen = await look(client, reply.json['id'], state)
      t.match(seen.json, { state, id: reply.json['id'] }, title)
      const after = await client.post('/v1/payments', body, { key })
      if (state === 'paid') t.match(after.json, { state, id: reply.json['id'] }, title)
      else t.match(after.json, { payment: reply.json['id'], code: String }, title)
    }
    const slow = await quoted(client, number('939'))
    const key = freshKey()
    const [early, whole] = await Promise.all([
      client.post('/v1/payments', slow, { key, headers: { prefer: 'respond-async, wait=0' } }),
      client.post('/v1/payments', slow, { key }),
    ])
    t.same([early.status, whole.status], [202, 201], 'who waits gets the outcome')
  })

  await t.test('a person must tell, and until then it is pending', async t => {
    const body = await quoted(client, number('910'))
    const reply = await client.post('/v1/payments', body, { key: freshKey() })
    t.match(reply.json, { state: 'pending' })
    t.equal(reply.status, 202)
    for (;;) {
      const [row] = await lab.journal.list({ state: 'suspect', kind: 'payment', limit: 1 })
      if (row) {
        await lab.switch.resolve(row.id, 'paid', 'operator', 'the book of the biller')
        break
      }
      await new Promise(resolve => {
        setTimeout(resolve, 20)
      })
    }
    t.match((await look(client, reply.json['id'], 'paid')).json, { state: 'paid' })
  })

  await t.test('taking back', async t => {
    const customer = number('900')
    const body = await quoted(client, customer)
    const key = freshKey()
    const paid = await client.post('/v1/payments', body, { key })
    const path = `/v1/payments/${word(paid.json['id'])}/reversals`
    const undone = await client.post(path, {})
    t.equal(undone.status, 200)
    t.match(undone.json, { state: 'reversed', id: paid.json['id'] })
    const twice = await client.ask(path, { method: 'POST' })
    t.ok(twice.body.equals(undone.body), 'twice is once, with or without a body')
    t.match((await client.ask(`/v1/payments/${word(paid.json['id'])}`)).json, {
      state: 'reversed',
    })
    const again = await client.post('/v1/payments', body, { key })
    t.match(again.json, { code: 'already-reversed' }, 'its payment is not said to stand any more')
    await booked(t, lab, customer, 0)

    const stands = await quoted(client, number('908'))
    const other = await client.post('/v1/payments', stands, { key: freshKey() })
    const known = await look(client, other.json['id'], 'paid')
    const refused = await client.post(`/v1/payments/${word(known.json['id'])}/reversals`, {})
    t.match(refused.json, { code: 'too-late-to-reverse', status: 409 })
    const declined = await quoted(client, number('926'))
    const never = await client.post('/v1/payments', declined, { key: freshKey() })
    const nothing = await client.post(`/v1/payments/${word(never.json['payment'])}/reversals`, {})
    t.match(nothing.json, { code: 'no-payment' })
  })

  await t.test('partners never see each other’s', async t => {
    const body = await quoted(client, number('900'))
    const paid = await client.post('/v1/payments', body, { key: freshKey() })
    const path = `/v1/payments/${word(paid.json['id'])}`
    for (const target of [path, `${path}/receipt`])
      t.match((await other.ask(target)).json, { code: 'not-found' }, target)
    t.match((await other.post(`${path}/reversals`, {})).json, { code: 'not-found' })
    t.match((await other.ask(`/v1/inquiries/${body.inquiry}`)).json, { code: 'no-inquiry' })
    t.match((await other.post('/v1/payments', body, { key: freshKey() })).json, {
      code: 'no-inquiry',
    })
    t.equal(
      (await lab.journal.list({ partner: SECOND, kind: 'payment', state: 'paid', limit: 9 }))
        .length,
      0,
    )
  })

  await t.test('the journal keeps the request, and not what proved who sent it', async t => {
    const [row] = await lab.journal.list({
      partner: FIRST,
      kind: 'payment',
      state: 'paid',
      limit: 1,
    })
    const story = await lab.journal.story(FIRST, row?.id as never)
    const frames = story?.records.flatMap(({ frames = [] }) => frames) ?? []
    const texts = frames
      .filter(({ pack }) => pack === 'partner-api')
      .map(({ bytes }) => Buffer.from(bytes).toString('latin1'))
    t.match(texts[0], /^POST \/v1\/payments HTTP\/1.1\r\n/)
    t.match(texts[0], /idempotency-key: order-/)
    t.match(texts[1], /^HTTP\/1.1 20[12]\r\n/)
    t.notMatch(texts.join(''), /authorization|Nadi-HMAC|signature/i)
  })

  await t.test('money is taken for what it is', async t => {
    t.equal(rupiah(2605), minor(260_500n))
    const top = await lab.switch.deposit(SECOND, rupiah(10_000_000_000n), 'lab', 'more')
    t.equal(top, 'booked')
    t.match((await other.ask('/v1/balance')).json, { deposit: money('10000001000.00') })
  })

  t.same(lab.problems, [], 'every answer was as the document promises')
})
