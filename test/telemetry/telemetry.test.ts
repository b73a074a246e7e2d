import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { NadiError, Secret, SystemClock, type TxnId, VirtualClock } from '#base'
import { Health, Metrics, METRICS, pinoLog } from '#telemetry'
import type { Observer } from '#switch'

const root = mkdtempSync(join(tmpdir(), 'nadi-telemetry-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))

const START_MS = Date.UTC(2026, 10, 20, 2, 15)
const BUILD = { version: '0.1.0', node: 'v24' }

t.test(
  'every metric is in METRICS.md with its type and labels, and the other way round',
  async t => {
    const text = readFileSync('METRICS.md', 'utf8')
    const told = [...text.matchAll(/^\| `(\w+)` *\| (\w+) *\| ([^|]*?) *\| (.*?) *\|$/gm)].map(
      ([, name, type, labels = '', help]) =>
        [name, type, labels.replaceAll('`', ''), help].join(' | '),
    )
    const known = Object.entries(METRICS).map(([name, { type, labels, help }]) =>
      [name, type, labels.join(', '), help].join(' | '),
    )
    t.same(told.toSorted(), known.toSorted())
    const named = text.match(/nadi_\w+/g) ?? []
    t.same(
      named.filter(name => !(name in METRICS)),
      [],
    )
  },
)

t.test('what the switch tells is counted by its labels', async t => {
  const metrics = new Metrics(new VirtualClock(START_MS), BUILD)
  const observer: Observer = metrics
  observer.paymentAnswered('pln-postpaid', '4519001', 'approved', 3)
  observer.paymentAnswered('pln-postpaid', '4519001', 'approved', 700)
  observer.paymentAnswered('pln-postpaid', '4519001', 'timeout', 61_000)
  observer.inquiryEnded('pln-prepaid', '4519001', 'customer-unknown', 1)
  observer.paymentChanged(1n as TxnId, 'pln-postpaid', '4519001', 'sending', 'paid')
  observer.oddAnswer('pln', 'late')
  metrics.journalBatch(17, 2)
  const text = await metrics.render()
  for (const line of [
    'nadi_payments_total{product="pln-postpaid",partner="4519001",outcome="approved"} 2',
    'nadi_payments_total{product="pln-postpaid",partner="4519001",outcome="timeout"} 1',
    'nadi_payment_seconds_bucket{product="pln-postpaid",le="0.0025"} 0',
    'nadi_payment_seconds_bucket{product="pln-postpaid",le="0.005"} 1',
    'nadi_payment_seconds_bucket{product="pln-postpaid",le="60"} 2',
    'nadi_payment_seconds_bucket{product="pln-postpaid",le="+Inf"} 3',
    'nadi_payment_seconds_sum{product="pln-postpaid"} 61.703',
    'nadi_payment_seconds_count{product="pln-postpaid"} 3',
    'nadi_inquiries_total{product="pln-prepaid",partner="4519001",outcome="customer-unknown"} 1',
    'nadi_txn_changes_total{product="pln-postpaid",from="sending",to="paid"} 1',
    'nadi_odd_answers_total{link="pln",what="late"} 1',
    'nadi_journal_batch_commits_bucket{le="16"} 0',
    'nadi_journal_batch_commits_bucket{le="32"} 1',
    'nadi_journal_commit_seconds_sum 0.002',
    'nadi_build_info{version="0.1.0",node="v24"} 1',
  ])
    t.ok(text.split('\n').includes(line), line)
  t.match(text, /^# HELP nadi_payments_total Payment requests/m)
  t.match(text, /^# TYPE nadi_payment_seconds histogram$/m)
})

t.test('labels from outside fill no memory', async t => {
  const metrics = new Metrics(new VirtualClock(START_MS), BUILD)
  for (let n = 0; n < 20_000; n++) metrics.inquiryEnded(`p${n}`, 'x', 'approved', 1)
  const lines = (await metrics.render()).match(/^nadi_inquiries_total\{.*$/gm) ?? []
  t.equal(lines.length, 5001)
  t.match(lines.at(-1), /product="other".* 15000$/)
})

t.test('the other figures are asked of their owners at the scrape', async t => {
  const clock = new VirtualClock(START_MS)
  const metrics = new Metrics(clock, BUILD)
  const counts = { sent: 10, answered: 8, late: 1, unmatched: 2, unanswered: 3, notSent: 4 }
  let hangs = false
  metrics.collect({
    links: () => [{ name: 'pln', state: 'up', inFlight: 5, reconnects: 6, ...counts }],
    listeners: () => [
      { name: 'iso', sessions: 1, inFlight: 2, accepted: 3, refused: 4, frames: 5, badFrames: 6 },
    ],
    journal: () => ({ available: true, queue: 7 }),
    safDepth: () => {
      throw new Error('gone')
    },
    openTxns: () =>
      hangs
        ? new Promise(() => {})
        : Promise.resolve([
            { tag: 'unknown', product: 'pln-postpaid', count: 2, oldestAtMs: START_MS - 90_000 },
            { tag: 'unknown', product: 'pln-prepaid', count: 1, oldestAtMs: START_MS - 5000 },
          ]),
    balances: async () => [
      { partner: '4519001', account: 'deposit', balanceMinor: 100_000_050n },
      { partner: '4519001', account: 'fee', balanceMinor: 1n },
    ],
  })
  const text = await metrics.render()
  for (const line of [
    'nadi_link_state{link="pln",state="up"} 1',
    'nadi_link_state{link="pln",state="down"} 0',
    'nadi_link_not_sent_total{link="pln"} 4',
    'nadi_link_reconnects_total{link="pln"} 6',
    'nadi_listener_bad_frames_total{listener="iso"} 6',
    'nadi_journal_available 1',
    'nadi_journal_queue 7',
    'nadi_scrape_failures_total{source="safDepth"} 1',
    'nadi_txns_open{state="unknown",product="pln-postpaid"} 2',
    'nadi_oldest_unknown_seconds 90',
    'nadi_oldest_suspect_seconds 0',
    'nadi_ledger_balance_rupiah{partner="4519001",account="deposit"} 1000000.5',
  ])
    t.ok(text.split('\n').includes(line), line)
  t.notMatch(text, /account="fee"/)

  hangs = true
  const rendering = metrics.render()
  await clock.runUntil(START_MS + 10_000)
  t.match(
    await rendering,
    /^nadi_oldest_unknown_seconds 92$/m,
    'a journal that hangs stops no scrape',
  )
})

t.test('Node tells of itself', async t => {
  const metrics = new Metrics(new SystemClock(), BUILD)
  metrics.watchProcess()
  t.match(await metrics.render(), /nodejs_eventloop_lag_p99_seconds/)
})

t.test('health: living and being ready are two things', async t => {
  const clock = new VirtualClock(START_MS)
  const health = new Health(clock)
  let journal: true | string = true
  health.needs('journal', () => journal)
  health.start()
  await clock.runUntil(START_MS + 60_000)
  t.same([health.healthz().ok, health.readyz().ok], [true, true])
  journal = 'cannot be reached'
  health.needs('links', () => {
    throw new Error('none is up')
  })
  t.same(health.readyz(), {
    ok: false,
    reasons: ['journal: cannot be reached', 'links: none is up'],
  })
  t.ok(health.healthz().ok)
  health.stop()
  t.equal(clock.nextMs, undefined)

  let nowMs = 0
  const stuck = new Health({ nowMs: () => nowMs, at: () => () => {} })
  stuck.start()
  nowMs = 6000
  t.match(stuck.healthz(), { ok: false, reasons: ['the event loop has not turned for 5500 ms'] })
})

t.test('log lines are JSON with time, level and fields, and hide what must be hidden', async t => {
  const file = join(root, 'logs', 'nadi.log')
  const log = pinoLog({
    clock: new VirtualClock(START_MS),
    level: 'info',
    file,
    fields: { node: 'lab' },
  })
  const circular: Record<string, unknown> = { a: 1 }
  circular['self'] = circular
  log.debug('not asked for')
  log.info('plain')
  log.child({ link: 'pln', token: '1234' }).warn('belt', {
    pan: '4111111111111111',
    nested: { list: [{ Password: 'x' }], secret: 'x', ok: 1, amountMinor: 5n },
    held: new Secret('x'),
    raw: new Uint8Array(3),
    circular,
  })
  log.error('failed', {
    error: new NadiError('PORT_TAKEN', { path: 'pln', cause: new Error('why') }),
    bug: new TypeError('oops'),
  })
  log.flush()
  while (readFileSync(file, 'utf8').split('\n').length < 4) await sleep(5)
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { level: string })
  t.equal(lines.length, 3)
  const of = (level: string): object => lines.find(line => line.level === level) ?? {}
  const time = '2026-11-20T02:15:00.000Z'
  t.same(of('info'), { level: 'info', time, node: 'lab', text: 'plain' })
  t.match(of('warn'), {
    level: 'warn',
    link: 'pln',
    token: '[redacted]',
    pan: '[redacted]',
    nested: { list: [{ Password: '[redacted]' }], secret: '[redacted]', ok: 1, amountMinor: '5' },
    held: '[secret]',
    raw: '[3 bytes]',
  })
  t.match(of('error'), {
    error: { code: 'PORT_TAKEN', path: 'pln', cause: { message: 'why' } },
    bug: { name: 'TypeError', message: 'oops', stack: /TypeError/ },
  })
  t.notOk((of('error') as { error: { stack?: string } }).error.stack)
})
