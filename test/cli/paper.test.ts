import * as fc from 'fast-check'
import { test } from 'tap'
import { fromLatin1, plain, rupiah, SeededRandom, VirtualClock, wrap } from '#base'
import { receipt, RECEIPT_WIDTH, Stamps } from '#cli'
import { loadPacks } from '#config'
import type { Message } from '#message'
import type { Pack } from '#pack'
import type { StoryView } from '#admin'
import { aboutPayment, adminFor, dueOf, paymentRequest } from '../../src/cli/requests.ts'
import { owedText, storyLines } from '../../src/cli/story.ts'
import { table } from '../../src/cli/table.ts'
import { paintFor } from '../../src/cli/terminal.ts'
import { cut, formatAge, formatDay, formatTime, signedMoney } from '../../src/cli/words.ts'

const { packs } = loadPacks(new URL('../../protocols', import.meta.url).pathname)
const pack = packs.get('pln-2003-111') as Pack

function read(frame: string): Message {
  const result = pack.read(fromLatin1(frame))
  if (result.tag === 'reject') throw result.reject.error
  return result.message
}

const PAID_POSTPAID = read(
  '22105032004182810000059950136000000002605000000000001242026112009153020261121602107451999907451900100000LOKET0000000001344SWX00019999000000152203SWX2026112009150000000000000ABCDPELANGGAN UJI SATU       99101123            R1  000001300000002500202610000000000000000000000125000D00000000000000000000000005000000120000001209500000000000000000000000000000000202611000000000000000000000130500D00000000000000000000000000000000120950001219400000000000000000000000000000000',
)
const BOUGHT = read(
  '22105032004182810006059950236000000001025000000000002012026112009203020261121602107451999907451900100000LOKET0000000001241SWX0001990000000109999000000230PLN0000000000000000000000000ABC1SWX2026112009200000000000000ABCD00000077PELANGGAN UJI DUA        R1M 00000090002000025000020000000000200000000002000047619020000000000200000952381020000007044123456789012345678900289999101123            015000033Informasi Hubungi Call Center 123',
)
const REGISTRATION = read(
  '211050300041828100040599504360000000093700000000000030020261120093000602107451999907451900100000LOKET0000000001267SWX00019999912345678001PASANG BARU              2026110120261201999900000023PELANGGAN UJI TIGA       PLN0000000000000000000000000ABC1SWX2026112009200000000000000ABCD99101JL CONTOH NO 1                     123            2000000000937000002000000000937000002000000000002001200000000093700000',
)

test('receipts of the published samples, line by line', async t => {
  const rows: [title: string, answer: Message, lines: string[]][] = [
    [
      'two of three bills',
      PAID_POSTPAID,
      [
        '              STRUK PEMBAYARAN TAGIHAN LISTRIK',
        '',
        'IDPEL          : 999900000015',
        'NAMA           : PELANGGAN UJI SATU',
        'TARIF/DAYA     : R1/1300 VA',
        'BL/TH          : OKT26, NOV26',
        'STAND METER    : 00012000-00012194',
        'RP TAG PLN     : Rp          260.500',
        'NO REF         : SWX2026112009150000000000000ABCD',
        '',
        ' PLN menyatakan struk ini sebagai bukti pembayaran yang sah',
        '',
        'ADMIN BANK     : Rp            2.500',
        'TOTAL BAYAR    : Rp          263.000',
        '',
        '           ANDA MASIH MEMILIKI TUNGGAKAN 1 BULAN',
      ],
    ],
    [
      'a token',
      BOUGHT,
      [
        '              STRUK PEMBELIAN LISTRIK PRABAYAR',
        '',
        'NO METER       : 99000000010',
        'IDPEL          : 999900000023',
        'NAMA           : PELANGGAN UJI DUA',
        'TARIF/DAYA     : R1M/900 VA',
        'NO REF         : SWX2026112009200000000000000ABCD',
        'RP BAYAR       : Rp          102.500',
        'METERAI        : Rp                0',
        'PPN            : Rp                0',
        'PPJ            : Rp         4.761,90',
        'ANGSURAN       : Rp                0',
        'RP STROOM/TOKEN: Rp        95.238,10',
        'JML KWH        : 70,44',
        'STROOM/TOKEN   : 1234 5678 9012 3456 7890',
        'ADMIN BANK     : Rp            2.500',
        '',
        '             Informasi Hubungi Call Center 123',
      ],
    ],
    [
      'a registration',
      REGISTRATION,
      [
        '                 STRUK NON TAGIHAN LISTRIK',
        '',
        'TRANSAKSI      : PASANG BARU',
        'NO REGISTRASI  : 9999912345678',
        'TGL REGISTRASI : 01NOV26',
        'NAMA           : PELANGGAN UJI TIGA',
        'IDPEL          : 999900000023',
        'BIAYA PLN      : Rp          937.000',
        'NO REF         : SWX2026112009200000000000000ABCD',
        '',
        ' PLN menyatakan struk ini sebagai bukti pembayaran yang sah',
        '',
        'ADMIN BANK     : Rp                0',
        'TOTAL BAYAR    : Rp          937.000',
      ],
    ],
  ]
  for (const [title, answer, lines] of rows) t.same(receipt(answer), lines, title)

  const all = receipt({ ...PAID_POSTPAID, billsOutstanding: 2 })
  t.equal(all.at(-1)?.trim(), 'TERIMA KASIH', 'nothing is owed any more')
  const one = receipt({ ...PAID_POSTPAID, billsPaid: 1, amountMinor: rupiah(130_000) })
  t.ok(one.includes('BL/TH          : OKT26'), 'only what was paid')
  t.ok(one.includes('STAND METER    : 00012000-00012095'))
})

test('whatever a biller sends, a receipt stays in its width and cannot move the cursor', async t => {
  const anyText = fc.string({
    unit: fc.nat(255).map(code => String.fromCharCode(code)),
    maxLength: 60,
  })
  fc.assert(
    fc.property(anyText, anyText, anyText, (name, tariff, infoText) => {
      const customer = { ...BOUGHT.customer, name, tariff }
      for (const sold of [BOUGHT, PAID_POSTPAID, REGISTRATION])
        for (const line of receipt({ ...sold, customer, infoText }))
          if (line.length > RECEIPT_WIDTH || /\p{Cc}/u.test(line)) return false
      return true
    }),
  )
  t.pass()
})

test('a payment is made of the answer to its inquiry', async t => {
  const stamp = { trace: '000000000125', sentAt: PAID_POSTPAID.sentAt }
  const quoted: Message = { ...PAID_POSTPAID, kind: 'inquiry' }
  delete quoted.billsPaid
  const rows: [title: string, choice: object, billsPaid: number, due: bigint, admin: bigint][] = [
    ['all bills', {}, 2, 26_050_000n, 250_000n],
    ['the oldest one', { billsPaid: 1 }, 1, 13_000_000n, 125_000n],
    ['another amount, to be refused', { amountMinor: rupiah(1) }, 2, 100n, 250_000n],
  ]
  for (const [title, choice, billsPaid, due, admin] of rows) {
    const payment = paymentRequest(quoted, stamp, choice)
    t.match(
      payment,
      { kind: 'payment', direction: 'request', trace: stamp.trace, billsPaid },
      title,
    )
    t.equal(payment.amountMinor, due, title)
    t.equal(payment.adminMinor, admin, title)
    t.equal(payment.outcome, undefined, title)
    t.equal(payment.settlementDate, undefined, title)
    t.doesNotThrow(() => pack.write(payment), title)
    const reversal = aboutPayment('reversal', payment, stamp.sentAt, true)
    t.match(read(Buffer.from(pack.write(reversal)).toString('latin1')), {
      kind: 'reversal',
      repeat: true,
      trace: stamp.trace,
      original: { kind: 'payment', trace: stamp.trace, bank: '4519999' },
    })
  }
  t.equal(dueOf(REGISTRATION), rupiah(937_000))
  t.equal(adminFor(REGISTRATION), 0n)
})

test('audit numbers of one program are never the same, and have twelve digits', async t => {
  const clock = new VirtualClock(Date.UTC(2026, 10, 20, 16, 59, 59, 999))
  const stamps = new Stamps(clock, new SeededRandom(1))
  const seen = new Set<string>()
  for (let i = 0; i < 30_000; i++) {
    const { trace } = stamps.next()
    if (!/^\d{12}$/.test(trace)) t.fail(trace)
    seen.add(trace)
    if (i % 10_000 === 0) await clock.runUntil(clock.nowMs() + 1)
  }
  t.equal(seen.size, 30_000)
})

test('words for people', async t => {
  const rows: [shown: string, wanted: string][] = [
    [formatAge(-1), '0 ms'],
    [formatAge(999), '999 ms'],
    [formatAge(1000), '1 s'],
    [formatAge(125_000), '2 min 5 s'],
    [formatAge(120_000), '2 min'],
    [formatAge(3 * 86_400_000 + 4 * 3_600_000 + 59_000), '3 d 4 h'],
    [formatTime(Date.UTC(2026, 10, 20, 2, 15, 30)), '20 Nov 2026 09:15:30'],
    [formatDay('20261120'), '20 Nov 2026'],
    [formatDay('00000000'), '00000000'],
    [signedMoney(rupiah(-2_500)), '-Rp 2.500'],
    [signedMoney(rupiah(2_500)), '+Rp 2.500'],
    [plain('a\u001b[2Jb\u202ec\r\nd'), 'a?[2Jb?c??d'],
    [cut('abcdef', 4), 'abc…'],
    [cut('abcd', 4), 'abcd'],
    [wrap('one two three', 7).join('|'), 'one two|three'],
    [wrap('abcdefghij', 4).join('|'), 'abcd|efgh|ij'],
    [wrap('  ', 4).join('|'), ''],
    [
      owedText({ step: 'reverse', destination: 'pln', dueAtMs: 1500 }, 1000),
      'being reversed at pln, next step in 500 ms',
    ],
    [
      owedText({ step: 'advise', destination: 'pln', dueAtMs: 0 }, 61_000),
      'being asked for (advice) at pln, due for 1 min 1 s',
    ],
    [
      owedText({ step: 'decide', destination: '', dueAtMs: 0 }, 0),
      "a person must decide: 'nadi txn resolve'",
    ],
  ]
  for (const [shown, wanted] of rows) t.equal(shown, wanted, wanted)
  const columns = [
    { title: 'NAME', text: (row: [string, number]) => row[0] },
    { title: 'EMPTY', text: () => '' },
    { title: 'COUNT', right: true, text: (row: [string, number]) => row[1] },
  ]
  const lines = table(
    [
      ['a\u0007', 1],
      ['long name', 1000],
    ],
    columns,
    paintFor(false),
  )
  t.same(lines, ['NAME       COUNT', 'a?             1', 'long name   1000'])
  t.equal(paintFor(true).red('x'), '\u001b[31mx\u001b[39m')
  t.equal(paintFor(true).red(''), '')
})

test('a story never breaks its columns, whatever was recorded', async t => {
  const words = fc.string({ maxLength: 120 })
  const entry = fc.oneof(
    fc.record({
      what: fc.constant('event'),
      version: fc.nat(3),
      event: fc.stringMatching(/^[a-z-]{1,20}$/),
      state: fc.constantFrom('sending', 'unknown', 'paid'),
      from: fc.constantFrom(undefined, 'sending'),
      data: fc.oneof(
        fc.constant(undefined),
        words,
        fc.record({ by: words, reason: words, why: words }),
      ),
    }),
    fc.record({
      what: fc.constant('frame'),
      version: fc.nat(3),
      side: fc.constantFrom('source', 'destination'),
      direction: fc.constantFrom('in', 'out'),
      via: words,
      pack: words,
      length: fc.nat(4096),
      label: words,
      problem: words,
      fields: fc.array(fc.record({ path: words, name: words, value: words, meaning: words })),
      hex: fc.stringMatching(/^([0-9a-f]{2}){0,200}$/),
    }),
    fc.record({
      what: fc.constant('posting'),
      version: fc.nat(3),
      reason: fc.constantFrom('hold', 'settle', 'release'),
      legs: fc.array(
        fc.record({
          account: fc.constantFrom('deposit', 'payable:pln'),
          amountMinor: fc.bigInt(-(10n ** 17n), 10n ** 17n),
        }),
      ),
    }),
  )
  const head = {
    id: '0D2ZDH8SG000',
    kind: 'payment',
    state: 'paid',
    product: 'pln-postpaid',
    customer: '999900000015',
    partner: '4519001',
    businessDate: '20261120',
    amountMinor: rupiah(1),
    openedAtMs: 0,
    changedAtMs: 0,
    money: [],
  }
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), fc.boolean(), (entries, colour) => {
      const timeline = entries.map((one, index) => ({ ...one, atMs: index, sinceMs: index * 700 }))
      const story = { ...head, timeline } as unknown as StoryView
      const options = { paint: paintFor(colour), frames: true, hex: true }
      return storyLines(story, 5000, options).every(line => {
        // eslint-disable-next-line no-control-regex
        const bare = line.replace(/\u001b\[\d+m/g, '')
        return bare.length <= 100 && !/\p{Cc}/u.test(bare)
      })
    }),
    { numRuns: 300 },
  )
  t.pass()
})
