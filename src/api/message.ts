import { localTime, minor, txnIdMs } from '#base'
import type { Clock, LocalTime } from '#base'
import { declined, type Message, type Token } from '#message'
import { adminOf } from '#pricing'
import { isQrisPan, nnsOf } from '#qris'
import { type Inquiry, type PaymentLook, Traces } from '#switch'
import type { Asker } from './auth.ts'
import { amountOf, wireAmount } from './money.ts'
import type { ApiProduct } from './parts.ts'
import { problemOfOutcome } from './problem.ts'
import type { InquiryRequest, PaymentRequest } from './schemas.ts'

/** Requests of the API as normalized messages: from here on they are like any other partner's. */

type Stamp = { readonly trace: string; readonly sentAt: LocalTime }

/** What each of them gets from us. */
export class Stamps {
  readonly #clock: Clock
  readonly #traces: Traces

  constructor(clock: Clock) {
    this.#clock = clock
    this.#traces = new Traces(clock)
  }

  next(): Stamp {
    return { trace: this.#traces.next(), sentAt: localTime(this.#clock.nowMs()) }
  }
}

export function inquiryMessage(
  { id: partner, api }: Asker,
  asked: InquiryRequest,
  stamp: Stamp,
): Message {
  const { product, customer, terminal = api.terminal, months, amount, transfer, qr } = asked
  return {
    kind: 'inquiry',
    direction: 'request',
    repeat: false,
    product,
    ...stamp,
    channel: api.channel,
    bank: api.bank,
    partner,
    terminal,
    switcher: api.switcher,
    ...(customer && customerIn(customer)),
    ...(months !== undefined && { months }),
    ...(amount && { amountMinor: amountOf(amount), currency: amount.currency }),
    ...(transfer && { transfer: without(transfer) }),
    ...(qr && { qr: qrIn(qr) }),
  }
}

const WRONG_PAN = { path: 'qr.customerPan', text: 'its check digit is wrong' } as const

/** Throws `format-error`. */
function qrIn({
  content,
  tip,
  customerPan,
  customerName,
}: NonNullable<InquiryRequest['qr']>): NonNullable<Message['qr']> {
  // Mistyped, it would be another payer's; what comes later sees it sealed.
  if (customerPan !== undefined && !isQrisPan(customerPan))
    throw problemOfOutcome(declined('format-error', WRONG_PAN))
  return {
    content,
    ...(tip && { tipMinor: amountOf(tip) }),
    ...(customerPan !== undefined && { customerPan, issuer: nnsOf(customerPan) }),
    ...(customerName !== undefined && { customerName }),
  }
}

type CustomerAsked = NonNullable<InquiryRequest['customer']>

function customerIn(asked: CustomerAsked): Pick<Message, 'customer' | 'registration'> {
  const { secondId, phone } = asked
  const more = without({ secondId, phone })
  if ('registration' in asked)
    return {
      registration: { number: asked.registration },
      ...(Object.keys(more).length > 0 && { customer: more }),
    }
  if ('meter' in asked) return { customer: { meter: asked.meter, knownBy: 'meter', ...more } }
  return { customer: { id: asked.id, knownBy: 'id', ...more } }
}

/**
 * The payment of an inquiry. Audit number and time follow from the inquiry, so the same request is
 * the same message however often and through whichever node it comes (law 4).
 */
export function paymentMessage(
  { id: partner, api }: Asker,
  { amount, bills, option, terminal = api.terminal }: PaymentRequest,
  { id, told }: Inquiry,
  { fee, feeInside, denominationsMinor }: ApiProduct,
): Message {
  const { outcome: _, settlementDate: __, infoText: ___, ...quoted } = told
  const billsPaid = quoted.bills && (bills ?? quoted.bills.length)
  // What is bought by denomination is bought anew where nothing else is said.
  const chosen = option ?? (denominationsMinor ? 0 : undefined)
  const token: Token | undefined =
    chosen === undefined ? quoted.token : { ...quoted.token, option: chosen }
  const paying = { ...quoted, ...(billsPaid !== undefined && { billsPaid }) }
  const adminMinor = adminOf(fee, paying)
  return {
    ...paying,
    kind: 'payment',
    direction: 'request',
    repeat: false,
    trace: String(id % 1_000_000_000_000n).padStart(12, '0'),
    sentAt: localTime(txnIdMs(id)),
    channel: api.channel,
    partner,
    terminal,
    amountMinor: wireAmount(amountOf(amount), adminMinor, feeInside),
    currency: amount.currency,
    adminMinor,
    ...(token && { token }),
  }
}

/** The partner's reversal: it must name the very payment as it was asked for, whatever it came by. */
export function reversalMessage({ id: partner }: Asker, look: PaymentLook, stamp: Stamp): Message {
  const { answer, request } = look
  const { outcome: _, settlementDate: __, infoText: ___, ...paid } = answer
  const { trace, sentAt, bank = '' } = request
  return {
    ...paid,
    kind: 'reversal',
    direction: 'request',
    repeat: false,
    trace: stamp.trace,
    sentAt: stamp.sentAt,
    partner,
    amountMinor: answer.amountMinor ?? minor(0n),
    original: { kind: 'payment', trace, sentAt, bank },
  }
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> }

/** Without the keys that hold nothing. */
function without<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as Defined<T>
}
