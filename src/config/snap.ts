import type { Problem } from '#pack'
import type { Packs } from './checks.ts'
import type { SnapListenerConfig } from './config.ts'
import type { Keys } from './documents.ts'
import type { HttpSecrets } from './http-links.ts'
import type { SnapListenerFile } from './schema.ts'
import type { Tree } from './tree.ts'
import { addressFilter } from './values.ts'

/** Listeners that say `kind: snap`: banks that call us by SNAP BI, and what each of them sells. */

/** What a bank's services are given by where they stand, and so by no credential. */
export const SERVICE_NUMBER = 'partnerServiceId'

export function snapListener(
  name: string,
  { host, port, answerWait, rate, limits: given, banks }: SnapListenerFile,
  secrets: HttpSecrets,
): SnapListenerConfig {
  const { headersTimeout, requestTimeout, idleTimeout, ...counts } = given
  return {
    name,
    host,
    port,
    tls: secrets.listeners.get(name),
    answerWaitMs: answerWait,
    rate,
    tokenKeys: secrets.tokens.get(name) ?? [],
    limits: {
      ...counts,
      headersTimeoutMs: headersTimeout,
      requestTimeoutMs: requestTimeout,
      idleTimeoutMs: idleTimeout,
      // The desk's own answer comes first.
      answerTimeoutMs: answerWait + ANSWER_MS,
    },
    banks: Object.entries(banks).map(([bank, { partner, pack, addresses, services }]) => ({
      name: bank,
      partner,
      pack,
      mayCall: addressFilter(addresses),
      credentials: secrets.banks.get(`${name} ${bank}`) ?? {},
      services: new Map(Object.entries(services)),
    })),
  }
}

const ANSWER_MS = 5000

export const SNAP_CHECKS: readonly ((tree: Tree, packs: Packs) => Problem[])[] = [
  packsAreForBanks,
  partnersHaveAnIdentity,
  servicesAreSold,
]

type Bank = SnapListenerFile['banks'][string]
type Place = { readonly bank: Bank; readonly where: (...keys: Keys) => string }

function banksIn({ snaps }: Tree): Place[] {
  return [...snaps.entries].flatMap(([name, { banks }]) =>
    Object.entries(banks).map(([own, bank]) => ({
      bank,
      where: (...keys: Keys) => snaps.where(name, 'banks', own, ...keys),
    })),
  )
}

function packsAreForBanks(tree: Tree, { http, loaded, names }: Packs): Problem[] {
  return banksIn(tree).flatMap(({ bank: { pack }, where }) => {
    const path = where('pack')
    if (names && !names.includes(pack)) return [{ path, text: `no pack is called "${pack}"` }]
    const known = http.get(pack)
    const serves = known?.session && known.credentials.some(({ name }) => name === SERVICE_NUMBER)
    if (serves || (!known && !loaded.has(pack))) return []
    return [
      { path, text: `the pack ${pack} is none that banks call by: snap-va, or what extends it` },
    ]
  })
}

/** What its payments say of themselves is what its requests over the HTTP API would. */
function partnersHaveAnIdentity(tree: Tree): Problem[] {
  return banksIn(tree).flatMap(({ bank: { partner }, where }) => {
    const path = where('partner')
    const { names, entries } = tree.partners
    if (names && !names.includes(partner))
      return [{ path, text: `no partner is called "${partner}"` }]
    const entry = entries.get(partner)
    if (!entry || entry.api) return []
    return [
      { path, text: `the partner ${partner} needs an api section: its identity is used here` },
    ]
  })
}

function servicesAreSold(tree: Tree): Problem[] {
  return banksIn(tree).flatMap(({ bank: { partner, services }, where }) =>
    Object.entries(services).flatMap(([number, { product }]) => {
      const path = where('services', number)
      const { names } = tree.products
      if (names && !names.includes(product))
        return [{ path, text: `no product is called "${product}"` }]
      const sold = tree.partners.entries.get(partner)?.products
      if (!sold || sold.includes(product)) return []
      return [{ path, text: `the partner ${partner} does not sell ${product}` }]
    }),
  )
}
