import type { AmountMinor, LocalTime } from '#base'
import type {
  Bill,
  Card,
  Customer,
  Detail,
  Message,
  Original,
  Path,
  Qr,
  References,
  Registration,
  Token,
  Transfer,
} from '#message'

/**
 * How a value is found in the normalized message and put into it. Written out rather than made from
 * the path's text: each line is checked by the compiler against the type of Message, and each has
 * its own place in the JIT, which makes reading a message twice as fast as keyed access.
 *
 * Paths with `[]` are about one item of a list.
 */
export type Access = {
  readonly get: (target: Target) => unknown
  readonly set: (target: Target, value: unknown) => void
}
/** A message, or an item of one of its lists. */
export type Target = object

type Component = NonNullable<Registration['components']>[number]
type Unsold = NonNullable<Token['unsold']>[number]

function of<T extends object, V>(get: (t: T) => V | undefined, set: (t: T, value: V) => void) {
  return { get, set } as unknown as Access
}

const customer = (m: Message): Customer => (m.customer ??= {})
const reference = (m: Message): References => (m.reference ??= {})
const token = (m: Message): Token => (m.token ??= {})
const registration = (m: Message): Registration => (m.registration ??= { number: '' })
const original = (m: Message): Original =>
  (m.original ??= { kind: 'payment', trace: '', sentAt: '' as LocalTime, bank: '' })
const transfer = (m: Message): Transfer => (m.transfer ??= { account: '' })
const qr = (m: Message): Qr => (m.qr ??= {})
const card = (m: Message): Card => (m.card ??= {})

type M = Message
type Money = AmountMinor

/** All but `outcome`, which depends on the code table and is made by the pack itself. */
// prettier-ignore
export const ACCESS: Readonly<Record<Exclude<Path, 'outcome'>, Access>> = {
  product: of<M, string>(m => m.product, (m, v) => (m.product = v)),
  trace: of<M, string>(m => m.trace, (m, v) => (m.trace = v)),
  sentAt: of<M, LocalTime>(m => m.sentAt, (m, v) => (m.sentAt = v)),
  channel: of<M, string>(m => m.channel, (m, v) => (m.channel = v)),
  bank: of<M, string>(m => m.bank, (m, v) => (m.bank = v)),
  partner: of<M, string>(m => m.partner, (m, v) => (m.partner = v)),
  terminal: of<M, string>(m => m.terminal, (m, v) => (m.terminal = v)),
  switcher: of<M, string>(m => m.switcher, (m, v) => (m.switcher = v)),
  amountMinor: of<M, Money>(m => m.amountMinor, (m, v) => (m.amountMinor = v)),
  amountIs: of<M, 'fixed' | 'open'>(m => m.amountIs, (m, v) => (m.amountIs = v)),
  settlementDate: of<M, string>(m => m.settlementDate, (m, v) => (m.settlementDate = v)),
  'original.kind': of<M, 'payment'>(m => m.original?.kind as 'payment', (m, v) => (original(m).kind = v)),
  'original.trace': of<M, string>(m => m.original?.trace, (m, v) => (original(m).trace = v)),
  'original.sentAt': of<M, LocalTime>(m => m.original?.sentAt, (m, v) => (original(m).sentAt = v)),
  'original.bank': of<M, string>(m => m.original?.bank, (m, v) => (original(m).bank = v)),
  'customer.id': of<M, string>(m => m.customer?.id, (m, v) => (customer(m).id = v)),
  'customer.meter': of<M, string>(m => m.customer?.meter, (m, v) => (customer(m).meter = v)),
  'customer.knownBy': of<M, 'id' | 'meter'>(m => m.customer?.knownBy, (m, v) => (customer(m).knownBy = v)),
  'customer.secondId': of<M, string>(m => m.customer?.secondId, (m, v) => (customer(m).secondId = v)),
  'customer.phone': of<M, string>(m => m.customer?.phone, (m, v) => (customer(m).phone = v)),
  'customer.name': of<M, string>(m => m.customer?.name, (m, v) => (customer(m).name = v)),
  'customer.address': of<M, string>(m => m.customer?.address, (m, v) => (customer(m).address = v)),
  'customer.tariff': of<M, string>(m => m.customer?.tariff, (m, v) => (customer(m).tariff = v)),
  'customer.powerVa': of<M, number>(m => m.customer?.powerVa, (m, v) => (customer(m).powerVa = v)),
  'customer.unit': of<M, string>(m => m.customer?.unit, (m, v) => (customer(m).unit = v)),
  'customer.unitPhone': of<M, string>(m => m.customer?.unitPhone, (m, v) => (customer(m).unitPhone = v)),
  'customer.distribution': of<M, string>(m => m.customer?.distribution, (m, v) => (customer(m).distribution = v)),
  'reference.switching': of<M, string>(m => m.reference?.switching, (m, v) => (reference(m).switching = v)),
  'reference.biller': of<M, string>(m => m.reference?.biller, (m, v) => (reference(m).biller = v)),
  'reference.receipt': of<M, string>(m => m.reference?.receipt, (m, v) => (reference(m).receipt = v)),
  'reference.own': of<M, string>(m => m.reference?.own, (m, v) => (reference(m).own = v)),
  billsOutstanding: of<M, number>(m => m.billsOutstanding, (m, v) => (m.billsOutstanding = v)),
  billsPaid: of<M, number>(m => m.billsPaid, (m, v) => (m.billsPaid = v)),
  bills: of<M, Bill[]>(m => m.bills, (m, v) => (m.bills = v)),
  'bills[].period': of<Bill, string>(b => b.period, (b, v) => (b.period = v)),
  'bills[].dueDate': of<Bill, string>(b => b.dueDate, (b, v) => (b.dueDate = v)),
  'bills[].readDate': of<Bill, string>(b => b.readDate, (b, v) => (b.readDate = v)),
  'bills[].amountMinor': of<Bill, Money>(b => b.amountMinor, (b, v) => (b.amountMinor = v)),
  'bills[].incentiveMinor': of<Bill, Money>(b => b.incentiveMinor, (b, v) => (b.incentiveMinor = v)),
  'bills[].vatMinor': of<Bill, Money>(b => b.vatMinor, (b, v) => (b.vatMinor = v)),
  'bills[].penaltyMinor': of<Bill, Money>(b => b.penaltyMinor, (b, v) => (b.penaltyMinor = v)),
  'bills[].miscMinor': of<Bill, Money>(b => b.miscMinor, (b, v) => (b.miscMinor = v)),
  'bills[].reading[0]': of<Bill, string>(b => b.reading?.[0], (b, v) => ((b.reading ??= ['', ''])[0] = v)),
  'bills[].reading[1]': of<Bill, string>(b => b.reading?.[1], (b, v) => ((b.reading ??= ['', ''])[1] = v)),
  'bills[].offPeak[0]': of<Bill, string>(b => b.offPeak?.[0], (b, v) => ((b.offPeak ??= ['', ''])[0] = v)),
  'bills[].offPeak[1]': of<Bill, string>(b => b.offPeak?.[1], (b, v) => ((b.offPeak ??= ['', ''])[1] = v)),
  'bills[].peak[0]': of<Bill, string>(b => b.peak?.[0], (b, v) => ((b.peak ??= ['', ''])[0] = v)),
  'bills[].peak[1]': of<Bill, string>(b => b.peak?.[1], (b, v) => ((b.peak ??= ['', ''])[1] = v)),
  'bills[].reactive[0]': of<Bill, string>(b => b.reactive?.[0], (b, v) => ((b.reactive ??= ['', ''])[0] = v)),
  'bills[].reactive[1]': of<Bill, string>(b => b.reactive?.[1], (b, v) => ((b.reactive ??= ['', ''])[1] = v)),
  adminMinor: of<M, Money>(m => m.adminMinor, (m, v) => (m.adminMinor = v)),
  'token.option': of<M, number>(m => m.token?.option, (m, v) => (token(m).option = v)),
  'token.stampDutyMinor': of<M, Money>(m => m.token?.stampDutyMinor, (m, v) => (token(m).stampDutyMinor = v)),
  'token.vatMinor': of<M, Money>(m => m.token?.vatMinor, (m, v) => (token(m).vatMinor = v)),
  'token.lightingTaxMinor': of<M, Money>(m => m.token?.lightingTaxMinor, (m, v) => (token(m).lightingTaxMinor = v)),
  'token.installmentMinor': of<M, Money>(m => m.token?.installmentMinor, (m, v) => (token(m).installmentMinor = v)),
  'token.energyMinor': of<M, Money>(m => m.token?.energyMinor, (m, v) => (token(m).energyMinor = v)),
  'token.kwhHundredths': of<M, number>(m => m.token?.kwhHundredths, (m, v) => (token(m).kwhHundredths = v)),
  'token.number': of<M, string>(m => m.token?.number, (m, v) => (token(m).number = v)),
  'token.kwhMax': of<M, number>(m => m.token?.kwhMax, (m, v) => (token(m).kwhMax = v)),
  'token.unsold': of<M, Unsold[]>(m => m.token?.unsold, (m, v) => (token(m).unsold = v)),
  'token.unsold[].amountMinor': of<Unsold, Money>(u => u.amountMinor, (u, v) => (u.amountMinor = v)),
  'registration.number': of<M, string>(m => m.registration?.number, (m, v) => (registration(m).number = v)),
  'registration.area': of<M, string>(m => m.registration?.area, (m, v) => (registration(m).area = v)),
  'registration.code': of<M, string>(m => m.registration?.code, (m, v) => (registration(m).code = v)),
  'registration.name': of<M, string>(m => m.registration?.name, (m, v) => (registration(m).name = v)),
  'registration.registeredOn': of<M, string>(m => m.registration?.registeredOn, (m, v) => (registration(m).registeredOn = v)),
  'registration.expiresOn': of<M, string>(m => m.registration?.expiresOn, (m, v) => (registration(m).expiresOn = v)),
  'registration.totalMinor': of<M, Money>(m => m.registration?.totalMinor, (m, v) => (registration(m).totalMinor = v)),
  'registration.billerMinor': of<M, Money>(m => m.registration?.billerMinor, (m, v) => (registration(m).billerMinor = v)),
  'registration.components': of<M, Component[]>(m => m.registration?.components, (m, v) => (registration(m).components = v)),
  'registration.components[].type': of<Component, string>(c => c.type, (c, v) => (c.type = v)),
  'registration.components[].amountMinor': of<Component, Money>(c => c.amountMinor, (c, v) => (c.amountMinor = v)),
  'registration.mutation': of<M, string>(m => m.registration?.mutation, (m, v) => (registration(m).mutation = v)),
  months: of<M, number>(m => m.months, (m, v) => (m.months = v)),
  serial: of<M, string>(m => m.serial, (m, v) => (m.serial = v)),
  details: of<M, Detail[]>(m => m.details, (m, v) => (m.details = v)),
  'details[].label': of<Detail, string>(d => d.label, (d, v) => (d.label = v)),
  'details[].text': of<Detail, string>(d => d.text, (d, v) => (d.text = v)),
  'transfer.bank': of<M, string>(m => m.transfer?.bank, (m, v) => (transfer(m).bank = v)),
  'transfer.account': of<M, string>(m => m.transfer?.account, (m, v) => (transfer(m).account = v)),
  'transfer.name': of<M, string>(m => m.transfer?.name, (m, v) => (transfer(m).name = v)),
  'transfer.remark': of<M, string>(m => m.transfer?.remark, (m, v) => (transfer(m).remark = v)),
  'qr.content': of<M, string>(m => m.qr?.content, (m, v) => (qr(m).content = v)),
  'qr.merchantPan': of<M, string>(m => m.qr?.merchantPan, (m, v) => (qr(m).merchantPan = v)),
  'qr.merchantId': of<M, string>(m => m.qr?.merchantId, (m, v) => (qr(m).merchantId = v)),
  'qr.merchantName': of<M, string>(m => m.qr?.merchantName, (m, v) => (qr(m).merchantName = v)),
  'qr.merchantCity': of<M, string>(m => m.qr?.merchantCity, (m, v) => (qr(m).merchantCity = v)),
  'qr.postalCode': of<M, string>(m => m.qr?.postalCode, (m, v) => (qr(m).postalCode = v)),
  'qr.category': of<M, string>(m => m.qr?.category, (m, v) => (qr(m).category = v)),
  'qr.criteria': of<M, string>(m => m.qr?.criteria, (m, v) => (qr(m).criteria = v)),
  'qr.tipMinor': of<M, Money>(m => m.qr?.tipMinor, (m, v) => (qr(m).tipMinor = v)),
  'qr.acquirer': of<M, string>(m => m.qr?.acquirer, (m, v) => (qr(m).acquirer = v)),
  'qr.issuer': of<M, string>(m => m.qr?.issuer, (m, v) => (qr(m).issuer = v)),
  'qr.customerPan': of<M, string>(m => m.qr?.customerPan, (m, v) => (qr(m).customerPan = v)),
  'qr.customerName': of<M, string>(m => m.qr?.customerName, (m, v) => (qr(m).customerName = v)),
  'qr.terminal': of<M, string>(m => m.qr?.terminal, (m, v) => (qr(m).terminal = v)),
  'qr.additional': of<M, string>(m => m.qr?.additional, (m, v) => (qr(m).additional = v)),
  'qr.approval': of<M, string>(m => m.qr?.approval, (m, v) => (qr(m).approval = v)),
  'qr.invoice': of<M, string>(m => m.qr?.invoice, (m, v) => (qr(m).invoice = v)),
  'card.pan': of<M, string>(m => m.card?.pan, (m, v) => (card(m).pan = v)),
  'card.expiry': of<M, string>(m => m.card?.expiry, (m, v) => (card(m).expiry = v)),
  'card.track2': of<M, string>(m => m.card?.track2, (m, v) => (card(m).track2 = v)),
  'card.pinBlock': of<M, string>(m => m.card?.pinBlock, (m, v) => (card(m).pinBlock = v)),
  infoText: of<M, string>(m => m.infoText, (m, v) => (m.infoText = v)),
  security: of<M, string>(m => m.security, (m, v) => (m.security = v)),
}
