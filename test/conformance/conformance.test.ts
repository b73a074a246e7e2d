import t from 'tap'
import { localTime, NadiError, rupiah, SystemClock, SystemRandom } from '#base'
import { PackFolders } from '#config'
import {
  casesFor,
  type Report,
  type Spoken,
  type Subject,
  subjectsOf,
  testPack,
  type TestOptions,
  testPartner,
} from '#conformance'
import type { Message } from '#message'
import type { HttpPack, Pack } from '#pack'
import { runSimulator } from '#sim'
import { NO_LOG } from '#telemetry'
import { speaking } from '../../src/cli/pack/test-pack.ts'
import { markdown } from '../../src/cli/pack/report.ts'
import { judge } from '../../src/conformance/judge.ts'
import { Mouth } from '../../src/conformance/mouth.ts'
import { play } from '../../src/conformance/play.ts'
import { PROTOCOLS } from '../pack/packs.ts'

const folders = new PackFolders(PROTOCOLS)

function packCalled(name: string) {
  const folder = folders.find(name)
  if (!folder) throw new Error(`no pack is called ${name}`)
  return speaking(folders, folder)
}

async function tested(name: string, more: Partial<TestOptions> = {}): Promise<Report> {
  return testPack({
    ...packCalled(name),
    patienceMs: 400,
    atOnce: 6,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: NO_LOG,
    ...more,
  })
}

const badOnes = ({ cases }: Report): string[] =>
  cases
    .filter(({ verdict }) => verdict === 'failed')
    .map(({ product, name, end, remarks }) => `${product} ${name}: ${end}; ${remarks.join('; ')}`)

/** A dialect of each kind, with what must be among its cases. */
const PACKS: [name: string, product: string, casesMin: number, among: string[]][] = [
  ['pln-2003-115', 'pln-postpaid', 50, ['paid-silent', 'half-open', 'other-trace', 'merged']],
  ['pln-1987-jtl', 'pln-prepaid', 50, ['second-advice', 'cut-paid', 'pays-twice', 'unsigned']],
  ['alto-ebipp', 'pdam', 45, ['late', 'twice', 'wrong-length']],
  ['digiflazz', 'pulsa-xl', 40, ['html', 'gzip-bomb', 'redirect', 'callback-forged', '500-paid']],
  ['pdam-nusoap', 'pdam', 50, ['other-amount', 'cut-short', 'misnamed', 'pays-too-much']],
  ['snap-bank', 'transfer-intrabank', 45, ['pending-for-ever', 'forged', 'empty']],
  ['qris-1987', 'qris', 35, ['status-silent', 'status-pending', 'paid-silent']],
  ['qris-snap', 'qris', 50, ['status-silent', 'status-pending', 'unknown']],
]
/** What every counterpart is put to, whatever it speaks; and what only one kind can do. */
const ALWAYS =
  'one-bill late twice other-amount half-open cut-paid slow unknown-code other-trace garbled 0016-paid asks pays-twice pays-too-much pays-and-hangs-up cut-short'
const OF_FRAMES = `${ALWAYS} merged wrong-length short-data byte-by-byte lying-length half unsigned`
const OF_HTTP = `${ALWAYS} html gzip-bomb redirect 500-paid 500-unpaid empty pending-status misnamed forged`

for (const [name, product, casesMin, among] of PACKS) {
  t.test(`${name}: whatever ${product} meets, it ends, and both books agree`, async t => {
    const report = await tested(name, { products: [product] })
    t.same(badOnes(report), [])
    t.equal(report.ok, true)
    t.ok(report.cases.length >= casesMin, `${report.cases.length} cases`)
    const names = report.cases.map(one => one.name)
    const { pack } = packCalled(name)
    const wanted = [...among, ...('transport' in pack ? OF_HTTP : OF_FRAMES).split(' ')]
    const unasked = subjectsOf(pack, packCalled(name).spoken).subjects.some(
      subject => subject.product === product && subject.unasked,
    )
    t.same(
      wanted.filter(one => !names.includes(one)),
      [],
    )
    const left = report.cases.filter(({ verdict }) => verdict === 'left')
    t.same(
      left.map(one => one.name).filter(one => !mayBeLeft(one, unasked)),
      [],
      'and each of them was played',
    )
    const lie = report.cases.find(one => one.name === '0016-paid')
    t.match(lie, { end: 'declined; they have it paid' })
    t.match(lie?.remarks.join(), /the books, compared, show it/)
    const well = report.cases.find(one => one.name === 'one-bill')
    t.match(well, { verdict: 'passed', end: 'paid; they have it paid' })
    t.ok((well?.crossed.length ?? 0) >= 2, 'what crossed the wire is told')
    t.notOk(
      well?.crossed.some(({ what }) => what === 'what cannot be read'),
      'and known',
    )
    const text = markdown(report)
    for (const one of report.cases) t.ok(text.includes(`${one.product}: ${one.name}`))
    // Whatever the samples' customers are called, it is masked.
    t.notMatch(text, /\b(?:MELATI|KENANGA|CEMPAKA|MAWAR|ANGGREK) [A-Z]{4,}/)
    t.notMatch(text, /lab-apiKey|contoh-api-key/)
  })
}

/** What some dialects cannot say: amounts that were told, secrets, sign-ons. */
function mayBeLeft(name: string, unasked: boolean): boolean {
  return ['pays-too-much', 'forged', 'unsigned', ...(unasked ? ['asks-nobody'] : [])].includes(name)
}

t.test('a swapped answer is no answer: what became of it is asked', async t => {
  for (const [name, product] of [
    ['pln-2003-115', 'pln-postpaid'],
    ['snap-bank', 'transfer-intrabank'],
    ['rajabiller', 'pln-postpaid'],
  ] as const) {
    const report = await tested(name, { products: [product], only: ['other-trace'] })
    t.same(badOnes(report), [])
    const [one] = report.cases
    const asked = ['reversal', 'status'].some(kind =>
      one?.crossed.some(({ what, direction }) => direction === 'sent' && what.startsWith(kind)),
    )
    t.ok(asked, `${name}: ${one?.end}`)
  }
})

t.test('a lie that their book does not show is no pass', async t => {
  const { pack, spoken } = packCalled('pln-2003-115')
  const { subjects } = subjectsOf(pack, spoken)
  const subject = subjects.find(({ product }) => product === 'pln-postpaid') as Subject
  const lie = casesFor(subject, pack).find(({ lies }) => lies)
  const payment = { tag: 'declined' } as never
  const facts = { payment, heldMinor: rupiah(0), problems: [] }
  t.match(judge(lie as never, { ...facts, book: [] }), {
    verdict: 'failed',
    remarks: [/does not show it/],
  })
  const honest = casesFor(subject, pack).find(({ name }) => name === 'over-quota')
  const book = [{ state: 'paid' }] as never
  t.match(judge(honest as never, { ...facts, book }), { verdict: 'failed' }, 'and of no other case')
})

/** A counterpart that is wrong in one thing: the test must see it. */
function broken(pack: Pack | HttpPack, how: Partial<Record<string, unknown>>): Pack | HttpPack {
  const made: Record<string, unknown> = {}
  for (
    let at: object | null = pack;
    at && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  )
    for (const key of Object.getOwnPropertyNames(at)) {
      if (key === 'constructor' || key in made) continue
      const value: unknown = Reflect.get(pack, key, pack)
      made[key] =
        typeof value === 'function' ? (value as (...a: never[]) => unknown).bind(pack) : value
    }
  return { ...made, ...how } as never
}

t.test('a dialect that takes silence for a no is found out', async t => {
  const { pack, spoken } = packCalled('pln-2003-111')
  const iso = pack as Pack
  // "There is no such payment" is read as the answer to every reversal.
  const hasty = broken(iso, {
    read: (frame: Uint8Array) => {
      const read = iso.read(frame)
      if (read.tag !== 'message') return read
      const { message } = read
      const answers = message.kind === 'reversal' && message.direction === 'response'
      const outcome = { meaning: 'nothing', reason: 'no-payment' } as const
      return answers ? { tag: 'message', message: { ...message, outcome } } : read
    },
  })
  const report = await tested('pln-2003-111', {
    pack: hasty,
    spoken,
    products: ['pln-postpaid'],
    only: ['paid-stands', 'one-bill'],
  })
  t.equal(report.ok, false)
  t.match(badOnes(report), [/paid-stands: declined; they have it paid; .*believe it paid/])
})

t.test('a dialect that cannot be paid in does not pass for one without trouble', async t => {
  const { pack, spoken } = packCalled('digiflazz')
  const http = pack as HttpPack
  const mute = broken(http, {
    write: (message: never, asked: never) => {
      const { direction } = message as { direction: string }
      if (direction === 'request') return http.write(message, asked)
      throw new NadiError('PACK_MISSING_FIELD', { path: 'data' })
    },
  })
  const options = { pack: mute, spoken, products: ['pln-postpaid'], only: ['one-bill', 'twice'] }
  const report = await tested('digiflazz', options)
  t.equal(report.counts.failed, 2)
  t.match(badOnes(report)[0], /never came to a payment/)
})

t.test('products that no sample speaks of are named, and nothing tested is not good', async t => {
  const { pack, spoken } = packCalled('digiflazz')
  t.same(subjectsOf(pack, spoken).silent, ['pulsa-telkomsel'])
  const report = await tested('digiflazz', { products: ['pulsa-telkomsel'] })
  t.match(report, { ok: false, counts: { passed: 0 } })
  t.match(report.remarks.join(), /no sample asks for or pays pulsa-telkomsel/)
  const ebipp = packCalled('alto-ebipp')
  t.same(subjectsOf(ebipp.pack, ebipp.spoken).silent, [], 'all four bills of EBIPP are spoken of')
  const only = ['one-bill', 'paid-silent', 'unpaid-silent']
  const products = ['telkom', 'bpjs-kesehatan', 'multifinance']
  const bills = await tested('alto-ebipp', { products, only })
  t.match(bills, { ok: true, counts: { passed: products.length * only.length, failed: 0 } })
})

t.test('against a counterpart somewhere else only what needs no help is tried', async t => {
  const { pack, spoken } = packCalled('pln-2003-115')
  const biller = await runSimulator({
    pack,
    host: '127.0.0.1',
    port: 0,
    say: () => {},
  })
  t.teardown(() => biller.close())
  const numbers = [101, 102, 103, 104, 105].map(end => `999900000${end}`)
  const [host = '', port] = biller.address.split(':')
  const report = await tested('pln-2003-115', {
    spoken,
    place: { tag: 'tcp', host, port: Number(port) },
    customers: { 'pln-postpaid': numbers },
  })
  t.same(badOnes(report), [])
  t.match(report.against, /^127\.0\.0\.1:\d+$/)
  t.ok(report.counts.passed >= 11)
  t.match(report.remarks.join(), /pln-prepaid needs a number of theirs/)
  const paid = [...biller.biller.book.entries()].filter(({ state }) => state === 'paid')
  t.ok(paid.length <= numbers.length, 'nothing is paid twice')
  // With fewer numbers there is less that can be tried, and that is said.
  const few = await tested('pln-2003-115', {
    spoken,
    place: { tag: 'tcp', host, port: Number(port) },
    customers: { 'pln-postpaid': ['999900000111', '999900000112'] },
    only: ['conversation', 'asks', 'pays-twice', 'pays-too-much'],
  })
  t.match(few.cases.at(-1)?.remarks.join(), /one more number/)
})

/** A partner that dials in: our own switch, which does it right; or by hand, which does not. */
t.test('turned round, a partner that finds out what it does not know passes', async t => {
  const { pack, spoken } = packCalled('pln-2003-111')
  const clock = new SystemClock()
  const common = { clock, random: new SystemRandom(), log: NO_LOG }
  const only = ['one-bill', 'paid-silent', 'cut-paid', '0068-unpaid', 'already-paid', 'twice']
  const products = ['pln-postpaid']
  const test = await testPartner({
    ...common,
    pack,
    spoken,
    host: '127.0.0.1',
    port: 0,
    patienceMs: 400,
    products,
    only: [...only, 'late'],
  })
  // The same numbers, by a switch of ours that dials.
  const { subjects } = subjectsOf(pack, spoken)
  const subject = subjects.find(({ product }) => product === 'pln-postpaid') as Subject
  for (const one of casesFor(subject, pack).filter(({ name }) => only.includes(name)))
    await play(one, { ...common, pack, place: test.place, patienceMs: 400 })
  const report = await test.end()
  t.same(badOnes(report), [])
  t.equal(report.counts.passed, only.length)
  t.match(
    report.cases.find(({ name }) => name === 'late'),
    { verdict: 'left' },
  )
  const silent = report.cases.find(({ name }) => name === 'paid-silent')
  t.ok(silent?.crossed.some(({ what }) => what === 'reversal'))
})

t.test(
  'turned round over HTTP: a partner that asks what became of it, called back or not',
  async t => {
    const rows: [name: string, product: string, only: string[]][] = [
      [
        'digiflazz',
        'pln-postpaid',
        ['one-bill', '500-paid', 'html', 'pending-status', 'paid-silent'],
      ],
      ['digiflazz', 'pulsa-xl', ['pending-callback', 'callback-forged', 'pending-failed']],
      ['pdam-nusoap', 'pdam', ['one-bill', 'cut-paid', 'redirect', 'gzip-bomb', '0016-paid']],
    ]
    for (const [name, product, only] of rows) {
      const { pack, spoken } = packCalled(name)
      const clock = new SystemClock()
      const common = { clock, random: new SystemRandom(), log: NO_LOG }
      const products = [product]
      const listening = { ...common, pack, spoken, host: '127.0.0.1', port: 0, patienceMs: 400 }
      const test = await testPartner({ ...listening, products, only: [...only, 'late'] })
      t.match(test.place, { tag: 'http', url: /^http:\/\/127\.0\.0\.1:\d+$/ })
      const { subjects } = subjectsOf(pack, spoken)
      const subject = subjects.find(one => one.product === product) as Subject
      for (const one of casesFor(subject, pack).filter(each => only.includes(each.name)))
        await play(one, { ...common, pack, place: test.place, patienceMs: 400 })
      const report = await test.end()
      t.same(badOnes(report), [], name)
      t.equal(report.counts.passed, only.length)
      t.equal(report.counts.left, 1, 'what was not asked for is said')
      t.ok(report.cases.every(one => one.verdict === 'left' || one.crossed.length >= 2))
    }
  },
)

t.test('turned round over HTTP: a partner that takes an error for a no, and pays anew', async t => {
  const { pack, spoken } = packCalled('pdam-nusoap')
  const clock = new SystemClock()
  const test = await testPartner({
    clock,
    random: new SystemRandom(),
    log: NO_LOG,
    pack,
    spoken,
    host: '127.0.0.1',
    port: 0,
    patienceMs: 300,
    products: ['pdam'],
    only: ['one-bill', '500-paid', 'html'],
  })
  t.teardown(() => test.end())
  const signOn = { kind: 'sign-on', direction: 'request' } as Message
  const mouth = new Mouth({ pack, place: test.place, patienceMs: 300, clock, signOn })
  const { subjects } = subjectsOf(pack, spoken)
  const subject = subjects.find(({ product }) => product === 'pdam') as Subject
  const asks = spoken.find(({ kind, direction }) => kind === 'inquiry' && direction === 'request')
  let own = 1000
  const anew = (message: Message): Message => ({
    ...message,
    sentAt: localTime(clock.nowMs()),
    reference: { ...message.reference, own: `T${++own}` },
  })
  const told = async (name: string): Promise<Message> => {
    const number = test.tasks.find(task => task.name === name)?.number ?? ''
    const { answers } = await mouth.say(
      anew({ ...(asks as Message), ...subject.withNumber(number) }),
    )
    const { outcome: _, ...quote } = answers[0] as Message
    const billsPaid = quote.bills?.length ?? 1
    return { ...quote, kind: 'payment', direction: 'request', billsPaid }
  }
  const error = await told('500-paid')
  await mouth.say(anew(error))
  await mouth.say(anew(error))
  await mouth.say(await told('html'))
  const amount = await told('one-bill')
  await mouth.say({ ...amount, amountMinor: rupiah(1_000) })
  const report = await test.end()
  const bad = badOnes(report).join('\n')
  t.match(bad, /500-paid: .*2 payments of one inquiry/)
  t.match(bad, /html: .*no status check came/)
  t.match(bad, /one-bill: .*told were .*, paid Rp 1\.000/)
})

t.test(
  'turned round, a partner that pays anew after silence, or the wrong amount, does not',
  async t => {
    const { pack, spoken } = packCalled('pln-2003-111')
    const test = await testPartner({
      clock: new SystemClock(),
      random: new SystemRandom(),
      log: NO_LOG,
      pack,
      spoken,
      host: '127.0.0.1',
      port: 0,
      patienceMs: 300,
      products: ['pln-postpaid'],
      only: ['one-bill', 'paid-silent', 'unpaid-silent', 'blocked'],
    })
    const mouth = new Mouth({
      pack,
      place: test.place,
      patienceMs: 300,
      clock: new SystemClock(),
      signOn: sample(spoken, 'sign-on'),
    })
    const asks = sample(spoken, 'inquiry')
    let trace = 1000
    const inquire = async (end: number): Promise<Message> => {
      const stamped = { ...asks, trace: String(++trace).padStart(12, '0') }
      const said = await mouth.say({ ...stamped, customer: { id: `999900000${end}` } })
      const told = said.answers[0]
      if (!told) throw new Error('not told')
      const { outcome: _, ...quote } = told
      const billsPaid = told.bills?.length ?? 0
      return { ...quote, kind: 'payment', direction: 'request', billsPaid }
    }
    const anew = () => ({ trace: String(++trace).padStart(12, '0') })
    const first = await inquire(907)
    await mouth.say({ ...first, ...anew() })
    await mouth.say({ ...first, ...anew() })
    const second = await inquire(900)
    await mouth.say({
      ...second,
      ...anew(),
      amountMinor: rupiah(1_000),
    })
    const third = await inquire(909)
    await mouth.say({ ...third, ...anew() })
    const report = await test.end()
    t.equal(report.ok, false)
    const bad = badOnes(report).join('\n')
    t.match(bad, /paid-silent: .*2 payments of one inquiry/)
    t.match(bad, /one-bill: .*told were .*, paid Rp 1\.000/)
    t.match(bad, /unpaid-silent: .*no reversal came/)
    t.match(
      report.cases.find(({ name }) => name === 'blocked'),
      { verdict: 'left' },
    )
  },
)

function sample(spoken: readonly Spoken[], kind: string): Message {
  const found = spoken.find(
    one =>
      one.kind === kind &&
      one.direction === 'request' &&
      (kind === 'sign-on' || one.product === 'pln-postpaid'),
  )
  if (!found) throw new Error(`no sample of ${kind}`)
  return found as Message
}
