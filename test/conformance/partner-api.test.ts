import t from 'tap'
import { SystemClock, SystemRandom } from '#base'
import { PackFolders } from '#config'
import { type ApiPartnerTest, type Report, testApiPartner } from '#conformance'
import { NO_LOG } from '#telemetry'
import { speaking } from '../../src/cli/pack/test-pack.ts'
import { ApiClient, type Json, nonce, type Reply, word } from '../api/client.ts'
import { PROTOCOLS } from '../pack/packs.ts'

const folders = new PackFolders(PROTOCOLS)
const PATIENCE_MS = 400

function begin(name: string, product: string, only: readonly string[]): Promise<ApiPartnerTest> {
  const folder = folders.find(name)
  if (!folder) throw new Error(`there is no ${name}`)
  return testApiPartner({
    ...speaking(folders, folder),
    host: '127.0.0.1',
    port: 0,
    patienceMs: PATIENCE_MS,
    products: [product],
    only,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: NO_LOG,
  })
}

function clientOf({ place, key }: ApiPartnerTest): ApiClient {
  return new ApiClient(place.tag === 'http' ? place.url.replace('http://', '') : '', key)
}

/** Undefined when no answer comes. */
async function heard(reply: Promise<Reply>): Promise<Reply | undefined> {
  const late = new Promise<undefined>(resolve => {
    setTimeout(() => resolve(undefined), PATIENCE_MS * 3).unref()
  })
  return Promise.race([reply.catch(() => undefined), late])
}

const sleep = (ms: number): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, ms)
  })
const ENDS = ['paid', 'declined', 'reversed']

/** A program that does it right: one key, sent again until the end is known. */
async function buy(client: ApiClient, product: string, number: string): Promise<string> {
  const asked = { product, customer: { id: number } }
  let told = await heard(client.post('/v1/inquiries', asked))
  // An inquiry moves no money: it may be made anew as often as one likes.
  for (let tries = 0; tries < 5 && (told?.status ?? 504) >= 500; tries++)
    told = await heard(client.post('/v1/inquiries', asked))
  if (told?.status !== 201) return `refused ${told?.json['code'] as string}`
  const body = { inquiry: told.json['id'], amount: told.json['amount'] }
  const key = nonce()
  for (let tries = 0; tries < 20; tries++) {
    const reply = await heard(client.post('/v1/payments', body, { key }))
    const state = stateIn(reply)
    if (state !== undefined && ENDS.includes(state)) return state
    await sleep(PATIENCE_MS / 4)
  }
  return 'pending'
}

function stateIn(reply: Reply | undefined): string | undefined {
  if (!reply) return undefined
  const { state, code } = reply.json
  if (typeof state === 'string') return state
  const unknown: readonly Json[] = ['timeout', 'other-error', 'unavailable']
  return typeof code === 'string' && !unknown.includes(code) ? 'declined' : undefined
}

const badOnes = ({ cases }: Report): string[] =>
  cases
    .filter(({ verdict }) => verdict === 'failed')
    .map(({ name, end, remarks }) => `${name}: ${end}; ${remarks.join('; ')}`)

t.test('a program that finds out what it does not know passes, over frames and HTTP', async t => {
  const rows: [name: string, product: string, only: string[]][] = [
    [
      'pln-2003-115',
      'pln-postpaid',
      ['one-bill', 'unknown', 'paid-silent', 'late', 'over-quota', '0068-unpaid'],
    ],
    ['pdam-nusoap', 'pdam', ['one-bill', '500-paid', 'cut-paid', 'html', 'other-amount']],
  ]
  for (const [name, product, only] of rows) {
    const losses = ['answer-cut', 'answer-silent', 'answer-html']
    const test = await begin(name, product, [...only, ...losses, 'cut-off'])
    t.teardown(() => test.end())
    const client = clientOf(test)
    const tasks = test.tasks.filter(task => task.name !== 'cut-off')
    t.equal(tasks.length, only.length + losses.length)
    t.equal(test.quiet(0), false)
    const ends = await Promise.all(tasks.map(({ number }) => buy(client, product, number)))
    const report = await test.end()
    t.same(badOnes(report), [], name)
    t.equal(report.counts.passed, tasks.length)
    t.match(
      report.cases.find(one => one.name === 'cut-off'),
      { verdict: 'left' },
      'what was not asked for is said',
    )
    const endOf = (task: string) => ends[tasks.findIndex(one => one.name === task)]
    for (const task of ['one-bill', ...losses]) t.equal(endOf(task), 'paid', task)
    const lost = report.cases.find(one => one.name === 'answer-cut')
    t.ok(lost?.crossed.some(({ what }) => /lost on its way: cut/.test(what)))
    const text = JSON.stringify(report)
    t.notMatch(text, test.key.secret.reveal())
    t.notMatch(text, /signature=|Nadi-HMAC/)
    t.notMatch(text, /"name\\+":\\+"[A-Z]{2,} [A-Z]/, 'names are masked')
  }
})

t.test('a program that does it wrong is told what', async t => {
  const only = ['one-bill', 'answer-cut', 'answer-html', '0068-unpaid', 'four-of-nine']
  const test = await begin('pln-2003-115', 'pln-postpaid', only)
  t.teardown(() => test.end())
  const client = clientOf(test)
  const numberOf = (name: string) => test.tasks.find(task => task.name === name)?.number ?? ''
  const inquire = async (name: string) => {
    const customer = { id: numberOf(name) }
    const { json } = await client.post('/v1/inquiries', { product: 'pln-postpaid', customer })
    return { inquiry: word(json['id']), amount: json['amount'] as { value: string } }
  }
  // Another key after silence.
  const cut = await inquire('answer-cut')
  await heard(client.post('/v1/payments', cut, { key: nonce() }))
  await heard(client.post('/v1/payments', cut, { key: nonce() }))
  // An error of HTTP is taken for a no.
  await heard(client.post('/v1/payments', await inquire('answer-html'), { key: nonce() }))
  // Pending, and never looked at again.
  await heard(client.post('/v1/payments', await inquire('0068-unpaid'), { key: nonce() }))
  // Another amount, and no key at all.
  const four = await inquire('four-of-nine')
  const less = { ...four, amount: { ...four.amount, value: '1000.00' } }
  await heard(client.post('/v1/payments', less, { key: nonce() }))
  const one = await inquire('one-bill')
  await heard(client.post('/v1/payments', one))
  await heard(client.ask('/v1/payments', { method: 'POST', body: one, key: 'k', unsigned: true }))

  const report = await test.end()
  t.equal(report.ok, false)
  const bad = badOnes(report).join('\n')
  const rows: RegExp[] = [
    /answer-cut: .*one payment under 2 keys/,
    /answer-html: .*it is paid, and the partner last heard nothing/,
    /0068-unpaid: .*the partner last heard pending|0068-unpaid: .*it is not known yet/,
    /four-of-nine: .*a request was refused: amount-invalid/,
    /one-bill: .*a request was refused: idempotency-key-missing/,
    /one-bill: .*a request was refused: unauthenticated/,
    /one-bill: .*all was well, and it was not paid/,
  ]
  for (const row of rows) t.match(bad, row)
})
