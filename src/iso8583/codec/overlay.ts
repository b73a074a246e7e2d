import type { Field } from './field.ts'
import type { FieldSpec, OverlaySpec } from './spec.ts'

/** What overlays are chosen by. Data elements 3 and 39 are undefined while they are not known. */
export type Facts = {
  readonly mti: string
  processing(): string | undefined
  response(): string | undefined
}

export type Overlay = {
  readonly spec: OverlaySpec
  /** Fields that this overlay lays out differently, by number. */
  readonly fields: ReadonlyMap<number, Field>
  readonly matches: (facts: Facts) => boolean
}

/** Which field stands for a number in one message. */
export type Variants = {
  readonly numbers: ReadonlySet<number>
  /** The last overlay that matches and has the field wins; undefined: the table's own. */
  fieldOf(number: number, facts: Facts): Field | undefined
}

export function compileOverlays(
  specs: readonly OverlaySpec[],
  compile: (field: FieldSpec) => Field,
): { readonly overlays: readonly Overlay[]; readonly variants: Variants | undefined } {
  const overlays = specs.map((spec): Overlay => {
    const fields = new Map(spec.fields.map(field => [Number(field.id), compile(field)]))
    return { spec, fields, matches: matcherOf(spec) }
  })
  const varying = overlays.filter(({ fields }) => fields.size > 0)
  if (varying.length === 0) return { overlays, variants: undefined }
  const numbers = new Set(varying.flatMap(({ fields }) => [...fields.keys()]))
  const fieldOf = (number: number, facts: Facts): Field | undefined =>
    varying
      .findLast(({ fields, matches }) => fields.has(number) && matches(facts))
      ?.fields.get(number)
  return { overlays, variants: { numbers, fieldOf } }
}

/** Every path that its rules name. */
export function pathsOf(spec: OverlaySpec): readonly string[] {
  const { mandatory, conditional, forbidden, echoed, allowed, conditions = [] } = spec
  const named = [...allowed, ...conditions, ...conditions.flatMap(({ when }) => when.flat())]
  const paths = named.map(({ path }) => path)
  return [...mandatory, ...conditional, ...forbidden, ...echoed, ...paths]
}

function matcherOf({ when }: OverlaySpec): (facts: Facts) => boolean {
  const patterns = when.mti.map(pattern => new RegExp(`^${pattern}$`))
  const { processing, response } = when
  return facts => {
    if (patterns.length > 0 && !patterns.some(pattern => pattern.test(facts.mti))) return false
    if (processing) {
      const code = facts.processing()
      if (code === undefined || !processing.some(start => code.startsWith(start))) return false
    }
    if (response) {
      const code = facts.response()
      if (code === undefined || !response.includes(code)) return false
    }
    return true
  }
}
