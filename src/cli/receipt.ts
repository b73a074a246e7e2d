import { type AmountMinor, formatMoney, minor, plain, sum, wrap, ZERO } from '#base'
import type { Bill, Message } from '#message'

/**
 * The receipt (struk) that the customer takes home, made from the answer to the payment: the lines
 * of PLN's counters, as wide as its legal sentence. Pure.
 */
export const RECEIPT_WIDTH = 60

const LABEL_WIDTH = 15
const LEGAL = 'PLN menyatakan struk ini sebagai bukti pembayaran yang sah'
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MEI', 'JUN', 'JUL', 'AGU', 'SEP', 'OKT', 'NOV', 'DES']

export function receipt(answer: Message): string[] {
  if (answer.registration) return registrationReceipt(answer)
  return answer.bills ? postpaidReceipt(answer) : prepaidReceipt(answer)
}

function postpaidReceipt(answer: Message): string[] {
  const { customer = {}, reference, bills = [], billsOutstanding = 0, adminMinor = ZERO } = answer
  const paid = bills.slice(0, answer.billsPaid)
  const amountMinor = answer.amountMinor ?? ZERO
  const arrears = billsOutstanding - paid.length
  return [
    ...centred('STRUK PEMBAYARAN TAGIHAN LISTRIK'),
    '',
    ...line('IDPEL', customer.id),
    ...line('NAMA', customer.name),
    ...line('TARIF/DAYA', tariffOf(answer)),
    ...line('BL/TH', paid.map(({ period }) => month(period)).join(', ')),
    ...line('STAND METER', standOf(paid)),
    ...money('RP TAG PLN', amountMinor),
    ...line('NO REF', reference?.switching),
    '',
    ...centred(LEGAL),
    '',
    ...money('ADMIN BANK', adminMinor),
    ...money('TOTAL BAYAR', minor(amountMinor + adminMinor)),
    '',
    ...centred(arrears > 0 ? `ANDA MASIH MEMILIKI TUNGGAKAN ${arrears} BULAN` : 'TERIMA KASIH'),
    ...info(answer),
  ]
}

function prepaidReceipt(answer: Message): string[] {
  const { customer = {}, reference, token = {}, adminMinor = ZERO } = answer
  const { stampDutyMinor = ZERO, vatMinor = ZERO, lightingTaxMinor = ZERO } = token
  const { installmentMinor = ZERO, energyMinor = ZERO } = token
  const parts = [stampDutyMinor, vatMinor, lightingTaxMinor, installmentMinor, energyMinor]
  return [
    ...centred('STRUK PEMBELIAN LISTRIK PRABAYAR'),
    '',
    ...line('NO METER', customer.meter),
    ...line('IDPEL', customer.id),
    ...line('NAMA', customer.name),
    ...line('TARIF/DAYA', tariffOf(answer)),
    ...line('NO REF', reference?.switching),
    ...money('RP BAYAR', sum([...parts, adminMinor])),
    ...money('METERAI', stampDutyMinor),
    ...money('PPN', vatMinor),
    ...money('PPJ', lightingTaxMinor),
    ...money('ANGSURAN', installmentMinor),
    ...money('RP STROOM/TOKEN', energyMinor),
    ...line('JML KWH', kwh(token.kwhHundredths)),
    ...line('STROOM/TOKEN', groups(token.number ?? '')),
    ...money('ADMIN BANK', adminMinor),
    ...info(answer),
  ]
}

function registrationReceipt(answer: Message): string[] {
  const { customer = {}, registration, reference, adminMinor = ZERO, amountMinor = ZERO } = answer
  const billerMinor = registration?.billerMinor ?? amountMinor
  return [
    ...centred('STRUK NON TAGIHAN LISTRIK'),
    '',
    ...line('TRANSAKSI', registration?.name),
    ...line('NO REGISTRASI', registration?.number),
    ...line('TGL REGISTRASI', day(registration?.registeredOn)),
    ...line('NAMA', customer.name),
    ...line('IDPEL', customer.id),
    ...money('BIAYA PLN', billerMinor),
    ...line('NO REF', reference?.switching),
    '',
    ...centred(LEGAL),
    '',
    ...money('ADMIN BANK', adminMinor),
    ...money('TOTAL BAYAR', minor(billerMinor + adminMinor)),
    ...info(answer),
  ]
}

/** What the biller did not tell is left out. */
function line(label: string, value: string | undefined): string[] {
  if (value === undefined || value === '') return []
  const head = `${label.padEnd(LABEL_WIDTH)}: `
  const [first = '', ...rest] = wrap(plain(value), RECEIPT_WIDTH - head.length)
  return [head + first, ...rest.map(text => ' '.repeat(head.length) + text)]
}

/** Amounts stand under each other: `Rp      260.500`, with sen only where there are any. */
function money(label: string, amountMinor: AmountMinor): string[] {
  const [sign = '', value = ''] = formatMoney(amountMinor).split(' ')
  const head = `${label.padEnd(LABEL_WIDTH)}: ${sign}`
  const width = LABEL_WIDTH + 5 + 16
  return [head + value.padStart(Math.max(width - head.length, value.length + 1))]
}

function centred(text: string): string[] {
  return wrap(text, RECEIPT_WIDTH).map(
    part => ' '.repeat(Math.floor((RECEIPT_WIDTH - part.length) / 2)) + part,
  )
}

function info({ infoText }: Message): string[] {
  return infoText === undefined || infoText === '' ? [] : ['', ...centred(plain(infoText))]
}

function tariffOf({ customer }: Message): string | undefined {
  const { tariff, powerVa } = customer ?? {}
  return tariff === undefined ? undefined : `${tariff}/${powerVa ?? 0} VA`
}

/** From the oldest bill's first reading to the newest one's last. */
function standOf(paid: readonly Bill[]): string {
  const [from] = paid[0]?.offPeak ?? ['']
  const [, until] = paid.at(-1)?.offPeak ?? ['', '']
  return from === '' ? '' : `${from}-${until}`
}

/** `OKT26` of 202610. */
function month(period: string): string {
  return `${MONTHS[Number(period.slice(4, 6)) - 1] ?? '???'}${period.slice(2, 4)}`
}

/** `01NOV26` of 20261101. */
function day(date: string | undefined): string | undefined {
  return date && date.slice(6, 8) + month(date)
}

/** `70,44` of 7044 hundredths. */
function kwh(hundredths: number | undefined): string | undefined {
  if (hundredths === undefined) return undefined
  return formatMoney(minor(hundredths)).replace('Rp ', '')
}

/** Five groups of four, as they are typed into the meter. */
function groups(token: string): string {
  return token.replace(/(\d{4})(?=\d)/g, '$1 ')
}
