import { isNadiError, localTime } from '#base'
import { type HttpPack, type Pack, type Problem, RECOVERY_KINDS } from '#pack'
import type { Packs } from './checks.ts'
import type { ProductEntry } from './schema.ts'
import type { Tree } from './tree.ts'

/** Whether the packs can say what conf/ wants of them, and what codes quote. */
export const PACK_CHECKS: readonly ((tree: Tree, packs: Packs) => Problem[])[] = [
  identitiesCanBeSaid,
  whatIsUnknownCanBeAsked,
  whatIsTakenBackCanBeSaid,
  codesQuote,
]

/** Dialects differ in how long such names are: an identity that one cannot say would never sign on. */
function identitiesCanBeSaid({ links }: Tree, { loaded }: Packs): Problem[] {
  return [...links.entries].flatMap(([name, { pack: named, identity }]) => {
    const pack = loaded.get(named)
    if (!pack?.conversation.signOn) return []
    const head = { kind: 'sign-on', direction: 'request', repeat: false, trace: '' } as const
    try {
      pack.write({ ...head, sentAt: localTime(0), ...identity })
      return []
    } catch (error) {
      if (!isNadiError(error)) throw error
      const text = `the pack ${named} cannot say this identity: ${error.message}`
      return [{ path: links.where(name, 'identity'), text }]
    }
  })
}

/** How an unknown payment is found out: every link needs the message of that. */
function whatIsUnknownCanBeAsked(tree: Tree, packs: Packs): Problem[] {
  const { products } = tree
  return [...products.entries].flatMap(([name, product]) => {
    const { by } = product.recovery
    const kind = RECOVERY_KINDS[by]
    return packsOf(product, tree, packs).flatMap(({ link, pack }) => {
      if (!pack.products.includes(name) || pack.carries(kind, name)) return []
      const text = `${by} sends a ${kind}, and the pack ${pack.name} of the link ${link} has none for ${name}: ${insteadOf(pack, name)}`
      return [{ path: products.where(name, 'recovery', 'by'), text }]
    })
  })
}

const POLICIES = ['reverse', 'advise', 'check'] as const

function insteadOf(pack: Pack | HttpPack, product: string): string {
  const able = POLICIES.filter(policy => pack.carries(RECOVERY_KINDS[policy], product))
  if (able.length > 0) return `recovery.by can be ${able.join(' or ')} over it`
  return 'take the link off, or describe the message in the pack'
}

/** A window for the partner's own reversal, where no message of the dialect asks for one. */
function whatIsTakenBackCanBeSaid(tree: Tree, packs: Packs): Problem[] {
  const { products } = tree
  return [...products.entries].flatMap(([name, product]) => {
    if (product.reversalWindow === 0 || product.recovery.by === 'advise') return []
    return packsOf(product, tree, packs).flatMap(({ link, pack }) => {
      if (!pack.products.includes(name) || pack.carries('reversal', name)) return []
      const text = `the pack ${pack.name} of the link ${link} has no message that takes a payment of ${name} back: reversalWindow must be 0s`
      return [{ path: products.where(name, 'reversalWindow'), text }]
    })
  })
}

function codesQuote({ products }: Tree): Problem[] {
  return [...products.entries].flatMap(([name, { quote, denominations, fee }]) => {
    if (quote === undefined) return []
    const problem = (key: string, text: string): Problem => ({
      path: products.where(name, key),
      text: `what is due stands in the code (quote: ${quote}), so ${text}`,
    })
    return [
      ...(denominations ? [problem('denominations', 'there are none')] : []),
      ...(fee.inside ? [problem('fee', 'the fee cannot be inside of it')] : []),
    ]
  })
}

function packsOf(product: ProductEntry, { links, httpLinks }: Tree, { loaded, http }: Packs) {
  return product.links.flatMap(link => {
    const named = (links.entries.get(link) ?? httpLinks.entries.get(link))?.pack ?? ''
    const pack = loaded.get(named) ?? http.get(named)
    return pack ? [{ link, pack }] : []
  })
}
