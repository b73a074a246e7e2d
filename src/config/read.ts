import { isAbsolute, relative, resolve } from 'node:path'
import type { Problem } from '#pack'
import { assemble, loadSecrets } from './assemble.ts'
import { checkTree, type Packs } from './checks.ts'
import type { Config } from './config.ts'
import { readDocuments } from './documents.ts'
import { hsmProblems } from './hsm.ts'
import { loadHttpSecrets } from './http-links.ts'
import { applyOverrides } from './overrides.ts'
import { loadPartnerSecrets } from './partner-api.ts'
import { readTree } from './tree.ts'

export type ConfigPlaces = {
  readonly confFolder: string
  readonly protocolsFolder: string
  /** Data, keys and the admin token; what relative paths in conf/ start from. */
  readonly varFolder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Single settings changed from outside: `admin.port=0`. */
  readonly overrides?: readonly string[]
}

export type ConfigResult = { readonly config: Config } | { readonly problems: readonly Problem[] }

/** Everything that is wrong with conf/, given the packs; or the configuration. */
export function readConfig(
  places: ConfigPlaces,
  packs: Packs & { readonly problems: readonly Problem[] },
): ConfigResult {
  const { confFolder, protocolsFolder, env, overrides = [] } = places
  const varFolder = resolve(places.varFolder)
  const { documents, problems: unread } = readDocuments(confFolder, shownFolder(confFolder))
  const misdirected = applyOverrides(documents, overrides)
  const { tree, problems: misread } = readTree(documents)
  const problems = [...unread, ...misdirected, ...misread, ...packs.problems]
  problems.push(...checkTree(tree, packs))
  const { nadi } = tree
  if (!nadi) return { problems }
  const treeFolders = [resolve(confFolder), resolve(protocolsFolder)]
  const place = { env, varFolder, treeFolders }
  const own = loadSecrets(nadi, tree.whereNadi, place)
  const partners = loadPartnerSecrets(tree, place)
  const http = loadHttpSecrets(tree, packs.http, place)
  problems.push(...own.problems, ...partners.problems, ...http.problems)
  problems.push(...hsmProblems(nadi.hsm, tree.whereNadi, place))
  if (problems.length > 0) return { problems }
  return {
    config: assemble(nadi, tree, packs, own.secrets, partners.secrets, http.secrets, varFolder),
  }
}

/** As a person in the current folder would name it. */
export function shownFolder(folder: string): string {
  const way = relative(process.cwd(), folder)
  return way === '' || way.startsWith('..') || isAbsolute(way) ? folder : way
}
