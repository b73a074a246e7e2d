import * as fs from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isNadiError, rupiah, Secret, SystemRandom, TxnIds, VirtualClock, ZERO } from '#base'
import { type Commit, PostgresJournal, type PostgresJournalOptions } from '#journal'
import { posting } from '#ledger'
import { Database, startEmbedded } from '#postgres'
import { NO_LOG } from '#telemetry'
import {
  aClose,
  aCommit,
  aDeposit,
  aFrame,
  aHead,
  all,
  balanceOf,
  clock,
  hold,
  keepsTheJournalPromise,
} from './conformance.ts'

const random = new SystemRandom()
const varFolder = fs.mkdtempSync(join(tmpdir(), 'nadi-journal-'))
const server = await startEmbedded({ varFolder, clock, random, log: NO_LOG })
const evidenceKey = new Secret(random.bytes(32).slice())
let schemas = 0

type Over = Partial<PostgresJournalOptions> & { readonly schema?: string; readonly host?: string }

async function fresh(t: Test, { schema, host, ...over }: Over = {}): Promise<PostgresJournal> {
  const database = await Database.open({
    connection: { ...server.connection, ...(host !== undefined && { host }) },
    log: NO_LOG,
    schema: schema ?? `test_${++schemas}`,
  })
  const options = { database, node: 'test', clock, random, log: NO_LOG, evidenceKey, ...over }
  t.teardown(() => database.close())
  const journal = await PostgresJournal.open(options)
  t.teardown(() => journal.close())
  return journal
}

t.teardown(async () => {
  await server.destroy()
  fs.rmSync(varFolder, { recursive: true, force: true })
})

void t.test('Postgres keeps the promise', async t => {
  keepsTheJournalPromise(t, fresh)
})

void t.test('a member that breaks the batch is found and hurts nobody', async t => {
  const journal = await fresh(t)
  await journal.commit(aDeposit())
  const huge = () =>
    aCommit({
      head: aHead({ amountMinor: ZERO }),
      postings: [
        posting('deposit', [
          ['funding', -(2n ** 62n)],
          ['payable:pln', 2n ** 62n],
        ]),
      ],
    })
  const good = Array.from({ length: 20 }, () => aCommit({ postings: [hold(rupiah(1))] }))
  const batch = [
    ...good.slice(0, 7),
    huge(),
    ...good.slice(7, 12),
    huge(),
    huge(),
    ...good.slice(12),
  ]
  const { batches } = journal.stats
  const answers = await Promise.allSettled(batch.map(commit => journal.commit(commit)))
  t.equal(journal.stats.batches, batches + 1, 'they travelled together')
  const refused = answers.filter(({ status }) => status === 'rejected')
  t.equal(answers.length - refused.length, 21, 'all but those that no longer fit into 64 bits')
  for (const answer of refused)
    t.ok(answer.status === 'rejected' && isNadiError(answer.reason, 'JOURNAL_REFUSED'))
  t.equal(await balanceOf(journal, 'hold'), rupiah(20))
  t.same((await journal.audit()).problems, [])
})

void t.test('full is said at once', async t => {
  const journal = await fresh(t, { queueMax: 3 })
  const answers = await Promise.allSettled(
    Array.from({ length: 5 }, () => journal.commit(aCommit())),
  )
  t.same(
    answers.map(answer => (answer.status === 'fulfilled' ? 'done' : answer.reason.code)),
    ['done', 'done', 'done', 'JOURNAL_FULL', 'JOURNAL_FULL'],
  )
})

void t.test('a key holds over midnight; a commit of any day finds its partition', async t => {
  const journal = await fresh(t)
  const at = (iso: string) => new TxnIds(new VirtualClock(Date.parse(iso)), 1).next()
  const rows: [title: string, iso: string, answer: string][] = [
    ['long ago', '2026-03-01T10:00:00+07:00', 'committed'],
    ['the last moment of a day', '2026-03-04T23:59:59.999+07:00', 'committed'],
    ['the first of the next', '2026-03-05T00:00:00+07:00', 'duplicate'],
    ['later that day', '2026-03-05T23:00:00+07:00', 'duplicate'],
    ['two days later', '2026-03-06T00:00:00+07:00', 'committed'],
    ['years ahead', '2029-03-06T00:00:00+07:00', 'committed'],
  ]
  for (const [title, iso, answer] of rows) {
    const commit = aCommit({ head: aHead({ id: at(iso), key: 'same', amountMinor: ZERO }) })
    t.equal((await journal.commit(commit)).tag, answer, title)
    if (answer === 'committed') t.ok(await journal.findAnywhere(commit.head.id), title)
  }
  const inquiryId = at('2026-03-04T23:59:59.999+07:00')
  const payments = ['2026-03-05T00:00:00+07:00', '2026-03-09T00:00:00+07:00'].map(iso =>
    aCommit({ head: aHead({ id: at(iso) + 1n, inquiryId, amountMinor: ZERO } as never) }),
  )
  t.equal((await journal.commit(payments[0]!)).tag, 'committed')
  t.equal((await journal.commit(payments[1]!)).tag, 'duplicate', 'an inquiry is bound for ever')
  t.equal((await all(journal.open())).length, 5)
  t.equal((await journal.list({ limit: 3 })).length, 3)
  t.same((await journal.audit()).problems, [])
})

void t.test('a node of one name runs once; what a dead one left is found by the next', async t => {
  const schema = `test_${++schemas}`
  const first = await fresh(t, { schema, node: 'one' })
  const mine = aCommit()
  await first.commit(mine)
  await t.rejects(fresh(t, { schema, node: 'one', lockWaitMs: 300 }), { code: 'NODE_RUNNING' })
  const second = await fresh(t, { schema, node: 'two' })
  t.same(await all(second.open()), [], 'the first one runs and drives its own')
  t.equal((await all(first.open())).length, 1)
  await first.close()
  t.match(await all(second.open()), [{ id: mine.head.id }])
  const again = await fresh(t, { schema, node: 'one' })
  t.match(await all(again.open()), [{ id: mine.head.id }])
  t.equal(await again.newestId(), mine.head.id)
})

void t.test('evidence opens with its key only', async t => {
  const schema = `test_${++schemas}`
  const journal = await fresh(t, { schema })
  const record = { atMs: 1, event: 'admitted', tag: 'sending', frames: [aFrame()] }
  const commit = aCommit({ records: [record] })
  await journal.commit(commit)
  const { partner, id } = commit.head
  t.equal((await journal.story(partner, id))?.records[0]?.frames?.[0]?.bytes.length, 400)
  await journal.close()
  const other = await fresh(t, { schema, evidenceKey: new Secret(random.bytes(32).slice()) })
  await t.rejects(other.story(partner, id))
  t.ok(await other.find(partner, id), 'what is not evidence is read all the same')
})

/** Between us and the server, so that an answer can get lost on its way. */
function wire(t: Test, folder: string): Promise<{ server: Server; cut: { next: boolean } }> {
  const cut = { next: false }
  const proxy = createServer(near => {
    const far = connect(join(server.connection.host, '.s.PGSQL.5432'))
    const end = () => {
      near.destroy()
      far.destroy()
    }
    near.on('data', data => far.write(data))
    far.on('data', data => {
      if (!cut.next) return near.write(data)
      cut.next = false
      return end()
    })
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
  })
  t.teardown(() => {
    proxy.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  return new Promise(resolve => {
    proxy.listen(join(folder, '.s.PGSQL.5432'), () => {
      resolve({ server: proxy, cut })
    })
  })
}

void t.test('a commit whose answer got lost is asked again, and is committed once', async t => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'nadi-wire-'))
  const { cut } = await wire(t, folder)
  const journal = await fresh(t, { host: folder })
  await journal.commit(aDeposit())
  const { key: _key, ...keyless } = aHead()
  const firsts = [aCommit({ postings: [hold()] }), aCommit({ head: keyless, postings: [hold()] })]
  const same = aCommit({ head: aHead({ key: firsts[0]!.head.key! }) })
  cut.next = true
  const answers = await Promise.all(firsts.map(commit => journal.commit(commit)))
  t.same(answers, [{ tag: 'committed' }, { tag: 'committed' }])
  cut.next = true
  const closes = firsts.map(commit => journal.commit(aClose(commit)))
  t.same(await Promise.all(closes), [{ tag: 'committed' }, { tag: 'committed' }])
  cut.next = true
  t.equal((await journal.commit(same)).tag, 'duplicate', 'another’s record is not ours')
  cut.next = true
  const late = await journal.commit(aClose(firsts[0]!, { tag: 'declined' }))
  t.same(late, { tag: 'conflict', version: 2 })
  t.equal(await balanceOf(journal, 'payable:pln'), 2n * (rupiah(100) - 1n), 'once each')
  t.same((await journal.audit()).problems, [])
})

void t.test('the server is killed in mid-load: nothing is lost, nothing doubled', async t => {
  const journal = await fresh(t, { retryMs: 20_000 })
  await journal.commit(aDeposit('4519001', rupiah(1_000_000)))
  const told: { commit: Commit; version: number }[] = []
  let unknown = 0
  const load = { on: true }
  const lane = async () => {
    while (load.on) {
      const first = aCommit({
        head: aHead({ amountMinor: rupiah(1) }),
        postings: [hold(rupiah(1))],
      })
      for (const commit of [first, aClose(first, { postings: [settleOne()] })]) {
        try {
          const { tag } = await journal.commit(commit)
          if (tag !== 'committed') throw new Error(`answered ${tag}`)
          told.push({ commit: first, version: commit.expects + 1 })
        } catch (error) {
          if (!isNadiError(error, 'JOURNAL_UNAVAILABLE')) throw error
          unknown++
          await pause(20)
          break
        }
      }
    }
  }
  const lanes = Array.from({ length: 32 }, lane)
  for (let kills = 0; kills < 3; kills++) {
    await pause(300)
    const { pid } = server
    if (pid === undefined) throw new Error('the server runs')
    process.kill(pid, 'SIGKILL')
    const back = () => server.pid !== undefined && server.pid !== pid && journal.available
    for (let n = 0; n < 1200 && !back(); n++) await pause(50)
    t.ok(journal.available, 'it recovers by itself')
  }
  load.on = false
  await Promise.all(lanes)
  t.comment(`${told.length} steps told, ${unknown} refused`)
  const versions = new Map<bigint, number>()
  for (const { commit, version } of told) versions.set(commit.head.id, version)
  let lost = 0
  for (const [id, version] of versions) {
    const txn = await journal.find('4519001', id as never)
    if ((txn?.version ?? 0) < version) lost++
  }
  t.equal(lost, 0, 'what was answered is there')
  const { problems } = await journal.audit()
  t.same(problems, [])
})

function settleOne() {
  return posting('settle', [
    ['hold', 0n - rupiah(1)],
    ['payable:pln', rupiah(1)],
  ])
}

function pause(ms: number): Promise<void> {
  return new Promise(done => {
    clock.at(clock.nowMs() + ms, done)
  })
}
