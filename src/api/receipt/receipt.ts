import {
  type AmountMinor,
  formatTxnId,
  localTime,
  minor,
  sum,
  type TxnId,
  txnIdMs,
  ZERO,
} from '#base'
import type { Bill, Message } from '#message'

/**
 * The receipt (struk) that the customer takes home, as parts in order; text.ts and pdf.ts lay them
 * out. The lines of PLN's counters where it is PLN, and what the biller tells where it is another.
 */
export type Receipt = {
  readonly payment: string
  readonly title: string
  /** Printed again: it says so (CU, cetak ulang). */
  readonly reprint: boolean
  readonly parts: readonly ReceiptPart[]
}

export type ReceiptPart =
  | { readonly label: string; readonly text: string }
  | { readonly label: string; readonly amountMinor: AmountMinor }
  | { readonly sentence: string }

export type ReceiptFacts = {
  readonly id: TxnId
  readonly productTitle: string
  readonly feeInside: boolean
  readonly reprint: boolean
}

const LEGAL = 'PLN menyatakan struk ini sebagai bukti pembayaran yang sah'
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MEI', 'JUN', 'JUL', 'AGU', 'SEP', 'OKT', 'NOV', 'DES']

export function receiptOf(paid: Message, facts: ReceiptFacts): Receipt {
  const { title, parts } = bodyOf(paid, facts)
  const { id, reprint } = facts
  const info = paid.infoText ? [sentence(paid.infoText)] : []
  const stamp = [...text('TANGGAL', whenOf(id)), ...text('NO TRANSAKSI', formatTxnId(id))]
  return {
    payment: formatTxnId(id),
    title,
    reprint,
    parts: [...(reprint ? [sentence('CU - CETAK ULANG')] : []), ...stamp, ...parts, ...info],
  }
}

type Body = Pick<Receipt, 'title' | 'parts'>

function bodyOf(paid: Message, facts: ReceiptFacts): Body {
  switch (paid.product) {
    case 'pln-postpaid':
      return postpaid(paid)
    case 'pln-prepaid':
      return prepaid(paid)
    case 'pln-nontaglis':
      return registration(paid)
    default:
      return other(paid, facts)
  }
}

function postpaid(paid: Message): Body {
  const { customer = {}, bills = [], billsOutstanding = 0, reference } = paid
  const { amountMinor = ZERO, adminMinor = ZERO } = paid
  const settled = bills.slice(0, paid.billsPaid)
  const arrears = billsOutstanding - settled.length
  return {
    title: 'STRUK PEMBAYARAN TAGIHAN LISTRIK',
    parts: [
      ...text('IDPEL', customer.id),
      ...text('NAMA', customer.name),
      ...text('TARIF/DAYA', tariffOf(paid)),
      ...text('BL/TH', settled.map(({ period }) => month(period)).join(', ')),
      ...text('STAND METER', standOf(settled)),
      money('RP TAG PLN', amountMinor),
      ...text('NO REF', reference?.switching),
      sentence(LEGAL),
      money('ADMIN BANK', adminMinor),
      money('TOTAL BAYAR', minor(amountMinor + adminMinor)),
      sentence(arrears > 0 ? `ANDA MASIH MEMILIKI TUNGGAKAN ${arrears} BULAN` : 'TERIMA KASIH'),
    ],
  }
}

function prepaid(paid: Message): Body {
  const { customer = {}, token = {}, reference, adminMinor = ZERO } = paid
  const { stampDutyMinor = ZERO, vatMinor = ZERO, lightingTaxMinor = ZERO } = token
  const { installmentMinor = ZERO, energyMinor = ZERO } = token
  const parts = [stampDutyMinor, vatMinor, lightingTaxMinor, installmentMinor, energyMinor]
  return {
    title: 'STRUK PEMBELIAN LISTRIK PRABAYAR',
    parts: [
      ...text('NO METER', customer.meter),
      ...text('IDPEL', customer.id),
      ...text('NAMA', customer.name),
      ...text('TARIF/DAYA', tariffOf(paid)),
      ...text('NO REF', reference?.switching),
      money('RP BAYAR', sum([...parts, adminMinor])),
      money('METERAI', stampDutyMinor),
      money('PPN', vatMinor),
      money('PPJ', lightingTaxMinor),
      money('ANGSURAN', installmentMinor),
      money('RP STROOM/TOKEN', energyMinor),
      ...text('JML KWH', kwhOf(token.kwhHundredths)),
      ...text('STROOM/TOKEN', token.number?.replace(/(\d{4})(?=\d)/g, '$1 ')),
      money('ADMIN BANK', adminMinor),
    ],
  }
}

function registration(paid: Message): Body {
  const { customer = {}, registration, reference, adminMinor = ZERO, amountMinor = ZERO } = paid
  const billerMinor = registration?.billerMinor ?? amountMinor
  return {
    title: 'STRUK NON TAGIHAN LISTRIK',
    parts: [
      ...text('TRANSAKSI', registration?.name),
      ...text('NO REGISTRASI', registration?.number),
      ...text('TGL REGISTRASI', dayOf(registration?.registeredOn)),
      ...text('NAMA', customer.name),
      ...text('IDPEL', customer.id),
      money('BIAYA PLN', billerMinor),
      ...text('NO REF', reference?.switching),
      sentence(LEGAL),
      money('ADMIN BANK', adminMinor),
      money('TOTAL BAYAR', minor(billerMinor + adminMinor)),
    ],
  }
}

function other(paid: Message, { productTitle, feeInside }: ReceiptFacts): Body {
  const { customer = {}, transfer, qr, details = [], serial, bills = [], reference } = paid
  const { amountMinor = ZERO, adminMinor = ZERO } = paid
  const amount = feeInside ? minor(amountMinor - adminMinor) : amountMinor
  return {
    title: `STRUK PEMBAYARAN ${productTitle.toUpperCase()}`,
    parts: [
      ...text('NO PELANGGAN', customer.id ?? customer.meter),
      ...text('NAMA', customer.name ?? transfer?.name),
      ...text('REKENING', transfer?.account),
      ...text('MERCHANT', qr?.merchantName),
      ...text('KOTA', qr?.merchantCity),
      ...text(
        'PERIODE',
        bills
          .slice(0, paid.billsPaid)
          .map(({ period }) => month(period))
          .join(', '),
      ),
      ...details.flatMap(({ label, text: says }) => text(label.toUpperCase(), says)),
      ...text('SN', serial),
      money('TAGIHAN', amount),
      ...(qr?.tipMinor ? [money('TERMASUK TIP', qr.tipMinor)] : []),
      money('ADMIN', adminMinor),
      money('TOTAL BAYAR', minor(amount + adminMinor)),
      ...text('NO REF', reference?.biller),
      ...text('REF SWITCHING', reference?.switching),
      sentence('TERIMA KASIH'),
    ],
  }
}

/** What the biller did not tell is left out. */
function text(label: string, value: string | undefined): ReceiptPart[] {
  return value === undefined || value === '' ? [] : [{ label, text: value }]
}

function money(label: string, amountMinor: AmountMinor): ReceiptPart {
  return { label, amountMinor }
}

function sentence(words: string): ReceiptPart {
  return { sentence: words }
}

function tariffOf({ customer }: Message): string | undefined {
  const { tariff, powerVa } = customer ?? {}
  return tariff === undefined ? undefined : `${tariff}/${powerVa ?? 0} VA`
}

/** From the oldest bill's first reading to the newest one's last. */
function standOf(settled: readonly Bill[]): string {
  const [from] = settled[0]?.offPeak ?? ['']
  const [, until] = settled.at(-1)?.offPeak ?? ['', '']
  return from === '' ? '' : `${from}-${until}`
}

function kwhOf(hundredths: number | undefined): string | undefined {
  if (hundredths === undefined) return undefined
  const digits = String(hundredths).padStart(3, '0')
  return `${digits.slice(0, -2)},${digits.slice(-2)}`
}

/** `OKT26` of 202610. */
function month(period: string): string {
  return `${MONTHS[Number(period.slice(4, 6)) - 1] ?? '???'}${period.slice(2, 4)}`
}

/** `01NOV26` of 20261101. */
function dayOf(date: string | undefined): string | undefined {
  return date && date.slice(6, 8) + month(date)
}

/** `20/11/2026 09:15:30`, WIB. */
function whenOf(id: TxnId): string {
  const at = localTime(txnIdMs(id))
  const date = `${at.slice(6, 8)}/${at.slice(4, 6)}/${at.slice(0, 4)}`
  return `${date} ${at.slice(8, 10)}:${at.slice(10, 12)}:${at.slice(12, 14)}`
}
