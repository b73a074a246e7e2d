import type { FieldMask } from '#iso8583'
import type { Codes } from './codes.ts'

/** Data objects of EMV 4.3, book 3, annex A, that travel in DE55. */
export const EMV_TAGS: Codes = {
  '42': 'issuer identification number',
  '4F': 'application identifier of the card',
  '50': 'application label',
  '56': 'track 1 equivalent data',
  '57': 'track 2 equivalent data',
  '5A': 'application PAN',
  '5F20': 'cardholder name',
  '5F24': 'application expiration date',
  '5F25': 'application effective date',
  '5F28': 'issuer country code',
  '5F2A': 'transaction currency code',
  '5F2D': 'language preference',
  '5F30': 'service code',
  '5F34': 'PAN sequence number',
  '71': 'issuer script template 1',
  '72': 'issuer script template 2',
  '82': 'application interchange profile',
  '84': 'dedicated file name',
  '86': 'issuer script command',
  '87': 'application priority indicator',
  '8A': 'authorisation response code',
  '8C': 'CDOL1',
  '8D': 'CDOL2',
  '8E': 'cardholder verification method list',
  '91': 'issuer authentication data',
  '95': 'terminal verification results',
  '99': 'transaction PIN data',
  '9A': 'transaction date',
  '9B': 'transaction status information',
  '9C': 'transaction type',
  '9F01': 'acquirer identifier',
  '9F02': 'amount, authorised',
  '9F03': 'amount, other',
  '9F06': 'application identifier of the terminal',
  '9F07': 'application usage control',
  '9F08': 'application version number of the card',
  '9F09': 'application version number of the terminal',
  '9F0B': 'cardholder name, extended',
  '9F0D': 'issuer action code, default',
  '9F0E': 'issuer action code, denial',
  '9F0F': 'issuer action code, online',
  '9F10': 'issuer application data',
  '9F11': 'issuer code table index',
  '9F12': 'application preferred name',
  '9F15': 'merchant category code',
  '9F16': 'merchant identifier',
  '9F18': 'issuer script identifier',
  '9F1A': 'terminal country code',
  '9F1C': 'terminal identification',
  '9F1E': 'interface device serial number',
  '9F1F': 'track 1 discretionary data',
  '9F20': 'track 2 discretionary data',
  '9F21': 'transaction time',
  '9F24': 'payment account reference',
  '9F26': 'application cryptogram',
  '9F27': 'cryptogram information data',
  '9F33': 'terminal capabilities',
  '9F34': 'cardholder verification method results',
  '9F35': 'terminal type',
  '9F36': 'application transaction counter',
  '9F37': 'unpredictable number',
  '9F39': 'POS entry mode',
  '9F40': 'additional terminal capabilities',
  '9F41': 'transaction sequence counter',
  '9F45': 'data authentication code',
  '9F4C': 'ICC dynamic number',
  '9F4E': 'merchant name and location',
  '9F53': 'transaction category code',
  '9F5B': 'issuer script results',
  '9F66': 'terminal transaction qualifiers',
  '9F6B': 'track 2 data of contactless cards',
  '9F6C': 'card transaction qualifiers',
  '9F6E': 'form factor indicator',
  '9F7C': 'customer exclusive data',
}

/** What is hidden of them, in whatever composite they stand. */
export const EMV_MASKS: Readonly<Record<string, FieldMask>> = {
  '56': 'track',
  '57': 'track',
  '5A': 'pan',
  '5F20': 'name',
  '99': 'pin',
  '9F0B': 'name',
  '9F1F': 'track',
  '9F20': 'track',
  '9F6B': 'track',
}

const CRYPTOGRAMS: Codes = { 0: 'AAC, declined', 4: 'TC, approved offline', 8: 'ARQC, goes online' }

const VERIFICATIONS: Codes = {
  '00': 'failed',
  '01': 'PIN checked by the card',
  '02': 'enciphered PIN, online',
  '04': 'enciphered PIN, by the card',
  '1E': 'signature',
  '1F': 'none needed',
  '3F': 'none done',
}

const VERIFICATION_BITS: readonly (readonly [byte: number, bit: number, text: string])[] = [
  [0, 0x80, 'no offline data authentication'],
  [0, 0x40, 'SDA failed'],
  [0, 0x08, 'DDA failed'],
  [0, 0x04, 'CDA failed'],
  [1, 0x40, 'expired application'],
  [1, 0x10, 'service not allowed for the card'],
  [2, 0x80, 'cardholder not verified'],
  [2, 0x20, 'PIN tries exceeded'],
  [2, 0x10, 'PIN pad missing or broken'],
  [2, 0x08, 'PIN not entered'],
  [2, 0x04, 'online PIN entered'],
  [3, 0x80, 'over the floor limit'],
  [3, 0x08, 'forced online'],
  [4, 0x40, 'issuer authentication failed'],
]

/** What an EMV value says, where a word says more than its digits. */
export function emvMeaning(tag: string, hex: string): string | undefined {
  switch (tag) {
    case '9F27':
      return CRYPTOGRAMS[hex.slice(0, 1)]
    case '9F34':
      return VERIFICATIONS[
        (parseInt(hex.slice(0, 2), 16) & 0x3f).toString(16).toUpperCase().padStart(2, '0')
      ]
    case '95': {
      const bytes = Buffer.from(hex, 'hex')
      const set = VERIFICATION_BITS.filter(([byte, bit]) => ((bytes[byte] ?? 0) & bit) !== 0)
      return set.map(([, , text]) => text).join(', ') || undefined
    }
    case '8A':
      return Buffer.from(hex, 'hex').toString('latin1')
    case '50':
    case '9F12':
      return Buffer.from(hex, 'hex').toString('latin1').trim()
    default:
      return undefined
  }
}
