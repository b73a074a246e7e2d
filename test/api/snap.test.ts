import t, { type Test } from 'tap'
import { type ApiPartner, MemoryRequests } from '#api'
import fc from 'fast-check'
import { Secret, SystemRandom, VirtualClock } from '#base'
import type { Config, SnapListenerConfig } from '#config'
import { NO_LOG } from '#telemetry'
import { SnapTokens } from '../../src/api/snap/tokens.ts'
import { snapListener } from '../../src/daemon/wire-snap.ts'
import { FIRST, startLab } from './lab.ts'
import {
  about,
  asks,
  Bank,
  codeOf,
  dataOf,
  type Extra,
  newKey,
  pays,
  pem,
  type Told,
  va,
  wib,
} from './snap-bank.ts'

/** A bank made by hand, with nothing of ours but the addresses, calls a wired switch over real sockets. */

const SECRET = 'contoh-client-secret-0001'
const FIRST_KEY = newKey()
const OTHER_KEY = newKey()
const MINUTE_MS = 60_000

const key = (letter: string) => ({ file: undefined, value: new Secret(letter.repeat(64)) })

function listenerOf(change: Partial<SnapListenerConfig>): SnapListenerConfig {
  const bank = (
    name: string,
    secret: string,
    key: ReturnType<typeof newKey>,
    peers = '127.0.0.1',
  ) => ({
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
    services: new Map([
      ['99999', { product: 'pln-postpaid', by: 'id' }],
      ['99998', { product: 'pln-prepaid', by: 'meter' }],
      ['99997', { product: 'pln-nontaglis', by: 'registration' }],
    ] as const),
  })
  return {
    name: 'banks',
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    answerWaitMs: 10_000,
    rate: { perSecond: 1000, burst: 1000 },
    tokenKeys: [key('a')],
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
  const open = async (more: Partial<SnapListenerConfig> = {}) => {
    const listener = snapListener(lab.config, listenerOf({ ...change, ...more }), partners, around)
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
  t.equal(codeOf(await bank.ask('status', about('999900000057', 'INQ-10'))), '2002600', 'any node')
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
    ['nothing paid', 'payment', { ...paying, paidAmount: undefined }, {}, '4002502'],
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
  t.equal(codeOf(large), '4002400')
  t.equal(codeOf(await bank.ask('inquiry', good)), '2002400', 'and what is right is still taken')
  t.equal(await deposit(), before)
})

t.test('a bank that asks too often is told so', async t => {
  const { bank } = await world(t, { rate: { perSecond: 0.001, burst: 2 } })
  t.equal(codeOf(await bank.ask('inquiry', asks('999900000015', 'INQ-60'))), '2002400')
  t.equal(codeOf(await bank.ask('inquiry', asks('999900000015', 'INQ-60'))), '4292400')
})

t.test('a bill is paid as it was told, all of it', async t => {
  const { bank, deposit } = await world(t)
  const customer = '999900000901'
  const bill = dataOf(await bank.ask('inquiry', asks(customer, 'INQ-80')))
  t.equal(bill.virtualAccountTrxType, 'C')
  t.ok(bill.billDetails.length > 1, 'of several months')
  const total = Number(bill.totalAmount.value)
  const [first] = bill.billDetails.map(one => Number(one.billAmount.value))
  const before = await deposit()
  for (const wrong of [total - 1, total + 1, first ?? 0, 1]) {
    const told = await bank.ask('payment', pays(customer, 'INQ-80', `${wrong}.00`))
    t.equal(codeOf(told), '4042513', `${wrong} is not ${total}`)
  }
  t.equal(codeOf(await bank.ask('status', about(customer, 'INQ-80'))), '4042601', 'none was made')
  t.equal(await deposit(), before)
  const paid = await bank.ask('payment', pays(customer, 'INQ-80', bill.totalAmount.value))
  t.equal(codeOf(paid), '2002500', 'the right amount may follow')
})

t.test('spaces that a bank leaves out are put back', async t => {
  const { bank } = await world(t)
  const customer = '999900000057'
  const rows: [title: string, change: object, code: string][] = [
    ['none', { partnerServiceId: '99999', virtualAccountNo: `99999${customer}` }, '2002400'],
    ['seven characters', { partnerServiceId: '  99999' }, '2002400'],
    ['in the account only', { virtualAccountNo: `99999${customer}` }, '2002400'],
    ['a number as a number', { customerNo: Number(customer) }, '2002400'],
    [
      'both',
      {
        partnerServiceId: '99999',
        customerNo: Number(customer),
        virtualAccountNo: `99999${customer}`,
      },
      '2002400',
    ],
    ['more spaces', { partnerServiceId: `    99999` }, '2002400'],
    [
      'another account',
      { partnerServiceId: '99999', virtualAccountNo: `99999${customer}0` },
      '4042418',
    ],
    ['a number of others', { partnerServiceId: '88888' }, '4042412'],
    ['a number that JSON cannot hold', { partnerServiceId: '99999', customerNo: 1e20 }, '4002401'],
    ['no number', { partnerServiceId: '   ' }, '4042412'],
  ]
  for (const [at, [title, change, code]] of rows.entries()) {
    const told = await bank.ask('inquiry', { ...asks(customer, `INQ-A${at}`), ...change })
    t.equal(codeOf(told), code, title)
    if (code === '2002400') t.match(dataOf(told), va(customer), 'answered as the standard has it')
  }
})

t.test('a meter is topped up: the payer says how much, and is told the token', async t => {
  const { bank, open, deposit } = await world(t)
  const [meter, id] = ['99990000018', '999900000018']
  for (const [customer, inquiry] of [
    [meter, 'INQ-90'],
    [id, 'INQ-91'],
  ] as const) {
    const told = await bank.ask('inquiry', asks(customer, inquiry, '99998'))
    t.equal(codeOf(told), '2002400', customer)
    const bill = dataOf(told)
    t.match(bill, { ...va(customer, '99998'), virtualAccountTrxType: 'O' })
    t.match(bill.virtualAccountName, /\w/)
    t.match([bill.totalAmount.value, bill.feeAmount.value], ['0.00', '2500.00'])
  }
  const before = await deposit()
  for (const wrong of ['0.00', '2500.00', '22501.00', '102499.00', '100000.00', '32500.00']) {
    const told = await bank.ask('payment', pays(meter, 'INQ-90', wrong, 'N', '99998'))
    t.equal(codeOf(told), '4042513', `${wrong} buys nothing`)
  }
  t.equal(await deposit(), before)
  const paid = await bank.ask('payment', pays(meter, 'INQ-90', '102500.00', 'N', '99998'))
  t.equal(codeOf(paid), '2002500')
  const { token, kwh } = dataOf(paid).additionalInfo ?? {}
  t.match(token, /^\d{20}$/)
  t.match(kwh, /^\d+\.\d\d$/)
  t.ok((await deposit()) < before)
  const again = await bank.ask('payment', pays(meter, 'INQ-90', '102500.00', 'Y', '99998'))
  t.same(again, paid, 'the same token again')
  const other = await bank.ask('payment', pays(meter, 'INQ-90', '52500.00', 'Y', '99998'))
  t.equal(codeOf(other), '4042518')
  const wrong = await bank.ask('payment', pays(meter, 'INQ-90', '1.00', 'Y', '99998'))
  t.equal(codeOf(wrong), '4042518')
  const reborn = await open()
  const status = await reborn.bank.ask('status', about(meter, 'INQ-90', '99998'))
  t.equal(dataOf(status).additionalInfo?.token, token, 'and the status tells it, at any node')
  t.equal(
    codeOf(await bank.ask('payment', pays(meter, 'INQ-90', '102500.00'))),
    '4042518',
    'by the number of another service',
  )
  t.equal(codeOf(await bank.ask('inquiry', asks('88880000018', 'INQ-92', '99998'))), '4042412')
})

t.test('a registration is paid by its number', async t => {
  const { bank } = await world(t)
  const customer = '9999912345678'
  const told = await bank.ask('inquiry', asks(customer, 'INQ-95', '99997'))
  t.equal(codeOf(told), '2002400')
  const { totalAmount, virtualAccountTrxType } = dataOf(told)
  t.equal(virtualAccountTrxType, 'C')
  const less = `${Number(totalAmount.value) - 1}.00`
  t.equal(
    codeOf(await bank.ask('payment', pays(customer, 'INQ-95', less, 'N', '99997'))),
    '4042513',
  )
  const paid = pays(customer, 'INQ-95', totalAmount.value, 'N', '99997')
  t.equal(codeOf(await bank.ask('payment', paid)), '2002500')
  const status = await bank.ask('status', about(customer, 'INQ-95', '99997'))
  t.match(dataOf(status), { ...va(customer, '99997'), paymentFlagStatus: '00' })
  t.equal(codeOf(await bank.ask('inquiry', asks(customer, 'INQ-96', '99997'))), '4042414')
})

t.test('a token says itself whose it is, until when, and by which key', async t => {
  const clock = new VirtualClock(1_795_140_000_000)
  const random = new SystemRandom()
  const [old, fresh, foreign] = ['o', 'n', 'f'].map(letter => new Secret(letter.repeat(64)))
  if (!old || !fresh || !foreign) return t.fail('three keys')
  const tokens = (...keys: Secret<string>[]) => new SnapTokens('banks', keys, clock, random)
  const given = tokens(old).give('satu')
  t.notMatch(given, /satu/)
  t.not(tokens(old).give('satu'), given, 'each is another one')
  const rows: [title: string, desk: SnapTokens, bank: string, token: string, holds: boolean][] = [
    ['another node, or this one after a restart', tokens(old), 'satu', given, true],
    ['the key is being changed', tokens(fresh, old), 'satu', given, true],
    [
      'made by the new one, at a node that has both',
      tokens(fresh, old),
      'satu',
      tokens(fresh).give('satu'),
      true,
    ],
    ['the key has been changed', tokens(fresh), 'satu', given, false],
    ['another bank', tokens(old), 'dua', given, false],
    ['another listener', new SnapTokens('others', [old], clock, random), 'satu', given, false],
    ['a later expiry', tokens(old), 'satu', given.replace(/^./, 'z'), false],
    ['another nonce', tokens(old), 'satu', given.replace(/\..{4}/, '.0000'), false],
    ['by somebody else', tokens(old), 'satu', tokens(foreign).give('satu'), false],
    ['cut short', tokens(old), 'satu', given.slice(0, -2), false],
    ['too long', tokens(old), 'satu', `${given}00`, false],
    ['nothing', tokens(old), 'satu', '', false],
    ['capitals', tokens(old), 'satu', given.toUpperCase(), false],
  ]
  for (const [title, desk, bank, token, holds] of rows)
    t.equal(desk.holds(bank, token), holds, title)
  fc.assert(
    fc.property(
      fc.nat(given.length - 1),
      fc.constantFrom(...'0123456789abcdefz.'.split('')),
      (at, char) => {
        const changed = given.slice(0, at) + char + given.slice(at + 1)
        return changed === given || !tokens(old).holds('satu', changed)
      },
    ),
  )
  await clock.runUntil(clock.nowMs() + 899_999)
  t.ok(tokens(old).holds('satu', given), 'in its last millisecond')
  await clock.runUntil(clock.nowMs() + 1)
  t.notOk(tokens(old).holds('satu', given), 'and then it is over')
})

t.test(
  'a listener whose key was changed takes the tokens of before, and makes new ones',
  async t => {
    const { bank, open } = await world(t)
    const changed = await open({ tokenKeys: [key('b'), key('a')] })
    const { token } = changed.bank
    changed.bank.token = bank.token
    t.equal(codeOf(await changed.bank.ask('inquiry', asks('999900000057', 'INQ-70'))), '2002400')
    bank.token = token
    t.equal(codeOf(await bank.ask('inquiry', asks('999900000057', 'INQ-71'))), '4012401')
  },
)
