import t from 'tap'
import { rupiah, Secret } from '#base'
import { readHttpRequest, writeHttpRequest } from '#http'
import type { HttpPack } from '#pack'
import { type Got, reply } from '../link/http-world.ts'
import { compiled, COMMON, CODES } from '../pack/document/packs.ts'
import { biller, life, type Life, product } from './http-world.ts'

/**
 * What is no document of theirs, at the two doors where a biller's word comes in: as the answer to a
 * payment, and as a callback whose signature is good. Nothing is believed, nothing is lost, and
 * nothing of it is told on.
 */
const KEY = 'a-key-that-nobody-may-see'
const PAYS = rupiah(10_000)
/** Stands in every document, and in no log. */
const PRIVATE = 'RAHASIA'

function dialect(content: string, reading: string, root: string): HttpPack {
  const told = 'rc: outcome, ref: reference.own, amount?: amountMinor rupiah, name?: customer.name?'
  const wrap = (body: string): string => (root === '' ? `{ ${body} }` : `{ ${root}: { ${body} } }`)
  const at = root === '' ? 'rc' : `${root}.rc`
  const asks = 'a: product, id: customer.id, ref: reference.own, amount: amountMinor rupiah'
  const request = root === '' ? `{ ${asks} }` : `{ asked: { ${asks} } }`
  const rc = wrap('rc: outcome, ref?: reference.own')
  const pack = `${COMMON}
content: ${content}
call: POST /payment
reading: ${reading}
credentials: { key: 'secret, what they sign with' }
seal:
  answer: { x-sign: 'hmac-sha256 hex with key of {body}' }
  callback: { x-at: timestamp unix, x-sign: 'hmac-sha256 hex with key of {header x-at}:{body}' }
bodies: { told: ${wrap(told)} }
messages:
  product-a:
    payment: { request: ${request}, approved: told, declined: ${rc} }
    status: { call: POST /status, request: ${request}, approved: told, declined: ${rc} }
    payment callback: { call: POST /told, approved: told, declined: ${rc} }
${CODES.replace('code: rc', `code: ${at}`)}`
  const plain = compiled('t', new Map([['t', { 'pack.yaml': pack }]]))
  return plain.with({ key: new Secret(KEY) })
}

const BOUNDS = 'bytesMax: 3000, depthMax: 6'
const JSON_STRICT = dialect('json', `{ unknown: refused, ${BOUNDS} }`, '')
const JSON_LOOSE = dialect('json', `{ unknown: kept, ${BOUNDS} }`, '')
const XML = dialect('xml', `{ unknown: kept, ${BOUNDS} }`, 'told')

type Bytes = string | Buffer

type Row = {
  readonly title: string
  /** Made of the payment's reference. */
  readonly body: (ref: string) => Bytes
  readonly type?: string
  readonly headers?: string
  /** What a callback of this kind is answered; 403 when it is not said. */
  readonly status?: number
}

const json = (ref: string, more = ''): string =>
  `{"rc":"00","ref":"${ref}","amount":10000,"name":"${PRIVATE}"${more}}`
const xml = (ref: string, inner = '', prolog = ''): string =>
  `${prolog}<told><rc>00</rc><ref>${ref}</ref><amount>10000</amount><name>${PRIVATE}</name>${inner}</told>`

const jsonRow = (title: string, body: (ref: string) => Bytes, more: Partial<Row> = {}): Row => ({
  title,
  body,
  ...more,
})
const amount =
  (given: string) =>
  (ref: string): string =>
    json(ref).replace(/(?<=:)10000/, given)

const JSON_ROWS: readonly Row[] = [
  jsonRow('nothing', () => ''),
  jsonRow('cut short', ref => json(ref).slice(0, -1)),
  jsonRow('something behind it', ref => `${json(ref)}{}`),
  jsonRow('a page of HTML that says it is JSON', () => `<html>${PRIVATE}</html>`),
  jsonRow('a page of HTML', () => `<html>${PRIVATE}</html>`, { type: 'text/html' }),
  jsonRow('the type of something else', json, { type: 'text/csv' }),
  jsonRow('another charset', json, { type: 'application/json; charset=utf-16' }),
  jsonRow('UTF-16', ref => Buffer.from(json(ref), 'utf16le')),
  jsonRow('Latin-1', ref => Buffer.from(json(ref).replace(PRIVATE, `${PRIVATE}\xe9`), 'latin1')),
  jsonRow('a byte order mark', ref => `\ufeff${json(ref)}`),
  jsonRow('a list', ref => `[${json(ref)}]`),
  jsonRow('null', () => 'null'),
  jsonRow('a thousand levels', ref => json(ref, `,"x":${'['.repeat(1000)}${']'.repeat(1000)}`)),
  jsonRow('a thousand levels without end', ref => json(ref, `,"x":${'{"x":'.repeat(500)}`)),
  jsonRow('larger than the dialect has', ref => json(ref, `,"x":"${'x'.repeat(3500)}"`)),
  jsonRow('larger than the door lets in', ref => json(ref, `,"x":"${'x'.repeat(20_000)}"`), {
    status: 413,
  }),
  jsonRow('packed, they say', json, { headers: 'content-encoding: gzip\r\n', status: 415 }),
  jsonRow('a code twice', ref => json(ref, ',"rc":"05"')),
  jsonRow('a code twice, once escaped', ref => json(ref, ',"r\\u0063":"05"')),
  jsonRow('__proto__', ref => json(ref, ',"__proto__":{"rc":"00"}')),
  jsonRow('a field that is not known, where none may be', ref => json(ref, ',"note":1')),
  jsonRow('money as text', amount('"10000"')),
  jsonRow('money as a float', amount('10000.5')),
  jsonRow('money as a float that is whole', amount('10000.0')),
  jsonRow('money with an exponent', amount('1e4')),
  jsonRow('negative money', amount('-10000')),
  jsonRow('more money than there is', amount('9'.repeat(30))),
  jsonRow('money that is a list', amount('[10000]')),
  jsonRow('NaN', amount('NaN')),
  jsonRow('a code that is a number', ref => json(ref).replace('"00"', '0')),
]

const LAUGHS =
  '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'

const XML_ROWS: readonly Row[] = [
  { title: 'billion laughs', body: ref => xml(ref, '<x>&c;</x>', LAUGHS) },
  {
    title: 'a file of ours as an entity',
    body: ref => xml(ref, '<x>&f;</x>', '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>'),
  },
  {
    title: 'a DTD of elsewhere',
    body: ref => xml(ref, '', '<!DOCTYPE told SYSTEM "http://127.0.0.1:9/x.dtd">'),
  },
  { title: 'an entity that nobody declared', body: ref => xml(ref, '<x>&x;</x>') },
  { title: 'an instruction', body: ref => xml(ref, '<?php x?>') },
  { title: 'elements that cross', body: ref => xml(ref, '<a><b></a></b>') },
  { title: 'two roots', body: ref => xml(ref) + xml(ref) },
  { title: 'a code twice', body: ref => xml(ref, '<rc>05</rc>') },
  { title: 'a hundred levels', body: ref => xml(ref, '<a>'.repeat(100) + '</a>'.repeat(100)) },
  { title: 'larger than the dialect has', body: ref => xml(ref, 'x'.repeat(3500)) },
  {
    title: 'an encoding that is not read',
    body: ref => xml(ref, '', '<?xml version="1.0" encoding="UTF-16"?>'),
  },
  {
    title: 'two encodings',
    body: ref => xml(ref, '', '<?xml version="1.0" encoding="ISO-8859-1"?>'),
    type: 'text/xml; charset=utf-8',
  },
  { title: 'UTF-16', body: ref => Buffer.from(xml(ref), 'utf16le') },
  {
    title: 'Latin-1',
    body: ref => Buffer.from(xml(ref).replace(PRIVATE, `${PRIVATE}\xe9`), 'latin1'),
  },
  { title: 'JSON', body: json, type: 'application/json' },
  { title: 'negative money', body: ref => xml(ref).replace('>10000<', '>-10000<') },
  { title: 'money as a float', body: ref => xml(ref).replace('>10000<', '>1E4<') },
]

const DIALECTS: [
  name: string,
  pack: HttpPack,
  type: string,
  good: typeof json,
  rows: readonly Row[],
][] = [
  ['JSON', JSON_STRICT, 'application/json', json, JSON_ROWS],
  ['XML', XML, 'text/xml', xml, XML_ROWS],
]

/** Time enough for a slow machine, and no check that comes by itself. */
const SLOW = { ...product('x').policy, spacingMs: 600_000 }
const AT_ONCE = { ...product('x').policy, answerTimeoutMs: 3_000 }
const sold = (policy: typeof SLOW) => [
  product('product-a', { policy, denominationsMinor: new Set([PAYS]) }),
]

const latin = (body: Uint8Array | string): string => Buffer.from(body as string).toString('latin1')

/** Signed as they sign it, whatever it is. */
function sealedAnswer(pack: HttpPack, got: Got, body: Bytes, { type = '', headers = '' }): void {
  const bare = Buffer.concat([Buffer.from('HTTP/1.1 200\r\n\r\n'), Buffer.from(body)])
  const sealed = Buffer.from(pack.seal(bare, { nowMs: Date.now(), nonce: '1' })).toString('latin1')
  const sign = /x-sign: \w+\r\n/.exec(sealed)?.[0] ?? ''
  reply(got, latin(body), { headers: `content-type: ${type}\r\n${sign}${headers}` })
}

function callback(pack: HttpPack, body: Bytes, type: string, nowMs = Date.now()) {
  const bare = writeHttpRequest({
    method: 'POST',
    target: '/told',
    headers: { 'content-type': type },
    body: Buffer.from(body),
  })
  return readHttpRequest(pack.seal(bare, { nowMs, nonce: '1' }))
}

const refOf = ({ body }: Got): string => /TRX\w*|\b\d{20}\b/.exec(body)?.[0] ?? ''

/** Nothing of a document, of a secret or of whoever it speaks of stands in a line of the log. */
function nothingTold(
  test: { notMatch(text: string, of: RegExp, title: string): unknown },
  { log }: Life,
): void {
  test.notMatch(
    JSON.stringify(log.lines),
    new RegExp(`${PRIVATE}|${KEY}|10000`),
    'no word of it in the log',
  )
}

for (const [name, pack, type, good, rows] of DIALECTS) {
  t.test(`${name} as the answer to a payment: not believed, kept, and found out about`, async t => {
    for (const { title, body, type: said = type, headers = '' } of rows) {
      let sent: Bytes = ''
      const one = await biller(t, (got, _, path) => {
        const ref = refOf(got)
        if (path === '/payment') sent = body(ref)
        if (path === '/payment') sealedAnswer(pack, got, sent, { type: said, headers })
        else sealedAnswer(pack, got, good(ref), { type })
      })
      const world = await life(one, { pack, products: sold(AT_ONCE) })
      const told = await world.buy('product-a')
      t.match(told.outcome, { meaning: 'unknown' }, `${title}: told as unknown`)
      const payment = await world.becomes('paid')
      t.equal(payment.tag, 'paid', `${title}: paid, by the check`)
      t.same(one.paths, ['/payment', '/status'], `${title}: never paid again`)
      const story = await world.journal.story(payment.partner, payment.id)
      const frames = story?.records.flatMap(record => record.frames ?? []) ?? []
      const kept = frames.some(({ bytes }) => latin(Buffer.from(bytes)).includes(latin(sent)))
      // What HTTP itself could not unpack, or is longer than may be, is not read to its end.
      if (headers === '' && sent.length < 10_000) t.ok(kept, `${title}: kept as evidence`)
      t.same((await world.journal.audit()).problems, [], title)
      nothingTold(t, world)
      await world.end()
    }
  })

  t.test(
    `${name} as a callback with a good signature: refused, and the right one is taken`,
    async t => {
      const one = await biller(t, (got, _, path) => {
        const pending = good(refOf(got)).replace(/([">])00(?=["<])/, '$168')
        sealedAnswer(pack, got, pending, { type })
        t.equal(path, '/payment')
      })
      const world = await life(one, { pack, products: sold(SLOW) })
      t.match((await world.buy('product-a')).outcome, { meaning: 'unknown' })
      const ref = refOf(one.server.got[0] as Got)
      const { length } = (await world.becomes('unknown')).records
      for (const { title, body, type: said = type, headers = '', status = 403 } of rows) {
        const before = world.desk.counts.unreadable
        const sealed = callback(pack, body(ref), said)
        const packed = headers === '' ? {} : { 'content-encoding': 'gzip' }
        t.equal(await world.post({ ...sealed.headers, ...packed }, sealed.body), status, title)
        const counted = world.desk.counts.unreadable - before
        t.equal(counted, status === 403 ? 1 : 0, `${title}: counted as unreadable`)
      }
      const [payment] = await world.payments()
      t.match(payment, { tag: 'unknown', records: { length } }, 'and the payment is as it was')
      nothingTold(t, world)
      const right = callback(pack, good(ref), type)
      const rows2: [
        title: string,
        headers: Record<string, string>,
        body: Uint8Array,
        status: number,
      ][] = [
        [
          'under the signature of another',
          { ...right.headers, 'x-sign': 'a'.repeat(64) },
          right.body,
          403,
        ],
        [
          'changed under its signature',
          right.headers,
          Buffer.from(latin(right.body).replace(/10000(?=[,<])/, '10001')),
          403,
        ],
        ['with the time of another', { ...right.headers, 'x-at': '1' }, right.body, 403],
        ['unsigned', { 'content-type': type }, right.body, 403],
        ['as it is', right.headers, right.body, 200],
        ['once more', right.headers, right.body, 200],
      ]
      for (const [title, headers, body, status] of rows2)
        t.equal(await world.post({ ...headers }, body), status, title)
      const old = callback(pack, good(ref), type, Date.now() - 3_600_000)
      t.equal(await world.post({ ...old.headers }, old.body), 403, 'signed an hour ago')
      t.match(world.desk.counts, { forged: 2, missing: 1, stale: 2, late: 1, repeated: 1 })
      t.equal((await world.becomes('paid')).tag, 'paid')
      t.same(one.paths, ['/payment'])
      await world.end()
    },
  )
}

t.test('an answer whose signature is not good says nothing', async t => {
  const rows: [title: string, change: (text: string) => string][] = [
    ['none', text => text.replace(/x-sign: \w+\r\n/, '')],
    ['of another body', text => text.replace(/(?<=:)10000/, '10001')],
    ['of another key', text => text.replace(/x-sign: \w{6}/, 'x-sign: 000000')],
  ]
  for (const [title, change] of rows) {
    const one = await biller(t, (got, _, path) => {
      const socket = {
        write: (text: string) =>
          got.socket.write(path === '/status' ? text : change(text), 'latin1'),
      }
      sealedAnswer(JSON_LOOSE, { ...got, socket } as Got, json(refOf(got)), {
        type: 'application/json',
      })
    })
    const world = await life(one, { pack: JSON_LOOSE, products: sold(AT_ONCE) })
    t.match((await world.buy('product-a')).outcome, { meaning: 'unknown' }, title)
    t.equal((await world.becomes('paid')).tag, 'paid', title)
    t.same(one.paths, ['/payment', '/status'], title)
    nothingTold(t, world)
    await world.end()
  }
})

t.test('a field that is not known is kept where the dialect says so', async t => {
  const more = ',"note":{"deep":[1,"KEPT"]}'
  const one = await biller(t, (got, _, path) => {
    t.equal(path, '/payment')
    sealedAnswer(JSON_LOOSE, got, json(refOf(got), more), { type: 'application/json' })
  })
  const world = await life(one, { pack: JSON_LOOSE, products: sold(SLOW) })
  t.match((await world.buy('product-a')).outcome, { meaning: 'approved' })
  const payment = await world.becomes('paid')
  const story = await world.journal.story(payment.partner, payment.id)
  const frames = story?.records.flatMap(record => record.frames ?? []) ?? []
  t.ok(
    frames.some(({ bytes }) => latin(Buffer.from(bytes)).includes('KEPT')),
    'it stands in the evidence',
  )
  const told = callback(JSON_LOOSE, json(refOf(one.server.got[0] as Got), more), 'application/json')
  t.equal(await world.post({ ...told.headers }, told.body), 200)
  t.match(world.desk.counts, { unreadable: 0 })
  await world.end()
})

t.test('the answer to another payment says nothing of this one, neither yes nor no', async t => {
  for (const code of ['00', '05']) {
    const one = await biller(t, (got, _, path) => {
      const right = json(refOf(got)).replace(
        '"rc":"00"',
        `"rc":"${path === '/status' ? '00' : code}"`,
      )
      const text = path === '/status' ? right : right.replace(refOf(got), '20200101000000000000')
      sealedAnswer(JSON_LOOSE, got, text, { type: 'application/json' })
    })
    const world = await life(one, { pack: JSON_LOOSE, products: sold(AT_ONCE) })
    t.match((await world.buy('product-a')).outcome, { meaning: 'unknown' }, code)
    t.equal((await world.becomes('paid')).tag, 'paid', code)
    t.same(one.paths, ['/payment', '/status'], code)
    await world.end()
  }
})
