import { mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { destination, type Logger, pino } from 'pino'
import type { Clock } from '#base'
import type { Log, LogFields } from './log.ts'

export type PinoLogOptions = {
  readonly clock: Clock
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** Standard output when undefined. The file is opened for appending, mode 0640. */
  readonly file?: string | undefined
  /** Stands in every line: the node's name. */
  readonly fields?: LogFields
}

/** Waiting lines in bytes; what does not fit is dropped, for a full disk must not stop payments. */
const BYTES_PENDING_MAX = 16 * 1024 * 1024

/** Long enough for one write of the system. */
const WRITE_MS = 20

/**
 * Lines of JSON, written without waiting for them; `flush` waits, and is for the end of the process.
 * Throws what the system says when the file cannot be opened.
 */
export function pinoLog({ clock, level, file, fields }: PinoLogOptions): Log & { flush(): void } {
  const out = destination({
    fd: file === undefined ? 1 : openForAppending(file),
    sync: false,
    maxLength: BYTES_PENDING_MAX,
  })
  // Whoever read our output may have gone. That is no reason to stop.
  out.on('error', () => {})
  const logger = pino(
    {
      level,
      base: fields ? redacted(fields) : null,
      messageKey: 'text',
      timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
      formatters: { level: label => ({ level: label }), log: redacted },
    },
    out,
  )
  const flush = (): void => {
    // One write may be under way in another thread, and nobody can ask whether it has ended.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WRITE_MS)
    try {
      out.flushSync()
    } catch {
      // Not open yet, or closed by the other side: there is nowhere to write to.
    }
  }
  return Object.assign(wrap(logger), { flush })
}

/** At once, so that nothing said in the first moments is lost when the start fails. */
function openForAppending(file: string): number {
  mkdirSync(dirname(file), { recursive: true })
  return openSync(file, 'a', 0o640)
}

function wrap(logger: Logger): Log {
  const plain: LogFields = {}
  return {
    debug: (text, fields = plain) => logger.debug(fields, text),
    info: (text, fields = plain) => logger.info(fields, text),
    warn: (text, fields = plain) => logger.warn(fields, text),
    error: (text, fields = plain) => logger.error(fields, text),
    child: fields => wrap(logger.child(redacted(fields))),
  }
}

/**
 * A second belt (law 9): nobody logs these, and if somebody does, this stands between. Field names
 * are compared without regard to case.
 */
const SENSITIVE = new Set([
  'token',
  'pin',
  'pan',
  'secret',
  'password',
  'key',
  'authorization',
  'track2',
  'pinblock',
])
const DEPTH_MAX = 5

function redacted(fields: Record<string, unknown>): Record<string, unknown> {
  return redact(fields, DEPTH_MAX) as Record<string, unknown>
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return describeError(value, depth)
  if (value instanceof Uint8Array) return `[${value.length} bytes]`
  if ('toJSON' in value && typeof value.toJSON === 'function') return value
  if (depth === 0) return '[deep]'
  if (Array.isArray(value)) return value.map(item => redact(item, depth - 1))
  const entries = value instanceof Map ? value : Object.entries(value)
  const clean: Record<string, unknown> = {}
  for (const [name, inner] of entries)
    clean[String(name)] = SENSITIVE.has(String(name).toLowerCase())
      ? '[redacted]'
      : redact(inner, depth - 1)
  return clean
}

/** An error's own fields (code, path, offset) beside its text; the stack only where it is a bug. */
function describeError(error: Error, depth: number): unknown {
  if (depth === 0) return error.message
  const { name, message, stack, cause, ...fields } = error as Error & Record<string, unknown>
  const own = { name, message, ...fields, ...(fields['code'] === undefined && { stack }) }
  return redact(cause === undefined ? own : { ...own, cause }, depth)
}
