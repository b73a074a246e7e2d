import { Secret } from '#base'
import type { CredentialSpec, HttpPack, Problem } from '#pack'
import type { SimulatorConfig } from './config.ts'
import type { SimulatorEntry } from './schema.ts'
import { loadSecret, type SecretPlace } from './secrets.ts'
import type { Tree } from './tree.ts'

/**
 * The lab's counterparts. A simulator over HTTP and the link to it must know the same credentials: they
 * are handed to the simulator (`credentials`), and the link has them too, so that they are written
 * once. Where nobody names them they are `lab-NAME`, which opens nothing but a simulator; a link to
 * another machine, and every link of a node without a lab, must name its own.
 */
type Given = Readonly<Record<string, Secret<string>>>

/** What simulators are handed, in their order. */
export type LabSecrets = readonly Given[]

export function loadLabSecrets(
  { nadi, whereNadi }: Tree,
  packs: ReadonlyMap<string, HttpPack>,
  place: SecretPlace,
): { secrets: LabSecrets; problems: Problem[] } {
  const problems: Problem[] = []
  const secrets = (nadi?.lab?.simulators ?? []).map(({ pack, credentials, callbackUrl }, index) => {
    const where = (...keys: string[]): string => whereNadi('lab', 'simulators', index, ...keys)
    const dialect = packs.get(pack)
    if (callbackUrl !== undefined && dialect && !dialect.callback)
      problems.push({ path: where('callbackUrl'), text: `the dialect of ${pack} has no callbacks` })
    const given: Record<string, Secret<string>> = {}
    for (const [name, ref] of Object.entries(credentials)) {
      const path = where('credentials', name)
      if (dialect && !dialect.credentials.some(one => one.name === name))
        problems.push({ path, text: `the dialect has no credential "${name}"` })
      const kept = loadSecret(ref, place, false)
      if (typeof kept === 'string') problems.push({ path, text: kept })
      else if (kept.value) given[name] = kept.value
    }
    return given
  })
  return { secrets, problems }
}

const HERE = ['127.0.0.1', '[::1]', 'localhost']

/** What a link has of the lab; undefined where it is none of the lab's. */
export function labCredentials(
  { pack, url }: { readonly pack: string; readonly url: string },
  specs: readonly CredentialSpec[],
  { nadi }: Tree,
  secrets: LabSecrets,
): Given | undefined {
  const { hostname, port } = new URL(url)
  if (!nadi?.lab || !HERE.includes(hostname)) return undefined
  const at = nadi.lab.simulators.findIndex(
    one => one.pack === pack && String(one.port) === port && one.host === hostname,
  )
  const usual = specs
    .filter(({ kind }) => kind === 'secret' || kind === 'name')
    .map(({ name }) => [name, new Secret(`lab-${name}`)] as const)
  return { ...Object.fromEntries(usual), ...secrets[at] }
}

export function simulator(
  { pack, host, port, controlPort, callbackUrl, scenarioDelays }: SimulatorEntry,
  credentials: Given,
): SimulatorConfig {
  const scenarioDelaysMs = scenarioDelays
  return { pack, host, port, controlPort, callbackUrl, credentials, scenarioDelaysMs }
}
