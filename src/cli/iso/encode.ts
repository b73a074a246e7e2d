import { isNadiError, toHex } from '#base'
import type { PlainMessage } from '#iso8583'
import type { Context } from '../context.ts'
import { EXIT, UsageError } from '../usage.ts'
import type { Dialect } from './dialect.ts'
import { framingOf, type NamedFraming } from './framings.ts'
import { dialectOf, written, type Given } from './given.ts'
import { linesFrom, sourceOf } from './source.ts'
import { errorData } from './view.ts'

export type EncodeOptions = Given & {
  readonly mti?: string
  readonly out: string
  readonly lines?: boolean
}

export async function encode(
  context: Context,
  fields: readonly string[],
  options: EncodeOptions,
): Promise<number> {
  const { terminal } = context
  const dialect = await dialectOf(context, options)
  const framing =
    options.framing === undefined ? undefined : framingOf(options.framing, dialect.codec)
  if (options.lines) return encodeLines(context, dialect, fields[0], framing)
  const frame =
    options.mti === undefined
      ? dialect.codec.fromPlain(await plainOf(context, fields))
      : fromPairs(dialect, options.mti, fields)
  const wire = framing ? framing.framer.wrap(frame) : frame
  if (options.out === 'binary') process.stdout.write(wire)
  else terminal.out(written(wire, options.out))
  return EXIT.ok
}

/** `11=000123 55.9F02=000000010000` */
function fromPairs({ codec }: Dialect, mti: string, pairs: readonly string[]): Uint8Array {
  const draft = codec.create(mti)
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw new UsageError(`a field is given as id=value, not ${pair.slice(0, 20)}`)
    draft.setAt(pair.slice(0, at), pair.slice(at + 1))
  }
  return draft.build()
}

async function plainOf({ terminal }: Context, fields: readonly string[]): Promise<PlainMessage> {
  if (fields.length > 1) throw new UsageError('one JSON object is wanted, or --mti with id=value')
  const text = Buffer.from(await sourceOf(terminal, fields[0])).toString('utf8')
  const plain = parsePlain(text)
  if (typeof plain === 'string') throw new UsageError(plain)
  return plain
}

/** The message that a JSON text tells, or what is wrong with the text. */
function parsePlain(text: string): PlainMessage | string {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    return 'the message is not JSON'
  }
  const isObject = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject(data)) return 'the message is not a JSON object'
  const { mti, fields, header } = data as Record<string, unknown>
  if (typeof mti !== 'string') return 'the message has no "mti" that is a text'
  if (!isObject(fields)) return 'the message has no "fields" that are an object'
  if (header !== undefined && typeof header !== 'string') return 'the header is not a text'
  return data as PlainMessage
}

async function encodeLines(
  { terminal }: Context,
  { codec }: Dialect,
  argument: string | undefined,
  framing: NamedFraming | undefined,
): Promise<number> {
  let code: number = EXIT.ok
  const one = (line: string): string => {
    try {
      const plain = parsePlain(line)
      if (typeof plain !== 'string') {
        const frame = codec.fromPlain(plain)
        return toHex(framing ? framing.framer.wrap(frame) : frame)
      }
      code = EXIT.failed
      return JSON.stringify({ error: { code: 'CODEC_VALUE', path: 'line', message: plain } })
    } catch (error) {
      if (!isNadiError(error)) throw error
      code = EXIT.failed
      return JSON.stringify({ error: errorData(error) })
    }
  }
  for await (const lines of linesFrom(terminal, argument)) {
    terminal.out(lines.map(one).join('\n'))
    await terminal.drained?.()
  }
  return code
}
