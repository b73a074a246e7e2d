import { generateKeyPairSync } from 'node:crypto'
import { type Test, test } from 'tap'
import { API_FRAMES, API_PACK } from '#api'
import { formatTxnId, parseTxnId, rupiah, toJson } from '#base'
import { isHttpResponse } from '#http'
import type { Story } from '#journal'
import type { Message } from '#message'
import type { HttpPack, Pack } from '#pack'
import type { QrisCode } from '#qris'
import { type Json, type Reply, word } from '../api/client.ts'
import {
  codeOf,
  configOf,
  CUSTOMER_NAME,
  CUSTOMER_PAN,
  FRAME_LINK,
  productFile,
  type QrisLab,
  startQrisLab,
} from './qris-lab.ts'

const money = (value: string) => ({ value, currency: 'IDR' })
const PAYER = { customerPan: CUSTOMER_PAN, customerName: CUSTOMER_NAME }

let numbers = 0
/** A merchant of its own, with its acquirer's behaviour at the end. */
const merchant = (suffix: number | string): string =>
  `9999${String(++numbers).padStart(7, '0')}${suffix}`

let keys = 0
const freshKey = (): string => `qris-${++keys}`

function inquire(
  { client }: QrisLab,
  content: string,
  more: Readonly<Record<string, unknown>> = {},
  payer: object = PAYER,
): Promise<Reply> {
  const { tip, ...others } = more
  const qr = { content, ...payer, ...(tip !== undefined && { tip }) }
  return client.post('/v1/inquiries', { product: 'qris', qr, ...others })
}

async function quoted(lab: QrisLab, suffix: number | string, amount = '25000.00'): Promise<Reply> {
  const reply = await inquire(lab, codeOf(merchant(suffix)), { amount: money(amount) })
  if (reply.status !== 201) throw new Error(`not quoted: ${reply.body.toString()}`)
  return reply
}

function pay({ client }: QrisLab, asked: Reply, headers = {}): Promise<Reply> {
  const body = { inquiry: asked.json['id'], amount: asked.json['amount'] }
  return client.post('/v1/payments', body, { key: freshKey(), headers })
}

/** Looks at a payment until the journal has it in this state. */
async function until(lab: QrisLab, id: Json | undefined, tag: string): Promise<Story> {
  for (let tries = 0; ; tries++) {
    const story = await lab.storyOf('payment', parseTxnId(word(id)))
    if (story.tag === tag || tries > 1000) return story
    await lab.pause()
  }
}

/** What crossed the line to the acquirer, as messages. */
function crossed({ records }: Story, pack: Pack | HttpPack): Message[] {
  const frames = records
    .flatMap(record => record.frames ?? [])
    .filter(({ side }) => side === 'destination')
  return frames.flatMap(({ bytes }) => {
    const read =
      'transport' in pack
        ? isHttpResponse(bytes)
          ? undefined
          : pack.readRequest(bytes)
        : pack.read(bytes)
    return read?.tag === 'message' ? [read.message] : []
  })
}

const asks = (story: Story, lab: QrisLab, kind: Message['kind']): Message[] =>
  crossed(story, lab.pack).filter(one => one.direction === 'request' && one.kind === kind)

test('what the configuration says of codes is checked', async t => {
  const problems = (products: string, links = {}): string => {
    const result = configOf({
      'links/acquirer.yaml': FRAME_LINK(1),
      'products.yaml': products,
      ...links,
    })
    return 'problems' in result
      ? result.problems.map(({ path, text }) => `${path}: ${text}`).join('\n')
      : ''
  }
  t.equal(problems(productFile()), '')
  const file = productFile()
  t.match(problems(file.replace('qris-code', 'qris')), /quote.*qris-code/s)
  t.match(
    problems(`${file}  denominations: [Rp 10.000]\n`),
    /products.yaml:\d+: what is due stands in the code .*so there are none/,
  )
  t.match(
    problems(file.replace('inside: false', 'inside: true')),
    /what is due stands in the code .*the fee cannot be inside/,
  )
  const bank = FRAME_LINK(1).replace('qris-1987', 'pln-1987-jtl').replace('360002', 'SWX0001')
  const pln = file
    .replace('qris:', 'pln-prepaid:')
    .replace('  quote: qris-code\n', '')
    .replace('products: [qris]', '')
  const short = FRAME_LINK(1).replace("'360002'", '36000200200')
  t.equal(problems(productFile(), { 'links/acquirer.yaml': short }), '')
  t.match(
    problems(pln, {
      'links/acquirer.yaml': bank
        .replace('pln-1987-jtl', 'pln-2003-115')
        .replace('SWX0001', 'SWX000123'),
    }),
    /the pack pln-2003-115 cannot say this identity: CODEC_VALUE/,
  )
  t.match(
    problems(pln, { 'links/acquirer.yaml': bank }),
    /the pack pln-1987-jtl of the link acquirer has no message that takes a payment of pln-prepaid back: reversalWindow must be 0s/,
  )
})

test('a code is read, and what it says is quoted', async t => {
  const lab = await startQrisLab('qris-1987')
  t.teardown(() => lab.close())

  type Row = [
    title: string,
    code: Partial<QrisCode>,
    asked: Readonly<Record<string, unknown>>,
    amount: string,
    tip?: string,
  ]
  const amountMinor = rupiah(25_000)
  const dynamic = { use: 'dynamic', amountMinor } as const
  const rows: Row[] = [
    ['static: the payer says how much', {}, { amount: money('25000.00') }, '25000.00'],
    ['dynamic: the code says it', dynamic, {}, '25000.00'],
    ['the payer may say the same', dynamic, { amount: money('25000.00') }, '25000.00'],
    ['a dynamic one without an amount', { use: 'dynamic' }, { amount: money('9.50') }, '9.50'],
    [
      'a tip is asked for',
      { ...dynamic, tip: { tag: 'asked' } },
      { tip: money('2000.00') },
      '27000.00',
      '2000.00',
    ],
    ['and need not be given', { ...dynamic, tip: { tag: 'asked' } }, {}, '25000.00'],
    [
      'a fixed tip',
      { ...dynamic, tip: { tag: 'fixed', amountMinor: rupiah(2_000) } },
      {},
      '27000.00',
      '2000.00',
    ],
    [
      'the fixed tip told again',
      { ...dynamic, tip: { tag: 'fixed', amountMinor: rupiah(2_000) } },
      { tip: money('2000.00') },
      '27000.00',
      '2000.00',
    ],
    [
      'a percentage',
      { ...dynamic, tip: { tag: 'percent', hundredths: 500 } },
      {},
      '26250.00',
      '1250.00',
    ],
    [
      'of what the payer says',
      { tip: { tag: 'percent', hundredths: 333 } },
      { amount: money('1500.00') },
      '1550.00',
      '50.00',
    ],
  ]
  for (const [title, code, asked, amount, tip] of rows) {
    const reply = await inquire(lab, codeOf(merchant('001'), code), asked)
    t.equal(reply.status, 201, title)
    t.match(reply.json, {
      merchant: { name: 'WARUNG CONTOH', city: 'JAKARTA' },
      amount: money(amount),
      fee: money('500.00'),
    })
    t.same(reply.json['tip'], tip && money(tip), `${title}: the tip as part of it`)
    const again = await lab.client.ask(String(reply.headers['location']))
    t.same(again.json, reply.json, `${title}: it can be looked at`)
  }
  t.equal((await lab.journal.list({ kind: 'payment', limit: 1 })).length, 0)
  t.same(crossed(await lab.storyOf('inquiry'), lab.pack), [], 'nobody is asked')

  const good = codeOf(merchant('001'), dynamic)
  const open = codeOf(merchant('001'))
  type Bad = [
    title: string,
    content: string,
    asked: Readonly<Record<string, unknown>>,
    status: number,
    code: string,
    path: string,
    says: RegExp,
    payer?: object,
  ]
  const refused: Bad[] = [
    [
      'a wrong checksum',
      good.replace('JAKARTA', 'JAKARTO'),
      {},
      422,
      'format-error',
      'qr.content',
      /object 63, character \d+: the checksum/,
    ],
    ['no code at all', 'https://example.com/', {}, 422, 'format-error', 'qr.content', /63/],
    ['cut off', good.slice(0, 60), {}, 422, 'format-error', 'qr.content', /object/],
    [
      'another amount',
      good,
      { amount: money('25001.00') },
      422,
      'amount-invalid',
      'amount',
      /another amount/,
    ],
    ['no amount', open, {}, 422, 'amount-invalid', 'amount', /the payer does/],
    ['nothing', open, { amount: money('0.00') }, 422, 'amount-invalid', 'amount', /the payer does/],
    [
      'a tip that nobody asked for',
      good,
      { tip: money('1.00') },
      422,
      'amount-invalid',
      'qr.tip',
      /asks for no tip/,
    ],
    [
      'another tip',
      codeOf(merchant('001'), { ...dynamic, tip: { tag: 'fixed', amountMinor: rupiah(1) } }),
      { tip: money('2.00') },
      422,
      'amount-invalid',
      'qr.tip',
      /another tip/,
    ],
    [
      'no PAN of the payer',
      good,
      {},
      422,
      'format-error',
      'qr.customerPan',
      /not there/,
      { customerName: CUSTOMER_NAME },
    ],
    [
      'no name of the payer',
      good,
      {},
      422,
      'format-error',
      'qr.customerName',
      /not there/,
      { customerPan: CUSTOMER_PAN },
    ],
    [
      'a name that no frame can hold',
      good,
      {},
      400,
      'invalid-request',
      'qr.customerName',
      /./,
      { ...PAYER, customerName: '王' },
    ],
    [
      'a wrong check digit',
      good,
      {},
      422,
      'format-error',
      'qr.customerPan',
      /check digit/,
      { ...PAYER, customerPan: CUSTOMER_PAN.replace(/.$/, '0') },
    ],
  ]
  for (const [title, content, asked, status, code, path, says, payer] of refused) {
    const reply = await inquire(lab, content, asked, payer)
    t.equal(reply.status, status, title)
    t.match(reply.json, { code, errors: [{ path, message: says }] }, title)
    t.notMatch(reply.body.toString(), CUSTOMER_PAN, title)
  }
  const bare = await lab.client.post('/v1/inquiries', { product: 'qris', amount: money('1.00') })
  t.match(bare.json, { code: 'format-error', errors: [{ path: 'qr.content' }] }, 'without a code')
  const most = await inquire(lab, open, { amount: money('10000001.00') })
  t.match(most.json, { code: 'above-maximum' }, 'the limits of the product hold')
  t.same(lab.problems, [], 'every answer is as the OpenAPI document has it')
})

test('QRIS over ISO 8583:1987, from the partner to the acquirer', async t => {
  const lab = await startQrisLab('qris-1987')
  t.teardown(() => lab.close())
  const silent = await sold(t, lab)

  await t.test(
    'a status check has the reference of its payment, and a number of its own',
    async t => {
      const [first] = asks(silent, lab, 'payment')
      const checks = asks(silent, lab, 'status')
      t.match(first?.reference?.own, /^\d{12}$/)
      for (const check of checks) t.equal(check.reference?.own, first?.reference?.own)
      t.equal(new Set([first, ...checks].map(one => one?.trace)).size, 6, 'six audit numbers')
      t.match(first?.qr, {
        merchantName: 'WARUNG CONTOH',
        criteria: 'UMI',
        terminal: 'A01',
        issuer: '93608888',
        customerPan: CUSTOMER_PAN,
        additional: '61051011062070703A01',
      })
    },
  )
})

test('QRIS over SNAP BI, from the partner to the bank', async t => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const lab = await startQrisLab('qris-snap', {
    clientId: 'client',
    partnerId: 'NADI',
    channelId: '95221',
    clientSecret: 'a-secret-of-the-bank',
    ourKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ourPublicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  })
  t.teardown(() => lab.close())

  await t.test('the bank is asked with what was read, and only with a good code', async t => {
    const bad = await inquire(lab, `${codeOf(merchant('001')).slice(0, -1)}0`)
    t.match(bad.json, { code: 'format-error', errors: [{ path: 'qr.content' }] })
    t.equal((await lab.journal.list({ kind: 'inquiry', limit: 1 })).length, 0)
    const asked = await inquire(lab, codeOf(merchant('001')), { amount: money('12000.00') }, {})
    t.match(asked.json, {
      merchant: { name: 'WARUNG CONTOH', city: 'JAKARTA' },
      amount: money('12000.00'),
      details: [{ label: 'BANK CONTOH', text: /^9360\d{15}$/ }],
    })
    const [question] = crossed(await lab.storyOf('inquiry'), lab.pack)
    t.match(question, { kind: 'inquiry', amountMinor: rupiah(12_000), qr: { content: /^000201/ } })
    const nobody = await inquire(lab, codeOf(merchant(903)), { amount: money('1000.00') })
    t.match(
      nobody.json,
      { code: 'customer-unknown', status: 404 },
      'the bank knows no such merchant',
    )
  })
  await sold(t, lab)
})

/**
 * All that may become of a payment, and of the partner's wish to have it back. Returns the story of
 * the one that nobody ever told about.
 */
async function sold(t: Test, lab: QrisLab): Promise<Story> {
  let silent: Story | undefined
  await t.test('paid, looked at, receipted', async t => {
    const before = await lab.client.ask('/v1/balance')
    const asked = await inquire(
      lab,
      codeOf(merchant('001'), {
        use: 'dynamic',
        amountMinor: rupiah(25_000),
        tip: { tag: 'fixed', amountMinor: rupiah(2_000) },
      }),
    )
    const paid = await pay(lab, asked)
    t.equal(paid.status, 201)
    t.match(paid.json, {
      state: 'paid',
      amount: money('27000.00'),
      tip: money('2000.00'),
      fee: money('500.00'),
      total: money('27500.00'),
      merchant: { name: 'WARUNG CONTOH' },
    })
    const look = await lab.client.ask(String(paid.headers['location']))
    t.ok(look.body.equals(paid.body), 'a look shows the very same')
    const story = await lab.storyOf('payment', parseTxnId(word(paid.json['id'])))
    const [sent] = asks(story, lab, 'payment')
    t.match(sent, { amountMinor: rupiah(27_000) })
    const slip = await lab.client.ask(`${String(paid.headers['location'])}/receipt?format=text`)
    t.match(slip.body.toString(), /WARUNG CONTOH/)
    t.match(slip.body.toString(), /TERMASUK TIP +: Rp +2\.000/)
    const after = await lab.client.ask('/v1/balance')
    t.equal(deposit(before) - deposit(after), 2_750_000n)
    t.notMatch(paid.body.toString(), CUSTOMER_PAN)
  })

  await t.test('declined', async t => {
    const reply = await pay(lab, await quoted(lab, 926))
    t.match(reply.json, { code: 'amount-invalid', status: 422 })
    const story = await until(lab, reply.json['payment'], 'declined')
    t.same(asks(story, lab, 'status'), [], 'nothing is asked about it')
  })

  const found: [title: string, suffix: number, ends: string, checks: number][] = [
    ['paid, and a status check says so', 907, 'paid', 1],
    ['not paid, and a status check says so', 909, 'declined', 1],
    ['pending at first', 955, 'paid', 2],
    ['nobody ever says: a person must tell', 954, 'suspect', 5],
  ]
  for (const [title, suffix, ends, checks] of found)
    await t.test(`no answer: ${title}`, async t => {
      const reply = await pay(lab, await quoted(lab, suffix), { prefer: 'wait=1' })
      t.equal(reply.status, 202, 'silence is not a decline')
      const story = await until(lab, reply.json['id'], ends)
      t.equal(story.tag, ends)
      t.equal(asks(story, lab, 'status').length, checks, 'status checks')
      t.same(asks(story, lab, 'reversal'), [], 'nothing is taken back to find out')
      if (suffix === 954) silent = story
      const look = await lab.client.ask(`/v1/payments/${formatTxnId(story.id)}`)
      t.equal(look.json['state'], ends === 'suspect' ? 'pending' : ends)
    })

  await t.test('the partner takes a payment back', async t => {
    const before = await lab.client.ask('/v1/balance')
    const paid = await pay(lab, await quoted(lab, '002'))
    const target = `/v1/payments/${word(paid.json['id'])}/reversals`
    const back = await lab.client.post(target, {})
    t.match(back.json, { state: 'reversed' })
    const again = await lab.client.post(target, {})
    t.match(again.json, { state: 'reversed' }, 'it bears repeating')
    const story = await until(lab, paid.json['id'], 'reversed')
    const refunds = asks(story, lab, 'reversal')
    t.equal(refunds.length, 1, 'one refund')
    const [first] = asks(story, lab, 'payment')
    t.equal(refunds[0]?.reference?.own, first?.reference?.own, 'that names its payment')
    const theirs =
      'transport' in lab.pack
        ? { reference: { biller: /./ }, amountMinor: rupiah(25_000) }
        : { qr: { approval: /^.{6}$/, invoice: /^.{20}$/ }, amountMinor: rupiah(25_000) }
    t.match(refunds[0], theirs, 'as its answer called it')
    t.equal(deposit(await lab.client.ask('/v1/balance')), deposit(before), 'the money is back')
    const given = [...lab.book.entries()].filter(one => one.state === 'reversed')
    t.equal(given.length, 1, 'and the acquirer has given it back')
  })

  await t.test('a refund that is refused leaves it paid', async t => {
    const paid = await pay(lab, await quoted(lab, 956))
    const back = await lab.client.post(`/v1/payments/${word(paid.json['id'])}/reversals`, {})
    t.match(back.json, { code: 'too-late-to-reverse', status: 409 })
    t.equal((await until(lab, paid.json['id'], 'paid')).tag, 'paid')
  })

  await t.test('a refund without an answer is a person’s to decide', async t => {
    const paid = await pay(lab, await quoted(lab, 957))
    const back = await lab.client.post(`/v1/payments/${word(paid.json['id'])}/reversals`, {})
    t.equal(back.status, 202)
    const story = await until(lab, paid.json['id'], 'suspect')
    t.match(story.state, { tag: 'suspect', money: 'settled' })
    t.ok(asks(story, lab, 'reversal').length > 1, 'it was asked for again')
  })

  await t.test('a wish that comes while nothing is known waits until it is', async t => {
    const reply = await pay(lab, await quoted(lab, 955), { prefer: 'wait=0' })
    const target = `/v1/payments/${word(reply.json['id'])}/reversals`
    const back = await lab.client.post(target, {})
    t.ok([200, 202].includes(back.status), String(back.status))
    const story = await until(lab, reply.json['id'], 'reversed')
    t.equal(story.tag, 'reversed')
    const kinds = crossed(story, lab.pack)
      .filter(one => one.direction === 'request')
      .map(({ kind }) => kind)
    t.same(kinds, ['payment', 'status', 'status', 'reversal'], 'known first, then taken back')
  })

  await t.test('money agrees, and no PAN of a payer is kept in clear', async t => {
    t.same((await lab.journal.audit()).problems, [])
    const rows = await lab.journal.list({ limit: 1000 })
    const stories = await Promise.all(rows.map(({ partner, id }) => lab.journal.story(partner, id)))
    const kept = toJson(
      stories.map(story => story?.records.map(({ event, tag, data }) => ({ event, tag, data }))),
    )
    t.match(kept, /sealed:/, 'there is something to search')
    t.notMatch(kept, CUSTOMER_PAN)
    const frames = stories.flatMap(story => story?.records.flatMap(one => one.frames ?? []) ?? [])
    const shown = frames.map(({ bytes, pack }) =>
      JSON.stringify((pack === API_PACK ? API_FRAMES : lab.pack).describe(bytes)),
    )
    t.ok(
      frames.some(({ bytes }) => Buffer.from(bytes).includes(CUSTOMER_PAN)),
      'frames have it',
    )
    t.notMatch(shown.join('\n'), CUSTOMER_PAN, 'and nobody is shown it')
    t.notMatch(shown.join('\n'), CUSTOMER_NAME)
    t.ok(lab.log.lines.length > 0)
    t.notMatch(lab.log.lines.map(line => toJson(line)).join('\n'), CUSTOMER_PAN)
    t.same(lab.problems, [], 'every answer is as the OpenAPI document has it')
  })
  return silent as Story
}

function deposit({ json }: Reply): bigint {
  const { value } = json['deposit'] as { value: string }
  return BigInt(value.replace('.', ''))
}
