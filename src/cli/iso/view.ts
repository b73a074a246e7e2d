import { isNadiError, toHex, type NadiError } from '#base'
import type { IsoMessage, PlainMessage } from '#iso8583'
import type { Terminal } from '../terminal.ts'
import { printTable } from '../table.ts'
import { cut } from '../words.ts'
import type { Dialect } from './dialect.ts'
import { shown } from './mask.ts'
import { meaningOf, mtiMeaning, type Beside } from './meanings.ts'
import { leavesOf, mapPlain, treeOf, type Node } from './tree.ts'

/** One line of a message for people. */
export type Row = {
  readonly path: string
  readonly name: string
  /** Undefined where the value does not lie in the frame as it is. */
  readonly offset: number | undefined
  readonly length: number | undefined
  readonly value: string
  readonly meaning: string | undefined
  /** It holds further ones, which follow. */
  readonly group: boolean
}

/** What could be read of a frame. */
export type Read = {
  readonly message: IsoMessage
  readonly plain: PlainMessage
  readonly error: NadiError | undefined
}

/** Reads as far as can be. Where a field's inside is wrong, the error is that one. */
export function readFrame({ codec }: Dialect, frame: Uint8Array): Read {
  const { message, error } = codec.parsePartly(frame)
  try {
    return { message, plain: message.toPlain(), error }
  } catch (thrown) {
    if (!isNadiError(thrown)) throw thrown
    return { message, plain: plainParts(message), error: error ?? thrown }
  }
}

/** What is wrong inside stands as a whole. */
function plainParts(message: IsoMessage): PlainMessage {
  const fields: Record<string, string> = {}
  for (const number of message.numbers) {
    try {
      fields[number] = message.get(number) ?? ''
    } catch (thrown) {
      if (!isNadiError(thrown)) throw thrown
    }
  }
  return { mti: message.mti, fields }
}

export function maskedPlain({ spec }: Dialect, plain: PlainMessage, unsafe: boolean): PlainMessage {
  return unsafe ? plain : mapPlain(spec, plain, node => shown(node, false))
}

export function rowsOf(dialect: Dialect, { message, plain }: Read, unsafe: boolean): Row[] {
  const nodes = treeOf(dialect.spec, plain)
  const texts = new Map(leavesOf(nodes).map(({ path, text }) => [path, text]))
  const beside: Beside = { mti: message.mti, value: path => texts.get(path) }
  const rows: Row[] = []
  const add = (node: Node): void => {
    const { path, name, children, text = '' } = node
    const hidden = !unsafe && node.mask !== undefined
    const meaning = children || hidden ? undefined : meaningOf(path, text, beside)
    const value = children ? '' : shown(node, unsafe)
    rows.push({ path, name, ...placeOf(message, path), value, meaning, group: !!children })
    children?.forEach(add)
  }
  nodes.forEach(add)
  return [...headRows(dialect, message), ...rows]
}

function headRows({ spec }: Dialect, { header, mti }: IsoMessage): Row[] {
  const [bytes] = [header.length]
  const head = { group: false, meaning: undefined }
  const rows: Row[] = []
  if (bytes > 0) {
    const value = toHex(header).toUpperCase()
    rows.push({ ...head, path: 'header', name: 'header', offset: 0, length: bytes, value })
  }
  if (spec.mti.encoding === 'none' || mti === '') return rows
  const length = spec.mti.encoding === 'bcd' ? 2 : 4
  const meaning = mtiMeaning(mti)
  rows.push({
    ...head,
    path: 'mti',
    name: 'message type',
    offset: bytes,
    length,
    value: mti,
    meaning,
  })
  return rows
}

function placeOf(message: IsoMessage, path: string): Pick<Row, 'offset' | 'length'> {
  const { frame, codec } = message
  try {
    const bytes = codec.path(path).readBytes(message)
    const inside = bytes?.buffer === frame.buffer
    const offset = bytes && inside ? bytes.byteOffset - frame.byteOffset : -1
    const lies = offset >= 0 && offset + (bytes?.length ?? 0) <= frame.length
    return { offset: lies ? offset : undefined, length: bytes?.length }
  } catch (error) {
    if (!isNadiError(error)) throw error
    return { offset: undefined, length: undefined }
  }
}

const VALUE_CHARS_MAX = 64

/** Aligned columns: where it stands, what it is, what it says. */
export function printRows(terminal: Terminal, rows: readonly Row[], wide: boolean): void {
  const depth = ({ path }: Row) => path.split('.').length - 1
  printTable(
    terminal,
    rows,
    [
      { title: 'BYTE', right: true, text: ({ offset }) => offset ?? '' },
      { title: 'LEN', right: true, text: ({ length }) => length ?? '' },
      {
        title: 'FIELD',
        text: row => '  '.repeat(depth(row)) + row.path,
        brush: (row, paint) => (row.group ? paint.bold : paint.cyan),
      },
      { title: 'VALUE', text: ({ value }) => (wide ? value : cut(value, VALUE_CHARS_MAX)) },
      { title: 'MEANS', text: ({ meaning }) => meaning ?? '', brush: (_, paint) => paint.green },
      { title: 'NAME', text: ({ name }) => name, brush: (_, paint) => paint.dim },
    ],
    'Nothing in it could be read.',
  )
}

/**
 * Which of the bits are set, sixteen a line:
 *
 *        1 ·■·· ■··· ··■· ····  2 5 11
 */
export function bitmapLines(numbers: readonly number[], paint: Terminal['paint']): string[] {
  const last = Math.max(64, Math.ceil((numbers.at(-1) ?? 1) / 64) * 64)
  const there = new Set(numbers)
  for (let bit = 1; bit + 64 <= last; bit += 64) there.add(bit)
  const lines: string[] = []
  for (let first = 1; first <= last; first += 16) {
    const bits = Array.from({ length: 16 }, (_, index) => first + index)
    const set = bits.filter(bit => there.has(bit))
    const drawn = bits
      .map(bit => (there.has(bit) ? '■' : '·') + (bit % 4 === 0 ? ' ' : ''))
      .join('')
    const line = `${String(first).padStart(6)} ${drawn} ${set.join(' ')}`.trimEnd()
    lines.push(set.length === 0 ? paint.dim(line) : line)
  }
  return lines
}

/** The error as data; never holds values. */
export function errorData(error: NadiError): Record<string, unknown> {
  const { code, path, offset, expected, actual, hint, message } = error
  const data = { code, path, offset, expected, actual, hint, message }
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined))
}
