import type { Command } from 'commander'
import { fromHex, fromLatin1 } from '#base'
import type { DescribedField, Pack } from '#pack'
import type { Context } from '../context.ts'
import type { Act } from '../program.ts'
import { ConfigProblems, placesOf } from '../settings.ts'
import { printTable } from '../table.ts'
import { EXIT, UsageError } from '../usage.ts'

type DecodeOptions = { readonly pack: string; readonly unsafe?: boolean }

const FRAME_CHARS_MAX = 64 * 1024

export function isoCommand(program: Command, act: Act): void {
  const iso = program.command('iso').description('frames of ISO 8583, by hand')
  iso
    .command('decode')
    .argument('<frame>', 'as text or hexadecimal, without its length header; - reads it from input')
    .description('what stands in a frame, field by field, masked')
    .requiredOption('--pack <name>', 'the dialect that it is written in')
    .option('--unsafe', 'names, tokens and the like in clear')
    .addHelpText(
      'after',
      '\nExample:\n  $ nadi iso decode --pack pln-2003-111 28000010000081810000202611200605000745190013010LOKET0000000001007SWX0001',
    )
    .action(
      act(async (context, text: string, options: DecodeOptions) => {
        const pack = await packOf(context, options.pack)
        const typed = text === '-' ? await context.terminal.readAll(FRAME_CHARS_MAX) : text
        return decode(context, pack, frameOf(typed), options.unsafe === true)
      }),
    )
}

function decode(context: Context, pack: Pack, frame: Uint8Array, unsafe: boolean): number {
  const { terminal } = context
  const read = pack.read(frame)
  const fields = pack.describe(frame, { unsafe })
  const problem = read.tag === 'reject' ? read.reject.error.message : undefined
  const kind = read.tag === 'message' ? `${read.message.kind} ${read.message.direction}` : undefined
  context.print({ pack: pack.name, length: frame.length, kind, problem, fields }, () => {
    printTable(terminal, fields, COLUMNS, 'Nothing in it could be read.')
    if (kind !== undefined) terminal.out(terminal.paint.green(`${frame.length} bytes: ${kind}`))
    if (problem !== undefined) terminal.err(terminal.paint.red(problem))
  })
  return problem === undefined ? EXIT.ok : EXIT.failed
}

const COLUMNS = [
  { title: 'BYTE', right: true, text: (row: DescribedField) => row.offset },
  { title: 'LEN', right: true, text: (row: DescribedField) => row.length },
  { title: 'FIELD', text: (row: DescribedField) => row.path },
  { title: 'VALUE', text: (row: DescribedField) => row.value },
  { title: 'MEANS', text: (row: DescribedField) => row.meaning ?? '' },
  { title: 'NAME', text: (row: DescribedField) => row.name },
]

/**
 * Text begins with a message type of four digits, and so may hexadecimal; but the hexadecimal of a
 * text has its digits as 3x, so a frame that reads as such is taken for that.
 */
function frameOf(typed: string): Uint8Array {
  const text = typed.replace(/[\r\n]+$/, '')
  if (text === '') throw new UsageError('there is no frame')
  const hex = /^(\s*3[0-9]){4}/.test(text) ? fromHex(text) : undefined
  return hex ?? fromLatin1(text)
}

/** A pack needs no configuration but its own folder. */
export async function packOf({ options, terminal }: Context, name: string): Promise<Pack> {
  const { loadPacks } = await import('#config')
  const places = await placesOf(options, terminal.env)
  const { packs, problems } = loadPacks(places.protocolsFolder)
  const pack = packs.get(name)
  if (pack) return pack
  const own = problems.filter(({ path }) => path.includes(name))
  if (own.length > 0) throw new ConfigProblems(own)
  throw new UsageError(`there is no pack ${name}; there are ${[...packs.keys()].join(', ')}`)
}
