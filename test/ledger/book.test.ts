import fc from 'fast-check'
import t from 'tap'
import { minor, rupiah, split, sum } from '#base'
import { book, bookDeposit, posting } from '#ledger'
import { price } from '#pricing'
import type { Message } from '#message'
import type { TxnState } from '#txn'

const fee = {
  adminPerBillMinor: rupiah(1250),
  insideAmount: false,
  shares: { biller: 0n, switch: 40n, partner: 60n },
}
const message = { amountMinor: rupiah(260_500), billsPaid: 2 } as Message
const priced = price(fee, message)
const finding = { route: 'pln', attempts: 0, repeat: false, phase: 'waiting', signOns: 0 } as const

const states: Record<string, TxnState> = {
  received: { tag: 'received' },
  sending: { tag: 'sending', routes: ['pln'], signOns: 0, undo: false },
  unknown: { tag: 'unknown', ...finding },
  'suspect, held': { tag: 'suspect', route: 'pln', money: 'held' },
  'suspect, settled': { tag: 'suspect', route: 'pln', money: 'settled' },
  paid: { tag: 'paid', route: 'pln' },
  reversing: { tag: 'reversing', ...finding },
  declined: { tag: 'declined', reason: 'cut-off' },
  reversed: { tag: 'reversed' },
}

t.test('which step books what', async t => {
  const hold = 'hold: deposit -26300000, hold 26300000'
  const release = 'release: hold -26300000, deposit 26300000'
  const settle = 'settle: hold -26300000, payable:pln 26050000, fee 100000, commission 150000'
  const undo = 'undo: payable:pln -26050000, fee -100000, commission -150000, deposit 26300000'
  const rows: [from: string, to: string, books: string][] = [
    ['received', 'sending', hold],
    ['received', 'declined', ''],
    ['sending', 'paid', settle],
    ['sending', 'declined', release],
    ['sending', 'unknown', ''],
    ['sending', 'reversing', settle],
    ['unknown', 'paid', settle],
    ['unknown', 'reversed', release],
    ['unknown', 'declined', release],
    ['unknown', 'suspect, held', ''],
    ['suspect, held', 'paid', settle],
    ['suspect, held', 'reversed', release],
    ['suspect, settled', 'reversed', undo],
    ['suspect, settled', 'paid', ''],
    ['paid', 'reversing', ''],
    ['reversing', 'reversed', undo],
    ['reversing', 'paid', ''],
    ['reversing', 'suspect, settled', ''],
  ]
  for (const [from, to, books] of rows) {
    const postings = book(states[from] as TxnState, states[to] as TxnState, priced, 'pln')
    const text = postings
      .map(
        ({ reason, legs }) =>
          `${reason}: ${legs.map(leg => `${leg.account} ${leg.amountMinor}`).join(', ')}`,
      )
      .join('; ')
    t.equal(text, books, `${from} to ${to}`)
  }
})

t.test('a posting balances or cannot be made', async t => {
  t.throws(
    () =>
      posting('hold', [
        ['deposit', -1n],
        ['hold', 2n],
      ]),
    { code: 'LEDGER_UNBALANCED' },
  )
  t.same(
    posting('hold', [
      ['deposit', 0n],
      ['hold', 0n],
    ]).legs,
    [],
    'legs of nothing are left out',
  )
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), amount => {
      const { legs } = bookDeposit(minor(amount))
      return sum(legs.map(leg => leg.amountMinor)) === 0n
    }),
  )
})

t.test('whatever it costs, what is held is what is given out', async () => {
  const aShare = fc.bigInt({ min: 0n, max: 1000n })
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 14n }),
      fc.bigInt({ min: 0n, max: 10n ** 7n }),
      fc.tuple(aShare, aShare, aShare).filter(shares => shares.some(share => share > 0n)),
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      (amount, admin, [biller, ours, partner], insideAmount, billsPaid) => {
        const schedule = {
          adminPerBillMinor: minor(admin),
          insideAmount,
          shares: { biller, switch: ours, partner },
        }
        const of = price(schedule, { amountMinor: minor(amount), billsPaid } as Message)
        return of.totalMinor === of.payableMinor + of.feeMinor + of.commissionMinor
      },
    ),
  )
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 15n }),
      fc
        .array(fc.bigInt({ min: 0n, max: 1000n }), { minLength: 1, maxLength: 6 })
        .filter(all => all.some(one => one > 0n)),
      (total, shares) => sum(split(minor(total), shares)) === total,
    ),
  )
})
