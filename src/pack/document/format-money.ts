import { minor, ZERO, type AmountMinor } from '#base'
import type { Format } from './format-basics.ts'

const RUPIAH_DIGITS_MAX = 15
/** Whole rupiah of that many digits times 100 is still a safe integer. */
const SAFE_DIGITS = 13

/**
 * An amount in rupiah:
 *
 *     rupiah            260500        whole rupiah, no more
 *     rupiah 12         000000260500  filled up with zeros
 *     rupiah .00        260500.00     always two decimals (SNAP)
 *     rupiah decimal    260500 or 260500.5; written with decimals only where there are any
 *     sen               26050000      hundredths
 *     … signed          may be negative
 *
 * A number with an exponent, a thousands separator or a third decimal is no amount.
 */
export function moneyFormat(shape: string): Format | string {
  const match = /^(rupiah(?: (\d{1,2}|\.00|decimal))?|sen)( signed)?$/.exec(shape)
  if (!match) {
    return `"${shape}" is no notation of money; there are rupiah, rupiah 12, rupiah .00, rupiah decimal, sen, each also signed`
  }
  const [, unit, form = '', signed] = match
  const width = /^\d+$/.test(form) ? Number(form) : 0
  if (width > RUPIAH_DIGITS_MAX) return `an amount has at most ${RUPIAH_DIGITS_MAX} digits`
  const [read, write] = unit === 'sen' ? SEN : (FORMS[form] ?? whole(width))
  const expected = `an amount as ${shape}`
  if (!signed) {
    return {
      kinds: ['money'],
      expected: `${expected}, not negative`,
      ...(width > 0 && { width }),
      read,
      write: (value: bigint) => (value < 0n ? undefined : write(value)),
    }
  }
  return {
    kinds: ['money'],
    expected,
    read(text) {
      if (!text.startsWith('-')) return read(text)
      const amount = read(text.slice(1))
      return amount === undefined ? undefined : minor(0n - amount)
    },
    write(value: bigint) {
      if (value >= 0n) return write(value)
      const text = write(0n - value)
      return text === undefined ? undefined : `-${text}`
    },
  }
}

type Read = (text: string) => AmountMinor | undefined
type Write = (value: bigint) => string | undefined

function whole(width: number): readonly [Read, Write] {
  return [
    text => readRupiah(text, text.length, ''),
    value => {
      // A double is exact far beyond any amount, and twice as fast as a bigint.
      const sen = Number(value)
      if (!Number.isSafeInteger(sen)) return undefined
      return sen % 100 === 0 ? String(sen / 100).padStart(width, '0') : undefined
    },
  ]
}

const SEN: readonly [Read, Write] = [
  text => (isNumber(text, text.length) ? (BigInt(text) as AmountMinor) : undefined),
  value => String(value),
]

const FORMS: Readonly<Record<string, readonly [Read, Write]>> = {
  '.00': [
    text =>
      text[text.length - 3] === '.' ? readRupiah(text, text.length - 3, text.slice(-2)) : undefined,
    value => `${value / 100n}.${String(value % 100n).padStart(2, '0')}`,
  ],
  decimal: [
    text => {
      const point = text.indexOf('.')
      if (point < 0) return readRupiah(text, text.length, '')
      const cents = text.slice(point + 1)
      return cents.length < 1 || cents.length > 2 ? undefined : readRupiah(text, point, cents)
    },
    value => {
      const cents = value % 100n
      return cents === 0n ? `${value / 100n}` : `${value / 100n}.${String(cents).padStart(2, '0')}`
    },
  ],
}

/** The first `length` characters as whole rupiah, and sen as text of up to two digits. */
function readRupiah(text: string, length: number, cents: string): AmountMinor | undefined {
  if (!isNumber(text, length)) return undefined
  const sen = cents === '' ? 0 : Number(cents.padEnd(2, '0'))
  if (cents !== '' && !(Number.isInteger(sen) && /^\d+$/.test(cents))) return undefined
  const whole = length === text.length ? text : text.slice(0, length)
  if (length <= SAFE_DIGITS) {
    const value = Number(whole) * 100 + sen
    return value === 0 ? ZERO : (BigInt(value) as AmountMinor)
  }
  return minor(BigInt(whole) * 100n + BigInt(sen))
}

function isNumber(text: string, length: number): boolean {
  if (length < 1 || length > RUPIAH_DIGITS_MAX + 2) return false
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x30 || code > 0x39) return false
  }
  return true
}
