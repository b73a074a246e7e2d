import { isNadiError, ZERO } from '#base'
import type { Message, Qr } from '#message'
import { type QrisCode, readQris, withCheckDigit } from '#qris'
import type { Desk } from './desk.ts'
import { serialNumber } from './invent.ts'

/**
 * Merchants, by the PAN in their codes. Between `9360`, with which all begin, and the check digit
 * stand 14 digits; as everywhere here, those that begin with 9999 are known (the acquirer 93609999),
 * and the last three may act out a scenario.
 *
 *     9360 99990000000907 1
 *          └─ number ───┘
 */
const BEGIN = '9360'
const NUMBER_DIGITS = 14
const INVENTED = '9999'
const ACQUIRER = 'BANK CONTOH'

export function merchantNumber({ merchantPan, content }: Qr): string {
  const pan = merchantPan ?? accountOf(codeIn(content))?.pan ?? ''
  return pan.startsWith(BEGIN) ? pan.slice(BEGIN.length, BEGIN.length + NUMBER_DIGITS) : pan
}

/** The PAN of a number, with its check digit. */
export function merchantPanOf(number: string): string {
  return withCheckDigit(BEGIN + number)
}

/** Payments of merchants' codes. A payment can be given back. */
export const merchants: Desk = {
  reversible: true,
  numberOf: ({ qr = {} }) => merchantNumber(qr),
  wrongReference: () => undefined,

  keyOf({ reference, original, terminal = '', trace, qr = {} }) {
    const { own } = reference ?? {}
    return own === undefined
      ? `${terminal}|${original?.trace ?? trace}|${merchantNumber(qr)}`
      : `own ${own}`
  },

  quote(number, message) {
    const { qr = {} } = message
    const code = codeIn(qr.content)
    if (qr.content !== undefined && !code) return 'format-error'
    if (!number.startsWith(INVENTED)) return 'customer-unknown'
    const amountMinor = message.amountMinor ?? code?.amountMinor
    if (amountMinor === undefined) return 'amount-invalid'
    if (!code) return { amountMinor, adminMinor: ZERO }
    const merchant = merchantIn(code)
    const details = [{ label: ACQUIRER, text: merchant.merchantPan ?? '' }]
    return { amountMinor, adminMinor: ZERO, qr: { ...qr, ...merchant }, details }
  },

  /** What a dynamic code says is what must be paid, and the tip on top. */
  check(number, { amountMinor, qr = {} }) {
    if (!number.startsWith(INVENTED)) return 'customer-unknown'
    const due = codeIn(qr.content)?.amountMinor
    const other = due !== undefined && amountMinor !== due + (qr.tipMinor ?? ZERO)
    return amountMinor === undefined || other ? 'amount-invalid' : 0
  },

  receipt(number, message) {
    const serial = serialNumber(`${number} ${message.reference?.own ?? message.trace}`)
    return {
      qr: { ...message.qr, approval: serial.slice(0, 6), invoice: serial.padStart(20, '0') },
      reference: { ...message.reference, biller: serial },
    }
  },
}

function codeIn(content: string | undefined): QrisCode | undefined {
  if (content === undefined) return undefined
  try {
    return readQris(content)
  } catch (error) {
    if (!isNadiError(error)) throw error
    return undefined
  }
}

function accountOf(code: QrisCode | undefined) {
  return code?.accounts.find(({ pan }) => pan !== undefined)
}

function merchantIn(code: QrisCode): NonNullable<Message['qr']> {
  const { pan, merchantId } = accountOf(code) ?? {}
  return {
    ...(pan !== undefined && { merchantPan: withCheckDigit(pan) }),
    ...(merchantId !== undefined && { merchantId }),
    merchantName: code.name,
    merchantCity: code.city,
  }
}
