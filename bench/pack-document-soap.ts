import { rupiah, Secret, type LocalTime } from '#base'
import type { Message } from '#message'
import { compilePack, type HttpPack } from '#pack'

/** A SOAP biller as small as one can be, for the benchmark: it is no counterpart's dialect. */
const PACK = `
title: a SOAP biller
transport: http
content: soap 1.1
call: POST /service
namespaces: { b: 'http://biller.example/bills' }
conversation: { signOn: no, echoIdleMs: 60000, responseTimeoutMs: 60000 }
credentials: { till: 'name, the till' }
products: { BILL: bill }
recovery: { bill: { policy: check, attempts: 1, spacingMs: 1000 } }
match: [kind, reference.own]
messages:
  bill:
    inquiry:
      request: { 'b:inquiryRequest': { till: credential till, id: customer.id, ref: reference.own } }
      approved:
        b:inquiryResponse:
          code: outcome
          id: customer.id
          name: customer.name
          address: customer.address
          total: amountMinor rupiah .00
          admin: adminMinor rupiah .00
          bills:
            bill[bills]:
              period: period YYYYMM
              due: dueDate YYYY-MM-DD
              amount: amountMinor rupiah .00
              penalty: penaltyMinor rupiah .00
      declined: { 'b:inquiryResponse': { code: outcome } }
outcome: { code: 'b:inquiryResponse.code' }
codes: { '00': approved, '05': declined other-error, other: declined other-error }
`

export function soapPack(): HttpPack {
  const reasons =
    'partner-blocked window-closed inactive sign-on-required too-late-to-reverse amount-invalid customer-unknown registration-unknown customer-blocked format-error bank-unknown partner-unknown product-unknown below-minimum above-maximum fee-invalid deposit-insufficient over-quota registration-expired no-payment timeout suspended already-paid not-available-yet cut-off no-inquiry reference-mismatch already-reversed security-invalid party-mismatch biller-reference-invalid unavailable'
  const say = `say:\n${reasons
    .split(' ')
    .map(reason => `  ${reason}: '05'\n`)
    .join('')}`
  const result = compilePack('soap', new Map([['soap', { 'pack.yaml': PACK + say }]]))
  if (!('httpPack' in result)) throw new Error(JSON.stringify(result))
  return result.httpPack.with({ till: new Secret('1') })
}

const asked: Message = {
  kind: 'inquiry',
  direction: 'request',
  repeat: false,
  trace: '000000000001',
  sentAt: '20261120091500' as LocalTime,
  product: 'bill',
  customer: { id: '999900000015' },
  reference: { own: 'TRX1' },
}

const bill = (period: string) => ({
  period,
  dueDate: '20261120',
  amountMinor: rupiah(125_000),
  penaltyMinor: rupiah(5_000),
})

const message: Message = {
  ...asked,
  direction: 'response',
  outcome: { meaning: 'approved', reason: 'approved', code: '00' },
  customer: { id: '999900000015', name: 'PELANGGAN UJI SATU', address: 'JL CONTOH NO 1' },
  amountMinor: rupiah(390_000),
  adminMinor: rupiah(7_500),
  bills: [bill('202608'), bill('202609'), bill('202610')],
}

export const SOAP_MESSAGE = { asked, message }
export const SOAP_FRAME = Buffer.from(soapPack().write(message, asked)).toString()
