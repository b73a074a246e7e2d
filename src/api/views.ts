import { type AmountMinor, formatTxnId, type TxnId, txnIdMs, ZERO } from '#base'
import { type Bill, dueOfBill, type Message } from '#message'
import type { FeeSchedule } from '#pricing'
import { chargeOf, type Money, moneyOf } from './money.ts'
import type { BillTold, InquiryTold, PaymentState, PaymentTold } from './schemas.ts'

/**
 * Normalized messages as the API tells them. Pure, and made of what the message says alone, so that
 * the same answer has the same bytes whenever it is given.
 */

export function inquiryView(id: TxnId, told: Message, fee: FeeSchedule): InquiryTold {
  const { amountMinor, adminMinor = ZERO, token } = told
  const charge =
    amountMinor === undefined
      ? { fee: moneyOf(adminMinor) }
      : chargeOf(amountMinor, adminMinor, fee.insideAmount)
  const unsold = token?.unsold?.map(one => moneyOf(one.amountMinor))
  return {
    id: formatTxnId(id),
    createdAt: timeOf(id),
    ...sharedView(told),
    ...charge,
    ...(token && {
      token: {
        ...(token.kwhMax !== undefined && { kwhMax: token.kwhMax }),
        ...(unsold && { unsold }),
      },
    }),
  }
}

/** What is known of a payment beside its message. */
export type PaymentFacts = {
  readonly id: TxnId
  readonly inquiryId: TxnId
  readonly state: PaymentState
  readonly fee: FeeSchedule
}

export function paymentView(
  { id, inquiryId, state, fee }: PaymentFacts,
  told: Message,
): PaymentTold {
  const { amountMinor = ZERO, adminMinor = ZERO, billsPaid, settlementDate, serial } = told
  const delivered = state === 'paid' || state === 'reversing'
  const reason = told.outcome?.reason
  return {
    id: formatTxnId(id),
    inquiry: formatTxnId(inquiryId),
    state,
    ...(state === 'declined' && reason && { reason }),
    createdAt: timeOf(id),
    ...sharedView(told),
    ...(billsPaid !== undefined && { billsPaid }),
    ...chargeOf(amountMinor, adminMinor, fee.insideAmount),
    ...(delivered && settlementDate !== undefined && { settlementDate: dateOf(settlementDate) }),
    ...(delivered && told.token && { token: tokenView(told.token) }),
    ...(delivered && serial !== undefined && { serial }),
    ...(delivered &&
      told.reference?.receipt !== undefined && { receiptNumber: told.reference.receipt }),
  }
}

function sharedView(told: Message) {
  const { product = '', bills, billsOutstanding, details, infoText, transfer, qr } = told
  const { switching = '', biller } = told.reference ?? {}
  return {
    product,
    ...(told.customer && { customer: customerView(told.customer) }),
    ...(told.registration && { registration: registrationView(told.registration) }),
    ...(bills && { bills: bills.map(billView) }),
    ...(billsOutstanding !== undefined && { billsOutstanding }),
    ...(details && { details: details.map(({ label, text }) => ({ label, text })) }),
    ...(transfer && { transfer: pick(transfer, ['bank', 'account', 'name', 'remark']) }),
    ...(qr && {
      merchant: {
        ...(qr.merchantName !== undefined && { name: qr.merchantName }),
        ...(qr.merchantCity !== undefined && { city: qr.merchantCity }),
      },
      ...(qr.tipMinor && { tip: moneyOf(qr.tipMinor) }),
    }),
    reference: switching,
    ...(biller !== undefined && { billerReference: biller }),
    ...(infoText !== undefined && infoText !== '' && { info: infoText }),
  }
}

function customerView(customer: NonNullable<Message['customer']>) {
  return pick(customer, [
    'id',
    'meter',
    'secondId',
    'phone',
    'name',
    'address',
    'tariff',
    'powerVa',
    'unit',
    'unitPhone',
  ])
}

function registrationView(registration: NonNullable<Message['registration']>) {
  const { registeredOn, expiresOn } = registration
  return {
    ...pick(registration, ['number', 'code', 'name']),
    ...(registeredOn !== undefined && { registeredOn: dateOf(registeredOn) }),
    ...(expiresOn !== undefined && { expiresOn: dateOf(expiresOn) }),
  }
}

/** What is undefined does not stand in JSON. */
function billView(bill: Bill): BillTold {
  const { period, dueDate, penaltyMinor, incentiveMinor, vatMinor, miscMinor } = bill
  const { offPeak, peak, reactive, reading } = bill
  return {
    period: `${period.slice(0, 4)}-${period.slice(4, 6)}`,
    // Zeros when the biller does not tell.
    dueDate: dueDate === undefined || /^0*$/.test(dueDate) ? undefined : dateOf(dueDate),
    amount: moneyOf(bill.amountMinor),
    penalty: moneyIn(penaltyMinor),
    incentive: moneyIn(incentiveMinor),
    vat: moneyIn(vatMinor),
    other: moneyIn(miscMinor),
    due: moneyOf(dueOfBill(bill)),
    offPeak: offPeak && readingView(offPeak),
    peak: peak && readingView(peak),
    reactive: reactive && readingView(reactive),
    reading: reading && readingView(reading),
  }
}

function moneyIn(amount: AmountMinor | undefined): Money | undefined {
  return amount === undefined ? undefined : moneyOf(amount)
}

function readingView([from, to]: readonly [string, string]) {
  return { from, to }
}

function tokenView(token: NonNullable<Message['token']>): PaymentTold['token'] {
  const { number, kwhHundredths, stampDutyMinor, vatMinor, lightingTaxMinor } = token
  const { installmentMinor, energyMinor } = token
  return {
    ...(number !== undefined && { number }),
    ...(kwhHundredths !== undefined && { kwh: kwhText(kwhHundredths) }),
    ...(stampDutyMinor !== undefined && { stampDuty: moneyOf(stampDutyMinor) }),
    ...(vatMinor !== undefined && { vat: moneyOf(vatMinor) }),
    ...(lightingTaxMinor !== undefined && { lightingTax: moneyOf(lightingTaxMinor) }),
    ...(installmentMinor !== undefined && { installment: moneyOf(installmentMinor) }),
    ...(energyMinor !== undefined && { energy: moneyOf(energyMinor) }),
  }
}

function kwhText(hundredths: number): string {
  const digits = String(hundredths).padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** `2026-11-20` of YYYYMMDD. */
function dateOf(date: string): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}`
}

export function timeOf(id: TxnId): string {
  return new Date(txnIdMs(id)).toISOString()
}

/** Of an object the keys that hold something, in this order. */
function pick<T extends object, K extends keyof T & string>(
  object: T,
  keys: readonly K[],
): Pick<T, K> {
  const held: Partial<Pick<T, K>> = {}
  for (const key of keys) if (object[key] !== undefined) held[key] = object[key]
  return held as Pick<T, K>
}
