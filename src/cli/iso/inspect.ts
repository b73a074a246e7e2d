import { toHex } from '#base'
import type { Context } from '../context.ts'
import { printTable } from '../table.ts'
import { EXIT, UsageError } from '../usage.ts'
import { convert } from './convert.ts'
import { allDialects, readDialect, type Dialect } from './dialect.ts'
import { differences, type Difference } from './diff.ts'
import { diagnose, type Guess } from './doctor.ts'
import { dialectOf, frameOf, framesOf, written, type Given } from './given.ts'
import { redacted } from './mask.ts'
import { sourceOf } from './source.ts'
import { leavesOf, treeOf } from './tree.ts'
import { readFrame, type Read } from './view.ts'

/** Reads a message or throws what is wrong with it. */
function readWhole(dialect: Dialect, frame: Uint8Array): Read {
  const read = readFrame(dialect, frame)
  if (read.error) throw read.error
  return read
}

export async function diff(
  context: Context,
  left: string,
  right: string,
  options: Given & { readonly unsafe?: boolean },
): Promise<number> {
  const { terminal } = context
  const dialect = await dialectOf(context, options)
  const a = readWhole(dialect, await frameOf(context, dialect, left, options))
  const b = readWhole(dialect, await frameOf(context, dialect, right, options))
  const found = differences(dialect, a, b, options.unsafe === true)
  context.print({ spec: dialect.name, same: found.length === 0, differences: found }, () => {
    if (found.length === 0) return terminal.out(terminal.paint.green('They are the same.'))
    printTable(terminal, found, DIFF_COLUMNS, '')
  })
  return found.length === 0 ? EXIT.ok : EXIT.failed
}

const DIFF_COLUMNS = [
  { title: '', text: ({ sign }: Difference) => sign },
  { title: 'FIELD', text: ({ path }: Difference) => path },
  { title: 'LEFT', text: ({ left }: Difference) => left },
  { title: 'RIGHT', text: ({ right }: Difference) => right },
  { title: 'MEANS', text: ({ meaning }: Difference) => meaning },
  { title: 'NAME', text: ({ name }: Difference) => name },
]

export async function redact(
  context: Context,
  argument: string | undefined,
  options: Given & { readonly out: string },
): Promise<number> {
  const dialect = await dialectOf(context, options)
  const { frames } = await framesOf(context, dialect, argument, options)
  const safe = frames.map(frame => redactFrame(dialect, readWhole(dialect, frame)))
  for (const frame of safe) {
    // What is given away must itself be a message of the dialect.
    dialect.codec.parse(frame)
    print(context, frame, options.out)
  }
  return EXIT.ok
}

/** Only what is secret is written anew; all else is copied as it lies in the frame. */
function redactFrame({ spec }: Dialect, { message, plain }: Read): Uint8Array {
  const draft = message.draft()
  for (const node of leavesOf(treeOf(spec, plain))) {
    const value = redacted(node)
    if (value !== node.text) draft.setAt(node.path, value)
  }
  return draft.build()
}

function print({ terminal }: Context, frame: Uint8Array, form: string): void {
  if (form === 'binary') process.stdout.write(frame)
  else terminal.out(written(frame, form))
}

export async function validate(
  context: Context,
  argument: string | undefined,
  options: Given & { readonly request?: string },
): Promise<number> {
  const { terminal } = context
  const dialect = await dialectOf(context, options)
  const { frames } = await framesOf(context, dialect, argument, options)
  const request =
    options.request === undefined
      ? undefined
      : readWhole(dialect, await frameOf(context, dialect, options.request, options)).message
  const problems = frames.flatMap((frame, index) => {
    const { message, error } = readFrame(dialect, frame)
    if (error)
      return [{ message: index + 1, path: error.path ?? '', rule: 'readable', text: error.message }]
    return dialect.codec.validate(message, request).map(one => ({ message: index + 1, ...one }))
  })
  context.print({ spec: dialect.name, valid: problems.length === 0, problems }, () => {
    if (problems.length === 0) {
      const rules = dialect.spec.overlays.length
      terminal.out(terminal.paint.green('It is what its dialect says.'))
      if (rules === 0)
        terminal.out(terminal.paint.dim(`${dialect.name} says nothing by message type.`))
      return
    }
    printTable(
      terminal,
      problems,
      [
        {
          title: 'MESSAGE',
          right: true,
          text: ({ message }) => (frames.length > 1 ? message : ''),
        },
        { title: 'FIELD', text: ({ path }) => path },
        { title: 'RULE', text: ({ rule }) => rule, brush: (_, paint) => paint.red },
        { title: 'WHAT IS WRONG', text: ({ text }) => text },
      ],
      '',
    )
  })
  return problems.length === 0 ? EXIT.ok : EXIT.failed
}

export async function convertOne(
  context: Context,
  argument: string | undefined,
  options: Given & { readonly from: string; readonly to: string; readonly out: string },
): Promise<number> {
  const { terminal } = context
  const from = await dialectOf(context, { spec: options.from })
  const to = await dialectOf(context, { spec: options.to })
  const { frames } = await framesOf(context, from, argument, options)
  const all = frames.map(frame => convert(readWhole(from, frame), to))
  if (context.json) {
    const messages = all.map(({ frame, lost }) => ({ hex: toHex(frame), lost }))
    context.print({ from: from.name, to: to.name, messages }, () => {})
    return EXIT.ok
  }
  for (const { frame, lost } of all) {
    print(context, frame, options.out)
    for (const { path, text } of lost) {
      terminal.err(terminal.paint.yellow(`${path} is not carried over: ${text}`))
    }
  }
  return EXIT.ok
}

export async function doctor(
  context: Context,
  argument: string | undefined,
  options: { readonly spec?: readonly string[]; readonly only?: boolean },
): Promise<number> {
  const { terminal } = context
  const input = await sourceOf(terminal, argument)
  if (input.length === 0) throw new UsageError('there is no dump')
  const named = await Promise.all((options.spec ?? []).map(name => readDialect(context, name)))
  const dialects = options.only ? named : [...named, ...(await allDialects(context))]
  const guesses = diagnose(dialects, input)
  const [best] = guesses
  const found = best !== undefined && best.score >= GOOD_SCORE
  context.print({ found, guesses: guesses.map(guessData) }, () => {
    if (!best) return terminal.err('The input cannot be understood at all.')
    printTable(terminal, guesses.slice(0, GUESSES_SHOWN), GUESS_COLUMNS, '')
    terminal.out('')
    terminal.out(
      terminal.paint.bold(
        found ? `It is ${nameOf(best)}:` : `Nothing fits; nearest is ${nameOf(best)}:`,
      ),
    )
    for (const line of best.why) terminal.out(`  ${line}`)
    if (found) terminal.out(terminal.paint.dim(`Read it with: ${commandFor(best)}`))
  })
  return found ? EXIT.ok : EXIT.failed
}

const GOOD_SCORE = 50
const GUESSES_SHOWN = 8

const nameOf = ({ dialect, framing }: Guess): string =>
  framing ? `${dialect.name} over ${framing.name}` : dialect.name

const GUESS_COLUMNS = [
  { title: 'SCORE', right: true, text: ({ score }: Guess) => score },
  { title: 'SPEC', text: ({ dialect }: Guess) => dialect.name },
  { title: 'FRAMING', text: ({ framing }: Guess) => framing?.name ?? '-' },
  { title: 'SKIPPED', right: true, text: ({ skipped }: Guess) => skipped || '' },
  { title: 'INPUT', text: ({ as }: Guess) => as },
  { title: 'MESSAGES', right: true, text: ({ frames }: Guess) => frames.length },
]

function commandFor({ dialect, framing, as, skipped }: Guess): string {
  const spec = dialect.origin.startsWith('specs/') || dialect.pack ? dialect.name : dialect.origin
  const how = framing ? ` --framing ${framing.name}` : ''
  const rest = skipped > 0 ? ` (with "header: ${skipped} bytes" in the table)` : ''
  return `nadi iso decode --spec ${spec}${how} --as ${as} …${rest}`
}

function guessData({ dialect, framing, skipped, as, frames, score, why }: Guess) {
  return {
    score,
    spec: dialect.name,
    framing: framing?.name,
    skippedBytes: skipped,
    as,
    messages: frames.length,
    why,
  }
}
