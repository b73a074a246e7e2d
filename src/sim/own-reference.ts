import { rupiah } from '#base'
import type { Desk } from './desk.ts'
import { serialNumber } from './invent.ts'

/** What dialects that must tell an amount tell of a product that is bought for any. */
const LEAST_TOLD = rupiah(20_000)

/**
 * Over HTTP a payment is known by the reference that the asker gave it, and the biller's own id of
 * an inquiry is a number.
 */
export function byOwnReference(desk: Desk): Desk {
  return {
    ...desk,
    quote: (number, message, at) => {
      const told = desk.quote(number, message, at)
      if (typeof told === 'string') return told
      const switching = serialNumber(`${number} ${message.reference?.own ?? at.nowMs}`)
      const amountMinor = told.amountMinor ?? message.amountMinor ?? LEAST_TOLD
      const reference = { ...message.reference, ...told.reference, switching }
      return { ...told, amountMinor, reference }
    },
    receipt: (number, message, at) => {
      const told = desk.receipt(number, message, at)
      return { ...told, reference: { ...message.reference, ...told.reference } }
    },
    keyOf: message => {
      const own = message.reference?.own
      return own === undefined ? desk.keyOf(message) : `own ${own}`
    },
    wrongReference: () => undefined,
  }
}
