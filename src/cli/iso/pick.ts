import { UsageError } from '../usage.ts'
import type { Dialect } from './dialect.ts'
import { triedFramings, unframe, type NamedFraming } from './framings.ts'
import { readings, type InputForm, type Reading } from './input.ts'

/** How the input was understood. */
export type Picked = {
  readonly as: InputForm
  readonly frames: readonly Uint8Array[]
  /** The framing that stood around the frames. */
  readonly framing: NamedFraming | undefined
  /** It was not asked for: the frames make no sense with it. */
  readonly guessed: boolean
}

export type PickOptions = { readonly as?: InputForm; readonly framing?: NamedFraming }

/**
 * The first way to understand the input in which every frame can be read; with a framing around
 * them only when no other will do. When there is none, the one that got furthest.
 */
export function pick(dialect: Dialect, input: Uint8Array, { as, framing }: PickOptions): Picked {
  const all = readings(input, as)
  const plain = framing ? all.flatMap(one => framed(one, framing)) : all.map(asItIs)
  if (plain.length === 0) throw new UsageError(nothing(input, as, framing))
  const clean = plain.find(one => one.frames.every(frame => isClean(dialect, frame)))
  if (clean) return clean
  const guessed = framing ? undefined : guess(dialect, all)
  return (
    guessed ??
    plain.reduce((best, one) => (reach(dialect, one) > reach(dialect, best) ? one : best))
  )
}

function asItIs({ as, frames }: Reading): Picked {
  return { as, frames, framing: undefined, guessed: false }
}

function framed({ as, frames }: Reading, framing: NamedFraming): Picked[] {
  const inside = frames.map(frame => unframe(framing, frame)?.frames)
  if (inside.includes(undefined)) return []
  return [{ as, frames: inside.flatMap(one => one ?? []), framing, guessed: false }]
}

function guess(dialect: Dialect, all: readonly Reading[]): Picked | undefined {
  for (const framing of triedFramings()) {
    for (const reading of all) {
      const [found] = framed(reading, framing)
      if (found?.frames.every(frame => isClean(dialect, frame))) return { ...found, guessed: true }
    }
  }
  return undefined
}

function isClean({ codec }: Dialect, frame: Uint8Array): boolean {
  return codec.parsePartly(frame).error === undefined
}

/** How much of the frames could be read, from 0 to 1. */
function reach({ codec }: Dialect, { frames }: Picked): number {
  const parts = frames.map(frame => {
    const { error } = codec.parsePartly(frame)
    return error ? (error.offset ?? 0) / Math.max(1, frame.length) : 1
  })
  return parts.reduce((sum, part) => sum + part, 0) / Math.max(1, parts.length)
}

function nothing(
  input: Uint8Array,
  as: InputForm | undefined,
  framing: NamedFraming | undefined,
): string {
  if (input.length === 0) return 'there is no message'
  const how = [as && `as ${as}`, framing && `with the framing ${framing.name}`]
  return `the input cannot be understood ${how.filter(Boolean).join(' ')}`.trim()
}
