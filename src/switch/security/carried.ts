import type { PinFormat } from '#hsm'
import type { IsoCodec, IsoMessage } from '#iso8583'

/**
 * What a request brought and nobody may keep: its PIN block and track data. It goes beside the
 * message, in memory only, to the one sending that it is for; journal, evidence, logs, store and
 * forward, repeats and reversals never see it.
 */
export type Carried = {
  readonly pin: CarriedPin | undefined
  /** By element, as they stood on the wire. */
  readonly card: ReadonlyMap<number, string>
}

export type CarriedPin = {
  /** Hexadecimal, under one of the keys of the zone that it came from. */
  readonly block: string
  readonly format: PinFormat
  /** Keys that it may be under, the likeliest first; asked at the moment of use. */
  readonly keys: () => readonly string[]
}

/** The frame without these elements, and their values. */
export function takeOut(
  message: IsoMessage,
  elements: readonly number[],
): { readonly frame: Uint8Array; readonly values: ReadonlyMap<number, string> } {
  const values = new Map<number, string>()
  for (const number of elements) {
    const value = message.get(number)
    if (value !== undefined) values.set(number, value)
  }
  if (values.size === 0) return { frame: message.frame, values }
  const draft = message.draft()
  for (const number of values.keys()) draft.remove(number)
  return { frame: draft.build(), values }
}

/** Of the elements that hold what nobody may keep, those that the dialect has. */
export function secretElements({ spec }: IsoCodec): readonly number[] {
  const ids = new Set(spec.fields.map(({ id }) => id))
  return SECRET.filter(number => ids.has(String(number)))
}

/** Tracks 2, 3 and 1, PIN data. */
export const SECRET: readonly number[] = [35, 36, 45, 52]
