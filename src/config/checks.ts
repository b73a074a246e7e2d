import type { HttpPack, Pack, Problem } from '#pack'
import { suggestion } from './suggestion.ts'
import type { ProductEntry } from './schema.ts'
import { API_CHECKS } from './api-checks.ts'
import { HTTP_CHECKS } from './http-checks.ts'
import { PACK_CHECKS } from './pack-checks.ts'
import { SNAP_CHECKS } from './snap.ts'
import { securityFits, zonesFit } from './security.ts'
import type { Section, Tree } from './tree.ts'
import { formatDuration } from './values.ts'

/** Whether the parts fit together. Each check is a small function over what was read; none reads more. */
export type Check = (tree: Tree, packs: Packs) => readonly Problem[]

export type Packs = {
  readonly loaded: ReadonlyMap<string, Pack>
  readonly http: ReadonlyMap<string, HttpPack>
  /** All that are there, right or wrong; undefined when the folder cannot be read. */
  readonly names: readonly string[] | undefined
}

export const CHECKS: readonly Check[] = [
  productsNameBillers,
  productsNameLinks,
  linksNameBillers,
  partnersNameProducts,
  packsExist,
  linksCarryProducts,
  portsDiffer,
  limitsFit,
  reconnectRanges,
  hoursAreOpen,
  amountRanges,
  denominationsFit,
  feesAreShared,
  tokensAreNotReversed,
  lateAnswersFindTheirRequest,
  somethingIsServed,
  securityFits,
  zonesFit,
  ...PACK_CHECKS,
  ...API_CHECKS,
  ...HTTP_CHECKS,
  ...SNAP_CHECKS,
]

export function checkTree(tree: Tree, packs: Packs): Problem[] {
  return CHECKS.flatMap(check => check(tree, packs))
}

function productsNameBillers({ products, billers }: Tree): Problem[] {
  return each(products, ({ biller }, name) =>
    known('biller', biller, billers.names, products.where(name, 'biller')),
  )
}

function productsNameLinks({ products, links, httpLinks }: Tree): Problem[] {
  return each(products, (product, name) =>
    product.links.flatMap((link, index) => {
      const path = products.where(name, 'links', index)
      const unknown = known('link', link, links.names, path)
      const { biller } = links.entries.get(link) ?? httpLinks.entries.get(link) ?? product
      if (unknown.length > 0 || biller === product.biller) return unknown
      const text = `the link ${link} goes to ${biller}, but ${name} is sold by ${product.biller}`
      return [{ path, text }]
    }),
  )
}

function linksNameBillers({ links, httpLinks, billers }: Tree): Problem[] {
  return [links, httpLinks].flatMap((section: Section<{ biller: string }>) =>
    each(section, ({ biller }, name) =>
      known('biller', biller, billers.names, section.where(name, 'biller')),
    ),
  )
}

function partnersNameProducts({ partners, products }: Tree): Problem[] {
  return each(partners, (partner, id) =>
    partner.products.flatMap((product, index) =>
      known('product', product, products.names, partners.where(id, 'products', index)),
    ),
  )
}

function packsExist(
  { nadi, listeners, links, httpLinks, whereNadi }: Tree,
  { names }: Packs,
): Problem[] {
  const simulators = nadi?.lab?.simulators ?? []
  return [
    ...each(listeners, ({ pack }, name) =>
      known('pack', pack, names, listeners.where(name, 'pack')),
    ),
    ...each(links, ({ pack }, name) => known('pack', pack, names, links.where(name, 'pack'))),
    ...each(httpLinks, ({ pack }, name) =>
      known('pack', pack, names, httpLinks.where(name, 'pack')),
    ),
    ...simulators.flatMap(({ pack }, index) =>
      known('pack', pack, names, whereNadi('lab', 'simulators', index, 'pack')),
    ),
  ]
}

function linksCarryProducts(
  { products, links, httpLinks }: Tree,
  { loaded, http }: Packs,
): Problem[] {
  return each(products, (product, name) =>
    product.links.flatMap((link, index) => {
      const named = (links.entries.get(link) ?? httpLinks.entries.get(link))?.pack ?? ''
      const pack = loaded.get(named) ?? http.get(named)
      if (!pack || pack.products.includes(name)) return []
      const path = products.where(name, 'links', index)
      const text = `the pack ${pack.name} of the link ${link} cannot carry ${name}; it carries ${pack.products.join(', ')}`
      return [{ path, text }]
    }),
  )
}

function portsDiffer({ nadi, listeners, apis, callbacks, snaps, whereNadi }: Tree): Problem[] {
  type Use = { readonly host: string; readonly port: number; who: string; path: string }
  const uses: Use[] = []
  for (const [name, { host, port }] of listeners.entries)
    uses.push({ host, port, who: `the listener ${name}`, path: listeners.where(name, 'port') })
  for (const [name, { host, port }] of apis.entries)
    uses.push({ host, port, who: `the listener ${name}`, path: apis.where(name, 'port') })
  for (const [name, { host, port }] of callbacks.entries)
    uses.push({ host, port, who: `the listener ${name}`, path: callbacks.where(name, 'port') })
  for (const [name, { host, port }] of snaps.entries)
    uses.push({ host, port, who: `the listener ${name}`, path: snaps.where(name, 'port') })
  if (nadi) {
    const { host, port } = nadi.admin
    uses.push({ host, port, who: 'the admin API', path: whereNadi('admin', 'port') })
  }
  for (const [index, { host, port, controlPort }] of (nadi?.lab?.simulators ?? []).entries()) {
    const at = (key: string): string => whereNadi('lab', 'simulators', index, key)
    uses.push({ host, port, who: `simulator ${index}`, path: at('port') })
    const who = `the control of simulator ${index}`
    if (controlPort) uses.push({ host, port: controlPort, who, path: at('controlPort') })
  }
  return uses.flatMap((use, index) => {
    const before = uses
      .slice(0, index)
      .find(other => other.port === use.port && use.port !== 0 && overlaps(other.host, use.host))
    const text = `port ${use.port} is taken by ${before?.who}; ${use.who} needs one of its own`
    return before ? [{ path: use.path, text }] : []
  })
}

/** Whether two hosts to listen on may be the same: an any-address covers all the others. */
function overlaps(a: string, b: string): boolean {
  const any = ['0.0.0.0', '::']
  return a === b || any.includes(a) || any.includes(b)
}

function limitsFit({ listeners, apis, callbacks, snaps }: Tree): Problem[] {
  const ofCallbacks = each(callbacks, ({ limits }, name) =>
    notAbove(callbacks, name, limits, 'connectionsPerPeerMax', 'connectionsMax'),
  )
  const ofSnaps = each(snaps, ({ limits }, name) =>
    notAbove(snaps, name, limits, 'connectionsPerPeerMax', 'connectionsMax'),
  )
  const ofApis = each(apis, ({ limits }, name) => [
    ...notAbove(apis, name, limits, 'connectionsPerPeerMax', 'connectionsMax'),
    ...notAbove(apis, name, limits, 'inFlightPerPartnerMax', 'inFlightMax'),
  ])
  const ofListeners = each(listeners, ({ limits }, name) => [
    ...notAbove(listeners, name, limits, 'connectionsPerPeerMax', 'connectionsMax'),
    ...notAbove(listeners, name, limits, 'inFlightPerSessionMax', 'inFlightMax'),
  ])
  return [...ofListeners, ...ofApis, ...ofCallbacks, ...ofSnaps]
}

function notAbove<K extends string>(
  section: Section<unknown>,
  name: string,
  limits: Readonly<Record<K, number>>,
  part: K,
  whole: K,
): Problem[] {
  if (limits[part] <= limits[whole]) return []
  const text = `limits.${part} (${limits[part]}) is above limits.${whole} (${limits[whole]})`
  return [{ path: section.where(name, 'limits', part), text }]
}

function reconnectRanges({ links }: Tree): Problem[] {
  return each(links, ({ reconnectMin, reconnectMax }, name) => {
    if (reconnectMin <= reconnectMax) return []
    const text = `reconnectMin (${formatDuration(reconnectMin)}) is above reconnectMax (${formatDuration(reconnectMax)})`
    return [{ path: links.where(name, 'reconnectMin'), text }]
  })
}

function hoursAreOpen({ products }: Tree): Problem[] {
  return each(products, ({ hours }, name) => {
    if (hours?.from !== hours?.until || !hours) return []
    const text = 'from and until are the same: it would never be open; without hours it always is'
    return [{ path: products.where(name, 'hours'), text }]
  })
}

function amountRanges({ products }: Tree): Problem[] {
  return each(products, ({ minimum, maximum }, name) =>
    minimum <= maximum
      ? []
      : [{ path: products.where(name, 'minimum'), text: 'minimum is above maximum' }],
  )
}

function denominationsFit({ products }: Tree): Problem[] {
  return each(products, (product, name) =>
    (product.denominations ?? []).flatMap((amount, index) => {
      const onWire = product.fee.inside ? amount + product.fee.admin : amount
      const path = products.where(name, 'denominations', index)
      if (product.denominations?.indexOf(amount) !== index)
        return [{ path, text: 'this denomination stands here twice' }]
      if (onWire >= product.minimum && onWire <= product.maximum) return []
      const fee = product.fee.inside ? ' with the admin fee inside' : ''
      return [{ path, text: `this denomination${fee} lies outside of minimum and maximum` }]
    }),
  )
}

function feesAreShared({ products }: Tree): Problem[] {
  return each(products, ({ fee }, name) => {
    const { biller, switch: ours, partner } = fee.shares
    if (fee.admin === 0n || biller + ours + partner > 0) return []
    const text = 'nobody earns the admin fee: at least one share must be above 0'
    return [{ path: products.where(name, 'fee', 'shares'), text }]
  })
}

/** A token that was told once can be typed into a meter, so nobody may undo its purchase. */
function tokensAreNotReversed({ products }: Tree): Problem[] {
  return each(products, ({ recovery, reversalWindow }, name) => {
    if (recovery.by !== 'advise' || reversalWindow === 0) return []
    const text = 'what is found out by advice is never reversed: reversalWindow must be 0s'
    return [{ path: products.where(name, 'reversalWindow'), text }]
  })
}

function lateAnswersFindTheirRequest({ products, links, httpLinks }: Tree): Problem[] {
  const timeout = (name: string): number =>
    Math.max(0, ...[...products.entries.values()].filter(uses(name)).map(p => p.answerTimeout))
  return [links, httpLinks].flatMap((section: Section<{ lateMemory: number }>) =>
    each(section, ({ lateMemory }, name) => {
      if (lateMemory >= timeout(name)) return []
      const text = `lateMemory must be at least the longest answerTimeout of the products over this link, ${formatDuration(timeout(name))}`
      return [{ path: section.where(name, 'lateMemory'), text }]
    }),
  )
}

function uses(link: string): (product: ProductEntry) => boolean {
  return ({ links }) => links.includes(link)
}

function somethingIsServed({ listeners, apis, snaps, nadi, whereNadi }: Tree): Problem[] {
  if (!nadi || [listeners, apis, snaps].some(({ names }) => names?.length !== 0)) return []
  return [{ path: whereNadi(), text: 'no partner can dial in: listeners/ holds no NAME.yaml' }]
}

/** Runs a check over what was read of a section. */
function each<T>(section: Section<T>, check: (entry: T, name: string) => Problem[]): Problem[] {
  return [...section.entries].flatMap(([name, entry]) => check(entry, name))
}

function known(
  kind: string,
  name: string,
  names: readonly string[] | undefined,
  path: string,
): Problem[] {
  if (!names || names.includes(name)) return []
  return [{ path, text: `no ${kind} is called "${name}"${suggestion(name, names)}` }]
}
