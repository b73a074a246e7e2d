/**
 * Codes of ISO 8583 and of the standards that it refers to, as a link engineer meets them. Dialects
 * may mean something else by some of them; a pack's own table goes before these.
 */
export type Codes = Readonly<Record<string, string>>

/** ISO 8583-1, message type identifier: third digit. */
export const FUNCTIONS: Codes = {
  0: 'request',
  1: 'response',
  2: 'advice',
  3: 'advice response',
  4: 'notification',
  5: 'notification acknowledgement',
  6: 'instruction',
  7: 'instruction acknowledgement',
}

export const CLASSES: Codes = {
  1: 'authorization',
  2: 'financial',
  3: 'file action',
  4: 'reversal',
  5: 'reconciliation',
  6: 'administrative',
  7: 'fee collection',
  8: 'network management',
}

export const ORIGINS: Codes = {
  0: 'acquirer',
  1: 'acquirer, repeat',
  2: 'issuer',
  3: 'issuer, repeat',
  4: 'other',
  5: 'other, repeat',
}

export const VERSIONS: Codes = { 0: '1987', 1: '1993', 2: '2003', 8: 'national', 9: 'private' }

/** DE3, positions 1 and 2: the transaction. */
export const TRANSACTIONS: Codes = {
  '00': 'purchase',
  '01': 'cash withdrawal',
  '02': 'adjustment, debit',
  '03': 'cheque guarantee',
  '04': 'cheque verification',
  '09': 'purchase with cash back',
  10: 'account funding',
  17: 'cash disbursement',
  18: 'bill payment',
  20: 'return',
  21: 'deposit',
  22: 'adjustment, credit',
  23: 'cheque deposit guarantee',
  24: 'cheque deposit',
  26: 'original credit',
  28: 'payment or load',
  30: 'available funds inquiry',
  31: 'balance inquiry',
  32: 'transfer inquiry',
  38: 'bill inquiry',
  39: 'transfer inquiry',
  40: 'transfer',
  50: 'payment',
  81: 'balance of several accounts',
  90: 'account maintenance',
}

/** DE3, positions 3 and 4, 5 and 6: the accounts from and to. */
export const ACCOUNTS: Codes = {
  '00': 'default account',
  10: 'savings',
  20: 'checking',
  30: 'credit',
  40: 'universal',
  50: 'investment',
  60: 'stored value',
}

/** DE18 where it names the channel (switches of Indonesia); else it is a merchant category. */
export const MERCHANT_TYPES: Codes = {
  6010: 'teller',
  6011: 'ATM',
  6012: 'POS',
  6013: 'auto debit',
  6014: 'internet banking',
  6015: 'kiosk',
  6016: 'phone banking',
  6017: 'mobile banking',
  6018: 'EDC',
  6019: 'deposit machine',
  6021: 'PC of a payment point',
  6022: 'EDC of a payment point',
  6023: 'SMS payment point',
  6024: 'modern channel payment point',
  6025: 'mobile payment point',
  4814: 'telecommunication services',
  4900: 'utilities',
  5411: 'groceries',
  5541: 'service stations',
  5812: 'restaurants',
  5999: 'miscellaneous shops',
}

/** DE22 of 1987, positions 1 and 2: how the account number was read. */
export const PAN_ENTRY: Codes = {
  '00': 'unknown',
  '01': 'manual',
  '02': 'magnetic stripe',
  '03': 'bar code or QR',
  '04': 'optical',
  '05': 'chip',
  '06': 'key entered',
  '07': 'contactless chip',
  10: 'credential on file',
  79: 'chip failed, manual',
  80: 'chip failed, magnetic stripe',
  81: 'electronic commerce',
  90: 'magnetic stripe, all of it',
  91: 'contactless stripe',
  95: 'chip, CVV may be unreliable',
}

export const PIN_ENTRY: Codes = {
  0: 'PIN entry unknown',
  1: 'PIN can be entered',
  2: 'no PIN entry',
  3: 'PIN pad out of order',
  8: 'PIN pad out of order',
}

export const CONDITIONS: Codes = {
  '00': 'normal',
  '01': 'customer not present',
  '02': 'unattended terminal',
  '03': 'merchant suspicious',
  '05': 'customer present, card not',
  '06': 'preauthorized',
  '07': 'telephone request',
  '08': 'mail or telephone order',
  10: 'identity verified',
  51: 'address or CVV verification',
  59: 'electronic commerce',
  71: 'chip fallback',
}

/** DE39 of 1987. */
export const RESPONSES: Codes = {
  '00': 'approved',
  '01': 'refer to issuer',
  '02': 'refer to issuer, special',
  '03': 'invalid merchant',
  '04': 'pick up card',
  '05': 'do not honour',
  '06': 'error',
  '07': 'pick up card, special',
  '08': 'honour with identification',
  '09': 'in progress',
  10: 'approved in part',
  11: 'approved, VIP',
  12: 'invalid transaction',
  13: 'invalid amount',
  14: 'invalid card or customer number',
  15: 'no such issuer',
  17: 'customer cancelled',
  19: 're-enter',
  20: 'invalid response',
  21: 'no action taken',
  22: 'suspected malfunction',
  25: 'record not found',
  26: 'duplicate record',
  30: 'format error',
  31: 'bank not supported',
  33: 'expired card, pick up',
  34: 'suspected fraud',
  36: 'restricted card',
  38: 'PIN tries exceeded, pick up',
  39: 'no credit account',
  40: 'function not supported',
  41: 'lost card',
  43: 'stolen card',
  51: 'insufficient funds',
  52: 'no checking account',
  53: 'no savings account',
  54: 'expired card',
  55: 'wrong PIN',
  56: 'no card record',
  57: 'not permitted to the customer',
  58: 'not permitted to the terminal',
  59: 'suspected fraud',
  61: 'amount limit exceeded',
  62: 'restricted card',
  63: 'security violation',
  64: 'original amount incorrect',
  65: 'count limit exceeded',
  68: 'response too late',
  75: 'PIN tries exceeded',
  76: 'no such account or service',
  77: 'inconsistent with the original',
  78: 'no account',
  80: 'wrong date',
  81: 'cryptographic error in PIN',
  82: 'CVV failed',
  83: 'PIN cannot be verified',
  85: 'no reason to decline',
  86: 'PIN cannot be verified',
  87: 'purchase only, no cash back',
  88: 'cryptographic failure',
  89: 'authentication failure',
  90: 'cutover in process',
  91: 'issuer or switch inoperative',
  92: 'no route to the institution',
  93: 'violation of law',
  94: 'duplicate',
  95: 'reconcile error',
  96: 'system malfunction',
  97: 'reconciled, totals reset',
  98: 'MAC error',
}

/** DE39 of 1993 and 2003: the action's first digit, and its frequent values. */
export const ACTION_GROUPS: Codes = {
  0: 'approved',
  1: 'denied',
  2: 'denied, pick up',
  3: 'file action',
  4: 'reversal',
  5: 'reconciliation',
  6: 'administrative',
  7: 'fee collection',
  8: 'network management',
  9: 'not processed',
}
export const ACTIONS: Codes = {
  '000': 'approved',
  '001': 'honour with identification',
  '002': 'approved in part',
  100: 'do not honour',
  101: 'expired card',
  102: 'suspected fraud',
  109: 'invalid merchant',
  110: 'invalid amount',
  111: 'invalid card number',
  116: 'insufficient funds',
  117: 'wrong PIN',
  119: 'not permitted to the customer',
  120: 'not permitted to the terminal',
  121: 'amount limit exceeded',
  123: 'count limit exceeded',
  400: 'reversal accepted',
  800: 'network management accepted',
  902: 'invalid transaction',
  904: 'format error',
  906: 'cutover in process',
  907: 'issuer or switch inoperative',
  908: 'no route to the institution',
  909: 'system malfunction',
  911: 'issuer timed out',
  912: 'issuer unavailable',
  913: 'duplicate',
}

/** DE70, or DE24 of network messages in later versions. */
export const NETWORK_CODES: Codes = {
  '001': 'sign-on',
  '002': 'sign-off',
  '003': 'target system unavailable',
  '004': 'backup system',
  101: 'key exchange',
  160: 'key exchange',
  161: 'key exchange',
  162: 'new key',
  201: 'cutover',
  202: 'cutover done',
  270: 'echo',
  301: 'echo',
}

/** DE24 of 1993 and 2003. */
export const FUNCTION_CODES: Codes = {
  100: 'original authorization, amount accurate',
  101: 'original authorization, amount estimated',
  200: 'original financial request',
  201: 'previously approved, same amount',
  202: 'previously approved, other amount',
  400: 'full reversal',
  401: 'partial reversal',
  801: 'sign-on',
  802: 'sign-off',
  811: 'key exchange',
  821: 'cutover',
  831: 'echo',
}

/** DE54, positions 3 and 4. */
export const AMOUNT_TYPES: Codes = {
  '01': 'ledger balance',
  '02': 'available balance',
  '03': 'owing',
  '04': 'due',
  20: 'remaining this cycle',
  40: 'cash back',
  41: 'goods and services',
  56: 'hold',
}

/** ISO 4217: number, letters and decimals. */
export const CURRENCY_TABLE: Readonly<Record<string, readonly [code: string, decimals: number]>> =
  Object.fromEntries(
    (
      '036AUD2 048BHD3 050BDT2 096BND2 104MMK2 116KHR2 124CAD2 144LKR2 152CLP0 156CNY2 203CZK2 ' +
      '208DKK2 344HKD2 348HUF2 352ISK0 356INR2 360IDR2 376ILS2 392JPY0 400JOD3 404KES2 410KRW0 ' +
      '414KWD3 418LAK2 446MOP2 458MYR2 462MVR2 484MXN2 496MNT2 512OMR3 524NPR2 554NZD2 566NGN2 ' +
      '578NOK2 586PKR2 598PGK2 600PYG0 608PHP2 634QAR2 643RUB2 682SAR2 702SGD2 704VND0 710ZAR2 ' +
      '752SEK2 756CHF2 764THB2 784AED2 788TND3 818EGP2 826GBP2 840USD2 901TWD2 933BYN2 946RON2 ' +
      '949TRY2 975BGN2 978EUR2 980UAH2 985PLN2 986BRL2 999XXX0'
    )
      .split(' ')
      .map(word => [word.slice(0, 3), [word.slice(3, 6), Number(word[6])]]),
  )

/** ISO 3166 numbers that this network meets. */
export const COUNTRIES: Codes = {
  '036': 'Australia',
  '096': 'Brunei',
  104: 'Myanmar',
  116: 'Cambodia',
  156: 'China',
  344: 'Hong Kong',
  356: 'India',
  360: 'Indonesia',
  392: 'Japan',
  410: 'Korea',
  418: 'Laos',
  458: 'Malaysia',
  528: 'Netherlands',
  608: 'Philippines',
  626: 'Timor-Leste',
  682: 'Saudi Arabia',
  702: 'Singapore',
  704: 'Vietnam',
  764: 'Thailand',
  784: 'United Arab Emirates',
  826: 'United Kingdom',
  840: 'United States',
}
