import { SystemClock, SystemRandom } from '#base'
import type { PackFolder, PackFolders } from '#config'
import type { CaseReport, Spoken } from '#conformance'
import { type HttpPack, type Pack, readHttpSamples, readSamples } from '#pack'
import { NO_LOG } from '#telemetry'
import type { Context } from '../context.ts'
import { milliseconds } from '../parse.ts'
import { ConfigProblems } from '../settings.ts'
import { sampleCredentials } from './check.ts'
import { packFolder, packFolders } from './check-packs.ts'
import { customersOf, placeAt, readCredentials } from './given.ts'
import { judgeAPartner } from './partner.ts'
import { caseLine, told } from './told.ts'

export type TestPackOptions = {
  readonly against?: string
  readonly customer?: readonly string[]
  readonly credentials?: string
  readonly as?: 'partner' | 'api-partner'
  readonly port: number
  readonly host: string
  readonly for: string
  readonly callbackUrl?: string
  readonly report?: string
  readonly only?: readonly string[]
  readonly product?: readonly string[]
  readonly patience: string
  readonly atOnce: number
}

/** `nadi pack test`: a pack's conversation and every hostile case, and a report of them. */
export async function testOnePack(
  context: Context,
  name: string,
  options: TestPackOptions,
): Promise<number> {
  const { terminal } = context
  const folders = await packFolders(context)
  const given = options.credentials === undefined ? {} : readCredentials(options.credentials)
  const { pack, spoken } = speaking(folders, packFolder(folders, name), given)
  if (options.as !== undefined) return judgeAPartner(context, { pack, spoken }, options)
  const patienceMs = await milliseconds(options.patience)
  const { testPack } = await import('#conformance')
  const onCase = (one: CaseReport): void => {
    if (!context.json) terminal.out(caseLine(context, one))
  }
  const report = await testPack({
    pack,
    spoken,
    patienceMs,
    ...(options.against !== undefined && { place: placeAt(options.against, pack) }),
    customers: customersOf(options.customer ?? []),
    ...(options.product && { products: options.product }),
    ...(options.only && { only: options.only }),
    atOnce: options.atOnce,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: NO_LOG,
    onCase,
  })
  return told(context, report, options.report)
}

/** The pack with the credentials of its samples, and the messages of its samples. Throws ConfigProblems. */
export function speaking(
  folders: PackFolders,
  folder: PackFolder,
  given: Readonly<Record<string, string>> = {},
): { pack: Pack | HttpPack; spoken: readonly Spoken[] } {
  const clock = new SystemClock()
  const result = folders.compile(folder, () => clock.nowMs())
  if ('problems' in result) throw new ConfigProblems(result.problems)
  const path = `${folder.folder}/samples.yaml`
  const text = folder.samples ?? '[]'
  if ('httpPack' in result) {
    const { samples, credentials } = readHttpSamples(path, text)
    const pack = result.httpPack.with(
      sampleCredentials(result.httpPack, { ...credentials, ...given }),
    )
    return { pack, spoken: samples.map(({ message }) => message) }
  }
  const { samples } = readSamples(path, text)
  return { pack: result.pack, spoken: samples.map(({ message }) => message) }
}
