import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import type { Terminal } from '../terminal.ts'
import { UsageError } from '../usage.ts'

const INPUT_BYTES_MAX = 16_000_000

/** What was given as an argument: the bytes of a file, of standard input (`-` or nothing), or itself. */
export async function sourceOf(
  terminal: Terminal,
  argument: string | undefined,
): Promise<Uint8Array> {
  if (argument === undefined || argument === '-') return readInput(terminal)
  const file = argument.startsWith('@') ? argument.slice(1) : argument
  if (argument.startsWith('@') || isFile(file)) return readFile(file)
  return Buffer.from(argument, 'utf8')
}

function isFile(name: string): boolean {
  return name.length < 1000 && existsSync(name) && statSync(name).isFile()
}

function readFile(file: string): Uint8Array {
  try {
    if (statSync(file).size > INPUT_BYTES_MAX) throw new UsageError(`${file} is too large`)
    return readFileSync(file)
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { code = '' } = error as NodeJS.ErrnoException
    throw new UsageError(`the file ${file} cannot be read (${code})`)
  }
}

async function readInput({ input, readAll }: Terminal): Promise<Uint8Array> {
  if (!input) return Buffer.from(await readAll(INPUT_BYTES_MAX), 'latin1')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    size += chunk.length
    if (size > INPUT_BYTES_MAX)
      throw new UsageError(`the input is longer than ${INPUT_BYTES_MAX} bytes`)
  }
  return Buffer.concat(chunks)
}

const LINE_CHARS_MAX = 4_000_000

/** The lines of a file or of standard input as they come, however long the whole is. */
export async function* linesFrom(
  terminal: Terminal,
  argument: string | undefined,
): AsyncGenerator<string[]> {
  const chunks = await chunksFrom(terminal, argument)
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LINE_CHARS_MAX) {
      throw new UsageError(`a line is longer than ${LINE_CHARS_MAX} characters`)
    }
    if (lines.length > 0) yield lines
  }
  if (rest !== '') yield [rest]
}

async function chunksFrom(
  terminal: Terminal,
  argument: string | undefined,
): Promise<AsyncIterable<Uint8Array> | readonly Uint8Array[]> {
  if (argument === undefined || argument === '-') {
    return terminal.input ?? [await readInput(terminal)]
  }
  const file = argument.replace(/^@/, '')
  return isFile(file) ? createReadStream(file) : [await sourceOf(terminal, argument)]
}
