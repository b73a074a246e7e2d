import t from 'tap'
import { luhn, rupiah } from '#base'
import { respond, type Message, type Outcome } from '#message'
import { readQris } from '#qris'
import { packCalled, QRIS, readMessage, readReject, samplesOf, toBytes, toText } from './packs.ts'

const pack = packCalled(QRIS)

function frameOf(title: string): string {
  const sample = samplesOf(QRIS).find(one => one.title === title)
  if (!sample) throw new Error(`${QRIS} has no sample "${title}"`)
  return sample.frame
}

/** The dynamic code of the reference, which the payment among the samples pays. */
const CODE =
  '00020101021226680016ID.CO.CONTOH.WWW011893609999000000001502159000000000000010303UMI51440014ID.CO.QRIS.WWW0215ID10999999999990303UMI5204541153033605405250005802ID5913WARUNG CONTOH6007JAKARTA61051011062180107INV00010703A0163047865'

t.test('what a code says is what its payment says', async t => {
  const { qr = {}, amountMinor } = readMessage(pack, frameOf('payment'))
  const code = readQris(CODE)
  t.equal(amountMinor, code.amountMinor)
  t.equal(qr.terminal, code.additional?.terminal)
  t.match(qr, {
    merchantName: code.name,
    merchantCity: code.city,
    merchantId: code.accounts[0]?.merchantId,
    criteria: code.accounts[0]?.criteria,
    category: code.category,
  })
  const { merchantPan = '', additional = '', customerPan = '' } = qr
  t.equal(merchantPan.slice(0, 18), code.accounts[0]?.pan)
  t.ok(luhn(merchantPan), 'the nineteenth digit is its check digit')
  t.ok(luhn(customerPan))
  t.ok(CODE.includes(additional), 'objects 61 and 62 as they stand in the code')
})

t.test('the tip is told beside the amount that holds it', async t => {
  t.match(readMessage(pack, frameOf('a tip of Rp 2.000 in the amount')), {
    amountMinor: rupiah(27_000),
    qr: { tipMinor: rupiah(2_000) },
  })
})

t.test('a status check keeps the reference of its payment under a number of its own', async t => {
  const payment = readMessage(pack, frameOf('payment'))
  // As the switch sends it: nothing of the wire goes along.
  const { echoed: _, ...sent } = payment
  const made = pack.makeReference?.({ ...sent, trace: '000800' })
  t.equal(made, '632409000800', 'year, day and hour, audit number')
  t.equal(pack.makeReference?.(sent), payment.reference?.own, 'as among the samples')
  const answered = readMessage(pack, frameOf('paid'))
  t.equal(answered.reference?.own, '632409000777', 'the answer tells it')
  const reference = { own: '632409000777' }
  for (const kind of ['status', 'reversal'] as const) {
    const { qr } = answered
    const later: Message = {
      ...sent,
      kind,
      trace: '000801',
      reference,
      ...(qr && { qr: { ...payment.qr, ...qr } }),
    }
    const frame = toText(pack.write(later))
    t.match(frame, '632409000777', kind)
    t.match(frame, '000801')
    t.notMatch(pack.matchKey(later), pack.matchKey({ ...sent, reference }), 'another question')
    t.equal(pack.matchKey(readMessage(pack, frame)), pack.matchKey(respond(later, OK)))
  }
})

const OK: Outcome = { meaning: 'approved', reason: 'approved' }

t.test(
  'nothing is reversed to find out, and only a verdict on the payment ends a check',
  async t => {
    t.equal(pack.recovery['qris']?.policy, 'check')
    const rows: [code: string, payment: string, status: string][] = [
      ['00', 'approved', 'approved'],
      ['13', 'declined', 'nothing'],
      ['51', 'declined', 'nothing'],
      ['A0', 'declined', 'nothing'],
      ['12', 'declined', 'unknown'],
      ['30', 'declined', 'unknown'],
      ['68', 'unknown', 'unknown'],
      ['91', 'unknown', 'unknown'],
      ['94', 'unknown', 'unknown'],
      ['96', 'unknown', 'unknown'],
      ['77', 'unknown', 'unknown'],
      ['25', 'declined', 'nothing'],
    ]
    for (const code of ['12', '13', '51', '57', '61'])
      t.equal(pack.meaningOf('reversal', code).meaning, 'stands', `${code} refuses a refund`)
    for (const code of ['68', '91', '94', '96', '77'])
      t.equal(pack.meaningOf('reversal', code).meaning, 'unknown', `${code} to a refund`)
    t.ok(['payment', 'status', 'reversal'].every(kind => pack.carries(kind as 'payment', 'qris')))
    t.notOk(pack.carries('inquiry', 'qris'), 'the code says what is due')
    for (const [code, payment, status] of rows) {
      t.equal(pack.meaningOf('payment', code).meaning, payment, `${code} to a payment`)
      t.equal(pack.meaningOf('status', code).meaning, status, `${code} to a check`)
    }
  },
)

const bad: [title: string, from: string, to: string, problem: string][] = [
  ['another processing code', '266000', '276000', 'PACK_UNKNOWN_MESSAGE'],
  ['letters in the amount', '000002500000', '00000250000A', 'CODEC_CONTENT'],
  ['dollars', '360031', '840031', 'PACK_FORMAT'],
  ['a tip without its C', 'C00000000', 'X00000000', 'CODEC_CONTENT'],
  ['a tag that is none of QRIS', 'MC03UMI', 'ZZ03UMI', 'CODEC_UNDEFINED_FIELD'],
  ['a tag that is longer than its element', 'MC03UMI', 'MC09UMI', 'CODEC_'],
  ['another product', 'PI04Q001', 'PI04Q009', 'PACK_'],
  ['a length beyond the end', '089360888819', '999360888819', 'CODEC_'],
]

t.test('bad frames are refused with a code and the place', async t => {
  const frame = frameOf('payment')
  for (const [title, from, to, problem] of bad) {
    t.ok(frame.includes(from), title)
    const { error } = readReject(pack, toBytes(frame.replace(from, to)))
    t.match(error.code, problem, title)
    t.match(error.path, /./, `${title}: the place`)
  }
  for (let length = 0; length < frame.length; length++)
    readReject(pack, toBytes(frame.slice(0, length)))
  const shown = JSON.stringify(pack.describe(toBytes(frame)))
  t.notMatch(
    shown,
    /9360888800000000223|9360999900000000151|PELANGGAN/,
    'people see no PAN and no name',
  )
})
