import { NUMBER_DIGITS_MAX, readNumber, ZERO_CODE, type Format } from './format-basics.ts'
import { unsayable } from './value-writer.ts'

/** A whole number with zeros to its left. */
export function integer(width: number): Format | string {
  if (width < 1 || width > NUMBER_DIGITS_MAX) return `n${width} is too wide for an integer`
  return {
    width,
    kinds: ['integer'],
    blank: '0',
    read: (cursor, name) => readNumber(cursor, width, name),
    write(writer, value: number, name) {
      if (!Number.isSafeInteger(value) || value < 0) throw unsayable(name, 'a whole number')
      writer.digits(value, width, name)
    },
    form: { tag: 'integer', width },
  }
}

/** A number of as many digits as it has. */
export function openInteger(max: number): Format | string {
  if (max < 1 || max > NUMBER_DIGITS_MAX) return `n..${max} is too wide for an integer`
  return {
    width: undefined,
    widthMax: max,
    kinds: ['integer'],
    blank: '',
    read(cursor, name) {
      const width = cursor.end - cursor.at
      if (width < 1 || width > max) {
        throw cursor.wrong('PACK_FORMAT', name, cursor.at, `1 to ${max} digits`, `${width}`)
      }
      return readNumber(cursor, width, name)
    },
    write(writer, value: number, name) {
      if (!Number.isSafeInteger(value) || value < 0) throw unsayable(name, 'a whole number')
      const text = String(value)
      if (text.length > max) throw unsayable(name, `at most ${max} digits`)
      writer.chars(text, 'n', name)
    },
  }
}

/** kWh: a digit that says 2 decimals, then the digits. */
export function hundredths(width: number): Format | string {
  if (width < 1 || width > NUMBER_DIGITS_MAX) return `n${width} is too wide for an integer`
  return {
    width: 1 + width,
    kinds: ['integer'],
    blank: '0',
    read(cursor, name) {
      const start = cursor.take(1, name)
      if (cursor.text.charCodeAt(start) !== ZERO_CODE + 2) {
        throw cursor.wrong('PACK_FORMAT', name, start, '2 decimals')
      }
      return readNumber(cursor, width, name)
    },
    write(writer, value: number, name) {
      if (!Number.isSafeInteger(value) || value < 0) throw unsayable(name, 'a whole number')
      writer.digits(2, 1, name)
      writer.digits(value, width, name)
    },
    form: { tag: 'hundredths', digits: width },
  }
}
