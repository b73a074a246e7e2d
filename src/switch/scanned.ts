import { type AmountMinor, isNadiError, minor, type NadiError, ZERO } from '#base'
import type { Fault, Message, Qr, Reason } from '#message'
import {
  nnsOf,
  type QrisAccount,
  type QrisCode,
  type QrisTip,
  rawObjects,
  readQris,
  withCheckDigit,
} from '#qris'
import { faultText } from './faults.ts'

/** What is wrong with what was scanned or typed beside it. */
export type NotQuoted = { readonly reason: Reason; readonly fault?: Fault }

/** A code that says nothing of its merchant is one of a regular business (QRIS 4.8). */
const CRITERIA = 'URE'
/** How switches call a terminal that has no label. */
const TERMINAL = 'A01'
/** In object 62: the payer is asked. */
const ASKED = '***'

/**
 * A request with all that the scanned QRIS code says: whose money it becomes, and how much it is, the
 * tip in it. What the payer decides comes with the request: the amount of a code without one, the tip
 * where the code asks for it. Or why it cannot be paid so.
 */
export function withCode(request: Message): Message | NotQuoted {
  const { content } = request.qr ?? {}
  if (content === undefined) return bad('qr.content', 'the QR code as it was scanned is missing')
  const code = codeIn(content)
  if ('reason' in code) return code
  const account = code.accounts.find(({ pan }) => pan !== undefined)
  if (account?.pan === undefined) return bad('qr.content', 'object 26.01: it names no merchant PAN')
  const amount = amountOf(code, request)
  if (typeof amount === 'object') return amount
  const tip = tipOf(code.tip, amount, request.qr?.tipMinor)
  if (typeof tip === 'object') return tip
  const qr = {
    ...request.qr,
    ...merchantIn(code, { ...account, pan: account.pan }),
    tipMinor: tip,
    additional: rawObjects(content, ['61', '62']),
  }
  return { ...request, qr, amountMinor: minor(amount + tip) }
}

function codeIn(content: string): QrisCode | NotQuoted {
  try {
    return readQris(content)
  } catch (error) {
    if (!isNadiError(error)) throw error
    return bad('qr.content', textOf(error))
  }
}

/** `object 62.07, character 158: …`; what stands there is not told. */
function textOf(error: NadiError): string {
  const { path, offset } = error
  const what = path === undefined ? 'the code' : `object ${path}`
  const place = offset === undefined ? '' : `, character ${offset}`
  return `${what}${place}: ${faultText(error)}`
}

function merchantIn(code: QrisCode, account: QrisAccount & { readonly pan: string }): Qr {
  const { name, city, postalCode, category, national, additional } = code
  const merchantPan = withCheckDigit(account.pan)
  const merchantId = account.merchantId ?? national?.merchantId
  const { terminal = TERMINAL } = additional ?? {}
  return {
    merchantPan,
    acquirer: nnsOf(merchantPan),
    ...(merchantId !== undefined && { merchantId }),
    merchantName: name,
    merchantCity: city,
    postalCode,
    category,
    criteria: account.criteria ?? national?.criteria ?? CRITERIA,
    terminal: terminal === ASKED ? TERMINAL : terminal,
  }
}

/** Without the tip. */
function amountOf(code: QrisCode, { amountMinor }: Message): AmountMinor | NotQuoted {
  const fixed = code.amountMinor
  if (fixed !== undefined && amountMinor !== undefined && amountMinor !== fixed)
    return wrong('amountMinor', 'the code says another amount')
  const amount = fixed ?? amountMinor
  if (amount === undefined || amount === ZERO)
    return wrong('amountMinor', 'the code says no amount: the payer does')
  return amount
}

function tipOf(
  tip: QrisTip | undefined,
  amount: AmountMinor,
  given: AmountMinor | undefined,
): AmountMinor | NotQuoted {
  if (tip?.tag === 'asked') return given ?? ZERO
  const due = fixedTip(tip, amount)
  if (given === undefined || given === due) return due
  return wrong('qr.tipMinor', tip ? 'the code says another tip' : 'the code asks for no tip')
}

/** A percentage comes to whole rupiah, half a rupiah up: there is no coin of less. */
function fixedTip(tip: QrisTip | undefined, amount: AmountMinor): AmountMinor {
  if (tip?.tag === 'fixed') return tip.amountMinor
  if (tip?.tag !== 'percent') return ZERO
  const [part, whole] = [amount * BigInt(tip.hundredths), 1_000_000n]
  return minor(((part + whole / 2n) / whole) * 100n)
}

function bad(path: Fault['path'], text: string): NotQuoted {
  return { reason: 'format-error', fault: { path, text } }
}

function wrong(path: Fault['path'], text: string): NotQuoted {
  return { reason: 'amount-invalid', fault: { path, text } }
}
