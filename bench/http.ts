/**
 * The HTTP path beside the ISO path: two real daemons, each with its own embedded PostgreSQL (fsync
 * on) and its simulated biller, and this load generator, all on one machine, in turns.
 *
 *     iso      partner ─ frames over TCP ─▶ nadi ─ frames over TCP ─▶ biller       as `npm run bench`
 *     http     partner ─ signed JSON over HTTP ─▶ nadi ─ JSON over HTTP ─▶ biller
 *     echo     this load ─▶ bare fastify: what the load can ask for at the most
 *     undici   bare undici client ─▶ bare fastify
 *     relay    this load ─▶ bare fastify ─ bare undici ─▶ bare fastify             the hops of `http`
 *
 * A cycle is an inquiry and its payment, each answer checked; of the bare ones, two exchanges. Then
 * what reading and writing one message of a pack over HTTP costs, beside the bare library.
 *
 *     npm run bench:http -- [--seconds 4] [--rounds 3] [--in-flight 16,64,256] [--ways iso,http]
 *                           [--no-packs] [--json] [--profile FOLDER]
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type CpuMs, cpuMs } from './cpu.ts'
import { type Bare, BODY, startBare, undiciLoad } from './http-bare.ts'
import { REST_BILLER } from './http-lab.ts'
import { echoLoad, httpLoad } from './http-load.ts'
import { percentile } from './journal.ts'
import { Lab } from './lab.ts'
import { load, type Loaded, type LoadOptions } from './load.ts'
import { type PackDocumentResult, printPackDocument } from './pack-document.ts'

const WAYS = ['iso', 'http', 'echo', 'undici', 'relay'] as const
type WayName = (typeof WAYS)[number]

type Way = {
  readonly pids: Lab['pids']
  readonly load: (how: How) => Promise<Loaded>
  /** Until the engine has compiled what it will, the way that has more code pays more for it. */
  readonly warm: How
}

type How = Pick<LoadOptions, 'inFlight' | 'seconds' | 'cycles'>

type WayRow = {
  readonly way: WayName
  readonly inFlight: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuUs: Readonly<Record<keyof CpuMs, number>>
}

type Ratio = { readonly inFlight: number; readonly ratio: number }

type HttpBenchResult = Partial<PackDocumentResult> & {
  readonly ways: readonly WayRow[]
  /** Cycles of `http` for each of `iso`. */
  readonly httpToIso: readonly Ratio[]
  /** The lowest of those; missing when one of the two was not run. */
  readonly lowest?: number
  readonly wanted: number
}

const WANTED = 0.6
const WARM: How = { inFlight: 256, cycles: 15_000 }
const WARM_BARE: How = { inFlight: 256, seconds: 4 }

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    'in-flight': { type: 'string', default: '16,64,256' },
    ways: { type: 'string', default: WAYS.join(',') },
    'no-packs': { type: 'boolean', default: false },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})

/** What was measured of one way at one level, over all rounds. */
type Level = {
  readonly timesMs: number[]
  tookMs: number
  cycles: number
  readonly cpuMs: Record<keyof CpuMs, number>
}

let labs: readonly Lab[] = []
let bare: Bare | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stop().then(() => process.exit(1)))
try {
  const result = await measure(options['in-flight'].split(',').map(Number))
  if (options.json) console.log(JSON.stringify(result))
  else print(result)
} finally {
  await stop()
}

async function stop(): Promise<void> {
  bare?.stop()
  for (const lab of labs) await lab.stop()
}

async function start(): Promise<Record<WayName, Way>> {
  const profileOf = (name: string) => options.profile && join(options.profile, name)
  const iso = await Lab.start(profileOf('iso'))
  labs = [iso]
  const http = await Lab.start(profileOf('http'), REST_BILLER)
  labs = [iso, http]
  bare = await startBare()
  const { echo, relay, pids } = bare
  const { address, ...key } = http.api
  return {
    iso: {
      pids: iso.pids,
      load: how => load({ address: iso.partners, ...how }),
      warm: WARM,
    },
    http: {
      pids: http.pids,
      load: how => httpLoad({ address, key, ...how }),
      warm: WARM,
    },
    echo: {
      pids,
      load: how => echoLoad({ address: echo, body: BODY, ...how }),
      warm: WARM_BARE,
    },
    undici: {
      pids,
      load: how => undiciLoad({ address: echo, ...how }),
      warm: WARM_BARE,
    },
    relay: {
      pids,
      load: how => echoLoad({ address: relay, body: BODY, ...how }),
      warm: WARM_BARE,
    },
  }
}

async function measure(inFlights: readonly number[]): Promise<HttpBenchResult> {
  const seconds = Number(options.seconds)
  const ways = await start()
  const names = WAYS.filter(name => options.ways.split(',').includes(name))
  const levels = new Map(
    names.map(name => [name, new Map(inFlights.map(inFlight => [inFlight, newLevel()]))]),
  )
  for (const name of names) await ways[name].load(ways[name].warm)
  for (let round = 0; round < Number(options.rounds); round++)
    for (const inFlight of inFlights)
      for (const name of names)
        await measureLevel(levels.get(name)?.get(inFlight), ways[name], inFlight, seconds)
  await stop()
  const rows = inFlights.flatMap(inFlight =>
    names.map(name => rowOf(name, inFlight, levels.get(name)?.get(inFlight) ?? newLevel())),
  )
  const httpToIso = inFlights.flatMap(inFlight => {
    const of = (name: WayName) => rows.find(row => row.way === name && row.inFlight === inFlight)
    const [iso, http] = [of('iso'), of('http')]
    return iso && http ? [{ inFlight, ratio: round(http.perSecond / iso.perSecond) }] : []
  })
  return {
    ways: rows,
    httpToIso,
    ...(httpToIso.length > 0 && { lowest: Math.min(...httpToIso.map(({ ratio }) => ratio)) }),
    wanted: WANTED,
    ...(!options['no-packs'] && packDocument()),
  }
}

function newLevel(): Level {
  return {
    timesMs: [],
    tookMs: 0,
    cycles: 0,
    cpuMs: { daemon: 0, biller: 0, postgres: 0, load: 0 },
  }
}

async function measureLevel(
  level: Level | undefined,
  { pids, load }: Way,
  inFlight: number,
  seconds: number,
): Promise<void> {
  if (!level) return
  const before = cpuMs(pids)
  const { timesMs, tookMs, allCycles } = await load({ inFlight, seconds })
  const after = cpuMs(pids)
  for (const timeMs of timesMs) level.timesMs.push(timeMs)
  level.tookMs += tookMs
  level.cycles += allCycles
  if (!before || !after) return
  for (const name of Object.keys(level.cpuMs) as (keyof CpuMs)[])
    level.cpuMs[name] += after[name] - before[name]
}

function rowOf(way: WayName, inFlight: number, { timesMs, tookMs, cycles, cpuMs }: Level): WayRow {
  const us = (ms: number): number => Math.round((ms * 1000) / cycles)
  const { daemon, biller, postgres, load } = cpuMs
  return {
    way,
    inFlight,
    perSecond: Math.round((timesMs.length / tookMs) * 1000),
    p50Ms: round(percentile(timesMs, 0.5)),
    p99Ms: round(percentile(timesMs, 0.99)),
    cpuUs: { daemon: us(daemon), biller: us(biller), postgres: us(postgres), load: us(load) },
  }
}

/** In a process of its own: what was compiled for the load must not be in its way. */
function packDocument(): PackDocumentResult {
  const script = fileURLToPath(new URL('pack-document.ts', import.meta.url))
  const flags = ['--conditions=source', script, '--json']
  return JSON.parse(
    execFileSync(process.execPath, flags, { encoding: 'utf8' }),
  ) as PackDocumentResult
}

function print({ ways, httpToIso, lowest, wanted, ...packs }: HttpBenchResult): void {
  console.log('in flight   way       cycles/s    p50 ms    p99 ms   CPU in us a cycle')
  for (const { inFlight, way, perSecond, p50Ms, p99Ms, cpuUs } of ways) {
    const cpu = Object.entries(cpuUs).map(([name, us]) => `${name} ${us}`)
    const figures = `${perSecond}`.padStart(11) + `${p50Ms}`.padStart(10) + `${p99Ms}`.padStart(10)
    console.log(`${`${inFlight}`.padStart(9)}   ${way.padEnd(7)}${figures}   ${cpu.join(', ')}`)
  }
  const ratios = httpToIso.map(({ inFlight, ratio }) => `${ratio} with ${inFlight} in flight`)
  if (lowest !== undefined)
    console.log(`http / iso: ${ratios.join(', ')}; the lowest is ${lowest}, wanted ${wanted}`)
  const { packDocument: rows, wantedBelow } = packs
  if (rows && wantedBelow !== undefined) printPackDocument({ packDocument: rows, wantedBelow })
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
