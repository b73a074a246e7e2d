import { generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { request as call } from 'undici'
import { localTime, rupiah, Secret, SystemClock, SystemRandom } from '#base'
import { readHttpRequest, writeHttpResponse } from '#http'
import { declined, type Message } from '#message'
import type { HttpPack, PackRead } from '#pack'
import { Book, HttpBiller } from '#sim'
import {
  bodyOf,
  COMMON,
  compiled,
  messageOf,
  problemsOf,
  rejectOf,
  response,
  samplesOf,
  secrets,
  testPack,
  textOf,
} from './packs.ts'

/** The packs in SOAP, NuSOAP, eCollection and SNAP: their samples, their simulators, bad input. */
const NAMES = [
  'bpjs-soap',
  'pdam-nusoap',
  'bni-ecollection',
  'snap-bank',
  'snap-va',
  'qris-snap',
] as const
type Name = (typeof NAMES)[number]

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const KEYS = {
  ourKey: privateKey,
  ourPublicKey: publicKey,
  bankKey: privateKey,
  bankPublicKey: publicKey,
}

const texts = new Map(NAMES.map(name => [name as string, { 'pack.yaml': textOf(name) }]))
const bare = new Map(NAMES.map(name => [name, compiled(name, texts)]))
const packOf = (name: Name): HttpPack =>
  (bare.get(name) as HttpPack).with(secrets({ ...samplesOf(name).credentials, ...KEYS }))

const sampleOf = (name: Name, title: string) => {
  const sample = samplesOf(name).samples.find(one => one.title === title)
  if (!sample) throw new Error(`${name} has no sample "${title}"`)
  return sample
}
const askedBy = (name: Name, title: string): Message => sampleOf(name, title).message

for (const name of NAMES) {
  const pack = packOf(name)
  const { samples, sealed } = samplesOf(name)
  for (const { title, as, frame, message, asked, readOnly } of samples) {
    t.test(`${name}: ${title}`, async t => {
      const bytes = Buffer.from(frame)
      const read =
        as === 'request'
          ? pack.readRequest(bytes)
          : as === 'callback'
            ? (pack.callback?.read(bytes) as PackRead)
            : pack.readAnswer(bytes, asked as Message)
      // A request may name less than the message that makes it: its own id only.
      if (as === 'request') {
        const { kind, product, direction: _, repeat: __, trace: ___, ...said } = messageOf(read)
        t.match(message, said.sentAt === '' ? { ...said, sentAt: message.sentAt } : said)
        // A status check that is the same request again is read as that.
        if (message.kind !== 'status') t.equal(kind, message.kind)
        t.ok(product === undefined || product === message.product)
      } else t.strictSame(messageOf(read), message)
      if (as !== 'answer') t.equal(pack.opens(bytes, sealed), undefined)
      if (readOnly) return
      const written = as === 'callback' ? pack.callback?.write(message) : pack.write(message, asked)
      t.equal(Buffer.from(pack.seal(written as Uint8Array, sealed)).toString(), frame)
      if (asked) t.equal(pack.matchKey(message), pack.matchKey(asked))
    })
  }
}

t.test('what the packs are', async t => {
  const rows: [name: Name, products: string, without: string, session: boolean, calls: boolean][] =
    [
      ['bpjs-soap', 'bpjs-kesehatan', '', false, false],
      ['pdam-nusoap', 'pdam', '', false, false],
      ['bni-ecollection', 'va-bni', '', false, true],
      ['snap-bank', 'transfer-intrabank,transfer-interbank,va-bill', '', true, false],
      ['snap-va', 'va-bill', '', true, false],
      ['qris-snap', 'qris', '', true, false],
    ]
  for (const [name, products, without, session, calls] of rows) {
    const pack = packOf(name)
    t.equal(pack.products.join(), products, name)
    t.equal(pack.withoutInquiry.join(), without, name)
    t.equal(pack.session !== undefined, session, name)
    t.equal(pack.callback !== undefined, calls, name)
    t.ok(pack.needsOwnReference, name)
    for (const policy of Object.values(pack.recovery)) t.equal(policy.policy, 'check', name)
  }
})

// Against their own simulators -------------------------------------------------------------------

const TIMING = { deadlineMs: 300, lateByMs: 50, slowByMs: 30, byteByMs: 0, mergeWaitMs: 5 }

/** As a lab has it: both sides know the same credentials. */
function labPack(name: Name): HttpPack {
  const pack = bare.get(name) as HttpPack
  const given = pack.credentials.map(({ name: key }): [string, string] => {
    if (key in KEYS) return [key, KEYS[key as 'ourKey']]
    return [key, key === 'partnerServiceId' ? '99999' : `lab-${key}`]
  })
  return pack.with(Object.fromEntries(given.map(([key, text]) => [key, new Secret(text)])))
}

async function simulated(name: Name) {
  const pack = labPack(name)
  const book = new Book()
  const one = new HttpBiller({
    pack,
    host: '127.0.0.1',
    port: 0,
    clock: new SystemClock(),
    random: new SystemRandom(),
    book,
    timing: TIMING,
  })
  const { address } = await one.listen()
  const url = `http://${address}`
  const context = { nowMs: Date.now(), nonce: '1' }
  const { session } = pack
  const token = session?.read(await send(url, session.request(context)))?.token
  const ask = async (message: Message): Promise<PackRead> => {
    const seal = { ...context, nonce: String(++nonces), ...(token !== undefined && { token }) }
    const answer = await send(url, pack.seal(pack.write(message), seal))
    return pack.readAnswer(answer, message)
  }
  const paid = () => [...book.entries()].filter(({ state }) => state === 'paid').length
  return { pack, url, ask, paid, one, token }
}

let nonces = 1
async function send(url: string, sealed: Uint8Array): Promise<Uint8Array> {
  const { method, target, headers, body } = readHttpRequest(sealed)
  const answer = await call(url + target, { method: method as 'POST', headers, body })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  const told: Record<string, string> = {}
  for (const [key, value] of Object.entries(answer.headers)) told[key] = String(value)
  return writeHttpResponse({ status: answer.statusCode, headers: told, body: bytes })
}

let serial = 0
function inquiry(product: string, more: Partial<Message>): Message {
  const trace = String(++serial).padStart(12, '0')
  return {
    kind: 'inquiry',
    direction: 'request',
    repeat: false,
    trace,
    sentAt: localTime(Date.now()),
    product,
    reference: { own: `20261125${trace}` },
    ...more,
  }
}

const meaningOf = (read: PackRead): string | undefined =>
  read.tag === 'message' ? read.message.outcome?.meaning : 'unknown'

type Customer = (suffix: string) => Partial<Message>
const amountMinor = rupiah(50_000)
const counterparts: [name: Name, product: string, customer: Customer][] = [
  ['bpjs-soap', 'bpjs-kesehatan', end => ({ customer: { id: `9999000000${end}` } })],
  ['pdam-nusoap', 'pdam', end => ({ customer: { id: `999900000${end}` } })],
  [
    'bni-ecollection',
    'va-bni',
    end => ({ transfer: { account: `9999000000000${end}`, name: 'UJI' }, amountMinor }),
  ],
  [
    'snap-bank',
    'transfer-intrabank',
    end => ({ transfer: { account: `9999000${end}` }, amountMinor }),
  ],
  [
    'snap-bank',
    'transfer-interbank',
    end => ({ transfer: { bank: '014', account: `9999000${end}` }, amountMinor }),
  ],
  ['snap-bank', 'va-bill', end => ({ customer: { id: `999900000${end}` } })],
]

// Where a status check is the payment sent again, the second one is met as a status check.
const scenarios: [suffix: string, what: string, payment: string, paid: number, status: string][] = [
  ['100', 'no scenario', 'approved', 1, 'approved'],
  ['900', 'all well', 'approved', 1, 'approved'],
  ['914', 'pending although paid', 'unknown', 1, 'approved'],
  ['915', 'pending and not paid', 'unknown', 0, 'nothing'],
  ['961', 'pending, only a status check tells', 'unknown', 1, 'approved'],
  ['967', 'a page of HTML', 'unknown', 1, 'approved'],
  ['968', 'HTTP 500 after the work', 'unknown', 1, 'approved'],
  ['969', 'HTTP 500 without it', 'unknown', 0, 'nothing'],
  ['970', 'an empty answer', 'unknown', 1, 'approved'],
]
for (const [name, product, customer] of counterparts) {
  t.test(`${name}: ${product} is asked, paid and asked about`, async t => {
    const { ask, paid, one } = await simulated(name)
    t.teardown(() => one.close())
    for (const [suffix, what, payment, count, status] of scenarios) {
      const told = messageOf(await ask(inquiry(product, customer(suffix))))
      t.match(told.outcome, { meaning: 'approved' }, `${suffix}: ${what}`)
      t.ok((told.amountMinor ?? 0n) > 0n, `${suffix}: an amount is told`)
      const { outcome: _, ...quote } = told
      const before = paid()
      const request: Message = { ...quote, kind: 'payment', direction: 'request' }
      t.equal(meaningOf(await ask(request)), payment, `${suffix}: the payment`)
      t.equal(paid() - before, count, `${suffix}: in the book`)
      const checked = meaningOf(await ask({ ...request, kind: 'status' }))
      t.equal(checked, status, `${suffix}: the status check`)
      t.equal(paid() - before, count, `${suffix}: nothing was done twice`)
    }
  })

  t.test(`${name}: ${product} of nobody`, async t => {
    const { ask, paid, one } = await simulated(name)
    t.teardown(() => one.close())
    const stranger = JSON.parse(
      JSON.stringify(customer('100'), (_, value) =>
        typeof value === 'bigint' ? `${value}` : value,
      ),
      (key, value: string) =>
        key === 'amountMinor'
          ? amountMinor
          : typeof value === 'string'
            ? value.replace('9999', '1234')
            : value,
    ) as Partial<Message>
    const told = messageOf(await ask(inquiry(product, stranger)))
    t.match(told.outcome, { meaning: 'declined', reason: 'customer-unknown' })
    t.equal(paid(), 0)
  })
}

// Credentials and seals --------------------------------------------------------------------------

t.test('SNAP: a token is fetched with our key, and requests are signed with it', async t => {
  const pack = packOf('snap-bank')
  const { sealed } = samplesOf('snap-bank')
  const asks = pack.session?.request(sealed) as Uint8Array
  t.match(Buffer.from(asks).toString(), /^POST \/openapi\/v1\.0\/access-token\/b2b HTTP/)
  t.match(bodyOf(asks), '{"grantType":"client_credentials"}')
  t.equal(pack.opens(asks, sealed), undefined)
  const late = { ...sealed, nowMs: sealed.nowMs + 301_000 }
  t.match(pack.opens(asks, late), { tag: 'stale', path: 'headers.x-timestamp' })
  const other = Buffer.from(Buffer.from(asks).toString().replace('client-id-0001', 'client-id-2'))
  t.match(pack.opens(other, sealed), { tag: 'unknown-sender' })
  const answer = pack.session?.writeAnswer('tok', 900_000) as Uint8Array
  t.match(JSON.parse(bodyOf(answer)), { responseCode: '2007300', expiresIn: '900' })
  t.strictSame(pack.session?.read(answer), { token: 'tok', expiresInMs: 900_000 })

  const frame = pack.write(askedBy('snap-bank', 'transfer in the bank'))
  const withoutToken = { nowMs: sealed.nowMs, nonce: '1' }
  t.throws(() => pack.seal(frame, withoutToken), { code: 'PACK_CREDENTIAL', path: 'token' })
  const [first, second] = ['1', '2'].map(nonce =>
    Buffer.from(pack.seal(frame, { ...sealed, nonce })).toString(),
  ) as [string, string]
  t.match(first, /x-external-id: 1\r/)
  t.match(second, /x-external-id: 2\r/)
  const raised = Buffer.from(first.replace('250000.00', '950000.00'))
  t.match(pack.opens(raised, sealed), { tag: 'forged', path: 'headers.x-signature' })
})

t.test('SNAP: what each case code means for the money, by kind of message', async t => {
  const pack = packOf('snap-bank')
  const rows: [code: string, inquiry: string, payment: string, status: string][] = [
    ['20000', 'approved', 'approved', 'approved'],
    ['20200', 'unknown', 'unknown', 'unknown'],
    ['40002', 'declined', 'declined', 'unknown'],
    ['40101', 'sign-on', 'sign-on', 'sign-on'],
    ['40306', 'declined', 'declined', 'unknown'],
    ['40314', 'declined', 'declined', 'unknown'],
    ['40401', 'declined', 'unknown', 'nothing'],
    ['40411', 'declined', 'declined', 'unknown'],
    ['40900', 'declined', 'unknown', 'unknown'],
    ['40901', 'declined', 'unknown', 'unknown'],
    ['50000', 'declined', 'unknown', 'unknown'],
    ['50400', 'unknown', 'unknown', 'unknown'],
    ['99999', 'declined', 'unknown', 'unknown'],
    ['status-05', 'declined', 'declined', 'nothing'],
    ['status-07', 'declined', 'declined', 'nothing'],
    ['http 502', 'unknown', 'unknown', 'unknown'],
  ]
  for (const [code, ...meanings] of rows) {
    const found = (['inquiry', 'payment', 'status'] as const).map(
      kind => pack.meaningOf(kind, code).meaning,
    )
    t.strictSame(found, meanings, code)
  }
})

t.test('eCollection: callbacks that are forged, old or of somebody else', async t => {
  const pack = packOf('bni-ecollection')
  const { sealed } = samplesOf('bni-ecollection')
  const { frame } = sampleOf('bni-ecollection', 'told by callback')
  const later = { ...sealed, nowMs: sealed.nowMs + 481_000 }
  const rows: [title: string, frame: string, context: typeof sealed, tag: string | undefined][] = [
    ['as it came', frame, sealed, undefined],
    ['eight minutes later', frame, later, 'stale'],
    ['of another client', frame.replace('"999"', '"998"'), sealed, 'unknown-sender'],
    ['other data', frame.replace(/"data":"..../, '"data":"AAAA'), sealed, 'forged'],
    ['no data', frame.replace(/,"data":"[^"]*"/, ''), sealed, 'missing'],
    [
      'not encoded',
      frame.replace(/"data":"[^"]*"/, '"data":{"trx_id":"INV0001"}'),
      sealed,
      'forged',
    ],
    ['no JSON', frame.replace('{', '['), sealed, 'missing'],
  ]
  for (const [title, text, context, tag] of rows) {
    t.equal(pack.opens(Buffer.from(text), context)?.tag, tag, title)
  }
  const told = messageOf(pack.callback?.read(Buffer.from(frame)) as PackRead)
  t.equal(pack.matchKey(told), pack.matchKey(askedBy('bni-ecollection', 'is it paid')))
  t.equal(bodyOf(pack.callback?.writeAnswer(true) as Uint8Array), '{"status":"000"}')
  // One that tells of no payment says nothing.
  const nothing = frame.replace(/\{"client_id.*/, '{"trx_id":"INV0001","payment_ntb":""}')
  const read = pack.callback?.read(Buffer.from(nothing)) as PackRead
  t.match(messageOf(read).outcome, { meaning: 'unknown' })
})

t.test('eCollection: a paid amount that is not the billing is told as it is', async t => {
  const pack = packOf('bni-ecollection')
  const asked = askedBy('bni-ecollection', 'is it paid')
  const part = response(
    '{"status":"000","data":{"trx_id":"INV0001","virtual_account":"9880099900000015","payment_amount":"60000","payment_ntb":"023457"}}',
  )
  t.match(messageOf(pack.readAnswer(part, asked)), {
    amountMinor: rupiah(60_000),
    outcome: { meaning: 'approved' },
  })
})

t.test('people see no name, secret or document in a document', async t => {
  for (const name of NAMES) {
    for (const { frame, title } of samplesOf(name).samples) {
      const shown = JSON.stringify(packOf(name).describe(Buffer.from(frame)))
      t.notMatch(shown, /PELANGGAN UJI|contohsecret|client-secret|cmFoYXNpYS1jb250b2g/, title)
    }
  }
  const bill = Buffer.from(sampleOf('pdam-nusoap', 'two months are told').frame)
  const fields = packOf('pdam-nusoap').describe(bill)
  t.ok(
    fields.some(
      ({ path, value }) => path.endsWith('jawaban.rekening[1].thbln') && value === '202611',
    ),
    'the inner document is described too',
  )
})

// Documents inside of texts, faults, parts of a sum ----------------------------------------------

t.test('NuSOAP: an inner document that is none is no answer', async t => {
  const pack = packOf('pdam-nusoap')
  const asked = askedBy('pdam-nusoap', 'payment')
  const good = sampleOf('pdam-nusoap', 'paid').frame
  const inner = (text: string) => good.replace(/(<return[^>]*>)[^]*(<\/return>)/, `$1${text}$2`)
  const at = 'ns1:paymentResponse.return'
  const rows: [title: string, frame: string, expected: string][] = [
    ['good', good, 'read'],
    [
      'a DOCTYPE',
      inner('&lt;!DOCTYPE a [&lt;!ENTITY b "c"&gt;]&gt;&lt;jawaban/&gt;'),
      `DOCUMENT_SYNTAX ${at}`,
    ],
    ['cut short', inner('&lt;jawaban&gt;&lt;rc&gt;00'), `DOCUMENT_SYNTAX ${at}`],
    ['plain text', inner('00'), `DOCUMENT_SYNTAX ${at}`],
    [
      'CDATA',
      good.replace(
        /(<return[^>]*>)([^]*)(<\/return>)/,
        (_, a: string, b: string, c: string) =>
          `${a}<![CDATA[${b.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"')}]]>${c}`,
      ),
      'read',
    ],
    ['empty', inner(''), `PACK_MISSING_FIELD ${at}.jawaban`],
    [
      'a success without its bills',
      inner('&lt;jawaban&gt;&lt;rc&gt;00&lt;/rc&gt;&lt;/jawaban&gt;'),
      `PACK_MISSING_FIELD ${at}.jawaban.nama`,
    ],
    ['too deep', inner('&lt;a&gt;'.repeat(40)), `DOCUMENT_LIMIT ${at}`],
  ]
  for (const [title, frame, expected] of rows) {
    const read = pack.readAnswer(Buffer.from(frame), asked)
    t.equal(rejectOf(read), expected, title)
  }
})

t.test(
  'NuSOAP: a secret in a document inside of a text is refused when a pack is read',
  async t => {
    const text = textOf('pdam-nusoap').replace('loket: credential loket', 'loket: credential sandi')
    const problems = problemsOf('p', new Map([['p', { 'pack.yaml': text }]]))
    t.match(problems[0]?.text, /permintaan\.loket" is a secret, and cannot stand/)
  },
)

t.test('a document inside of a text may stand in a list, and in another one', async t => {
  const pack = testPack(`
content: json
call: POST /x
messages:
  product-a:
    inquiry:
      request: { p: product, id: customer.id, ref: reference.own }
      approved: { rc: outcome, 'bills[bills]': { in as json: { p: period YYYYMM, more as xml: { n: amountMinor rupiah } } } }
      declined: { rc: outcome }
`)
  const asked = { ...askedBy('pdam-nusoap', 'inquiry'), product: 'product-a' }
  const months = ['202610', '202611'].map(period => ({ period, amountMinor }))
  const outcome = { meaning: 'approved', reason: 'approved', code: '00' } as const
  const told: Message = { ...asked, direction: 'response', outcome, bills: months }
  t.strictSame(messageOf(pack.readAnswer(pack.write(told, asked), asked)), told)
})

t.test('SOAP: requests are told apart by their first element', async t => {
  const pack = packOf('bpjs-soap')
  const { frame } = sampleOf('bpjs-soap', 'payment')
  t.equal(messageOf(pack.readRequest(Buffer.from(frame))).kind, 'payment')
  const other = frame.replaceAll('paymentRequest', 'reversalRequest')
  t.match(rejectOf(pack.readRequest(Buffer.from(other))), /^PACK_UNKNOWN_MESSAGE/)
})

t.test('a reason whose code is a fault, or a status of HTTP, is written as one', async t => {
  const bpjs = packOf('bpjs-soap')
  const asked = askedBy('bpjs-soap', 'inquiry')
  const no: Message = { ...asked, direction: 'response', outcome: declined('customer-unknown') }
  const fault = Buffer.from(bpjs.write(no, asked)).toString()
  t.match(fault, /^HTTP\/1\.1 500[^]*<faultcode>soap:Client\.UnknownCustomer</)
  const locked: Message = { ...no, outcome: declined('security-invalid') }
  const status = bpjs.write(locked, asked)
  t.match(Buffer.from(status).toString(), /^HTTP\/1\.1 401/)
  t.match(messageOf(bpjs.readAnswer(status, asked)).outcome, declined('security-invalid'))
})

const sums = testPack(`
content: json
call: POST /x
messages:
  product-a:
    inquiry:
      request: { p: product, id: customer.id, ref: reference.own }
      approved: { rc: outcome, 'bills[bills]': { p: period YYYYMM, a: miscMinor rupiah signed, b?: more miscMinor rupiah, c?: less miscMinor rupiah, n: amountMinor rupiah } }
      declined: { rc: outcome }
`)

t.test('amounts of theirs that are one of ours are added up, to the rupiah', async t => {
  const asked = { ...askedBy('pdam-nusoap', 'inquiry'), product: 'product-a' }
  const whole = fc.integer({ min: 0, max: 1_000_000_000 })
  fc.assert(
    fc.property(whole, fc.option(whole), fc.option(whole), (a, b, c) => {
      const more = `${b === null ? '' : `,"b":${b}`}${c === null ? '' : `,"c":${c}`}`
      const frame = response(`{"rc":"00","bills":[{"p":"202610","a":${a}${more},"n":1}]}`)
      const told = messageOf(sums.readAnswer(frame, asked))
      t.equal(told.bills?.[0]?.miscMinor, rupiah(a + (b ?? 0) - (c ?? 0)))
      const again = messageOf(sums.readAnswer(sums.write(told, asked), asked))
      t.strictSame(again, told)
    }),
    { numRuns: 100 },
  )
  const wrong = `${COMMON}
content: json
call: POST /x
messages: { product-a: { payment: { request: { a: more customer.id }, approved: { rc: outcome }, declined: { rc: outcome } } } }
outcome: { code: rc }
codes: { other: declined other-error }
`
  const problems = problemsOf('t', new Map([['t', { 'pack.yaml': wrong }]]))
  t.ok(problems.some(({ text }) => text.includes('only money is added up; "customer.id"')))
})

t.test('whatever comes as an answer, nothing is paid but by a success', async () => {
  const rows: [name: Name, parts: string[]][] = [
    [
      'bpjs-soap',
      [
        '<bpjs:paymentResponse>',
        '</bpjs:paymentResponse>',
        '<tagihan>',
        '</tagihan>',
        '<lunas>true',
        '</lunas>',
        '<id>1</id>',
      ],
    ],
    [
      'pdam-nusoap',
      [
        '<ns1:paymentResponse>',
        '</ns1:paymentResponse>',
        '<return>',
        '</return>',
        '&lt;jawaban&gt;',
        '&lt;rc&gt;00',
        '&lt;/rc&gt;',
        '&lt;/jawaban&gt;',
      ],
    ],
  ]
  for (const [name, parts] of rows) {
    const pack = packOf(name)
    const asked = askedBy(name, 'payment')
    const [head = ''] = sampleOf(name, 'paid').frame.split('<soap:Body>')
    const part = fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 4 }))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), pieces => {
        const frame = Buffer.from(
          `${head}<soap:Body>${pieces.join('')}</soap:Body></soap:Envelope>`,
        )
        const read = pack.readAnswer(frame, asked)
        return read.tag === 'reject' || read.message.outcome?.meaning !== 'approved'
      }),
      { numRuns: 200 },
    )
  }
})
