import { NadiError } from '#base'
import {
  ADDITIONAL_IDS,
  CRITERIA,
  type Criteria,
  type QrisAccount,
  type QrisAdditional,
  type QrisCode,
  type QrisLocalized,
  type QrisNational,
  type QrisTip,
} from './code.ts'
import { crcText } from './crc.ts'
import { readObjects } from './objects.ts'
import { ascii, type Form, Reader } from './reader.ts'

/** EMVCo MPM, 3.3: what a symbol holds at most. */
export const CODE_CHARS_MAX = 512

const CRC_HEAD = '6304'
const CRC_CHARS = 8

const VERSION: Form = [/^01$/, '01']
const USE: Form = [/^1[12]$/, '11 (static) or 12 (dynamic)']
const DOMAIN = ascii(32)
/** 15 digits stand in specimens, 18 in the field, 19 with the check digit. */
const PAN: Form = [/^\d{15,19}$/, '15 to 19 digits']
const NMID: Form = [/^ID\d{13}$/, 'ID and 13 digits']
const CRITERION: Form = [new RegExp(`^(${CRITERIA.join('|')})$`), CRITERIA.join(', ')]
const PERCENT: Form = [
  /^(?=.{1,5}$)(?=.*[1-9])\d{1,2}(\.\d{0,2})?$/,
  'a percentage of 00.01 to 99.99',
]
const ASKS: Form = [/^(?!.*(.).*\1)[AME]{1,3}$/, 'A, M and E, each once']
const LOCAL: Form = [/^[^\p{Cc}]{1,25}$/u, '1 to 25 printable characters']

/**
 * Reads a QRIS code. The checksum comes first: a code that was misread says nothing. Throws
 * QRIS_SYNTAX, QRIS_CHECKSUM, QRIS_MISSING or QRIS_VALUE, each with the path of the object (`62.07`)
 * and where it stands, in characters; no value is told.
 */
export function readQris(text: string): QrisCode {
  checkFrame(text)
  const code = new Reader(text.slice(0, -CRC_CHARS), '', 0)
  if (code.ids[0] !== '00') throw code.wrong('00', 'to be the first object')
  code.need('00', VERSION)
  const use = useOf(code.take('01', USE))
  const accounts = readAccounts(code)
  const national = readNational(code)
  if (use === 'static' && !national) throw new NadiError('QRIS_MISSING', { path: '51', offset: 0 })
  if (!code.ids.some(isAccount) && accounts.length === 0 && !national)
    throw new NadiError('QRIS_MISSING', { path: '26', offset: 0, expected: 'an account' })
  const category = code.need('52', [/^\d{4}$/, 'four digits'])
  code.need('53', [/^360$/, '360, the rupiah'])
  const amountMinor = code.amount('54')
  const tip = readTip(code)
  code.need('58', [/^ID$/, 'ID'])
  const name = code.need('59', ascii(25))
  const city = code.need('60', ascii(15))
  const postalCode = code.need('61', ascii(10))
  const additional = readAdditional(code)
  const localized = readLocalized(code)
  const others = code.rest()
  return {
    ...(use && { use }),
    accounts,
    ...(national && { national }),
    category,
    ...(amountMinor !== undefined && { amountMinor }),
    ...(tip && { tip }),
    name,
    city,
    postalCode,
    ...(additional && { additional }),
    ...(localized && { localized }),
    ...(others && { others }),
  }
}

/** Objects of a code as they stand in it, one behind the other; those that are not there are left out. */
export function rawObjects(text: string, ids: readonly string[]): string {
  const objects = readObjects(text, '', 0)
  return ids
    .flatMap(id => objects.get(id) ?? [])
    .map(({ offset, value }) => text.slice(offset, offset + 4 + value.length))
    .join('')
}

function checkFrame(text: string): void {
  if (text.length > CODE_CHARS_MAX)
    throw new NadiError('QRIS_SYNTAX', { expected: `up to ${CODE_CHARS_MAX} characters` })
  const at = Math.max(0, text.length - CRC_CHARS)
  if (text.slice(at, at + CRC_HEAD.length) !== CRC_HEAD)
    throw new NadiError('QRIS_MISSING', { path: '63', offset: at, expected: 'at the end' })
  if (text.slice(-4) === crcText(text.slice(0, -4))) return
  throw new NadiError('QRIS_CHECKSUM', { path: '63', offset: at + CRC_HEAD.length })
}

function useOf(value: string | undefined): QrisCode['use'] {
  if (value === undefined) return undefined
  return value === '11' ? 'static' : 'dynamic'
}

/** Of schemes other than QRIS. */
function isAccount(id: string): boolean {
  return id >= '02' && id <= '50'
}

function readAccounts(code: Reader): QrisAccount[] {
  const accounts: QrisAccount[] = []
  for (let number = 26; number <= 45; number++) {
    const id = String(number)
    const template = code.open(id)
    if (!template) continue
    const domain = template.need('00', DOMAIN)
    const pan = template.take('01', PAN)
    const merchantId = template.take('02', ascii(15))
    const criteria = template.take('03', CRITERION) as Criteria | undefined
    const others = template.rest()
    accounts.push({
      id,
      domain,
      ...(pan !== undefined && { pan }),
      ...(merchantId !== undefined && { merchantId }),
      ...(criteria && { criteria }),
      ...(others && { others }),
    })
  }
  return accounts
}

function readNational(code: Reader): QrisNational | undefined {
  const template = code.open('51')
  if (!template) return undefined
  const domain = template.need('00', DOMAIN)
  const merchantId = template.need('02', NMID)
  const criteria = template.take('03', CRITERION) as Criteria | undefined
  const others = template.rest()
  return { domain, merchantId, ...(criteria && { criteria }), ...(others && { others }) }
}

/** 56 stands with 55 of 02 only, and 57 with 03. */
function readTip(code: Reader): QrisTip | undefined {
  const way = code.take('55', [/^0[123]$/, '01, 02 or 03'])
  if (way !== '02' && code.ids.includes('56')) throw code.wrong('56', '02 in object 55')
  if (way !== '03' && code.ids.includes('57')) throw code.wrong('57', '03 in object 55')
  switch (way) {
    case '01':
      return { tag: 'asked' }
    case '02': {
      const amountMinor = code.amount('56')
      if (amountMinor !== undefined) return { tag: 'fixed', amountMinor }
      throw new NadiError('QRIS_MISSING', { path: '56', offset: 0 })
    }
    case '03': {
      const [whole = '', part = ''] = code.need('57', PERCENT).split('.')
      return { tag: 'percent', hundredths: Number(whole) * 100 + Number(part.padEnd(2, '0')) }
    }
    default:
      return undefined
  }
}

function readAdditional(code: Reader): QrisAdditional | undefined {
  const template = code.open('62')
  if (!template) return undefined
  const named: Record<string, string> = {}
  for (const [name, id] of Object.entries(ADDITIONAL_IDS)) {
    const value = template.take(id, name === 'asks' ? ASKS : ascii(25))
    if (value !== undefined) named[name] = value
  }
  const inner = template.open('99')
  const domain = inner?.need('00', DOMAIN)
  const data = inner?.take('01', ascii(99))
  const [extra] = inner?.ids ?? []
  if (inner && extra !== undefined) throw inner.wrong(extra, 'nothing but 00 and 01')
  const others = template.rest()
  return {
    ...named,
    ...(domain !== undefined && { proprietary: { domain, ...(data !== undefined && { data }) } }),
    ...(others && { others }),
  }
}

function readLocalized(code: Reader): QrisLocalized | undefined {
  const template = code.open('64')
  if (!template) return undefined
  const language = template.need('00', [/^[a-zA-Z]{2}$/, 'two letters'])
  const name = template.need('01', LOCAL)
  const city = template.take('02', LOCAL)
  const [extra] = template.ids
  if (extra !== undefined) throw template.wrong(extra, 'nothing but 00, 01 and 02')
  return { language, name, ...(city !== undefined && { city }) }
}
