import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { rupiah, type LocalTime } from '#base'
import type { Message } from '#message'
import { compiled, messageOf, problemsOf, secrets, sources, textOf } from './packs.ts'

/** Each row breaks a real pack in one place, and the problem must be told at that line, once. */
type Row = [title: string, name: string, from: string, to: string, text: RegExp, also?: string]

const D = 'digiflazz'
const R = 'rajabiller'
const rows: Row[] = [
  [
    'an unknown section',
    D,
    'callbacks: {',
    'calbacks: {',
    /"calbacks" is not known here; there are title/,
  ],
  [
    'an unknown content',
    D,
    'content: json',
    'content: yaml',
    /content is "yaml"; there are json, form/,
  ],
  [
    'answers of an unknown kind',
    D,
    'content: json',
    'content: json\nanswers: csv',
    /answers is "csv"/,
  ],
  [
    'a header of SOAP where there is none',
    D,
    'content: json',
    'content: json\nsoap-header: { a: credential username }',
    /"soap-header" is for content of SOAP/,
  ],
  [
    'a call that is none',
    D,
    'call: POST /v1/transaction',
    'call: SEND /v1/transaction',
    /must read like "POST/,
  ],
  [
    'a target with a hole that is no path',
    D,
    'call: POST /v1/transaction',
    'call: POST /v1/{customer}',
    /neither a path nor a word/,
  ],
  [
    'an unknown kind of credential',
    D,
    'apiKey: secret, the',
    'apiKey: hidden, the',
    /must read KIND.*name, secret/,
  ],
  [
    'a credential that is not there',
    D,
    'username: credential username',
    'username: credential user',
    /"user" is not a credential; there are username/,
  ],
  ['a product twice', D, 'pdam: pdam', 'pdam: telkom', /"telkom" has two codes/, 'telkom: telkom'],
  [
    'a denomination that is none',
    D,
    'pln20: pln-prepaid 20000',
    'pln20: pln-prepaid many',
    /must read PRODUCT or PRODUCT AMOUNT/,
  ],
  [
    'denominations and none',
    D,
    'pln20: pln-prepaid 20000',
    'pln20: pln-prepaid',
    /with a denomination and without one/,
    'pln50:',
  ],
  [
    'a group of nothing known',
    D,
    'pulsa: [pulsa-xl,',
    'pulsa: [pulsa-x,',
    /"pulsa-x" is not a product/,
  ],
  ['an unknown policy', D, 'pdam: { policy: check', 'pdam: { policy: hope', /policy is "hope"/],
  [
    'a policy without its message',
    D,
    'pdam: { policy: check',
    'pdam: { policy: reverse',
    /^pdam: reverse sends a reversal, and there is none among its messages: describe it, or choose/,
  ],
  [
    'a key part that is no path',
    D,
    'match: [kind, reference.own]',
    'match: [kind, ref]',
    /cannot be part of a key/,
  ],
  [
    'a seal that is none',
    D,
    'x-hub-signature: hmac-sha1 hex',
    'x-hub-signature: crc hex',
    /is no seal; there are timestamp/,
  ],
  [
    'a seal of something unknown',
    D,
    'of {body}',
    'of {bodies}',
    /"\{bodies\}" is no part of a string to sign/,
  ],
  [
    'a seal with an unknown secret',
    D,
    'with webhookSecret of',
    'with hookSecret of',
    /"hookSecret" is not a credential/,
  ],
  [
    'a layout that is not there',
    D,
    'sn?: layout postpaid-sn? by /',
    'sn?: layout post-sn? by /',
    /no layout is called "post-sn"; there are postpaid-sn/,
  ],
  [
    'a layout said in another way',
    D,
    'sn?: layout postpaid-sn? by /',
    'sn?: layout postpaid-sn',
    /must read "layout NAME by/,
  ],
  [
    'a body that is not there',
    D,
    '{ commands: is pay-pasca, head }',
    '{ commands: is pay-pasca, heads }',
    /no body is called "heads"; there are head/,
  ],
  [
    'a body of a message that is not there',
    D,
    'request: asks-bill, approved: bill-of-pln',
    'request: ask-bill, approved: bill-of-pln',
    /no body is called "ask-bill"/,
  ],
  [
    'an unknown path',
    D,
    'customer_name?: customer.name?',
    'customer_name?: customer.naam?',
    /"customer.naam\?" is neither.*did you mean "customer.name"/,
  ],
  [
    'a path of an item outside of its list',
    D,
    'tarif?: customer.tariff?',
    'tarif?: period YYYYMM',
    /neither a path/,
  ],
  [
    'a format of another kind',
    D,
    'daya?: customer.powerVa integer loose',
    'daya?: customer.powerVa digits loose',
    /"digits" is for digits, text, but this is integer/,
  ],
  [
    'money without a notation',
    D,
    'admin?: adminMinor rupiah loose',
    'admin?: adminMinor',
    /money needs a format/,
  ],
  [
    'a notation of money that is none',
    D,
    'admin?: adminMinor rupiah loose',
    'admin?: adminMinor dollars loose',
    /is no notation of money/,
  ],
  [
    'a month without its year',
    D,
    'periode: period YYYYMM loose',
    'periode: period MM loose',
    /has no YYYY/,
  ],
  [
    'a sum of what is no money',
    D,
    'amountMinor plus adminMinor rupiah',
    'amountMinor plus months rupiah',
    /only money is added up/,
  ],
  [
    'a list that is none',
    D,
    'detail[bills 1..12]:',
    'detail[bill 1..12]:',
    /"bill" is not a list of the message/,
    'periode: period',
  ],
  ['a key that is none', D, 'jatuh_tempo?: detail', 'jatuh tempo?: detail', /is no key of a body/],
  [
    'a word that means nothing',
    D,
    'status?: meaning approved=Sukses',
    'status?: meaning done=Sukses',
    /must read MEANING=TEXT; meanings are approved/,
  ],
  [
    'a function that is none',
    D,
    'sign: md5(username, apiKey, reference.own)',
    'sign: md4(username, apiKey, reference.own)',
    /"md4" computes nothing; there are join, md5/,
  ],
  [
    'an argument that is none',
    D,
    'sign: md5(username, apiKey, reference.own)',
    'sign: md5(username, key, reference.own)',
    /"key" is neither a credential, a path/,
  ],
  [
    'a kind that is none',
    D,
    'status: as payment',
    'check: as payment',
    /"check" is not a kind of message/,
  ],
  [
    'the same as what is not there',
    D,
    'status: as payment',
    'status: as advice',
    /must read "as KIND", and name one that stands here/,
  ],
  [
    'a callback with a request',
    D,
    'payment callback: { call: POST /, approved: topped-up',
    'payment callback: { request: head, approved: topped-up',
    /"request" is not known here/,
  ],
  [
    'a message without an answer',
    D,
    'payment: { request: head, approved: topped-up, declined: failed }',
    'payment: { request: head, declined: failed }',
    /"approved" is missing/,
  ],
  [
    'messages of an unknown group',
    D,
    '  telkom:\n    inquiry',
    '  telco:\n    inquiry',
    /"telco" is neither a group nor a product/,
  ],
  [
    'a code that is no meaning',
    D,
    "'03': unknown timeout",
    "'03': pending timeout",
    /"pending" is not a meaning/,
  ],
  ['a reason without a code', D, "  inactive: '54'\n", '', /no code says "inactive"/, 'codes:'],
  ['a status that is none', D, 'believe: 2xx 4xx', 'believe: 2xx ok', /"ok" is no HTTP status/],
  [
    'a code told by fields but not in the table',
    R,
    '    in-process: { status',
    '    in-progress: { status',
    /"in-progress" of told-as is not in the table/,
    'outcome:',
  ],
  [
    'a condition on an unknown kind',
    'iak',
    'when kind is status',
    'when kind is check',
    /"check" is not a kind of message/,
  ],
  ['a callback answer without a status', D, 'taken: 200 ok', 'taken: ok', /must read "200 ok"/],
  [
    'a secret with a format',
    R,
    'pin: credential pin',
    'pin: credential pin text 6',
    /is a secret, and takes no format/,
  ],
  [
    'a base that is not there',
    'rajabiller-xmlrpc',
    'extends: rajabiller',
    'extends: rajabillr',
    /no pack is called "rajabillr"/,
  ],
  [
    'a wrong way to pass parameters',
    'rajabiller-xmlrpc',
    'params: positional',
    'params: named',
    /params is "named"; there are positional, struct/,
  ],
]

for (const [title, name, from, to, text, also] of rows) {
  t.test(title, async t => {
    const packs = sources()
    const before = textOf(name)
    t.ok(before.includes(from), `the pack has "${from}"`)
    const after = before.replace(from, to)
    packs.set(name, { 'pack.yaml': after })
    const problems = problemsOf(name, packs)
    const told = problems.filter(one => text.test(one.text))
    t.ok(told.length > 0, JSON.stringify(problems.slice(0, 3)))
    const lines = new Set(told.map(one => `${one.path} ${one.text}`))
    t.equal(lines.size, told.length, 'each is told once')
    const marks = [to.split('\n').find(line => line.trim() !== '') ?? '', ...(also ? [also] : [])]
    const at = marks
      .filter(mark => mark !== '')
      .flatMap(mark => linesWith(after, mark.split('\n')[0] as string))
      .map(line => `${name}/pack.yaml:${line}`)
    t.ok(
      told.some(one => at.some(path => near(path, one.path))),
      `${told[0]?.path} is one of ${at.join()}`,
    )
  })
}

/** A map that stands in lines of its own begins on the line below its key. */
function near(expected: string, told: string): boolean {
  const [line, other] = [expected, told].map(path => Number(path.split(':')[1]))
  return (
    told.startsWith(`${expected.split(':')[0]}:`) &&
    Math.abs((line as number) - (other as number)) <= 1
  )
}

function linesWith(text: string, part: string): number[] {
  return text.split('\n').flatMap((line, index) => (line.includes(part) ? [index + 1] : []))
}

t.test('everything is told at once', async t => {
  const packs = sources()
  const text = textOf(D)
    .replace('customer_name?: customer.name?', 'customer_name?: customer.naam?')
    .replace('believe: 2xx 4xx', 'believe: ok')
    .replace('policy: check', 'policy: hope')
    .replace("'03': unknown timeout", "'03': pending timeout")
  packs.set(D, { 'pack.yaml': text })
  const problems = problemsOf(D, packs).map(one => one.text)
  // The messages are looked at when all sections they stand on are whole.
  t.ok(problems.some(one => one.includes('"ok" is no HTTP status')))
  t.ok(problems.some(one => one.includes('policy is "hope"')))
  t.ok(problems.some(one => one.includes('"pending" is not a meaning')))
})

t.test('a problem of the pack that is extended is told at its own line', async t => {
  const packs = sources()
  const text = textOf(R).replace('nama: customer.name? text', 'nama: customer.naam? text')
  packs.set(R, { 'pack.yaml': text })
  const [problem] = problemsOf('rajabiller-xmlrpc', packs)
  t.equal(problem?.path, `${R}/pack.yaml:${linesWith(text, 'customer.naam')[0]}`)
})

t.test('the pack in the documentation is one, and says what the page says', async t => {
  const page = readFileSync(
    fileURLToPath(new URL('../../../docs/pack-language-http.md', import.meta.url)),
    'utf8',
  )
  const text = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? ''
  const pack = compiled('air', new Map([['air', { 'pack.yaml': text }]])).with(
    secrets({ outlet: '7', apiKey: 'k' }),
  )
  const asked: Message = {
    kind: 'inquiry',
    direction: 'request',
    repeat: false,
    trace: '',
    sentAt: '' as LocalTime,
    product: 'pdam',
    customer: { id: '10202001' },
    reference: { own: 'TRX1' },
  }
  const now = { nowMs: 1795140000000, nonce: '1' }
  const sent = pack.seal(pack.write(asked), now)
  t.equal(pack.opens(sent, now), undefined)
  t.match(pack.opens(sent, { ...now, nowMs: 0 }), { tag: 'stale', path: 'headers.x-timestamp' })
  t.strictSame(messageOf(pack.readRequest(sent)), asked)
  const message: Message = {
    ...asked,
    direction: 'response',
    outcome: { meaning: 'approved', reason: 'approved', code: '00' },
    customer: { id: '10202001', name: 'BUDI' },
    amountMinor: rupiah(40_000),
    adminMinor: rupiah(2_500),
    bills: [{ period: '202610', amountMinor: rupiah(40_000), reading: ['4589', '4613'] }],
  }
  t.strictSame(messageOf(pack.readAnswer(pack.write(message, asked), asked)), message)
})
