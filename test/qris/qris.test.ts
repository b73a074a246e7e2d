import { existsSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import t from 'tap'
import { isNadiError, minor, rupiah } from '#base'
import {
  CODE_CHARS_MAX,
  crc16,
  CRITERIA,
  isQrisPan,
  makeQris,
  nnsOf,
  type QrisCode,
  rawObjects,
  readQris,
  withCheckDigit,
} from '#qris'
import { run } from '../../src/cli/program.ts'
import { paintFor } from '../../src/cli/terminal.ts'

const MERCHANT =
  '26680016ID.CO.CONTOH.WWW011893609999000000001502159000000000000010303UMI51440014ID.CO.QRIS.WWW0215ID10999999999990303UMI52045411'
const PLACE = '5802ID5913WARUNG CONTOH6007JAKARTA610510110'
const TERMINAL = '62070703A01'

/** A code with its checksum, from all that stands before it. */
function sealed(text: string): string {
  const crc = crc16(Buffer.from(`${text}6304`))
    .toString(16)
    .toUpperCase()
    .padStart(4, '0')
  return `${text}6304${crc}`
}

/** Code, path and offset of what is thrown. */
function problemOf(text: string): string {
  try {
    readQris(text)
    return 'none'
  } catch (error) {
    if (isNadiError(error)) return [error.code, error.path ?? '', error.offset ?? ''].join(' ')
    throw error
  }
}

const SHOP: QrisCode = {
  use: 'static',
  accounts: [
    {
      id: '26',
      domain: 'ID.CO.CONTOH.WWW',
      pan: '936099990000000015',
      merchantId: '900000000000001',
      criteria: 'UMI',
    },
  ],
  national: { domain: 'ID.CO.QRIS.WWW', merchantId: 'ID1099999999999', criteria: 'UMI' },
  category: '5411',
  name: 'WARUNG CONTOH',
  city: 'JAKARTA',
  postalCode: '10110',
  additional: { terminal: 'A01' },
}
const SALE: QrisCode = { ...SHOP, use: 'dynamic', amountMinor: rupiah(25_000) }

t.test('the check value of CRC-16/CCITT-FALSE', async t => {
  t.equal(crc16(Buffer.from('123456789')), 0x29b1)
  t.equal(crc16(new Uint8Array(0)), 0xffff)
})

t.test('PANs as messages bear them', async t => {
  t.equal(withCheckDigit('936099990000000015'), '9360999900000000151', 'the 18 digits of a code')
  t.equal(withCheckDigit('9360999900000000151'), '9360999900000000151', 'all 19 are there')
  t.equal(nnsOf('9360999900000000151'), '93609999')
  const rows: [pan: string, good: boolean][] = [
    ['9360999900000000151', true],
    ['9360888800000000223', true],
    ['9360999900000000152', false],
    ['936099990000000015', false],
    ['4999111122223333', false],
    ['936099990000000015X', false],
    ['', false],
  ]
  for (const [pan, good] of rows) t.equal(isQrisPan(pan), good, pan)
  fc.assert(
    fc.property(fc.stringMatching(/^9360\d{14}$/), digits => isQrisPan(withCheckDigit(digits))),
  )
})

t.test('objects as they stand in a code', async t => {
  const text = makeQris(SHOP)
  t.equal(rawObjects(text, ['61', '62']), '61051011062070703A01')
  t.equal(rawObjects(text, ['62', '61']), '62070703A01610510110', 'in the order that is asked for')
  t.equal(rawObjects(text, ['54']), '', 'nothing where there is none')
})

const codes: [title: string, checksum: string, code: QrisCode][] = [
  ['static', 'FF6B', SHOP],
  ['dynamic', '865F', { ...SALE, additional: { bill: 'INV00010', terminal: 'A01' } }],
  ['the payer is asked for a tip', '0793', { ...SALE, tip: { tag: 'asked' } }],
  ['a fixed tip', '5474', { ...SALE, tip: { tag: 'fixed', amountMinor: rupiah(2000) } }],
  ['five percent of tip', 'AA5C', { ...SALE, tip: { tag: 'percent', hundredths: 500 } }],
]

t.test('codes are made as the reference has them, and read again', async t => {
  for (const [title, checksum, code] of codes) {
    if (title === 'dynamic') continue
    const text = makeQris(code)
    t.equal(text.slice(-4), checksum, `${title}: the checksum`)
    t.strictSame(readQris(text), code, title)
  }
  const dynamic = sealed(`000201010212${MERCHANT}5303360540525000${PLACE}62180107INV00010703A01`)
  t.equal(dynamic.slice(-4), '7865')
  t.strictSame(readQris(dynamic).additional, { bill: 'INV0001', terminal: 'A01' })
  t.equal(makeQris(readQris(dynamic)), dynamic)
})

const SAMPLES = new URL('../../../shared/reference/ppob-samples.json', import.meta.url)
t.test('the samples of the reference', { skip: !existsSync(SAMPLES) }, async t => {
  const samples = JSON.parse(readFileSync(SAMPLES, 'utf8')) as Record<string, unknown>
  let count = 0
  for (const [name, text] of Object.entries(samples)) {
    if (!/^qris_(?!iso)/.test(name) || typeof text !== 'string') continue
    count++
    t.equal(makeQris(readQris(text)), text, name)
  }
  t.equal(count, 5)
})

t.test('the specimen with a merchant PAN of 15 digits', async t => {
  const text =
    '00020101021126670018ID.CO.EXAMPLE2.WWW01159360001404567890215MIDCONTOH1234560303UMI51370014ID.CO.QRIS.WWW0215ID10191234567815204123453033605802ID5914NamaMerchantC16009NamaKota16110123456789062070703K196304B22E'
  t.match(readQris(text), { name: 'NamaMerchantC1', national: { merchantId: 'ID1019123456781' } })
  t.equal(makeQris(readQris(text)), text)
})

t.test('amounts and tips as they may be written', async t => {
  const amounts: [text: string, minor: bigint | undefined][] = [
    ['1000', 100_000n],
    ['1000.', 100_000n],
    ['1000.00', 100_000n],
    ['1000.5', 100_050n],
    ['0.01', 1n],
    ['9999999999.99', 999_999_999_999n],
    ['0', undefined],
    ['0.00', undefined],
    ['1000,00', undefined],
    ['1 000', undefined],
    ['-1', undefined],
    ['.5', undefined],
    ['1.005', undefined],
    ['1e3', undefined],
    ['12345678901.00', undefined],
  ]
  for (const [text, amount] of amounts) {
    const object = `54${String(text.length).padStart(2, '0')}${text}`
    const code = sealed(`000201010212${MERCHANT}5303360${object}${PLACE}`)
    if (amount === undefined) t.match(problemOf(code), /^QRIS_VALUE 54 \d+$/, text)
    else t.equal(readQris(code).amountMinor, amount, text)
  }
  const tips: [title: string, objects: string, problem: string][] = [
    ['a fixed one without its amount', '550202', 'QRIS_MISSING 56 0'],
    ['a percentage without it', '550203', 'QRIS_MISSING 57 0'],
    ['an amount where the payer is asked', '55020156042000', 'QRIS_VALUE 56 153'],
    ['an amount without a word', '56042000', 'QRIS_VALUE 56 147'],
    ['both', '5502035604200057045.00', 'QRIS_VALUE 56 153'],
    ['a hundred percent', '5502035706100.00', 'QRIS_VALUE 57 153'],
    ['no percent', '5502035704 0.0', 'QRIS_VALUE 57 153'],
    ['nought percent', '550203570500.00', 'QRIS_VALUE 57 153'],
    ['another way', '550204', 'QRIS_VALUE 55 147'],
  ]
  for (const [title, objects, problem] of tips)
    t.equal(problemOf(sealed(`000201010212${MERCHANT}5303360${objects}${PLACE}`)), problem, title)
})

const STATIC = `000201010211${MERCHANT}5303360${PLACE}${TERMINAL}`
const without = (object: string) => sealed(STATIC.replace(object, ''))
const instead = (object: string, by: string) => sealed(STATIC.replace(object, by))

const bad: [title: string, text: string, problem: RegExp][] = [
  ['nothing', '', /^QRIS_MISSING 63 0$/],
  ['no code', 'https://contoh.id/bayar', /^QRIS_MISSING 63 15$/],
  ['another checksum', `${STATIC}6304FF6C`, /^QRIS_CHECKSUM 63 \d+$/],
  ['a checksum in small letters', `${STATIC}6304ff6b`, /^QRIS_CHECKSUM 63/],
  ['a checksum that is not hexadecimal', `${STATIC}6304M2B3`, /^QRIS_CHECKSUM 63/],
  ['something behind the checksum', `${sealed(STATIC)} `, /^QRIS_MISSING 63/],
  ['too long', sealed('0'.repeat(CODE_CHARS_MAX)), /^QRIS_SYNTAX {2}$/],
  ['another first object', sealed(STATIC.slice(6) + '000201'), /^QRIS_VALUE 00/],
  ['another version', instead('000201', '000202'), /^QRIS_VALUE 00 0$/],
  ['neither static nor dynamic', instead('010211', '010213'), /^QRIS_VALUE 01 6$/],
  ['an id of letters', instead('5303360', 'X303360'), /^QRIS_SYNTAX {2}140$/],
  ['a length of letters', instead('5303360', '53x3360'), /^QRIS_SYNTAX 53 142$/],
  ['a length of nought', instead('5303360', '5300'), /^QRIS_SYNTAX 53 142$/],
  ['a length beyond the end', instead(TERMINAL, '62990703A01'), /^QRIS_SYNTAX 62 \d+$/],
  ['a length beyond its template', instead(TERMINAL, '62070705A01'), /^QRIS_SYNTAX 62\.07 \d+$/],
  ['an object twice', instead('5303360', '53033605303360'), /^QRIS_VALUE 53 147$/],
  ['no category', without('52045411'), /^QRIS_MISSING 52 0$/],
  ['no currency', without('5303360'), /^QRIS_MISSING 53 0$/],
  ['dollars', instead('5303360', '5303840'), /^QRIS_VALUE 53 140$/],
  ['no country', without('5802ID'), /^QRIS_MISSING 58 0$/],
  ['another country', instead('5802ID', '5802SG'), /^QRIS_VALUE 58 \d+$/],
  ['no postal code', without('610510110'), /^QRIS_MISSING 61 0$/],
  [
    'a name of 26 characters',
    instead('5913WARUNG CONTOH', `5926${'A'.repeat(26)}`),
    /^QRIS_VALUE 59 /,
  ],
  ['a bell in the city', instead('6007JAKARTA', '6007JAK\u0007RTA'), /^QRIS_VALUE 60 /],
  [
    'a static code without a national id',
    sealed(`000201010211${MERCHANT.slice(0, 72)}520454115303360${PLACE}`),
    /^QRIS_MISSING 51 0$/,
  ],
  ['nobody to be paid', sealed(`000201010212520454115303360${PLACE}`), /^QRIS_MISSING 26 0$/],
  [
    'a merchant PAN of letters',
    instead('936099990000000015', '9360999900000000AB'),
    /^QRIS_VALUE 26\.01 36$/,
  ],
  ['other criteria', instead('0303UMI51', '0303XYZ51'), /^QRIS_VALUE 26\.03 77$/],
  [
    'a national id of another form',
    instead('ID1099999999999', 'XX1099999999999'),
    /^QRIS_VALUE 51\.02 106$/,
  ],
  ['asks twice for the same', instead(TERMINAL, '62060902AA'), /^QRIS_VALUE 62\.09 \d+$/],
  [
    'a proprietary template without its owner',
    instead(TERMINAL, '621099060102AB'),
    /^QRIS_MISSING 62\.99\.00 \d+$/,
  ],
  [
    'a third object of the proprietary template',
    instead(TERMINAL, '621599110002AB0301X'),
    /^QRIS_VALUE 62\.99\.03 \d+$/,
  ],
  ['a language without a name', instead(TERMINAL, '64060002en'), /^QRIS_MISSING 64\.01 \d+$/],
]

t.test('malformed codes are refused with path and offset', async t => {
  t.equal(problemOf(sealed(STATIC)), 'none')
  for (const [title, text, problem] of bad) t.match(problemOf(text), problem, title)
  for (const broken of [
    { ...SHOP, name: '' },
    { ...SHOP, city: 'A'.repeat(16) },
    { ...SHOP, category: '12' },
  ])
    t.throws(() => makeQris(broken), { code: 'QRIS_VALUE' })
  t.throws(() => makeQris({ ...SHOP, others: [{ id: '59', value: 'TWICE' }] }), {
    code: 'QRIS_VALUE',
    path: '59',
  })
})

const word = (max: number) => fc.stringMatching(new RegExp(`^[A-Z0-9 .*-]{1,${max}}$`))
const digits = (min: number, max: number) => fc.stringMatching(new RegExp(`^\\d{${min},${max}}$`))
const criteria = fc.constantFrom(...CRITERIA)
const money = fc.bigInt({ min: 1n, max: 999_999_999_999n }).map(minor)
const PLAIN = { noNullPrototype: true } as const

const aCode = fc.record(
  {
    use: fc.constantFrom('static' as const, 'dynamic' as const),
    accounts: fc
      .uniqueArray(fc.integer({ min: 26, max: 45 }), { minLength: 1, maxLength: 2 })
      .chain(ids =>
        fc.tuple(
          ...ids
            .sort((a, b) => a - b)
            .map(id =>
              fc.record(
                {
                  id: fc.constant(String(id)),
                  domain: word(20),
                  pan: digits(15, 19),
                  merchantId: word(15),
                  criteria,
                },
                { ...PLAIN, requiredKeys: ['id', 'domain'] },
              ),
            ),
        ),
      ),
    national: fc.record(
      {
        domain: fc.constant('ID.CO.QRIS.WWW'),
        merchantId: digits(13, 13).map(number => `ID${number}`),
        criteria,
      },
      PLAIN,
    ),
    category: digits(4, 4),
    amountMinor: money,
    tip: fc.oneof(
      fc.constant({ tag: 'asked' as const }),
      fc.record({ tag: fc.constant('fixed' as const), amountMinor: money }, PLAIN),
      fc.record(
        {
          tag: fc.constant('percent' as const),
          hundredths: fc.integer({ min: 1, max: 9999 }),
        },
        PLAIN,
      ),
    ),
    name: word(25),
    city: word(15),
    postalCode: digits(1, 10),
    additional: fc
      .record(
        {
          bill: word(20),
          mobile: digits(5, 15),
          terminal: word(8),
          asks: fc.constantFrom('A', 'ME', 'EAM'),
        },
        { ...PLAIN, requiredKeys: [] },
      )
      .filter(one => Object.keys(one).length > 0),
    localized: fc.record({ language: fc.constant('id'), name: fc.constant('WARUNG É') }, PLAIN),
    others: fc.constant([{ id: '80', value: '0004ABCD' }]),
  },
  {
    ...PLAIN,
    requiredKeys: ['use', 'accounts', 'national', 'category', 'name', 'city', 'postalCode'],
  },
)

t.test('what is made is read as it was', async () => {
  fc.assert(
    fc.property(aCode, code => {
      const plain = { ...code, accounts: [...code.accounts] } as QrisCode
      return isDeepStrictEqual(readQris(makeQris(plain)), plain)
    }),
    { numRuns: 200 },
  )
})

t.test(
  'one character that is another, and any text at all, is refused with a code of its own',
  async t => {
    const good = sealed(STATIC)
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.stringMatching(/^[ -~]$/), (at, by) => {
        if (good[at] === by) return
        t.match(problemOf(good.slice(0, at) + by + good.slice(at + 1)), /^QRIS_/)
      }),
    )
    fc.assert(
      fc.property(fc.string({ maxLength: 600 }), text => {
        t.match(problemOf(sealed(text)), /^QRIS_/)
      }),
    )
  },
)

async function nadi(args: readonly string[], input = '') {
  let out = ''
  let err = ''
  const code = await run(['qris', ...args], {
    out: text => void (out += `${text}\n`),
    err: text => void (err += `${text}\n`),
    env: {},
    paint: paintFor(false),
    interactive: false,
    ask: async () => '',
    readAll: async () => input,
    input: (async function* () {})(),
  })
  return { code, out, err }
}

t.test('nadi qris', async t => {
  const shop =
    '--name;WARUNG CONTOH;--city;JAKARTA;--postal;10110;--category;5411;--domain;ID.CO.CONTOH.WWW;--pan;936099990000000015;--mid;900000000000001;--criteria;UMI;--nmid;ID1099999999999;--terminal;A01'.split(
      ';',
    )
  const made = await nadi(['make', ...shop])
  t.equal(made.out.trim(), makeQris(SHOP))
  const sale = await nadi(['make', ...shop, '--amount', 'Rp 25.000', '--tip', '5%', '--json'])
  t.strictSame(JSON.parse(sale.out), {
    code: makeQris({ ...SALE, tip: { tag: 'percent', hundredths: 500 } }),
  })
  const read = await nadi(['decode'], `${makeQris(SALE)}\n`)
  t.match(read, { code: 0, out: /name +WARUNG CONTOH\n/ })
  t.match(read.out, /amountMinor +Rp ?25\.000/)
  t.notMatch(read.out, /936099990000000015/, 'the merchant PAN is masked')
  t.match((await nadi(['decode', makeQris(SALE), '--unsafe'])).out, /936099990000000015/)
  t.match(await nadi(['decode', `${makeQris(SALE).slice(0, -1)}X`]), {
    code: 1,
    err: /QRIS_CHECKSUM/,
  })
  t.match(await nadi(['make', '--name', 'X']), { code: 2 })
  t.match(await nadi(['make', ...shop, '--criteria', 'BIG']), { code: 2, err: /UMI, UKE/ })
})
