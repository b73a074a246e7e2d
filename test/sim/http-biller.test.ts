import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { request as call } from 'undici'
import { localTime, rupiah, Secret, SystemClock, SystemRandom } from '#base'
import { readHttpRequest, writeHttpRequest, writeHttpResponse } from '#http'
import type { Message } from '#message'
import type { HttpPack, PackRead } from '#pack'
import { Book, HttpBiller } from '#sim'
import { loadPacks } from '../../src/config/packs.ts'
import { PROTOCOLS } from '../pack/packs.ts'

const { httpPacks } = loadPacks(PROTOCOLS)
const TIMING = { deadlineMs: 300, lateByMs: 50, slowByMs: 30, byteByMs: 0, mergeWaitMs: 5 }

function packCalled(name: string, more: Readonly<Record<string, string>> = {}): HttpPack {
  const pack = httpPacks.get(name)
  if (!pack) throw new Error(`no pack is called ${name}`)
  const given = pack.credentials
    .filter(({ kind }) => kind === 'secret' || kind === 'name')
    .map(spec => [spec.name, new Secret(`lab-${spec.name}`)])
  for (const [key, value] of Object.entries(more)) given.push([key, new Secret(value)])
  return pack.with(Object.fromEntries(given) as Record<string, Secret<string>>)
}

async function biller(
  name: string,
  callbackUrl?: string,
  credentials: Readonly<Record<string, string>> = {},
) {
  const pack = packCalled(name, credentials)
  const book = new Book()
  const one = new HttpBiller({
    pack,
    host: '127.0.0.1',
    port: 0,
    clock: new SystemClock(),
    random: new SystemRandom(),
    book,
    timing: TIMING,
    ...(callbackUrl !== undefined && { callbackUrl }),
  })
  const { address } = await one.listen()
  return { pack, book, one, url: `http://${address}` }
}

let nonces = 0
const context = () => ({ nowMs: Date.now(), nonce: String(++nonces) })

async function exchange(url: string, pack: HttpPack, frame: Uint8Array) {
  return deliver(url, pack.seal(frame, context()))
}

async function deliver(url: string, sealed: Uint8Array) {
  const { method, target, headers, body } = readHttpRequest(sealed)
  const answer = await call(url + target, { method: method as 'POST', headers, body })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  const told: Record<string, string> = {}
  for (const [key, value] of Object.entries(answer.headers)) told[key] = String(value)
  return writeHttpResponse({ status: answer.statusCode, headers: told, body: bytes })
}

async function ask(url: string, pack: HttpPack, message: Message): Promise<PackRead> {
  return pack.readAnswer(await exchange(url, pack, pack.write(message)), message)
}

let serial = 0
function request(kind: 'inquiry' | 'payment' | 'status', more: Partial<Message>): Message {
  const trace = String(++serial).padStart(12, '0')
  return {
    kind,
    direction: 'request',
    repeat: false,
    trace,
    sentAt: localTime(Date.now()),
    terminal: '0LOKET0000000001',
    ...more,
    reference: { own: `20261125${trace}`, ...more.reference },
  }
}

function messageOf(read: PackRead): Message {
  if (read.tag === 'reject') throw read.reject.error
  return read.message
}

/** A bill is asked for and paid, by whatever it takes in this dialect. */
async function payBill(url: string, pack: HttpPack, product: string, id: string) {
  const asked = request('inquiry', { product, customer: { id }, months: 1 })
  const told = messageOf(await ask(url, pack, asked))
  const { outcome: _, ...quote } = told
  const paid: Message = { ...quote, kind: 'payment', direction: 'request' }
  return { told, paid, answer: messageOf(await ask(url, pack, paid)) }
}

for (const name of ['digiflazz', 'iak', 'rajabiller', 'rajabiller-xmlrpc']) {
  t.test(`${name}: a bill is told, paid once, and paid only once`, async t => {
    const { pack, book, one, url } = await biller(name)
    t.teardown(() => one.close())
    const product = 'pln-postpaid'
    const { told, answer } = await payBill(url, pack, product, '999900000100')
    t.match(told, { outcome: { meaning: 'approved' }, customer: { name: /\w/ } })
    t.ok((told.amountMinor ?? 0n) > 0n, 'an amount is told')
    t.match(answer.outcome, { meaning: 'approved' })
    t.match([...book.entries()], [{ state: 'paid' }])
    const again = await ask(
      url,
      pack,
      request('inquiry', { product, customer: { id: '999900000100' } }),
    )
    // Not every dialect has a code of its own for what is paid already.
    t.match(messageOf(again).outcome, { meaning: 'declined' })
  })
}

t.test('a top-up has a serial number, and asking again is no second purchase', async t => {
  const { pack, book, one, url } = await biller('digiflazz')
  t.teardown(() => one.close())
  const bought = request('payment', {
    product: 'pulsa-xl',
    customer: { id: '087800000001' },
    amountMinor: rupiah(10_000),
  })
  const first = messageOf(await ask(url, pack, bought))
  t.match(first, { outcome: { meaning: 'approved' }, serial: /^\d{10,}$/ })
  const second = messageOf(await ask(url, pack, { ...bought, kind: 'status' }))
  t.same(second.serial, first.serial)
  t.equal([...book.entries()].length, 1)
})

const meanings: [suffix: number, payment: string, paid: boolean, what: string][] = [
  [900, 'approved', true, 'all well'],
  [914, 'unknown', true, 'pending although paid'],
  [915, 'unknown', false, 'pending and not paid'],
  [926, 'declined', false, 'an amount that is refused'],
  [961, 'unknown', true, 'pending, only a status check tells'],
  [967, 'unknown', true, 'a page of HTML'],
  [968, 'unknown', true, 'HTTP 500 after the work'],
  [970, 'unknown', true, 'an empty answer'],
  [971, 'unknown', true, 'a redirect'],
]
for (const name of ['digiflazz', 'iak', 'rajabiller']) {
  t.test(`${name}: scenarios`, async t => {
    const { pack, book, one, url } = await biller(name)
    t.teardown(() => one.close())
    for (const [suffix, meaning, paid, what] of meanings) {
      const id = `999900000${suffix}`
      const asked = request('inquiry', { product: 'pln-postpaid', customer: { id } })
      const { outcome: _, ...quote } = messageOf(await ask(url, pack, asked))
      const before = [...book.entries()].filter(({ state }) => state === 'paid').length
      const read = await ask(url, pack, { ...quote, kind: 'payment', direction: 'request' })
      const said = read.tag === 'message' ? read.message.outcome?.meaning : 'unknown'
      t.equal(said, meaning, `${suffix}: ${what}`)
      const after = [...book.entries()].filter(({ state }) => state === 'paid').length
      t.equal(after - before, paid ? 1 : 0, `${suffix}: in the book`)
    }
  })
}

t.test('what is pending is told by a callback that bears its signature', async t => {
  const heard: Uint8Array[] = []
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      const headers = incoming.headers as Record<string, string>
      const method = incoming.method ?? ''
      heard.push(writeHttpRequest({ method, target: '/', headers, body: Buffer.concat(parts) }))
      response.end('ok')
    })
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { pack, one, url } = await biller('digiflazz', `http://127.0.0.1:${port}/`)
  t.teardown(() => one.close())
  const rows: [suffix: number, count: number, meaning: string, opens: boolean][] = [
    [960, 1, 'approved', true],
    [962, 1, 'declined', true],
    [964, 2, 'approved', true],
    [965, 1, 'approved', false],
  ]
  for (const [suffix, count, meaning, opens] of rows) {
    heard.length = 0
    const id = `999900000${suffix}`
    const more = { product: 'pulsa-xl', customer: { id }, amountMinor: rupiah(10_000) }
    const asked = request('payment', more)
    t.match(messageOf(await ask(url, pack, asked)).outcome, { meaning: 'unknown' }, `${suffix}`)
    for (let tries = 0; heard.length < count && tries < 300; tries++)
      await new Promise(resolve => setTimeout(resolve, 20))
    t.equal(heard.length, count, `${suffix}: callbacks`)
    const frame = heard[0] as Uint8Array
    const problem = pack.opens(frame, { nowMs: Date.now(), nonce: '1' })
    t.equal(
      problem === undefined,
      opens,
      `${suffix}: the signature ${opens ? 'holds' : 'does not'}`,
    )
    const told = messageOf(pack.callback?.read(frame) as PackRead)
    t.equal(told.outcome?.meaning, meaning)
    t.equal(pack.matchKey(told), pack.matchKey(asked), 'it finds its payment')
  }
})

t.test('whoever signs wrongly, or says what cannot be read, is answered no', async t => {
  const { book, one, url } = await biller('digiflazz')
  t.teardown(() => one.close())
  const rows: [title: string, body: string][] = [
    [
      'another signature',
      '{"username":"lab-username","buyer_sku_code":"xld10","customer_no":"087800000001","ref_id":"1","sign":"00"}',
    ],
    ['no JSON', '{"username":'],
    ['nothing', ''],
  ]
  for (const [title, body] of rows) {
    const headers = { 'content-type': 'application/json' }
    const answer = await call(`${url}/v1/transaction`, { method: 'POST', headers, body })
    const text = await answer.body.text()
    t.notMatch(text, /lab-apiKey/, `${title}: no secret in it`)
    t.match(text, /"rc":"(?!00)/, title)
  }
  t.equal([...book.entries()].length, 0)
})

function snapKeys() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    partnerServiceId: '99999',
    ourKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ourPublicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

t.test('SNAP: only a token that was given opens, and a refusal names the service', async t => {
  const pem = snapKeys()
  const { book, one, url, pack } = await biller('snap-bank', undefined, pem)
  t.teardown(() => one.close())
  const message = request('inquiry', { product: 'va-bill', customer: { id: '999900000100' } })
  const askWith = async (token: string, secret?: string) => {
    const client =
      secret === undefined ? pack : packCalled('snap-bank', { ...pem, clientSecret: secret })
    const sealed = client.seal(client.write(message), { ...context(), token })
    return pack.readAnswer(await deliver(url, sealed), message)
  }
  const { session } = pack
  const answer = await deliver(url, session?.request(context()) ?? new Uint8Array(0))
  const given = session?.read(answer)
  t.match(given, { token: /^[0-9a-f]{48}$/, expiresInMs: 900_000 })
  const rows: [title: string, token: string, secret: string | undefined, outcome: object][] = [
    ['a token of ours', given?.token ?? '', undefined, { meaning: 'approved', code: '20000' }],
    ['an invented token', 'f'.repeat(48), undefined, { meaning: 'sign-on', code: '40101' }],
    [
      'a forged signature',
      given?.token ?? '',
      'another',
      { reason: 'security-invalid', code: '40100' },
    ],
  ]
  for (const [title, token, secret, outcome] of rows)
    t.match(messageOf(await askWith(token, secret)).outcome, outcome, title)
  t.equal([...book.entries()].length, 0, 'nothing was paid')
})

/** A simulated bank, and what asks it with a token; `change` alters the body before it is signed. */
async function snapBank(t: { teardown(run: () => unknown): unknown }) {
  const made = await biller('snap-bank', undefined, snapKeys())
  const { pack, one, url } = made
  t.teardown(() => one.close())
  const granted = await deliver(url, pack.session?.request(context()) ?? new Uint8Array(0))
  const token = pack.session?.read(granted)?.token ?? ''
  const answerTo = async (message: Message, change: (body: string) => string = body => body) => {
    const { method, target, headers, body } = readHttpRequest(pack.write(message))
    const changed = change(Buffer.from(body).toString('utf8'))
    const frame = writeHttpRequest({ method, target, headers, body: changed })
    return deliver(url, pack.seal(frame, { ...context(), token }))
  }
  return { ...made, answerTo }
}

t.test('SNAP: a payment sent again with flagAdvise Y is told what became of the first', async t => {
  const { pack, book, answerTo } = await snapBank(t)
  const told = async (message: Message): Promise<Message> =>
    messageOf(pack.readAnswer(await answerTo(message), message))
  const rows: [suffix: number, first: string, again: string, paid: number, what: string][] = [
    [900, 'approved', 'approved', 1, 'it was paid'],
    [914, 'unknown', 'approved', 1, 'it was paid, and nobody knew'],
    [915, 'unknown', 'nothing', 0, 'it was not paid'],
  ]
  for (const [suffix, first, again, paid, what] of rows) {
    const id = `999900000${suffix}`
    const before = [...book.entries()].filter(({ state }) => state === 'paid').length
    const { outcome: _, ...quote } = await told(
      request('inquiry', { product: 'va-bill', customer: { id } }),
    )
    const payment: Message = { ...quote, kind: 'payment', direction: 'request' }
    const answer = await told(payment)
    t.equal(answer.outcome?.meaning, first, what)
    const advice: Message = { ...payment, kind: 'advice' }
    const frame = Buffer.from(pack.write(advice)).toString('latin1')
    t.match(frame, /"paymentRequestId":"\d+".*"flagAdvise":"Y"/, 'the same id, flagged')
    const advised = await told(advice)
    t.equal(advised.outcome?.meaning, again, `${what}: sent again`)
    if (first === 'approved') t.same(advised.reference, answer.reference)
    const after = [...book.entries()].filter(({ state }) => state === 'paid').length
    t.equal(after - before, paid, 'it is paid once, or never')
  }
})

t.test('SNAP: what cannot be read is 400xx01, what is missing 400xx02, of its service', async t => {
  const { pack, book, answerTo } = await snapBank(t)
  const money = { amountMinor: rupiah(100_000), currency: 'IDR' } as const
  const customer = { id: '999900000100', name: 'SIAPA SAJA' }
  const account = { product: 'transfer-intrabank', transfer: { account: '9999000100' } } as const
  const bill = { product: 'va-bill', customer } as const
  const without = (name: string) => (body: string) => {
    const { [name]: _, ...rest } = JSON.parse(body) as Record<string, unknown>
    return JSON.stringify(rest)
  }
  const saying = (name: string, value: unknown) => (body: string) =>
    JSON.stringify({ ...(JSON.parse(body) as object), [name]: value })
  type Row = [what: string, Message, change: (body: string) => string, code: string]
  const rows: Row[] = [
    ['no customer', request('inquiry', bill), without('customerNo'), '4002402'],
    ['letters', request('inquiry', bill), saying('customerNo', 'A1'), '4002401'],
    ['no amount', request('payment', { ...bill, ...money }), without('paidAmount'), '4002502'],
    [
      'a float',
      request('payment', { ...bill, ...money }),
      saying('paidAmount', { value: 100000.5, currency: 'IDR' }),
      '4002501',
    ],
    [
      'dollars',
      request('payment', { ...bill, ...money }),
      saying('paidAmount', { value: '1.00', currency: 'USD' }),
      '4002501',
    ],
    ['which payment?', request('status', bill), without('paymentRequestId'), '4002602'],
    ['no account', request('inquiry', account), without('beneficiaryAccountNo'), '4001502'],
    ['no account', request('inquiry', account), saying('beneficiaryAccountNo', 'x'), '4001501'],
    ['no amount', request('payment', { ...account, ...money }), without('amount'), '4001702'],
    [
      'no date',
      request('payment', { ...account, ...money }),
      saying('transactionDate', 'today'),
      '4001701',
    ],
    [
      'no reference',
      request('payment', { ...account, ...money }),
      without('partnerReferenceNo'),
      '4001702',
    ],
  ]
  for (const [what, message, change, code] of rows) {
    const answer = await answerTo(message, change)
    const text = Buffer.from(answer).toString('utf8')
    t.match(text, `HTTP/1.1 ${code.slice(0, 3)}`, what)
    t.match(text, `"responseCode":"${code}"`, `${what}: ${code}`)
    const read = pack.readAnswer(answer, message)
    const { outcome } = messageOf(read)
    const cut = code.slice(0, 3) + code.slice(5)
    // A check that cannot be read says nothing about the payment.
    const meaning = message.kind === 'status' ? 'unknown' : 'declined'
    t.match(outcome, { reason: 'format-error', meaning, code: cut }, 'and so it is understood')
  }
  t.equal([...book.entries()].length, 0, 'nothing was paid')
})
