import * as codes from './codes.ts'
import type { Codes } from './codes.ts'
import { emvMeaning } from './emv.ts'

/** The values beside the one that is explained: `value('49')` is its currency. */
export type Beside = { readonly mti: string; readonly value: (path: string) => string | undefined }

type Explain = (value: string, beside: Beside) => string | undefined

/** What a data element's value says, where a word says more than its digits; else undefined. */
export function meaningOf(path: string, value: string, beside: Beside): string | undefined {
  const own = ELEMENTS[path]
  if (own) return own(value, beside)
  const tag = path.slice(path.lastIndexOf('.') + 1).replace(/\[\d+\]$/, '')
  if (!path.includes('.')) return undefined
  if (tag === '9F02' || tag === '9F03') {
    return amount(value, currencyIn(path, beside) ?? beside.value('49'))
  }
  if (tag === '5F2A') return currency(value.slice(-3))
  if (tag === '9F1A' || tag === '5F28') return codes.COUNTRIES[value.slice(-3)]
  if (tag === '9A' || tag === '5F24' || tag === '5F25') return date(value, 'YYMMDD')
  if (tag === '9C') return codes.TRANSACTIONS[value]
  return emvMeaning(tag, value)
}

export function mtiMeaning(mti: string): string | undefined {
  const [version, kind, action, origin] = mti.split('').map((digit, index) => TYPE[index]?.[digit])
  if (kind === undefined || action === undefined) return undefined
  return [`${kind} ${action}`, origin, version].filter(word => word !== undefined).join(', ')
}

const TYPE: readonly Codes[] = [codes.VERSIONS, codes.CLASSES, codes.FUNCTIONS, codes.ORIGINS]

const money =
  (currencyAt: string): Explain =>
  (value, beside) =>
    amount(value, beside.value(currencyAt))
const of =
  (table: Codes): Explain =>
  value =>
    table[value.trim()]
const dated =
  (shape: string): Explain =>
  value =>
    date(value, shape)

const ELEMENTS: Readonly<Record<string, Explain>> = {
  3: processing,
  4: money('49'),
  5: money('50'),
  6: money('51'),
  7: dated('MMDDhhmmss'),
  8: money('51'),
  12: value => date(value, TIME_SHAPES[value.length] ?? ''),
  13: value => date(value, value.length === 4 ? 'MMDD' : ''),
  14: value => date(value, 'YYMM'),
  15: value => date(value, DAY_SHAPES[value.length] ?? ''),
  16: value => date(value, DAY_SHAPES[value.length] ?? ''),
  17: value => date(value, DAY_SHAPES[value.length] ?? ''),
  18: of(codes.MERCHANT_TYPES),
  19: of(codes.COUNTRIES),
  20: of(codes.COUNTRIES),
  22: entryMode,
  24: of(codes.FUNCTION_CODES),
  25: of(codes.CONDITIONS),
  39: response,
  49: currency,
  50: currency,
  51: currency,
  54: balances,
  70: of(codes.NETWORK_CODES),
  90: original,
}

const TIME_SHAPES: Readonly<Record<number, string>> = {
  6: 'hhmmss',
  12: 'YYMMDDhhmmss',
  14: 'YYYYMMDDhhmmss',
}
const DAY_SHAPES: Readonly<Record<number, string>> = { 4: 'MMDD', 6: 'YYMMDD', 8: 'YYYYMMDD' }

function processing(value: string): string | undefined {
  const [, kind = '', from = '', to = ''] = /^(..)(..)(..)$/.exec(value) ?? []
  const words = [codes.TRANSACTIONS[kind], account('from', from), account('to', to)]
  return words.filter(word => word !== undefined).join(', ') || undefined
}

function account(side: string, code: string): string | undefined {
  const name = codes.ACCOUNTS[code]
  return code === '00' || name === undefined ? undefined : `${side} ${name}`
}

/** 1987 has three digits; the twelve positions of later versions need a table of their own. */
function entryMode(value: string): string | undefined {
  if (!/^\d{3,4}$/.test(value)) return undefined
  const digits = value.slice(-3)
  const words = [codes.PAN_ENTRY[digits.slice(0, 2)], codes.PIN_ENTRY[digits.slice(2)]]
  return words.filter(word => word !== undefined).join(', ') || undefined
}

function response(value: string): string | undefined {
  if (value.length === 2) return codes.RESPONSES[value]
  if (value.length === 3) return codes.ACTIONS[value] ?? codes.ACTION_GROUPS[value.slice(0, 1)]
  return /^0+$/.test(value) ? 'approved' : undefined
}

function currency(value: string): string | undefined {
  return codes.CURRENCY_TABLE[value]?.[0]
}

function currencyIn(path: string, { value }: Beside): string | undefined {
  return value(`${path.slice(0, path.lastIndexOf('.'))}.5F2A`)?.slice(-3)
}

/** `IDR 2,605.00`; the currency's decimals, where it is known. */
function amount(value: string, number: string | undefined): string | undefined {
  // With currency and exponent before the digits (ISO 8583:2003).
  const long = /^(\d{3})(\d)(\d{12})$/.exec(value)
  if (long && codes.CURRENCY_TABLE[long[1] ?? '']) {
    return written(long[3] ?? '', codes.CURRENCY_TABLE[long[1] ?? '']?.[0] ?? '', Number(long[2]))
  }
  if (!/^[CD]?\d+$/.test(value)) return undefined
  const known = codes.CURRENCY_TABLE[number ?? '']
  if (!known) return undefined
  return written(value, known[0], known[1])
}

function written(value: string, code: string, decimals: number): string {
  const sign = value.startsWith('D') ? '-' : ''
  const digits = value
    .replace(/^[CD]/, '')
    .replace(/^0+/, '')
    .padStart(decimals + 1, '0')
  const at = digits.length - decimals
  const whole = digits.slice(0, at).replace(/\B(?=(\d{3})+$)/g, ',')
  return `${code} ${sign}${whole}${decimals === 0 ? '' : `.${digits.slice(at)}`}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A date or time by its shape; undefined when there is no such day or hour. */
export function date(value: string, shape: string): string | undefined {
  if (value.length !== shape.length || shape === '' || !/^\d+$/.test(value)) return undefined
  const part = (letters: string) => {
    const at = shape.indexOf(letters)
    return at < 0 ? undefined : value.slice(at, at + letters.length)
  }
  const long = part('YYYY')
  const year = long ?? (part('YY') === undefined ? undefined : `20${part('YY')}`)
  const [month, day, hour, minute, second] = ['MM', 'DD', 'hh', 'mm', 'ss'].map(part)
  const name = month === undefined ? '' : MONTHS[Number(month) - 1]
  if (name === undefined || Number(day ?? 1) < 1 || Number(day ?? 1) > 31) return undefined
  if (Number(hour ?? 0) > 24 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 60)
    return undefined
  const days = [day, name, year].filter(word => word !== undefined && word !== '').join(' ')
  const time = hour === undefined ? '' : `${hour}:${minute}:${second}`
  return [days, time].filter(word => word !== '').join(' ')
}

/** Account, kind, currency, sign and amount, twenty characters each. */
function balances(value: string): string | undefined {
  const one = /(..)(..)(\d{3})([CD])(\d{12})/y
  const out: string[] = []
  for (let match = one.exec(value); match; match = one.exec(value)) {
    const [, , kind = '', number, sign, digits] = match
    const text = amount(`${sign}${digits}`, number)
    out.push(`${codes.AMOUNT_TYPES[kind] ?? kind} ${text ?? `${sign}${digits}`}`)
  }
  return out.join('; ') || undefined
}

function original(value: string): string | undefined {
  const [, mti = '', stan, sent = ''] = /^(\d{4})(\d{6})(\d{10})/.exec(value) ?? []
  if (!stan) return undefined
  return `${mti} stan ${stan} of ${date(sent, 'MMDDhhmmss') ?? sent}`
}
