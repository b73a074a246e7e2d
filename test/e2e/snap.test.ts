import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { toJson } from '#base'
import { about, asks, Bank, codeOf, dataOf, newKey, pays, pem, va } from '../api/snap-bank.ts'
import type { Daemon } from './daemon.ts'
import { FAST, Lab, numberFor, until } from './lab.ts'

/** A bank calls the real daemon by SNAP BI: real sockets, its own PostgreSQL, a biller behind. */

const KEY = newKey()
const SECRET = 'contoh-client-secret-0001'
const LISTENER = `
kind: snap
host: 127.0.0.1
port: 0
answerWait: 3s
banks:
  satu:
    partner: '4519001'
    addresses: [127.0.0.0/8]
    credentials:
      clientId: { file: banks/satu.client }
      partnerId: { file: banks/satu.partner }
      clientSecret: { file: banks/satu.secret }
      bankPublicKey: { file: banks/satu.pub }
    services: { '99999': pln-postpaid, '99998': pln-prepaid by meter }
limits: { bodyBytesMax: 4096 }
`
const API = "{ bank: '4519999', switcher: SWX0001, terminal: 0LOKET0000000001, keys: [] }"

function prepare(varFolder: string): void {
  writeFileSync(join(varFolder, '../conf/listeners/banks.yaml'), LISTENER)
  mkdirSync(join(varFolder, 'banks'))
  for (const [name, text] of [
    ['client', 'client-satu'],
    ['partner', 'partner-satu'],
    ['secret', SECRET],
    ['pub', pem(KEY)],
  ] as const)
    writeFileSync(join(varFolder, `banks/satu.${name}`), `${text}\n`, { mode: 0o600 })
}

function addressOf(daemon: Daemon): string {
  const found = /banks +([\d.]+:\d+) +SNAP/.exec(daemon.process?.said ?? '')
  if (!found) throw new Error('the daemon says of no way in for banks')
  return found[1] as string
}

function bankAt(daemon: Daemon, token = ''): Bank {
  const bank = new Bank(`http://${addressOf(daemon)}`, 'satu', SECRET, KEY)
  bank.token = token
  return bank
}

/** All that comes back for these bytes, until the line is closed. */
function talk(address: string, text: string): Promise<string> {
  const [host = '', port] = address.split(':')
  return new Promise(resolve => {
    let heard = ''
    const socket = connect(Number(port), host, () => socket.write(text, 'latin1'))
    socket.setEncoding('latin1').on('data', (chunk: string) => (heard += chunk))
    socket.on('error', () => {}).on('close', () => resolve(heard))
  })
}

test('a bank calls the real daemon by SNAP BI', async t => {
  const lab = await Lab.start({ set: [...FAST, `partners.4519001.api=${API}`], prepare })
  t.teardown(() => lab.end())
  const { daemon } = lab
  let numbers = 0
  const next = (ending = '00'): string => numberFor('pln-postpaid', `${++numbers}${ending}`)
  const deposit = async (): Promise<bigint> => (await daemon.balances('4519001'))['deposit'] ?? 0n
  const inquired = async (bank: Bank, customer: string, id: string): Promise<string> =>
    dataOf(await bank.ask('inquiry', asks(customer, id))).totalAmount.value

  await t.test('token, bill, payment, status', async t => {
    const bank = bankAt(daemon)
    t.match(await bank.fetchToken(), { status: 200, body: { responseCode: '2007300' } })
    await bank.signOn()
    const customer = next()
    const total = await inquired(bank, customer, 'INQ-1')
    const before = await deposit()
    t.equal(codeOf(await bank.ask('payment', pays(customer, 'INQ-1', total))), '2002500')
    t.equal(lab.believes(customer), 'paid')
    t.ok((await deposit()) < before)
    const status = await bank.ask('status', about(customer, 'INQ-1'))
    t.match(status.body.virtualAccountData, { ...va(customer), paymentFlagStatus: '00' })

    const payment = await daemon.payment(customer)
    const story = await daemon.story(String(payment?.id))
    const frames = story.timeline.filter(({ what }) => what === 'frame')
    t.ok(frames.length >= 4, 'ours and the biller’s, both ways')
    const told = toJson(story)
    t.match(told, /snap-va/)
    t.notMatch(told, new RegExp(`${bank.token}|${SECRET}|PELANGGAN`), 'nothing that opens the door')
  })

  await t.test('the same again', async t => {
    const bank = bankAt(daemon)
    await bank.signOn()
    const customer = next()
    const total = await inquired(bank, customer, 'INQ-2')
    const external = { 'x-external-id': '20261120000001' }
    const paid = await bank.ask('payment', pays(customer, 'INQ-2', total), external)
    t.equal(codeOf(paid), '2002500')
    const after = await deposit()
    const advised = await bank.ask('payment', pays(customer, 'INQ-2', total, 'Y'))
    t.same(advised, paid, 'flagAdvise Y is told what the first one was')
    const other = await bank.ask('status', about(customer, 'INQ-2'), external)
    t.equal(codeOf(other), '4092600', 'X-EXTERNAL-ID is used today')
    t.equal(await deposit(), after)
  })

  await t.test('what is refused before any business has the service and the case too', async t => {
    const bank = bankAt(daemon)
    await bank.signOn()
    const body = asks(next(), 'INQ-3')
    const text = JSON.stringify(body)
    const path = '/openapi/v1.0/transfer-va/payment'
    const rows: [title: string, code: string, told: ReturnType<Bank['ask']>][] = [
      ['too long', '4002400', bank.ask('inquiry', { ...body, more: 'x'.repeat(5000) })],
      ['packed', '4002601', bank.ask('status', body, { 'content-encoding': 'gzip' })],
      ['not JSON', '4002401', bank.ask('inquiry', text, { 'content-type': 'text/xml' })],
      ['no JSON', '4002400', bank.ask('inquiry', `${text}}`)],
      ['no such path', '4040000', bank.ask('refund', body)],
      ['no token', '4012401', bank.ask('inquiry', body, { authorization: undefined })],
      ['a made-up one', '4012501', bank.ask('payment', body, { authorization: 'Bearer abc' })],
      ['a forged signature', '4012600', bank.ask('status', body, { 'x-signature': 'AAAA' })],
      ['not POST', '4052500', bank.post(path, '', {}, 'GET')],
    ]
    for (const [title, code, told] of rows) {
      t.equal(codeOf(await told), code, title)
      t.type((await told).body.responseMessage, 'string', title)
    }
    for (const bytes of ['HELO bank\r\n\r\n', 'POST * HTTP/1.1\r\nhost: x\r\n\r\n']) {
      const heard = await talk(addressOf(daemon), bytes)
      t.match(heard, /^HTTP\/1\.1 40[04] [^]*"responseCode":"40[04]0000"/, 'no HTTP of this world')
    }
    t.equal(codeOf(await bank.ask('inquiry', body)), '2002400', 'what is right is still taken')
  })

  await t.test('kill -9, and the next daemon knows the ids', async t => {
    const bank = bankAt(daemon)
    await bank.signOn()
    const [open, done] = [next('907'), next()]
    const ids = [open, done].map((_, at) => `INQ-4-${at}`) as [string, string]
    const totals = [await inquired(bank, open, ids[0]), await inquired(bank, done, ids[1])] as const
    const paid = await bank.ask('payment', pays(done, ids[1], totals[1]))
    t.equal(codeOf(paid), '2002500')
    const lost = bank.ask('payment', pays(open, ids[0], totals[0])).catch(() => 'lost')
    await until('it is at the biller', () => lab.believes(open) === 'paid')
    await daemon.kill('SIGKILL')
    t.equal(await lost, 'lost')
    await daemon.start()
    await lab.linkUp()
    const reborn = bankAt(daemon, bank.token)
    t.ok((await daemon.settled(15_000)) >= 0, 'what was open comes to its end')
    const after = await deposit()
    t.same(await reborn.ask('payment', pays(done, ids[1], totals[1], 'Y')), paid)
    t.equal(await deposit(), after, 'and it is not paid again')
    const ended = await reborn.ask('status', about(open, ids[0]))
    t.equal(dataOf(ended).paymentFlagStatus, '01', 'it was undone')
    t.equal(lab.believes(open), 'reversed')
    t.match(codeOf(await reborn.ask('payment', pays(open, ids[0], totals[0], 'Y'))), /^40[34]25/)
  })

  await t.test(
    'a meter: its token is told again after a crash, and shown to nobody else',
    async t => {
      const bank = bankAt(daemon)
      await bank.signOn()
      const [meter, id] = [numberFor('pln-prepaid', '700'), 'INQ-7']
      t.equal(dataOf(await bank.ask('inquiry', asks(meter, id, '99998'))).totalAmount.value, '0.00')
      const paid = await bank.ask('payment', pays(meter, id, '52500.00', 'N', '99998'))
      const { token = '' } = dataOf(paid).additionalInfo ?? {}
      t.match([codeOf(paid), token], ['2002500', /^\d{20}$/])
      await daemon.kill('SIGKILL')
      await daemon.start()
      const reborn = bankAt(daemon, bank.token)
      const status = await reborn.ask('status', about(meter, id, '99998'))
      t.equal(dataOf(status).additionalInfo?.token, token)
      t.same(await reborn.ask('payment', pays(meter, id, '52500.00', 'Y', '99998')), paid)
      const story = toJson(await daemon.story(String((await daemon.payment(meter))?.id)))
      t.match(story, /snap-va/)
      t.notMatch(story, token)
      t.notMatch(toJson(daemon.log()), token)
      await lab.linkUp()
    },
  )

  await t.test(
    'without the database nothing is paid, and the bank is told in its own words',
    async t => {
      const bank = bankAt(daemon)
      await bank.signOn()
      const customer = next()
      const total = await inquired(bank, customer, 'INQ-5')
      daemon.killPostgres()
      await until('it is noticed', async () => !(await daemon.status()).journal.available)
      const told = await bank.ask('payment', pays(customer, 'INQ-5', total))
      t.equal(codeOf(told), '5002501')
      t.equal(codeOf(await bank.ask('status', about(customer, 'INQ-5'))), '5002601')
      t.equal(codeOf(await bank.ask('inquiry', asks(next(), 'INQ-6'))), '5002401')
      t.equal(lab.believes(customer), 'nothing')
      await until('it is back', async () => (await daemon.status()).journal.available)
      t.equal(
        codeOf(await bank.ask('status', about(customer, 'INQ-5'))),
        '4042601',
        'none was made',
      )
      t.equal(codeOf(await bank.ask('payment', pays(customer, 'INQ-5', total, 'Y'))), '2002500')
      t.equal(lab.believes(customer), 'paid')
      t.match(await daemon.audit(), { agrees: true, heldMinor: 0n, problems: [] })
    },
  )
})
