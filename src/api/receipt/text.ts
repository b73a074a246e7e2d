import { formatMoney, plain, wrap } from '#base'
import type { Receipt, ReceiptPart } from './receipt.ts'

/** Columns of the two common thermal papers: 58 mm and 80 mm. */
export type Width = 32 | 48

const LABEL_WIDTH = 15

/** Lines of at most `width` characters, LF after each; nothing in them that a printer would obey. */
export function receiptText({ title, parts }: Receipt, width: Width): string {
  const lines = [...centred(title, width), '', ...parts.flatMap(part => linesOf(part, width)), '']
  return lines.map(line => `${line.trimEnd()}\n`).join('')
}

function linesOf(part: ReceiptPart, width: Width): string[] {
  if ('sentence' in part) return ['', ...centred(part.sentence, width)]
  return 'text' in part
    ? labelled(part.label, part.text, width)
    : [amountLine(part.label, formatMoney(part.amountMinor), width)]
}

function labelled(label: string, value: string, width: Width): string[] {
  const head = `${plain(label).slice(0, LABEL_WIDTH).padEnd(LABEL_WIDTH)}: `
  const [first = '', ...rest] = wrap(plain(value), width - head.length)
  return [head + first, ...rest.map(line => ' '.repeat(head.length) + line)]
}

/** `RP TAG PLN     : Rp      260.500`: amounts stand under each other at the right edge. */
function amountLine(label: string, money: string, width: Width): string {
  const [sign = '', value = ''] = money.split(' ')
  const head = `${plain(label).slice(0, LABEL_WIDTH).padEnd(LABEL_WIDTH)}: ${sign}`
  return head + value.padStart(Math.max(width - head.length, value.length))
}

function centred(words: string, width: Width): string[] {
  return wrap(plain(words), width).map(
    line => ' '.repeat(Math.floor((width - line.length) / 2)) + line,
  )
}
