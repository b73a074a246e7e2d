import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import { rupiah, type LocalTime } from '#base'
import type { Message } from '#message'
import type { HttpPack, SealContext } from '#pack'
import { bodyOf, messageOf, rejectOf, request, response, secrets, testPack } from './packs.ts'

/** Each kind of document in a pack as small as can be: shapes of real counterparts, with invented names. */
const asked: Message = {
  kind: 'inquiry',
  direction: 'request',
  repeat: false,
  trace: '',
  sentAt: '' as LocalTime,
  product: 'product-a',
  customer: { id: '999900000015' },
  reference: { own: 'TRX1' },
}
const told: Message = {
  ...asked,
  direction: 'response',
  outcome: { meaning: 'approved', reason: 'approved', code: '00' },
  customer: { id: '999900000015', name: 'TOKO "A" & <B>' },
  amountMinor: rupiah(260_500),
  bills: [
    { period: '202610', amountMinor: rupiah(130_000) },
    { period: '202611', amountMinor: rupiah(130_500) },
  ],
}
const now: SealContext = { nowMs: 1795140000000, nonce: '77' }

function goesBothWays(t: Test, pack: HttpPack, message = told): void {
  const sent = pack.seal(pack.write(asked), now)
  t.equal(pack.opens(sent, now), undefined)
  t.strictSame(messageOf(pack.readRequest(sent)), asked)
  t.strictSame(messageOf(pack.readAnswer(pack.write(message, asked), asked)), message)
}

const BILLS = `'bill[bills]': { '@month': period YYYYMM, '#': amountMinor rupiah .00 }`

t.test('XML with attributes, text beside them, and a namespace', async t => {
  const pack = testPack(`
content: xml
call: POST /x
namespaces: { default: 'http://biller.example/a', z: 'http://biller.example/z' }
messages:
  product-a:
    inquiry:
      request: { ask: { 'z:id': customer.id, p: product, ref: reference.own } }
      approved: { told: { rc: outcome, name: customer.name, total: amountMinor rupiah, bills: { ${BILLS} } } }
      declined: { told: { rc: outcome } }
outcome: { code: told.rc }
codes: { '00': approved, '05': declined other-error, other: declined other-error }
say: { ${say()} }
`)
  goesBothWays(t, pack)
  // Other prefixes, other order, comments, CDATA and entities: the same document.
  const other = `<?xml version='1.0'?><!-- x --><q:told xmlns:q="http://biller.example/a"><q:total>260500</q:total>
    <q:name><![CDATA[TOKO "A" & <B>]]></q:name><q:rc>0&#48;</q:rc><q:bills>
    <q:bill month="202610">130000.00</q:bill><q:bill month='202611'>130500.00</q:bill></q:bills></q:told>`
  t.strictSame(messageOf(pack.readAnswer(response(other, 'text/xml'), asked)), told)
  const foreign = other.replace('biller.example/a', 'biller.example/b')
  for (const none of ['<told/>', foreign]) {
    const read = pack.readAnswer(response(none, 'text/xml'), asked)
    t.match(rejectOf(read), /^PACK_MISSING_FIELD told @/)
  }
})

const soap = (version: string) => `
content: soap ${version}
call: POST /svc
headers: { soapaction: is "pay" }
namespaces: { q: 'http://service.example/core', bo: 'http://service.example/core/bo' }
credentials: { user: 'name, who', password: 'secret, his password' }
security: username-token digest user password
messages:
  product-a:
    inquiry:
      request:
        q:transaction:
          request:
            systemId: credential user
            content: { '@xsi:type': is bo:BillReq, id: customer.id, ref: reference.own, code: product }
      approved:
        q:transactionResponse:
          content: { '@xsi:type': is bo:OK, rc: outcome, name: customer.name, total: amountMinor rupiah, ${BILLS} }
      declined: { 'q:transactionResponse': { content: { rc: outcome } } }
outcome: { code: q:transactionResponse.content.rc }
codes: { '00': approved, '05': declined other-error, fault Client: declined format-error, fault Sender: declined format-error, fault Server: unknown timeout, http 5xx: unknown timeout, other: declined other-error }
say: { ${say('format-error', 'timeout')} }
`

t.test('SOAP 1.1 and 1.2 with xsi:type, a fault and a UsernameToken', async t => {
  for (const version of ['1.1', '1.2']) {
    const pack = testPack(soap(version)).with(secrets({ user: 'u&1', password: 'rahasia' }))
    goesBothWays(t, pack)
    const frame = pack.write(asked)
    const sent = Buffer.from(pack.seal(frame, now))
    t.notMatch(Buffer.from(frame).toString() + sent.toString(), /rahasia/)
    t.match(sent.toString(), /soapaction: "pay"[^]*wsse:Password[^]*PasswordDigest/)
    t.match(pack.opens(sent, { ...now, nowMs: now.nowMs + 600_000 }), { tag: 'stale' })
    t.match(pack.opens(frame, now), { tag: 'missing' })
    const thief = testPack(soap(version)).with(secrets({ user: 'u&1', password: 'x' }))
    t.match(thief.opens(sent, now), { tag: 'forged', path: 'header.wsse:Password' })
    // The prefix of the type is another one; the namespace is the same.
    const text = bodyOf(pack.write(told, asked))
      .replaceAll('bo:', 'k:')
      .replace('xmlns:bo', 'xmlns:k')
    const again = text.replace('xmlns:bo=', 'xmlns:k=')
    t.strictSame(messageOf(pack.readAnswer(response(again, 'text/xml'), asked)), told)
    const wrongType = bodyOf(pack.write(told, asked)).replace('bo:OK', 'bo:Other')
    t.match(
      rejectOf(pack.readAnswer(response(wrongType, 'text/xml'), asked)),
      /PACK_FORMAT q:.*xsi:type/,
    )
    const code = version === '1.1' ? 'Client' : 'Sender'
    const fault: Message = {
      ...asked,
      direction: 'response',
      outcome: { meaning: 'declined', reason: 'format-error', code: `fault ${code}` },
    }
    const faulty = pack.write(fault, asked)
    t.match(Buffer.from(faulty).toString(), /^HTTP\/1\.1 500/)
    t.strictSame(messageOf(pack.readAnswer(faulty, asked)), fault)
  }
})

t.test('NuSOAP: a document as the text of one parameter, both ways', async t => {
  const pack = testPack(`
content: soap 1.1
call: POST /nusoap.php
messages:
  product-a:
    inquiry:
      request: { inquiry: { in_param as xml: { request: { id: customer.id, p: product, ref: reference.own } } } }
      approved: { inquiryResponse: { return as xml: { response: { rc: outcome, name: customer.name, total: amountMinor rupiah, ${BILLS} } }, rc?: outcome } }
      declined: { inquiryResponse: { rc?: outcome } }
outcome: { code: inquiryResponse.rc }
codes: { '00': approved, '05': declined other-error, other: declined other-error }
say: { ${say()} }
`)
  const frame = pack.write(asked)
  t.match(bodyOf(frame), '&lt;request&gt;&lt;id&gt;999900000015')
  goesBothWays(t, pack)
  const bomb = bodyOf(pack.write(told, asked)).replace(
    /&lt;name&gt;.*?&lt;\/name&gt;/,
    '&lt;!DOCTYPE a&gt;',
  )
  t.equal(
    rejectOf(pack.readAnswer(response(bomb, 'text/xml'), asked)),
    'DOCUMENT_SYNTAX inquiryResponse.return',
  )
})

t.test('bad XML is refused, and nothing is fetched or made to grow', async t => {
  const pack = testPack(`
content: xml
call: POST /x
reading: { depthMax: 5, bytesMax: 2000 }
messages:
  product-a:
    inquiry:
      request: { ask: { id: customer.id, p: product } }
      approved: { told: { rc: outcome, name?: customer.name } }
      declined: { told: { rc: outcome } }
outcome: { code: told.rc }
codes: { '00': approved, '05': declined other-error, http unreadable: unknown timeout, other: declined other-error }
say: { ${say()} }
`)
  const laughs = `<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><told><rc>&b;</rc></told>`
  const rows: [title: string, body: string | Buffer, expected: RegExp, type?: string][] = [
    ['good', '<told><rc>00</rc></told>', /^read$/],
    ['billion laughs', laughs, /^DOCUMENT_SYNTAX body @/],
    [
      'a file',
      '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><told><rc>&x;</rc></told>',
      /^DOCUMENT_SYNTAX/,
    ],
    ['an entity that nobody declared', '<told><rc>&x;</rc></told>', /^DOCUMENT_SYNTAX/],
    ["an entity of HTML's", '<told><rc>&nbsp;</rc></told>', /^DOCUMENT_SYNTAX/],
    ['an instruction', '<told><?php x?><rc>00</rc></told>', /^DOCUMENT_SYNTAX/],
    ['cut short', '<told><rc>00</rc>', /^DOCUMENT_SYNTAX/],
    ['crossed', '<told><rc>00</told></rc>', /^DOCUMENT_SYNTAX/],
    ['two roots', '<told><rc>00</rc></told><told/>', /^DOCUMENT_SYNTAX/],
    ['an attribute without quotes', '<told a=1><rc>00</rc></told>', /^DOCUMENT_SYNTAX/],
    ['an undeclared prefix', '<x:told><rc>00</rc></x:told>', /^DOCUMENT_SYNTAX/],
    ['too deep', '<told><a><a><a><a><a/></a></a></a></a><rc>00</rc></told>', /^DOCUMENT_LIMIT/],
    [
      'too many attributes',
      `<told ${Array.from({ length: 30 }, (_, i) => `a${i}="1"`).join(' ')}/>`,
      /^DOCUMENT_LIMIT/,
    ],
    ['too large', `<told><rc>${'0'.repeat(2000)}</rc></told>`, /^DOCUMENT_LIMIT/],
    [
      'an encoding that is not read',
      '<?xml version="1.0" encoding="UTF-16"?><told/>',
      /^DOCUMENT_SYNTAX/,
    ],
    [
      'two encodings',
      '<?xml version="1.0" encoding="ISO-8859-1"?><told/>',
      /^DOCUMENT_SYNTAX/,
      'text/xml; charset=utf-8',
    ],
    [
      'a header with an unknown encoding',
      '<told/>',
      /^DOCUMENT_SYNTAX/,
      'text/xml; charset=ebcdic',
    ],
    [
      'bytes that are not UTF-8',
      Buffer.from('<told><rc>00</rc><name>\xe9</name></told>', 'latin1'),
      /^DOCUMENT_SYNTAX body @/,
    ],
    ['HTML', '<html><body/></html>', /^read$/],
    [
      'an element where text should be',
      '<told><rc>00</rc><name><b>x</b></name></told>',
      /^PACK_FORMAT told.name/,
    ],
  ]
  for (const [title, body, expected, type = 'text/xml'] of rows) {
    t.match(rejectOf(pack.readAnswer(response(body, type), asked)), expected, title)
  }
  const latin = Buffer.from(
    '<?xml version="1.0" encoding="ISO-8859-1"?><told><rc>00</rc><name>\xe9</name></told>',
    'latin1',
  )
  t.equal(messageOf(pack.readAnswer(response(latin, 'text/xml'), asked)).customer?.name, 'é')
  t.throws(() => pack.write({ ...told, customer: { name: 'a\u0000b' } }, asked), {
    code: 'CODEC_VALUE',
  })
})

t.test('forms and queries', async t => {
  const own = (call: string) => `
content: form
call: ${call}
credentials: { key: 'secret, the key' }
messages:
  product-a:
    inquiry:
      request: { p: product, id: customer.id, ref: reference.own, key: credential key }
      approved: { rc: outcome, name: customer.name, total: amountMinor rupiah }
      declined: { rc: outcome }
`
  const flat: Message = { ...told }
  delete flat.bills
  for (const call of ['POST /f', 'GET /q/{customer.id}']) {
    const pack = testPack(own(call)).with(secrets({ key: 'a b&c=%é' }))
    goesBothWays(t, pack, flat)
    const other = testPack(own(call)).with(secrets({ key: 'x' }))
    t.match(other.opens(pack.seal(pack.write(asked), now), now), { tag: 'forged', path: 'key' })
  }
  const pack = testPack(own('POST /f'))
  const form = 'application/x-www-form-urlencoded'
  const rows: [title: string, body: string, expected: RegExp][] = [
    ['a name twice', 'p=A&p=A', /^DOCUMENT_SYNTAX body @/],
    ['a broken escape', 'p=%zz', /^DOCUMENT_SYNTAX/],
    ['not UTF-8', 'p=%ff', /^DOCUMENT_SYNTAX/],
    ['nothing', '', /^PACK_MISSING_FIELD p/],
    ['too many', Array.from({ length: 300 }, (_, i) => `a${i}=`).join('&'), /^DOCUMENT_LIMIT/],
  ]
  for (const [title, body, expected] of rows) {
    t.match(rejectOf(pack.readRequest(request('/f', body, form))), expected, title)
  }
})

t.test('a form or a query that is answered in JSON', async t => {
  const own = (head: string, more: string) => `
${head}
credentials: { key: 'secret, the key' }
messages:
  product-a:
    inquiry:
      ${more}
      request: { p: product, id: customer.id, ref: reference.own, key: credential key }
      approved: { rc: outcome, name: customer.name, total: amountMinor rupiah, 'bills[bills]': { month: period YYYYMM, rp: amountMinor rupiah } }
      declined: { rc: outcome }
`
  const rows: [head: string, more: string][] = [
    ['content: form\nanswers: json\ncall: POST /f', ''],
    ['content: form\nanswers: json\ncall: GET /q', ''],
    ['content: json\ncall: POST /f', 'content: form\n      answers: json'],
    ['content: xml\nanswers: xml\ncall: GET /f', 'content: form\n      answers: json'],
  ]
  for (const [head, more] of rows) {
    const pack = testPack(own(head, more)).with(secrets({ key: 'a b&c' }))
    goesBothWays(t, pack)
    const sent = Buffer.from(pack.seal(pack.write(asked), now)).toString()
    t.match(sent, /key=a%20b%26c|key=a\+b%26c/)
    const answer = Buffer.from(pack.write(told, asked)).toString()
    t.match(answer, /content-type: application\/json\r\n[^]*"bills":\[\{"month":"202610"/)
    t.match(
      messageOf(pack.readAnswer(response('<html>', 'text/html'), asked)).outcome,
      { meaning: 'unknown' },
      'a page is no answer',
    )
    t.equal(rejectOf(pack.readAnswer(response('{"rc":'), asked)).slice(0, 15), 'DOCUMENT_SYNTAX')
    t.ok(pack.describe(Buffer.from(answer)).some(({ path }) => path === 'bills[1].rp'))
  }
})

t.test('a header of SOAP that is the dialect’s own, beside WS-Security or alone', async t => {
  for (const security of ['', 'security: username-token text user password\n']) {
    const own = `${security}soap-header:
  q:AuthHeader: { q:Username: credential user, q:Password: credential password, q:Trx?: reference.own }
`
    const text = soap('1.2').replace(/security: .*\n/, own)
    const pack = testPack(text).with(secrets({ user: 'u&1', password: 'rahasia' }))
    goesBothWays(t, pack)
    const sent = Buffer.from(pack.seal(pack.write(asked), now)).toString()
    t.match(
      sent,
      /<soap:Header>(<wsse:Security[^]*<\/wsse:Security>)?<q:AuthHeader><q:Username>u&amp;1<\/q:Username><q:Password>rahasia</,
    )
    t.match(sent, /<q:Trx>TRX1<\/q:Trx><\/q:AuthHeader><\/soap:Header>/)
    t.notMatch(Buffer.from(pack.write(asked)).toString(), /rahasia/, 'not in what is kept')
    t.notMatch(JSON.stringify(pack.describe(Buffer.from(sent))), /rahasia/)
    const rows: [from: RegExp, to: string, tag: string][] = [
      [/rahasia(?=<\/q:)/, 'x', 'forged'],
      [/u&amp;1(?=<\/q:)/, 'nobody', 'unknown-sender'],
      [/<q:Password>.*<\/q:Password>/, '', 'missing'],
      [/<q:AuthHeader>.*<\/q:AuthHeader>/, '', 'missing'],
    ]
    for (const [from, to, tag] of rows)
      t.match(pack.opens(Buffer.from(sent.replace(from, to)), now), { tag }, `${from}`)
    const bare = Buffer.from(sent.replace(/<soap:Header>.*<\/soap:Header>/, ''))
    t.match(pack.opens(bare, now), { tag: 'missing' }, 'no header at all')
    t.match(rejectOf(pack.readRequest(bare)), /^PACK_MISSING_FIELD q:AuthHeader/)
    t.notMatch(Buffer.from(pack.write(told, asked)).toString(), /AuthHeader/, 'not in answers')
  }
})

t.test('text: values by stars, and by their widths', async t => {
  const stars = testPack(`
content: text
call: POST /t
layouts:
  ask: [is TAGIHAN, product, customer.id, reference.own]
  told: [is TAGIHAN, outcome, customer.name?, amountMinor? rupiah, '...']
messages:
  product-a:
    inquiry: { request: { text: layout ask by * }, approved: { text: layout told by * }, declined: { text: layout told by * } }
outcome: { code: code }
codes: { '': approved, '05': declined other-error, other: declined other-error }
say: { ${say()} }
`)
  t.equal(bodyOf(stars.write(asked)), 'TAGIHAN*A*999900000015*TRX1')
  t.throws(() => stars.write({ ...asked, reference: { own: 'A*B' } }), { code: 'CODEC_VALUE' })
  const widths = testPack(`
content: json
call: POST /t
layouts: { bit61: [customer.id digits 13, amountMinor rupiah 12, customer.name spaces-right 10] }
messages:
  product-a:
    inquiry: { request: { p: product, id: customer.id, ref: reference.own }, approved: { rc: outcome, bit61: layout bit61 fixed }, declined: { rc: outcome } }
`)
  const message: Message = { ...told, customer: { id: '1234567890123', name: 'BUDI' } }
  delete message.bills
  const frame = widths.write(message, asked)
  t.match(bodyOf(frame), '"1234567890123000000260500BUDI      "')
  t.strictSame(messageOf(widths.readAnswer(frame, asked)), message)
  t.match(
    rejectOf(widths.readAnswer(response('{"rc":"00","bit61":"123"}'), asked)),
    /^PACK_FORMAT bit61/,
  )
})

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

t.test('SNAP: token, symmetric signature, service in the code, left-padded numbers', async t => {
  const pack = testPack(`
content: json
call: POST /openapi/v1.0/transfer-va/inquiry
headers: { x-partner-id: credential partnerId, channel-id: is 95221 }
credentials:
  partnerId: name, the partner
  clientId: name, the client key
  serviceId: name, the partner service id
  clientSecret: secret, the secret
  ourKey: private-key, ours
  theirKey: public-key, theirs
seal:
  session: { x-timestamp: 'timestamp YYYY-MM-DDThh:mm:ssZ', x-client-key: credential clientId, x-signature: snap-token with ourKey checked by theirKey }
  request: { x-timestamp: 'timestamp YYYY-MM-DDThh:mm:ssZ', x-external-id: nonce, authorization: bearer, x-signature: snap-symmetric with clientSecret }
session:
  call: POST /openapi/v1.0/access-token/b2b
  request: { grantType: is client_credentials }
  token: accessToken
  expires: expiresIn seconds
  told: { responseCode: '2007300', tokenType: Bearer }
messages:
  product-a:
    inquiry:
      service: '24'
      request: { partnerServiceId: credential serviceId spaces-left 8, customerNo: customer.id digits loose, virtualAccountNo: 'join(serviceId spaces-left 8, customer.id)', inquiryRequestId: reference.own }
      approved: { responseCode: outcome, virtualAccountData: { virtualAccountName: customer.name, totalAmount: { value: amountMinor rupiah .00 quoted, currency: is IDR }, 'billDetails[bills]?': { billNo: period YYYYMM, billAmount: { value: amountMinor rupiah .00 quoted, currency: is IDR } } } }
      declined: { responseCode: outcome, responseMessage?: words }
outcome: { code: responseCode, believe: 2xx 4xx 5xx, status: code 1..3, service: 4..5 }
codes: { '20000': approved, '40412': declined customer-unknown, '40414': declined already-paid, '50400': unknown timeout, foreign: unknown timeout, other: declined other-error, '50000': declined other-error }
say: { ${say('customer-unknown', 'already-paid', 'timeout').replaceAll("'05'", "'50000'")} }
`).with(
    secrets({
      partnerId: 'P1',
      clientId: 'C1',
      serviceId: '99999',
      clientSecret: 'contoh-client-secret-0001',
      ourKey: privateKey,
      theirKey: publicKey,
    }),
  )
  const message: Message = {
    ...told,
    outcome: { meaning: 'approved', reason: 'approved', code: '20000' },
  }
  const answer = pack.write(message, asked)
  t.match(bodyOf(answer), '"responseCode":"2002400"')
  t.strictSame(messageOf(pack.readAnswer(answer, asked)), message)
  const paid = response(
    '{"responseCode":"4042414","responseMessage":"Paid Bill"}',
    'application/json',
    404,
  )
  t.match(messageOf(pack.readAnswer(paid, asked)).outcome, {
    meaning: 'declined',
    reason: 'already-paid',
    code: '40414',
  })
  const other = response('{"responseCode":"2002500"}')
  t.match(messageOf(pack.readAnswer(other, asked)).outcome, { meaning: 'unknown', code: 'foreign' })
  t.throws(() => pack.seal(pack.write(asked), now), { code: 'PACK_CREDENTIAL', path: 'token' })
  const context = { ...now, token: 'contohAccessToken0001' }
  const sent = Buffer.from(pack.seal(pack.write(asked), context))
  t.match(bodyOf(sent), '"virtualAccountNo":"   99999999900000015"')
  t.equal(pack.opens(sent, context), undefined)
  t.match(pack.readRequest(sent), { tag: 'message' })
  const pretty = Buffer.from(sent.toString().replace(/\{"/, '{ "'))
  t.equal(pack.opens(pretty, context), undefined)
  t.match(pack.opens(sent, { ...context, token: 'another' }), { tag: 'unknown-sender' })
  t.match(pack.opens(sent, { ...context, nowMs: now.nowMs + 301_000 }), { tag: 'stale' })
  t.match(pack.opens(Buffer.from(sent.toString().replace('TRX1', 'TRX2')), context), {
    tag: 'forged',
  })
  const { session } = pack
  const asks = session?.request(now) as Uint8Array
  t.equal(session?.asks(asks), true)
  t.equal(session?.asks(sent), false)
  t.equal(pack.opens(asks, now), undefined)
  t.match(pack.opens(Buffer.from(Buffer.from(asks).toString().replace('C1', 'C2')), now), {
    tag: 'unknown-sender',
  })
  t.strictSame(session?.read(session.writeAnswer('tok', 900_000)), {
    token: 'tok',
    expiresInMs: 900_000,
  })
  for (const no of [
    response('{"responseCode":"4017300"}', 'application/json', 401),
    response('<html>'),
    response('{"accessToken":"a b"}'),
    response('{'),
  ]) {
    t.equal(session?.read(no), undefined)
  }
})

t.test('BNI eCollection: wrapped when it is sealed, and read either way', async t => {
  const pack = testPack(`
content: json
call: POST /
credentials: { clientId: 'name, the client', secretKey: 'secret, the key' }
wrap: bni-ecollection clientId secretKey
messages:
  product-a:
    inquiry:
      request: { type: is inquirybilling, client_id: credential clientId, trx_id: reference.own, va: customer.id, p: product }
      approved: { status: outcome, data: { customer_name: customer.name, trx_amount: amountMinor rupiah quoted } }
      declined: { status: outcome, message?: words }
outcome: { code: status }
codes: { '000': approved, '05': declined other-error, other: declined other-error }
say: { ${say()} }
`).with(secrets({ clientId: '999', secretKey: 'contohsecretkey0001' }))
  const message: Message = {
    ...told,
    customer: { id: '999900000015', name: 'BUDI' },
    outcome: { meaning: 'approved', reason: 'approved', code: '000' },
  }
  delete message.bills
  goesBothWays(t, pack, message)
  const sent = Buffer.from(pack.seal(pack.write(asked), now))
  t.match(JSON.parse(bodyOf(sent)), { client_id: '999', data: /^[\w-]+$/ })
  const answer = pack.seal(pack.write(message, asked), now)
  t.match(bodyOf(answer), /^\{"status":"000","data":"[\w-]+"\}$/)
  t.strictSame(messageOf(pack.readAnswer(answer, asked)), message)
  t.equal(pack.opens(answer, now), undefined)
  t.match(pack.opens(sent, { ...now, nowMs: now.nowMs + 481_000 }), { tag: 'stale' })
  t.match(pack.opens(Buffer.from(sent.toString().replace(/"data":"..../, '"data":"AAAA')), now), {
    path: 'data',
  })
  t.match(pack.opens(Buffer.from(sent.toString().replace('"999"', '"998"')), now), {
    tag: 'unknown-sender',
  })
})

function say(...own: string[]): string {
  const reasons =
    'partner-blocked window-closed inactive sign-on-required too-late-to-reverse amount-invalid customer-unknown registration-unknown customer-blocked format-error bank-unknown partner-unknown product-unknown below-minimum above-maximum fee-invalid deposit-insufficient over-quota registration-expired no-payment timeout suspended already-paid not-available-yet cut-off no-inquiry reference-mismatch already-reversed security-invalid party-mismatch biller-reference-invalid unavailable'
  return reasons
    .split(' ')
    .filter(one => !own.includes(one))
    .map(one => `${one}: '05'`)
    .join(', ')
}
