import t from 'tap'
import { rupiah, settled, VirtualClock } from '#base'
import { MemoryJournal, MemoryStore } from '#journal'
import {
  aClose,
  aCommit,
  aDeposit,
  balanceOf,
  clock,
  hold,
  keepsTheJournalPromise,
} from './conformance.ts'

void t.test('memory keeps the promise', async t => {
  keepsTheJournalPromise(t, async () => new MemoryJournal({ clock }))
})

void t.test('memory keeps the promise when durability takes time', async t => {
  keepsTheJournalPromise(t, async () => new MemoryJournal({ clock, commitDelayMs: () => 1 }))
})

void t.test('a crash loses what was not durable, and answers nobody', async t => {
  const rows: [title: string, durable: boolean[], survive: boolean[]][] = [
    ['nothing had reached the disk', [false, true], [false, false]],
    ['the first had, unanswered', [true, false], [true, false]],
    ['both had, unanswered', [true, true], [true, true]],
  ]
  for (const [title, durable, survive] of rows) {
    const time = new VirtualClock(Date.UTC(2026, 10, 22))
    const store = new MemoryStore()
    const journal = new MemoryJournal({ clock: time, store, commitDelayMs: () => 5 })
    const deposit = journal.commit(aDeposit())
    await time.runUntil(time.nowMs() + 5)
    t.same(await deposit, { tag: 'committed' })

    const commits = [aCommit({ postings: [hold()] }), aCommit({ postings: [hold()] })]
    let answers = 0
    for (const commit of commits) void journal.commit(commit).then(() => answers++)
    await time.runUntil(time.nowMs() + 4)
    journal.crash(() => durable.shift() ?? false)
    t.equal(journal.available, false)
    void journal.commit(aCommit()).then(() => answers++)
    await time.runUntil(time.nowMs() + 100)
    t.equal(answers, 0, `${title}: nobody is answered`)

    const after = new MemoryJournal({ clock: time, store })
    const found = await Promise.all(commits.map(({ head }) => after.find(head.partner, head.id)))
    t.same(
      found.map(txn => txn !== undefined),
      survive,
      title,
    )
    t.equal(await balanceOf(after, 'hold'), rupiah(100 * survive.filter(Boolean).length))
    t.same((await after.audit()).problems, [])
  }
})

void t.test(
  'answers come in order and after the delay; full and away are said at once',
  async t => {
    const time = new VirtualClock(Date.UTC(2026, 10, 22))
    const delays = [20, 5, 1]
    const journal = new MemoryJournal({
      clock: time,
      commitDelayMs: () => delays.shift() ?? 1,
      inFlightMax: 3,
    })
    const order: number[] = []
    for (const n of [1, 2, 3]) void journal.commit(aCommit()).then(() => order.push(n))
    await t.rejects(journal.commit(aCommit()), { code: 'JOURNAL_FULL' })
    await time.runUntil(time.nowMs() + 19)
    t.same(order, [])
    await time.runUntil(time.nowMs() + 1)
    t.same(order, [1, 2, 3])
    journal.setAvailable(false)
    await t.rejects(journal.commit(aCommit()), { code: 'JOURNAL_UNAVAILABLE' })
    journal.setAvailable(true)
    const late = journal.commit(aCommit())
    await time.runUntil(time.nowMs() + 1)
    t.same(await late, { tag: 'committed' })
  },
)

void t.test('the audit finds what is wrong', async t => {
  const rows: [check: string, spoil: (store: MemoryStore) => void][] = [
    ['balance', store => store.balances.get('4519001')!.set('fee', 7n)],
    ['total', store => store.balances.get('4519001')!.set('fee', 7n)],
    ['posting', store => spoilPosting(store)],
    ['hold', store => (last(store).owes = undefined)],
    ['txn', store => (last(store).version = 9)],
    ['version', store => (last(store).records[0]!.version = 2)],
  ]
  for (const [check, spoil] of rows) {
    const journal = new MemoryJournal({ clock })
    await journal.commit(aDeposit())
    const closed = aCommit({ postings: [hold()] })
    await journal.commit(closed)
    await journal.commit(aClose(closed))
    await journal.commit(aCommit({ postings: [hold()] }))
    t.same((await journal.audit()).problems, [])
    spoil(journal.store)
    const { problems } = await journal.audit()
    t.ok(
      problems.some(problem => problem.check === check),
      `${check}: ${problems.map(problem => problem.text).join('; ')}`,
    )
  }
  await settled()
})

function last(store: MemoryStore) {
  return [...store.txns.values()].at(-1)!
}

function spoilPosting(store: MemoryStore): void {
  const { postings } = last(store)
  postings[0] = { ...postings[0]!, legs: postings[0]!.legs.slice(1) }
}
