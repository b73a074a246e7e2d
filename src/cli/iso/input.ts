import { fromHex } from '#base'
import { isDump, readDumps } from './dump.ts'

/** One way to understand what was given: so many frames, and what they were taken for. */
export type Reading = { readonly as: InputForm; readonly frames: readonly Uint8Array[] }

export const INPUT_FORMS = ['hex', 'binary', 'base64', 'text', 'dump', 'log'] as const
export type InputForm = (typeof INPUT_FORMS)[number]

const FRAMES_MAX = 10_000
/** Shorter runs of hexadecimal in a log line are times, addresses and the like. */
const LOG_DIGITS_MIN = 20

/**
 * All ways to understand what was given, the likeliest first. Which one is right only a dialect
 * can tell: `0800` is hexadecimal of two bytes BCD as well as text of four characters.
 */
export function readings(input: Uint8Array, as?: InputForm): Reading[] {
  if (as !== undefined) return [readAs(input, as)].filter(reading => reading !== undefined)
  if (!isText(input)) return [{ as: 'binary', frames: [input] }]
  const text = textOf(input)
  const tried = isDump(text)
    ? [readAs(input, 'dump')]
    : [...hexReadings(text), base64Reading(text), textReading(text), ...logReadings(text)]
  return tried.filter(reading => reading !== undefined && reading.frames.length > 0) as Reading[]
}

function readAs(input: Uint8Array, as: InputForm): Reading | undefined {
  const text = textOf(input)
  switch (as) {
    case 'binary':
      return { as, frames: [input] }
    case 'hex':
      return hexReadings(text)[0]
    case 'base64':
      return base64Reading(text)
    case 'text':
      return textReading(text)
    case 'dump':
      return { as, frames: readDumps(text) }
    case 'log':
      return logReadings(text)[0]
  }
}

/** Bytes above 7F may be letters; control characters other than white space are not in a text. */
function isText(bytes: Uint8Array): boolean {
  for (const byte of bytes) {
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false
    if (byte >= 0x7f) return false
  }
  return true
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** Hexadecimal with spaces, colons, dashes, commas, `0x` and `\x`: all lines one frame, or one a line. */
function hexReadings(text: string): Reading[] {
  const whole = hexOf(text)
  const lines = linesOf(text)
  const each = lines.length > 1 ? framesOf(lines.map(hexOf)) : undefined
  return [
    ...(whole ? [{ as: 'hex', frames: [whole] } as const] : []),
    ...(each ? [{ as: 'hex', frames: each } as const] : []),
  ]
}

export function hexOf(text: string): Uint8Array | undefined {
  const clean = text.replace(/0x|\\x/gi, ' ').replace(/[\s:,;-]+/g, '')
  return clean === '' ? undefined : fromHex(clean)
}

function base64Reading(text: string): Reading | undefined {
  const clean = text.replace(/\s+/g, '')
  if (clean.length < 8 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(clean)) return undefined
  const bytes = Buffer.from(clean, 'base64')
  return bytes.length > 0 ? { as: 'base64', frames: [bytes] } : undefined
}

/** The frame itself, when all of it can be typed. The end of the line is not part of it. */
function textReading(text: string): Reading | undefined {
  const typed = text.replace(/[\r\n]+$/, '')
  return typed === '' ? undefined : { as: 'text', frames: [Buffer.from(typed, 'latin1')] }
}

/** The longest run of hexadecimal in each line that has a long one; else what stands in quotes. */
function logReadings(text: string): Reading[] {
  const frames = linesOf(text)
    .map(line => hexRun(line))
    .filter(frame => frame !== undefined)
    .slice(0, FRAMES_MAX)
  return frames.length > 0 ? [{ as: 'log', frames }] : []
}

/** Digits in one run, or in pairs with the same sign between them. */
const RUNS = /(?:[0-9a-f]{2}(?:[ :-](?=[0-9a-f]{2}(?![0-9a-f])))?)+/gi

function hexRun(line: string): Uint8Array | undefined {
  let longest = ''
  for (const [run] of line.matchAll(RUNS)) {
    const digits = run.replace(/[ :-]/g, '')
    if (digits.length > longest.length) longest = digits
  }
  return longest.length >= LOG_DIGITS_MIN ? fromHex(longest) : undefined
}

function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .filter(line => line.trim() !== '')
    .slice(0, FRAMES_MAX)
}

function framesOf(frames: readonly (Uint8Array | undefined)[]): Uint8Array[] | undefined {
  const whole = frames.filter(frame => frame !== undefined)
  return whole.length === frames.length ? whole : undefined
}
