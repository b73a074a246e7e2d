import * as fc from 'fast-check'
import t from 'tap'
import { isNadiError, minor, rupiah, type LocalTime } from '#base'
import type { Message } from '#message'
import {
  bodyOf,
  messageOf,
  NAMES,
  packCalled,
  rejectOf,
  request,
  response,
  samplesOf,
  secrets,
  testPack,
} from './packs.ts'

const packs = new Map(NAMES.map(name => [name, packCalled(name)]))
const packOf = (name: (typeof NAMES)[number]) => packs.get(name) ?? packCalled(name)
const sampleOf = (name: string, title: string) => {
  const sample = samplesOf(name).samples.find(one => one.title === title)
  if (!sample) throw new Error(`${name} has no sample "${title}"`)
  return sample
}

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
            ? pack.callback?.read(bytes)
            : pack.readAnswer(bytes, asked as Message)
      // A request may name less than the message that makes it: its own id only.
      if (as === 'request') t.match(message, messageOf(read as never))
      else t.strictSame(messageOf(read as never), message)
      if (as !== 'answer') t.equal(pack.opens(bytes, sealed), undefined)
      if (readOnly) return
      const written = as === 'callback' ? pack.callback?.write(message) : pack.write(message, asked)
      t.equal(Buffer.from(pack.seal(written as Uint8Array, sealed)).toString(), frame)
      if (asked) t.equal(pack.matchKey(message), pack.matchKey(asked))
    })
  }
}

t.test('what is written over both of Rajabiller means the same', async t => {
  const [json, xml] = [packOf('rajabiller'), packOf('rajabiller-xmlrpc')]
  for (const { as, message, asked, title, readOnly } of samplesOf('rajabiller').samples) {
    if (as !== 'answer' || readOnly) continue
    const told = messageOf(json.readAnswer(json.write(message, asked), asked as Message))
    t.strictSame(
      messageOf(xml.readAnswer(xml.write(message, asked), asked as Message)),
      told,
      title,
    )
  }
})

t.test('a secret is not in what the journal keeps, and is in what is sent', async t => {
  for (const name of ['rajabiller', 'rajabiller-xmlrpc'] as const) {
    const pack = packOf(name).with(secrets({ uid: 'SP0000', pin: 'a"<&b' }))
    const { message } = sampleOf(name, 'inquiry')
    const frame = pack.write(message)
    t.notMatch(Buffer.from(frame).toString(), /a.*b"/, name)
    const sent = pack.seal(frame, { nowMs: 0, nonce: '1' })
    t.equal(pack.opens(sent, { nowMs: 0, nonce: '1' }), undefined)
    t.match(pack.readRequest(sent), { tag: 'message' })
    const shown = JSON.stringify([pack.describe(frame), pack.describe(sent)])
    t.notMatch(shown, /a.{0,3}"<&b/)
    const other = packOf(name).with(secrets({ uid: 'SP0000', pin: '9' }))
    t.match(other.opens(sent, { nowMs: 0, nonce: '1' }), { tag: 'forged', path: 'pin' })
    const stranger = packOf(name).with(secrets({ uid: 'SP9', pin: 'a"<&b' }))
    t.match(stranger.opens(sent, { nowMs: 0, nonce: '1' }), { tag: 'unknown-sender', path: 'uid' })
  }
})

t.test('a credential that was not given is said by its name', async t => {
  const bare = packOf('digiflazz').with({})
  const { message } = sampleOf('digiflazz', 'top-up')
  t.throws(() => bare.write(message), { code: 'PACK_CREDENTIAL', path: 'username' })
})

t.test('callbacks: forged, changed, replayed by another', async t => {
  const context = { nowMs: 0, nonce: '1' }
  const digiflazz = packOf('digiflazz')
  const { frame } = sampleOf('digiflazz', 'the webhook of the reference')
  const rows: [title: string, frame: string, tag: string | undefined][] = [
    ['as it came', frame, undefined],
    ['without the prefix of its signature', frame.replace('sha1=', ''), undefined],
    ['in capitals', frame.replace('33a1ddd8', '33A1DDD8'), undefined],
    ['another amount', frame.replace('10500', '10501'), 'forged'],
    ['a space more', frame.replace('{"data"', '{ "data"'), 'forged'],
    ['no signature', frame.replace(/x-hub-signature.*\r\n/, ''), 'missing'],
    ['an empty signature', frame.replace(/sha1=\w+/, ''), 'missing'],
  ]
  for (const [title, bytes, tag] of rows) {
    t.equal(digiflazz.opens(Buffer.from(bytes), context)?.tag, tag, title)
  }
  const iak = packOf('iak')
  const signed = sampleOf('iak', 'top-up delivered, told by callback').frame
  t.equal(iak.opens(Buffer.from(signed), context), undefined)
  t.match(iak.opens(Buffer.from(signed.replace(/"sign":"./, '"sign":"!')), context), {
    tag: 'forged',
    path: 'data.sign',
  })
  t.match(iak.opens(Buffer.from(signed.replace(/,"sign":"\w+"/, '')), context), { tag: 'missing' })
  t.match(iak.opens(Buffer.from('POST / HTTP/1.1\r\n\r\n{'), context), { tag: 'missing' })
})

t.test('what the packs are', async t => {
  const rows: [name: (typeof NAMES)[number], without: string][] = [
    ['digiflazz', 'pln-prepaid,pulsa-xl,pulsa-telkomsel'],
    ['iak', 'pln-prepaid,pulsa-xl,pulsa-telkomsel'],
    ['rajabiller', 'pulsa-xl'],
    ['rajabiller-xmlrpc', 'pulsa-xl'],
  ]
  for (const [name, without] of rows) {
    const pack = packOf(name)
    t.equal(pack.withoutInquiry.join(), without)
    t.ok(pack.needsOwnReference)
    for (const product of ['pln-postpaid', 'pln-prepaid', 'pdam', 'bpjs-kesehatan', 'telkom']) {
      t.ok(pack.products.includes(product), `${name} ${product}`)
    }
  }
  t.equal(packOf('digiflazz').callback?.method, 'POST')
  t.equal(packOf('rajabiller').callback, undefined)
  t.match(packOf('iak').meaningOf('payment', '103'), { meaning: 'unknown' })
  t.match(packOf('iak').meaningOf('status', '42'), { meaning: 'nothing' })
  t.match(packOf('iak').meaningOf('payment', 'http 503'), { meaning: 'unknown' })
})

t.test('a denomination that has no code cannot be bought', async t => {
  const { message } = sampleOf('digiflazz', 'top-up')
  t.throws(() => packOf('digiflazz').write({ ...message, amountMinor: rupiah(11_000) }), {
    code: 'CODEC_VALUE',
    path: 'product',
  })
})

t.test('answers of the server side when nothing can be read', async t => {
  const pack = packOf('digiflazz')
  const error = { code: 'DOCUMENT_SYNTAX' } as never
  const frame = Buffer.from(pack.writeReject(error, 'security-invalid')).toString()
  t.match(frame, /^HTTP\/1\.1 401\r\n/)
  t.match(bodyOf(Buffer.from(frame)), '"rc":"41"')
  t.match(Buffer.from(pack.callback?.writeAnswer(true) ?? []).toString(), /^HTTP\/1\.1 200/)
  t.match(Buffer.from(pack.callback?.writeAnswer(false) ?? []).toString(), /^HTTP\/1\.1 403/)
})

t.test('people see no name, token, secret or unknown value', async t => {
  const pack = packOf('digiflazz')
  const token = Buffer.from(sampleOf('digiflazz', 'token delivered').frame)
  const shown = JSON.stringify(pack.describe(token))
  t.notMatch(shown, /1234-5678/)
  t.match(shown, /pln-prepaid/)
  const unknown = response('{"data":{"ref_id":"T","secret_name":"BUDI","rc":"00"}}')
  t.notMatch(JSON.stringify(pack.describe(unknown)), /BUDI/)
  t.match(JSON.stringify(pack.describe(unknown, { unsafe: true })), /BUDI/)
  const bill = pack.describe(
    Buffer.from(sampleOf('digiflazz', 'postpaid inquiry answered, 2 bills').frame),
  )
  const second = bill.find(one => one.path === 'data.desc.detail[1].nilai_tagihan')
  t.match(second, { value: '130500', name: /RP TAG/ })
  t.equal(bill.find(one => one.path === 'data.customer_name')?.value, 'P******** U** S***')
  for (const name of NAMES) {
    for (const { frame } of samplesOf(name).samples) {
      t.ok(packOf(name).describe(Buffer.from(frame)).length > 0)
    }
  }
  t.strictSame(pack.describe(Buffer.from('nothing')), [])
})

// What is always so ------------------------------------------------------------------------------

const digits = (min: number, max: number) => fc.stringMatching(new RegExp(`^[0-9]{${min},${max}}$`))
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 24 }).filter(
  // What XML cannot hold is refused when it is written.
  text => text.trim() === text && text.isWellFormed() && !/[\p{Cc}\p{Cn}]/u.test(text),
)
const amount = fc.bigInt({ min: 0n, max: 10n ** 11n }).map(rupiah)
const bill = fc.record(
  {
    period: fc
      .tuple(fc.integer({ min: 2000, max: 2099 }), fc.integer({ min: 1, max: 12 }))
      .map(([year, month]) => `${year}${String(month).padStart(2, '0')}`),
    amountMinor: amount,
    penaltyMinor: amount,
  },
  { noNullPrototype: true },
)

t.test('a bill as JSON says what was put into it', async t => {
  const pack = packOf('digiflazz')
  const { message: asked } = sampleOf('digiflazz', 'postpaid inquiry')
  fc.assert(
    fc.property(
      fc.array(bill, { minLength: 1, maxLength: 12 }),
      name,
      digits(1, 20),
      amount,
      (bills, name, id, adminMinor) => {
        const request: Message = { ...asked, customer: { id } }
        const due = bills.reduce((sum, one) => sum + one.amountMinor + one.penaltyMinor, 0n)
        const message: Message = {
          ...request,
          direction: 'response',
          outcome: { meaning: 'approved', reason: 'approved', code: '00' },
          customer: { id, name, tariff: 'R1', powerVa: 1300 },
          amountMinor: minor(due),
          adminMinor,
          bills,
        }
        const read = pack.readAnswer(pack.write(message, request), request)
        t.strictSame(messageOf(read), message)
      },
    ),
    { numRuns: 60 },
  )
})

t.test('whatever comes as an answer, nothing is paid but by a code of success', async () => {
  const { message: asked } = sampleOf('digiflazz', 'top-up')
  const pack = packOf('digiflazz')
  const part = fc.oneof(
    fc.constantFrom(
      '{"data":',
      '{',
      '}',
      '[',
      ']',
      '"rc":"00"',
      ',',
      '"',
      '\\u0000',
      'null',
      '1e9',
    ),
    fc.string({ maxLength: 6 }),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), parts => {
      const read = pack.readAnswer(response(parts.join('')), asked)
      return read.tag === 'reject' || read.message.outcome?.meaning !== 'approved'
    }),
    { numRuns: 300 },
  )
})

// Bad input --------------------------------------------------------------------------------------

const plain = testPack(`
content: json
call: POST /x
credentials: { user: 'name, who' }
reading: { unknown: refused, depthMax: 4, bytesMax: 400 }
messages:
  product-a:
    inquiry:
      request: { a: product, id: customer.id digits, ref: reference.own }
      approved: { rc: outcome, amount: amountMinor rupiah, admin?: adminMinor rupiah quoted, name?: customer.name?, loose?: months integer loose, 'bills[bills 1..2]?': { p: period YYYYMM, n: amountMinor rupiah .00 quoted } }
      declined: { rc: outcome, m?: words }
    payment:
      request: { pay: product, ref: reference.own, amount: amountMinor rupiah }
      approved: { rc: outcome }
      declined: { rc: outcome, m?: words }
    status: as payment
`)
const asked: Message = {
  kind: 'inquiry',
  direction: 'request',
  repeat: false,
  trace: '',
  sentAt: '' as LocalTime,
  product: 'product-a',
  customer: { id: '1' },
  reference: { own: 'R1' },
}
const payment: Message = { ...asked, kind: 'payment', amountMinor: rupiah(5) }

t.test('bad JSON is refused with its code, path and byte', async t => {
  const head = 'HTTP/1.1 200\r\ncontent-type: application/json\r\n\r\n'.length
  const rows: [title: string, body: string | Uint8Array, expected: string][] = [
    ['good', '{"rc":"00","amount":5}', 'read'],
    ['white space everywhere', ' {\t"rc" : "00" ,\r\n"amount" : 5 } ', 'read'],
    ['escapes', '{"rc":"0\\u0030","amount":5,"name":"\\ud83d\\ude00\\n\\"\\/"}', 'read'],
    ['a key twice', '{"rc":"00","amount":5,"rc":"05"}', `DOCUMENT_SYNTAX body @${head + 22}`],
    [
      'a key twice, once escaped',
      '{"rc":"00","amount":5,"r\\u0063":"05"}',
      `DOCUMENT_SYNTAX body @${head + 22}`,
    ],
    [
      'a key twice, unknown',
      '{"zz":1,"zz":1,"rc":"00","amount":5}',
      `DOCUMENT_SYNTAX body @${head + 8}`,
    ],
    ['an unknown key', '{"rc":"00","amount":5,"x":1}', `PACK_UNKNOWN_FIELD body @${head + 26}`],
    ['cut short', '{"rc":"00","amount":5', `DOCUMENT_SYNTAX body @${head + 21}`],
    ['something behind', '{"rc":"00","amount":5}}', `DOCUMENT_SYNTAX body @${head + 22}`],
    ['two documents', '{"rc":"00","amount":5} {}', `DOCUMENT_SYNTAX body @${head + 23}`],
    ['a comma too many', '{"rc":"00",}', `DOCUMENT_SYNTAX body @${head + 11}`],
    ['single quotes', "{'rc':'00'}", `DOCUMENT_SYNTAX body @${head + 1}`],
    ['a comment', '{"rc":"00"/**/}', `DOCUMENT_SYNTAX body @${head + 10}`],
    ['a control character', '{"rc":"0\u00010"}', `DOCUMENT_SYNTAX body @${head + 8}`],
    ['half a surrogate', '{"rc":"\\ud800"}', `DOCUMENT_SYNTAX body @${head + 7}`],
    ['a wrong escape', '{"rc":"\\x41"}', `DOCUMENT_SYNTAX body @${head + 7}`],
    ['NaN', '{"rc":NaN}', `DOCUMENT_SYNTAX body @${head + 6}`],
    ['a leading zero', '{"rc":"00","amount":05}', `DOCUMENT_SYNTAX body @${head + 21}`],
    ['too deep', '{"a":{"a":{"a":{"a":{}}}}}', `DOCUMENT_LIMIT body @${head + 20}`],
    ['a very long number', `{"amount":${'9'.repeat(41)}}`, `DOCUMENT_LIMIT body @${head + 10}`],
    ['too large', `{"rc":"${'0'.repeat(400)}"}`, 'DOCUMENT_LIMIT body'],
    [
      'not UTF-8',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      `DOCUMENT_SYNTAX body @${head + 2}`,
    ],
    ['UTF-16', Buffer.from('{"rc":"00"}', 'utf16le'), `DOCUMENT_SYNTAX body @${head + 1}`],
    ['a BOM', '\ufeff{"rc":"00","amount":5}', `DOCUMENT_SYNTAX body @${head}`],
    ['an amount in quotes', '{"rc":"00","amount":"5"}', `PACK_FORMAT amount @${head + 20}`],
    [
      'an amount without quotes',
      '{"rc":"00","amount":5,"admin":1}',
      `PACK_FORMAT admin @${head + 30}`,
    ],
    ['a number in quotes, where that is allowed', '{"rc":"00","amount":5,"loose":"7"}', 'read'],
    ['a negative amount', '{"rc":"00","amount":-5}', `PACK_FORMAT amount @${head + 20}`],
    ['half a rupiah', '{"rc":"00","amount":5.5}', `PACK_FORMAT amount @${head + 20}`],
    ['a float that is whole', '{"rc":"00","amount":5.0}', `PACK_FORMAT amount @${head + 20}`],
    ['an exponent', '{"rc":"00","amount":5e3}', `PACK_FORMAT amount @${head + 20}`],
    [
      'a huge amount',
      '{"rc":"00","amount":99999999999999999999}',
      `PACK_FORMAT amount @${head + 20}`,
    ],
    ['an amount that is a list', '{"rc":"00","amount":[5]}', `PACK_FORMAT amount @${head + 20}`],
    [
      'an amount that is null',
      '{"rc":"00","amount":null}',
      `PACK_MISSING_FIELD amount @${head + 20}`,
    ],
    ['no amount', '{"rc":"00"}', 'PACK_MISSING_FIELD amount'],
    [
      'a list that is none',
      '{"rc":"00","amount":5,"bills":{}}',
      `PACK_FORMAT bills[0] @${head + 30}`,
    ],
    [
      'too many bills',
      '{"rc":"00","amount":5,"bills":[1,2,3]}',
      `PACK_FORMAT bills[0] @${head + 31}`,
    ],
    [
      'a bill that is none',
      '{"rc":"00","amount":5,"bills":[1]}',
      `PACK_FORMAT bills[0] @${head + 31}`,
    ],
    [
      'a month that is none',
      '{"rc":"00","amount":5,"bills":[{"p":"202610","n":"1.00"},{"p":"202613","n":"1.00"}]}',
      `PACK_FORMAT bills[1].p @${head + 62}`,
    ],
    [
      'an amount without its decimals',
      '{"rc":"00","amount":5,"bills":[{"p":"202610","n":"1"}]}',
      `PACK_FORMAT bills[0].n @${head + 49}`,
    ],
  ]
  for (const [title, body, expected] of rows) {
    const read = plain.readAnswer(response(body), asked)
    t.equal(rejectOf(read), expected, title)
    // Whatever documents came before, the next good one is read.
    t.equal(rejectOf(plain.readAnswer(response('{"rc":"00","amount":5}'), asked)), 'read')
    if (read.tag === 'reject') t.notMatch(read.reject.error.message, /99999|\ufffd/, title)
  }
})

t.test('a payment is not declined by what is no answer', async t => {
  const rows: [title: string, frame: Uint8Array, expected: string][] = [
    ['HTML', response('<html>', 'text/html'), 'unknown http 200'],
    ['HTML that says it is JSON', response(' <!DOCTYPE html>'), 'unknown http 200'],
    ['nothing', response(''), 'unknown http 200'],
    ['another type', response('{"rc":"00"}', 'text/csv'), 'unknown http 200'],
    ['no type at all', response('{"rc":"00"}', ''), 'approved 00'],
    [
      '500 with a code of success',
      response('{"rc":"00"}', 'application/json', 500),
      'unknown http 500',
    ],
    ['502', response('', '', 502), 'unknown http 502'],
    ['404 of a gateway', response('<html>', 'text/html', 404), 'unknown http 404'],
    ['400 with a body', response('{"rc":"05"}', 'application/json', 400), 'unknown 05'],
    ['400 with a broken body', response('{"rc":', 'application/json', 400), 'unknown http 400'],
    ['a redirect', response('', '', 302), 'unknown http 302'],
    ['a code nobody knows', response('{"rc":"zz"}'), 'unknown zz'],
    ['no code', response('{"m":"x"}'), 'PACK_MISSING_FIELD rc'],
  ]
  for (const [title, frame, expected] of rows) {
    const read = plain.readAnswer(frame, payment)
    const told =
      read.tag === 'message'
        ? `${read.message.outcome?.meaning} ${read.message.outcome?.code}`
        : rejectOf(read).split(' @')[0]
    t.equal(told, expected, title)
  }
})

t.test('requests on the server side are told apart, or refused', async t => {
  const rows: [title: string, frame: Uint8Array, expected: string][] = [
    ['an inquiry', request('/x', '{"a":"A","id":"1","ref":"R"}'), 'inquiry'],
    [
      'another target',
      request('/y', '{"a":"A","id":"1","ref":"R"}'),
      'PACK_UNKNOWN_MESSAGE http.target',
    ],
    [
      'a form',
      request('/x', 'a=A', 'application/x-www-form-urlencoded'),
      'DOCUMENT_TYPE headers.content-type',
    ],
    ['a GET', Buffer.from('GET /x HTTP/1.1\r\n\r\n'), 'PACK_UNKNOWN_MESSAGE http.target'],
    ['no HTTP', Buffer.from('hello'), 'HTTP_FRAME http.head'],
    ['a product that is none', request('/x', '{"a":"B","id":"1","ref":"R"}'), 'PACK_FORMAT a'],
    ['letters for digits', request('/x', '{"a":"A","id":"x","ref":"R"}'), 'PACK_FORMAT id'],
  ]
  for (const [title, frame, expected] of rows) {
    const read = plain.readRequest(frame)
    t.equal(
      read.tag === 'message' ? read.message.kind : rejectOf(read).split(' @')[0],
      expected,
      title,
    )
  }
})

t.test('nothing thrown but coded errors, whatever bytes come', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), bytes => {
      for (const name of NAMES) {
        const pack = packOf(name)
        pack.readRequest(bytes)
        pack.readAnswer(bytes, sampleOf('digiflazz', 'postpaid inquiry').message)
        pack.describe(bytes)
        try {
          pack.opens(bytes, { nowMs: 0, nonce: '1' })
        } catch (error) {
          if (!isNadiError(error)) throw error
        }
      }
    }),
    { numRuns: 50 },
  )
})
