import { CLASSES, type ContentClass } from '#iso8583'
import type { Form } from '../format-basics.ts'
import { NotStraight, quoted, type Lines } from './lines.ts'

/** More than any data element holds. */
const TEXT_MAX = 8192

/** Code that writes a value; one that is not there fits no form. */
export function sayForm(
  say: (code: string) => void,
  lines: Lines,
  form: Form,
  at: string,
  value: string,
): void {
  switch (form.tag) {
    case 'digits':
      return say(`digits(b, ${at}, ${value}, ${form.width})`)
    case 'integer':
      return say(`number(b, ${at}, ${value}, ${form.width})`)
    case 'text':
      return say(`text(b, ${at}, ${value}, ${form.width}, ${bitsOf(form.content)})`)
    case 'zero-left':
      return say(`zeroLeft(b, ${at}, ${value}, ${form.width}, ${bitsOf(form.content)})`)
    case 'rest':
      if (form.max >= TEXT_MAX) throw new NotStraight()
      return say(`rest(b, ${at}, ${value}, ${form.max}, ${bitsOf(form.content)})`)
    case 'money':
      return sayMoney(say, lines, form, at, value)
    case 'hundredths':
      lines.add(`b[${at}] = 0x32`)
      return say(`number(b, ${at} + 1, ${value}, ${form.digits})`)
    case 'date':
      return form.year === 0
        ? say(`exactly(b, ${at}, ${value}, 8)`)
        : say(`date(b, ${at}, ${value}, ${form.year}, ${form.month}, ${form.day})`)
    case 'month':
      return say(`exactly(b, ${at}, ${value}, 6)`)
    case 'time':
      return say(`exactly(b, ${at}, ${value}, 14)`)
    case 'one-of':
      for (const [index, [code, word]] of [...form.words].entries()) {
        const test = `${index === 0 ? '' : 'else '}if (${value} === ${quoted(word)})`
        lines.add(`${test} z = same(b, ${at}, ${quoted(code)})`)
      }
      lines.add('else return false')
  }
}

function sayMoney(
  say: (code: string) => void,
  lines: Lines,
  { digits, before, decimals }: Extract<Form, { tag: 'money' }>,
  at: string,
  value: string,
): void {
  const scale = 10 ** (2 - decimals)
  switch (before) {
    case '':
      return say(`money(b, ${at}, ${value}, ${digits}, ${scale})`)
    case 'sign':
      return say(`signed(b, ${at}, ${value}, ${digits}, ${scale})`)
    case 'fee':
      throw new NotStraight()
    case 'exponent':
      lines.add(`b[${at}] = ${0x30 + decimals}`)
      return say(`money(b, ${at} + 1, ${value}, ${digits}, ${scale})`)
    case 'currency':
      lines.add(`same(b, ${at}, '360${decimals}')`)
      return say(`money(b, ${at} + 4, ${value}, ${digits}, ${scale})`)
  }
}

/** The field table looks whether all is printable. */
function bitsOf(content: ContentClass): number {
  return content === 'ans' ? 0 : CLASSES[content].bits
}
