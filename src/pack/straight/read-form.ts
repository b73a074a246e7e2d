import { CLASSES } from '#iso8583'
import type { Form } from '../format-basics.ts'
import { NotStraight, quoted, type Lines } from './lines.ts'

/** What stands for a value that is not there. */
export const BLANKS: Partial<Record<Form['tag'], number>> = { text: 0x20 }

/**
 * Code that reads a value that stands at `at` into a variable, or returns. `z` is free for it, and
 * `e` is where the element ends.
 */
export function readForm(lines: Lines, form: Form, name: string, at: string): void {
  const slice = (width: number) => `${name} = t.slice(${at}, ${at} + ${width})`
  switch (form.tag) {
    case 'digits':
      lines.add(`if (!digits(b, ${at}, ${form.width})) return`, slice(form.width))
      return
    case 'integer':
      lines.add(`${name} = number(b, ${at}, ${form.width})`, `if (${name} < 0) return`)
      return
    case 'text':
      lines.add(`z = textEnd(b, ${at}, ${at} + ${form.width})`)
      checkInside(lines, form.content, at, 'z')
      lines.add(`${name} = t.slice(${at}, z)`)
      return
    case 'zero-left':
      checkInside(lines, form.content, at, `${at} + ${form.width}`)
      lines.add(slice(form.width))
      return
    case 'rest':
      lines.add(`if (e - (${at}) > ${form.max}) return`)
      checkInside(lines, form.content, at, 'e')
      lines.add(`${name} = t.slice(${at}, e)`)
      return
    case 'money':
      return readMoney(lines, form, name, at)
    case 'hundredths':
      lines.add(
        `if (b[${at}] !== 0x32) return`,
        `${name} = number(b, ${at} + 1, ${form.digits})`,
        `if (${name} < 0) return`,
      )
      return
    case 'date':
      return readDate(lines, form, name, at)
    case 'month':
      lines.add(`if (!month(b, ${at})) return`, slice(6))
      return
    case 'time':
      lines.add(`if (!time(b, ${at})) return`, slice(14))
      return
    case 'one-of':
      for (const [index, [code, word]] of [...form.words].entries()) {
        const test = `t.startsWith(${quoted(code)}, ${at})`
        lines.add(`${index === 0 ? '' : 'else '}if (${test}) ${name} = ${quoted(word)}`)
      }
      lines.add('else return')
  }
}

/** The whole element was found to be printable; only what is narrower is looked at. */
function checkInside(lines: Lines, content: keyof typeof CLASSES, at: string, end: string): void {
  if (content === 'ans') return
  lines.add(`if (!inside(b, ${at}, ${end}, ${CLASSES[content].bits})) return`)
}

const EXACT_DIGITS = 15

function readMoney(
  lines: Lines,
  { digits, before, decimals }: Extract<Form, { tag: 'money' }>,
  name: string,
  at: string,
): void {
  const scale = 10 ** (2 - decimals)
  // Above that a number is not exact in a double.
  const wide = digits + 2 - decimals > EXACT_DIGITS
  const read = (from: string) =>
    lines.add(
      wide
        ? `${name} = wideMoney(b, t, ${from}, ${digits}, ${scale})`
        : `${name} = money(b, ${from}, ${digits}, ${scale})`,
    )
  switch (before) {
    case '':
      read(at)
      break
    case 'sign':
      if (wide) throw new NotStraight()
      lines.add(`${name} = signed(b, ${at}, ${digits}, ${scale})`)
      break
    case 'exponent':
    case 'currency': {
      const from = before === 'currency' ? `${at} + 3` : at
      if (before === 'currency') lines.add(`if (!t.startsWith('360', ${at})) return`)
      // One written with other decimals is rare, and goes the general way.
      lines.add(`if (b[${from}] !== ${0x30 + decimals}) return`)
      read(`${from} + 1`)
      break
    }
    case 'fee':
      throw new NotStraight()
  }
  lines.add(`if (${name} === undefined) return`)
}

function readDate(
  lines: Lines,
  { year, month, day }: Extract<Form, { tag: 'date' }>,
  name: string,
  at: string,
): void {
  lines.add(`if (!day(b, ${at}, ${year}, ${month}, ${day})) return`)
  const part = (from: number, width: number) => `t.slice(${at} + ${from}, ${at} + ${from + width})`
  lines.add(
    year === 0
      ? `${name} = ${part(0, 8)}`
      : `${name} = ${part(year, 4)} + ${part(month, 2)} + ${part(day, 2)}`,
  )
}
