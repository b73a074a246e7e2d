import { plain } from '#base'
import type { Paint, Terminal } from './terminal.ts'

export type Column<Row> = {
  readonly title: string
  readonly right?: boolean
  readonly text: (row: Row) => string | number | bigint
  /** How the cell is coloured, by its row. */
  readonly brush?: (row: Row, paint: Paint) => (text: string) => string
}

const GAP = '  '

/** Aligned columns under dim titles. Cells are made harmless; columns that are empty are left out. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  paint: Paint,
): string[] {
  const filled = columns
    .map(column => ({ column, cells: rows.map(row => plain(String(column.text(row)))) }))
    .filter(({ cells }) => cells.some(cell => cell !== ''))
    .map(({ column, cells }) => ({
      column,
      cells,
      width: Math.max(column.title.length, ...cells.map(cell => cell.length)),
    }))
  const line = (texts: string[]): string => texts.join(GAP).trimEnd()
  const head = line(filled.map(({ column, width }) => pad(column.title, width, column.right)))
  const body = rows.map((row, index) =>
    line(
      filled.map(({ column, cells, width }) => {
        const text = pad(cells[index] ?? '', width, column.right)
        return column.brush ? column.brush(row, paint)(text) : text
      }),
    ),
  )
  return [paint.dim(head), ...body]
}

/** A table, or a sentence when there is nothing to show. */
export function printTable<Row>(
  terminal: Terminal,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  nothing: string,
): void {
  if (rows.length === 0) return terminal.out(terminal.paint.dim(nothing))
  for (const line of table(rows, columns, terminal.paint)) terminal.out(line)
}

function pad(text: string, width: number, right = false): string {
  return right ? text.padStart(width) : text.padEnd(width)
}

/** The colour of a txn's state: well ended, not paid, or not known yet. */
export function stateBrush(state: string, paint: Paint): (text: string) => string {
  switch (state) {
    case 'paid':
    case 'booked':
    case 'up':
      return paint.green
    case 'declined':
    case 'reversed':
      return paint.dim
    case 'suspect':
    case 'down':
      return paint.red
    case 'answered':
      return text => text
    default:
      return paint.yellow
  }
}
