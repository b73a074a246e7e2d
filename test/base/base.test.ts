import fc from 'fast-check'
import t from 'tap'
import {
  addDays,
  BoundedQueue,
  businessDate,
  formatMoney,
  formatTxnId,
  fromJson,
  isDate,
  localTime,
  localTimeMs,
  minor,
  parseTxnId,
  Secret,
  SeededRandom,
  toJson,
  txnIdMs,
  TxnIds,
  VirtualClock,
} from '#base'

const START = Date.UTC(2026, 10, 20, 2, 15, 0) // 09:15 WIB

t.test('time', async t => {
  t.equal(localTime(START), '20261120091500')
  t.equal(localTimeMs('20261120091500'), START)
  t.equal(localTimeMs('20260230000000'), undefined, 'a day that does not exist')
  t.equal(localTimeMs('2026112009150'), undefined, 'too short')
  t.equal(businessDate(START), '20261120')
  t.equal(businessDate(START, 9 * 3600_000), '20261121', 'after the cutover it is the next day')
  t.equal(addDays('20261231', 1), '20270101')
  t.notOk(isDate('20261301'))
})

t.test('local times are those of the calendar, and come back as they were', async t => {
  const ms = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2400, 11, 31) })
  fc.assert(
    fc.property(ms, atMs => {
      const text = new Date(atMs + 7 * 3600_000).toISOString().replace(/\D/g, '').slice(0, 14)
      t.equal(localTime(atMs), text)
      t.equal(localTimeMs(text), Math.floor(atMs / 1000) * 1000)
    }),
  )
  const two = (max: number) => fc.integer({ min: 0, max }).map(part => `${part}`.padStart(2, '0'))
  const parts = fc.tuple(fc.constantFrom('1900', '2000', '2024', '2026'), two(14), two(33))
  fc.assert(
    fc.property(parts, two(26), two(62), two(62), ([year, month, day], hour, minute, second) => {
      const text = year + month + day + hour + minute + second
      const atMs = Date.UTC(+year, +month - 1, +day, +hour - 7, +minute, +second)
      const exists = localTime(atMs) === text
      t.equal(localTimeMs(text), exists ? atMs : undefined, text)
    }),
  )
  for (const text of ['2026112009150x', ' 026112009150', '2026112009150０', '20261120 91500'])
    t.equal(localTimeMs(text), undefined, text)
})

t.test('virtual time runs what is due, in order, and what was called off not at all', async t => {
  const clock = new VirtualClock(0)
  const ran: string[] = []
  clock.at(20, () => ran.push('b'))
  clock.at(10, () => ran.push('a'))
  clock.at(20, () => ran.push('c'))
  clock.at(15, () => clock.at(16, () => ran.push('nested')))
  clock.at(12, () => ran.push('never'))()
  await clock.runUntil(100)
  t.same(ran, ['a', 'nested', 'b', 'c'])
  t.equal(clock.nowMs(), 100)
})

t.test('timers keep order however they are added and called off', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(500), fc.boolean()), { maxLength: 400 }),
      async plan => {
        const clock = new VirtualClock(0)
        const ran: number[] = []
        const cancels = plan.map(([atMs]) => clock.at(atMs, () => ran.push(atMs)))
        plan.forEach(([, off], index) => off && cancels[index]?.())
        await clock.runUntil(1000)
        const wanted = plan.filter(([, off]) => !off).map(([atMs]) => atMs)
        return JSON.stringify(ran) === JSON.stringify(wanted.sort((a, b) => a - b))
      },
    ),
    { numRuns: 30 },
  )
})

t.test('txn ids rise, carry their time, and survive being read aloud', async t => {
  const clock = new VirtualClock(START)
  const ids = new TxnIds(clock, 5)
  let last = ids.next()
  t.equal(txnIdMs(last), START)
  for (let i = 0; i < 20_000; i++) {
    const id = ids.next()
    if (id <= last) t.fail('an id did not rise')
    last = id
  }
  t.equal(parseTxnId(formatTxnId(last)), last)
  t.equal(parseTxnId(formatTxnId(last).toLowerCase().replaceAll('0', 'o')), last)
  t.equal(parseTxnId('nonsense'), undefined)
  t.equal(parseTxnId('UUUUUUUUUUUU'), undefined)
  const after = new TxnIds(new VirtualClock(START - 60_000), 5, last)
  t.ok(after.next() > last, 'even when the clock was set back')
})

t.test('money is written the Indonesian way', async t => {
  const rows: [bigint, string][] = [
    [26050000n, 'Rp 260.500'],
    [476190n, 'Rp 4.761,90'],
    [-100n, '-Rp 1'],
    [0n, 'Rp 0'],
    [100_000_000_000_000n, 'Rp 1.000.000.000.000'],
  ]
  for (const [amount, text] of rows) t.equal(formatMoney(minor(amount)), text)
})

t.test('money survives JSON, whatever its size', async t => {
  fc.assert(
    fc.property(fc.bigInt(), fc.string(), (amountMinor, name) => {
      const back = fromJson(toJson({ amountMinor, name, list: [{ feeMinor: amountMinor }] }))
      t.same(back, { amountMinor, name, list: [{ feeMinor: amountMinor }] })
    }),
  )
})

t.test('a secret does not show itself', async t => {
  const secret = new Secret('hunter2')
  t.notMatch(JSON.stringify({ secret }) + String(secret), /hunter2/)
  t.equal(secret.reveal(), 'hunter2')
})

t.test('a full queue says so, and order is kept', async t => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat()), { maxLength: 5000 }), steps => {
      const queue = new BoundedQueue<number>(50)
      const model: number[] = []
      for (const step of steps)
        if (step === null) t.equal(queue.shift(), model.shift())
        else if (queue.push(step)) model.push(step)
        else t.equal(model.length, 50)
      return queue.size === model.length
    }),
    { numRuns: 20 },
  )
})

t.test('the same seed gives the same chance', async t => {
  const draw = (seed: number): number[] => {
    const random = new SeededRandom(seed)
    return Array.from({ length: 50 }, () => random.next())
  }
  t.same(draw(42), draw(42))
  t.notSame(draw(42), draw(43))
  t.ok(draw(7).every(value => value >= 0 && value < 1))
})
