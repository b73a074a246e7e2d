import { createInterface } from 'node:readline/promises'
import { askHidden } from './secret-input.ts'

/** Where the words go, and what may be done there. */
export type Terminal = {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly paint: Paint
  /** A person is there who can be asked. */
  readonly interactive: boolean
  readonly ask: (question: string) => Promise<string>
  /** The same with nothing shown of the answer, as bytes that can be wiped. */
  readonly askSecret?: (question: string) => Promise<Uint8Array>
  /** All of standard input, at most `bytesMax`. */
  readonly readAll: (bytesMax: number) => Promise<string>
  /** Standard input as it comes, for what is no text or has no end. */
  readonly input?: AsyncIterable<Uint8Array>
  /** Resolves when the reader of the output has taken enough of it for more to be written. */
  readonly drained?: () => Promise<void>
}

type Brush = (text: string) => string

export type Paint = {
  readonly bold: Brush
  readonly dim: Brush
  readonly red: Brush
  readonly green: Brush
  readonly yellow: Brush
  readonly cyan: Brush
}

const SGR = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const

export function paintFor(colour: boolean): Paint {
  const brush =
    ([on, off]: readonly [number, number]): Brush =>
    text =>
      colour && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return {
    bold: brush(SGR.bold),
    dim: brush(SGR.dim),
    red: brush(SGR.red),
    green: brush(SGR.green),
    yellow: brush(SGR.yellow),
    cyan: brush(SGR.cyan),
  }
}

/** The process's own terminal. Colour only for people, and not for those who said no (NO_COLOR). */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process
  // Whoever reads only the first lines (`| head`) has what he wanted.
  stdout.on('error', () => process.exit(0))
  return {
    out: text => void stdout.write(`${text}\n`),
    err: text => void stderr.write(`${text}\n`),
    env,
    paint: paintFor(stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb'),
    interactive: stdin.isTTY && stdout.isTTY,
    input: stdin,
    async drained() {
      if (stdout.writableNeedDrain) await new Promise(resolve => stdout.once('drain', resolve))
    },
    async ask(question) {
      const lines = createInterface({ input: stdin, output: stdout })
      // The end of input is no answer.
      const ended = new Promise<string>(resolve => {
        lines.once('close', () => resolve(''))
      })
      try {
        return await Promise.race([lines.question(question), ended])
      } finally {
        lines.close()
      }
    },
    askSecret: question => askHidden(stdin, text => void stdout.write(text), question),
    async readAll(bytesMax) {
      let text = ''
      for await (const chunk of stdin) {
        text += String(chunk)
        if (text.length > bytesMax) break
      }
      return text
    },
  }
}
