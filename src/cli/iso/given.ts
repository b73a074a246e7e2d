import type { Leniency } from '#iso8583'
import type { Context } from '../context.ts'
import { UsageError } from '../usage.ts'
import { readDialect, type Dialect } from './dialect.ts'
import { framingOf } from './framings.ts'
import type { InputForm } from './input.ts'
import { pick, type Picked } from './pick.ts'
import { sourceOf } from './source.ts'

/** What the commands about messages are given. */
export type Given = {
  readonly spec?: string
  readonly as?: InputForm
  readonly framing?: string
  readonly lenient?: readonly Leniency[]
}

export async function dialectOf(context: Context, { spec, lenient }: Given): Promise<Dialect> {
  if (spec === undefined) throw new UsageError('--spec says in which dialect')
  const dialect = await readDialect(context, spec, lenient)
  const { terminal } = context
  for (const { path, text } of dialect.notes.slice(0, NOTES_SHOWN)) {
    terminal.err(terminal.paint.dim(`${path}: ${text}`))
  }
  const more = dialect.notes.length - NOTES_SHOWN
  if (more > 0) terminal.err(terminal.paint.dim(`and ${more} more; 'nadi iso import' tells all`))
  return dialect
}

const NOTES_SHOWN = 5

/** The messages of one argument, as the dialect can read them. */
export async function framesOf(
  { terminal }: Context,
  dialect: Dialect,
  argument: string | undefined,
  { as, framing }: Given,
): Promise<Picked> {
  const input = await sourceOf(terminal, argument)
  return pick(dialect, input, {
    ...(as && { as }),
    ...(framing !== undefined && { framing: framingOf(framing, dialect.codec) }),
  })
}

/** Exactly one message. */
export async function frameOf(
  context: Context,
  dialect: Dialect,
  argument: string | undefined,
  given: Given,
): Promise<Uint8Array> {
  const { frames } = await framesOf(context, dialect, argument, given)
  const [frame] = frames
  if (!frame) throw new UsageError('there is no message')
  if (frames.length > 1)
    throw new UsageError(`one message is wanted, and there are ${frames.length}`)
  return frame
}

export const OUT_FORMS = ['hex', 'base64', 'binary'] as const

/** A message as it is printed. Binary cannot go through a terminal that takes text. */
export function written(frame: Uint8Array, form: string): string {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  switch (form) {
    case 'hex':
      return bytes.toString('hex')
    case 'base64':
      return bytes.toString('base64')
    default:
      throw new UsageError(`--out is ${form}; there are hex and base64`)
  }
}
