import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { localTimeMs, Secret, SystemClock } from '#base'
import type { PackFolder, PackFolders } from '#config'
import {
  checkHttpSamples,
  checkSamples,
  type Credentials,
  type HttpPack,
  type Pack,
  type Problem,
  readHttpSamples,
  readSamples,
} from '#pack'

/** What was looked at, and all that is wrong with it. */
export type PackReport = {
  readonly pack: string
  readonly folder: string
  readonly transport: 'iso8583' | 'http' | undefined
  readonly products: readonly string[]
  readonly lines: number
  readonly samples: number
  readonly problems: readonly Problem[]
  /** What is not wrong, and yet worth a look. */
  readonly notes: readonly Problem[]
}

/** One pack: its files compiled, and its samples read and written. */
export function checkPack(folders: PackFolders, folder: PackFolder): PackReport {
  // A time without a year is read as the one nearest to its sample.
  const clock = new SystemClock()
  let nowMs = clock.nowMs()
  const result = folders.compile(folder, () => nowMs)
  const pack = 'pack' in result ? result.pack : 'httpPack' in result ? result.httpPack : undefined
  const problems: Problem[] = 'problems' in result ? [...result.problems] : []
  const file = join(folder.folder, 'samples.yaml')
  let spoken: readonly (string | undefined)[] = []
  if (folder.samples === undefined) {
    problems.push({
      path: `${file}:1`,
      text: 'there is no samples.yaml: nothing shows what it reads',
    })
  } else if (pack && 'transport' in pack) {
    const read = readHttpSamples(file, folder.samples)
    const known = pack.with(sampleCredentials(pack, read.credentials))
    problems.push(...read.problems, ...checkHttpSamples(known, read))
    spoken = read.samples.map(({ message }) => message.product)
  } else if (pack) {
    const read = readSamples(file, folder.samples)
    const at = (sentAt: string) => {
      nowMs = localTimeMs(sentAt) ?? nowMs
    }
    problems.push(
      ...read.problems,
      ...checkSamples(pack, read.samples, ({ message }) => at(message.sentAt)),
    )
    spoken = read.samples.map(({ message }) => message.product)
  }
  if (folder.samples !== undefined && pack && spoken.length === 0) {
    problems.push({ path: `${file}:1`, text: 'there is no sample in it' })
  }
  if (!folder.readme) {
    const text = 'there is no README.md: what was seen, and what is supposed?'
    problems.push({ path: `${join(folder.folder, 'README.md')}:1`, text })
  }
  return {
    pack: folder.name,
    folder: folder.folder,
    transport: pack && ('transport' in pack ? 'http' : 'iso8583'),
    products: pack?.products ?? [],
    lines: folder.lines,
    samples: spoken.length,
    problems: sorted(problems),
    notes: pack ? unspoken(pack, spoken, file) : [],
  }
}

function unspoken(
  { products }: Pack | HttpPack,
  spoken: readonly (string | undefined)[],
  file: string,
): Problem[] {
  const silent = products.filter(product => !spoken.includes(product))
  if (silent.length === 0) return []
  return [{ path: `${file}:1`, text: `no sample speaks of ${silent.join(', ')}` }]
}

/** In the order of the files and lines, as a person would mend them. */
function sorted(problems: readonly Problem[]): Problem[] {
  const place = ({ path }: Problem): [string, number] => {
    const [, file = path, line = '0'] = /^(.*):(\d+)$/.exec(path) ?? []
    return [file, Number(line)]
  }
  return problems.toSorted((a, b) => {
    const [[fileA, lineA], [fileB, lineB]] = [place(a), place(b)]
    return fileA.localeCompare(fileB) || lineA - lineB
  })
}

let pair: { readonly privateKey: string; readonly publicKey: string } | undefined

/**
 * The credentials that samples are made with; keys that they do not name are one invented pair, and
 * all else is called `lab-NAME`, as the simulators have it.
 */
export function sampleCredentials(
  pack: HttpPack,
  told: Readonly<Record<string, string>>,
): Credentials {
  const given: Record<string, Secret<string>> = {}
  for (const { name, kind } of pack.credentials) {
    given[name] = new Secret(told[name] ?? inventedCredential(name, kind))
  }
  return given
}

function inventedCredential(name: string, kind: HttpPack['credentials'][number]['kind']): string {
  if (kind !== 'private-key' && kind !== 'public-key') return `lab-${name}`
  pair ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return kind === 'private-key' ? pair.privateKey : pair.publicKey
}
