import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fill, kept } from './corpus.ts'
import { addonPath, type Loading, loadingOf } from './old-libc.ts'
import { SEEDS } from './seeds.ts'
import { TABLES } from './targets/dialects.ts'

export const ROOT = new URL('../', import.meta.url).pathname
const CACHE = `${ROOT}node_modules/.cache/nadi-fuzz`

export const TARGETS = Object.keys(SEEDS)

export type Limits = {
  /** At most so long, or so many executions, whichever comes first. */
  readonly seconds: number
  readonly runs: number
}

/** What one run of the fuzzer did. */
export type Run = {
  readonly target: string
  readonly executions: number
  readonly seconds: number
  readonly rssMb: number
  readonly edges: number
  readonly corpus: number
  /** The last lines, when it ended with a finding. */
  readonly finding: string | undefined
}

/** For one input; a hang is a finding. */
const INPUT_TIMEOUT_MS = 5000
export const RSS_LIMIT_MB = 1024
/** On a large machine V8 would let garbage lie until the limit above is reached without any need. */
const HEAP_LIMIT_MB = 384
const INPUT_BYTES_MAX: Readonly<Record<string, number>> = { jpos: 4096, moov: 4096, table: 4096 }

/** Targets between whose inputs the event loop has to turn. */
const IN_TURNS: readonly string[] = ['gzip']

export class Engine {
  readonly #loading: Loading
  /** Sources and targets as plain JavaScript, since only that is instrumented; one for each process. */
  readonly #built: string

  constructor() {
    mkdirSync(CACHE, { recursive: true })
    this.#loading = loadingOf(addonPath(), CACHE)
    this.#built = mkdtempSync(`${CACHE}/built-`)
    process.once('exit', () => rmSync(this.#built, { recursive: true, force: true }))
    const tsc = createRequire(import.meta.url).resolve('typescript/package.json')
    const bin = `${tsc.slice(0, tsc.lastIndexOf('/'))}/bin/tsc`
    const options = ['-p', `${ROOT}fuzz`, '--noEmit', 'false', '--outDir', this.#built]
    spawnSync(process.execPath, [bin, ...options], { stdio: 'ignore' })
    const imports = { '#*': './src/*/index.js' }
    writeFileSync(`${this.#built}/package.json`, JSON.stringify({ type: 'module', imports }))
    writeFileSync(`${CACHE}/words.dict`, dictionary())
  }

  folder(target: string): string {
    return `${CACHE}/corpus/${target}`
  }

  /** Fuzzes one target, going on with the corpus that earlier runs left. */
  async run(target: string, { seconds, runs }: Limits): Promise<Run> {
    const folder = this.folder(target)
    fill(folder, [...kept(target), ...(SEEDS[target]?.() ?? [])])
    const { text, code } = await this.#start(
      target,
      [folder],
      [
        `-max_total_time=${seconds}`,
        `-runs=${runs}`,
        `-max_len=${INPUT_BYTES_MAX[target] ?? 1024}`,
        `-dict=${CACHE}/words.dict`,
        '-use_value_profile=0',
      ],
    )
    // The counter of the last line; what is printed at the end is missing when it ends otherwise.
    const numbers = (pattern: RegExp): number =>
      Math.max(0, ...[...text.matchAll(pattern)].map(([, digits]) => Number(digits)))
    const last = text.match(/cov: \d+ ft: \d+ corp: \d+/g)?.at(-1) ?? ''
    const done = /Done \d+ runs? in (\d+) second/.exec(text)
    return {
      target,
      executions: numbers(/^(?:#|Done |stat::number_of_executed_units:\s+)(\d+)/gm),
      seconds: Number(done?.[1] ?? seconds),
      rssMb: numbers(/(?:rss: |peak_rss_mb:\s+)(\d+)/g),
      edges: Number(/cov: (\d+)/.exec(last)?.[1] ?? 0),
      corpus: Number(/corp: (\d+)/.exec(last)?.[1] ?? 0),
      finding: code === 0 ? undefined : text.split('\n').slice(-40).join('\n'),
    }
  }

  /** The smallest set of inputs that reaches all that the corpus reaches. */
  async minimized(target: string): Promise<string> {
    const folder = `${CACHE}/minimized/${target}`
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    await this.#start(target, [folder, this.folder(target)], ['-merge=1'])
    return folder
  }

  async #start(target: string, folders: string[], options: string[]): Promise<Ended> {
    const jazzer = createRequire(import.meta.url).resolve('@jazzer.js/core/dist/cli.js')
    mkdirSync(`${CACHE}/findings`, { recursive: true })
    const child = spawn(
      process.execPath,
      [
        ...this.#loading.args,
        `--max-old-space-size=${HEAP_LIMIT_MB}`,
        jazzer,
        `${this.#built}/fuzz/targets/index.js`,
        ...folders,
        ...(IN_TURNS.includes(target) ? [] : ['--sync']),
        `--fuzzEntryPoint=${target}`,
        `--timeout=${INPUT_TIMEOUT_MS}`,
        `--includes=${this.#built}/src/`,
        '--excludes=no-such-folder',
        '--disableBugDetectors=.*',
        '--',
        `-rss_limit_mb=${RSS_LIMIT_MB}`,
        '-print_final_stats=1',
        `-artifact_prefix=${CACHE}/findings/${target}-`,
        ...options,
      ],
      {
        cwd: CACHE,
        env: { ...process.env, ...this.#loading.env, NADI_FUZZ_ROOT: ROOT },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let text = ''
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    const code = await new Promise<number | null>(resolve => child.once('close', resolve))
    return { text, code }
  }
}

type Ended = { readonly text: string; readonly code: number | null }

/** Words of tables, packagers and JSON specs, which chance would never find. */
function dictionary(): string {
  const words = TABLES.flatMap(({ text }) => text.match(/[a-z][\w-]+:?/g) ?? [])
  const further = [
    'org.jpos.iso.',
    'isofieldpackager',
    'emitBitmap=',
    'ASCII.LL',
    'BerTLVTag',
    'subfields',
  ]
  return [...new Set([...words, ...further])].map(word => `"${word}"`).join('\n')
}
