import * as fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, appendFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { minor, rupiah, SeededRandom, VirtualClock, type AmountMinor, type LocalTime } from '#base'
import { dueOfBills, type Message, type MessageKind } from '#message'
import { Book, openBookFile, PLN_DESKS, type Desk } from '#sim'
import { Clerk } from '../../src/sim/clerk.ts'
import { postpaidOf, prepaidOf, registrationOf } from '../../src/sim/customers.ts'
import { deskFor } from '../../src/sim/desk-for.ts'
import { asLines } from '../../src/sim/lines.ts'
import { References } from '../../src/sim/references.ts'
import { inventName, lateFeeRupiah } from '../../src/sim/invent.ts'
import { breakdown, tokenNumber } from '../../src/sim/purchase.ts'

const NOV_20 = Date.UTC(2026, 10, 20, 3)

function biller(book = new Book(), startMs = NOV_20) {
  const clock = new VirtualClock(startMs)
  const references = new References(clock, new SeededRandom(1))
  const clerk = new Clerk({ clock, book, references, checkReferences: true })
  const ask = (message: Message, setting = {}) =>
    clerk.answer(message, PLN_DESKS[message.product ?? ''] as Desk, setting)
  return { book, clock, ask }
}

const SENT = { sentAt: '20261120091500' as LocalTime, bank: '4519999', terminal: '0LOKET' }

function request(kind: MessageKind, product: string, more: Partial<Message>): Message {
  return { kind, direction: 'request', repeat: false, product, trace: '1', ...SENT, ...more }
}

const inquiry = (id: string) => request('inquiry', 'pln-postpaid', { customer: { id } })

/** The payment of what an inquiry told; all bills unless fewer are wanted. */
function payment(told: Message, trace: string, billsPaid = told.bills?.length): Message {
  const { outcome: _, settlementDate: __, ...rest } = told
  const bills = told.bills?.slice(0, billsPaid) ?? []
  const due = dueOfBills(bills)
  return {
    ...rest,
    kind: 'payment',
    direction: 'request',
    trace,
    ...(told.bills && { billsPaid: billsPaid ?? 0, amountMinor: minor(due) }),
  }
}

function reversal(of: Message, repeat = false): Message {
  const { trace, sentAt, bank = '' } = of
  const later = '20261120091605' as LocalTime
  const original = { kind: 'payment' as const, trace, sentAt, bank }
  return { ...of, kind: 'reversal', repeat, sentAt: later, original }
}

const reasonOf = ({ outcome }: Message) => outcome?.reason

t.test('the sample customers have just the bills of the samples', async t => {
  const { ask } = biller()
  const told = ask(inquiry('999900000015'))
  t.match(told, {
    amountMinor: rupiah(260_500),
    billsOutstanding: 3,
    adminMinor: rupiah(2_500),
    customer: { name: 'PELANGGAN UJI SATU', unit: '99101', unitPhone: '123', powerVa: 1300 },
    bills: [
      { period: '202610', penaltyMinor: rupiah(5_000), offPeak: ['00012000', '00012095'] },
      { period: '202611', amountMinor: rupiah(130_500), dueDate: '00000000' },
    ],
  })
  t.equal(told.reference?.switching?.length, 32)
  t.match(registrationOf('9999912345678', NOV_20), {
    registration: { code: '001', name: 'PASANG BARU', totalMinor: rupiah(937_000) },
  })

  const asked = request('inquiry', 'pln-prepaid', {
    customer: { meter: '99000000010', id: '000000000000', knownBy: 'meter' },
  })
  const prepaid = ask(asked)
  t.match(prepaid, { customer: { id: '999900000023', knownBy: 'meter' }, token: { kwhMax: 1500 } })
  t.notOk('amountMinor' in prepaid, 'the customer says how much')
  const bought = ask({ ...payment(prepaid, '2'), amountMinor: rupiah(102_500) })
  t.match(bought, {
    settlementDate: '20261121',
    reference: { receipt: '00000077' },
    adminMinor: rupiah(2_500),
    infoText: 'Informasi Hubungi Call Center 123',
    token: {
      number: '12345678901234567890',
      lightingTaxMinor: 476_190n,
      energyMinor: 9_523_810n,
      kwhHundredths: 7_044,
      stampDutyMinor: 0n,
      vatMinor: 0n,
      installmentMinor: 0n,
    },
  })
})

t.test('who is unknown', async t => {
  const { ask } = biller()
  const rows: [string, Message, string][] = [
    ['a number of someone else', inquiry('888800000015'), 'customer-unknown'],
    ['a number that is too short', inquiry('99990000001'), 'customer-unknown'],
    ['a number of the book', inquiry('999912340015'), 'approved'],
    [
      'a registration',
      request('inquiry', 'pln-nontaglis', { registration: { number: '8888912345678' } }),
      'registration-unknown',
    ],
    [
      'a meter',
      request('inquiry', 'pln-prepaid', { customer: { meter: '88990000001', knownBy: 'meter' } }),
      'customer-unknown',
    ],
  ]
  for (const [title, message, reason] of rows) t.equal(reasonOf(ask(message)), reason, title)
})

const fee = (powerVa = 0, { amountMinor }: { amountMinor: AmountMinor }) =>
  rupiah(lateFeeRupiah(powerVa, Number(amountMinor / 100n)))

const aNumber = (digits: number) =>
  fc
    .integer({ min: 0, max: 10 ** (digits - 4) - 1 })
    .map(n => `9999${String(n).padStart(digits - 4, '0')}`)

t.test('invented bills are plausible, and the same every time', async t => {
  fc.assert(
    fc.property(aNumber(12), fc.integer({ min: 0, max: 1000 }), (id, days) => {
      const nowMs = NOV_20 + days * 86_400_000
      fc.pre(id !== '999900000015')
      const account = postpaidOf(id, nowMs)
      const again = postpaidOf(id, nowMs)
      t.same(account, again)
      if (!account) return false
      const { bills, outstanding, customer } = account
      const [first, ...rest] = bills
      const periods = bills.map(bill => bill.period)
      return (
        bills.length >= 1 &&
        bills.length <= 4 &&
        outstanding >= bills.length &&
        outstanding <= 9 &&
        (customer.name?.length ?? 99) <= 25 &&
        account.adminMinor === rupiah(2_500 * bills.length) &&
        periods.join() === [...periods].sort().join() &&
        bills.every(
          bill =>
            bill.amountMinor > 0n &&
            bill.amountMinor % 100n === 0n &&
            bill.penaltyMinor % 100n === 0n &&
            bill.offPeak[0] < bill.offPeak[1] &&
            bill.penaltyMinor % fee(customer.powerVa, bill) === 0n,
        ) &&
        rest.reduce<[boolean, typeof first]>(
          ([ok, before], bill) => [ok && before?.offPeak[1] === bill.offPeak[0], bill],
          [true, first],
        )[0]
      )
    }),
  )
})

t.test('no invented name is too long for a receipt', async t => {
  const names = Array.from({ length: 5_000 }, (_, n) => inventName(String(n)).length)
  t.ok(Math.max(...names) <= 25)
})

t.test('a late fee is due for every twentieth that has passed', async t => {
  const feesOn = (day: number) => {
    const nowMs = Date.UTC(2026, 10, day, 3)
    const account = postpaidOf('999900000100', nowMs, { bills: 4, outstanding: 4 })
    return account?.bills.map(bill =>
      Number(bill.penaltyMinor / fee(account.customer.powerVa, bill)),
    )
  }
  t.same(feesOn(20), [3, 2, 1, 0])
  t.same(feesOn(21), [3, 3, 2, 1])
})

t.test('every amount breaks down exactly, and every token is a 66-bit number', async () => {
  fc.assert(
    fc.property(aNumber(11), fc.integer({ min: 1, max: 50_000_000 }), (meter, whole) => {
      const account = prepaidOf(meter, 'meter')
      if (!account) return false
      const bought = breakdown(account, rupiah(whole))
      if (!bought) return rupiah(whole) <= account.adminMinor
      const parts = [
        account.adminMinor,
        bought.stampDutyMinor,
        bought.vatMinor,
        bought.lightingTaxMinor,
        bought.installmentMinor,
        bought.energyMinor,
      ]
      return (
        parts.every(part => part !== undefined && part >= 0n) &&
        parts.reduce((sum: bigint, part) => sum + (part ?? 0n), 0n) === rupiah(whole)
      )
    }),
  )
  fc.assert(
    fc.property(aNumber(11), fc.nat(), (meter, trace) => {
      const token = tokenNumber(meter, String(trace))
      return /^\d{20}$/.test(token) && BigInt(token) < 1n << 66n
    }),
  )
})

t.test('a payment asked twice is in the book once, and reversed it is owed again', async t => {
  const { ask, book } = biller()
  const told = ask(inquiry('999912340042'))
  const pay = payment(told, '000000000124')
  const paid = ask(pay)
  t.equal(reasonOf(paid), 'approved')
  t.same(ask(pay), paid, 'the same answer')
  t.equal(book.size, 1)
  t.equal(book.summary().askedTwice, 1)
  t.equal(reasonOf(ask(inquiry('999912340042'))), 'already-paid')
  t.equal(reasonOf(ask(payment(told, '125'))), 'already-paid', 'by another payment')

  const rows: [string, Message, string][] = [
    ['of another amount', { ...reversal(pay), amountMinor: rupiah(1) }, 'amount-invalid'],
    ['the reversal', reversal(pay), 'approved'],
    ['its repeat', reversal(pay, true), 'approved'],
    ['a new reversal', reversal(pay), 'already-reversed'],
    ['the payment again', pay, 'already-reversed'],
    ['the bills', inquiry('999912340042'), 'approved'],
    ['a payment of them', payment(told, '126'), 'approved'],
  ]
  for (const [title, message, reason] of rows) t.equal(reasonOf(ask(message)), reason, title)
})

t.test('a payment that its reversal or advice overtook is never done', async t => {
  const { ask, book } = biller()
  const pay = payment(ask(inquiry('999912340042')), '000000000124')
  t.match(ask(reversal(pay)).outcome, { meaning: 'nothing', reason: 'no-payment' })
  t.equal(reasonOf(ask(reversal(pay, true))), 'no-payment', 'and the repeat')
  t.equal(reasonOf(ask(pay)), 'already-reversed')
  t.same(book.summary().paid, 0)

  const meter = { customer: { meter: '99991234042', knownBy: 'meter' as const } }
  const told = ask(request('inquiry', 'pln-prepaid', meter))
  const buy = { ...payment(told, '200'), amountMinor: rupiah(50_000) }
  const advice: Message = { ...buy, kind: 'advice', sentAt: '20261120092105' as LocalTime }
  t.equal(reasonOf(ask(advice)), 'no-payment')
  t.equal(reasonOf(ask(buy)), 'already-reversed')

  const second = { ...payment(ask(request('inquiry', 'pln-prepaid', meter)), '201') }
  const bought = ask({ ...second, amountMinor: rupiah(50_000) })
  const asked = ask({ ...second, kind: 'advice', repeat: true, amountMinor: rupiah(50_000) })
  t.equal(reasonOf(asked), 'approved')
  t.same(asked.token, bought.token, 'advice tells the same token')
  t.equal(reasonOf(ask(reversal(second))), 'too-late-to-reverse', 'a token is never undone')
})

t.test('what is wrong with a payment', async t => {
  const { ask } = biller()
  const told = ask(inquiry('999912340901'), { bills: 4, outstanding: 9 })
  const good = payment(told, '1')
  const foreign = { ...told, reference: { switching: 'SWX2026112009150000000000000ABCD' } }
  const rows: [string, Message, string][] = [
    ['another amount', { ...good, amountMinor: rupiah(1) }, 'amount-invalid'],
    ['no inquiry', payment(foreign, '2'), 'no-inquiry'],
    ["another customer's", { ...good, customer: { id: '999912340902' } }, 'no-inquiry'],
    ['more than is told', { ...good, billsPaid: 5 }, 'reference-mismatch'],
    ['one bill', payment(told, '3', 1), 'approved'],
    ['the first again', payment(told, '4', 2), 'already-paid'],
  ]
  for (const [title, message, reason] of rows) {
    t.equal(reasonOf(ask(message, { bills: 4, outstanding: 9 })), reason, title)
  }
  t.match(ask(inquiry('999912340901'), { bills: 4, outstanding: 9 }), {
    billsOutstanding: 8,
    adminMinor: rupiah(7_500),
    bills: { length: 3 },
  })
})

t.test('bills are payable if and only if they are unpaid, whatever happens', async () => {
  const anAction = fc.record({
    customer: fc.integer({ min: 0, max: 2 }),
    what: fc.constantFrom('pay', 'again', 'reverse', 'reverse-again'),
    bills: fc.integer({ min: 1, max: 4 }),
  })
  fc.assert(
    fc.property(fc.array(anAction, { maxLength: 40 }), actions => {
      const { ask, book } = biller()
      const sent: Message[] = []
      for (const [index, { customer, what, bills }] of actions.entries()) {
        const number = `99991234000${customer}`
        const told = ask(inquiry(number))
        const last = sent.findLast(message => message.customer?.id === number)
        if (what === 'pay' && told.outcome?.meaning === 'approved') {
          const pay = payment(told, String(index), Math.min(bills, told.bills?.length ?? 0))
          if (reasonOf(ask(pay)) !== 'approved') return false
          sent.push(pay)
        }
        if (last && what === 'again') ask(last)
        if (last && what.startsWith('reverse')) ask(reversal(last, what === 'reverse-again'))
      }
      return [0, 1, 2].every(customer => {
        const id = `99991234000${customer}`
        const paid = [...book.entries()]
          .filter(({ account, state }) => account.endsWith(id) && state === 'paid')
          .reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
        const owed = postpaidOf(id, NOV_20)?.bills ?? []
        const all = dueOfBills(owed)
        return paid + (ask(inquiry(id)).amountMinor ?? 0n) === all
      })
    }),
  )
})

t.test("the book's file tells the same book again", async t => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-book-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'book.jsonl')
  const book = openBookFile(path)
  const { ask } = biller(book)
  const pays = [1, 2, 3].map(n => payment(ask(inquiry(`99991234000${n}`)), String(n)))
  const [first, second] = pays as [Message, Message, Message]
  for (const pay of pays) ask(pay)
  for (const message of [first, reversal(first), reversal(first, true)]) ask(message)
  ask(reversal({ ...second, trace: '9' }))
  book.close()

  const reopened = () => {
    const again = openBookFile(path)
    again.close()
    return again
  }
  const whole = [...book.entries()]
  t.same([...reopened().entries()], whole)
  t.equal(reasonOf(biller(reopened()).ask(inquiry('999912340002'))), 'already-paid')
  appendFileSync(path, '{"line":"paid","pay')
  t.same([...reopened().entries()], whole, 'a torn line is cut off')
  t.ok(readFileSync(path, 'utf8').endsWith('\n'))
})

t.test('the file of a book that forgets holds what it remembers', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-book-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'book.jsonl')
  let book = openBookFile(path, 10)
  for (let n = 100; n < 150; n++) {
    const { ask } = biller(book)
    const pay = payment(ask(inquiry(`999912340${n}`)), String(n))
    ask(pay)
    if (n % 3 === 0) ask(reversal(pay))
    book.flush()
    if (n % 7 > 0) continue
    const before = [...book.entries()]
    book.close()
    book = openBookFile(path, 10)
    t.same([...book.entries()], before)
  }
  book.close()
  const bytes = statSync(path).size + statSync(`${path}.old`).size
  t.ok(bytes < 20 * 500, `${bytes} bytes`)
})

t.test('a full book forgets its oldest half and goes on', async t => {
  const book = new Book({ entriesMax: 10 })
  const { ask } = biller(book)
  for (let n = 100; n < 150; n++) ask(payment(ask(inquiry(`999912340${n}`)), String(n)))
  t.ok(book.size <= 10)
  t.equal(book.summary().forgotten + book.size, 50)
  t.equal(reasonOf(ask(inquiry('999912340149'))), 'already-paid', 'the newest are known')
  t.equal(reasonOf(ask(inquiry('999912340100'))), 'approved', 'the oldest are owed again')
})

t.test('bills whose billers tell more than an amount', async t => {
  const rows: [product: string, label: string, text: RegExp][] = [
    ['telkom', 'Divre', /^\d{2}$/],
    ['telkom', 'Datel', /^\d{4}$/],
    ['bpjs-kesehatan', 'Peserta', /^[1-5]$/],
    ['bpjs-kesehatan', 'Jumlah bulan', /^3$/],
    ['multifinance', 'Angsuran', /^\d+ dari (12|24|36)$/],
    ['multifinance', 'No polisi', /^B \d{4} [A-Z]{2}$/],
  ]
  const clock = new VirtualClock(NOV_20)
  const references = new References(clock, new SeededRandom(1))
  for (const [product, label, text] of rows) {
    const clerk = new Clerk({ clock, book: new Book(), references, checkReferences: false })
    const asked = request('inquiry', product, { customer: { id: '999900000015' }, months: 3 })
    const told = clerk.answer(asked, deskFor(asked))
    const line = told.details?.find(one => one.label === label)?.text ?? ''
    t.match(line, text, `${product}: ${label}`)
    const lines = clerk.answer(asked, asLines(deskFor(asked))).details?.map(one => one.text)
    t.ok(lines?.includes(`${label.toUpperCase()} : ${line}`), 'where lines have no names')
    const paid = clerk.answer(payment(told, '2'), deskFor(asked))
    t.same(paid.details, told.details, 'the receipt has them too')
    t.equal(reasonOf(paid), 'approved')
    if (product === 'multifinance') t.equal(told.bills?.length, 1, 'one instalment is due')
  }
})
