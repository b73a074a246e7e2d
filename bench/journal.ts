/**
 * How fast the journal makes payments durable: two steps each (the hold with the intent, then the
 * outcome), with records as real ones are. Beside it, on the same server in the same run, what the
 * server itself can do: single-row commits, and pgbench's TPC-B when pgbench is there.
 *
 *     node --conditions=source bench/journal.ts [--seconds 5] [--in-flight 1,16,64,256,1024] [--json]
 */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client, type ClientConfig } from 'pg'
import { businessDate, rupiah, Secret, SystemClock, SystemRandom, TxnIds, txnIdMs } from '#base'
import { type Commit, type Journal, PostgresJournal } from '#journal'
import { posting } from '#ledger'
import { Database, startEmbedded } from '#postgres'
import { NO_LOG } from '#telemetry'

const PARTNER = '4519001'
const clock = new SystemClock()
const ids = new TxnIds(clock, 1)
const frame = new Uint8Array(400).fill(0x37)

export type JournalRow = {
  readonly inFlight: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly batch: number
}

/** The median of durable one-row inserts, one after another, in milliseconds. */
export async function singleCommitP50(connection: ClientConfig, count = 500): Promise<number> {
  const client = new Client(connection)
  await client.connect()
  const times: number[] = []
  try {
    await client.query('CREATE TABLE IF NOT EXISTS bench_single (id bigint PRIMARY KEY, at bigint)')
    await client.query('TRUNCATE bench_single')
    for (let id = 0; id < count; id++) {
      const startMs = performance.now()
      await client.query({
        name: 'single',
        text: 'INSERT INTO bench_single VALUES ($1, $2)',
        values: [id, id],
      })
      times.push(performance.now() - startMs)
    }
    await client.query('DROP TABLE bench_single')
  } finally {
    await client.end()
  }
  return percentile(times, 0.5)
}

/** TPC-B transactions a second: 64 clients, prepared, scale 10; undefined where pgbench is not there. */
export async function runPgbench(
  connection: ClientConfig,
  seconds = 10,
): Promise<number | undefined> {
  if (spawnSync('pgbench', ['--version']).status !== 0) return undefined
  const { host, port, user, password, database } = connection
  const where = ['-h', String(host), '-p', String(port), '-U', String(user), String(database)]
  await pgbench(['-i', '-q', '-s', '10', ...where], String(password))
  const load = ['-c', '64', '-j', '2', '-M', 'prepared', '-T', String(seconds)]
  const text = await pgbench([...load, ...where], String(password))
  const tps = /tps = ([\d.]+)/.exec(text)?.[1]
  const client = new Client(connection)
  await client.connect()
  await client.query(
    'DROP TABLE pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers',
  )
  await client.end()
  return tps === undefined ? undefined : Number(tps)
}

function pgbench(args: string[], password: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('pgbench', args, { env: { ...process.env, PGPASSWORD: password } })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('error', reject)
    child.on('close', code => {
      if (code === 0) resolve(text)
      else reject(new Error(`pgbench: ${text.trim().split('\n').at(-1)}`))
    })
  })
}

export function percentile(values: number[], part: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

/** Payments of two durable steps, `inFlight` at a time, for so many seconds. */
export async function payFor(
  journal: Journal & { readonly stats: { readonly batches: number; readonly members: number } },
  inFlight: number,
  seconds: number,
): Promise<JournalRow> {
  const times: number[] = []
  const { batches, members } = { ...journal.stats }
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  const lane = async () => {
    while (performance.now() < endMs) {
      const fromMs = performance.now()
      await payOnce(journal)
      times.push(performance.now() - fromMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const tookMs = performance.now() - startMs
  return {
    inFlight,
    perSecond: Math.round((times.length / tookMs) * 1000),
    p50Ms: round(percentile(times, 0.5)),
    p99Ms: round(percentile(times, 0.99)),
    batch: round((journal.stats.members - members) / (journal.stats.batches - batches)),
  }
}

async function payOnce(journal: Journal): Promise<void> {
  const first = anIntent()
  for (const commit of [first, anOutcome(first)]) {
    const result = await journal.commit(commit)
    if (result.tag !== 'committed') throw new Error(`a payment was answered ${result.tag}`)
  }
}

function anIntent(): Commit {
  const id = ids.next()
  const atMs = txnIdMs(id)
  const amount = 15_750_000n
  return {
    head: {
      id,
      partner: PARTNER,
      businessDate: businessDate(atMs),
      kind: 'payment',
      product: 'pln-postpaid',
      customer: '999900000015',
      amountMinor: rupiah(157_500),
      key: `2200|20261122101112|${id}|4519999`,
      content: 'b1946ac92492d2347c6235b4d2611184',
    },
    expects: 0,
    records: [
      {
        atMs,
        event: 'admitted',
        tag: 'sending',
        data: REQUEST,
        frames: [
          evidence('source', 'in', 'partners', 'pln-2003-111', atMs),
          evidence('destination', 'out', 'pln', 'pln-2003-115', atMs),
        ],
      },
    ],
    tag: 'sending',
    state: { tag: 'sending', destination: 'pln', attempt: 1, dueAtMs: atMs + 30_000 },
    postings: [
      posting('hold', [
        ['deposit', -amount],
        ['hold', amount],
      ]),
    ],
    owes: { step: 'answer', destination: 'pln', dueAtMs: atMs + 30_000 },
  }
}

function anOutcome(first: Commit): Commit {
  const atMs = clock.nowMs()
  const amount = 15_750_000n
  return {
    ...first,
    expects: 1,
    records: [
      {
        atMs,
        event: 'answered',
        tag: 'paid',
        data: RESPONSE,
        frames: [
          evidence('destination', 'in', 'pln', 'pln-2003-115', atMs),
          evidence('source', 'out', 'partners', 'pln-2003-111', atMs),
        ],
      },
    ],
    tag: 'paid',
    state: { tag: 'paid', destination: 'pln', reference: '0SYM212345678901234567890123456789' },
    postings: [
      posting('settle', [
        ['hold', -amount],
        ['payable:pln', amount - 250_000n],
        ['fee', 150_000n],
        ['commission', 100_000n],
      ]),
    ],
    owes: undefined,
  }
}

function evidence(
  side: 'source' | 'destination',
  direction: 'in' | 'out',
  via: string,
  pack: string,
  atMs: number,
) {
  return { atMs, side, direction, via, pack, bytes: frame }
}

/** About as long as a normalized payment request with one bill, and its answer. */
const REQUEST = message(1_000)
const RESPONSE = message(700)

function message(bytes: number): unknown {
  const bill = { period: '202611', dueOn: '20261120', billMinor: 15_000_000n, penaltyMinor: 0n }
  const data = {
    kind: 'payment',
    product: { code: 'pln-postpaid', name: 'PLN Postpaid' },
    customer: { id: '999900000015', name: 'SUBCRIBER NAME', segment: 'R1', powerVa: 1300 },
    amountMinor: 15_750_000n,
    feeMinor: 250_000n,
    trace: { stan: '000017', sentAt: '20261122101112', terminal: '0LOKET0000000001' },
    bills: [] as unknown[],
  }
  while (Buffer.byteLength(JSON.stringify(data, plain)) < bytes) data.bills.push(bill)
  return data
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '5' },
      'in-flight': { type: 'string', default: '1,16,64,256,1024' },
      'no-pgbench': { type: 'boolean', default: false },
      members: { type: 'string', default: '1024' },
      json: { type: 'boolean', default: false },
    },
  })
  const random = new SystemRandom()
  const varFolder = mkdtempSync(join(tmpdir(), 'nadi-bench-'))
  // Root's server runs under another account, and would keep its data where we do not clean up.
  chmodSync(varFolder, 0o755)
  const server = await startEmbedded({ varFolder, clock, random, log: NO_LOG })
  try {
    const { connection } = server
    const single = await singleCommitP50(connection)
    const pgbenchTps = values['no-pgbench'] ? undefined : await runPgbench(connection)
    const database = await Database.open({ connection, log: NO_LOG })
    const journal = await PostgresJournal.open({
      database,
      node: 'bench',
      clock,
      random,
      log: NO_LOG,
      evidenceKey: new Secret(random.bytes(32).slice()),
      membersMax: Number(values.members),
    })
    await fund(journal)
    const rows: JournalRow[] = []
    await payFor(journal, 64, 1)
    for (const inFlight of values['in-flight'].split(',').map(Number))
      rows.push(await payFor(journal, inFlight, Number(values.seconds)))
    const auditFromMs = performance.now()
    const audit = await journal.audit()
    const auditMs = Math.round(performance.now() - auditFromMs)
    await journal.close()
    await database.close()
    if (audit.problems.length > 0) throw new Error(JSON.stringify(audit.problems.slice(0, 5)))
    if (values.json)
      console.log(JSON.stringify({ rows, pgbenchTps, singleCommitP50Ms: round(single) }))
    else {
      console.table(rows)
      console.log(`single-row commit p50 ${round(single)} ms; pgbench ${pgbenchTps ?? 'not there'}`)
      console.log(`audit of ${audit.postings} postings without problems, ${auditMs} ms`)
    }
  } finally {
    await server.destroy()
    rmSync(varFolder, { recursive: true, force: true })
  }
}

export async function fund(journal: Journal): Promise<void> {
  const intent = anIntent()
  const { key: _key, content: _content, ...head } = intent.head
  const amount = rupiah(1_000_000_000_000)
  await journal.commit({
    ...intent,
    head: { ...head, kind: 'deposit', amountMinor: amount },
    postings: [
      posting('deposit', [
        ['funding', 0n - amount],
        ['deposit', amount],
      ]),
    ],
    owes: undefined,
  })
}

if (import.meta.main) await main()
