import { checkDigits, ZERO_CODE, type Format } from './format-basics.ts'
import { unsayable } from './value-writer.ts'

/** A date in the dialect's own order; zeros are no date and stay zeros. Normalized: YYYYMMDD. */
export function date(width: number, year: number, month: number, day: number): Format {
  const inOrder = year === 0
  return {
    width,
    kinds: ['date'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(width, name)
      checkDigits(cursor, start, width, name)
      const { text } = cursor
      if (!isDay(text, start + year, start + month, start + day)) {
        throw cursor.wrong('PACK_FORMAT', name, start, 'a date that exists, or zeros')
      }
      if (inOrder) return text.slice(start, start + width)
      const at = (from: number, size: number) => text.slice(start + from, start + from + size)
      return at(year, 4) + at(month, 2) + at(day, 2)
    },
    write(writer, value: string, name) {
      if (value.length !== 8) throw unsayable(name, 'YYYYMMDD')
      const wire = inOrder ? value : value.slice(6) + value.slice(4, 6) + value.slice(0, 4)
      writer.text(wire, width, 'n', name)
    },
    form: { tag: 'date', year, month, day },
  }
}

export function month(): Format {
  return {
    width: 6,
    kinds: ['month'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(6, name)
      checkDigits(cursor, start, 6, name)
      const month = number2(cursor.text, start + 4)
      const wire = cursor.text.slice(start, start + 6)
      if ((month < 1 || month > 12) && wire !== '000000') {
        throw cursor.wrong('PACK_FORMAT', name, start, 'YYYYMM')
      }
      return wire
    },
    write: (writer, value: string, name) => writer.text(value, 6, 'n', name),
    form: { tag: 'month' },
  }
}

export function wholeTime(): Format {
  return {
    width: 14,
    kinds: ['local-time'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(14, name)
      checkDigits(cursor, start, 14, name)
      const { text } = cursor
      const exists =
        isDay(text, start, start + 4, start + 6) &&
        text.charCodeAt(start + 6) + text.charCodeAt(start + 7) > 2 * ZERO_CODE &&
        number2(text, start + 8) < 24 &&
        number2(text, start + 10) < 60 &&
        number2(text, start + 12) < 60
      if (!exists) throw cursor.wrong('PACK_FORMAT', name, start, 'a time that exists')
      return text.slice(start, start + 14)
    },
    write: (writer, value: string, name) => writer.text(value, 14, 'n', name),
    normalise: value => value,
    form: { tag: 'time' },
  }
}

const DAYS_IN_MONTH = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** A day that exists, or all zeros. The parts may stand in any order. */
function isDay(text: string, yearAt: number, monthAt: number, dayAt: number): boolean {
  const month = number2(text, monthAt)
  const day = number2(text, dayAt)
  const year = number2(text, yearAt) * 100 + number2(text, yearAt + 2)
  if (month === 0 && day === 0) return year === 0
  if (month > 12 || day < 1 || day > (DAYS_IN_MONTH[month] as number)) return false
  if (month !== 2 || day < 29) return true
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function number2(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO_CODE) * 10 + text.charCodeAt(at + 1) - ZERO_CODE
}
