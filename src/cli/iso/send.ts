import { connect } from 'node:net'
import { isNadiError, toHex } from '#base'
import type { Context } from '../context.ts'
import { hostPort, milliseconds } from '../parse.ts'
import { EXIT, UsageError } from '../usage.ts'
import { printFrame } from './decode.ts'
import { framingOf, type NamedFraming } from './framings.ts'
import { dialectOf, frameOf, type Given } from './given.ts'
import { errorData, maskedPlain, readFrame } from './view.ts'

export type SendOptions = Given & {
  readonly over: string
  readonly timeout: string
  readonly unsafe?: boolean
  readonly wide?: boolean
}

/** How a message that was sent ended; silence is not an answer (and not a decline). */
type Ended = { readonly answer: Uint8Array; readonly ms: number } | { readonly problem: string }

export async function send(
  context: Context,
  address: string,
  argument: string | undefined,
  options: SendOptions,
): Promise<number> {
  const { terminal } = context
  const { host, port } = hostPort(address)
  const dialect = await dialectOf(context, options)
  const frame = await frameOf(context, dialect, argument, options)
  const framing = framingOf(options.over, dialect.codec)
  const wire = wrapped(framing, frame)
  const timeoutMs = await milliseconds(options.timeout)
  const ended = await exchange({ host, port }, framing, wire, timeoutMs)
  const unsafe = options.unsafe === true
  if ('problem' in ended) {
    if (context.json) context.print({ problem: ended.problem }, () => {})
    else terminal.err(terminal.paint.red(`nadi: ${ended.problem}`))
    return EXIT.failed
  }
  const { answer, ms } = ended
  if (context.json) {
    const { plain, error } = readFrame(dialect, answer)
    const hex = unsafe ? toHex(answer) : undefined
    const data = {
      ms,
      hex,
      ...maskedPlain(dialect, plain, unsafe),
      error: error && errorData(error),
    }
    context.print(data, () => {})
    return error ? EXIT.failed : EXIT.ok
  }
  terminal.out(terminal.paint.dim(`answered in ${ms} ms`))
  const readable = printFrame(terminal, dialect, answer, unsafe, options.wide === true)
  return readable ? EXIT.ok : EXIT.failed
}

function wrapped({ name, framer }: NamedFraming, frame: Uint8Array): Uint8Array {
  try {
    return framer.wrap(frame)
  } catch (error) {
    if (!isNadiError(error)) throw error
    throw new UsageError(`the message cannot be framed as ${name}: ${error.message}`)
  }
}

/** With framings that a pause ends, the line is silent after this long. */
const PAUSE_MS = 200

function exchange(
  to: { host: string; port: number },
  { framer }: NamedFraming,
  wire: Uint8Array,
  timeoutMs: number,
): Promise<Ended> {
  return new Promise(resolve => {
    const socket = connect({ ...to, noDelay: true })
    const reader = framer.reader()
    const timers = new Set<NodeJS.Timeout>()
    let sentAtMs = 0
    const end = (ended: Ended): void => {
      for (const timer of timers) clearTimeout(timer)
      socket.destroy()
      resolve(ended)
    }
    const later = (ms: number, run: () => void): NodeJS.Timeout => {
      const timer = setTimeout(run, ms)
      timers.add(timer)
      return timer
    }
    const onFrame = (frame: Uint8Array): void =>
      end({ answer: Uint8Array.from(frame), ms: Date.now() - sentAtMs })
    const onKeepAlive = (): void => {
      if (framer.keepAliveAnswered && framer.keepAlive) socket.write(framer.keepAlive)
    }
    const quietly = (run: () => void): void => {
      try {
        run()
      } catch (error) {
        if (!isNadiError(error)) throw error
        end({ problem: `the answer is not framed like that: ${error.message}` })
      }
    }
    let pause: NodeJS.Timeout | undefined
    later(timeoutMs, () => {
      const pending = reader.bytesPending
      const some = pending > 0 ? `, only ${pending} bytes of one` : ''
      end({ problem: `no answer within ${timeoutMs} ms${some}` })
    })
    socket.once('connect', () => {
      sentAtMs = Date.now()
      socket.write(wire)
    })
    socket.on('data', chunk => {
      quietly(() => reader.push(chunk, onFrame, onKeepAlive))
      if (!framer.endsByPause) return
      clearTimeout(pause)
      pause = later(PAUSE_MS, () => quietly(() => reader.pause(onFrame)))
    })
    socket.once('error', error => {
      const { code = error.message } = error as NodeJS.ErrnoException
      end({ problem: `${to.host}:${to.port} cannot be reached (${code})` })
    })
    socket.once('close', () => {
      quietly(() => reader.pause(onFrame))
      end({ problem: 'the other side hung up without an answer' })
    })
  })
}
