import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { Secret, toJson } from '#base'
import { openapi } from '#api'
import { ApiClient, word } from '../api/client.ts'
import { answerProblems, type Document } from '../api/conforms.ts'
import { Daemon, ROOT } from './daemon.ts'
import { FAST, Lab, numberFor, paymentFor, quoted, reasonOf, until } from './lab.ts'

const SECRET = 'a-secret-of-the-first-partner-for-tests'
const WEBHOOK_SECRET = `whsec_${Buffer.from('x'.repeat(32)).toString('base64')}`

/** A partner's server, which may be away. */
class Receiver {
  readonly got: { headers: IncomingHttpHeaders; body: string }[] = []
  answer = 204
  readonly server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      this.got.push({ headers: request.headers, body })
      response.writeHead(this.answer).end()
    })
  })

  async listen(): Promise<string> {
    await new Promise<void>(done => this.server.listen(0, '127.0.0.1', done))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`
  }

  /** The payments that were told as this, each once. */
  told(type: string): Set<string> {
    const bodies = this.got.map(
      ({ body }) => JSON.parse(body) as { type: string; data: { payment: string } },
    )
    return new Set(bodies.filter(body => body.type === type).map(({ data }) => data.payment))
  }
}

function apiAddress(daemon: Daemon): string {
  const found = /partners +([\d.]+:\d+) +HTTP/.exec(daemon.process?.said ?? '')
  if (!found) throw new Error('the daemon says of no HTTP API')
  return found[1] as string
}

test('the partners’ HTTP API, on the real daemon', async t => {
  const receiver = new Receiver()
  const url = await receiver.listen()
  t.teardown(() => receiver.server.close())
  const identity = "bank: '4519999', switcher: SWX0001, terminal: 0LOKET0000000001"
  const keys = 'keys: [{ id: first, secret: { file: partners/first.key } }]'
  const webhook = `webhook: { url: '${url}', secrets: [{ file: partners/first.whsec }] }`
  const lab = await Lab.start({
    set: [
      ...FAST,
      `partners.4519001.api={ ${identity}, ${keys}, ${webhook} }`,
      'webhooks.retries=[200ms, 200ms, 400ms, 1s, 1s, 1s, 1s]',
      'log.level=debug',
    ],
    prepare: varFolder => {
      mkdirSync(join(varFolder, 'partners'), { recursive: true })
      for (const [name, secret] of [
        ['first.key', SECRET],
        ['first.whsec', WEBHOOK_SECRET],
      ] as const)
        writeFileSync(join(varFolder, 'partners', name), `${secret}\n`, { mode: 0o600 })
    },
  })
  t.teardown(() => lab.end())
  const { daemon } = lab
  const document = openapi('0.0.0') as Document
  const problems: string[] = []
  const client = (): ApiClient =>
    new ApiClient(
      apiAddress(daemon),
      { id: 'first', secret: new Secret(SECRET) },
      (method, target, reply) => problems.push(...answerProblems(document, method, target, reply)),
    )
  let orders = 0
  const inquire = async (ending: string) => {
    const order = ++orders
    const id = numberFor('pln-postpaid', `${order}${ending}`)
    const { json } = await client().post('/v1/inquiries', {
      product: 'pln-postpaid',
      customer: { id },
    })
    return { id, body: { inquiry: json['id'], amount: json['amount'] }, key: `order-${order}` }
  }
  const cli = async (...args: string[]): Promise<string> => {
    const admin = [
      '--admin',
      daemon.adminAddress,
      '--token-file',
      join(daemon.varFolder, 'admin.token'),
    ]
    const run = promisify(execFile)
    return (await run(join(ROOT, 'bin/nadi'), [...args, ...admin])).stdout
  }

  await t.test('asked, paid, taken home; and the operator sees it', async t => {
    const { body, key } = await inquire('900')
    const paid = await client().post('/v1/payments', body, { key })
    t.equal(paid.status, 201)
    const again = await client().post('/v1/payments', body, { key })
    t.ok(again.body.equals(paid.body), 'the same answer, byte for byte')
    const other = { ...body, amount: { value: '1.00', currency: 'IDR' } }
    t.match((await client().post('/v1/payments', other, { key })).json, {
      code: 'idempotency-key-reused',
    })
    const slip = await client().ask(`/v1/payments/${word(paid.json['id'])}/receipt?format=text`)
    t.match(slip.body.toString(), /STRUK PEMBAYARAN TAGIHAN LISTRIK/)
    const pdf = await client().ask(`/v1/payments/${word(paid.json['id'])}/receipt?format=pdf`)
    t.equal(pdf.body.subarray(0, 5).toString(), '%PDF-')
    t.match((await client().ask('/v1/balance')).json, { onHold: { value: '0.00' } })

    const story = await daemon.story(word(paid.json['id']))
    const [frame] = story.timeline.filter(({ what }) => what === 'frame')
    t.match(frame, { pack: 'partner-api', message: { kind: 'payment', direction: 'request' } })
    t.notMatch(toJson(story), /PELANGGAN|Nadi-HMAC/, 'masked, and without what opens the door')
    await until('it is told', () => receiver.told('payment.paid').has(word(paid.json['id'])))
  })

  await t.test('one payment, by HTTP and by ISO 8583', async t => {
    const till = await daemon.openTill()
    t.teardown(() => till.hangUp())
    const quote = await quoted(till, 'pln-postpaid', numberFor('pln-postpaid', `${++orders}900`))
    const amount = { value: `${(quote.amountMinor ?? 0n) / 100n}.00`, currency: 'IDR' }
    const body = { inquiry: quote.reference?.switching, amount }
    const paid = await client().post('/v1/payments', body, { key: `order-${orders}` })
    t.match(paid.json, { state: 'paid', reference: quote.reference?.switching })
    t.equal(reasonOf(await till.request(paymentFor(till, quote), 10_000)), 'already-paid')
  })

  await t.test('a long wait, and what the crash of the daemon leaves of it', async t => {
    const slow = await inquire('908')
    const pending = await client().post('/v1/payments', slow.body, {
      key: slow.key,
      headers: { prefer: 'wait=0' },
    })
    t.equal(pending.status, 202)
    const fine = await inquire('900')
    receiver.answer = 503
    const paid = await client().post('/v1/payments', fine.body, { key: fine.key })
    t.equal(paid.status, 201)
    await daemon.kill('SIGKILL')
    receiver.answer = 204
    await daemon.start()
    await lab.linkUp()
    const path = String(pending.headers['location'])
    await until('it is known', async () => (await client().ask(path)).json['state'] === 'paid')
    const again = await client().post('/v1/payments', fine.body, { key: fine.key })
    t.ok(again.body.equals(paid.body), 'the same answer from the journal, after the crash')
    const reused = await client().post('/v1/payments', slow.body, { key: fine.key })
    t.match(reused.json, { code: 'idempotency-key-reused' }, 'the keys outlive the crash')
    const told = receiver.told('payment.paid')
    await until('both ends are told', () =>
      [pending, paid].every(({ json }) => receiver.told('payment.paid').has(word(json['id']))),
    )
    t.ok(told.size > 0)
  })

  await t.test('partner support: the delivery log, and once more', async t => {
    const list = JSON.parse(await cli('webhook', 'list', '--json')) as {
      id: string
      state: string
    }[]
    t.ok(list.length >= 4)
    const [event] = list.filter(({ state }) => state === 'delivered')
    const before = receiver.got.length
    t.match(await cli('webhook', 'show', String(event?.id)), /ATTEMPT/)
    t.match(
      await cli('webhook', 'replay', String(event?.id), '--reason', 'they asked'),
      /told again/,
    )
    await until('it comes again', () => receiver.got.length > before)
    t.equal(receiver.got.at(-1)?.headers['webhook-id'], event?.id)
    t.match(readFileSync(join(daemon.varFolder, 'audit.log'), 'utf8'), /webhook\.replay/)
    t.match(await cli('partner', 'key', 'list', '4519001'), /first +key +\d+/)
  })

  await t.test('it ends in order: what was taken is answered', async t => {
    const slow = await inquire('939')
    const going = client().post('/v1/payments', slow.body, { key: slow.key })
    await until('it is at the biller', () => lab.believes(slow.id) === 'paid')
    const ended = daemon.kill('SIGTERM')
    t.equal((await going).status, 201)
    t.equal(await ended, 0)
    t.same(problems, [], 'every answer was as the document promises')
  })
})
