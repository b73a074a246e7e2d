import * as fc from 'fast-check'
import type { Test } from 'tap'
import {
  businessDate,
  formatTxnId,
  isNadiError,
  rupiah,
  SystemClock,
  TxnIds,
  txnIdMs,
  type AmountMinor,
  type TxnId,
} from '#base'
import type { Commit, CommitResult, Evidence, Journal, Obligation, TxnHead } from '#journal'
import { posting, type Posting } from '#ledger'

export const clock = new SystemClock()
export const ids = new TxnIds(clock, 7)

export const OWES: Obligation = { step: 'answer', destination: 'pln', dueAtMs: 1_800_000_000_000 }

export function aHead(over: Partial<TxnHead> = {}): TxnHead {
  const id = over.id ?? ids.next()
  return {
    id,
    partner: '4519001',
    businessDate: businessDate(txnIdMs(id)),
    kind: 'payment',
    product: 'pln-postpaid',
    customer: '999900000015',
    amountMinor: rupiah(100),
    key: `2200|${id}`,
    content: 'c0ffee',
    ...over,
  }
}

export function aFrame(over: Partial<Evidence> = {}): Evidence {
  return {
    atMs: 1_790_000_000_123,
    side: 'source',
    direction: 'in',
    via: 'partners',
    pack: 'pln-2003-111',
    bytes: new Uint8Array(400).fill(0x37),
    ...over,
  }
}

/** A commit of one record; `postings` and `owes` as a first step of a payment would have them. */
export function aCommit(over: Partial<Commit> = {}): Commit {
  const tag = over.tag ?? 'sending'
  return {
    head: over.head ?? aHead(),
    expects: 0,
    records: [{ atMs: clock.nowMs(), event: 'admitted', tag, data: { stan: '000017' } }],
    tag,
    state: { tag, attempt: 1 },
    postings: [],
    owes: OWES,
    ...over,
  }
}

export function hold(amount = rupiah(100)): Posting {
  return posting('hold', [
    ['deposit', 0n - amount],
    ['hold', amount],
  ])
}

export function settle(amount = rupiah(100)): Posting {
  return posting('settle', [
    ['hold', 0n - amount],
    ['payable:pln', amount - 1n],
    ['fee', 1n],
  ])
}

export function release(amount = rupiah(100)): Posting {
  return posting('release', [
    ['hold', 0n - amount],
    ['deposit', amount],
  ])
}

export function aDeposit(partner = '4519001', amount = rupiah(1_000_000)): Commit {
  const head = aHead({ partner, kind: 'deposit', product: '', customer: '', amountMinor: amount })
  return aCommit({
    head,
    tag: 'booked',
    postings: [
      posting('deposit', [
        ['funding', 0n - amount],
        ['deposit', amount],
      ]),
    ],
    owes: undefined,
  })
}

/** The second step of a payment that `first` began. */
export function aClose(first: Commit, over: Partial<Commit> = {}): Commit {
  const tag = over.tag ?? 'paid'
  return {
    ...first,
    expects: first.records.length,
    records: [{ atMs: clock.nowMs(), event: 'answered', tag, data: { code: '0000' } }],
    tag,
    state: { tag },
    postings: [settle()],
    owes: undefined,
    ...over,
  }
}

export async function balanceOf(journal: Journal, account: string, partner = '4519001') {
  const all = await journal.balances(partner)
  return all.find(balance => balance.account === account)?.balanceMinor ?? 0n
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    return `no failure, but ${JSON.stringify(await promise)}`
  } catch (error) {
    return isNadiError(error) ? error.code : String(error)
  }
}

type Fresh = (t: Test) => Promise<Journal>

/** What every keeper of the journal must keep; called by memory.test.ts and postgres.test.ts. */
export function keepsTheJournalPromise(t: Test, fresh: Fresh): void {
  void t.test('a payment in two steps', t => twoSteps(t, fresh))
  void t.test('what was taken is not taken again', t => duplicates(t, fresh))
  void t.test('a version is written once', t => versions(t, fresh))
  void t.test('a deposit is never overdrawn', t => funds(t, fresh))
  void t.test('what cannot be stored is refused, and hurts nobody', t => refusals(t, fresh))
  void t.test('what was stored is found again', t => reading(t, fresh))
  void t.test('however commits fall, the books agree', t => books(t, fresh))
}

async function twoSteps(t: Test, fresh: Fresh): Promise<void> {
  const journal = await fresh(t)
  t.equal(journal.available, true)
  t.equal(await journal.newestId(), undefined)
  t.same(await journal.commit(aDeposit()), { tag: 'committed' })
  const first = aCommit({ postings: [hold()] })
  t.same(await journal.commit(first), { tag: 'committed' })
  t.equal(await balanceOf(journal, 'hold'), rupiah(100))
  t.equal(await journal.newestId(), first.head.id)

  const opened = await all(journal.open())
  t.equal(opened.length, 1)
  t.match(opened[0], { id: first.head.id, tag: 'sending', version: 1, owes: OWES })
  t.same(opened[0]?.state, { tag: 'sending', attempt: 1 })
  const { id } = first.head
  t.same(await journal.openSummary(), [
    {
      tag: 'sending',
      product: 'pln-postpaid',
      partner: '4519001',
      count: 1,
      oldestAtMs: txnIdMs(id),
    },
  ])
  t.match(await journal.audit(), { openPayments: 1, heldMinor: rupiah(100), problems: [] })

  t.same(await journal.commit(aClose(first)), { tag: 'committed' })
  t.same(await all(journal.open()), [])
  t.same(await journal.openSummary(), [])
  t.equal(await balanceOf(journal, 'hold'), 0n)
  t.equal(await balanceOf(journal, 'payable:pln'), rupiah(100) - 1n)
  t.equal(await balanceOf(journal, 'deposit'), rupiah(999_900))
  t.same(await journal.audit(), {
    postings: 3,
    accounts: 5,
    totalMinor: 0n,
    heldMinor: 0n,
    openPayments: 0,
    problems: [],
  })
}

async function duplicates(t: Test, fresh: Fresh): Promise<void> {
  const journal = await fresh(t)
  await journal.commit(aDeposit())
  const first = aCommit({ head: aHead({ key: 'k1' }), postings: [hold()] })
  await journal.commit(first)
  const again = await journal.commit(aCommit({ head: aHead({ key: 'k1' }), postings: [hold()] }))
  t.match(again, {
    tag: 'duplicate',
    on: 'key',
    existing: { id: first.head.id, content: 'c0ffee' },
  })
  t.same((again as { existing: unknown }).existing, await journal.find('4519001', first.head.id))
  t.equal(await balanceOf(journal, 'hold'), rupiah(100), 'a repeated key moves no money')

  const other = aCommit({ head: aHead({ key: 'k1', partner: '4519002' }) })
  t.same(await journal.commit(other), { tag: 'committed' }, 'keys are the partner’s own')
  const bare = () => {
    const { key: _key, ...head } = aHead()
    return aCommit({ head })
  }
  t.same(await journal.commit(bare()), { tag: 'committed' })
  t.same(await journal.commit(bare()), { tag: 'committed' }, 'no key is no promise')

  const inquiry = aCommit({ head: aHead({ kind: 'inquiry' }), tag: 'answered', owes: undefined })
  await journal.commit(inquiry)
  const bound = aCommit({ head: aHead({ inquiryId: inquiry.head.id }), owes: OWES })
  t.same(await journal.commit(bound), { tag: 'committed' })
  const second = await journal.commit(aCommit({ head: aHead({ inquiryId: inquiry.head.id }) }))
  t.match(second, { tag: 'duplicate', on: 'inquiry', existing: { id: bound.head.id } })

  const same = Array.from({ length: 8 }, () => aCommit({ head: aHead({ key: 'k2' }) }))
  const answers = await Promise.all(same.map(commit => journal.commit(commit)))
  t.equal(count(answers, 'committed'), 1, 'of equal keys handed in together one gets through')
  t.equal(count(answers, 'duplicate'), 7)
  const inquiries = Array.from({ length: 8 }, () =>
    aCommit({ head: aHead({ inquiryId: first.head.id }) }),
  )
  const bindings = await Promise.all(inquiries.map(commit => journal.commit(commit)))
  t.equal(count(bindings, 'committed'), 1, 'and of equal inquiries')
  t.equal(count(bindings, 'duplicate'), 7)
}

function count(results: readonly CommitResult[], tag: CommitResult['tag']): number {
  return results.filter(result => result.tag === tag).length
}

async function versions(t: Test, fresh: Fresh): Promise<void> {
  const journal = await fresh(t)
  const { key: _key, ...head } = aHead()
  const first = aCommit({ head })
  t.same(await journal.commit({ ...first, expects: 1 }), { tag: 'conflict', version: 0 })
  await journal.commit(first)
  t.same(await journal.commit(first), { tag: 'conflict', version: 1 })
  const record = { atMs: 5, event: 'deadline', tag: 'unknown' }
  const next = aCommit({ head, expects: 1, tag: 'unknown', records: [record, record] })
  const [one, two] = await Promise.all([journal.commit(next), journal.commit(next)])
  t.same(one, { tag: 'committed' })
  t.same(two, { tag: 'conflict', version: 3 }, 'the second of two at once')
  t.same(await journal.commit({ ...next, expects: 4 }), { tag: 'conflict', version: 3 })
  const foreign = { ...next, expects: 3, head: { ...head, partner: '4519002' } }
  t.same(await journal.commit(foreign), { tag: 'conflict', version: 0 }, 'of another partner')
  const txn = await journal.find('4519001', head.id)
  t.same(
    txn?.records.map(record => [record.version, record.event, record.tag, record.data]),
    [
      [1, 'admitted', 'sending', { stan: '000017' }],
      [2, 'deadline', 'unknown', undefined],
      [3, 'deadline', 'unknown', undefined],
    ],
  )
  t.match(txn, { tag: 'unknown', version: 3, changedAtMs: 5 })

  const chain = aCommit()
  const steps = [chain, aClose(chain, { tag: 'unknown', owes: OWES, postings: [] })]
  steps.push(aClose(chain, { expects: 2, postings: [] }))
  const answers = await Promise.all(steps.map(step => journal.commit(step)))
  t.equal(count(answers, 'committed'), 3, 'steps handed in together are taken in their order')
  t.match(await journal.find('4519001', chain.head.id), { version: 3, tag: 'paid' })
}

async function funds(t: Test, fresh: Fresh): Promise<void> {
  const journal = await fresh(t)
  const broke = await journal.commit(aCommit({ postings: [hold()] }))
  t.same(broke, { tag: 'insufficient-funds', availableMinor: 0n })
  await journal.commit(aDeposit('4519001', rupiah(250)))
  const many = Array.from({ length: 6 }, () => aCommit({ postings: [hold()] }))
  const answers = await Promise.all(many.map(commit => journal.commit(commit)))
  t.same(
    answers.map(answer => answer.tag),
    ['committed', 'committed', ...Array.from({ length: 4 }, () => 'insufficient-funds')],
    'the first two are covered',
  )
  t.same(answers[5], { tag: 'insufficient-funds', availableMinor: rupiah(50) })
  t.equal(await journal.find('4519001', many[5]!.head.id), undefined, 'the rest left nothing')
  t.same(await journal.commit({ ...many[2]!, postings: [hold(rupiah(50))] }), { tag: 'committed' })

  const freed = aClose(many[0]!, { tag: 'declined', postings: [release()] })
  const third = aCommit({ postings: [hold(rupiah(70))] })
  const pair = await Promise.all([journal.commit(freed), journal.commit(third)])
  t.same(pair, [{ tag: 'committed' }, { tag: 'committed' }], 'what was freed before counts')
  const rich = aDeposit('4519002')
  const poor = aCommit({ postings: [hold(rupiah(31))] })
  const mixed = await Promise.all([journal.commit(poor), journal.commit(rich)])
  t.same(mixed, [{ tag: 'insufficient-funds', availableMinor: rupiah(30) }, { tag: 'committed' }])
  t.same((await journal.audit()).problems, [])
}

async function refusals(t: Test, fresh: Fresh): Promise<void> {
  const journal = await fresh(t)
  await journal.commit(aDeposit())
  const leg = (account: string, amount: bigint) =>
    ({ account, amountMinor: amount }) as Posting['legs'][number]
  const rows: [title: string, over: Partial<Commit>][] = [
    ['no record', { records: [] }],
    ['a NUL in a text', { head: aHead({ customer: 'a\0b' }) }],
    ['a text that is too long', { head: aHead({ key: 'k'.repeat(257) }) }],
    ['an amount of 64 bits', { head: aHead({ amountMinor: (1n << 63n) as AmountMinor }) }],
    ['a posting out of balance', { postings: [{ reason: 'hold', legs: [leg('hold', 1n)] }] }],
    ['a posting without legs', { postings: [{ reason: 'hold', legs: [] }] }],
    ['an account of odd letters', { postings: [{ reason: 'hold', legs: [leg('{"}', 0n)] }] }],
    ['a state that is no data', { state: () => 1 }],
    ['another tag than the last record’s', { tag: 'paid', records: aCommit().records }],
    ['a date that is none', { head: aHead({ businessDate: '2026-1-1' as never }) }],
  ]
  for (const [title, over] of rows) {
    const good = aCommit({ postings: [hold(rupiah(1))] })
    const [bad, fine] = await Promise.all([
      codeOf(journal.commit(aCommit(over))),
      journal.commit(good),
    ])
    t.equal(bad, 'JOURNAL_REFUSED', title)
    t.same(fine, { tag: 'committed' }, `${title}: its neighbour`)
  }
  t.same((await journal.audit()).problems, [])
  await journal.close()
  t.equal(await codeOf(journal.commit(aCommit())), 'JOURNAL_UNAVAILABLE', 'after the end')
}

async function reading(t: Test, fresh: Fresh): Promise<void> {
  const journal = await fresh(t)
  await journal.commit(aDeposit())
  const inquiry = aCommit({
    head: aHead({ kind: 'inquiry', product: 'pln-prepaid', customer: 'o\'Brien \\ "x" {é},NULL' }),
    tag: 'answered',
    owes: undefined,
  })
  await journal.commit(inquiry)
  const frames = [
    aFrame(),
    aFrame({ side: 'destination', direction: 'out', bytes: Uint8Array.of(0, 255, 1) }),
    aFrame({ direction: 'out', via: 'pln', bytes: new Uint8Array(0) }),
  ]
  const data = { amountMinor: 12345678901234567890n, name: 'Ü\u0001\ud83d\ude00', none: null }
  const first = aCommit({
    head: aHead({ inquiryId: inquiry.head.id, customer: '999900000099' }),
    records: [
      { atMs: 1, event: 'admitted', tag: 'received', data, frames },
      { atMs: 2, event: 'sent', tag: 'sending', frames: [aFrame()] },
    ],
    postings: [
      hold(),
      posting('hold', [
        ['hold', 1n],
        ['deposit', -1n],
      ]),
    ],
    state: { tag: 'sending', list: [1, 'zwei', { holdMinor: 5n }] },
  })
  await journal.commit(first)
  const { id } = first.head
  const expected = {
    ...first.head,
    version: 2,
    tag: 'sending',
    owes: OWES,
    openedAtMs: txnIdMs(id),
    changedAtMs: 2,
    state: first.state,
    records: [
      { version: 1, atMs: 1, event: 'admitted', tag: 'received', data },
      { version: 2, atMs: 2, event: 'sent', tag: 'sending' },
    ],
  }
  t.same(await journal.find('4519001', id), expected)
  t.equal(await journal.find('4519002', id), undefined, 'not another partner’s')
  t.same(await journal.findByKey('4519001', first.head.key!), expected)
  t.equal(await journal.findByKey('4519002', first.head.key!), undefined)
  t.equal(await journal.findByKey('4519001', 'nobody’s'), undefined)
  t.same(await journal.findAnywhere(id), expected)
  t.equal(await journal.findAnywhere(ids.next()), undefined)
  const story = await journal.story('4519001', id)
  t.same(
    story?.records.map(record =>
      record.frames?.map(frame => ({ ...frame, bytes: [...frame.bytes] })),
    ),
    [frames, [aFrame()]].map(list => list.map(frame => ({ ...frame, bytes: [...frame.bytes] }))),
  )
  t.same(
    story?.postings,
    first.postings.map(posting => ({ ...posting, version: 2, atMs: 2 })),
  )
  t.equal(await journal.story('4519002', id), undefined)
  await lists(t, journal, { first: id, inquiry: inquiry.head.id })
}

async function lists(t: Test, journal: Journal, made: { first: TxnId; inquiry: TxnId }) {
  const later = aCommit({ tag: 'unknown' })
  await journal.commit(later)
  const rows: [title: string, filter: Parameters<Journal['list']>[0], found: TxnId[]][] = [
    ['newest first', { limit: 2 }, [later.head.id, made.first]],
    ['open', { state: 'open', limit: 9 }, [later.head.id, made.first]],
    ['a state', { state: 'answered', limit: 9 }, [made.inquiry]],
    ['a product', { product: 'pln-prepaid', limit: 9 }, [made.inquiry]],
    ['a customer', { customer: '999900000099', limit: 9 }, [made.first]],
    ['a kind', { kind: 'inquiry', partner: '4519001', limit: 9 }, [made.inquiry]],
    ['a stranger', { partner: '4519002', limit: 9 }, []],
    ['since later', { sinceMs: txnIdMs(later.head.id) + 1, limit: 9 }, []],
  ]
  for (const [title, filter, found] of rows) {
    const txns = await journal.list(filter)
    t.same(
      txns.map(txn => formatTxnId(txn.id)),
      found.map(formatTxnId),
      title,
    )
  }
  const [row] = await journal.list({ customer: '999900000099', limit: 1 })
  const {
    state: _state,
    records: _records,
    ...expected
  } = (await journal.find('4519001', made.first))!
  t.same(row, expected, 'a row is the txn without state and records')
}

/** One step of a random life: which of a few payments, and what is done to it. */
type Act = { payment: number; act: 'open' | 'settle' | 'release' | 'unknown'; amount: number }

async function books(t: Test, fresh: Fresh): Promise<void> {
  const anAct = fc.record<Act>({
    payment: fc.nat(5),
    act: fc.constantFrom('open', 'settle', 'release', 'unknown'),
    amount: fc.integer({ min: 1, max: 90 }),
  })
  const property = fc.asyncProperty(fc.array(anAct, { maxLength: 30 }), async acts => {
    const journal = await fresh(t)
    await journal.commit(aDeposit('4519001', rupiah(150)))
    const payments = new Map<number, { first: Commit; expects: number; final: boolean }>()
    const answers: Promise<CommitResult>[] = []
    for (const { payment, act, amount } of acts) {
      const known = payments.get(payment)
      if (act === 'open' && !known) {
        const amountMinor = rupiah(amount)
        const first = aCommit({ head: aHead({ amountMinor }), postings: [hold(amountMinor)] })
        payments.set(payment, { first, expects: 1, final: false })
        answers.push(journal.commit(first))
      } else if (known && act !== 'open' && !known.final) {
        known.final = act !== 'unknown'
        answers.push(journal.commit(step(known.first, act, known.expects++)))
      }
    }
    await Promise.all(answers)
    const { problems, totalMinor, openPayments } = await journal.audit()
    const open = await all(journal.open())
    await journal.close()
    return problems.length === 0 && totalMinor === 0n && openPayments === open.length
  })
  await fc.assert(property, { numRuns: 12 })
}

function step(first: Commit, act: Act['act'], expects: number): Commit {
  const amount = first.head.amountMinor
  if (act === 'settle') return aClose(first, { expects, postings: [settle(amount)] })
  if (act === 'release')
    return aClose(first, { expects, postings: [release(amount)], tag: 'declined' })
  return aClose(first, { expects, tag: 'unknown', postings: [], owes: OWES })
}
