import type { Message, MessageKind } from '#message'
import type { Call, Header } from './call.ts'
import type { Content } from './contents.ts'
import { nodeAt, type DocNode } from './node.ts'
import type { Products } from './products.ts'
import { type Shape } from './value.ts'
import { leavesOf } from './write-shape.ts'

/** What one kind of message about one group of products looks like. */
export type DocPlan = {
  /** Of a callback: the kind of the request that it answers. */
  readonly kind: MessageKind
  readonly callback: boolean
  readonly products: ReadonlySet<string>
  readonly call: Call
  /** The target as the pack has it. */
  readonly callTarget: string
  readonly content: Content
  /** Of what it is answered with: a form may be answered in JSON. */
  readonly answer: Content
  /** Of the answers, where they are written in another way. */
  readonly headers: readonly Header[]
  /** The digits of the code that are its own (SNAP). */
  readonly service: string
  /** A callback has none: it is an answer that nobody asked for. */
  readonly request: Shape | undefined
  readonly approved: Shape
  readonly declined: Shape
  readonly unknown: Shape
  /** Another kind has the same request, and stands before it: a status check that is sent again. */
  readonly shared: boolean
  /** How it is told from others with the same target. */
  readonly marks: readonly Mark[]
  readonly product: readonly string[] | undefined
}

/** Without a text: it is enough that it is there. */
type Mark = { readonly steps: readonly string[]; readonly text: string | undefined }

/** The constants of a shape outside of lists, and where its product stands. */
export function marksOf(shape: Shape): {
  marks: readonly Mark[]
  product: readonly string[] | undefined
} {
  const leaves = [...leavesOf(shape)].filter(({ path }) => !path.includes('[]'))
  const marks = leaves.flatMap(({ path, value, optional }) =>
    value.constant === undefined || optional
      ? []
      : [{ steps: path.split('.'), text: value.constant }],
  )
  const product = leaves.find(({ value }) => value.path === 'product')
  return { marks, product: product?.path.split('.') }
}

/** Documents of XML say what they are by the name of their first element. */
export function rootMarks({ parts }: Shape): Mark[] {
  return parts
    .filter(({ tag, optional }) => tag === 'map' && !optional)
    .map(({ name }) => ({ steps: [name], text: undefined }))
}

/** How well a document fits a plan: undefined not at all, else by how many marks. */
export function fits(plan: DocPlan, root: DocNode, products: Products): number | undefined {
  const { marks } = plan
  for (let i = 0; i < marks.length; i++) {
    const { steps, text } = marks[i] as Mark
    const node = nodeAt(root, steps)
    if (!node || (text !== undefined && node.text !== text)) return undefined
  }
  const code = plan.product && nodeAt(root, plan.product)?.text
  const sold = code === undefined ? undefined : products.soldBy(code)
  if (sold && !plan.products.has(sold.product)) return undefined
  return marks.length
}

/** For what fits none: how many of a plan's marks are there. */
export function marksIn({ marks }: DocPlan, root: DocNode): number {
  return marks.filter(({ steps, text }) => {
    const node = nodeAt(root, steps)
    return node && (text === undefined || node.text === text)
  }).length
}

/** The plan of a message that is written. */
export function planFor(
  plans: readonly DocPlan[],
  { kind, product }: Message,
  callback: boolean,
): DocPlan | undefined {
  let first: DocPlan | undefined
  for (const plan of plans) {
    if (plan.kind !== kind || plan.callback !== callback) continue
    if (product !== undefined ? plan.products.has(product) : plan.product === undefined) return plan
    first ??= plan
  }
  return product === undefined ? first : undefined
}

/** Those that may be asked of the side that serves, and those that it calls back by. */
export type Roles = {
  readonly requests: readonly DocPlan[]
  readonly callbacks: readonly DocPlan[]
}

const ROLES = new WeakMap<readonly DocPlan[], Roles>()

export function rolesOf(plans: readonly DocPlan[]): Roles {
  let roles = ROLES.get(plans)
  if (!roles) {
    const requests = plans.filter(plan => plan.request && !plan.shared)
    const callbacks = plans.filter(plan => plan.callback)
    ROLES.set(plans, (roles = { requests, callbacks }))
  }
  return roles
}
