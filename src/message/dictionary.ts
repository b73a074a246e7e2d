/**
 * Every path of the normalized message: what kind of value it is, how it is masked when shown
 * (law 9), and what it means. Packs are checked against it, and so are logs and pages.
 */
export type ValueKind =
  'text' | 'digits' | 'integer' | 'money' | 'date' | 'month' | 'local-time' | 'list' | 'enum'

/** name: first letter of each word. token: nothing. partial: first 4 and last 2. */
export type Mask = 'name' | 'token' | 'partial' | 'hidden'

export type Entry = { readonly kind: ValueKind; readonly mask?: Mask; readonly text: string }

export const DICTIONARY = {
  product: { kind: 'text', text: "Nadi's product code" },
  trace: { kind: 'digits', text: "the sender's audit number" },
  sentAt: { kind: 'local-time', text: 'when it was sent, WIB' },
  channel: { kind: 'digits', text: 'kind of till' },
  bank: { kind: 'digits', text: 'bank code' },
  partner: { kind: 'digits', text: 'partner central id' },
  terminal: { kind: 'text', text: 'terminal' },
  switcher: { kind: 'text', text: 'switcher id' },
  outcome: { kind: 'enum', text: 'what the response says' },
  amountMinor: { kind: 'money', text: 'amount of the payment' },
  settlementDate: { kind: 'date', text: 'settlement date' },
  'original.kind': { kind: 'enum', text: 'kind of the message to be reversed' },
  'original.trace': { kind: 'digits', text: 'its audit number' },
  'original.sentAt': { kind: 'local-time', text: 'its time' },
  'original.bank': { kind: 'digits', text: 'its bank code' },
  'customer.id': { kind: 'digits', text: 'subscriber number (IDPEL)' },
  'customer.meter': { kind: 'digits', text: 'meter serial number' },
  'customer.knownBy': { kind: 'enum', text: 'which of the two was typed' },
  'customer.name': { kind: 'text', mask: 'name', text: 'subscriber name' },
  'customer.address': { kind: 'text', mask: 'hidden', text: 'address' },
  'customer.tariff': { kind: 'text', text: 'tariff class' },
  'customer.powerVa': { kind: 'integer', text: 'power in VA' },
  'customer.unit': { kind: 'text', text: 'service unit' },
  'customer.unitPhone': { kind: 'text', text: 'telephone of the service unit' },
  'customer.distribution': { kind: 'digits', text: 'distribution code' },
  'reference.switching': { kind: 'text', text: 'switcher reference' },
  'reference.biller': { kind: 'text', text: 'biller reference' },
  'reference.receipt': { kind: 'text', text: 'vending receipt number' },
  billsOutstanding: { kind: 'integer', text: 'bills the customer owes in all' },
  billsPaid: { kind: 'integer', text: 'bills being paid, oldest first' },
  bills: { kind: 'list', text: 'bills told in this message' },
  'bills[].period': { kind: 'month', text: 'month of the bill' },
  'bills[].dueDate': { kind: 'date', text: 'due date' },
  'bills[].readDate': { kind: 'date', text: 'date of meter reading' },
  'bills[].amountMinor': { kind: 'money', text: 'electricity bill (RP TAG)' },
  'bills[].incentiveMinor': { kind: 'money', text: 'incentive; negative is a credit' },
  'bills[].vatMinor': { kind: 'money', text: 'value added tax' },
  'bills[].penaltyMinor': { kind: 'money', text: 'late fee (BK)' },
  'bills[].offPeak[0]': { kind: 'digits', text: 'LWBP reading before' },
  'bills[].offPeak[1]': { kind: 'digits', text: 'LWBP reading now' },
  'bills[].peak[0]': { kind: 'digits', text: 'WBP reading before' },
  'bills[].peak[1]': { kind: 'digits', text: 'WBP reading now' },
  'bills[].reactive[0]': { kind: 'digits', text: 'kVARh reading before' },
  'bills[].reactive[1]': { kind: 'digits', text: 'kVARh reading now' },
  adminMinor: { kind: 'money', text: 'admin fee of all bills together' },
  'token.option': { kind: 'integer', text: 'buying option: 0 new, 1 or 2 unsold' },
  'token.stampDutyMinor': { kind: 'money', text: 'stamp duty (meterai)' },
  'token.vatMinor': { kind: 'money', text: 'value added tax (PPN)' },
  'token.lightingTaxMinor': { kind: 'money', text: 'public lighting tax (PPJ)' },
  'token.installmentMinor': { kind: 'money', text: 'installment (angsuran)' },
  'token.energyMinor': { kind: 'money', text: 'what is left for energy (RP STROOM)' },
  'token.kwhHundredths': { kind: 'integer', text: 'kWh in hundredths' },
  'token.number': { kind: 'digits', mask: 'token', text: 'the 20-digit token' },
  'token.kwhMax': { kind: 'integer', text: 'most kWh that may be bought' },
  'token.unsold': { kind: 'list', text: 'tokens bought but never delivered' },
  'token.unsold[].amountMinor': { kind: 'money', text: 'amount of an unsold token' },
  'registration.number': { kind: 'digits', text: 'registration number' },
  'registration.area': { kind: 'digits', text: 'area code' },
  'registration.code': { kind: 'digits', text: 'transaction code' },
  'registration.name': { kind: 'text', text: 'transaction name' },
  'registration.registeredOn': { kind: 'date', text: 'registration date' },
  'registration.expiresOn': { kind: 'date', text: 'expiry date' },
  'registration.totalMinor': { kind: 'money', text: 'total amount' },
  'registration.billerMinor': { kind: 'money', text: "the biller's part" },
  'registration.components': { kind: 'list', text: 'components of the bill' },
  'registration.components[].type': { kind: 'digits', text: 'component type' },
  'registration.components[].amountMinor': { kind: 'money', text: 'amount of a component' },
  'registration.mutation': { kind: 'text', text: 'mutation number' },
  infoText: { kind: 'text', text: 'text under the receipt' },
  security: { kind: 'text', mask: 'hidden', text: 'security data' },
} as const satisfies Record<string, Entry>

export type Path = keyof typeof DICTIONARY

export function isPath(text: string): text is Path {
  return Object.hasOwn(DICTIONARY, text)
}
