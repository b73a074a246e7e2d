import { luhn, type NadiError } from '#base'
import type { Dialect } from './dialect.ts'
import { triedFramings, unframe, type NamedFraming } from './framings.ts'
import { readings, type InputForm } from './input.ts'
import { meaningOf, mtiMeaning } from './meanings.ts'
import { leavesOf, treeOf } from './tree.ts'
import { readFrame } from './view.ts'

/** One explanation of an unknown dump. */
export type Guess = {
  readonly dialect: Dialect
  readonly framing: NamedFraming | undefined
  /** Bytes before each message that the dialect does not have. */
  readonly skipped: number
  readonly as: InputForm
  readonly frames: readonly Uint8Array[]
  /** 0 to 100. */
  readonly score: number
  readonly why: readonly string[]
}

/** What the frames may be, before any dialect looks at them. */
type Cut = Pick<Guess, 'framing' | 'skipped' | 'as' | 'frames'>

const GUESSES_MAX = 20
const FRAMES_LOOKED_AT = 20
const SKIPPED_MAX = 40

/** Explanations, the best first. Every dialect is tried with every way to cut the input. */
export function diagnose(dialects: readonly Dialect[], input: Uint8Array): Guess[] {
  const cuts = cutsOf(input)
  let guesses = guessAll(dialects, cuts)
  if (!guesses.some(isClean)) {
    guesses = [...guesses, ...guessAll(dialects, cuts.flatMap(skipping)).filter(isClean)]
  }
  return guesses.toSorted((a, b) => b.score - a.score).slice(0, GUESSES_MAX)
}

const CLEAN_SCORE = 50
const isClean = ({ score }: Guess): boolean => score >= CLEAN_SCORE

function guessAll(dialects: readonly Dialect[], cuts: readonly Cut[]): Guess[] {
  return cuts.flatMap(cut => dialects.map(dialect => guess(dialect, cut)))
}

function cutsOf(input: Uint8Array): Cut[] {
  const all = readings(input)
  const plain = all.map(({ as, frames }): Cut => ({ as, frames, framing: undefined, skipped: 0 }))
  const framed = triedFramings().flatMap(framing =>
    all.flatMap(({ as, frames }): Cut[] => {
      const inside = frames.map(frame => unframe(framing, frame)?.frames)
      if (inside.includes(undefined)) return []
      return [{ as, frames: inside.flatMap(one => one ?? []), framing, skipped: 0 }]
    }),
  )
  return distinct([...plain, ...framed])
}

/** The same frames may come out of several ways to read the input; the first is enough. */
function distinct(cuts: readonly Cut[]): Cut[] {
  const seen = new Set<string>()
  return cuts.filter(({ frames }) => {
    const key = frames.map(frame => Buffer.from(frame).toString('latin1')).join('\u{10ffff}')
    const isNew = !seen.has(key)
    seen.add(key)
    return isNew
  })
}

function skipping(cut: Cut): Cut[] {
  const shortest = Math.min(...cut.frames.map(({ length }) => length))
  return Array.from({ length: Math.max(0, Math.min(SKIPPED_MAX, shortest - 10)) }, (_, index) => ({
    ...cut,
    skipped: index + 1,
    frames: cut.frames.map(frame => frame.subarray(index + 1)),
  }))
}

/**
 * Up to 40 points for how far it can be read, 20 when all of it can, and 40 for values that make
 * sense: dates that exist, known codes, right check digits.
 */
function guess(dialect: Dialect, cut: Cut): Guess {
  const looked = cut.frames.slice(0, FRAMES_LOOKED_AT).map(frame => look(dialect, frame))
  const average = (of: (one: Look) => number) =>
    looked.reduce((sum, one) => sum + of(one), 0) / Math.max(1, looked.length)
  const clean = looked.every(({ error }) => error === undefined)
  const score = clean
    ? 60 + 40 * average(({ sense }) => sense) - Math.min(5, cut.skipped)
    : 40 * average(({ reach }) => reach) * 0.9 + 4 * average(({ sense }) => sense)
  return { dialect, ...cut, score: Math.round(Math.max(0, score)), why: reasons(cut, looked) }
}

type Look = {
  readonly error: NadiError | undefined
  readonly reach: number
  readonly sense: number
  readonly fields: number
  readonly good: readonly string[]
  readonly odd: readonly string[]
}

function look(dialect: Dialect, frame: Uint8Array): Look {
  const read = readFrame(dialect, frame)
  const { error, message, plain } = read
  const reach = error ? Math.min(1, (error.offset ?? 0) / Math.max(1, frame.length)) : 1
  const leaves = leavesOf(treeOf(dialect.spec, plain))
  const texts = new Map(leaves.map(({ path, text }) => [path, text]))
  const beside = { mti: message.mti, value: (path: string) => texts.get(path) }
  const good: string[] = []
  const odd: string[] = []
  const note = (holds: boolean, path: string, word: string): void => {
    if (holds) good.push(`${path} is a ${word}`)
    else odd.push(`${path} is no ${word}`)
  }
  if (message.mti !== '') note(mtiMeaning(message.mti) !== undefined, message.mti, 'message type')
  for (const [path, word] of Object.entries(CHECKED)) {
    const text = texts.get(path)
    if (text !== undefined) note(meaningOf(path, text, beside) !== undefined, path, word)
  }
  const pan = texts.get('2')
  if (pan !== undefined && pan.length >= 13) note(luhn(pan), '2', 'card number')
  if (dialect.pack && !error) {
    const understood = dialect.pack.read(frame)
    if (understood.tag === 'message')
      good.push(`the pack understands it (${understood.message.kind})`)
    else odd.push(`the pack does not understand it (${understood.reject.error.code})`)
  }
  const checked = good.length + odd.length
  // Few checks prove little: one that holds is not as good as ten.
  const sense = checked === 0 ? 0 : (good.length - odd.length * 0.5) / (checked + 1)
  const fields = Object.keys(plain.fields).length
  return { error, reach, sense: Math.max(0, sense), fields, good, odd }
}

/** Elements whose values can be told from random ones. */
const CHECKED: Readonly<Record<string, string>> = {
  3: 'processing code',
  7: 'time',
  12: 'time',
  13: 'date',
  15: 'date',
  17: 'date',
  39: 'response code',
  49: 'currency',
  70: 'network code',
  90: 'original',
}

function reasons({ framing, skipped, frames, as }: Cut, looked: readonly Look[]): string[] {
  const [first] = looked
  const many = frames.length === 1 ? 'one message' : `${frames.length} messages`
  const how = framing ? `${framing.text} accounts for every byte: ${many}` : `${many}, no framing`
  const bad = looked.filter(({ error }) => error).length
  const out = [`read as ${as}; ${how}`]
  if (skipped > 0) out.push(`${skipped} bytes before the message type are of no field`)
  if (!first) return out
  const { error, fields, good, odd } = first
  if (error) {
    const at = error.offset === undefined ? '' : ` at byte ${error.offset}`
    out.push(`after ${fields} fields it stops${at}: ${error.code} in ${error.path ?? 'the frame'}`)
  } else out.push(`${fields} fields, and nothing is left over`)
  if (bad > 0 && looked.length > 1) out.push(`${bad} of ${looked.length} messages cannot be read`)
  if (good.length > 0) out.push(good.join(', '))
  if (odd.length > 0) out.push(`but ${odd.join(', ')}`)
  return out
}
