import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  type EventKey,
  MemoryRequests,
  MemoryWebhooks,
  PostgresRequests,
  PostgresWebhooks,
  type RequestStore,
  type WebhookStore,
} from '#api'
import { rupiah, Secret, SystemClock, SystemRandom, TxnIds } from '#base'
import { type Commit, PostgresJournal } from '#journal'
import { posting } from '#ledger'
import { Database, startEmbedded } from '#postgres'
import { NO_LOG } from '#telemetry'
import { parseEventId } from '../../src/api/webhooks/event.ts'
import { word } from './client.ts'
import { valueProblems } from './conforms.ts'
import { FIRST, KEYS, type Lab, SECOND, startLab } from './lab.ts'

// ── a partner's server ───────────────────────────────────────────────────────────────────────

type Got = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly atMs: number }

/** Answers what it is told to, in turn; the last answer stays. `undefined` is none, `cut` hangs up. */
class Receiver {
  readonly got: Got[] = []
  answers: (number | 'cut' | undefined)[] = [204]
  readonly #held: ServerResponse[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<Receiver> {
    const server = createServer()
    const receiver = new Receiver(server)
    server.on('request', (request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.on('end', () => {
        receiver.got.push({ headers: request.headers, body, atMs: performance.now() })
        const [answer] = receiver.answers
        if (receiver.answers.length > 1) receiver.answers.shift()
        if (answer === 302) response.setHeader('location', receiver.url)
        if (answer === 'cut') request.socket.destroy()
        else if (answer === undefined) receiver.#held.push(response)
        else response.writeHead(answer).end('thank you')
      })
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/nadi`
  }

  /** Answers all that it was silent about. */
  release(): void {
    this.answers = [204]
    for (const response of this.#held.splice(0)) response.writeHead(204).end()
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

const [OLD, NEW] = ['old', 'new'].map(
  name => new Secret(`whsec_${Buffer.from(`${name}-`.padEnd(32, 'x')).toString('base64')}`),
) as [Secret<string>, Secret<string>]

/** What the specification says, written down once more. */
function isSignedBy(secret: Secret<string>, { headers, body }: Got): boolean {
  const key = Buffer.from(secret.reveal().slice('whsec_'.length), 'base64')
  const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const wanted = `v1,${createHmac('sha256', key).update(content).digest('base64')}`
  return String(headers['webhook-signature']).split(' ').includes(wanted)
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what()))
    await new Promise(resolve => {
      setTimeout(resolve, 5)
    })
}

let orders = 0
async function pay(lab: Lab, ending: string, key = KEYS.first): Promise<string> {
  const client = lab.client(key)
  const order = ++orders
  const id = `9999${String(order).padStart(5, '0')}${ending}`
  const { json } = await client.post('/v1/inquiries', { product: 'pln-postpaid', customer: { id } })
  const body = { inquiry: json['id'], amount: json['amount'] }
  const reply = await client.post('/v1/payments', body, { key: `order-${order}` })
  return word(reply.json['id'] ?? reply.json['payment'])
}

void t.test('partners are told of the ends of their payments', async t => {
  const [first, second] = [await Receiver.start(), await Receiver.start()]
  t.teardown(() => [first, second].forEach(one => one.close()))
  const targets = new Map([
    [FIRST, { url: first.url, secrets: [NEW, OLD] }],
    [SECOND, { url: second.url, secrets: [OLD] }],
  ])
  const lab = await startLab({ targets })
  t.teardown(() => lab.close())
  await lab.switch.deposit(SECOND, rupiah(100_000_000n), 'lab', 'more')
  const take = async (receiver: Receiver, count: number): Promise<Got[]> => {
    await until(() => receiver.got.length >= count)
    return receiver.got.splice(0)
  }
  const stateOf = async (payment: string): Promise<string | undefined> =>
    (await lab.desk.list({ limit: 100 })).find(event => event.payment === payment)?.state

  await t.test('paid, declined, reversed: what, and signed with every secret', async t => {
    for (const [ending, type] of [
      ['900', 'payment.paid'],
      ['926', 'payment.declined'],
      ['907', 'payment.reversed'],
    ] as const) {
      const payment = await pay(lab, ending)
      const [got] = (await take(first, 1)) as [Got]
      const body = JSON.parse(got.body) as { type: string; data: { payment: string } }
      t.match(body, { type, data: { payment, state: type.slice(8) } })
      t.same(
        valueProblems(lab.document, { $ref: '#/components/schemas/WebhookEvent' }, body, ''),
        [],
      )
      t.match(parseEventId(String(got.headers['webhook-id'])), { version: Number })
      t.ok(isSignedBy(NEW, got) && isSignedBy(OLD, got), 'by the new secret and by the old one')
      t.notMatch(got.body, /9999|PELANGGAN/, 'no customer in it')
      await until(async () => (await stateOf(payment)) === 'delivered')
    }
  })

  await t.test('a payment that is paid, and then taken back, has two ends', async t => {
    const payment = await pay(lab, '900')
    await take(first, 1)
    await lab.client().post(`/v1/payments/${payment}/reversals`, {})
    const [got] = (await take(first, 1)) as [Got]
    t.match(JSON.parse(got.body), { type: 'payment.reversed', data: { payment } })
    const events = (await lab.desk.list({ limit: 9 })).filter(event => event.payment === payment)
    t.same(events.map(({ type }) => type).toSorted(), ['payment.paid', 'payment.reversed'])
  })

  await t.test('what was not taken is tried again, with the same id and bytes', async t => {
    first.answers = [500, 'cut', 204]
    const payment = await pay(lab, '900')
    const got = await take(first, 3)
    t.same(new Set(got.map(({ headers }) => headers['webhook-id'])).size, 1)
    t.same(new Set(got.map(({ body }) => body)).size, 1)
    t.ok(got.every(one => isSignedBy(NEW, one)))
    await until(async () => (await stateOf(payment)) === 'delivered')
    const story = await lab.desk.show(String(got[0]?.headers['webhook-id']))
    t.match(story?.log, [
      { nth: 1, status: 500 },
      { nth: 2, problem: /^[A-Z_]+$/ },
      { nth: 3, status: 204 },
    ])
  })

  await t.test('given up, read by partner support, and replayed', async t => {
    first.answers = [503]
    const payment = await pay(lab, '900')
    await until(async () => (await stateOf(payment)) === 'failed')
    t.equal((await take(first, 3)).length, 3, 'as often as the schedule says')
    const [event] = await lab.desk.list({ state: 'failed', limit: 5 })
    t.match(event, { payment, attempts: 3, state: 'failed' })
    first.answers = [200]
    t.match(await lab.desk.replay(event?.id ?? ''), { id: event?.id })
    const [got] = (await take(first, 1)) as [Got]
    t.equal(got.headers['webhook-id'], event?.id)
    await until(async () => (await stateOf(payment)) === 'delivered')
    t.equal(await lab.desk.replay('evt_000000000000_1'), undefined)
    t.equal(await lab.desk.show('nonsense'), undefined)
  })

  await t.test(
    'gone means gone, a redirect is not followed, and a dead server is a word',
    async t => {
      for (const [answer, log] of [
        [410, [{ status: 410 }]],
        [302, [{ status: 302 }, { status: 302 }, { status: 302 }]],
      ] as const) {
        first.answers = [answer]
        const payment = await pay(lab, '900')
        await until(async () => (await stateOf(payment)) === 'failed')
        const [event] = (await lab.desk.list({ limit: 50 })).filter(one => one.payment === payment)
        t.match((await lab.desk.show(event?.id ?? ''))?.log, log)
        first.got.length = 0
      }
      first.answers = [204]
    },
  )
})

void t.test('whose server never answers has had its time', async t => {
  const receiver = await Receiver.start()
  t.teardown(() => receiver.close())
  receiver.answers = [undefined]
  const targets = new Map([[FIRST, { url: receiver.url, secrets: [NEW] }]])
  const lab = await startLab({ targets, sendTimeoutMs: 100, retriesMs: [10] })
  t.teardown(() => lab.close())
  await pay(lab, '900')
  await until(async () => (await lab.store.list({ state: 'failed', limit: 9 })).length === 1)
  const [event] = await lab.store.list({ limit: 9 })
  t.match(event && (await lab.store.attempts(event)), [
    { problem: 'timeout' },
    { problem: 'timeout' },
  ])
})

void t.test('a partner whose server hangs is not felt by another', async t => {
  const [first, second] = [await Receiver.start(), await Receiver.start()]
  t.teardown(() => [first, second].forEach(one => one.close()))
  const targets = new Map([
    [FIRST, { url: first.url, secrets: [NEW] }],
    [SECOND, { url: second.url, secrets: [OLD] }],
  ])
  const lab = await startLab({ targets })
  t.teardown(() => lab.close())
  await lab.switch.deposit(SECOND, rupiah(100_000_000n), 'lab', 'more')
  first.answers = [undefined]
  await Promise.all(Array.from({ length: 8 }, () => pay(lab, '900')))
  await until(() => first.got.length === 4)
  await pay(lab, '900', KEYS.second)
  await until(() => second.got.length === 1)
  t.equal(first.got.length, 4, 'the first one has its own few places, and no more')
  first.release()
  await until(async () => (await lab.store.list({ state: 'delivered', limit: 99 })).length === 9)
  t.equal(first.got.length, 8, 'and then gets the rest, each once')
})

// ── the stores ───────────────────────────────────────────────────────────────────────────────

const clock = new SystemClock()
const random = new SystemRandom()
const ids = new TxnIds(clock, 0)

type Stores = { readonly requests: RequestStore; readonly webhooks: WebhookStore }

/** One promise, two keepers. */
function keepsTheStorePromise(t: Test, fresh: () => Promise<Stores>): void {
  void t.test('a key means one content', async t => {
    const { requests } = await fresh()
    const claim = (key: string, content: string, partner: string = FIRST, atMs = 1000) =>
      requests.claim({ partner, key, content, atMs })
    t.equal(await claim('a', 'x'), 'new')
    t.same(
      await Promise.all([
        claim('a', 'x'),
        claim('a', 'y'),
        claim('a', 'x', SECOND),
        claim('b', 'y'),
      ]),
      ['same', 'other', 'new', 'new'],
    )
    const race = await Promise.all(['1', '2', '1', '2'].map(content => claim('race', content)))
    t.equal(race.filter(one => one === 'new').length, 1, 'of those that race one is first')
    const firstContent = ['1', '2', '1', '2'][race.indexOf('new')]
    t.equal(await claim('race', firstContent ?? ''), 'same')
    t.equal(await requests.contentOf(FIRST, 'race'), firstContent, 'and can be read again')
    t.equal(await requests.contentOf(SECOND, 'race'), undefined, 'by whose it is')
    await requests.forget(1001)
    t.equal(await claim('a', 'y', FIRST, 2000), 'new', 'after days it is forgotten')
    const many = await Promise.all(
      Array.from({ length: 1500 }, (_, at) => claim(`many-${at}`, 'x')),
    )
    t.ok(many.every(one => one === 'new'))
  })

  void t.test('an event waits, is sent, concluded, and replayed', async t => {
    const { webhooks } = await fresh()
    const [one, two] = [FIRST, SECOND].map(partner => ({
      partner,
      txn: ids.next(),
      version: 2,
    })) as [EventKey, EventKey]
    const made = { type: 'payment.paid', atMs: 500 } as const
    await webhooks.expand(
      [],
      [
        { ...one, ...made },
        { ...two, ...made },
      ],
      1000,
    )
    await webhooks.expand([], [{ ...one, ...made }], 9000)
    t.equal(await webhooks.nextDueMs([FIRST]), 1000, 'a known event is left alone')
    t.same(await webhooks.claimDue(new Map([[FIRST, 5]]), 999, 2000), [], 'not before its time')
    const [taken, ...more] = await webhooks.claimDue(new Map([[FIRST, 5]]), 1000, 2000)
    t.match(taken, { ...one, state: 'waiting', attempts: 0, tries: 0 })
    t.same(more, [], 'of whom there is room for')
    t.same(
      await webhooks.claimDue(new Map([[FIRST, 5]]), 1500, 9000),
      [],
      'nobody else is given it',
    )
    t.equal(
      (await webhooks.claimDue(new Map([[FIRST, 5]]), 2000, 3000)).length,
      1,
      'until the lease ends',
    )
    await webhooks.conclude(
      one,
      { atMs: 2001, tookMs: 7, status: 500, problem: undefined },
      { tag: 'later', dueAtMs: 4000 },
    )
    await webhooks.conclude(
      one,
      { atMs: 4001, tookMs: 9, status: undefined, problem: 'timeout' },
      { tag: 'failed' },
    )
    t.same(await webhooks.attempts(one), [
      { nth: 1, atMs: 2001, tookMs: 7, status: 500, problem: undefined },
      { nth: 2, atMs: 4001, tookMs: 9, status: undefined, problem: 'timeout' },
    ])
    t.match(await webhooks.list({ state: 'failed', limit: 5 }), [{ ...one, attempts: 2, tries: 2 }])
    t.match(await webhooks.list({ txn: two.txn, limit: 5 }), [{ ...two, state: 'waiting' }])
    t.equal(await webhooks.nextDueMs([FIRST]), undefined)
    t.equal(await webhooks.replay(one, 5000), true)
    t.equal(await webhooks.replay({ ...one, version: 3 }, 5000), false)
    t.match(await webhooks.claimDue(new Map([[FIRST, 1]]), 5000, 6000), [{ attempts: 2, tries: 0 }])
    await webhooks.conclude(
      one,
      { atMs: 5001, tookMs: 1, status: 204, problem: undefined },
      { tag: 'delivered' },
    )
    await webhooks.prune(501)
    t.match(await webhooks.list({ limit: 5 }), [{ ...two }], 'what waits stays')
    t.same(await webhooks.attempts(one), [])
  })
}

void t.test('memory keeps the promise', async t => {
  keepsTheStorePromise(t, async () => ({
    requests: new MemoryRequests(),
    webhooks: new MemoryWebhooks(),
  }))
})

void t.test('PostgreSQL keeps it, and sees the ends of payments by itself', async t => {
  const varFolder = mkdtempSync(join(tmpdir(), 'nadi-api-store-'))
  const server = await startEmbedded({ varFolder, clock, random, log: NO_LOG })
  t.teardown(async () => {
    await server.destroy()
    rmSync(varFolder, { recursive: true, force: true })
  })
  let schemas = 0
  const open = async (t: Test): Promise<Database> => {
    const database = await Database.open({
      connection: server.connection,
      log: NO_LOG,
      schema: `api_${++schemas}`,
    })
    t.teardown(() => database.close())
    return database
  }
  keepsTheStorePromise(t, async () => {
    const database = await open(t)
    return { requests: new PostgresRequests(database), webhooks: new PostgresWebhooks(database) }
  })

  await t.test('two nodes claim the same keys at once', async t => {
    const database = await open(t)
    const nodes = [new PostgresRequests(database), new PostgresRequests(database)]
    const claimed = await Promise.all(
      Array.from({ length: 400 }, (_, at) => {
        const key = `k${at >> 1}`
        return (nodes[at & 1] as PostgresRequests).claim({
          partner: FIRST,
          key,
          content: `${at & 1}`,
          atMs: 1,
        })
      }),
    )
    t.equal(claimed.filter(one => one === 'new').length, 200)
    t.equal(claimed.filter(one => one === 'other').length, 200)
  })

  await t.test('an end is remembered in its own commit, or not at all', async t => {
    const database = await open(t)
    const evidenceKey = new Secret(random.bytes(32).slice())
    const journal = await PostgresJournal.open({
      database,
      node: 'test',
      clock,
      random,
      log: NO_LOG,
      evidenceKey,
    })
    t.teardown(() => journal.close())
    const webhooks = new PostgresWebhooks(database)
    await webhooks.subscribe([FIRST])
    const head = (partner: string) => ({
      id: ids.next(),
      partner,
      businessDate: '20261120' as Commit['head']['businessDate'],
      kind: 'payment' as const,
      product: 'pln-postpaid',
      customer: '1',
      amountMinor: rupiah(1),
    })
    const step = (
      of: Commit['head'],
      expects: number,
      tag: string,
      owed: boolean,
      postings: Commit['postings'] = [],
    ): Commit => ({
      head: of,
      expects,
      records: [{ atMs: clock.nowMs(), event: tag, tag }],
      tag,
      state: { tag },
      postings,
      owes: owed ? { step: 'answer', destination: 'pln', dueAtMs: 1 } : undefined,
    })
    const [ours, theirs, short] = [head(FIRST), head(SECOND), head(FIRST)]
    for (const one of [ours, theirs, short]) await journal.commit(step(one, 0, 'sending', true))
    t.same(await webhooks.ended(9), [], 'what is under way has no end')
    const tooMuch = posting('hold', [
      ['deposit', -1n],
      ['hold', 1n],
    ])
    const results = await Promise.all([
      journal.commit(step(ours, 1, 'paid', false)),
      journal.commit(step(theirs, 1, 'paid', false)),
      journal.commit(step(short, 1, 'paid', false, [tooMuch])),
    ])
    t.same(
      results.map(({ tag }) => tag),
      ['committed', 'committed', 'insufficient-funds'],
    )
    const ended = await webhooks.ended(9)
    t.match(
      ended,
      [{ partner: FIRST, txn: ours.id }],
      'that of a partner who wants to know, and that was made durable',
    )
    t.equal(ended.length, 1)
    await webhooks.expand(
      ended.map(({ seq }) => seq),
      [{ partner: FIRST, txn: ours.id, version: 2, type: 'payment.paid', atMs: 1 }],
      5,
    )
    t.same(await webhooks.ended(9), [])
    t.equal((await webhooks.list({ limit: 9 })).length, 1)
  })

  await t.test('a lasting claim is on the disk when it resolves', async t => {
    const database = await open(t)
    const requests = new PostgresRequests(database)
    const position = async (of: 'insert' | 'flush'): Promise<bigint> => {
      const asked = `SELECT pg_wal_lsn_diff(pg_current_wal_${of}_lsn(), '0/0')::text AS at`
      const { rows } = await database.pool.query<{ at: string }>(asked)
      return BigInt(rows[0]?.at ?? 0)
    }
    for (const key of ['one', 'two', 'three']) {
      const before = await position('insert')
      await requests.claim({ partner: FIRST, key, content: 'x', atMs: 1, lasting: true })
      t.ok((await position('flush')) > before, 'what was written for it is flushed')
    }
  })
})
