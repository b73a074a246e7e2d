import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadPacks } from './packs.ts'
import { type ConfigPlaces, type ConfigResult, readConfig, shownFolder } from './read.ts'

/** conf/ and protocols/ into options, or the list of everything that is wrong with them. */
export function loadConfig(places: ConfigPlaces): ConfigResult {
  const { packs, httpPacks, problems } = loadPacks(shownFolder(places.protocolsFolder))
  const names = folderNames(places.protocolsFolder)
  return readConfig(places, { loaded: packs, http: httpPacks, names, problems })
}

/** Where everything lies: NADI_CONF, NADI_PROTOCOLS and NADI_VAR, or the folders beside the program. */
export function placesFrom(
  env: ConfigPlaces['env'],
  root: string,
  overrides: readonly string[] = [],
): ConfigPlaces {
  const folder = (name: string, standard: string): string =>
    resolve(env[name] || resolve(root, standard))
  return {
    confFolder: folder('NADI_CONF', 'conf'),
    protocolsFolder: folder('NADI_PROTOCOLS', 'protocols'),
    varFolder: folder('NADI_VAR', 'var'),
    env,
    overrides,
  }
}

/** Packs are folders; one that is wrong still counts as being there. */
function folderNames(folder: string): string[] | undefined {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter(entry => entry.isDirectory()).map(entry => entry.name)
  } catch {
    return undefined // loadPacks tells it
  }
}
