import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import t from 'tap'
import {
  basic,
  bearer,
  checkWebhook,
  compileTemplate,
  decodeECollection,
  digest,
  encodeECollection,
  hmac,
  isoMs,
  isoWib,
  minify,
  passwordDigest,
  rsaSign,
  rsaVerify,
  same,
  sameSignature,
  signWebhook,
  SNAP,
  usernameToken,
  withinWindow,
  type Signed,
} from '../../../src/pack/signing/index.ts'

/** Vectors of schemes in use, with invented keys; what they were computed with is in their names. */
const VECTORS = JSON.parse(
  readFileSync(fileURLToPath(new URL('fixtures/signing-vectors.json', import.meta.url)), 'utf8'),
) as {
  snap: Record<
    'secret' | 'token' | 'ts' | 'path' | 'min' | 'hx' | 'sts' | 'sig' | 'sigHex',
    string
  > &
    Record<'emptyHash' | 'asym_sts' | 'token_sts' | 'pub' | 'token_sig' | 'asym_sig', string>
  digiflazz: Record<'sign' | 'deposit' | 'cb' | 'hub', string>
  iak: Record<'paypasca', string>
  ebipp: Record<'key' | 'text' | 'sign', string>
  bni: { client_id: string; secret: string; unix: number; json: string; data: string }
}

const signed = (more: Partial<Signed>): Signed => ({
  method: 'POST',
  target: '/',
  headers: {},
  body: new Uint8Array(0),
  token: '',
  nonce: '1',
  credential: name => `[${name}]`,
  ...more,
})

t.test('MD5 concatenations, as Digiflazz and IAK want them', async t => {
  const { digiflazz, iak } = VECTORS
  t.equal(digest('md5', 'contohusercontoh-api-keyTRX0001'), digiflazz.sign)
  t.equal(digest('md5', 'contohusercontoh-api-keydepo'), digiflazz.deposit)
  t.equal(digest('md5', '081200000000contoh-api-key9900001'), iak.paypasca)
})

t.test('a webhook of Digiflazz: HMAC-SHA1 over the raw body', async t => {
  const { cb, hub } = VECTORS.digiflazz
  t.equal(`sha1=${hmac('sha1', 'contoh-webhook-secret', cb, 'hex')}`, hub)
})

t.test('the published vector of ALTO EBIPP', async t => {
  const { key, text, sign } = VECTORS.ebipp
  t.equal(hmac('sha256', key, text, 'hex'), sign)
})

t.test('SNAP, symmetric', async t => {
  const { snap } = VECTORS
  const from = signed({
    target: snap.path,
    token: snap.token,
    headers: { 'x-timestamp': snap.ts },
    body: Buffer.from(snap.min),
  })
  const text = SNAP.symmetric.bytes(from)
  t.equal(Buffer.from(text).toString(), snap.sts)
  t.equal(digest('sha256', snap.min), snap.hx)
  t.equal(digest('sha256', ''), snap.emptyHash)
  t.equal(hmac('sha512', snap.secret, text, 'base64'), snap.sig)
  t.equal(hmac('sha512', snap.secret, text, 'hex'), snap.sigHex)
})

t.test('SNAP, asymmetric: the token request and a service without a token', async t => {
  const { snap } = VECTORS
  const headers = { 'x-timestamp': snap.ts, 'x-client-key': 'contoh-client-id-0001' }
  const from = signed({ target: snap.path, headers, body: Buffer.from(snap.min) })
  const [token, service] = [SNAP.token.bytes(from), SNAP.asymmetric.bytes(from)]
  t.equal(Buffer.from(token).toString(), snap.token_sts)
  t.equal(Buffer.from(service).toString(), snap.asym_sts)
  t.ok(rsaVerify(snap.pub, token, snap.token_sig, 'base64'))
  t.ok(rsaVerify(snap.pub, service, snap.asym_sig, 'base64'))
  t.notOk(rsaVerify(snap.pub, service, snap.token_sig, 'base64'))
  t.notOk(rsaVerify(snap.pub, service, 'no signature', 'base64'))
})

t.test('the string to sign of the vector published for the token request', async t => {
  const headers = {
    'x-client-key': '7fb118fb-2738-4886-9817-8a2c4de43001',
    'x-timestamp': '2024-05-17T14:12:50+07:00',
  }
  t.equal(
    Buffer.from(SNAP.token.bytes(signed({ headers }))).toString(),
    '7fb118fb-2738-4886-9817-8a2c4de43001|2024-05-17T14:12:50+07:00',
  )
})

t.test('RSA: what one key signs, only its other half finds good', async t => {
  const make = () =>
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
  const [ours, theirs] = [make(), make()]
  const signature = rsaSign(ours.privateKey, 'text', 'base64')
  t.ok(rsaVerify(ours.publicKey, 'text', signature, 'base64'))
  t.notOk(rsaVerify(ours.publicKey, 'texts', signature, 'base64'))
  t.notOk(rsaVerify(theirs.publicKey, 'text', signature, 'base64'))
})

t.test('BNI eCollection, both ways', async t => {
  const { client_id: clientId, secret, unix, json, data } = VECTORS.bni
  const nowMs = unix * 1000
  t.equal(encodeECollection(json, { clientId, secret, nowMs }), data)
  t.strictSame(decodeECollection(data, { clientId, secret }), { json, atMs: nowMs })
  t.equal(decodeECollection(data, { clientId, secret: 'another' })?.json === json, false)
  t.equal(decodeECollection('AAAA', { clientId, secret }), undefined)
  t.equal(encodeECollection('{"a":"é"}', { clientId, secret, nowMs }), undefined)
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme-ascii' }),
      fc.stringMatching(/^[a-z0-9]{1,20}$/),
      (json, secret) => {
        const encoded = encodeECollection(json, { clientId, secret, nowMs }) as string
        return decodeECollection(encoded, { clientId, secret })?.json === json
      },
    ),
  )
})

t.test('JSON is minified without being read: order, numbers and escapes stay', async t => {
  const rows: [title: string, json: string, minified: string][] = [
    ['nothing to do', '{"a":1}', '{"a":1}'],
    [
      'spaces and lines between tokens',
      '{ "b" : 1.50,\r\n\t"a":[ 1, 2 ] }\n',
      '{"b":1.50,"a":[1,2]}',
    ],
    ['spaces in strings', '{"a": "  x  "}', '{"a":"  x  "}'],
    ['an escaped quote before spaces', '{"a": "\\" x", "b": "\\\\" }', '{"a":"\\" x","b":"\\\\"}'],
    ['bytes that are not ASCII', '{"a": "é 漢" }', '{"a":"é 漢"}'],
    ['nothing', '', ''],
  ]
  for (const [title, json, minified] of rows) {
    t.equal(Buffer.from(minify(Buffer.from(json))).toString(), minified, title)
  }
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const pretty = Buffer.from(JSON.stringify(value, undefined, 2))
      return Buffer.from(minify(pretty)).toString() === JSON.stringify(value)
    }),
  )
})

t.test('strings to sign: each word, and what is no word', async t => {
  const from = signed({
    target: '/a/b?x=1&y=2',
    headers: { 'x-t': 'T' },
    body: Buffer.from('{ "a": 1 }'),
    token: 'K',
    nonce: '42',
  })
  const rows: [template: string, text: string][] = [
    ['{method}:{target}', 'POST:/a/b?x=1&y=2'],
    ['path={path}&query={query}', 'path=/a/b&query=x=1&y=2'],
    ['{token}|{nonce}|{header X-T}|{header x-none}', 'K|42|T|'],
    ['{body}{minified}', '{ "a": 1 }{"a":1}'],
    ['{sha256 minified}', digest('sha256', '{"a":1}')],
    ['{md5 body}', digest('md5', '{ "a": 1 }')],
    ['{credential apiKey}', '[apiKey]'],
    ['no word', 'no word'],
  ]
  for (const [template, text] of rows) {
    const compiled = compileTemplate(template)
    if (typeof compiled === 'string') t.fail(compiled)
    else t.equal(Buffer.from(compiled.bytes(from)).toString(), text, template)
  }
  for (const wrong of ['{methods}', '{sha256}', '{sha256 token}', '{header}', '{body now}']) {
    t.match(compileTemplate(wrong), /is no part of a string to sign; there are/, wrong)
  }
})

t.test('a body that is no text is signed by its bytes', async t => {
  const template = compileTemplate('{body}')
  const body = Uint8Array.of(0xff, 0x00, 0xfe)
  t.strictSame(
    typeof template === 'string' ? undefined : Buffer.from(template.bytes(signed({ body }))),
    Buffer.from(body),
  )
})

t.test('Standard Webhooks: good, forged, stale, rotated', async t => {
  // The example of the specification's own libraries.
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const body = Buffer.from('{"test": 2432232314}')
  const nowMs = 1614265330_000
  const headers = signWebhook(body, {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    nowMs,
    secrets: [secret],
  })
  t.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  const other = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  const check = (more: Partial<Record<string, string>>, at = nowMs, secrets = [secret]) => {
    const all = Object.fromEntries(
      Object.entries({ ...headers, ...more }).filter(([, value]) => value !== undefined),
    ) as Record<string, string>
    const problem = checkWebhook(body, all, { nowMs: at, secrets })
    return problem ? `${problem.tag} ${problem.path}` : 'good'
  }
  t.equal(check({}), 'good')
  t.equal(check({}, nowMs + 299_000), 'good')
  t.equal(check({}, nowMs + 301_000), 'stale webhook-timestamp')
  t.equal(check({}, nowMs - 301_000), 'stale webhook-timestamp')
  t.equal(check({}, nowMs, [other, secret]), 'good')
  t.equal(check({}, nowMs, [other]), 'forged webhook-signature')
  t.equal(check({ 'webhook-id': 'msg_2' }), 'forged webhook-signature')
  t.equal(check({ 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` }), 'good')
  t.equal(check({ 'webhook-signature': 'v2,AAAA' }), 'forged webhook-signature')
  t.equal(check({ 'webhook-timestamp': 'yesterday' }), 'stale webhook-timestamp')
  t.equal(check({ 'webhook-timestamp': undefined }), 'missing webhook-timestamp')
  t.equal(check({ 'webhook-signature': undefined }), 'missing webhook-signature')
  t.equal(check({ 'webhook-id': undefined }), 'missing webhook-id')
})

t.test('a UsernameToken: the digest of the profile', async t => {
  const nonce = Buffer.from('nonce').toString('base64')
  const expected = passwordDigest(nonce, '2026-11-20T02:15:00Z', 'rahasia')
  const token = usernameToken('digest', {
    username: 'u',
    password: 'rahasia',
    nowMs: Date.UTC(2026, 10, 20, 2, 15),
    nonce: 'nonce',
  })
  t.match(token, { username: 'u', password: expected, nonce, created: '2026-11-20T02:15:00Z' })
  t.notMatch(JSON.stringify(token), /rahasia/)
})

t.test('times with a zone, and windows', async t => {
  const at = Date.UTC(2026, 10, 20, 2, 15)
  const rows: [text: string, ms: number | undefined][] = [
    ['2026-11-20T09:15:00+07:00', at],
    ['2026-11-20T02:15:00Z', at],
    ['2026-11-20T02:15:00.123Z', at],
    ['20261120T091500+0700', at],
    ['2026-11-20T09:15:00', undefined],
    ['2026-02-31T09:15:00Z', undefined],
    ['2026-11-20T25:15:00Z', undefined],
    ['', undefined],
  ]
  for (const [text, ms] of rows) t.equal(isoMs(text), ms, text)
  t.equal(isoWib(at + 999), '2026-11-20T09:15:00+07:00')
  t.ok(withinWindow(at, at + 5, 5))
  t.notOk(withinWindow(at + 6, at, 5))
})

t.test('comparing, and the headers of HTTP itself', async t => {
  t.ok(same('abc', 'abc'))
  t.notOk(same('abc', 'abd'))
  t.notOk(same('abc', 'abcd'))
  t.ok(sameSignature('ab', 'AB', 'hex'))
  t.notOk(sameSignature('ab', 'AB', 'base64'))
  t.ok(sameSignature('YQ==', 'YQ', 'base64'))
  t.equal(basic('u', 'p'), 'Basic dTpw')
  t.equal(bearer('Bearer abc.def'), 'abc.def')
  t.equal(bearer('bearer  x'), 'x')
  for (const wrong of [undefined, '', 'Bearer', 'Basic x', 'Bearer a b']) {
    t.equal(bearer(wrong), undefined)
  }
})
