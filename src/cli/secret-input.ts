import { readFileSync, statSync } from 'node:fs'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage.ts'

/** A component in hexadecimal, however it is grouped, is shorter than this. */
const BYTES_MAX = 1024
const OTHERS_MAY_READ = 0o077

/**
 * A component of a key as bytes, never as a string, which could not be wiped: typed without echo,
 * out of a file, or of standard input (`-`). Whoever has it wipes it. Throws UsageError, which never
 * tells what was given.
 */
export async function readComponent(
  terminal: Terminal,
  file: string | undefined,
): Promise<Uint8Array> {
  const digits =
    file === undefined ? await typed(terminal) : file === '-' ? await piped(terminal) : inFile(file)
  try {
    return fromDigits(digits)
  } finally {
    digits.fill(0)
  }
}

async function typed(terminal: Terminal): Promise<Uint8Array> {
  if (terminal.askSecret && terminal.interactive)
    return terminal.askSecret('Component, in hexadecimal (nothing is shown): ')
  throw new UsageError('a component is typed at a terminal; --file names a file, or - for input')
}

async function piped({ input }: Terminal): Promise<Uint8Array> {
  const digits = Buffer.alloc(BYTES_MAX)
  let length = 0
  for await (const chunk of input ?? []) {
    if (length + chunk.length > BYTES_MAX) throw new UsageError('the input is too long')
    digits.set(chunk, length)
    length += chunk.length
    chunk.fill(0)
  }
  return digits.subarray(0, length)
}

function inFile(file: string): Uint8Array {
  try {
    const { mode, size } = statSync(file)
    if ((mode & OTHERS_MAY_READ) !== 0)
      throw new UsageError(`${file} can be read by others; chmod 600 it`)
    if (size > BYTES_MAX) throw new UsageError(`${file} is too long to be a component`)
    return readFileSync(file)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0x2d])

/** Hexadecimal digits, in groups or not. */
export function fromDigits(digits: Uint8Array): Uint8Array {
  const count = digits.reduce((sum, code) => (BLANKS.has(code) ? sum : sum + 1), 0)
  const bytes = Buffer.alloc(count >> 1)
  let at = 0
  for (const code of digits) {
    if (BLANKS.has(code)) continue
    const nibble = nibbleOf(code)
    if (nibble === undefined || count % 2 === 1 || count === 0) {
      bytes.fill(0)
      throw new UsageError('a component is an even number of hexadecimal digits')
    }
    bytes[at >> 1] = ((bytes[at >> 1] as number) << 4) | nibble
    at++
  }
  if (count === 0) throw new UsageError('no component was given')
  return bytes
}

function nibbleOf(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : undefined
}

const ENTER = [0x0d, 0x0a, 0x04]
const INTERRUPT = 0x03
const RUBOUT = [0x7f, 0x08]

/** A line of a terminal in raw mode, which shows nothing of it. */
export async function askHidden(
  stdin: NodeJS.ReadStream,
  say: (text: string) => void,
  question: string,
): Promise<Uint8Array> {
  say(question)
  const line = Buffer.alloc(BYTES_MAX)
  let length = 0
  stdin.setRawMode(true)
  stdin.resume()
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      const take = (chunk: Buffer): void => {
        for (const code of chunk) {
          if (code === INTERRUPT) reject(new UsageError('interrupted; nothing was sent'))
          else if (ENTER.includes(code)) resolve(line.subarray(0, length))
          else if (RUBOUT.includes(code)) length = Math.max(0, length - 1)
          else if (length < BYTES_MAX) line[length++] = code
        }
        chunk.fill(0)
      }
      stdin.on('data', take)
    })
  } finally {
    stdin.removeAllListeners('data')
    stdin.setRawMode(false)
    stdin.pause()
    say('\n')
  }
}
