import t from 'tap'
import { type BusinessDate, type LocalTime, rupiah } from '#base'
import type { Message } from '#message'
import {
  type Facts,
  INQUIRY_RULES,
  PAYMENT_RULES,
  type PaymentFacts,
  screenInquiry,
  screenPayment,
} from '#screening'

const inquiry: Message = {
  kind: 'inquiry',
  direction: 'request',
  repeat: false,
  product: 'pln-postpaid',
  trace: '000000000123',
  sentAt: '20261120091500' as LocalTime,
  bank: '4519999',
  partner: '4519001',
  terminal: '0LOKET0000000001',
  switcher: 'SWX0001',
  customer: { id: '999900000015' },
}
const bill = {
  period: '202610',
  dueDate: '00000000',
  readDate: '00000000',
  amountMinor: rupiah(125_000),
  incentiveMinor: rupiah(0),
  vatMinor: rupiah(0),
  penaltyMinor: rupiah(5_000),
  offPeak: ['00012000', '00012095'],
  peak: ['00000000', '00000000'],
  reactive: ['00000000', '00000000'],
} satisfies NonNullable<Message['bills']>[number]
const told: Message = {
  ...inquiry,
  direction: 'response',
  amountMinor: rupiah(260_500),
  bills: [
    bill,
    { ...bill, period: '202611', amountMinor: rupiah(130_500), penaltyMinor: rupiah(0) },
  ],
  billsOutstanding: 3,
  adminMinor: rupiah(2_500),
  reference: { switching: 'SWX2026112009150000000000000ABCD' },
}
const { direction: _, ...quoted } = told
const payment: Message = { ...quoted, direction: 'request', kind: 'payment', billsPaid: 2 }

const partner: NonNullable<Facts['partner']> = {
  id: '4519001',
  blocked: false,
  banks: new Set(['4519999']),
  switchers: new Set(['SWX0001']),
  terminals: new Set(['0LOKET0000000001']),
  products: new Set(['pln-postpaid', 'pln-prepaid']),
}
const product: NonNullable<Facts['product']> = {
  code: 'pln-postpaid',
  enabled: true,
  hours: undefined,
  minMinor: rupiah(1),
  maxMinor: rupiah(1_000_000),
  denominationsMinor: undefined,
  feeInside: false,
}
const today = '20261120' as BusinessDate
const facts: PaymentFacts = {
  nowMs: 0,
  timeOfDayMs: 9 * 3600_000,
  businessDate: today,
  partner,
  sessionPartner: '4519001',
  product,
  quote: { partner: '4519001', businessDate: today, told },
  adminMinor: rupiah(2_500),
}
const tokens = {
  ...facts,
  product: {
    ...product,
    code: 'pln-prepaid',
    minMinor: rupiah(20_000),
    feeInside: true,
    denominationsMinor: new Set([rupiah(20_000), rupiah(100_000)]),
  },
  quote: {
    ...facts.quote,
    told: {
      ...told,
      product: 'pln-prepaid',
      bills: undefined,
      token: { unsold: [{ amountMinor: rupiah(50_000) }] },
    },
  } as unknown as PaymentFacts['quote'],
} satisfies PaymentFacts
const purchase: Message = { ...payment, product: 'pln-prepaid', amountMinor: rupiah(102_500) }
delete purchase.bills
delete purchase.billsPaid

const nightly = { ...product, hours: { fromMs: 3_600_000, untilMs: 82_800_000 } } // 01:00 to 23:00
const overMidnight = { ...product, hours: { fromMs: 72_000_000, untilMs: 14_400_000 } } // 20:00 to 04:00
const at = (hour: number): { timeOfDayMs: number } => ({ timeOfDayMs: hour * 3600_000 })

t.test('inquiries', async t => {
  const rows: [
    title: string,
    message: Partial<Message>,
    facts: Partial<Facts>,
    decision: string,
  ][] = [
    ['all is well', {}, {}, 'proceed'],
    ['a partner that nobody knows', {}, { partner: undefined }, 'partner-unknown'],
    ["another partner's session", {}, { sessionPartner: '4519002' }, 'party-mismatch'],
    ['a blocked partner', {}, { partner: { ...partner, blocked: true } }, 'partner-blocked'],
    ['a bank that is not its own', { bank: '4510000' }, {}, 'bank-unknown'],
    ['a terminal that is not its own', { terminal: 'X' }, {}, 'partner-unknown'],
    ['a switcher that is not its own', { switcher: 'SWX0002' }, {}, 'party-mismatch'],
    ['a product that nobody knows', {}, { product: undefined }, 'product-unknown'],
    ['a product that is off', {}, { product: { ...product, enabled: false } }, 'product-unknown'],
    [
      'a product that it may not sell',
      {},
      { product: { ...product, code: 'pulsa' } },
      'product-unknown',
    ],
    ['before the hours', {}, { product: nightly, ...at(0.5) }, 'cut-off'],
    ['within the hours', {}, { product: nightly, ...at(1) }, 'proceed'],
    ['after the hours', {}, { product: nightly, ...at(23) }, 'cut-off'],
    ['hours over midnight, late', {}, { product: overMidnight, ...at(22) }, 'proceed'],
    ['hours over midnight, early', {}, { product: overMidnight, ...at(3) }, 'proceed'],
    ['hours over midnight, noon', {}, { product: overMidnight, ...at(12) }, 'cut-off'],
  ]
  for (const [title, message, changed, wanted] of rows) {
    const decision = screenInquiry({ ...inquiry, ...message }, { ...facts, ...changed })
    t.equal(decision.tag === 'proceed' ? 'proceed' : decision.reason, wanted, title)
  }
})

t.test('payments are bound to their inquiry', async t => {
  type Row = [
    title: string,
    message: Partial<Message>,
    facts: Partial<PaymentFacts>,
    decision: string,
  ]
  const rows: Row[] = [
    ['as quoted', {}, {}, 'proceed'],
    ['the oldest bill only', { billsPaid: 1, amountMinor: rupiah(130_000) }, {}, 'proceed'],
    ['the oldest bill at the price of both', { billsPaid: 1 }, {}, 'amount-invalid'],
    ['more bills than were told', { billsPaid: 3 }, {}, 'amount-invalid'],
    ['no bill at all', { billsPaid: 0, amountMinor: rupiah(0) }, {}, 'amount-invalid'],
    ['one rupiah less', { amountMinor: rupiah(260_499) }, {}, 'amount-invalid'],
    ['without an inquiry', {}, { quote: undefined }, 'no-inquiry'],
    ['on another business date', {}, { businessDate: '20261121' as BusinessDate }, 'no-inquiry'],
    ['for another customer', { customer: { id: '999900000016' } }, {}, 'reference-mismatch'],
    ['for another product', { product: 'pln-prepaid' }, tokens, 'proceed-not'],
    [
      'with another biller reference',
      { reference: { biller: 'X' } },
      {},
      'biller-reference-invalid',
    ],
    ['with another fee', { adminMinor: rupiah(0) }, {}, 'fee-invalid'],
    [
      'above the maximum',
      {},
      { product: { ...product, maxMinor: rupiah(200_000) } },
      'above-maximum',
    ],
    [
      'below the minimum',
      {},
      { product: { ...product, minMinor: rupiah(300_000) } },
      'below-minimum',
    ],
  ]
  for (const [title, message, changed, wanted] of rows) {
    const decision = screenPayment({ ...payment, ...message }, { ...facts, ...changed })
    const said = decision.tag === 'proceed' ? 'proceed' : decision.reason
    if (wanted === 'proceed-not') t.not(said, 'proceed', title)
    else t.equal(said, wanted, title)
  }
})

t.test('tokens are sold in denominations, fee inside', async t => {
  const rows: [title: string, message: Partial<Message>, decision: string][] = [
    ['a denomination with its fee', {}, 'proceed'],
    ['a denomination without its fee', { amountMinor: rupiah(100_000) }, 'amount-invalid'],
    ['no denomination', { amountMinor: rupiah(102_501) }, 'amount-invalid'],
    ['nothing', { amountMinor: rupiah(0) }, 'amount-invalid'],
    ['an unsold token', { token: { option: 1 }, amountMinor: rupiah(52_500) }, 'proceed'],
    [
      'an unsold token that is not there',
      { token: { option: 2 }, amountMinor: rupiah(52_500) },
      'amount-invalid',
    ],
  ]
  for (const [title, message, wanted] of rows) {
    const decision = screenPayment({ ...purchase, ...message }, tokens)
    t.equal(decision.tag === 'proceed' ? 'proceed' : decision.reason, wanted, title)
  }
})

t.test('rules have names of their own', async t => {
  for (const rules of [INQUIRY_RULES, PAYMENT_RULES] as const)
    t.equal(new Set(rules.map(({ name }) => name)).size, rules.length)
})
