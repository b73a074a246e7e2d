import { inflateSync } from 'node:zlib'
import * as fc from 'fast-check'
import { test } from 'tap'
import { minor, parseTxnId, rupiah, type TxnId } from '#base'
import type { Message } from '#message'
import { acceptedFormat } from '../../src/api/receipts.ts'
import { amountOf, chargeOf, moneyOf, wireAmount } from '../../src/api/money.ts'
import { receiptPdf } from '../../src/api/receipt/pdf.ts'
import { receiptOf } from '../../src/api/receipt/receipt.ts'
import { receiptText } from '../../src/api/receipt/text.ts'
import { word } from './client.ts'
import { startLab } from './lab.ts'

const ID = parseTxnId('06D3K8M2P4QR') as TxnId
const FACTS = { id: ID, productTitle: 'PDAM Kota Uji', feeInside: false, reprint: false }

/** Text of a PDF's content streams, as far as it is written in hexadecimal strings. */
function textOfPdf(pdf: Uint8Array): string {
  const bytes = Buffer.from(pdf)
  let text = ''
  for (let at = 0; (at = bytes.indexOf('stream\n', at)) >= 0;) {
    const start = at + 'stream\n'.length
    const end = bytes.indexOf('\nendstream', start)
    at = end + '\nendstream'.length
    try {
      const content = inflateSync(bytes.subarray(start, end)).toString('latin1')
      for (const line of content.split('\n')) {
        const parts = [...line.matchAll(/<([0-9a-f]+)>/g)]
        text += parts.map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1')).join('')
        if (parts.length > 0) text += '\n'
      }
    } catch {
      // A font or an image.
    }
  }
  return text
}

const OTHER: Message = {
  kind: 'payment',
  direction: 'response',
  repeat: false,
  product: 'pdam-uji',
  trace: '1',
  sentAt: '20261120091500' as Message['sentAt'],
  customer: { id: '0012345', name: 'PELANGGAN UJI' },
  amountMinor: rupiah(75_000),
  adminMinor: rupiah(2_500),
  serial: 'SN-0001',
  details: [{ label: 'Golongan', text: 'R2 / 24 m3' }],
  reference: { switching: 'SWX20261120091500000000000000ABC', biller: 'PDAM-77' },
}

test('receipts', async t => {
  await t.test('of a bill and of a token, over HTTP', async t => {
    const lab = await startLab()
    t.teardown(() => lab.close())
    const client = lab.client()
    const buy = async (product: string, customer: object, amount?: unknown) => {
      const { json } = await client.post('/v1/inquiries', { product, customer })
      const body = { inquiry: json['id'], amount: amount ?? json['amount'] }
      const paid = await client.post('/v1/payments', body, { key: `k-${word(json['id'])}` })
      return paid.json
    }
    const bill = await buy('pln-postpaid', { id: '999900000015' })
    const path = `/v1/payments/${word(bill['id'])}/receipt`
    const text = await client.ask(path, { headers: { accept: 'text/plain' } })
    t.match(text.headers, { 'content-type': 'text/plain; charset=utf-8', vary: 'accept' })
    const lines = text.body.toString().split('\n')
    t.ok(
      lines.every(line => line.length <= 32),
      'fits paper of 58 mm',
    )
    t.match(lines.join('\n'), /STRUK PEMBAYARAN TAGIHAN LISTRIK\n/)
    t.match(lines.join('\n'), /IDPEL {10}: 999900000015\n/)
    t.match(lines.join(' ').replace(/ +/g, ' '), /sebagai bukti pembayaran yang sah/)
    t.match(lines.join('\n'), /TOTAL BAYAR {4}: Rp +[\d.]+\n/)
    const wide = await client.ask(`${path}?format=text&width=48`)
    const longest = Math.max(
      ...wide.body
        .toString()
        .split('\n')
        .map(line => line.length),
    )
    t.ok(longest > 32 && longest <= 48, 'fits paper of 80 mm')
    const json = await client.ask(path)
    t.match(json.json, { payment: bill['id'], reprint: false, title: /LISTRIK/ })
    const again = await client.ask(`${path}?reprint=true`)
    t.match(JSON.stringify(again.json), /CETAK ULANG/)
    const pdf = await client.ask(path, { headers: { accept: 'application/pdf, */*;q=0.1' } })
    t.match(pdf.headers['content-type'], 'application/pdf')
    t.equal(pdf.body.subarray(0, 5).toString(), '%PDF-')
    t.match(textOfPdf(pdf.body), /999900000015/)
    t.ok((await client.ask(`${path}?format=pdf`)).body.equals(pdf.body), 'the same bytes each time')

    const token = await buy(
      'pln-prepaid',
      { meter: '99000000010' },
      { value: '20000.00', currency: 'IDR' },
    )
    const digits = (token['token'] as { number: string }).number
    const slip = await client.ask(`/v1/payments/${word(token['id'])}/receipt?format=text&width=48`)
    t.match(slip.body.toString(), digits.replace(/(\d{4})(?=\d)/g, '$1 '), 'five groups of four')

    t.match((await client.ask(path, { headers: { accept: 'image/png' } })).json, {
      code: 'not-acceptable',
    })
    t.match((await client.ask(`${path}?width=33`)).json, { code: 'invalid-request' })
    const { json: asked } = await client.post('/v1/inquiries', {
      product: 'pln-postpaid',
      customer: { id: '999912345909' },
    })
    const pending = await client.post(
      '/v1/payments',
      { inquiry: asked['id'], amount: asked['amount'] },
      { key: 'p', headers: { prefer: 'wait=0' } },
    )
    const early = await client.ask(`/v1/payments/${word(pending.json['id'])}/receipt`)
    t.match(early.json, { code: 'not-paid', status: 409 })
    t.same(lab.problems, [])
  })

  t.test('of another biller: what it told', async t => {
    const text = receiptText(receiptOf(OTHER, FACTS), 48)
    for (const line of [
      /PDAM KOTA UJI/,
      /NO PELANGGAN +: 0012345/,
      /GOLONGAN +: R2 \/ 24 m3/,
      /SN +: SN-0001/,
      /TOTAL BAYAR +: Rp +77\.500/,
      /NO REF +: PDAM-77/,
    ])
      t.match(text, line)
  })

  t.test('whatever a name holds, no line is wider and nothing moves the print head', async () => {
    const name = fc.string({ unit: 'binary', maxLength: 80 })
    fc.assert(
      fc.property(name, name, fc.constantFrom(32 as const, 48 as const), (name, text, width) => {
        const message = { ...OTHER, customer: { id: '1', name }, details: [{ label: name, text }] }
        const lines = receiptText(receiptOf(message, FACTS), width).split('\n')
        return lines.every(line => line.length <= width && !/[\p{Cc}]/u.test(line))
      }),
    )
  })

  t.test('a long receipt takes a second page, and odd letters do no harm', async t => {
    const details = Array.from({ length: 60 }, (_, at) => ({
      label: `L${at}`,
      text: `teks ${at} – ✓`,
    }))
    const pdf = await receiptPdf(receiptOf({ ...OTHER, details }, FACTS), 0)
    t.match(textOfPdf(pdf), /L59/)
    const pages =
      Buffer.from(pdf)
        .toString('latin1')
        .match(/\/Type \/Page\b(?!s)/g) ?? []
    t.ok(pages.length > 1)
  })

  t.test('the best of what is accepted', async t => {
    const rows: [accept: string | undefined, format: string][] = [
      [undefined, 'json'],
      ['*/*', 'json'],
      ['text/plain', 'text'],
      ['text/*;q=0.5, application/pdf', 'pdf'],
      ['application/*', 'json'],
      ['application/json;q=0, */*', 'text'],
      ['application/pdf;q=0.2, text/plain;q=0.3', 'text'],
    ]
    for (const [accept, format] of rows)
      t.equal(acceptedFormat(accept), format, accept ?? 'nothing')
    t.throws(() => acceptedFormat('image/png'), { code: 'not-acceptable' })
  })

  t.test('money is written and read without loss, and charges add up', async () => {
    const amounts = fc.bigInt({ min: 0n, max: 10n ** 17n - 1n })
    fc.assert(fc.property(amounts, amount => amountOf(moneyOf(minor(amount))) === amount))
    fc.assert(
      fc.property(amounts, amounts, fc.boolean(), (amount, fee, inside) => {
        const wire = wireAmount(minor(amount), minor(fee), inside)
        const charge = chargeOf(wire, minor(fee), inside)
        return amountOf(charge.amount) === amount && amountOf(charge.total) === amount + fee
      }),
    )
  })
})
