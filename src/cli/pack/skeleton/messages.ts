import { type LocalTime, rupiah, ZERO } from '#base'
import { type Message, respond } from '#message'
import type { Draft } from '../sample-text.ts'

const SENT_AT = '20261120091500' as LocalTime

/** The conversation of a new pack: an invented customer with two months, who pays them. */
export function skeletonDrafts(product: string, { form = false, iso = false }): Draft[] {
  const asks: Message = {
    kind: 'inquiry',
    direction: 'request',
    repeat: false,
    product,
    trace: iso ? '000001' : '',
    sentAt: SENT_AT,
    ...(iso && { channel: '6021', bank: '4510017', terminal: 'LOKET0000000001' }),
    customer: { id: '999900000015' },
    ...(!iso && { reference: { own: '2026112000000001' } }),
  }
  const told = respond(
    asks,
    { meaning: 'approved', reason: 'approved', code: '00' },
    {
      customer: { id: '999900000015', name: 'PELANGGAN UJI SATU' },
      reference: { ...asks.reference, ...(iso && { switching: 'SIM0000000000000001' }) },
      amountMinor: rupiah(160_000),
      adminMinor: rupiah(2_500),
      ...(!form && { bills: BILLS }),
    },
  )
  const { outcome: _, ...quote } = told
  const pays: Message = {
    ...quote,
    kind: 'payment',
    direction: 'request',
    ...(iso && { trace: '000002' }),
  }
  const receipt = { reference: { ...pays.reference, biller: 'REF0000000001' } }
  const unknown = { meaning: 'declined', reason: 'customer-unknown', code: '14' } as const
  const timeout = { meaning: 'unknown', reason: 'timeout', code: '68' } as const
  const paid = respond(pays, { meaning: 'approved', reason: 'approved', code: '00' }, receipt)
  const first: Draft[] = [
    { title: 'inquiry', message: asks },
    { title: 'bills are told', asked: 'inquiry', message: told },
    { title: 'nobody has that number', asked: 'inquiry', message: respond(asks, unknown) },
    { title: 'payment', message: pays },
    { title: 'paid', asked: 'payment', message: paid },
    { title: 'nobody knows yet', asked: 'payment', message: respond(pays, timeout) },
  ]
  return [...first, ...(iso ? undone(pays) : lookedUp(pays, receipt))]
}

const BILLS = [
  { period: '202610', amountMinor: rupiah(75_000), penaltyMinor: rupiah(5_000) },
  { period: '202611', amountMinor: rupiah(80_000), penaltyMinor: ZERO },
]

function undone(pays: Message): Draft[] {
  const { trace, sentAt, bank = '' } = pays
  const original = { kind: 'payment', trace, sentAt, bank } as const
  const reversal: Message = { ...pays, kind: 'reversal', original }
  const done = respond(reversal, { meaning: 'approved', reason: 'approved', code: '00' })
  const sentAgain: Message = { ...reversal, repeat: true }
  const network: Message = {
    kind: 'echo',
    direction: 'request',
    repeat: false,
    trace: '000003',
    sentAt,
    bank,
    ...(pays.terminal !== undefined && { terminal: pays.terminal }),
  }
  return [
    { title: 'reversal', message: reversal },
    { title: 'undone', asked: 'reversal', message: done },
    { title: 'reversal, sent again', message: sentAgain },
    { title: 'sign-on', message: { ...network, kind: 'sign-on' } },
    { title: 'echo', message: network },
  ]
}

function lookedUp(pays: Message, receipt: Partial<Message>): Draft[] {
  const asks: Message = { ...pays, kind: 'status' }
  const stands = respond(asks, { meaning: 'approved', reason: 'approved', code: '00' }, receipt)
  const none = respond(asks, { meaning: 'nothing', reason: 'no-payment', code: '63' })
  return [
    { title: 'status check', message: asks },
    { title: 'the payment stands', asked: 'status check', message: stands },
    { title: 'there is no such payment', asked: 'status check', message: none },
  ]
}
