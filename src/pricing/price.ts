import { type AmountMinor, minor, split, ZERO } from '#base'
import type { Message } from '#message'

/** What a product costs beside the bill, and who earns it. From configuration. */
export type FeeSchedule = {
  /** The admin fee that the customer pays for each bill, or for each purchase. */
  readonly adminPerBillMinor: AmountMinor
  /** Whether the amount on the wire already holds the fee (PLN prepaid) or not (postpaid). */
  readonly insideAmount: boolean
  /** In what proportion the fee is divided; what rounding leaves goes to the partner. */
  readonly shares: { readonly biller: bigint; readonly switch: bigint; readonly partner: bigint }
}

/** What one payment moves. `totalMinor` is held, then split into the three others without remainder. */
export type Price = {
  readonly amountMinor: AmountMinor
  readonly adminMinor: AmountMinor
  readonly totalMinor: AmountMinor
  readonly payableMinor: AmountMinor
  readonly feeMinor: AmountMinor
  readonly commissionMinor: AmountMinor
}

/** The fee of all bills that a message tells or pays. */
export function adminOf(fee: FeeSchedule, message: Message): AmountMinor {
  const bills = message.billsPaid ?? message.bills?.length ?? 1
  return minor(fee.adminPerBillMinor * BigInt(bills))
}

/**
 * total = amount (+ fee, where the amount does not hold it) = payable + fee + commission, always:
 * `split` conserves the fee, and the biller's bill is what is left of the total.
 */
export function price(fee: FeeSchedule, payment: Message): Price {
  const amountMinor = payment.amountMinor ?? ZERO
  const adminMinor = adminOf(fee, payment)
  const { biller, switch: ours, partner } = fee.shares
  const [billerPart, feeMinor, commissionMinor] =
    adminMinor === ZERO ? [ZERO, ZERO, ZERO] : split(adminMinor, [biller, ours, partner])
  const totalMinor = fee.insideAmount ? amountMinor : minor(amountMinor + adminMinor)
  const bill = totalMinor - adminMinor
  return {
    amountMinor,
    adminMinor,
    totalMinor,
    payableMinor: minor(bill + (billerPart ?? ZERO)),
    feeMinor: feeMinor ?? ZERO,
    commissionMinor: commissionMinor ?? ZERO,
  }
}
