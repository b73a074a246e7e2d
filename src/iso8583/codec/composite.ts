import type { Field } from './field.ts'
import type { Out } from './out.ts'
import type { CompositeSpec, FieldSpec, Leniency } from './spec.ts'
import type { Wire } from './wire.ts'

/**
 * The inside of a field. Its structure is checked whole when a frame is parsed, down to the last
 * nested one; the parts themselves are looked up only when someone asks for one.
 */
export interface Composite {
  readonly spec: CompositeSpec
  /**
   * Goes through all parts from `start` to `end`, which must be filled exactly, and checks them.
   * Throws NadiError CODEC_* with the path of the part.
   */
  walk(wire: Wire, start: number, end: number, visit?: Visit): void
  /** The parts in their order on the wire; `write` puts numbered ones in order itself. */
  write(out: Out, entries: readonly Entry[]): void
  /** The field that a part of this id has, also one that the spec does not name but keeps. */
  fieldOf(id: string): Field | undefined
  /** Whether parts stand in the order of their numbers; tags keep the order they are given in. */
  readonly numbered: boolean
}

/** One part as it lies on the wire: `at` is where its tag begins, `start` to `end` the field. */
export type Part = {
  readonly id: string
  readonly field: Field
  readonly at: number
  readonly start: number
  readonly end: number
}
export type Visit = (part: Part) => void

/** A part to be written: a value, the raw field as it lay on the wire, or parts of its own. */
export type Entry = { readonly id: string; readonly value: EntryValue }
export type EntryValue = string | Uint8Array | readonly Entry[]

/** What compiling needs everywhere; handed down the tree. */
export type Compile = {
  readonly lenient: ReadonlySet<Leniency>
  /** `inside` takes the place of the spec's own children. */
  field(spec: FieldSpec, path: string, depth: number, inside?: Composite): Field
}

/** Composites inside of composites; BER-TLV templates inside of templates. */
export const DEPTH_MAX = 8

/** The part that has this id; of repeated ones the one with this index. */
export function findPart(
  composite: Composite,
  wire: Wire,
  start: number,
  end: number,
  id: string,
  index: number,
): Part | undefined {
  let left = index
  let found: Part | undefined
  composite.walk(wire, start, end, part => {
    if (part.id === id && found === undefined && left-- === 0) found = part
  })
  return found
}
