import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import t from 'tap'
import { isNadiError, minor, rupiah, type LocalTime } from '#base'
import {
  APPROVED,
  CARD_REASONS,
  declined,
  REASONS,
  respond,
  type Bill,
  type Meaning,
  type Message,
  type MessageKind,
  type Reason,
} from '#message'
import type { Pack } from '#pack'
import {
  A,
  B,
  codeOfThrown,
  EBIPP,
  QRIS,
  JTL,
  packCalled,
  readMessage,
  readReject,
  samplesOf,
  toBytes,
  toText,
} from './packs.ts'

const a = packCalled(A)
const b = packCalled(B)
const both: readonly [name: string, pack: Pack][] = [
  [A, a],
  [B, b],
]

/** With those of ISO 8583:1987, which carry less than any message can say. */
const all: readonly [name: string, pack: Pack][] = [
  ...both,
  [JTL, packCalled(JTL)],
  [EBIPP, packCalled(EBIPP)],
  [QRIS, packCalled(QRIS)],
]

/** A frame from its parts. */
const join = (...parts: string[]) => parts.join('')

const frameOf = (name: string, title: string): string =>
  samplesOf(name).find(sample => sample.title === title)?.frame ?? `no sample "${title}"`

for (const [name, pack] of all) {
  for (const { title, frame, message } of samplesOf(name)) {
    t.test(`${name}: ${title}, both ways`, async t => {
      t.strictSame(readMessage(pack, frame), message)
      t.equal(toText(pack.write(message)), frame)
    })
  }
}

t.test('the reading of the reference, word for word', async t => {
  const message = readMessage(a, frameOf(A, 'postpaid inquiry answered, 2 of 3 bills'))
  t.match(message, {
    kind: 'inquiry',
    direction: 'response',
    product: 'pln-postpaid',
    trace: '000000000123',
    sentAt: '20261120091500',
    amountMinor: rupiah(260_500),
    adminMinor: rupiah(2_500),
    billsOutstanding: 3,
    outcome: { meaning: 'approved', code: '0000' },
    customer: { id: '999900000015', name: 'PELANGGAN UJI SATU', tariff: 'R1', powerVa: 1300 },
    bills: [
      { period: '202610', amountMinor: rupiah(125_000), penaltyMinor: rupiah(5_000) },
      { period: '202611', amountMinor: rupiah(130_500), offPeak: ['00012095', '00012194'] },
    ],
  })
  t.match(readMessage(b, frameOf(B, 'postpaid payment answered')).bills, [{ dueDate: '20261020' }])
})

t.test('the widths of the reference', async t => {
  const rows: [name: string, title: string, width: number][] = [
    [A, 'postpaid inquiry', 19],
    [A, 'postpaid inquiry answered, 2 of 3 bills', 121 + 2 * 111],
    [A, 'postpaid payment of 2 bills', 122 + 2 * 111],
    [A, 'prepaid inquiry by meter', 31],
    [A, 'prepaid inquiry answered', 144],
    [A, 'prepaid purchase', 145],
    [A, 'prepaid purchase answered with the token', 241],
    [A, 'prepaid advice', 95],
    [A, 'non-taglis inquiry', 23],
    [A, 'non-taglis payment', 267],
    [B, 'postpaid inquiry answered, 1 of 3 bills', 121 + 115],
    [B, 'postpaid payment of 1 bill, secured', 122 + 115],
    [B, 'prepaid advice', 145],
    [B, 'non-taglis inquiry', 44],
    [B, 'non-taglis payment', 288],
  ]
  for (const [name, title, width] of rows) {
    t.match(frameOf(name, title), `${String(width).padStart(3, '0')}SWX0001`, title)
  }
  t.match(frameOf(A, 'prepaid inquiry answered, 2 unsold tokens'), /050\d{7}.{43}$/)
})

// What is always so -----------------------------------------------------------------------------

const digits = (length: number) =>
  fc.string({
    unit: fc.constantFrom(...Array.from('0123456789')),
    minLength: length,
    maxLength: length,
  })
const word = (length: number) =>
  fc
    .string({
      unit: fc.constantFrom(...Array.from('ABCXYZ abc.-/019')),
      minLength: 1,
      maxLength: length,
    })
    .map(text => text.trimEnd() || 'X')
const exactly = (length: number) =>
  fc.string({
    unit: fc.constantFrom(...Array.from('ABCXYZ019')),
    minLength: length,
    maxLength: length,
  })
const someRupiah = (digits: number) =>
  fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) - 1n }).map(rupiah)
const hundredths = (digits: number) =>
  fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) - 1n }).map(minor)
const aDay = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map(date => date.toISOString().slice(0, 10).replaceAll('-', ''))
const aTime = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map(date => date.toISOString().slice(0, 19).replace(/\D/g, '') as LocalTime)
const nonZero = (length: number) => digits(length - 1).map(text => `1${text}`)
const readings = fc.tuple(digits(8), digits(8))

const aBill: fc.Arbitrary<Bill> = fc.record({
  period: aDay.map(day => day.slice(0, 6)),
  dueDate: fc.oneof(aDay, fc.constant('00000000')),
  readDate: fc.oneof(aDay, fc.constant('00000000')),
  amountMinor: someRupiah(11),
  incentiveMinor: fc.tuple(someRupiah(10), fc.boolean()).map(([x, c]) => (c ? minor(0n - x) : x)),
  vatMinor: someRupiah(10),
  penaltyMinor: someRupiah(9),
  offPeak: readings,
  peak: readings,
  reactive: readings,
})

/** Says everything that any dialect can carry, each value as wide as the narrowest allows. */
const aRichMessage: fc.Arbitrary<Omit<Message, 'kind' | 'direction' | 'repeat'>> = fc.record({
  trace: digits(12),
  sentAt: aTime,
  channel: digits(4),
  bank: nonZero(7),
  partner: nonZero(7),
  terminal: exactly(16),
  switcher: exactly(7),
  amountMinor: someRupiah(12),
  settlementDate: aDay,
  original: fc.record({
    kind: fc.constant<MessageKind>('payment'),
    trace: digits(12),
    sentAt: aTime,
    bank: digits(7),
  }),
  customer: fc.record({
    id: nonZero(12),
    meter: nonZero(11),
    knownBy: fc.constantFrom('id', 'meter'),
    name: word(25),
    address: word(35),
    tariff: word(4),
    powerVa: fc.integer({ min: 1, max: 999_999_999 }),
    unit: word(5),
    unitPhone: word(15),
    distribution: digits(2),
  }),
  reference: fc.record({ switching: exactly(32), biller: word(32), receipt: word(8) }),
  billsOutstanding: fc.integer({ min: 0, max: 99 }),
  billsPaid: fc.integer({ min: 0, max: 9 }),
  bills: fc.array(aBill, { minLength: 1, maxLength: 4 }),
  adminMinor: someRupiah(8),
  token: fc.record({
    option: fc.integer({ min: 0, max: 9 }),
    stampDutyMinor: hundredths(10),
    vatMinor: hundredths(10),
    lightingTaxMinor: hundredths(10),
    installmentMinor: hundredths(10),
    energyMinor: hundredths(12),
    kwhHundredths: fc.integer({ min: 0, max: 9_999_999_999 }),
    number: digits(20),
    kwhMax: fc.integer({ min: 0, max: 99_999 }),
    unsold: fc.array(fc.record({ amountMinor: someRupiah(11) }), { minLength: 1, maxLength: 9 }),
  }),
  registration: fc.record({
    number: nonZero(13),
    area: nonZero(2),
    code: nonZero(3),
    name: word(25),
    registeredOn: aDay,
    expiresOn: aDay,
    totalMinor: hundredths(17),
    billerMinor: hundredths(17),
    components: fc.array(fc.record({ type: nonZero(2), amountMinor: hundredths(17) }), {
      minLength: 1,
      maxLength: 20,
    }),
    mutation: word(32),
  }),
  infoText: word(120),
  security: digits(16),
})

const kinds: readonly [kind: MessageKind, products: readonly (string | undefined)[]][] = [
  ['sign-on', [undefined]],
  ['sign-off', [undefined]],
  ['echo', [undefined]],
  ['inquiry', a.products],
  ['payment', a.products],
  ['advice', ['pln-prepaid']],
  ['reversal', ['pln-postpaid', 'pln-nontaglis']],
]
const aKind = fc.constantFrom(
  ...kinds.flatMap(([kind, products]) => products.map(product => [kind, product] as const)),
)
const codes = ['0000', '0005', '0012', '0014', '0063', '0068', '0088', '0090', '0094', '0098']

const aMessage = (pack: Pack): fc.Arbitrary<Message> =>
  fc
    .tuple(aRichMessage, aKind, fc.boolean(), fc.boolean(), fc.constantFrom(...codes))
    .map(([rich, [kind, product], answer, again, code]) => {
      const message: Message = {
        ...rich,
        kind,
        direction: answer ? 'response' : 'request',
        repeat: again && (kind === 'advice' || kind === 'reversal'),
        ...(product === undefined ? {} : { product }),
      }
      return answer ? { ...message, outcome: { ...pack.meaningOf(kind, code), code } } : message
    })

/** Whether `part` says nothing that `whole` does not say too. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (typeof part !== 'object' || part === null) return part === whole
  if (Array.isArray(part) && part.length !== (whole as unknown[]).length) return false
  return Object.entries(part).every(([key, value]) =>
    isPartOf(value, (whole as Record<string, unknown>)[key]),
  )
}

for (const [name, pack] of both) {
  t.test(`${name}: what any message says survives, and the frame is the same again`, async () => {
    fc.assert(
      fc.property(aMessage(pack), rich => {
        const frame = pack.write(rich)
        const message = readMessage(pack, toText(frame))
        const sameTrace =
          message.product === undefined ? { ...message, trace: rich.trace } : message
        return (
          isPartOf(sameTrace, rich) &&
          Buffer.compare(pack.write(message), frame) === 0 &&
          isDeepStrictEqual(readMessage(pack, toText(pack.write(message))), message)
        )
      }),
      { numRuns: 1500 },
    )
  })

  t.test(
    `${name}: a request and its answers have one key, and it depends on each part`,
    async () => {
      fc.assert(
        fc.property(aMessage(pack), message => {
          const request: Message = { ...message, direction: 'request' }
          delete request.outcome
          const asRead = readMessage(pack, toText(pack.write(request)))
          const answer = readMessage(
            pack,
            toText(pack.write(respond(request, declined('timeout'), { repeat: false }))),
          )
          const key = pack.matchKey(request)
          const others: Partial<Message>[] = [
            { kind: message.kind === 'echo' ? 'sign-on' : 'echo' },
            { sentAt: '19990101000000' as LocalTime },
            { terminal: 'OTHER' },
          ]
          if (message.product !== undefined) {
            others.push({ trace: '999' }, { bank: '99' }, { product: 'other' })
          }
          return (
            key === pack.matchKey(asRead) &&
            key === pack.matchKey(answer) &&
            others.every(other => pack.matchKey({ ...request, ...other }) !== key)
          )
        }),
        { numRuns: 300 },
      )
    },
  )
}

t.test('payment, advice and reversal with one trace have different keys', async t => {
  const payment = readMessage(a, frameOf(A, 'postpaid payment of 2 bills'))
  const keys = (['payment', 'advice', 'reversal', 'inquiry'] as const).map(kind =>
    a.matchKey({ ...payment, kind }),
  )
  t.equal(new Set(keys).size, 4)
  t.equal(
    a.matchKey({ ...payment, trace: '124', terminal: 'LOKET0000000001' }),
    a.matchKey(payment),
    'padding makes no difference',
  )
  const first = { ...payment, kind: 'reversal' as const }
  t.equal(a.matchKey({ ...first, repeat: true }), a.matchKey(first))
})

t.test('both dialects say the same: read in one, written in the other, and back', async t => {
  for (const title of [
    'postpaid inquiry answered, 2 of 3 bills',
    'postpaid payment answered',
    'prepaid purchase answered with the token',
    'non-taglis payment answered',
  ]) {
    const message = readMessage(a, frameOf(A, title))
    const there = readMessage(b, toText(b.write(message)))
    t.equal(toText(a.write(there)), frameOf(A, title), title)
  }
})

t.test('a declined answer says its request again', async t => {
  const rows: [pack: Pack, name: string, title: string, reason: Reason, bitmap: string][] = [
    [a, A, 'postpaid inquiry', 'customer-unknown', '4030004182810000'],
    [a, A, 'postpaid payment of 2 bills', 'deposit-insufficient', '5030004182810000'],
    [a, A, 'postpaid reversal', 'no-payment', '5030004182810100'],
    [a, A, 'prepaid inquiry by meter', 'registration-unknown', '4030004182810000'],
    [a, A, 'prepaid purchase', 'over-quota', '5030004182810004'],
    [a, A, 'prepaid advice', 'no-payment', '5030004182810004'],
    [a, A, 'non-taglis inquiry', 'registration-expired', '4030004182810000'],
    [a, A, 'non-taglis payment', 'cut-off', '5030004182810004'],
    [a, A, 'sign-on', 'partner-blocked', '0010000083810000'],
    [b, B, 'postpaid payment of 1 bill, secured', 'timeout', '5030004182810008'],
    [b, B, 'non-taglis payment', 'amount-invalid', '503000418281000C'],
  ]
  for (const [pack, name, title, reason, bitmap] of rows) {
    const frame = frameOf(name, title)
    const request = readMessage(pack, frame)
    const answer = toText(pack.write(respond(request, declined(reason))))
    const private48 = (text: string) => text.slice(text.indexOf(request.terminal as string) + 16)
    t.equal(answer.slice(4, 20), bitmap, title)
    t.equal(answer.slice(0, 4), `${frame.slice(0, 2)}${Number(frame[2]) + 1}${frame[3]}`)
    const security = request.security ?? 'none'
    t.equal(private48(answer), private48(frame).replace(security, ''), 'the private data')
    const read = readMessage(pack, answer)
    t.equal(read.outcome?.reason, reason)
  }
})

t.test('failure answers may leave out all but what they are matched by', async t => {
  const whole = 'postpaid payment declined, amount differs'
  const message = readMessage(a, frameOf(A, whole))
  const bare: Message = { ...message }
  for (const key of ['amountMinor', 'channel', 'partner', 'switcher'] as const) delete bare[key]
  const frame = toText(a.write(bare))
  t.equal(frame.slice(4, 20), '4030000102800000')
  t.match(readMessage(a, frame), { trace: message.trace, outcome: { reason: 'amount-invalid' } })
})

// Codes -------------------------------------------------------------------------------------------

t.test('what a code means depends on what was asked', async t => {
  const rows: [
    code: string,
    inquiry: Meaning,
    payment: Meaning,
    advice: Meaning,
    reversal: Meaning,
  ][] = [
    ['0000', 'approved', 'approved', 'approved', 'approved'],
    ['0005', 'declined', 'unknown', 'unknown', 'unknown'],
    ['0011', 'sign-on', 'sign-on', 'sign-on', 'sign-on'],
    ['0012', 'declined', 'declined', 'unknown', 'stands'],
    ['0013', 'declined', 'declined', 'unknown', 'declined'],
    ['0046', 'declined', 'declined', 'unknown', 'declined'],
    ['0063', 'declined', 'declined', 'nothing', 'nothing'],
    ['0068', 'unknown', 'unknown', 'unknown', 'unknown'],
    ['0088', 'declined', 'unknown', 'unknown', 'unknown'],
    ['0094', 'declined', 'declined', 'unknown', 'approved'],
    ['0096', 'declined', 'declined', 'unknown', 'declined'],
    ['0077', 'declined', 'declined', 'unknown', 'declined'],
    ['4711', 'declined', 'unknown', 'unknown', 'unknown'],
    ['', 'declined', 'unknown', 'unknown', 'unknown'],
  ]
  for (const [code, ...meanings] of rows) {
    const kinds: MessageKind[] = ['inquiry', 'payment', 'advice', 'reversal']
    t.same(
      kinds.map(kind => a.meaningOf(kind, code).meaning),
      meanings,
      code,
    )
  }
  t.equal(a.meaningOf('payment', '0092').reason, 'no-inquiry')
})

t.test('every reason has a code, and its code says it back where it has one', async t => {
  for (const reason of Object.keys(REASONS) as Reason[]) {
    const code = a.codeOf(reason)
    t.match(code, /^\d{4}$/)
    if (reason !== 'unavailable' && !CARD_REASONS.has(reason))
      t.equal(a.meaningOf('inquiry', code).reason, reason)
  }
  t.equal(a.codeOf('unavailable'), '0005')
  t.equal(a.codeOf('pin-wrong'), a.codeOf('other-error'), 'what only banks say')
})

t.test("another dialect's code is not passed on as ours", async t => {
  const request = readMessage(a, frameOf(A, 'postpaid inquiry'))
  const foreign = { meaning: 'declined', reason: 'customer-unknown', code: '14' } as const
  t.match(toText(a.write(respond(request, foreign))), '0014')
  const clash = { meaning: 'declined', reason: 'customer-unknown', code: '0068' } as const
  t.equal(readMessage(a, toText(a.write(respond(request, clash)))).outcome?.code, '0014')
})

// Writing what cannot be said ------------------------------------------------------------------

t.test('what cannot be said is refused with its path', async t => {
  const inquiry = readMessage(a, frameOf(A, 'postpaid inquiry'))
  const payment = readMessage(a, frameOf(A, 'postpaid payment of 2 bills'))
  const purchase = readMessage(a, frameOf(A, 'prepaid purchase'))
  const [first, second] = payment.bills as [Bill, Bill]
  const rows: [expected: string, message: Message][] = [
    ['CODEC_VALUE de4', { ...payment, amountMinor: minor(26050001n) }],
    ['CODEC_VALUE de4', { ...payment, amountMinor: minor(-100n) }],
    ['CODEC_VALUE de4', { ...payment, amountMinor: rupiah(10n ** 12n) }],
    ['CODEC_VALUE de11', { ...payment, trace: '1234567890123' }],
    ['CODEC_VALUE de11', { ...payment, trace: '12x' }],
    [
      'CODEC_VALUE de48.customer.name',
      { ...payment, customer: { ...payment.customer, name: 'X'.repeat(26) } },
    ],
    [
      'CODEC_VALUE de48.customer.name',
      { ...payment, customer: { ...payment.customer, name: 'ŁUKASZ' } },
    ],
    [
      'CODEC_VALUE de48.bills[1].penaltyMinor',
      { ...payment, bills: [first, { ...second, penaltyMinor: minor(1n) }] },
    ],
    ['CODEC_VALUE de48.bills[0].dueDate', { ...payment, bills: [{ ...first, dueDate: '2026' }] }],
    ['CODEC_VALUE de48.bills', { ...payment, bills: [first, first, first, first, first] }],
    ['CODEC_VALUE de48.bills', { ...payment, bills: [] }],
    ['CODEC_VALUE de48.customer.knownBy', { ...purchase, customer: { knownBy: 'name' as 'id' } }],
    ['CODEC_VALUE de48.token.option', { ...purchase, token: { ...purchase.token, option: 1.5 } }],
    ['PACK_MISSING_FIELD de48.customer.id', { ...inquiry, customer: {} }],
    ['PACK_MISSING_FIELD de48.bills', omit(payment, 'bills')],
    ['PACK_MISSING_FIELD de4', omit(payment, 'amountMinor')],
    ['PACK_MISSING_FIELD outcome', { ...payment, direction: 'response' }],
    ['PACK_MISSING_FIELD de15', respond(payment, APPROVED)],
    ['PACK_UNKNOWN_MESSAGE kind', { ...purchase, kind: 'reversal' }],
    ['PACK_UNKNOWN_MESSAGE kind', { ...payment, kind: 'advice' }],
    ['PACK_UNKNOWN_MESSAGE kind', { ...payment, kind: 'status' }],
    ['PACK_UNKNOWN_MESSAGE kind', { ...payment, repeat: true }],
    ['PACK_UNKNOWN_MESSAGE kind', { ...payment, product: 'pdam' }],
  ]
  for (const [expected, message] of rows) {
    t.equal(
      codeOfThrown(() => a.write(message)),
      expected,
      expected,
    )
  }
})

function omit(message: Message, key: keyof Message): Message {
  const copy = { ...message }
  delete copy[key]
  return copy
}

// Reading what is wrong ------------------------------------------------------------------------

type Malformed = [title: string, sample: string, from: string, to: string, expected: string]

const malformed: Malformed[] = [
  ['an unknown type', 'postpaid inquiry', '2100', '2300', 'CODEC_MTI mti 0'],
  ['an old type', 'postpaid inquiry', '2100', '0200', 'CODEC_MTI mti 0'],
  ['an unknown product', 'postpaid inquiry', '0599501', '0599509', 'PACK_UNKNOWN_MESSAGE de2 22'],
  ['a reversal of a purchase', 'prepaid advice', '2220', '2400', 'PACK_UNKNOWN_MESSAGE mti 0'],
  ['an unknown network action', 'echo', '301', '999', 'PACK_UNKNOWN_MESSAGE de40 43'],
  [
    'a field missing',
    'postpaid inquiry',
    '40300041808100000599501',
    '00300041808100000599501'.replace('0599501', ''),
    'PACK_MISSING_FIELD de2 4',
  ],
  [
    'another field missing',
    'postpaid inquiry',
    '403000418081',
    '403000408081',
    'CODEC_TRAILING frame 85',
  ],
  [
    'a field that an inquiry does not have',
    'postpaid inquiry',
    '40300041808100000599501',
    join('50300041808100000599501', '3600000000260500'),
    'PACK_UNKNOWN_FIELD de4 27',
  ],
  [
    'a time that does not exist',
    'postpaid inquiry',
    '20261120091500',
    '20261120241500',
    'PACK_FORMAT de12 39',
  ],
  [
    'a day that does not exist',
    'postpaid inquiry',
    '20261120091500',
    '20260229091500',
    'PACK_FORMAT de12 39',
  ],
  ['no time at all', 'postpaid inquiry', '20261120091500', '00000000000000', 'PACK_FORMAT de12 39'],
  [
    'private data too short',
    'postpaid inquiry',
    '019SWX0001999900000015',
    '018SWX000199990000001',
    'PACK_FORMAT de48.customer.id 101',
  ],
  [
    'private data too long',
    'postpaid inquiry',
    '019SWX0001999900000015',
    '020SWX00019999000000150',
    'PACK_FORMAT de48 113',
  ],
  [
    'private data missing',
    'postpaid inquiry',
    '019SWX0001999900000015',
    '000',
    'PACK_FORMAT de48.switcher 94',
  ],
  [
    'letters in a subscriber number',
    'postpaid inquiry',
    '999900000015',
    '99990000001x',
    'CODEC_CONTENT de48.customer.id 112',
  ],
  [
    'another currency',
    'postpaid payment of 2 bills',
    '3600000000260500',
    '8400000000260500',
    'PACK_FORMAT de4 27',
  ],
  [
    'too many decimals',
    'postpaid payment of 2 bills',
    '3600000000260500',
    '3603000000260500',
    'PACK_FORMAT de4 30',
  ],
  [
    'no bills',
    'postpaid payment of 2 bills',
    '9999000000152203',
    '9999000000150203',
    'PACK_FORMAT de48.bills 232',
  ],
  [
    'a count above the bills',
    'postpaid payment of 2 bills',
    '9999000000152203',
    '9999000000153203',
    'PACK_FORMAT de48.bills[2].period 454',
  ],
  [
    'a count below the bills',
    'postpaid payment of 2 bills',
    '9999000000152203',
    '9999000000151203',
    'PACK_FORMAT de48 343',
  ],
  [
    'a count above what is allowed',
    'postpaid payment of 2 bills',
    '9999000000152203',
    '9999000000159203',
    'PACK_FORMAT de48.bills 232',
  ],
  [
    'a bad sign in the second bill',
    'postpaid payment of 2 bills',
    '00000130500D',
    '00000130500X',
    'CODEC_CONTENT de48.bills[1].incentiveMinor 376',
  ],
  [
    'a letter in a penalty',
    'postpaid payment of 2 bills',
    '000005000',
    '00000500x',
    'CODEC_CONTENT de48.bills[0].penaltyMinor 294',
  ],
  [
    'a month that does not exist',
    'postpaid payment of 2 bills',
    '202611000',
    '202613000',
    'PACK_FORMAT de48.bills[1].period 343',
  ],
  [
    'neither meter nor subscriber number',
    'prepaid inquiry by meter',
    '990000000100000000000000',
    '990000000100000000000002',
    'PACK_FORMAT de48.customer.knownBy 124',
  ],
  [
    'kWh with other decimals',
    'prepaid purchase answered with the token',
    '20000007044',
    '30000007044',
    'PACK_FORMAT de48.token.kwhHundredths 332',
  ],
  [
    'the original of something else',
    'postpaid reversal',
    '372200',
    '372100',
    'PACK_FORMAT de56.original.kind 456',
  ],
  [
    'a failure answer of no known shape',
    'postpaid inquiry declined, unknown subscriber',
    '019SWX0001999900000015',
    '018SWX000199990000001',
    'PACK_FORMAT de48 98',
  ],
  [
    'an answer without a code',
    'postpaid inquiry declined, unknown subscriber',
    '4030004182810000',
    '4030004180810000',
    'CODEC_TRAILING frame 94',
  ],
]
for (const [title, sample, from, to, expected] of malformed) {
  t.test(`refused: ${title}`, async t => {
    const frame = frameOf(A, sample)
    t.ok(frame.includes(from), 'the sample has what is to be broken')
    const { error } = readReject(a, toBytes(frame.replace(from, to)))
    t.equal(`${error.code} ${error.path} ${error.offset}`, expected)
    t.notMatch(error.message, /PELANGGAN|999900000015|12345678901234567890/)
  })
}

const B_MALFORMED: Malformed[] = [
  [
    'a month first in a due date',
    'postpaid payment answered',
    '20102026',
    '20262010',
    'PACK_FORMAT de48.bills[0].dueDate 250',
  ],
  [
    'two references that differ',
    'postpaid payment answered',
    '032SWX20261120',
    '032SWX20261121',
    'PACK_FORMAT de61 362',
  ],
  [
    'half a component',
    'non-taglis inquiry answered',
    '0400120000000',
    '039012000000',
    'PACK_FORMAT de62.registration.components[1].amountMinor 508',
  ],
]
for (const [title, sample, from, to, expected] of B_MALFORMED) {
  t.test(`refused by the other dialect: ${title}`, async t => {
    const frame = frameOf(B, sample)
    t.ok(frame.includes(from), 'the sample has what is to be broken')
    const { error } = readReject(b, toBytes(frame.replace(from, to)))
    t.equal(`${error.code} ${error.path} ${error.offset}`, expected)
  })
}

for (const [name, pack] of all) {
  t.test(`${name}: no sample can be cut, prolonged or misnamed and still be read`, async t => {
    for (const { title, frame } of samplesOf(name)) {
      const whole = toBytes(frame)
      for (let length = 0; length < whole.length; length++) {
        refused(pack, whole.subarray(0, length), `${title}, first ${length} bytes`)
      }
      for (const more of ['0', ' ', '\0', '\xff', frame]) {
        refused(pack, toBytes(frame + more), `${title}, with more after it`)
      }
      for (let bit = 1; bit <= 64; bit++) {
        refused(pack, toBytes(withBit(frame, bit)), `${title}, bit ${bit} of the bitmap turned`)
      }
    }
    t.pass('all refused with code, path and offset')
  })

  t.test(`${name}: a turned bit anywhere is refused or read, never thrown`, async t => {
    for (const { frame } of samplesOf(name)) {
      const whole = toBytes(frame)
      // Three and eight have no common factor: every kind of bit is met.
      for (let at = 0; at < whole.length * 8; at += at < 1000 ? 1 : 3) {
        whole[at >> 3] = (whole[at >> 3] as number) ^ (1 << (at & 7))
        const read = pack.read(whole)
        // What was understood can be said again and is understood again.
        if (read.tag === 'message') pack.read(pack.write(read.message))
        else checkReject(pack, read.reject.error, `bit ${at} of ${frame}`)
        whole[at >> 3] = (whole[at >> 3] as number) ^ (1 << (at & 7))
      }
    }
    t.pass('none thrown')
  })

  t.test(`${name}: random bytes and random fields are refused with a code`, async () => {
    const aFrame = fc.oneof(
      fc.uint8Array({ maxLength: 600 }).map(bytes => Buffer.from(bytes)),
      fc
        .tuple(fc.constantFrom(...samplesOf(name)), fc.nat(), fc.string({ maxLength: 12 }))
        .map(([{ frame }, at, text]) => {
          const place = at % frame.length
          return toBytes(frame.slice(0, place) + text + frame.slice(place + text.length))
        }),
    )
    fc.assert(
      fc.property(aFrame, frame => {
        const read = pack.read(frame)
        pack.describe(frame)
        if (read.tag === 'reject') pack.writeReject(read.reject, 'format-error')
        return read.tag === 'message' || isNadiError(read.reject.error)
      }),
      { numRuns: 2000 },
    )
  })
}

function refused(pack: Pack, frame: Uint8Array, title: string): void {
  const read = pack.read(frame)
  if (read.tag === 'message') throw new Error(`read: ${title}`)
  checkReject(pack, read.reject.error, title)
}

function checkReject(pack: Pack, error: unknown, title: string): void {
  const told = isNadiError(error) && error.path !== undefined && error.offset !== undefined
  if (!told) throw new Error(`${pack.name}, ${title}: ${String(error)}`)
}

function withBit(frame: string, bit: number): string {
  const at = 4 + ((bit - 1) >> 2)
  const nibble = parseInt(frame[at] as string, 16) ^ (8 >> ((bit - 1) & 3))
  return frame.slice(0, at) + nibble.toString(16).toUpperCase() + frame.slice(at + 1)
}

// Answers to what could not be read --------------------------------------------------------------

t.test('what could not be read is answered with what could', async t => {
  const inquiry = frameOf(A, 'postpaid inquiry')
  const rows: [title: string, frame: string, answer: string | undefined][] = [
    [
      'private data of the wrong shape: all is said again',
      inquiry.replace('019SWX0001999900000015', '018SWX000199990000001'),
      join(
        '2110',
        '4030004182810000',
        '0599501',
        '000000000123',
        '20261120091500',
        '6021',
        '074519999',
        '074519001',
        '0030',
        '0LOKET0000000001',
        '018SWX000199990000001',
      ),
    ],
    [
      'a frame cut in the middle: what came before',
      inquiry.slice(0, 60),
      join('2110', '4030004002000000', '0599501', '000000000123', '20261120091500', '6021', '0030'),
    ],
    [
      'a repeat is answered as a repeat',
      join('2401', '0000000000000000'),
      join('2411', '0000000002000000', '0030'),
    ],
    ['an unknown type', join('2300', '0000000000000000'), join('2310', '0000000002000000', '0030')],
    ['only a type', '2100', join('2110', '0000000002000000', '0030')],
    ['no type', '21', undefined],
    ['a type of letters', 'GET / HTTP/1.1', undefined],
    ['an answer is not answered', join('2110', '0000000000000000'), undefined],
  ]
  for (const [title, frame, expected] of rows) {
    const reject = readReject(a, toBytes(frame))
    const answer = a.writeReject(reject, reject.reason)
    t.equal(answer && toText(answer), expected, title)
  }
  const unknown = readReject(a, toBytes(inquiry.replace('0599501', '0599509')))
  t.equal(unknown.reason, 'product-unknown')
  t.match(toText(a.writeReject(unknown, unknown.reason) as Uint8Array), /^2110.*0033/)
})

t.test('a reject holds what was read, and outlives the frame', async t => {
  const frame = toBytes(frameOf(A, 'postpaid inquiry').slice(0, 60))
  const reject = readReject(a, frame)
  frame.fill(0)
  a.read(toBytes('2100'))
  t.equal(reject.mti, '2100')
  t.same(
    [...reject.fields],
    [
      [2, '99501'],
      [11, '000000000123'],
      [12, '20261120091500'],
      [26, '6021'],
    ],
  )
})

t.test('a message outlives the frame it was read from', async t => {
  const frame = toBytes(frameOf(A, 'postpaid payment of 2 bills'))
  const read = a.read(frame)
  frame.fill(0x39)
  a.read(toBytes(frameOf(A, 'prepaid advice')))
  t.equal(read.tag, 'message')
  if (read.tag === 'message') {
    t.equal(toText(a.write(read.message)), frameOf(A, 'postpaid payment of 2 bills'))
  }
})

// For people -------------------------------------------------------------------------------------

t.test('a frame is told field by field, masked unless asked otherwise', async t => {
  const frame = toBytes(frameOf(A, 'prepaid purchase answered with the token'))
  const lines = a.describe(frame)
  const line = (path: string) => lines.find(one => one.path === path)
  t.match(line('4'), { name: /amount/, meaning: 'Rp 102.500' })
  t.match(line('39'), { value: '0000', meaning: 'approved: success' })
  t.match(line('2'), { value: '99502', meaning: 'pln-prepaid' })
  t.match(line('48.adminMinor'), { meaning: 'Rp 2.500' })
  t.match(line('48.customer.knownBy'), { value: '0', meaning: 'meter' })
  t.equal(line('48.token.number')?.value, '*'.repeat(20))
  t.equal(line('48.customer.name')?.value, 'P******** U** D**')
  t.match(line('48.token.number'), { offset: 343, length: 20 })
  t.notMatch(JSON.stringify(lines), /12345678901234567890|PELANGGAN/)
  t.match(JSON.stringify(a.describe(frame, { unsafe: true })), /12345678901234567890/)

  const bills = a.describe(toBytes(frameOf(A, 'postpaid payment of 2 bills')))
  t.match(
    bills.find(one => one.path === '48.bills[1].amountMinor'),
    { meaning: 'Rp 130.500' },
  )
  t.match(
    bills.find(one => one.path === '48.count of bills'),
    { value: '2' },
  )
})

t.test('a broken frame is told as far as it goes', async t => {
  const frame = frameOf(A, 'postpaid payment of 2 bills').replace('00000130500D', '00000130500X')
  const lines = a.describe(toBytes(frame))
  t.ok(lines.some(one => one.path === '48.bills[1].amountMinor'))
  t.notOk(lines.some(one => one.path === '48.bills[1].incentiveMinor'))
  t.notMatch(JSON.stringify(lines), /PELANGGAN/)
  t.same(a.describe(toBytes('x')), [])
  t.equal(a.describe(toBytes(frame.slice(0, 60))).at(-1)?.path, '11')
})
