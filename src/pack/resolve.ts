import { NadiError } from '#base'
import type { IsoMessage, IsoPath } from '#iso8583'
import type { MessageKind, Outcome } from '#message'
import type { CodeTable } from './codes.ts'
import { isMarked, typesOf, type KindSpec, type Mark } from './compile-kinds.ts'
import type { Decider } from './compile-messages.ts'
import type { Products } from './compile-sections.ts'
import { missing, offsetOf } from './presence.ts'
import type { Plan, Variant } from './plan.ts'

/** What is known of a frame before its elements are read into a message. */
export type Resolved = {
  readonly plan: Plan
  readonly variant: Variant
  readonly direction: 'request' | 'response'
  readonly repeat: boolean
  readonly outcome: Outcome | undefined
}

/** An element that decides, with the way to its value. */
export type Deciding = Decider & { readonly at: IsoPath }

export type ResolverParts = {
  readonly plans: readonly Plan[]
  readonly kinds: ReadonlyMap<MessageKind, KindSpec>
  readonly products: Products
  readonly codes: CodeTable
  readonly product: Deciding | undefined
  readonly outcome: Deciding
}

/** A kind that has a message type, with what else it is known by. */
type Candidate = { readonly marks: readonly Mark[]; readonly of: KindPlans }

type TypeEntry = {
  readonly direction: 'request' | 'response'
  readonly repeat: boolean
  readonly candidates: Candidate[]
}

/** The plans of one kind: a single one, or by product. */
type KindPlans = {
  readonly kind: MessageKind
  network: Plan | undefined
  readonly byProduct: Map<string, Plan>
  /** The same by what stands on the wire. */
  readonly byCode: Map<string, Plan>
}

/**
 * Finds out which message a frame is, by its type, then by what marks the kind, then by the product;
 * and which variant, by the response code, which is read before all else.
 */
export class Resolver {
  readonly #parts: ResolverParts
  readonly #types = new Map<string, TypeEntry>()
  readonly #kinds = new Map<MessageKind, KindPlans>()

  constructor(parts: ResolverParts) {
    this.#parts = parts
    for (const plan of parts.plans) this.#addPlan(plan)
    for (const of of this.#kinds.values()) this.#addTypes(of)
  }

  /** Which plan a message is written by. */
  planFor(kind: MessageKind, product: string | undefined): Plan | undefined {
    const plans = this.#kinds.get(kind)
    return product === undefined ? plans?.network : plans?.byProduct.get(product)
  }

  resolve(fields: IsoMessage): Resolved {
    const { mti } = fields
    const entry = this.#types.get(mti)
    if (!entry) throw new NadiError('CODEC_MTI', { path: 'mti', offset: 0, actual: mti })
    const [first, ...more] = entry.candidates as [Candidate, ...Candidate[]]
    const plain = more.length === 0 && first.marks.length === 0
    const plan = this.#planOf(fields, plain ? first.of : byMarks(fields, entry.candidates))
    const { direction, repeat } = entry
    if (direction === 'request') {
      return { plan, variant: plan.request, direction, repeat, outcome: undefined }
    }
    const { outcome: place, codes } = this.#parts
    const outcome = codes.outcomeOf(plan.kind, need(fields, place))
    const variant = outcome.reason === 'approved' ? plan.approved : plan.declined
    return { plan, variant, direction, repeat, outcome }
  }

  #addPlan(plan: Plan): void {
    const { kind, product } = plan
    const plans = this.#kinds.get(kind) ?? {
      kind,
      network: undefined,
      byProduct: new Map<string, Plan>(),
      byCode: new Map<string, Plan>(),
    }
    this.#kinds.set(kind, plans)
    if (product === undefined) {
      plans.network = plan
      return
    }
    plans.byProduct.set(product, plan)
    const { products } = this.#parts
    for (const code of products.codes) {
      if (products.productOf(code) === product) plans.byCode.set(code, plan)
    }
  }

  #addTypes(of: KindPlans): void {
    const spec = this.#parts.kinds.get(of.kind) as KindSpec
    for (const [mti, marks] of typesOf(spec)) {
      const direction = mti === spec.request || mti === spec.repeat ? 'request' : 'response'
      const repeat = mti === spec.repeat || mti === spec.repeatResponse
      const entry = this.#types.get(mti) ?? { direction, repeat, candidates: [] }
      entry.candidates.push({ marks, of })
      this.#types.set(mti, entry)
    }
  }

  #planOf(fields: IsoMessage, { kind, network, byProduct, byCode }: KindPlans): Plan {
    if (network) return network
    const place = this.#parts.product as Deciding
    const code = need(fields, place)
    const known = byCode.get(code)
    if (known) return known
    const product = this.#parts.products.productOf(code)
    const plan = product === undefined ? undefined : byProduct.get(product)
    if (plan) return plan
    if (product !== undefined) {
      const actual = `${kind} of ${product}`
      throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'mti', offset: 0, actual })
    }
    const expected = this.#parts.products.codes.join(', ')
    throw unknown(fields, place, expected)
  }
}

function byMarks(fields: IsoMessage, candidates: readonly Candidate[]): KindPlans {
  for (const { marks, of } of candidates) {
    if (marks.every(mark => isMarked(mark, valueOf(fields, mark)))) return of
  }
  const [mark] = (candidates[0] as Candidate).marks as [Mark, ...Mark[]]
  const expected = candidates
    .flatMap(({ marks }) => marks.filter(({ path }) => path === mark.path))
    .flatMap(({ values, begins }) => values.map(value => (begins ? `${value}…` : value)))
  throw unknown(
    fields,
    { path: mark.path, field: `de${mark.path}`, at: mark.at },
    expected.join(', '),
  )
}

function valueOf(fields: IsoMessage, { path, at }: Mark): string {
  return need(fields, { path, field: `de${path}`, at })
}

function need(fields: IsoMessage, { field, at }: Deciding): string {
  const value = at.read(fields)
  if (value === undefined) throw missing(field)
  return value
}

function unknown(fields: IsoMessage, { field, at }: Deciding, expected: string): NadiError {
  const offset = offsetOf(fields, at)
  return new NadiError('PACK_UNKNOWN_MESSAGE', { path: field, offset, expected })
}
