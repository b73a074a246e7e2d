import { txnIdMs } from '#base'
import { type ApiAnswer, jsonAnswer, stateOf } from './answer.ts'
import type { Ask } from './exchange.ts'
import { receiptQuery } from './input.ts'
import { moneyOf } from './money.ts'
import type { ApiParts } from './parts.ts'
import { findPayment } from './payments.ts'
import { ApiProblem } from './problem.ts'
import { receiptPdf } from './receipt/pdf.ts'
import { type Receipt, receiptOf } from './receipt/receipt.ts'
import { receiptText, type Width } from './receipt/text.ts'

type Format = 'json' | 'text' | 'pdf'

const TYPES: Readonly<Record<Format, string>> = {
  json: 'application/json',
  text: 'text/plain',
  pdf: 'application/pdf',
}

/** The receipt of a paid payment, by `?format=` or by Accept. */
export async function getReceipt(parts: ApiParts, ask: Ask): Promise<ApiAnswer> {
  const { request, partner } = ask
  const {
    format = acceptedFormat(request.headers.accept),
    width = '32',
    reprint,
  } = receiptQuery(request.query)
  const look = await findPayment(parts, partner, request.params)
  if (stateOf(look) !== 'paid') throw new ApiProblem('not-paid')
  const { id, answer, product } = look
  const productTitle = parts.products.get(product.code)?.title ?? product.code
  const { feeInside } = product
  const receipt = receiptOf(answer, { id, productTitle, feeInside, reprint: reprint === 'true' })
  const vary = { vary: 'accept' }
  switch (format) {
    case 'json':
      return jsonAnswer(200, receiptView(receipt), vary)
    case 'text': {
      const body = Buffer.from(receiptText(receipt, Number(width) as Width))
      return {
        status: 200,
        headers: { 'content-type': 'text/plain; charset=utf-8', ...vary },
        body,
      }
    }
    case 'pdf': {
      const body = await receiptPdf(receipt, txnIdMs(id))
      const name = `inline; filename="struk-${receipt.payment}.pdf"`
      const headers = { 'content-type': TYPES.pdf, 'content-disposition': name, ...vary }
      return { status: 200, headers, body }
    }
  }
}

function receiptView({ payment, title, reprint, parts }: Receipt) {
  const views = parts.map(part =>
    'amountMinor' in part ? { label: part.label, amount: moneyOf(part.amountMinor) } : part,
  )
  return { payment, title, reprint, parts: views }
}

/** The best of what is accepted (RFC 9110, 12.5.1); JSON where nothing is said. */
export function acceptedFormat(accept = '*/*'): Format {
  const ranges = accept.split(',').map(range => {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase())
    const q = parameters.find(parameter => parameter.startsWith('q='))
    return { type, weight: q === undefined ? 1 : Number(q.slice(2)) }
  })
  let best: { format: Format; weight: number } | undefined
  for (const [format, type] of Object.entries(TYPES) as [Format, string][]) {
    const [main = ''] = type.split('/')
    const matching = [type, `${main}/*`, '*/*'].map(wanted =>
      ranges.find(range => range.type === wanted),
    )
    const weight = matching.find(range => range !== undefined)?.weight ?? 0
    if (weight > 0 && (!best || weight > best.weight)) best = { format, weight }
  }
  if (!best) throw new ApiProblem('not-acceptable')
  return best.format
}
