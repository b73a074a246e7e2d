import type { DraftedKind, Field } from './model.ts'

/** What a field can be guessed to be. */
export type Role =
  | 'customer'
  | 'own'
  | 'product'
  | 'name'
  | 'secret'
  | 'user'
  | 'admin'
  | 'amount'
  | 'total'
  | 'outcome'
  | 'words'
  | 'biller-reference'
  | 'customer-name'
  | 'period'
  | 'penalty'

/** Names of the trade without punctuation, in small letters; what is not clear is not here. */
const ROLES: readonly (readonly [Role, RegExp])[] = [
  [
    'customer',
    /^(id|no|nomor|nomer)?(pel|lgn|plgn|pelanggan|langganan)(id|no)?$|^(customer|cust|subscriber|billing|bill)(id|no|number|key)$|^nomor$|^(no)?va(no|number)?$|^virtualaccount(no|number)?$/,
  ],
  [
    'own',
    /^(ref|reff|reference|trx|transaction|partnerref|partnerreference|clientref|request|trace|external|order)(id|no|num|number)$|^(id|no)(trx|trans|transaksi|ref|reff)$|^(ref|reff)$/,
  ],
  ['product', /^(product|produk|kodeproduk|sku|skucode|buyerskucode|kdproduk)(id|code)?$/],
  [
    'user',
    /^(user|username|userid|uid|loket|kodeloket|idloket|outlet|outletid|partner|partnerid|merchantid|clientid|caid|terminalid|mitra|agentid)$/,
  ],
  ['secret', /^(pass|password|passwd|pin|sandi|secret|secretkey|apikey|token|accesstoken|kunci)$/],
  ['admin', /^(admin|adminfee|admincharge|fee|byadmin|biayaadmin|adminbank|rpadmin)$/],
  ['total', /^(total|totalamount|totalbayar|totaltagihan|totalpayment|grandtotal|jumlahbayar)$/],
  ['amount', /^(amount|nominal|nilai|tagihan|billamount|rptag|rp|payamount|paymentamount|harga)$/],
  [
    'outcome',
    /^(rc|responsecode|respcode|resultcode|retcode|returncode|kode|code|statuscode|errcode|errorcode)$/,
  ],
  [
    'words',
    /^(message|msg|pesan|keterangan|responsemessage|responsedesc|statusmessage|rcdesc|errormessage|errormsg)$/,
  ],
  ['biller-reference', /^(receipt|receiptno|receiptnumber|noref|ntb|struk|noresi|billerref)$/],
  ['customer-name', /^(nama|name|namapelanggan|customername|custname|subscribername)$/],
  ['period', /^(period|periode|bulan|thbln|blth|billperiod|month)$/],
  ['penalty', /^(denda|penalty|fine|latefee)$/],
]

/** What the name of a field says; undefined when it is not clear. */
export function roleOf({ name, type }: Pick<Field, 'name' | 'type'>): Role | undefined {
  if (type === 'map' || type === 'boolean') return undefined
  const plain = name.replace(/[^A-Za-z0-9]/g, '').toLowerCase()
  return ROLES.find(([, pattern]) => pattern.test(plain))?.[0]
}

/** As it stands in braces in a call; undefined where it is not clear, or has no place there. */
export function heldBy(name: string): string | undefined {
  const role = roleOf({ name, type: 'text' })
  if (role === 'customer') return '{customer.id}'
  if (role === 'own') return '{reference.own}'
  return role === 'product' ? '{product}' : undefined
}

/** Whether a header may say it: who asks, about whom, and by which number. */
export function heldByHeader(name: string): boolean {
  const role = roleOf({ name, type: 'text' })
  return role !== undefined && OF_HEADERS.has(role)
}

const OF_HEADERS: ReadonlySet<Role> = new Set(['user', 'secret', 'own', 'customer', 'product'])

const KIND_NAMES: readonly (readonly [DraftedKind | 'reversal', RegExp])[] = [
  ['status', /status|advice|advis/],
  ['reversal', /revers|batal|void|cancel|refund/],
  ['inquiry', /inq|cek|check/],
  ['payment', /pay|bayar/],
]

/** Which kind of message an operation is, by its name; undefined when the name does not say. */
export function kindOf(name: string): DraftedKind | 'reversal' | undefined {
  const plain = name.toLowerCase()
  return KIND_NAMES.find(([, pattern]) => pattern.test(plain))?.[0]
}

/** Of listed codes the one that is a success, where one of them says so. */
export function approvedAmong(values: readonly string[]): string | undefined {
  return values.find(value => /^(0+|success|sukses|ok|approved|berhasil)$/i.test(value))
}
