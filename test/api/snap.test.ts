import { createHash, createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import { request as call } from 'undici'
import { type ApiPartner, MemoryRequests } from '#api'
import { Secret, SystemRandom } from '#base'
import type { Config, SnapListenerConfig } from '#config'
import { NO_LOG } from '#telemetry'
import { snapListener } from '../../src/daemon/wire-snap.ts'
import { FIRST, startLab } from './lab.ts'

/** A bank made by hand, with nothing of ours but the addresses, calls a wired switch over real sockets. */

const NUMBER = '   99999'
const SECRET = 'contoh-client-secret-0001'
const FIRST_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 })
const OTHER_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 })
const MINUTE_MS = 60_000

type Money = { readonly value: string; readonly currency: string }
/** What these tests look at of an answer's body. */
type Body = {
  readonly responseCode?: string
  readonly accessToken?: string
  readonly virtualAccountData?: {
    readonly totalAmount: Money
    readonly feeAmount: Money
    readonly billDetails: readonly { readonly billAmount: Money }[]
    readonly paymentFlagStatus: string
  }
}
type Told = { readonly status: number; readonly body: Body }
type Extra = Readonly<Record<string, string | undefined>>

let externals = 0

class Bank {
  token = ''
  readonly #url: string
  readonly #id: string
  readonly #secret: string
  readonly #key: typeof FIRST_KEY

  constructor(url: string, id: string, secret: string, key: typeof FIRST_KEY) {
    this.#url = url
    this.#id = id
    this.#secret = secret
    this.#key = key
  }

  /** `atMs`: when it was signed. */
  fetchToken(atMs = Date.now(), clientId = `client-${this.#id}`): Promise<Told> {
    const time = wib(atMs)
    const signature = createSign('sha256').update(`${clientId}|${time}`)
    return this.post('/openapi/v1.0/access-token/b2b', '{"grantType":"client_credentials"}', {
      'x-client-key': clientId,
      'x-timestamp': time,
      'x-signature': signature.sign(this.#key.privateKey, 'base64'),
    })
  }

  async signOn(): Promise<void> {
    this.token = (await this.fetchToken()).body.accessToken ?? ''
  }

  /** A service's request, signed; `change` replaces headers, or takes them out, after the signature. */
  ask(service: string, body: unknown, change: Extra = {}, atMs = Date.now()): Promise<Told> {
    const path = `/openapi/v1.0/transfer-va/${service}`
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const time = wib(atMs)
    const hash = createHash('sha256').update(text).digest('hex')
    const signed = `POST:${path}:${this.token}:${hash}:${time}`
    return this.post(path, text, {
      'x-partner-id': `partner-${this.#id}`,
      'channel-id': '95221',
      'x-external-id': String(++externals),
      'x-timestamp': time,
      authorization: `Bearer ${this.token}`,
      'x-signature': createHmac('sha512', this.#secret).update(signed).digest('base64'),
      ...change,
    })
  }

  async post(path: string, text: string, headers: Extra, method = 'POST'): Promise<Told> {
    const given = { 'content-type': 'application/json', ...headers }
    const sent = Object.fromEntries(
      Object.entries(given).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    )
    const answer = await call(`${this.#url}${path}`, {
      method: method as 'POST',
      headers: sent,
      ...(method === 'POST' && { body: text }),
    })
    const read = await answer.body.text()
    return { status: answer.statusCode, body: read === '' ? {} : JSON.parse(read) }
  }
}

function wib(atMs: number): string {
  return `${new Date(atMs + 7 * 60 * MINUTE_MS).toISOString().slice(0, 19)}+07:00`
}

const pem = (key: typeof FIRST_KEY): string =>
  key.publicKey.export({ type: 'spki', format: 'pem' }) as string

function listenerOf(change: Partial<SnapListenerConfig>): SnapListenerConfig {
  const bank = (name: string, secret: string, key: typeof FIRST_KEY, peers = '127.0.0.1') => ({
    name,
    partner: FIRST,
    pack: 'snap-va',
    mayCall: (peer: string) => peer === peers,
    credentials: {
      clientId: new Secret(`client-${name}`),
      partnerId: new Secret(`partner-${name}`),
      clientSecret: new Secret(secret),
      bankPublicKey: new Secret(pem(key)),
    },
    services: new Map([['99999', 'pln-postpaid']]),
  })
  return {
    name: 'banks',
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    answerWaitMs: 10_000,
    rate: { perSecond: 1000, burst: 1000 },
    limits: {
      bodyBytesMax: 4096,
      headerBytesMax: 8192,
      connectionsMax: 64,
      connectionsPerPeerMax: 64,
      inFlightMax: 64,
      headersTimeoutMs: 5000,
      requestTimeoutMs: 5000,
      idleTimeoutMs: 5000,
      answerTimeoutMs: 15_000,
    },
    banks: [
      bank('satu', SECRET, FIRST_KEY),
      bank('dua', 'contoh-client-secret-0002', OTHER_KEY),
      bank('jauh', 'contoh-client-secret-0003', OTHER_KEY, '10.9.9.9'),
    ],
    ...change,
  }
}

async function world(t: Test, change: Partial<SnapListenerConfig> = {}) {
  const lab = await startLab()
  const requests = new MemoryRequests()
  const partners = partnersOf(lab.config)
  const around = {
    clock: lab.clock,
    random: new SystemRandom(),
    log: NO_LOG,
    switch: lab.switch,
    requests,
  }
  const opened: ReturnType<typeof snapListener>[] = []
  const open = async () => {
    const listener = snapListener(lab.config, listenerOf(change), partners, around)
    opened.push(listener)
    const { address } = await listener.listen()
    const bank = new Bank(`http://${address}`, 'satu', SECRET, FIRST_KEY)
    await bank.signOn()
    const other = new Bank(`http://${address}`, 'dua', 'contoh-client-secret-0002', OTHER_KEY)
    await other.signOn()
    const far = new Bank(`http://${address}`, 'jauh', 'contoh-client-secret-0003', OTHER_KEY)
    return { bank, other, far }
  }
  t.teardown(async () => {
    for (const listener of opened) await listener.drain(lab.clock.nowMs() + 1000)
    await lab.close()
  })
  const deposit = async (): Promise<bigint> => {
    const all = await lab.journal.balances()
    return all.find(one => one.partner === FIRST && one.account === 'deposit')?.balanceMinor ?? 0n
  }
  return { lab, open, deposit, ...(await open()) }
}

function partnersOf({ partners }: Config): ReadonlyMap<string, ApiPartner> {
  const first = partners.get(FIRST)
  if (!first?.api) throw new Error('the lab partner has an api section')
  const { bank, switcher, terminal, channel } = first.api
  const api = {
    bank,
    switcher,
    terminal,
    channel,
    keys: new Map(),
    certificates: new Set<string>(),
  }
  return new Map([[FIRST, { ...first, api }]])
}

const va = (customer: string) => ({
  partnerServiceId: NUMBER,
  customerNo: customer,
  virtualAccountNo: `${NUMBER}${customer}`,
})
const asks = (customer: string, id: string) => ({
  ...va(customer),
  trxDateInit: wib(Date.now()),
  channelCode: 6011,
  inquiryRequestId: id,
})
const pays = (customer: string, id: string, value: string, flagAdvise = 'N') => ({
  ...va(customer),
  virtualAccountName: 'SIAPA SAJA',
  paymentRequestId: id,
  paidAmount: { value, currency: 'IDR' },
  totalAmount: { value, currency: 'IDR' },
  trxDateTime: wib(Date.now()),
  referenceNo: '00000000001',
  flagAdvise,
})
const about = (customer: string, id: string) => ({ ...va(customer), inquiryRequestId: id })
function dataOf({ body }: Told) {
  if (!body.virtualAccountData) throw new Error(`there is no bill: ${body.responseCode}`)
  return body.virtualAccountData
}
const codeOf = ({ status, body }: Told): string => {
  const code = String(body.responseCode)
  return code.startsWith(String(status)) ? code : `${status} but ${code}`
}

t.test('a bank asks for a bill, pays it, and asks what became of it', async t => {
  const { bank, deposit } = await world(t)
  const token = await bank.fetchToken()
  t.match(token.body, { responseCode: '2007300', tokenType: 'Bearer', expiresIn: '900' })

  const before = await deposit()
  const bill = await bank.ask('inquiry', asks('999900000015', 'INQ-1'))
  t.equal(codeOf(bill), '2002400')
  const data = dataOf(bill)
  t.match(data, { ...va('999900000015'), inquiryStatus: '00', inquiryRequestId: 'INQ-1' })
  const total: string = data.totalAmount.value
  const parts = [...data.billDetails.map(one => one.billAmount.value), data.feeAmount.value]
  t.equal(
    parts.reduce((sum: number, value: string) => sum + Number(value), 0),
    Number(total),
    'the bills and the fee are the total',
  )

  t.equal(codeOf(await bank.ask('status', about('999900000015', 'INQ-1'))), '4042601', 'not yet')
  const paid = await bank.ask('payment', pays('999900000015', 'INQ-1', total))
  t.equal(codeOf(paid), '2002500')
  t.match(paid.body.virtualAccountData, {
    ...va('999900000015'),
    paymentRequestId: 'INQ-1',
    paymentFlagStatus: '00',
    paidAmount: { value: total, currency: 'IDR' },
  })
  const after = await deposit()
  t.ok(after < before, 'the deposit paid for it')

  const status = await bank.ask('status', about('999900000015', 'INQ-1'))
  t.equal(codeOf(status), '2002600')
  t.match(status.body.virtualAccountData, { paymentFlagStatus: '00', paymentRequestId: 'INQ-1' })

  const again = await bank.ask('inquiry', asks('999900000015', 'INQ-2'))
  t.equal(codeOf(again), '4042414', 'the bill is paid')
  t.equal(await deposit(), after)
})

t.test('the same again is told the same, and never a second time paid', async t => {
  const { bank, other, open, deposit } = await world(t)
  const bill = await bank.ask('inquiry', asks('999900000057', 'INQ-10'))
  const total: string = dataOf(bill).totalAmount.value
  t.same(await bank.ask('inquiry', asks('999900000057', 'INQ-10')), bill, 'the inquiry')
  const elsewhere = await bank.ask('inquiry', asks('999900000064', 'INQ-10'))
  t.equal(codeOf(elsewhere), '4042418', 'its id for another customer')

  const before = await deposit()
  const first = pays('999900000057', 'INQ-10', total)
  const both = await Promise.all([bank.ask('payment', first), bank.ask('payment', first)])
  t.same(both.map(codeOf), ['2002500', '2002500'], 'two at once')
  t.same(both[0], both[1])
  const after = await deposit()
  const advised = await bank.ask('payment', pays('999900000057', 'INQ-10', total, 'Y'))
  t.same(advised, both[0], 'flagAdvise Y is told what the first one was')
  t.equal(await deposit(), after)
  t.ok(after < before)
  t.equal(codeOf(await bank.ask('payment', pays('999900000057', 'INQ-10', '1.00'))), '4042518')
  t.equal(codeOf(await bank.ask('payment', pays('999900000064', 'INQ-10', total))), '4042518')
  t.equal(codeOf(await bank.ask('payment', pays('999900000057', 'INQ-99', total))), '4042512')
  t.equal(
    codeOf(await other.ask('payment', pays('999900000057', 'INQ-10', total))),
    '4042512',
    "another bank's ids are its own",
  )
  t.equal(codeOf(await other.ask('status', about('999900000057', 'INQ-10'))), '4042601')

  const reborn = await open()
  t.equal(
    codeOf(await reborn.bank.ask('payment', first)),
    '2002500',
    'another node, or this one after a restart, knows what the ids stand for',
  )
  t.equal(codeOf(await reborn.bank.ask('status', about('999900000057', 'INQ-10'))), '2002600')
  t.equal(await deposit(), after)
  bank.token = reborn.bank.token
  t.equal(codeOf(await bank.ask('status', about('999900000057', 'INQ-10'))), '4012601')
})

t.test('an X-EXTERNAL-ID is for one request of the day', async t => {
  const { bank, other } = await world(t)
  const id = { 'x-external-id': '777000111' }
  const body = asks('999900000057', 'INQ-20')
  const first = await bank.ask('inquiry', body, id)
  t.equal(codeOf(first), '2002400')
  t.same(await bank.ask('inquiry', body, id), first, 'the very same again')
  t.equal(codeOf(await bank.ask('inquiry', asks('999900000057', 'INQ-21'), id)), '4092400')
  t.equal(codeOf(await bank.ask('status', about('999900000057', 'INQ-20'), id)), '4092600')
  t.equal(codeOf(await other.ask('inquiry', asks('999900000057', 'INQ-20'), id)), '2002400')
})

t.test('an outcome that is not known yet is told as such, until it is known', async t => {
  const { bank, lab } = await world(t)
  const customer = '999900000907'
  const bill = await bank.ask('inquiry', asks(customer, 'INQ-30'))
  const total: string = dataOf(bill).totalAmount.value
  const sent = bank.ask('payment', pays(customer, 'INQ-30', total))
  let status = await bank.ask('status', about(customer, 'INQ-30'))
  const seen = new Set<string>()
  const known = (): boolean => {
    const flag = status.body.virtualAccountData?.paymentFlagStatus ?? ''
    seen.add(flag)
    return flag === '00' || flag === '01'
  }
  for (let asked = 0; asked < 200 && !known(); asked++) {
    await new Promise<void>(resolve => {
      lab.clock.at(lab.clock.nowMs() + 20, resolve)
    })
    status = await bank.ask('status', about(customer, 'INQ-30'))
  }
  t.ok(seen.has('02'), 'it was open for a while')
  t.match(codeOf(await sent), /^(2002500|5042500|40[34]25\d\d)$/)
  const flag = dataOf(status).paymentFlagStatus
  const again = codeOf(await bank.ask('payment', pays(customer, 'INQ-30', total, 'Y')))
  t.equal(again === '2002500', flag === '00', 'what the status says is what the payment is told')
})

t.test('who is not who it says gets nothing', async t => {
  const { bank, other, far } = await world(t)
  const body = asks('999900000015', 'INQ-40')
  const rows: [title: string, answer: Promise<Told>, code: string][] = [
    ['no token', bank.ask('inquiry', body, { authorization: undefined }), '4012401'],
    ['a token of nobody', bank.ask('inquiry', body, { authorization: 'Bearer x' }), '4012401'],
    [
      "another bank's token",
      bank.ask('inquiry', body, { authorization: `Bearer ${other.token}` }),
      '4012401',
    ],
    ['no signature', bank.ask('inquiry', body, { 'x-signature': undefined }), '4002402'],
    ['a forged one', bank.ask('inquiry', body, { 'x-signature': 'AAAA' }), '4012400'],
    ['an old one', bank.ask('inquiry', body, {}, Date.now() - 20 * MINUTE_MS), '4012400'],
    ['one of tomorrow', bank.ask('inquiry', body, {}, Date.now() + 20 * MINUTE_MS), '4012400'],
    [
      'a time that was not signed',
      bank.ask('inquiry', body, { 'x-timestamp': wib(Date.now() - MINUTE_MS) }),
      '4012400',
    ],
    ['a time that is none', bank.ask('inquiry', body, { 'x-timestamp': 'now' }), '4012400'],
    ['a partner that is none', bank.ask('inquiry', body, { 'x-partner-id': 'x' }), '4012400'],
    ['no partner', bank.ask('inquiry', body, { 'x-partner-id': undefined }), '4002402'],
    [
      "another bank's name",
      bank.ask('inquiry', body, { 'x-partner-id': 'partner-dua' }),
      '4012401',
    ],
    ['from elsewhere', far.ask('inquiry', body), '4012400'],
    ['a token from elsewhere', far.fetchToken(), '4017300'],
    ['a token for an old signature', bank.fetchToken(Date.now() - 20 * MINUTE_MS), '4017300'],
    ['a token by a wrong key', bank.fetchToken(Date.now(), 'client-dua'), '4017300'],
    ['a token for nobody', bank.fetchToken(Date.now(), 'client-x'), '4017300'],
  ]
  for (const [title, answer, code] of rows) {
    const told = await answer
    t.equal(codeOf(told), code, title)
    t.notMatch(JSON.stringify(told.body), SECRET)
    t.notOk('virtualAccountData' in told.body)
  }
})

t.test('what cannot be read has its own code, and does nothing', async t => {
  const { bank, deposit } = await world(t)
  const good = asks('999900000015', 'INQ-50')
  const text = JSON.stringify(good)
  const deep = `${text.slice(0, -1)},"a":${'['.repeat(40)}${']'.repeat(40)}}`
  const paying = pays('999900000015', 'INQ-50', '1000.00')
  const money = (value: unknown) => ({ ...paying, paidAmount: { value, currency: 'IDR' } })
  const { customerNo: _, ...without } = good
  const rows: [title: string, service: string, body: unknown, change: Extra, code: string][] = [
    ['no JSON', 'inquiry', '{', {}, '4002400'],
    ['a list', 'inquiry', '[]', {}, '4002400'],
    ['nothing', 'inquiry', '', {}, '4002400'],
    ['too deep', 'inquiry', deep, {}, '4002400'],
    ['a key twice', 'inquiry', `{"customerNo":"1",${text.slice(1)}`, {}, '4002400'],
    ['XML', 'inquiry', text, { 'content-type': 'text/xml' }, '4002401'],
    ['no type', 'inquiry', text, { 'content-type': '' }, '4002401'],
    [
      'another charset',
      'inquiry',
      text,
      { 'content-type': 'application/json; charset=utf-16' },
      '4002401',
    ],
    ['no customer', 'inquiry', without, {}, '4002402'],
    ['no number', 'inquiry', { ...good, partnerServiceId: undefined }, {}, '4002402'],
    [
      'a number that is not ours',
      'inquiry',
      { ...good, partnerServiceId: '   88888' },
      {},
      '4042412',
    ],
    ['letters for a customer', 'inquiry', { ...good, customerNo: 'A1' }, {}, '4002401'],
    [
      'a number of others inside',
      'inquiry',
      { ...good, virtualAccountNo: '   88888999900000015' },
      {},
      '4042418',
    ],
    ['an unknown customer', 'inquiry', asks('888800000015', 'INQ-51'), {}, '4042412'],
    ['no external id', 'inquiry', good, { 'x-external-id': undefined }, '4002402'],
    ['a wrong external id', 'inquiry', good, { 'x-external-id': 'abc' }, '4002401'],
    ['a float as money', 'payment', money(1000.5), {}, '4002501'],
    ['money below zero', 'payment', money('-1000.00'), {}, '4002501'],
    ['three decimals', 'payment', money('1000.001'), {}, '4002501'],
    ['two amounts', 'payment', money('2000.00'), {}, '4042513'],
    [
      'dollars',
      'payment',
      { ...paying, paidAmount: { value: '1.00', currency: 'USD' } },
      {},
      '4002501',
    ],
    ['no such inquiry', 'payment', paying, {}, '4042512'],
    ['no such service', 'refund', good, {}, '4040000'],
  ]
  const before = await deposit()
  for (const [title, service, body, change, code] of rows)
    t.equal(codeOf(await bank.ask(service, body, change)), code, title)
  t.equal(codeOf(await bank.post('/openapi/v1.0/transfer-va/inquiry', '', {}, 'GET')), '4052400')
  const large = await bank.ask('inquiry', { ...good, more: 'x'.repeat(5000) })
  t.equal(large.status, 413)
  t.equal(codeOf(await bank.ask('inquiry', good)), '2002400', 'and what is right is still taken')
  t.equal(await deposit(), before)
})

t.test('a bank that asks too often is told so', async t => {
  const { bank } = await world(t, { rate: { perSecond: 0.001, burst: 2 } })
  t.equal(codeOf(await bank.ask('inquiry', asks('999900000015', 'INQ-60'))), '2002400')
  t.equal(codeOf(await bank.ask('inquiry', asks('999900000015', 'INQ-60'))), '4292400')
})
