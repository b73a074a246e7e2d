import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { isNadiError, minor, rupiah, VirtualClock, type LocalTime } from '#base'
import type { TableText } from '#iso8583'
import { APPROVED, declined, REASONS, respond, type Message } from '#message'
import { compilePack, type Pack, type PackFiles } from '#pack'
import {
  A,
  B,
  codeOfThrown,
  EBIPP,
  JTL,
  NOW_MS,
  packCalled,
  readMessage,
  readReject,
  samplesOf,
  sources,
  toBytes,
  toText,
} from './packs.ts'

const jtl = packCalled(JTL)
const ebipp = packCalled(EBIPP)
const frameOf = (name: string, title: string): string =>
  samplesOf(name).find(sample => sample.title === title)?.frame ?? `no sample "${title}"`

const SPECS = fileURLToPath(new URL('../../specs', import.meta.url))
const TABLES: TableText[] = readdirSync(SPECS)
  .filter(file => file.endsWith('.yaml'))
  .map(file => ({ path: file, text: readFileSync(`${SPECS}/${file}`, 'utf8') }))

function compiled(
  name: string,
  packs: ReadonlyMap<string, PackFiles>,
  nowMs: () => number = () => NOW_MS,
): Pack {
  const result = compilePack(name, packs, TABLES, nowMs)
  if ('pack' in result) return result.pack
  const problems = 'problems' in result ? result.problems : []
  throw new Error(problems.map(({ path, text }) => `${path} ${text}`).join('\n'))
}

// Samples that were seen elsewhere, word for word --------------------------------------------------

t.test('the bill inquiry that ALTO shows is read, part by part', async t => {
  t.match(readMessage(ebipp, frameOf(EBIPP, 'bill inquiry')), {
    kind: 'inquiry',
    product: 'pdam',
    trace: '000004',
    sentAt: '20261120091500',
    partner: 'CA999',
    terminal: 'LOKET1',
    customer: { id: '999900000015' },
    adminMinor: rupiah(2500),
    security: 'KEY0001',
  })
})

t.test("a reversal's original is laid out as Jatelindo's", async t => {
  const reversal = readMessage(jtl, frameOf(JTL, 'postpaid reversal'))
  const original = { kind: 'payment', trace: '000201', sentAt: '20261121050203', bank: '999' }
  const { echoed: _, ...asked } = { ...reversal, original: { ...reversal.original, ...original } }
  const frame = toText(jtl.write(asked as Message))
  // 0200, audit number, element 7 (GMT), bank, zeros: 42 digits.
  t.ok(frame.includes('020000020111202202030000000099900000000000'), frame)
})

// Kinds and products -----------------------------------------------------------------------------

t.test('one message type is told apart by its processing code and product', async t => {
  const rows: [sample: string, mti: string, code: string, kind: string, product: string][] = [
    ['postpaid inquiry', '0200', '380000', 'inquiry', 'pln-postpaid'],
    ['postpaid payment of 2 bills', '0200', '170000', 'payment', 'pln-postpaid'],
    ['prepaid purchase', '0200', '171000', 'payment', 'pln-prepaid'],
    ['non-taglis payment', '0200', '170000', 'payment', 'pln-nontaglis'],
    ['prepaid advice', '0220', '172000', 'advice', 'pln-prepaid'],
    ['prepaid advice, repeated', '0221', '173000', 'advice', 'pln-prepaid'],
    ['postpaid reversal', '0400', '000200', 'reversal', 'pln-postpaid'],
  ]
  for (const [sample, mti, code, kind, product] of rows) {
    const frame = frameOf(JTL, sample)
    const fields = jtl.codec.parse(toBytes(frame))
    t.same([fields.mti, fields.get(3)], [mti, code], sample)
    t.match(readMessage(jtl, frame), { kind, product }, sample)
  }
})

t.test('a product has several codes: all are read, the first is written', async t => {
  const inquiry = frameOf(JTL, 'postpaid inquiry')
  for (const code of ['53501', '99501', '51501', '00501']) {
    t.equal(readMessage(jtl, inquiry.replace('0553501', `05${code}`)).product, 'pln-postpaid')
  }
  const other = readMessage(jtl, inquiry.replace('0553501', '0551501'))
  t.match(toText(jtl.write(other)), /0553501/)
})

// What is refused, and where -----------------------------------------------------------------------

type Malformed = [
  title: string,
  name: string,
  sample: string,
  from: string,
  to: string,
  told: string,
]

const malformed: Malformed[] = [
  [
    'a part that the table does not have',
    EBIPP,
    'bill inquiry',
    '034PI06990001CN12999900000015AC042500',
    '034PI06990001CN12999900000015XX042500',
    'CODEC_UNDEFINED_FIELD de48.XX',
  ],
  [
    'a part that this message does not have',
    EBIPP,
    'bill inquiry',
    'AC042500',
    'NM042500',
    'PACK_UNKNOWN_FIELD de48.NM',
  ],
  [
    'a part twice',
    EBIPP,
    'bill inquiry',
    '034PI06990001CN12999900000015AC042500',
    '042PI06990001CN12999900000015AC042500AC042500',
    'PACK_FORMAT de48.AC',
  ],
  [
    'a part that is missing',
    EBIPP,
    'bill inquiry',
    '034PI06990001CN12999900000015AC042500',
    '018PI06990001AC042500',
    'PACK_MISSING_FIELD de48.CN',
  ],
  [
    'an unknown product inside of an element',
    EBIPP,
    'bill inquiry',
    'PI06990001',
    'PI06990009',
    'PACK_UNKNOWN_MESSAGE de48.PI',
  ],
  [
    'two amounts that differ',
    EBIPP,
    'bill payment',
    'AT06125000',
    'AT06125001',
    'PACK_FORMAT de48.AT',
  ],
  [
    'a run of lines with a gap',
    EBIPP,
    'bill inquiry answered, with four lines for the screen',
    'S113TELEPON',
    'S413TELEPON',
    'PACK_FORMAT de57.S2',
  ],
  [
    'a constant that differs',
    EBIPP,
    'bill inquiry',
    'AC042500360',
    'AC042500840',
    'PACK_FORMAT de49',
  ],
  [
    'something where nothing is to be',
    EBIPP,
    'bill inquiry',
    'KEY0001000',
    'KEY0001001X',
    'PACK_FORMAT de125',
  ],
  [
    'an unknown processing code',
    JTL,
    'postpaid inquiry',
    '380000',
    '390000',
    'PACK_UNKNOWN_MESSAGE de3',
  ],
  [
    'the processing code of another product',
    JTL,
    'postpaid payment of 2 bills',
    '170000',
    '171000',
    'PACK_FORMAT de3',
  ],
  ['a time without a year', JTL, 'postpaid inquiry', '1120021500', '1320021500', 'PACK_FORMAT de7'],
  [
    'an hour that does not exist',
    JTL,
    'postpaid inquiry',
    '091500112',
    '251500112',
    'PACK_FORMAT de12',
  ],
  [
    'a day that does not exist',
    JTL,
    'postpaid inquiry',
    '09150011201121',
    '09150011311121',
    'PACK_FORMAT de13',
  ],
  [
    'zeros of an original that are none',
    JTL,
    'postpaid reversal',
    '0000000099900000000000',
    '0000000099900000000001',
    'PACK_FORMAT de90.is 00000000000',
  ],
]

for (const [title, name, sample, from, to, told] of malformed) {
  t.test(`refused: ${title}`, async t => {
    const pack = packCalled(name)
    const frame = frameOf(name, sample)
    t.ok(frame.includes(from), 'the sample has what is to be broken')
    const broken = frame.replace(from, to)
    const reject = readReject(pack, toBytes(broken))
    t.equal(`${reject.error.code} ${reject.error.path}`, told)
    const offset = reject.error.offset ?? -1
    t.ok(offset >= 0 && offset < broken.length, `byte ${offset}`)
    t.notMatch(reject.error.message, /KEY0001|999900000015/)
    if (reject.response) return
    const answer = pack.writeReject(reject, reject.reason)
    t.ok(answer && toText(answer).startsWith('0'), 'it is answered')
  })
}

t.test('the offset of a part is where its own data begin', async t => {
  const frame = frameOf(EBIPP, 'bill inquiry').replace('PI06990001', 'PI06990009')
  const { error } = readReject(ebipp, toBytes(frame))
  t.equal(frame.slice(error.offset, (error.offset ?? 0) + 6), '990009')
  const other = frameOf(EBIPP, 'bill payment').replace('AT06125000', 'AT06125001')
  const { offset } = readReject(ebipp, toBytes(other)).error
  t.equal(other.slice(offset, (offset ?? 0) + 6), '125001')
})

t.test('what a composite cannot hold is told with its path', async t => {
  const told = readMessage(
    ebipp,
    frameOf(EBIPP, 'bill payment answered, with eleven lines for the receipt'),
  )
  const line = { label: '', text: 'x' }
  const rows: [change: Partial<Message>, told: string][] = [
    [{ details: Array.from({ length: 20 }, () => line) }, 'CODEC_VALUE de57.R0..RI'],
    [{ details: [{ label: '', text: 'x'.repeat(51) }] }, 'CODEC_VALUE de57.R0'],
    [{ customer: {} }, 'PACK_MISSING_FIELD de48.CN'],
    [{ amountMinor: minor(1n) }, 'CODEC_VALUE de48.AT'],
  ]
  for (const [change, expected] of rows) {
    t.equal(
      codeOfThrown(() => ebipp.write({ ...told, ...change })),
      expected,
    )
  }
})

// Echoes -----------------------------------------------------------------------------------------

t.test('an answer gives back what the request had, whatever that was', async t => {
  // Times and a reference number that we would never make ourselves.
  const asked = frameOf(EBIPP, 'bill inquiry')
    .replace('09150011201121', '23595812310101')
    .replace('000000000248', 'RRN099ZZ0042')
  const request = readMessage(ebipp, asked)
  t.equal(request.reference, undefined, 'their own number is not ours')
  const answer = ebipp.codec.parse(ebipp.write(respond(request, declined('already-paid'))))
  const repeated = [12, 13, 15, 37, 125].map(number => answer.get(number))
  t.same(repeated, ['235958', '1231', '0101', 'RRN099ZZ0042', ''])
  t.equal(answer.get(39), '54')
  // A response made after a restart comes from the journal's JSON.
  const kept = JSON.parse(JSON.stringify({ ...request, adminMinor: undefined })) as Message
  t.equal(
    ebipp.codec.parse(ebipp.write(respond(kept, declined('already-paid')))).get(37),
    'RRN099ZZ0042',
  )
})

t.test('our own number is made in the first request, read back, and said again', async t => {
  const inquiry: Message = {
    kind: 'inquiry',
    direction: 'request',
    repeat: false,
    product: 'telkom',
    trace: '000321',
    sentAt: '20261120143000' as LocalTime,
    channel: '6021',
    partner: 'CA999',
    terminal: 'LOKET1',
    customer: { id: '0215550001' },
  }
  const asked = ebipp.codec.parse(ebipp.write(inquiry))
  // 2026, day 324, 14 h, the audit number.
  t.equal(asked.get(37), '632414000321')
  t.same(
    [asked.get(7), asked.get(12), asked.get(13), asked.get(15)],
    ['1120073000', '143000', '1120', '1121'],
  )
  const counterpart = readMessage(ebipp, toText(asked.frame))
  const told = respond(counterpart, APPROVED, { amountMinor: rupiah(80_000), details: [] })
  const answer = readMessage(ebipp, toText(ebipp.write(told)))
  t.equal(answer.reference?.own, '632414000321')
  const { outcome: _, echoed: __, ...quoted } = answer
  const payment = { ...quoted, kind: 'payment', direction: 'request', trace: '000322' } as Message
  t.equal(ebipp.codec.parse(ebipp.write(payment)).get(37), '632414000321')
})

// Times without a year ---------------------------------------------------------------------------

t.test('the year of a time is the one that brings it nearest to now', async t => {
  const rows: [now: string, wire: string, sentAt: string][] = [
    ['2026-11-20T05:00:00Z', '1120021500', '20261120091500'],
    // 23:59:58 GMT on 31 December is the next year in Jakarta.
    ['2026-12-31T23:59:59Z', '1231235958', '20270101065958'],
    ['2027-01-01T00:00:03Z', '1231235958', '20270101065958'],
    ['2026-12-31T16:59:00Z', '0101000000', '20270101070000'],
    ['2028-02-29T01:00:00Z', '0229010000', '20280229080000'],
  ]
  for (const [now, wire, sentAt] of rows) {
    const pack = compiled(JTL, withJtl(), () => Date.parse(now))
    const frame = frameOf(JTL, 'echo').replace('1119230500', wire)
    const message = readMessage(pack, frame)
    t.equal(message.sentAt, sentAt, now)
    t.equal(toText(pack.write(message)), frame)
  }
  const never = compiled(JTL, withJtl(), () => Date.parse('2026-03-01T00:00:00Z'))
  const { error } = readReject(
    never,
    toBytes(frameOf(JTL, 'echo').replace('1119230500', '0230010000')),
  )
  t.equal(`${error.code} ${error.path}`, 'PACK_FORMAT de7')
})

t.test('any time comes back as it was, in any dialect', async () => {
  const clock = new VirtualClock(NOW_MS)
  const half = 150 * 86_400_000
  fc.assert(
    fc.property(fc.integer({ min: -half, max: half }), away => {
      const atMs = clock.nowMs() + away
      const sentAt = new Date(atMs + 7 * 3_600_000).toISOString().slice(0, 19).replace(/\D/g, '')
      const echo = readMessage(jtl, frameOf(JTL, 'echo'))
      const again = readMessage(jtl, toText(jtl.write({ ...echo, sentAt: sentAt as LocalTime })))
      return again.sentAt === sentAt
    }),
  )
})

t.test('without a clock such a dialect does not load', async t => {
  const result = compilePack(JTL, withJtl(), TABLES)
  t.ok('problems' in result && result.problems.every(({ text }) => /clock/.test(text)))
})

function withJtl(): Map<string, PackFiles> {
  return new Map([[JTL, filesOf(JTL)]])
}

function filesOf(name: string): PackFiles {
  const read = (file: string) =>
    readFileSync(fileURLToPath(new URL(`../../protocols/${name}/${file}`, import.meta.url)), 'utf8')
  return { 'pack.yaml': read('pack.yaml'), 'fields.yaml': read('fields.yaml') }
}

// Framing ----------------------------------------------------------------------------------------

t.test('a pack says its framing, headers and all', async t => {
  const body = toBytes(frameOf(A, 'echo'))
  const text = toText(body)
  const big2 = (length: number) => Buffer.from([length >> 8, length & 255]).toString('latin1')
  const [n, etx] = [body.length, '\x03']
  const tpdu = '\x60\x00\x01\x00\x02'
  const rows: [framing: string, wire: string][] = [
    ['length: 2 bytes big-endian, counts: body trailer, trailer: 03', big2(n + 1) + text + etx],
    ['length: 4 decimal digits, counts: length body', String(n + 4).padStart(4, '0') + text],
    ['length: none, counts: body trailer, trailer: FF', `${text}\xff`],
    ['length: 2 bytes bcd, counts: body', `\x00${String.fromCharCode(0x72)}${text}`],
    [
      'length: 2 bytes big-endian, counts: header body, header: tpdu swapped 6000010002',
      big2(n + 5) + tpdu + text,
    ],
    [
      'length: 2 bytes big-endian, counts: body, header: tpdu kept 6000010002',
      big2(n) + tpdu + text,
    ],
    [
      'length: 2 bytes big-endian, counts: header body, header: base24 ISO005000060 answered 5',
      `${big2(n + 12)}ISO005000060${text}`,
    ],
    ['channel: nac-tpdu, header: tpdu swapped 6000010002', big2(n + 5) + tpdu + text],
    ['channel: ascii', String(n).padStart(4, '0') + text],
  ]
  for (const [framing, wire] of rows) {
    const { framing: framer } = framedBy(framing)
    t.equal(toText(framer.wrap(body)), wire, framing)
    const got: string[] = []
    framer.reader().push(toBytes(wire), frame => got.push(toText(frame)))
    t.same(got, [text], framing)
  }
})

t.test('an answer goes back with the header that came, turned round', async t => {
  const rows: [header: string, came: string, goes: string][] = [
    ['tpdu swapped', '\x60\x00\x11\x00\x22', '\x60\x00\x22\x00\x11'],
    ['tpdu kept', '\x60\x00\x11\x00\x22', '\x60\x00\x11\x00\x22'],
    ['base24 answered 5', 'ISO005000060', 'ISO005000065'],
    ['12 bytes', 'anything at a', 'anything at '],
  ]
  const body = toBytes(frameOf(A, 'echo'))
  for (const [header, came, goes] of rows) {
    const size = goes.length
    const framing = `length: 4 decimal digits, counts: header body, header: ${header}`
    const { framing: framer } = framedBy(framing)
    const wire = String(size + body.length).padStart(4, '0') + came.slice(0, size) + toText(body)
    framer.reader().push(toBytes(wire), (frame, theirs) => {
      const back = toText(framer.wrap(frame, framer.answerHeader(theirs)))
      t.equal(back, String(size + body.length).padStart(4, '0') + goes + toText(body), header)
    })
  }
})

/** The first dialect behind another framing. */
function framedBy(framing: string): Pack {
  const packs = sources()
  const files = packs.get(A) as PackFiles
  const own = files['pack.yaml']?.replace(
    'framing: { length: 2 bytes big-endian, counts: body, frameBytesMax: 4096 }',
    `framing: { ${framing}, frameBytesMax: 4096 }`,
  )
  return compiled(A, packs.set(A, { ...files, 'pack.yaml': own ?? '' }))
}

// Composites of every kind -----------------------------------------------------------------------

const MINI: PackFiles = {
  'fields.yaml': `
table: mini
title: composites
extends: iso8583-1987-ascii
fields:
  55:
    is: LLLVAR b ..255 chip, hidden
    ber-tlv: { 9F02: n 12, 9A: n 6, DF01: ans ..20 }
  60:
    is: LLLVAR ans ..99 bitmapped
    bitmap: hex, 2 bytes
    bitmapped: { 1: n 6 period, 3: LLVAR ans ..10 area }
  61:
    is: ans 10 positional
    positional: { 1: n 4, 2: ans 6 }
  62:
    is: LLLVAR ans ..300 tags
    tagged: { BL: ans ..40 bill, NM: ans ..25 name, NS: { is: ans ..60, tagged: { A1: ans ..9, B2: n ..9 }, tag: ascii 2, length: ascii 2 } }
    tag: ascii 2
    length: ascii 2
    unknown: error
`,
  'pack.yaml': `
title: composites
framing: { length: 2 bytes big-endian, counts: body, frameBytesMax: 4096 }
conversation: { signOn: no, echoIdleMs: 60000, responseTimeoutMs: 40000 }
products: { '01': pdam, '02 2.': telkom }
recovery:
  pdam: { policy: advise, attempts: 3, spacingMs: 35000 }
  telkom: { policy: advise, attempts: 3, spacingMs: 35000 }
kinds:
  inquiry: { request: 0200, response: 0210, where: 3 starts 38 }
match: [kind, trace]
layouts:
  bill: [period YYYYMM, amountMinor sen n10]
sets:
  all:
    3: kind
    4?: amountMinor sen n12
    11: trace n6
    13: sentAt MMDD
    7: sentAt MMDDhhmmss
    28?: adminMinor rupiah C+n8
    48: product
    55?: { 9F02: amountMinor sen n12, DF01?: customer.name ans..20 }
    60?: { 1?: ignored, 3?: customer.tariff ans..10 }
    61?: { 1: is 0001, 2: customer.unit ans6 }
    62?: { BL..?: bills of bill, NM?: customer.address ans..25, NS?: { A1: serial ans..9, B2?: months n..9 } }
messages:
  pdam: { inquiry: { request: { all }, approved: { all, 39: outcome }, declined: { all, 39: outcome } } }
  telkom: { inquiry: { request: { all }, approved: { all, 39: outcome }, declined: { all, 39: outcome } } }
codes:
  '00': approved
  '05': declined other-error
  other: declined other-error
`,
}

/** The pack of composites; it says most reasons with one code. */
function mini(change: (pack: string) => string = text => text): Pack {
  const others = Object.keys(REASONS).filter(
    reason => !['approved', 'other-error'].includes(reason),
  )
  const say = `say:\n${others.map(reason => `  ${reason}: '05'\n`).join('')}`
  const pack = change((MINI['pack.yaml'] ?? '') + say)
  return compiled('mini', new Map([['mini', { ...MINI, 'pack.yaml': pack }]]))
}

const WHOLE: Message = {
  kind: 'inquiry',
  direction: 'request',
  repeat: false,
  product: 'telkom',
  trace: '000007',
  sentAt: '20261120091500' as LocalTime,
  amountMinor: rupiah(125_000),
  adminMinor: rupiah(2_500),
  customer: { name: 'UJI', unit: 'UNIT01', tariff: 'R1', address: 'JALAN UJI' },
  bills: [
    { period: '202610', amountMinor: rupiah(60_000) },
    { period: '202611', amountMinor: rupiah(65_000) },
  ],
  serial: 'SN-1',
  months: 2,
}

t.test('BER, bitmapped, positional, tagged and nested parts, each with one line', async t => {
  const pack = mini()
  const frame = pack.write(WHOLE)
  const fields = pack.codec.parse(frame)
  t.equal(fields.get(3), '380000', 'the beginning of a processing code is filled up')
  t.equal(fields.get(28), 'C00002500', 'a fee')
  t.equal(fields.get(4), '000012500000', 'an amount in hundredths')
  t.equal(fields.get(55), '9F0206000012500000DF0103554A49')
  t.equal(fields.at('55.DF01'), 'UJI')
  t.equal(fields.get(60), '200002R1')
  t.equal(fields.get(61), '0001UNIT01')
  t.equal(fields.get(62), 'BL162026100006000000BL162026110006500000NM09JALAN UJINS13A104SN-1B2012')
  const again = readMessage(pack, toText(frame))
  t.strictSame(again, WHOLE)
})

t.test('parts that may be missing are written when the message says them', async t => {
  const pack = mini()
  const { customer: _, bills: __, serial: ___, months: ____, ...less } = WHOLE
  const frame = pack.write(less)
  t.same(pack.codec.parse(frame).numbers, [3, 4, 7, 11, 13, 28, 48, 55])
  t.strictSame(readMessage(pack, toText(frame)), less)
})

t.test('what is wrong inside of composites is told with the path of the part', async t => {
  const pack = mini()
  const frame = toText(pack.write(WHOLE))
  const rows: [from: string, to: string, told: string][] = [
    ['0001UNIT01', '0002UNIT01', 'PACK_FORMAT de61.1'],
    ['BL16202611', 'BL16202613', 'PACK_FORMAT de62.BL[1].period'],
    ['NM09JALAN UJI', 'XX09JALAN UJI', 'CODEC_UNDEFINED_FIELD de62.XX'],
    ['C00002500', 'D00002500', 'CODEC_CONTENT de28'],
  ]
  for (const [from, to, told] of rows) {
    t.ok(frame.includes(from), from)
    const padded = frame.replace(from, to)
    const { error } = readReject(pack, toBytes(padded))
    t.equal(`${error.code} ${error.path}`, told)
  }
})

type Wrong = [title: string, from: string, to: string, text: RegExp]

t.test('packs that ask for what cannot be are told so, with the line', async t => {
  const rows: Wrong[] = [
    ['a part without a composite', '48: product', '48: { XX: product }', /48 has no parts/],
    [
      'a part that the table lacks',
      'NM?: customer.address',
      'QQ?: customer.address',
      /62\.QQ is not in/,
    ],
    ['a run that is none', 'BL..?: bills of bill', 'BL..B?: bills of bill', /not a run of parts/],
    ['a list that is none', 'bills of bill', 'customer of bill', /must be like/],
    [
      'a value too wide',
      'A1: serial ans..9',
      'A1: serial ans..10',
      /does not fit element 62.NS.A1/,
    ],
    ['a constant that does not fit', 'is 0001', 'is 00001', /cannot be "00001"/],
    ['a constant of another class', 'is 0001', 'is ABCD', /cannot be "ABCD"/],
    ['an echo inside of an element', 'A1: serial ans..9', 'A1: echo', /only a whole element/],
    ['an echo that a request must have', '48: product', '48: product\n    37: echo', /write "\?"/],
    [
      'something ignored that must be',
      '48: product',
      '48: product\n    37: ignored',
      /never written/,
    ],
    ['half a time', '    7: sentAt MMDDhhmmss\n', '', /no element says the whole of sentAt/],
    ['no product', '48: product', '48?: ignored', /lacks its product/],
    ['a mark that is no element', '3 starts 38', '180 starts 38', /180 is not in the field table/],
    ['a first code that is a pattern', "'02 2.'", "'2. 02'", /is what is written/],
    [
      'an unknown channel',
      'length: 2 bytes big-endian, counts: body',
      'channel: pigeon',
      /"pigeon"; there are ascii/,
    ],
    [
      'an unknown header',
      'counts: body',
      'counts: header body, header: hat',
      /"hat" is not a header/,
    ],
    ['a header counted that is not there', 'counts: body', 'counts: header body', /names a header/],
  ]
  for (const [title, from, to, text] of rows) {
    t.ok(MINI['pack.yaml']?.includes(from), from)
    t.throws(() => mini(pack => pack.replace(from, to)), { message: text }, title)
  }
})

t.test('parts are shown one by one, each under its own mask', async t => {
  const pack = mini()
  const frame = pack.write(WHOLE)
  const shown = (unsafe: boolean) =>
    new Map(pack.describe(frame, { unsafe }).map(line => [line.path, line.value]))
  const safe = shown(false)
  t.equal(safe.get('62'), '*'.repeat(70))
  t.equal(safe.get('62.NM'), '*********')
  t.equal(safe.get('62.NS.B2'), '2')
  t.equal(safe.get('55.DF01'), 'U**')
  t.equal(shown(true).get('62.NM'), 'JALAN UJI')
  const key = ebipp.describe(toBytes(frameOf(EBIPP, 'bill inquiry')))
  t.notMatch(JSON.stringify(key), /KEY0001/)
})

// Straight code and the general way ----------------------------------------------------------------

/** The same dialect with an element in every message that only the general way can take. */
function general(name: string): Pack {
  const packs = sources()
  const files = packs.get(A) as PackFiles
  const fields = `${files['fields.yaml']}  54: LLLVAR ans ..99 nothing\n`
  const pack = files['pack.yaml']?.replace(
    /^ {2}(head|failed|network):\n(?= {4}\d)/gm,
    '  $1:\n    54?: ignored\n',
  )
  return compiled(name, packs.set(A, { 'fields.yaml': fields, 'pack.yaml': pack ?? '' }))
}

for (const name of [A, B]) {
  t.test(`${name}: straight code reads and writes as the general way does`, async t => {
    const [straight, slow] = [packCalled(name), general(name)]
    const told = (pack: Pack, frame: Uint8Array) => {
      const read = pack.read(frame)
      if (read.tag === 'message') return read.message
      const { code, path, offset, expected, actual } = read.reject.error
      return { code, path, offset, expected, actual }
    }
    for (const { frame, message } of samplesOf(name)) {
      t.strictSame(told(slow, toBytes(frame)), message)
      t.equal(toText(slow.write(message)), frame)
    }
    const aChange = fc.record({
      sample: fc.constantFrom(...samplesOf(name)),
      at: fc.nat(),
      text: fc.string({
        unit: fc.constantFrom(...Array.from(' 0123456789ACDR*')),
        minLength: 1,
        maxLength: 12,
      }),
    })
    fc.assert(
      fc.property(aChange, ({ sample: { frame }, at, text }) => {
        // Behind type and bitmap, so that most of it still is a message.
        const place = 20 + (at % (frame.length - 20))
        const rest = frame.slice(place + text.length)
        const bytes = toBytes((frame.slice(0, place) + text + rest).slice(0, frame.length))
        return isDeepStrictEqual(told(straight, bytes), told(slow, bytes))
      }),
      { numRuns: 2500 },
    )
    const aWrite = fc.record({
      sample: fc.constantFrom(...samplesOf(name)),
      value: fc.oneof(
        fc.string({ maxLength: 40, unit: 'binary' }),
        fc.bigInt(),
        fc.integer(),
        fc.constant(undefined),
      ),
      which: fc.nat(),
    })
    fc.assert(
      fc.property(aWrite, ({ sample: { message }, value, which }) => {
        const changed = withChange(message, which, value)
        return written(straight, changed) === written(slow, changed)
      }),
      { numRuns: 2500 },
    )
  })
}

/** One value of a message replaced by one of the same type; absent when there is none. */
function withChange(message: Message, which: number, value: unknown): Message {
  const copy = structuredClone(message) as unknown as Record<string, unknown>
  const places: [Record<string, unknown>, string][] = []
  const gather = (object: Record<string, unknown>): void => {
    for (const [key, its] of Object.entries(object)) {
      if (['kind', 'direction', 'repeat', 'product', 'outcome'].includes(key)) continue
      if (typeof its === 'object' && its !== null) gather(its as Record<string, unknown>)
      else places.push([object, key])
    }
  }
  gather(copy)
  const [object, key] = places[which % places.length] as [Record<string, unknown>, string]
  if (value === undefined) delete object[key]
  else if (typeof value === typeof object[key]) object[key] = value
  return copy as unknown as Message
}

function written(pack: Pack, message: Message): string {
  try {
    return toText(pack.write(message))
  } catch (error) {
    if (isNadiError(error)) return `${error.code} ${error.path} ${error.expected}`
    return `thrown: ${String(error)}`
  }
}

t.test('what a pack calls its layouts and constants is never run', async t => {
  const packs = sources()
  const files = packs.get(A) as PackFiles
  const name = String.raw`"x\u2028\n;globalThis.ran=1//"`
  const constant = `');globalThis.ran=1//`
  const text = files['pack.yaml']
    ?.replace('request: { head, 48: postpaid-asked }', `request: { head, 48: ${name} }`)
    .replace(
      '  postpaid-asked: # 19\n',
      `  ${name}: [switcher an7, "is ${constant}", customer.id n12]\n  postpaid-asked:\n`,
    )
    .replaceAll('one of 0=meter 1=id', `one of 0=meter 1=id${constant}`)
  const made = compiled(A, packs.set(A, { ...files, 'pack.yaml': text ?? '' }))
  const asked = frameOf(A, 'postpaid inquiry').replace(
    '019SWX0001',
    `0${19 + constant.length}SWX0001${constant}`,
  )
  const message = readMessage(made, asked)
  t.equal(message.customer?.id, '999900000015')
  t.equal(toText(made.write(message)), asked)
  t.notOk('ran' in globalThis)
})
