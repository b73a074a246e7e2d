import { type AmountMinor, negate } from '#base'
import type { Price } from '#pricing'
import { moneyOf, type TxnState } from '#txn'
import { type Posting, posting } from './account.ts'

/**
 * Which step books what. A step moves money only when it changes where the partner's money is:
 *
 *              hold                  settle
 *      free ─────────▶ held ─────────────────────▶ settled
 *        ▲ ◀── release ──┘                            │
 *        └───────────────────── undo ─────────────────┘
 */
export function book(
  before: TxnState,
  after: TxnState,
  price: Price,
  biller: string,
): readonly Posting[] {
  const from = moneyOf(before)
  const to = moneyOf(after)
  if (from === to) return []
  switch (`${from} to ${to}` as const) {
    case 'free to held':
      return [
        posting('hold', [
          ['deposit', negate(price.totalMinor)],
          ['hold', price.totalMinor],
        ]),
      ]
    case 'held to free':
      return [
        posting('release', [
          ['hold', negate(price.totalMinor)],
          ['deposit', price.totalMinor],
        ]),
      ]
    case 'held to settled':
      return [posting('settle', [['hold', negate(price.totalMinor)], ...earned(price, biller, 1n)])]
    case 'settled to free':
      return [posting('undo', [...earned(price, biller, -1n), ['deposit', price.totalMinor]])]
    default:
      throw new Error(`no step leads from ${from} to ${to}`)
  }
}

/** A top-up: money that came into our bank is owed to the partner. Negative takes it back. */
export function bookDeposit(amountMinor: AmountMinor): Posting {
  return posting('deposit', [
    ['funding', negate(amountMinor)],
    ['deposit', amountMinor],
  ])
}

function earned(
  price: Price,
  biller: string,
  sign: bigint,
): [`payable:${string}` | 'fee' | 'commission', bigint][] {
  return [
    [`payable:${biller}`, sign * price.payableMinor],
    ['fee', sign * price.feeMinor],
    ['commission', sign * price.commissionMinor],
  ]
}
