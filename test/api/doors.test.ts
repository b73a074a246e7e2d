import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import * as fc from 'fast-check'
import forge from 'node-forge'
import { test } from 'tap'
import { Secret } from '#base'
import { Buckets, InFlight } from '../../src/api/rate.ts'
import { readJson } from '../../src/api/json.ts'
import { Replays } from '../../src/api/replays.ts'
import { isSigned, readAuthorization, stringToSign } from '../../src/api/signature.ts'
import { type Asked, ApiClient, exchange, nonce, raw } from './client.ts'
import { type Operation, type Schema, valueProblems } from './conforms.ts'
import { FIRST, KEYS, type Lab, ROOT, startLab } from './lab.ts'

const INQUIRY = { product: 'pln-postpaid', customer: { id: '999900000015' } }

test('who may ask, what is refused, and the limits', async t => {
  const lab = await startLab()
  t.teardown(() => lab.close())
  const client = lab.client()

  await t.test('who may ask', async t => {
    const seconds = Math.floor(Date.now() / 1000)
    const once = nonce()
    const wrong = new ApiClient(lab.address, { ...KEYS.first, secret: new Secret('wrong') })
    const nobody = new ApiClient(lab.address, { ...KEYS.first, id: 'nobody' })
    const rows: [title: string, asked: Asked, code: string | undefined, by?: ApiClient][] = [
      ['with a good signature', {}, undefined],
      ['with none', { unsigned: true }, 'unauthenticated'],
      ['with the wrong secret', {}, 'unauthenticated', wrong],
      ['with a key that nobody has', {}, 'unauthenticated', nobody],
      ['signed for another method', { lie: { method: 'POST' } }, 'unauthenticated'],
      ['signed for another target', { lie: { target: '/v1/balance?x=1' } }, 'unauthenticated'],
      ['signed for another body', { lie: { body: 'x' } }, 'unauthenticated'],
      ['ten minutes ago', { lie: { time: `${seconds - 600}` } }, 'signature-stale'],
      ['in ten minutes', { lie: { time: `${seconds + 600}` } }, 'signature-stale'],
      ['a signature for the first time', { lie: { nonce: once, time: `${seconds}` } }, undefined],
      ['and the second time', { lie: { nonce: once, time: `${seconds}` } }, 'signature-replayed'],
      ['a nonce that is too short', { lie: { nonce: 'abc' } }, 'unauthenticated'],
      ['another scheme', { headers: { authorization: 'Basic YTpi' } }, 'unauthenticated'],
      [
        'half a header',
        { headers: { authorization: 'Nadi-HMAC-SHA256 key="first-key"' } },
        'unauthenticated',
      ],
    ]
    for (const [title, asked, code, by = client] of rows) {
      const reply = await by.ask('/v1/balance', asked)
      t.match(reply.json, code === undefined ? { deposit: {} } : { code }, title)
      if (code === 'unauthenticated') t.match(reply.headers['www-authenticate'], 'Nadi-HMAC-SHA256')
    }
    const target = '/v1/inquiries'
    const headers = client.headersFor(target, { body: INQUIRY })
    const body = Buffer.from(JSON.stringify(INQUIRY))
    t.equal((await exchange(lab.address, 'POST', target, headers, body)).status, 201)
    const replayed = await exchange(lab.address, 'POST', target, headers, body)
    t.match(replayed.json, { code: 'signature-replayed' }, 'the very same bytes again')
    const changed = Buffer.from(JSON.stringify({ ...INQUIRY, product: 'pln-prepaid' }))
    const forged = await exchange(lab.address, 'POST', target, headers, changed)
    t.match(forged.json, { code: 'unauthenticated' }, 'its signature under other bytes')
    const keyed = client.headersFor('/v1/payments', { body: INQUIRY, key: 'one' })
    const swapped = { ...keyed, 'idempotency-key': 'two' }
    const other = await exchange(lab.address, 'POST', '/v1/payments', swapped, body)
    t.match(other.json, { code: 'unauthenticated' }, 'the Idempotency-Key is signed, too')
    t.match(lab.api.keyUses.get('first-key'), { lastFrom: '127.0.0.1', count: Number })
  })

  await t.test('bodies that are not what is wanted', async t => {
    const deep = `{"a":${'['.repeat(30_000)}`
    const money = { value: '260500.00', currency: 'IDR' }
    const pay = (amount: unknown) => JSON.stringify({ inquiry: '06D3K8M2P4QR', amount })
    const rows: [
      title: string,
      path: string,
      body: string | Uint8Array,
      code: string,
      where?: string,
    ][] = [
      ['no JSON', 'inquiries', 'hello', 'malformed-json'],
      ['half of it', 'inquiries', '{"product":', 'malformed-json'],
      ['something after it', 'inquiries', `${JSON.stringify(INQUIRY)}x`, 'malformed-json'],
      ['nothing', 'inquiries', '', 'malformed-json'],
      ['nested without end', 'inquiries', deep, 'malformed-json'],
      ['a key twice', 'inquiries', '{"product":"a","product":"b"}', 'malformed-json'],
      [
        'a key twice, spelled otherwise',
        'inquiries',
        '{"a":[{"b":1,"\\u0062":2}]}',
        'malformed-json',
      ],
      ['no UTF-8', 'inquiries', Buffer.from([0x7b, 0xff, 0x7d]), 'malformed-json'],
      ['a list', 'inquiries', '[]', 'invalid-request', ''],
      ['null', 'inquiries', 'null', 'invalid-request', ''],
      [
        'a field that nobody reads',
        'inquiries',
        JSON.stringify({ ...INQUIRY, no: 1 }),
        'invalid-request',
        'no',
      ],
      [
        'a field too many further in',
        'inquiries',
        '{"product":"a","customer":{"id":"1","x":1}}',
        'invalid-request',
        'customer.x',
      ],
      [
        'two numbers of one customer',
        'inquiries',
        '{"product":"a","customer":{"id":"1","meter":"2"}}',
        'invalid-request',
        'customer.',
      ],
      [
        'a number where text is wanted',
        'inquiries',
        '{"product":"a","customer":{"id":1}}',
        'invalid-request',
        'customer.id',
      ],
      [
        'text where a number is wanted',
        'inquiries',
        JSON.stringify({ ...INQUIRY, months: '2' }),
        'invalid-request',
        'months',
      ],
      [
        'half a month',
        'inquiries',
        JSON.stringify({ ...INQUIRY, months: 1.5 }),
        'invalid-request',
        'months',
      ],
      [
        '__proto__',
        'inquiries',
        '{"product":"a","__proto__":{"x":1}}',
        'invalid-request',
        '__proto__',
      ],
      ['money as a number', 'payments', pay(260500), 'invalid-request', 'amount'],
      [
        'money as a float',
        'payments',
        pay({ ...money, value: 260500.5 }),
        'invalid-request',
        'amount.value',
      ],
      [
        'money without sen',
        'payments',
        pay({ ...money, value: '260500' }),
        'invalid-request',
        'amount.value',
      ],
      [
        'money with an exponent',
        'payments',
        pay({ ...money, value: '2e5.00' }),
        'invalid-request',
        'amount.value',
      ],
      [
        'negative money',
        'payments',
        pay({ ...money, value: '-1.00' }),
        'invalid-request',
        'amount.value',
      ],
      [
        'money in zeros',
        'payments',
        pay({ ...money, value: '007.00' }),
        'invalid-request',
        'amount.value',
      ],
      [
        'more money than there is',
        'payments',
        pay({ ...money, value: `${'9'.repeat(16)}.00` }),
        'invalid-request',
        'amount.value',
      ],
      [
        'money of another country',
        'payments',
        pay({ ...money, currency: 'USD' }),
        'invalid-request',
        'amount.currency',
      ],
      [
        'no inquiry',
        'payments',
        JSON.stringify({ inquiry: 'x', amount: money }),
        'invalid-request',
        'inquiry',
      ],
      ['too large', 'payments', JSON.stringify({ x: 'x'.repeat(70_000) }), 'body-too-large'],
    ]
    for (const [title, path, body, code, where] of rows) {
      const reply = await client.ask(`/v1/${path}`, {
        raw: body,
        method: 'POST',
        key: 'k',
        headers: { 'content-type': 'application/json' },
      })
      t.match(reply.json, { code, type: `urn:nadi:problem:${code}` }, title)
      const errors = (reply.json['errors'] ?? []) as { path: string }[]
      if (where !== undefined)
        t.ok(
          errors.some(({ path }) => path.startsWith(where)),
          `${title}: ${where}`,
        )
      t.notMatch(reply.body.toString(), /hello|\[\[\[\[|xxxx/, 'nothing of it is told back')
    }
    t.match((await client.post('/v1/payments', {})).json, { code: 'idempotency-key-missing' })
    for (const key of ['', 'a b', 'x'.repeat(65)])
      t.match(
        (await client.post('/v1/payments', {}, { key })).json,
        { code: 'invalid-request' },
        `key "${key}"`,
      )
  })

  await t.test('what HTTP itself is misused for', async t => {
    const rows: [title: string, target: string, asked: Asked, status: number, code: string][] = [
      [
        'a form',
        '/v1/inquiries',
        {
          raw: 'a=b',
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        },
        415,
        'unsupported-media-type',
      ],
      [
        'text',
        '/v1/inquiries',
        { raw: '{}', method: 'POST', headers: { 'content-type': 'text/plain' } },
        415,
        'unsupported-media-type',
      ],
      [
        'XML',
        '/v1/inquiries',
        {
          raw: '<!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a>',
          method: 'POST',
          headers: { 'content-type': 'application/xml' },
        },
        415,
        'unsupported-media-type',
      ],
      [
        'another alphabet',
        '/v1/inquiries',
        {
          raw: '{}',
          method: 'POST',
          headers: { 'content-type': 'application/json; charset=utf-16' },
        },
        415,
        'unsupported-media-type',
      ],
      [
        'compressed',
        '/v1/inquiries',
        { raw: '{}', method: 'POST', headers: { 'content-encoding': 'gzip' } },
        415,
        'unsupported-media-type',
      ],
      ['a GET with a body', '/v1/balance', { raw: '{}', method: 'GET' }, 400, 'invalid-request'],
      ['questions to whom answers none', '/v1/balance?x=1', {}, 400, 'invalid-request'],
      ['no such place', '/v2/balance', {}, 404, 'not-found'],
      ['another method', '/v1/balance', { raw: '{}', method: 'POST' }, 405, 'method-not-allowed'],
      ['an id that is none', '/v1/payments/nothing', {}, 404, 'not-found'],
      ['an id without end', `/v1/payments/${'A'.repeat(500)}`, {}, 400, 'invalid-request'],
      ['a path that cannot be read', '/v1/payments/%zz', {}, 400, 'invalid-request'],
      [
        'headers without end',
        '/v1/balance',
        { headers: { 'x-much': 'x'.repeat(20_000) } },
        431,
        'headers-too-large',
      ],
    ]
    for (const [title, target, asked, status, code] of rows) {
      const reply = await new ApiClient(lab.address, KEYS.first).ask(target, asked)
      t.equal(reply.status, status, title)
      t.match(reply.json, { code, status }, title)
      t.match(reply.headers['content-type'], 'application/problem+json', title)
    }
    const head = (more: string): string =>
      `POST /v1/inquiries HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${more}\r\n`
    const wire: [title: string, bytes: string, answer: RegExp][] = [
      ['not HTTP at all', 'hello\r\n\r\n', /^HTTP\/1.1 400 .*urn:nadi:problem:invalid-request/s],
      ['two lengths', head('content-length: 2\r\ncontent-length: 3\r\n') + '{}', /^HTTP\/1.1 400/],
      [
        'a length and chunks',
        head('content-length: 2\r\ntransfer-encoding: chunked\r\n') + '{}',
        /^HTTP\/1.1 400/,
      ],
      ['a length that is no number', head('content-length: two\r\n') + '{}', /^HTTP\/1.1 400/],
      ['chunks that lie', head('transfer-encoding: chunked\r\n') + 'zz\r\n{}', /^HTTP\/1.1 400/],
    ]
    for (const [title, bytes, answer] of wire)
      t.match(await raw(lab.address, bytes, true), answer, title)
    const short = await raw(
      lab.address,
      `${head('content-length: 2\r\nconnection: close\r\n')}{}GET /smuggled`,
      true,
    )
    t.equal(
      short.match(/^HTTP\/1.1/gm)?.length,
      1,
      'what lies behind the length is no second request',
    )
  })

  await t.test('the document, the page, and the behaviour agree', async t => {
    const served = await exchange(lab.address, 'GET', '/openapi.json', {}, Buffer.alloc(0))
    t.same(served.json, lab.document)
    t.match(served.json, { openapi: '3.1.0' })
    const page = await exchange(lab.address, 'GET', '/docs', {}, Buffer.alloc(0))
    const text = page.body.toString()
    t.match(page.headers['content-type'], 'text/html')
    t.match(page.headers['content-security-policy'], "default-src 'none'")
    t.notMatch(text, /<script|src=|https?:\/\//, 'nothing from elsewhere')
    for (const [path, methods] of Object.entries(lab.document.paths))
      for (const [method, operation] of Object.entries(methods)) {
        t.ok(text.includes(`${method.toUpperCase()} ${path}`), `${path} is on the page`)
        await asTheDocumentSays(lab, method, path, operation)
      }
    for (const name of Object.keys(lab.document.components.schemas))
      t.ok(text.includes(`id="schema-${name}"`), `${name} is on the page`)
    t.same(lab.problems, [], 'every answer was as the document promises')
  })
})

/** Requests made from the document alone: the good ones are understood, and the others refused. */
async function asTheDocumentSays(
  lab: Lab,
  method: string,
  path: string,
  operation: Operation,
): Promise<void> {
  const client = lab.client()
  const schema = operation.requestBody?.content['application/json']?.schema
  const ids = fc.stringMatching(/^[0-9A-HJKMNP-TV-Z]{12}$/)
  const bodies = schema ? fromSchema(lab, schema) : fc.constant(undefined)
  const send = (id: string, body: unknown) =>
    client.ask(path.replace('{id}', id), {
      method: method.toUpperCase(),
      ...(body !== undefined && { body }),
      ...(operation.parameters?.some(({ name }) => name === 'Idempotency-Key') && { key: nonce() }),
    })
  await fc.assert(
    fc.asyncProperty(ids, bodies, async (id, body) => {
      if (schema && valueProblems(lab.document, schema, body as never, '').length > 0) return false
      const { json, status } = await send(id, body)
      return status < 500 ||
        json['code'] === 'other-error' ||
        json['code'] === 'unavailable' ||
        json['code'] === 'timeout'
        ? json['code'] !== 'invalid-request' && json['code'] !== 'malformed-json'
        : false
    }),
    { numRuns: 12 },
  )
  if (!schema) return
  const broken = bodies.chain(body => fc.constantFrom(...breakages(lab, schema, body as object)))
  await fc.assert(
    fc.asyncProperty(ids, broken, async (id, body) => {
      if (valueProblems(lab.document, schema, body as never, '').length === 0) return true
      const { json } = await send(id, body)
      return json['code'] === 'invalid-request'
    }),
    { numRuns: 30 },
  )
}

function resolve(lab: Lab, schema: Schema): Schema {
  const name = ((schema['$ref'] as string | undefined) ?? '').replace('#/components/schemas/', '')
  return name === '' ? schema : (lab.document.components.schemas[name] as Schema)
}

function fromSchema(lab: Lab, given: Schema): fc.Arbitrary<unknown> {
  const schema = resolve(lab, given)
  if (schema['anyOf'])
    return fc.oneof(...(schema['anyOf'] as Schema[]).map(one => fromSchema(lab, one)))
  if (schema['const'] !== undefined) return fc.constant(schema['const'])
  switch (schema['type']) {
    case 'integer':
      return fc.integer({ min: Number(schema['minimum']), max: Number(schema['maximum']) })
    case 'string':
      return fc
        .stringMatching(new RegExp(String(schema['pattern']), 'u'))
        .map(text => text.slice(0, Number(schema['maxLength'] ?? 1e9)))
        .filter(text => text.length >= Number(schema['minLength'] ?? 0) && text.isWellFormed())
    case 'object': {
      const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>)
      const parts = properties.map(([key, of]) => [key, fromSchema(lab, of)] as const)
      return fc.record(Object.fromEntries(parts), {
        requiredKeys: (schema['required'] ?? []) as string[],
      })
    }
    default:
      throw new Error(`nothing is made of ${JSON.stringify(schema)}`)
  }
}

/** The body with one thing wrong: something missing, something more, something of another kind. */
function breakages(lab: Lab, given: Schema, body: object): [unknown, ...unknown[]] {
  const required = (resolve(lab, given)['required'] ?? []) as string[]
  const without = required.map(gone =>
    Object.fromEntries(Object.entries(body).filter(([key]) => key !== gone)),
  )
  const wrong = Object.keys(body).flatMap(key => [
    { ...body, [key]: 7.5 },
    { ...body, [key]: null },
    { ...body, [key]: [] },
  ])
  return [{ ...body, surplus: 1 }, ...without, ...wrong]
}

test('limits', async t => {
  await t.test('so many a second, by partner and by address', async t => {
    const rows = ['partnerRate', 'addressRate'] as const
    for (const name of rows) {
      const lab = await startLab({ limits: { [name]: { perSecond: 1, burst: 3 } } })
      const replies = []
      for (let at = 0; at < 5; at++) replies.push(await lab.client().ask('/v1/balance'))
      t.same(
        replies.slice(0, 3).map(({ status }) => status),
        [200, 200, 200],
        name,
      )
      const last = replies.at(-1)
      t.match(last?.json, { code: 'rate-limited', status: 429 }, name)
      t.match(last?.headers['retry-after'], /^[1-9]\d*$/, name)
      const forged = new ApiClient(lab.address, { ...KEYS.first, secret: new Secret('wrong') })
      if (name === 'partnerRate') {
        t.match(
          (await forged.ask('/v1/balance')).json,
          { code: 'unauthenticated' },
          'nobody uses up what is another one’s',
        )
        t.equal(
          (await lab.client(KEYS.second).ask('/v1/balance')).status,
          200,
          'nor does another partner',
        )
      }
      await lab.close()
    }
  })

  await t.test('so many at once, and a graceful end', async t => {
    const lab = await startLab({ limits: { inFlightPerPartnerMax: 2 } })
    const client = lab.client()
    const slow = { product: 'pln-postpaid', customer: { id: '999911111939' } }
    const going = [client.post('/v1/inquiries', slow), client.post('/v1/inquiries', slow)]
    while (lab.api.status().inFlight < 2) await new Promise(setImmediate)
    const crowded = await client.ask('/v1/balance')
    t.match(crowded.json, { code: 'too-many-in-flight', status: 429 })
    t.match(crowded.headers['retry-after'], '1')
    t.equal((await lab.client(KEYS.second).ask('/v1/balance')).status, 200)
    const closing = lab.close()
    t.same(
      (await Promise.all(going)).map(({ status }) => status),
      [201, 201],
      'what was taken is answered',
    )
    await closing
    t.rejects(client.ask('/v1/balance'), 'and nothing is taken any more')
  })

  await t.test('connections, and clients that are slow', async t => {
    const lab = await startLab({
      limits: { connectionsPerPeerMax: 2, headersTimeoutMs: 200, requestTimeoutMs: 400 },
    })
    t.teardown(() => lab.close())
    const [host = '', port] = lab.address.split(':')
    const held = [0, 1].map(() => connect(Number(port), host))
    while (lab.api.status().sessions < 2) await new Promise(setImmediate)
    t.equal(
      await raw(lab.address, 'GET /v1/balance HTTP/1.1\r\n\r\n'),
      '',
      'the third is not let in',
    )
    t.equal(lab.api.status().refused, 1)
    for (const socket of held) socket.destroy()
    while (lab.api.status().sessions > 0) await new Promise(setImmediate)
    t.match(
      await raw(lab.address, 'GET /v1/balance HTTP/1.1\r\nhost:'),
      /408 .*request-timeout/s,
      'headers that do not end',
    )
    const body =
      'POST /v1/inquiries HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{'
    t.match(
      await raw(lab.address, body),
      /408 .*request-timeout/s,
      'a length that promises more than comes',
    )
    const drip = (socket: Socket, text: string): void => {
      const dripping = setInterval(() => socket.write(text), 20)
      socket.once('close', () => clearInterval(dripping))
    }
    t.match(
      await raw(lab.address, 'GET /v1/balance HTTP/1.1\r\n', false, socket =>
        drip(socket, 'x: y\r\n'),
      ),
      /408 .*request-timeout/s,
      'headers that drip',
    )
    t.match(
      await raw(lab.address, body, false, socket => drip(socket, ' ')),
      /408 .*request-timeout/s,
      'a body that drips',
    )
    t.equal((await lab.client().ask('/v1/balance')).status, 200, 'and nobody else is hurt')
  })

  await t.test('an address that is not the partner’s, and a partner that is blocked', async t => {
    for (const [change, code] of [
      [{ mayDialFrom: () => false }, 'address-refused'],
      [{ blocked: true }, 'partner-blocked'],
    ] as const) {
      const base = await startLab()
      const first = base.config.partners.get(FIRST)
      await base.close()
      const identity = {
        bank: '4519999',
        switcher: 'SWX0001',
        terminal: '0LOKET0000000001',
        channel: '6021',
        certificates: new Set<string>(),
      }
      const api = { ...identity, keys: new Map([[KEYS.first.id, KEYS.first.secret]]) }
      const lab = await startLab({ partner: { ...first, ...change, api } })
      t.match((await lab.client().ask('/v1/balance')).json, { code, status: 403 })
      await lab.close()
    }
  })
})

test('a client certificate that is pinned opens the door', async t => {
  const [ours, theirs, old] = [
    certificate('partner'),
    certificate('stranger'),
    certificate('old', -2),
  ]
  const server = certificate('localhost')
  const fingerprints = [ours, old].map(({ fingerprint }) => fingerprint)
  const lab = await startLab({
    parts: { tls: { certificate: server.certificate, key: new Secret(server.key) } },
    partner: {
      api: {
        bank: '4519999',
        switcher: 'SWX0001',
        terminal: '0LOKET0000000001',
        channel: '6021',
        keys: new Map(),
        certificates: new Set(fingerprints),
      },
    },
  })
  t.teardown(() => lab.close())
  const ask = (own?: { certificate: string; key: string }) =>
    exchange(lab.address, 'GET', '/v1/balance', {}, Buffer.alloc(0), {
      rejectUnauthorized: false,
      ...(own && { cert: own.certificate, key: own.key }),
    })
  t.match((await ask(ours)).json, { deposit: { currency: 'IDR' } })
  t.match((await ask(theirs)).json, { code: 'unauthenticated' }, 'one that nobody pinned')
  t.match(
    (await ask(old)).json,
    { code: 'unauthenticated', detail: /not valid now/ },
    'one that is over',
  )
  t.match((await ask()).json, { code: 'unauthenticated' }, 'none')
  t.match([...lab.api.keyUses.keys()], [ours.fingerprint])
})

/** Signed by itself; valid for a day around a day from now. */
function certificate(
  name: string,
  days = 0,
): { certificate: string; key: string; fingerprint: string } {
  const pair = forge.pki.rsa.generateKeyPair(2048)
  const made = forge.pki.createCertificate()
  made.publicKey = pair.publicKey
  made.serialNumber = '01'
  made.validity.notBefore = new Date(Date.now() + (days - 1) * 86_400_000)
  made.validity.notAfter = new Date(Date.now() + (days + 1) * 86_400_000)
  const subject = [{ name: 'commonName', value: name }]
  made.setSubject(subject)
  made.setIssuer(subject)
  made.sign(pair.privateKey, forge.md.sha256.create())
  const der = forge.asn1.toDer(forge.pki.certificateToAsn1(made)).getBytes()
  const fingerprint = forge.md.sha256.create().update(der).digest().toHex()
  return {
    certificate: forge.pki.certificateToPem(made),
    key: forge.pki.privateKeyToPem(pair.privateKey),
    fingerprint,
  }
}

test('parts that keep a limit', async t => {
  t.test('JSON is read as JSON.parse reads it, or refused', async () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), value => {
        const text = JSON.stringify(value)
        return JSON.stringify(readJson(Buffer.from(text))) === JSON.stringify(JSON.parse(text))
      }),
    )
  })
  t.test('whatever comes, the reader throws a problem or returns', async () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uint8Array()), input => {
        try {
          readJson(Buffer.from(input as string))
          return true
        } catch (error) {
          return (error as Error).name === 'ApiProblem'
        }
      }),
    )
  })
  t.test('a key that stands twice is found wherever it is', async () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { minLength: 1, maxLength: 6 }),
        fc.nat(5),
        (keys, depth) => {
          const twice = [...keys, keys[0] ?? '']
          const inner = `{${twice.map(key => `${JSON.stringify(key)}:1`).join(',')}}`
          const text = '[{"a":'.repeat(depth) + inner + '}]'.repeat(depth)
          try {
            readJson(Buffer.from(text))
            return false
          } catch {
            return true
          }
        },
      ),
    )
  })
  t.test('the example in the document is right', async t => {
    const document = readFileSync(join(ROOT, 'docs/partner-api.md'), 'utf8')
    const [, body = ''] = /^body +(.*)$/m.exec(document) ?? []
    const [, signature = ''] = /^signature +(.*)$/m.exec(document) ?? []
    const secret = new Secret('0123456789abcdef'.repeat(4))
    const parts = {
      method: 'POST',
      target: '/v1/payments',
      time: '1795163730',
      nonce: '5f0c2b7a9d1e4f63',
      idempotencyKey: 'order-4711',
      body: Buffer.from(body),
    }
    t.ok(document.includes(stringToSign(parts)), 'the lines')
    t.ok(isSigned(secret, parts, signature), 'and their signature')
    t.notOk(isSigned(secret, { ...parts, nonce: 'another-one' }, signature))
  })
  t.test('an Authorization that is not whole is none', async () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 300 }),
        text => readAuthorization(`Nadi-HMAC-SHA256 ${text}`) === undefined,
      ),
    )
    const good = `nadi-hmac-sha256 key="a", time="1795163730", nonce="12345678", signature="${'A'.repeat(43)}="`
    t.match(readAuthorization(good), { key: 'a', time: '1795163730' })
    for (const odd of [
      `${good}, key="b"`,
      `${good}, constructor="b"`,
      good.replace('12345678', '1 345678'),
    ])
      t.equal(readAuthorization(odd), undefined)
  })
  t.test('no more leaves a bucket than its rate and its burst', async () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 200 }), waits => {
        const buckets = new Buckets({ perSecond: 10, burst: 5 }, 3)
        let nowMs = 1_000_000
        let taken = 0
        for (const wait of waits) {
          nowMs += wait
          if (buckets.take('one', nowMs) === 0) taken++
        }
        return taken <= 5 + ((nowMs - 1_000_000) * 10) / 1000 + 1e-6
      }),
    )
    const buckets = new Buckets({ perSecond: 1, burst: 1 }, 100)
    for (let at = 0; at < 10_000; at++) buckets.take(`10.0.${at}`, 0)
    t.equal(buckets.size, 100, 'and its memory is bounded')
    const inFlight = new InFlight(2, 3)
    t.same(
      ['a', 'a', 'a', 'b', 'b'].map(name => inFlight.enter(name)),
      [true, true, false, true, false],
    )
    inFlight.leave('a')
    t.equal(inFlight.enter('b'), true)
  })
  t.test(
    'signatures are remembered as long as they would be believed, and no more than fit',
    async t => {
      const replays = new Replays(1000, 3)
      const take = (name: string, timeMs: number, nowMs: number, key = 'k') =>
        replays.take(key, Buffer.from(name.repeat(32)), timeMs, nowMs)
      const rows: [name: string, timeMs: number, nowMs: number, seen: string, key?: string][] = [
        ['a', 5000, 5000, 'fresh'],
        ['a', 5000, 5999, 'used'],
        ['a', 5000, 5999, 'fresh', 'l'],
        ['b', 6900, 6000, 'fresh'],
        ['c', 5500, 6000, 'fresh'],
        ['d', 5500, 6000, 'full'],
        ['b', 6900, 7899, 'used'],
        ['d', 7500, 7500, 'fresh'],
      ]
      for (const [name, timeMs, nowMs, seen, key] of rows)
        t.equal(take(name, timeMs, nowMs, key), seen, `${name} of ${timeMs} at ${nowMs}`)
      fc.assert(
        fc.property(fc.nat(2000), fc.nat(1000), (ahead, later) => {
          const fresh = new Replays(1000, 9)
          const timeMs = 9000 + ahead
          fresh.take('k', Buffer.alloc(32), timeMs, 10_000)
          const nowMs = Math.min(10_000 + later, timeMs + 1000)
          return fresh.take('k', Buffer.alloc(32), timeMs, nowMs) === 'used'
        }),
      )
    },
  )
})
