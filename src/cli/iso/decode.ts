import { isNadiError } from '#base'
import type { PlainMessage } from '#iso8583'
import type { Context } from '../context.ts'
import { EXIT, UsageError } from '../usage.ts'
import type { Dialect } from './dialect.ts'
import { dialectOf, framesOf, type Given } from './given.ts'
import { hexOf } from './input.ts'
import { linesFrom } from './source.ts'
import {
  bitmapLines,
  errorData,
  maskedPlain,
  printRows,
  readFrame,
  rowsOf,
  type Read,
  type Row,
} from './view.ts'
import { mtiMeaning } from './meanings.ts'
import type { Picked } from './pick.ts'

export type DecodeOptions = Given & {
  readonly pack?: string
  readonly lines?: boolean
  readonly masked?: boolean
  readonly unsafe?: boolean
  readonly wide?: boolean
}

export async function decode(
  context: Context,
  argument: string | undefined,
  options: DecodeOptions,
): Promise<number> {
  const spec = options.spec ?? options.pack
  if (spec === undefined)
    throw new UsageError("required option '--pack <name>' or '--spec <spec>' not specified")
  if (options.pack !== undefined) await mustBePack(context, options.pack)
  const dialect = await dialectOf(context, { ...options, spec })
  if (options.lines) return decodeLines(context, dialect, argument, options)
  const picked = await framesOf(context, dialect, argument, options)
  const unsafe = options.unsafe === true
  if (unsafe) context.terminal.err(context.terminal.paint.yellow('Shown in clear (--unsafe).'))
  if (picked.guessed && picked.framing) {
    const { name, text } = picked.framing
    context.terminal.err(`Read with the framing ${name} (${text}); --framing says another.`)
  }
  return context.json
    ? printJson(context, dialect, picked, unsafe)
    : printAll(context, dialect, picked, unsafe, options.wide === true)
}

async function mustBePack(context: Context, name: string): Promise<void> {
  const { packOf } = await import('../commands/iso.ts')
  await packOf(context, name)
}

function printAll(
  { terminal }: Context,
  dialect: Dialect,
  { frames }: Picked,
  unsafe: boolean,
  wide: boolean,
): number {
  let code: number = EXIT.ok
  frames.forEach((frame, index) => {
    if (index > 0) terminal.out('')
    if (!printFrame(terminal, dialect, frame, unsafe, wide)) code = EXIT.failed
  })
  return code
}

/** One message for people; whether it could be read. */
export function printFrame(
  terminal: Context['terminal'],
  dialect: Dialect,
  frame: Uint8Array,
  unsafe: boolean,
  wide: boolean,
): boolean {
  const { paint } = terminal
  const { read, rows, kind, problem } = look(dialect, frame, unsafe)
  printRows(terminal, rows, wide)
  if (dialect.spec.bitmap.encoding !== 'none' && read.message.numbers.length > 0) {
    terminal.out(paint.dim('BITMAP'))
    for (const line of bitmapLines(read.message.numbers, paint)) terminal.out(line)
  }
  const what = [kind, dialect.name].filter(word => word !== undefined).join(', ')
  if (problem === undefined) terminal.out(paint.green(`${frame.length} bytes: ${what}`))
  else terminal.err(paint.red(problem))
  return problem === undefined
}

/** A pack knows more of its own messages than a table: layouts, and whether they mean something. */
function look(dialect: Dialect, frame: Uint8Array, unsafe: boolean) {
  const read = readFrame(dialect, frame)
  const { pack } = dialect
  if (!pack) {
    const kind = mtiMeaning(read.message.mti)
    return { read, rows: rowsOf(dialect, read, unsafe), kind, problem: read.error?.message }
  }
  const packRead = pack.read(frame)
  const rows = pack
    .describe(frame, { unsafe })
    .map((field): Row => ({ meaning: undefined, ...field, group: false }))
  const kind =
    packRead.tag === 'message'
      ? `${packRead.message.kind} ${packRead.message.direction}`
      : undefined
  const problem = packRead.tag === 'reject' ? packRead.reject.error.message : undefined
  return { read, rows, kind, problem }
}

function printJson(context: Context, dialect: Dialect, picked: Picked, unsafe: boolean): number {
  let code: number = EXIT.ok
  const messages = picked.frames.map(frame => {
    const { read, rows, kind, problem } = look(dialect, frame, unsafe)
    if (problem !== undefined) code = EXIT.failed
    const { plain, error } = read
    const lines = rows.map(rowData)
    return {
      length: frame.length,
      kind,
      problem,
      ...(dialect.pack
        ? { fields: lines }
        : { ...maskedPlain(dialect, plain, unsafe), rows: lines }),
      error: error && errorData(error),
    }
  })
  const { as, framing } = picked
  const about = dialect.pack
    ? { pack: dialect.name }
    : { spec: dialect.name, as, framing: framing?.name }
  const [only] = messages
  const data = messages.length === 1 ? { ...about, ...only } : { ...about, messages }
  context.terminal.out(JSON.stringify(data, undefined, 2))
  return code
}

function rowData({ path, name, offset, length, value, meaning }: Row) {
  return { path, name, offset, length, value, meaning }
}

/**
 * `{"mti": …, "fields": …}` or `{"error": …}` for each line, in their order. In clear, since it is
 * for programs and `encode --lines` makes the same messages of it again.
 */
async function decodeLines(
  { terminal }: Context,
  dialect: Dialect,
  argument: string | undefined,
  { masked }: DecodeOptions,
): Promise<number> {
  let code: number = EXIT.ok
  for await (const lines of linesFrom(terminal, argument)) {
    const out: string[] = []
    for (const line of lines) {
      const { data, ok } = decodeLine(dialect, line, masked === true)
      if (!ok) code = EXIT.failed
      out.push(JSON.stringify(data))
    }
    terminal.out(out.join('\n'))
    await terminal.drained?.()
  }
  return code
}

function decodeLine(
  dialect: Dialect,
  line: string,
  masked: boolean,
): { data: unknown; ok: boolean } {
  const frame = line.trim() === '' ? new Uint8Array(0) : hexOf(line)
  if (!frame) {
    const message = 'the line is not hexadecimal'
    return {
      data: { error: { code: 'CODEC_CONTENT', path: 'line', expected: 'hexadecimal', message } },
      ok: false,
    }
  }
  try {
    const plain = dialect.codec.parse(frame).toPlain()
    return { data: ordered(masked ? maskedPlain(dialect, plain, false) : plain), ok: true }
  } catch (error) {
    if (!isNadiError(error)) throw error
    return { data: { error: errorData(error), read: partly(dialect, frame, masked) }, ok: false }
  }
}

function ordered({ header, mti, fields }: PlainMessage): PlainMessage {
  return header === undefined ? { mti, fields } : { header, mti, fields }
}

/** What could be read before the error. */
function partly(dialect: Dialect, frame: Uint8Array, masked: boolean): PlainMessage | undefined {
  const { plain }: Read = readFrame(dialect, frame)
  return ordered(masked ? maskedPlain(dialect, plain, false) : plain)
}
