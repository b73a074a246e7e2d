import { type AmountMinor, minor, type TxnId, ZERO } from '#base'
import { declined, type Message } from '#message'
import type { Inquiry } from '#switch'
import { stateOf } from '../answer.ts'
import { inquiryMessage, paymentMessage, type Stamps } from '../message.ts'
import { moneyOf } from '../money.ts'
import type { ApiProduct } from '../parts.ts'
import type { InquiryRequest } from '../schemas.ts'
import { bind, boundTo, checkCustomer, claimPayment } from './bound.ts'
import { exchange } from './exchange.ts'
import type { SnapCall, SnapParts } from './parts.ts'
import { jsonFrame, SnapRefusal } from './refusal.ts'

/** Services 24, 25 and 26: each takes a request that was let in, and resolves with the answer's frame. */

/** A success of the question that is none of the payment (paymentFlagStatus). */
const REJECTED = '01'
const OPEN = '02'

/** The same inquiryRequestId is told the same bill, however often it asks. */
export async function inquire(
  parts: SnapParts,
  stamps: Stamps,
  call: SnapCall,
): Promise<Uint8Array> {
  const before = await boundTo(parts, call)
  if (before) return tellAgain(parts, call)
  const product = productOf(parts, call)
  const message = inquiryMessage(
    call.bank.asker,
    { product: product.code, customer: customerOf(call) },
    stamps.next(),
  )
  let inquiry: TxnId | undefined
  const frame = await exchange(parts, call, message, told => {
    const approved = told.outcome?.meaning === 'approved'
    if (approved) inquiry = parts.switch.looks.inquiryOf(told.reference?.switching ?? '')
    return answerFrame(call, told, product)
  })
  if (!frame) throw new SnapRefusal('timeout')
  if (inquiry === undefined || (await bind(parts, call, inquiry))) return frame
  return tellAgain(parts, call)
}

async function tellAgain(parts: SnapParts, call: SnapCall): Promise<Uint8Array> {
  const { told } = await inquiryFor(parts, call)
  return answerFrame(call, told, productOf(parts, call))
}

/**
 * A payment is that of its inquiry, of which there is one: sent again, with flagAdvise or without,
 * it is the same message to the switch and gets the first one's result (law 4).
 */
export async function pay(parts: SnapParts, call: SnapCall): Promise<Uint8Array> {
  const inquiry = await inquiryFor(parts, call)
  const product = productOf(parts, call)
  const paid = minor((call.message.amountMinor ?? ZERO) - (inquiry.told.adminMinor ?? ZERO))
  await claimPayment(parts, call, mayBePaid(inquiry, product, paid))
  const amount = moneyOf(paid)
  const asked = { inquiry: '', amount }
  const message = paymentMessage(call.bank.asker, asked, inquiry, product)
  const frame = await exchange(parts, call, message, told => answerFrame(call, told, product))
  if (!frame) throw new SnapRefusal('timeout')
  return frame
}

/**
 * A bill is paid as it was told, all of it: no part and not more. What is bought by denomination is
 * open; the payer says which one. `paid` is without the fee.
 */
function mayBePaid(
  { told }: Inquiry,
  { denominationsMinor, feeInside }: ApiProduct,
  paid: AmountMinor,
): boolean {
  const { amountMinor, adminMinor = ZERO } = told
  if (amountMinor === undefined) return denominationsMinor?.has(paid) ?? false
  return paid === (feeInside ? amountMinor - adminMinor : amountMinor)
}

/** From the journal alone; nothing is sent for it. */
export async function tellStatus(parts: SnapParts, call: SnapCall): Promise<Uint8Array> {
  const bound = await boundTo(parts, call)
  if (!bound) throw new SnapRefusal('transaction-not-found')
  checkCustomer(call, bound)
  const look = await parts.switch.looks.paymentFor(call.bank.asker.id, bound.inquiry)
  if (!look) throw new SnapRefusal('transaction-not-found')
  const told: Message = { ...look.answer, kind: 'status', customer: call.message.customer ?? {} }
  switch (stateOf(look)) {
    case 'paid':
    case 'reversing':
      return answerFrame(call, told, productOf(parts, call))
    case 'pending':
      return notPaid(call, OPEN)
    case 'declined':
    case 'reversed':
      return notPaid(call, REJECTED)
  }
}

function notPaid({ number, message }: SnapCall, paymentFlagStatus: string): Uint8Array {
  const partnerServiceId = number.padStart(8)
  const customerNo = message.customer?.id ?? ''
  const virtualAccountData = {
    partnerServiceId,
    customerNo,
    virtualAccountNo: partnerServiceId + customerNo,
    paymentRequestId: message.reference?.own,
    paymentFlagStatus,
  }
  return jsonFrame(200, {
    responseCode: '2002600',
    responseMessage: 'Successful',
    virtualAccountData,
  })
}

async function inquiryFor(parts: SnapParts, call: SnapCall) {
  const bound = await boundTo(parts, call)
  if (!bound) throw new SnapRefusal('bill-not-found')
  checkCustomer(call, bound)
  const inquiry = await parts.switch.looks.inquiry(call.bank.asker.id, bound.inquiry)
  if (!inquiry) throw new SnapRefusal('bill-not-found')
  return inquiry
}

function productOf({ products }: SnapParts, { service }: SnapCall): ApiProduct {
  const product = products.get(service.product)
  if (!product) throw new SnapRefusal('bill-not-found')
  return product
}

/** As the bank's customer sees it: the amount holds the fee, whether or not it does on the biller's wire. */
function answerFrame(
  { service, message: asked }: SnapCall,
  told: Message,
  { fee, title }: ApiProduct,
): Uint8Array {
  const { amountMinor, adminMinor = ZERO, reference, outcome = declined('other-error') } = told
  const bill = told.kind === 'inquiry' && outcome.meaning === 'approved'
  const { own } = asked.reference ?? {}
  const biller = reference?.switching
  const wire: Message = {
    ...told,
    ...(asked.product !== undefined && { product: asked.product }),
    ...(amountMinor !== undefined && {
      amountMinor: fee.insideAmount ? amountMinor : minor(amountMinor + adminMinor),
    }),
    // The standard wants a total, of what is open too.
    ...(bill && amountMinor === undefined && { amountMinor: ZERO }),
    ...(bill && { amountIs: amountMinor === undefined ? 'open' : 'fixed' }),
    // Where the biller does not say whose number it is.
    customer: { ...told.customer, ...asked.customer, name: told.customer?.name ?? title },
    reference: { ...(own !== undefined && { own }), ...(biller !== undefined && { biller }) },
    outcome,
  }
  return service.pack.write(wire, asked)
}

const METER_DIGITS = 11

/** What was typed. A meter has eleven digits; twelve are a subscriber's number. */
function customerOf({ service, message }: SnapCall): InquiryRequest['customer'] {
  const number = message.customer?.id ?? ''
  switch (service.by) {
    case 'id':
      return { id: number }
    case 'meter':
      return number.length === METER_DIGITS ? { meter: number } : { id: number }
    case 'registration':
      return { registration: number }
  }
}
