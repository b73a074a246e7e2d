import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import * as fc from 'fast-check'
import { test } from 'tap'
import { fromJson, fromLatin1, formatTxnId, minor, SystemRandom, TxnIds } from '#base'
import { openAuditTrail, startAdmin, type StatusView, type StoryView, type TxnView } from '#admin'
import { inquiryRequest, PartnerClient, paymentRequest, Stamps } from '#cli'
import { TcpDialer } from '#net'
import { hiddenHex, hideWithin } from '../../src/admin/hide.ts'
import { type Lab, startLab, TOKEN } from './lab.ts'

type Reply = { status: number; type: string; body: unknown; text: string }

const AS_OPERATOR = { authorization: `Bearer ${TOKEN}` }
const JSON_BODY = { ...AS_OPERATOR, 'content-type': 'application/json' }

/** Over a real socket, with whatever path and headers: fetch would tidy them. */
function ask(
  address: string,
  path: string,
  { method = 'GET', headers = AS_OPERATOR, body }: Asked = {},
): Promise<Reply> {
  const [host, port] = address.split(':')
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host, port, path, method, headers, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        const type = response.headers['content-type'] ?? ''
        const isJson = type.includes('json')
        resolve({
          status: response.statusCode ?? 0,
          type,
          text,
          body: isJson ? fromJson(text) : text,
        })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

type Asked = { method?: string; headers?: Record<string, string>; body?: string }

const IDENTITY = {
  bank: '4519999',
  partner: '4519001',
  switcher: 'SWX0001',
  terminal: '0LOKET0000000001',
}

async function aPartner({ config, listener, clock }: Lab): Promise<PartnerClient> {
  const [host = '', port] = listener.split(':')
  const pack = config.packs.get('pln-2003-111')
  if (!pack) throw new Error('the lab has no such pack')
  const dialer = new TcpDialer({ host, port: Number(port) })
  const client = await PartnerClient.connect({ pack, dialer, clock, identity: IDENTITY })
  await client.signOn()
  return client
}

/** A sale like those of a counter; answers the newest payment of that customer. */
async function sell(
  lab: Lab,
  product: string,
  customer: string,
  amount?: bigint,
): Promise<TxnView> {
  const client = await aPartner(lab)
  const stamps = new Stamps(lab.clock, new SystemRandom())
  const quoted = await client.request(inquiryRequest(IDENTITY, stamps.next(), product, customer))
  const choice = amount === undefined ? {} : { amountMinor: minor(amount), option: 0 }
  await client.request(paymentRequest(quoted, stamps.next(), choice))
  await client.close()
  return newest(lab, customer)
}

async function newest(lab: Lab, customer: string): Promise<TxnView> {
  const { body } = await ask(lab.admin, `/v1/txns?kind=payment&customer=${customer}`)
  return (body as { txns: TxnView[] }).txns[0] as TxnView
}

/** The payment when it has come to the state that is waited for. */
async function settled(lab: Lab, customer: string, state: string): Promise<TxnView> {
  for (;;) {
    const txn = await newest(lab, customer)
    if (txn.state === state) return txn
    await new Promise<void>(resolve => {
      lab.clock.at(lab.clock.nowMs() + 20, resolve)
    })
  }
}

const SECRETS = ['PELANGGAN UJI SATU', 'PELANGGAN UJI DUA', '12345678901234567890']

function shows(text: string, secret: string): boolean {
  return text.includes(secret) || text.includes(Buffer.from(secret, 'latin1').toString('hex'))
}

test('the admin API over a running switch', async t => {
  const lab = await startLab()
  t.teardown(() => lab.close())
  const postpaid = await sell(lab, 'pln-postpaid', '999900000015')
  const prepaid = await sell(lab, 'pln-prepaid', '99000000010', 10_250_000n)
  await sell(lab, 'pln-postpaid', '999900000910')
  const suspect = await settled(lab, '999900000910', 'suspect')

  await t.test('who may ask', async t => {
    const rows: [title: string, path: string, headers: Record<string, string>, status: number][] = [
      ['with the token', '/v1/status', AS_OPERATOR, 200],
      ['without one', '/v1/status', {}, 401],
      ['with another one', '/v1/status', { authorization: 'Bearer wrong' }, 401],
      [
        'with the beginning of it',
        '/v1/status',
        { authorization: `Bearer ${TOKEN.slice(0, -1)}` },
        401,
      ],
      ['with more than it', '/v1/status', { authorization: `Bearer ${TOKEN}x` }, 401],
      ['in another scheme', '/v1/status', { authorization: `Basic ${TOKEN}` }, 401],
      ['a path that is spelled otherwise', '/%761/status', {}, 401],
      ['with slashes that are doubled', '//v1/status', {}, 401],
      ['what is not there, without it', '/v1/nothing', {}, 401],
      ['what is not there, with it', '/v1/nothing', AS_OPERATOR, 404],
      ['who is watching needs none', '/healthz', {}, 200],
      ['nor for readiness', '/readyz', {}, 200],
      ['nor for metrics', '/metrics', {}, 200],
    ]
    for (const [title, path, headers, status] of rows) {
      const reply = await ask(lab.admin, path, { headers })
      t.equal(reply.status, status, title)
      if (status === 401) t.match(reply.body, { code: 'ADMIN_UNAUTHORIZED', retry: false }, title)
      if (status >= 400) t.match(reply.type, 'application/problem+json', title)
    }
  })

  await t.test('every route answers in its shape', async t => {
    const rows: [path: string, shape: object][] = [
      [
        '/v1/status',
        {
          node: { name: 'lab-1', number: 0 },
          ready: true,
          journal: { available: true },
          links: [{ name: 'pln', state: 'up' }],
          listeners: [{ name: 'partners-iso', badFrames: 0 }],
          open: [{ state: 'suspect', count: 1, oldestAgeMs: Number }],
          inMemory: { payments: Number, inquiries: 0 },
        },
      ],
      ['/v1/links', { links: [{ name: 'pln', sent: Number, lastError: undefined }] }],
      ['/v1/listeners', { listeners: [{ name: 'partners-iso', frames: Number }] }],
      [
        '/v1/products',
        { products: [{ code: 'pln-postpaid', recovery: 'reverse', adminPerBillMinor: 125000n }] },
      ],
      [
        '/v1/partners',
        { partners: [{ id: '4519001', holdMinor: BigInt, terminals: ['0LOKET0000000001'] }] },
      ],
      ['/v1/ledger/audit', { agrees: true, totalMinor: 0n, problems: [], openPayments: 1 }],
      ['/v1/txns', { txns: [{ id: String, state: String, amountMinor: BigInt }] }],
      [`/v1/txns/${postpaid.id}`, { state: 'paid', customer: '999900000015', unsafe: false }],
      [`/v1/txns/${postpaid.id.toLowerCase()}?unsafe=0`, { id: postpaid.id }],
    ]
    for (const [path, shape] of rows) {
      const reply = await ask(lab.admin, path)
      t.equal(reply.status, 200, path)
      t.match(reply.body, shape, path)
    }
    const { body } = await ask(lab.admin, '/v1/ledger/balances?partner=4519001')
    const { balances } = body as { balances: { account: string; balanceMinor: bigint }[] }
    t.equal(
      balances.reduce((sum, { balanceMinor }) => sum + balanceMinor, 0n),
      0n,
      'the sum over all accounts is zero',
    )
    t.same((await ask(lab.admin, '/v1/ledger/balances?partner=999')).body, { balances: [] })
  })

  await t.test('txns are found by what they are', async t => {
    const rows: [query: string, kinds: (txn: TxnView) => boolean][] = [
      ['kind=payment', txn => txn.kind === 'payment'],
      ['kind=deposit', txn => txn.product === 'deposit'],
      ['state=paid', txn => txn.state === 'paid' && txn.owes === undefined],
      ['state=suspect', txn => txn.id === suspect.id && txn.owes?.step === 'decide'],
      ['state=open', txn => txn.id === suspect.id],
      ['product=pln-prepaid', txn => txn.product === 'pln-prepaid'],
      ['customer=999900000015', txn => txn.customer === '999900000015'],
      ['partner=4519001&limit=2', txn => txn.partner === '4519001'],
      [`sinceMs=${prepaid.openedAtMs}`, txn => txn.openedAtMs >= prepaid.openedAtMs],
    ]
    for (const [query, holds] of rows) {
      const { body } = await ask(lab.admin, `/v1/txns?${query}`)
      const { txns } = body as { txns: TxnView[] }
      t.ok(txns.length > 0, query)
      t.ok(txns.every(holds), query)
    }
    t.equal(((await ask(lab.admin, '/v1/txns?limit=2')).body as { txns: TxnView[] }).txns.length, 2)
    t.same((await ask(lab.admin, '/v1/txns?customer=1')).body, { txns: [] })
  })

  await t.test('a story is told in time order, from the request to the receipt', async t => {
    const { body } = await ask(lab.admin, `/v1/txns/${postpaid.id}`)
    const story = body as StoryView
    t.match(story, {
      partnerName: 'Lab partner',
      productTitle: 'PLN postpaid electricity bills',
      inquiryId: String,
      detail: { tag: 'paid', route: 'pln' },
    })
    const told = story.timeline.map(entry => {
      if (entry.what === 'frame') return `${entry.side} ${entry.direction} ${entry.label}`
      if (entry.what === 'posting') return `posting ${entry.reason}`
      return `${entry.event}: ${entry.from ?? ''} to ${entry.state}`
    })
    t.same(told, [
      'source in 2200',
      'admitted:  to sending',
      'posting hold',
      'destination out 2200',
      'destination in 2210',
      'approved: sending to paid',
      'posting settle',
      'source out 2210',
    ])
    const times = story.timeline.map(({ sinceMs }) => sinceMs)
    t.same(
      times,
      times.toSorted((a, b) => a - b),
    )
    t.equal(times[0], 0)
    const moved = new Map(story.money.map(({ account, amountMinor }) => [account, amountMinor]))
    t.equal(moved.get('hold'), 0n)
    t.equal(moved.get('deposit'), -26_300_000n)
    t.equal(moved.get('payable:pln'), 26_050_000n)

    const inquiry = await ask(lab.admin, `/v1/txns/${story.inquiryId}`)
    const crossed = (inquiry.body as StoryView).timeline.map(entry =>
      entry.what === 'frame' ? entry.label : entry.what,
    )
    t.same(crossed, ['2100', '2100', '2110', 'event', '2110'])
  })

  await t.test('names and tokens are masked, unless somebody says who and why', async t => {
    for (const { id } of [postpaid, prepaid]) {
      const path = `/v1/txns/${id}`
      const { text } = await ask(lab.admin, path)
      for (const secret of SECRETS) t.notOk(shows(text, secret), `${id} hides ${secret}`)
      const why = 'by=ani&reason=customer%20asks%20for%20his%20token'
      const clear = await ask(lab.admin, `${path}?unsafe=1&${why}`)
      t.ok(SECRETS.some(secret => shows(clear.text, secret)))
      t.match(clear.body, { unsafe: true })
      for (const outcome of ['begun', 'done'])
        t.match(
          lab.auditLines().filter(line => line['subject'] === id),
          [{ act: 'txn.reveal', by: 'ani', reason: 'customer asks for his token' }],
          outcome,
        )
    }
    for (const query of [
      'unsafe=1',
      'unsafe=1&by=ani',
      'unsafe=1&reason=x',
      'unsafe=1&by=%20&reason=x',
    ])
      t.match(await ask(lab.admin, `/v1/txns/${postpaid.id}?${query}`), { status: 400 }, query)
  })

  await t.test('a person decides about a suspect payment, once, and that is on record', async t => {
    const path = `/v1/txns/${suspect.id}/resolve`
    const body = JSON.stringify({ as: 'paid', by: 'ani', reason: 'PLN says so, ticket 4711' })
    const done = await ask(lab.admin, path, { method: 'POST', headers: JSON_BODY, body })
    t.equal(done.status, 200)
    const story = done.body as StoryView
    t.equal(story.state, 'paid')
    t.match(story.timeline.at(-2), {
      event: 'resolved',
      from: 'suspect',
      data: { by: 'ani', reason: 'PLN says so, ticket 4711' },
    })
    const again = await ask(lab.admin, path, { method: 'POST', headers: JSON_BODY, body })
    t.match(again, { status: 409, body: { code: 'TXN_NOT_SUSPECT', retry: false } })
    const nobody = formatTxnId(new TxnIds(lab.clock, 63).next())
    const missing = await ask(lab.admin, `/v1/txns/${nobody}/resolve`, {
      method: 'POST',
      headers: JSON_BODY,
      body,
    })
    t.match(missing, { status: 404, body: { code: 'TXN_NOT_FOUND' } })
    t.match(await ask(lab.admin, `/v1/txns/${nobody}`), { status: 404 })
    const outcomes = lab
      .auditLines()
      .filter(({ act }) => act === 'txn.resolve')
      .map(({ subject, outcome }) => [subject, outcome])
    t.same(outcomes, [
      [suspect.id, 'begun'],
      [suspect.id, 'done'],
      [suspect.id, 'begun'],
      [suspect.id, 'TXN_NOT_SUSPECT'],
      [nobody, 'begun'],
      [nobody, 'TXN_NOT_FOUND'],
    ])
  })

  await t.test('deposits are exact to the sen, and booked once a key', async t => {
    const deposit = (fields: string, partner = '4519001'): Promise<Reply> =>
      ask(lab.admin, `/v1/partners/${partner}/deposits`, {
        method: 'POST',
        headers: JSON_BODY,
        body: `{"by":"ani","reason":"transfer",${fields}}`,
      })
    const before = (
      (await ask(lab.admin, '/v1/partners')).body as { partners: { depositMinor: bigint }[] }
    ).partners[0]?.depositMinor as bigint
    // More than a double can hold exactly.
    const amount = 9_007_199_254_740_993n
    const rows: [title: string, fields: string, shape: object][] = [
      [
        'a large one',
        `"amountMinor":${amount},"key":"t-1"`,
        {
          status: 200,
          body: { result: 'booked', amountMinor: amount, depositMinor: before + amount },
        },
      ],
      [
        'the same key again',
        `"amountMinor":${amount},"key":"t-1"`,
        { status: 200, body: { result: 'booked-before', depositMinor: before + amount } },
      ],
      [
        'taken back',
        `"amountMinor":${-amount}`,
        { status: 200, body: { result: 'booked', depositMinor: before } },
      ],
      [
        'more taken back than there is',
        `"amountMinor":${-before - 1n}`,
        { status: 409, body: { code: 'DEPOSIT_INSUFFICIENT' } },
      ],
    ]
    for (const [title, fields, shape] of rows) t.match(await deposit(fields), shape, title)
    t.match(await deposit('"amountMinor":1', '4519999'), {
      status: 404,
      body: { code: 'PARTNER_NOT_FOUND' },
    })
    const lines = lab.auditLines().filter(({ act }) => act === 'partner.deposit')
    t.match(lines[0], { subject: '4519001', by: 'ani', peer: '127.0.0.1', detail: { key: 't-1' } })
    t.match((await ask(lab.admin, '/v1/ledger/audit')).body, { agrees: true })
  })

  await t.test('what is malformed is refused with a reason, and nothing is done', async t => {
    const acts = lab.auditLines().length
    const long = 'x'.repeat(20_000)
    const good = '"by":"ani","reason":"x"'
    const gets = [
      '/v1/txns?limit=0',
      '/v1/txns?limit=1001',
      '/v1/txns?limit=ten',
      '/v1/txns?limit=1e3',
      '/v1/txns?limit=1&limit=2',
      '/v1/txns?state=hanging',
      '/v1/txns?sinceMs=-1',
      '/v1/txns?customer=%27%3B%20drop%20table%20txn',
      '/v1/txns?customer=a%00b',
      '/v1/txns?unknown=1',
      '/v1/txns?__proto__=1',
      '/v1/txns/short',
      '/v1/txns/UUUUUUUUUUUU',
      '/v1/txns/%E0%A4%A',
      `/v1/txns/${long.slice(0, 200)}`,
      `/v1/txns/${postpaid.id}?unsafe=yes`,
      '/v1/ledger/balances?partner=a/b',
    ]
    for (const path of gets) {
      const reply = await ask(lab.admin, path)
      t.ok(reply.status === 400 || reply.status === 404, `${path}: ${reply.status}`)
      t.match(reply.body, { code: /^ADMIN_/, status: reply.status }, path)
    }
    const posts: [title: string, path: string, body: string, type?: string][] = [
      ['no JSON', 'partners/4519001/deposits', '{'],
      ['nothing', 'partners/4519001/deposits', ''],
      ['null', 'partners/4519001/deposits', 'null'],
      ['a list', 'partners/4519001/deposits', '[]'],
      ['a fraction', 'partners/4519001/deposits', `{"amountMinor":1.5,${good}}`],
      ['an exponent', 'partners/4519001/deposits', `{"amountMinor":1e3,${good}}`],
      ['a text', 'partners/4519001/deposits', `{"amountMinor":"100",${good}}`],
      ['zero', 'partners/4519001/deposits', `{"amountMinor":0,${good}}`],
      ['too much', 'partners/4519001/deposits', `{"amountMinor":1${'0'.repeat(18)},${good}}`],
      ['no reason', 'partners/4519001/deposits', '{"amountMinor":1,"by":"ani"}'],
      ['a blank reason', 'partners/4519001/deposits', '{"amountMinor":1,"by":"ani","reason":" "}'],
      ['a forged line', 'partners/4519001/deposits', '{"amountMinor":1,"by":"a\\nb","reason":"x"}'],
      [
        'a bidi trick',
        'partners/4519001/deposits',
        '{"amountMinor":1,"by":"a\\u202eb","reason":"x"}',
      ],
      ['something more', 'partners/4519001/deposits', `{"amountMinor":1,"to":"me",${good}}`],
      ['a prototype', 'partners/4519001/deposits', `{"amountMinor":1,"__proto__":{},${good}}`],
      ['too long', 'partners/4519001/deposits', `{"amountMinor":1,"by":"ani","reason":"${long}"}`],
      ['another type', 'partners/4519001/deposits', `{"amountMinor":1,${good}}`, 'text/plain'],
      ['another outcome', `txns/${postpaid.id}/resolve`, `{"as":"declined",${good}}`],
      ['no id', 'txns/../resolve', `{"as":"paid",${good}}`],
    ]
    for (const [title, path, body, type = 'application/json'] of posts) {
      const headers = { ...AS_OPERATOR, 'content-type': type }
      const reply = await ask(lab.admin, `/v1/${path}`, { method: 'POST', headers, body })
      t.ok(reply.status === 400 || reply.status === 404, `${title}: ${reply.status}`)
      t.match(reply.body, { code: /^ADMIN_/, detail: String }, title)
      t.notOk(reply.text.includes(TOKEN), title)
    }
    t.equal(lab.auditLines().length, acts, 'nothing was begun')
    t.match(await ask(lab.admin, '/v1/status', { method: 'DELETE' }), { status: 404 })
  })

  await t.test('bytes that are no HTTP do not hurt it', async t => {
    const [host = '', port] = lab.admin.split(':')
    const random = new SystemRandom()
    const spoken = ['GET / HTTP/9.9\r\n\r\n', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`]
    for (const bytes of [...spoken, ...Array.from({ length: 5 }, () => random.bytes(4000))])
      await new Promise<void>(resolve => {
        const socket = connect({ host, port: Number(port) }, () => socket.end(bytes))
        socket.on('error', () => {})
        socket.resume().once('close', () => resolve())
      })
    t.equal((await ask(lab.admin, '/healthz')).status, 200)
  })

  await t.test('while the journal is away, what does not need it still answers', async t => {
    lab.journal.setAvailable(false)
    t.teardown(() => lab.journal.setAvailable(true))
    const { body } = await ask(lab.admin, '/v1/status')
    const status = body as StatusView
    t.equal(status.journal.available, false)
    t.equal(status.open, null)
    const reply = await ask(lab.admin, '/v1/partners/4519001/deposits', {
      method: 'POST',
      headers: JSON_BODY,
      body: '{"amountMinor":100,"by":"ani","reason":"x"}',
    })
    t.match(reply, { status: 503, body: { code: 'JOURNAL_UNAVAILABLE', retry: true } })
    t.match(lab.auditLines().at(-1), { outcome: 'JOURNAL_UNAVAILABLE' })
  })
})

test('what is not well is told', async t => {
  const lab = await startLab({
    health: { live: () => [], ready: () => ['journal: cannot make anything durable'] },
    metrics: {
      contentType: 'text/plain',
      render: () => Promise.reject(new Error('a secret that must not be told')),
    },
  })
  t.teardown(() => lab.close())
  t.match(await ask(lab.admin, '/healthz', { headers: {} }), { status: 200, body: { ok: true } })
  t.match(await ask(lab.admin, '/readyz', { headers: {} }), {
    status: 503,
    body: { ok: false, problems: ['journal: cannot make anything durable'] },
  })
  t.match(await ask(lab.admin, '/v1/status'), { body: { ready: false } })
  const failed = await ask(lab.admin, '/metrics', { headers: {} })
  t.match(failed, { status: 500, body: { code: 'ADMIN_FAILED' } })
  t.notOk(failed.text.includes('secret'))
})

test('what cannot be written down is not done', async t => {
  let broken = false
  const lab = await startLab({
    audit: {
      write: async () => {
        if (broken) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
      },
      close: async () => {},
    },
  })
  t.teardown(() => lab.close())
  const deposit = (): Promise<Reply> =>
    ask(lab.admin, '/v1/partners/4519001/deposits', {
      method: 'POST',
      headers: JSON_BODY,
      body: '{"amountMinor":100,"by":"ani","reason":"x"}',
    })
  const first = await deposit()
  broken = true
  t.equal((await deposit()).status, 500)
  broken = false
  const { depositMinor } = first.body as { depositMinor: bigint }
  t.match(await deposit(), { body: { depositMinor: depositMinor + 100n } })

  const path = `${lab.folder}/trail/audit.log`
  const trail = await openAuditTrail(path)
  const line = { atMs: 0, act: 'a', subject: 's', by: 'b', reason: 'r', peer: 'p', outcome: 'done' }
  await Promise.all([trail.write(line), trail.write(line)])
  await trail.close()
  await t.rejects(trail.write(line), { code: 'ADMIN_AUDIT' })
  await t.rejects(openAuditTrail(`${path}/not/a/folder`), { code: 'ADMIN_AUDIT' })
})

test('a port that is taken is said so', async t => {
  const lab = await startLab()
  t.teardown(() => lab.close())
  const port = Number(lab.admin.split(':')[1])
  await t.rejects(startAdmin({ ...lab.parts, port }), { code: 'PORT_TAKEN' })
})

test('masks hold wherever a message stands, and whatever a frame holds', async t => {
  const name = 'SITI AMINAH'
  t.same(
    hideWithin({
      sent: { customer: { id: '1', name }, bills: [{ period: '202610' }] },
      details: { token: { number: '12345678901234567890' } },
      answers: [{ customer: { name } }],
      why: 'because',
    }),
    {
      sent: { customer: { id: '1', name: 'S*** A*****' }, bills: [{ period: '202610' }] },
      details: { token: { number: '*'.repeat(20) } },
      answers: [{ customer: { name: 'S*** A*****' } }],
      why: 'because',
    },
  )
  const lab = await startLab()
  t.teardown(() => lab.close())
  const pack = lab.config.packs.get('pln-2003-111')
  if (!pack) throw new Error('the lab has no such pack')
  const bought =
    '22105032004182810006059950236000000001025000000000002012026112009203020261121602107451999907451900100000LOKET0000000001241SWX0001990000000109999000000230PLN0000000000000000000000000ABC1SWX2026112009200000000000000ABCD00000077PELANGGAN UJI DUA        R1M 00000090002000025000020000000000200000000002000047619020000000000200000952381020000007044123456789012345678900289999101123            015000033Informasi Hubungi Call Center 123'
  const hidden = (text: string): string =>
    Buffer.from(hiddenHex(pack, fromLatin1(text)), 'hex').toString('latin1')
  const shown = hidden(bought)
  t.equal(shown.length, bought.length)
  t.match(shown, /^22105032004182810006059950236000000001025000000000002012026/)
  for (const secret of SECRETS) t.notOk(shown.includes(secret))
  // However the frame is cut or changed, the token and the name never come through.
  fc.assert(
    fc.property(fc.nat(bought.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const changed = cut
        ? bought.slice(0, at)
        : bought.slice(0, at) + String.fromCharCode(byte) + bought.slice(at + 1)
      const seen = hidden(changed)
      return !seen.includes('PELANGGAN') && !/123456789012345/.test(seen)
    }),
    { numRuns: 500 },
  )
})
